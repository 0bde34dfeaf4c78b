package base

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// stated is what the hub says of a file.
type stated struct {
	name   string
	etag   string // the name of the blob in the cache: sha256, or git's hash for a small file
	sha256 string // of the content; empty for a small file
	size   int64  // bytes
	commit string // that the revision means
}

// fetchHub puts what a hub source names into the Hugging Face cache.
func (s *Store) fetchHub(ctx context.Context, e Entry, src Source, opt PullOptions) (record, error) {
	if s.Hub.Offline {
		return record{}, unreachable{errors.New("HF_HUB_OFFLINE is set")}
	}
	names := []string{src.File}
	if src.File == "" {
		var err error
		if names, err = s.chooseFiles(ctx, e, src); err != nil {
			return record{}, err
		}
	}
	files := make([]stated, 0, len(names))
	var total, done int64
	for _, name := range names {
		f, err := s.stat(ctx, src, name)
		if err != nil {
			return record{}, err
		}
		if e.Pinned() && (f.sha256 != e.SHA256 || f.size != e.Size) {
			return record{}, fmt.Errorf("the hub's %s has %d bytes and SHA-256 %s, the catalog names %d and %s",
				name, f.size, quote(f.sha256), e.Size, e.SHA256)
		}
		if len(files) > 0 && f.commit != files[0].commit {
			return record{}, fmt.Errorf("%s changed on the hub while it was read; try again", src.Repo)
		}
		if len(names) == 1 && f.sha256 != "" {
			if err := opt.held.holds(src, f.sha256); err != nil {
				return record{}, err
			}
		}
		files = append(files, f)
		total += f.size
	}
	came := make([]bool, len(files))
	for i, f := range files {
		var err error
		came[i], err = s.fetchBlob(ctx, src, f, opt, func(n, _ int64) { report(opt.Progress, src.String(), done+n, total) })
		if err != nil {
			return record{}, err
		}
		// A fetch that is broken off has no record yet: a mark says what came.
		mark := filepath.Join(s.baseDir(e.Name), "."+f.etag+".came")
		if _, err := os.Lstat(mark); err == nil {
			came[i] = true
		} else if came[i] {
			if err := os.MkdirAll(filepath.Dir(mark), 0o777); err != nil {
				return record{}, writeError{err}
			}
			if err := os.WriteFile(mark, nil, 0o666); err != nil {
				return record{}, writeError{err}
			}
		}
		done += f.size
	}
	r, err := s.Hub.keep(ctx, src, files[0].commit, files)
	if err != nil {
		return record{}, writeError{err}
	}
	before, err := s.readRecord(e.Name)
	for i, f := range r.Files {
		r.Files[i].Kept = !came[i] && (err != nil || !before.put(r, f))
	}
	if e.Pinned() {
		r.Pinned = "catalog"
	}
	return r, nil
}

// fetchBlob fetches one file into the cache, checks it and gives it its place. came is
// false where it was in the cache.
func (s *Store) fetchBlob(ctx context.Context, src Source, f stated, opt PullOptions, progress func(done, total int64)) (came bool, err error) {
	repo := s.Hub.repoDir(src.Repo)
	blob := filepath.Join(repo, "blobs", f.etag)
	// The same lock as huggingface_hub's, so that both never write one blob.
	unlock, err := lockFile(ctx, s, filepath.Join(s.Hub.Cache, ".locks", filepath.Base(repo), f.etag+".lock"), func() {
		tell(opt.Say, "another process is fetching "+f.name+"; waiting for it")
	})
	if err != nil {
		return false, err
	}
	defer unlock()
	if s.verify(ctx, f, blob) == nil {
		progress(f.size, f.size)
		return false, wrapWrite(s.Hub.place(src, f.commit, f.name, f.etag))
	}
	// Without links the file lies in the snapshot itself.
	if s.verify(ctx, f, filepath.Join(s.Hub.snapshotDir(src.Repo, f.commit), filepath.FromSlash(f.name))) == nil {
		progress(f.size, f.size)
		return false, wrapWrite(s.Hub.writeRef(src, f.commit))
	}
	at := src
	at.Rev = f.commit // a branch may move on meanwhile
	t := transfer{
		url: s.Hub.resolveURL(at, f.name), token: s.Hub.Token,
		path: blob + ".incomplete", size: f.size, progress: progress,
	}
	check := func(p string) error { return s.verify(ctx, f, p) }
	if err := s.downloadChecked(ctx, t, check); err != nil {
		return false, err
	}
	if err := settle(t.path, blob); err != nil {
		return false, writeError{err}
	}
	return true, wrapWrite(s.Hub.place(src, f.commit, f.name, f.etag))
}

func wrapWrite(err error) error {
	if err != nil {
		return writeError{err}
	}
	return nil
}

// downloadChecked downloads a file and checks it. What came partly from an
// earlier try and is wrong is fetched once more from its first byte; what is
// wrong then is thrown away.
func (s *Store) downloadChecked(ctx context.Context, t transfer, check func(path string) error) error {
	for {
		resumed, err := s.download(ctx, t)
		if err != nil {
			return err
		}
		err = check(t.path)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if rerr := os.Remove(t.path); rerr != nil {
			return writeError{errors.Join(err, rerr)}
		}
		if !resumed {
			return err
		}
	}
}

// verify says whether a file is what the hub stated.
func (s *Store) verify(ctx context.Context, f stated, p string) error {
	info, err := os.Stat(p)
	if err != nil {
		return err
	}
	if info.Size() != f.size {
		return fmt.Errorf("%s has %d bytes, %d expected", f.name, info.Size(), f.size)
	}
	var got string
	want := f.sha256
	if want != "" {
		got, err = hashFile(ctx, p, nil)
	} else {
		want = f.etag
		got, err = hashGit(ctx, p)
	}
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("what came as %s has the hash %s, %s expected", f.name, got, want)
	}
	return checkMagic(p, f.name)
}

func (h HubConfig) resolveURL(src Source, file string) string {
	return h.Endpoint + "/" + src.Repo + "/resolve/" + url.PathEscape(src.Rev) + "/" + escapePath(file)
}

func escapePath(p string) string {
	parts := strings.Split(p, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

func (h HubConfig) request(ctx context.Context, method, address string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err == nil && h.Token != "" {
		req.Header.Set("Authorization", "Bearer "+h.Token)
	}
	return req, err
}

// stat asks the hub for the size, hash and commit of a file. The hub answers
// with a redirect to its file store, whose headers say what it redirects to;
// only redirects within the hub, as for a renamed repository, are followed.
func (s *Store) stat(ctx context.Context, src Source, file string) (stated, error) {
	address := s.Hub.resolveURL(src, file)
	req, err := s.Hub.request(ctx, http.MethodHead, address)
	if err != nil {
		return stated{}, err
	}
	client := s.client(func(next *http.Request) bool {
		stated := next.Response != nil && next.Response.Header.Get("X-Linked-Etag") != ""
		return !stated && within(req.URL, next.URL)
	})
	resp, err := s.ask(client, req)
	if err != nil {
		return stated{}, err
	}
	resp.Body.Close()
	if resp.StatusCode >= 400 {
		return stated{}, hubError(resp, src, file)
	}
	f := stated{name: file, size: resp.ContentLength, commit: resp.Header.Get("X-Repo-Commit")}
	f.etag = plainETag(firstOf(resp.Header.Get("X-Linked-Etag"), resp.Header.Get("ETag")))
	if v := resp.Header.Get("X-Linked-Size"); v != "" {
		if f.size, err = strconv.ParseInt(v, 10, 64); err != nil {
			return stated{}, fmt.Errorf("%s states the size %s", req.URL.Host, quote(v))
		}
	}
	if !isCommit(f.commit) {
		return stated{}, fmt.Errorf("%s states no commit for %s", req.URL.Host, src)
	}
	if !isSHA256(f.etag) && !isCommit(f.etag) || f.size < 0 {
		// A mirror that does not pass the headers on may have the listing.
		tree, err := s.tree(ctx, src, path.Dir(file))
		if err != nil {
			return stated{}, err
		}
		i := slices.IndexFunc(tree, func(t treeEntry) bool { return t.Path == file })
		if i < 0 {
			return stated{}, fmt.Errorf("%s has no %s", src.Repo, file)
		}
		f.size, f.etag = tree[i].Size, tree[i].OID
		if tree[i].LFS != nil {
			f.size, f.etag = tree[i].LFS.Size, tree[i].LFS.OID
		}
	}
	if isSHA256(f.etag) {
		f.sha256 = f.etag
	} else if !isCommit(f.etag) {
		return stated{}, fmt.Errorf("%s states no hash for %s", req.URL.Host, file)
	}
	return f, nil
}

func plainETag(v string) string { return strings.Trim(strings.TrimPrefix(v, "W/"), `"`) }

// hubError says what a refusal of the hub means.
func hubError(resp *http.Response, src Source, file string) error {
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("the hub does not give %s to everybody, or has no such repository: set HF_TOKEN if you have access", src.Repo)
	case http.StatusNotFound:
		what := "the hub has no " + src.Repo + "@" + src.Rev
		if file != "" {
			what += "/" + file
		}
		return errors.New(what)
	}
	return statusError(resp)
}

// treeEntry is one line of the hub's listing of a folder.
type treeEntry struct {
	Type string `json:"type"`
	Path string `json:"path"`
	OID  string `json:"oid"`
	Size int64  `json:"size"`
	LFS  *struct {
		OID  string `json:"oid"`
		Size int64  `json:"size"`
	} `json:"lfs"`
}

const (
	treePage  = 8 << 20 // bytes at most of one page of a listing
	treePages = 10
)

// tree gives the hub's listing of one folder of a repository.
func (s *Store) tree(ctx context.Context, src Source, dir string) ([]treeEntry, error) {
	address := s.Hub.Endpoint + "/api/models/" + src.Repo + "/tree/" + url.PathEscape(src.Rev)
	if dir != "" && dir != "." {
		address += "/" + escapePath(dir)
	}
	var all []treeEntry
	for range treePages {
		req, err := s.Hub.request(ctx, http.MethodGet, address)
		if err != nil {
			return nil, err
		}
		resp, err := s.ask(s.client(func(next *http.Request) bool { return within(req.URL, next.URL) }), req)
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(io.LimitReader(resp.Body, treePage))
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return nil, hubError(resp, src, "")
		}
		if err != nil {
			return nil, unreachable{fmt.Errorf("%s broke off: %w", req.URL.Host, err)}
		}
		page, err := parseTree(data)
		if err != nil {
			return nil, fmt.Errorf("listing of %s: %w", src.Repo, err)
		}
		all = append(all, page...)
		next, ok := nextPage(resp.Header.Get("Link"))
		if !ok {
			break
		}
		u, err := req.URL.Parse(next)
		if err != nil || !within(req.URL, u) {
			return nil, fmt.Errorf("listing of %s goes on at %s", src.Repo, quote(next))
		}
		address = u.String()
	}
	return all, nil
}

// parseTree reads a page of the hub's listing and leaves out what cannot be
// the name of a file.
func parseTree(data []byte) ([]treeEntry, error) {
	var page []treeEntry
	if err := json.Unmarshal(data, &page); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(page, func(t treeEntry) bool {
		return t.Type != "file" || t.Path == "" || !insideForm(t.Path) || t.Size < 0 || t.LFS != nil && t.LFS.Size < 0
	}), nil
}

// nextPage reads the address of the next page out of a Link header.
func nextPage(link string) (string, bool) {
	for part := range strings.SplitSeq(link, ",") {
		address, rel, ok := strings.Cut(part, ";")
		address = strings.TrimSpace(address)
		if ok && strings.Contains(rel, `rel="next"`) && strings.HasPrefix(address, "<") && strings.HasSuffix(address, ">") {
			return address[1 : len(address)-1], true
		}
	}
	return "", false
}

// chooseFiles says which files of a repository make the base: the entry's, a
// Hugging Face folder, or the only GGUF file.
func (s *Store) chooseFiles(ctx context.Context, e Entry, src Source) ([]string, error) {
	tree, err := s.tree(ctx, src, "")
	if err != nil {
		return nil, err
	}
	names := make([]string, len(tree))
	for i, t := range tree {
		names[i] = t.Path
	}
	return choosePieces(e, src.Repo, names)
}

// choosePieces says which of the names in a folder make a base.
func choosePieces(e Entry, place string, names []string) ([]string, error) {
	if e.File != "" && slices.Contains(names, e.File) {
		return []string{e.File}, nil
	}
	var gguf, folder []string
	weights := false
	for _, n := range names {
		switch ext := path.Ext(n); {
		case ext == ".gguf":
			gguf = append(gguf, n)
		case ext == ".safetensors" && !strings.HasPrefix(n, "consolidated") && !strings.HasPrefix(n, "adapter"):
			folder, weights = append(folder, n), true
		case slices.Contains(folderFiles, n):
			folder = append(folder, n)
		}
	}
	slices.Sort(folder)
	switch {
	case weights && slices.Contains(folder, "config.json"):
		return folder, nil
	case len(gguf) == 1:
		return gguf, nil
	case len(gguf) > 1:
		return nil, fmt.Errorf("%s has %d GGUF files; name one: %s", place, len(gguf), strings.Join(gguf, ", "))
	}
	return nil, fmt.Errorf("%s holds neither a GGUF file nor config.json with safetensors", place)
}

// folderFiles are the files beside the weights that a Hugging Face folder of a
// language model is read from.
var folderFiles = []string{
	"config.json", "generation_config.json", "model.safetensors.index.json", "tokenizer.json",
	"tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "chat_template.json",
}
