package base

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// repoDir is the folder of a model repository in the Hugging Face cache.
func (h HubConfig) repoDir(repo string) string {
	return filepath.Join(h.Cache, "models--"+strings.ReplaceAll(repo, "/", "--"))
}

func (h HubConfig) snapshotDir(repo, commit string) string {
	return filepath.Join(h.repoDir(repo), "snapshots", commit)
}

func isCommit(s string) bool { return len(s) == 40 && isHex(s) }

// commitOf gives the commit that a revision meant when the cache last asked.
func (h HubConfig) commitOf(src Source) (string, error) {
	if isCommit(src.Rev) {
		return src.Rev, nil
	}
	f, err := os.Open(filepath.Join(h.repoDir(src.Repo), "refs", src.Rev))
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil {
		return "", err
	}
	commit := strings.TrimSpace(string(data))
	if !isCommit(commit) {
		return "", fmt.Errorf("%s does not hold a commit", f.Name())
	}
	return commit, nil
}

// lookup gives the record of one file that lies in the cache. Its hash is the
// one that the hub stated to whoever fetched it, where the layout tells that:
// the name of the blob that the snapshot links to.
func (h HubConfig) lookup(src Source) (record, error) {
	commit, err := h.commitOf(src)
	if err != nil {
		return record{}, err
	}
	return h.lookupAt(src, commit)
}

// lookupPinned gives the records of a pinned file at whatever commits the
// cache has it: its hash vouches for it.
func (h HubConfig) lookupPinned(src Source) (recs []record) {
	dirs, err := os.ReadDir(filepath.Join(h.repoDir(src.Repo), "snapshots"))
	if err != nil {
		return nil
	}
	for _, d := range dirs {
		if !isCommit(d.Name()) {
			continue
		}
		if r, err := h.lookupAt(src, d.Name()); err == nil {
			recs = append(recs, r)
		}
	}
	return recs
}

func (h HubConfig) lookupAt(src Source, commit string) (record, error) {
	root := h.snapshotDir(src.Repo, commit)
	p := filepath.Join(root, filepath.FromSlash(src.File))
	info, err := os.Stat(p)
	if err != nil {
		return record{}, err
	}
	if root, err = filepath.Abs(root); err != nil {
		return record{}, err
	}
	r := record{
		From: src.String(), Commit: commit, Root: root, Pinned: "hub",
		Files: []recordFile{{Name: src.File, Size: info.Size()}},
	}
	if blob, err := filepath.EvalSymlinks(p); err == nil && isSHA256(filepath.Base(blob)) {
		r.Files[0].SHA256 = filepath.Base(blob)
	}
	return r, nil
}

// place puts a whole file, named by its etag, into the snapshot of a commit:
// by a link, or where links are not allowed, as they often are not on Windows,
// by moving it there.
func (h HubConfig) place(src Source, commit, file, etag string) error {
	repo := h.repoDir(src.Repo)
	blob := filepath.Join(repo, "blobs", etag)
	p := filepath.Join(h.snapshotDir(src.Repo, commit), filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(p), 0o777); err != nil {
		return err
	}
	if there, err := filepath.EvalSymlinks(p); err == nil {
		if want, err := filepath.EvalSymlinks(blob); err == nil && there == want {
			return h.writeRef(src, commit)
		}
	}
	if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	up := strings.Repeat("../", 2+strings.Count(file, "/"))
	if os.Symlink(filepath.FromSlash(path.Join(up, "blobs", etag)), p) != nil {
		if err := os.Rename(blob, p); err != nil {
			return err
		}
	}
	if err := syncDir(filepath.Dir(p)); err != nil {
		return err
	}
	return h.writeRef(src, commit)
}

// writeRef notes which commit a branch or tag means.
func (h HubConfig) writeRef(src Source, commit string) error {
	if src.Rev == commit {
		return nil
	}
	dir := filepath.Join(h.repoDir(src.Repo), "refs")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".stroke-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(commit)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return settle(f.Name(), filepath.Join(dir, src.Rev))
}

// remove takes the files of a record out of the cache, and their blobs where
// no other snapshot links to them. Those that were in the cache before stay, and
// those in used. It gives the bytes that the disk got back, and whether a file stayed.
func (h HubConfig) remove(r record, used map[string]bool) (freed int64, stayed bool, err error) {
	snapshots := filepath.Dir(r.Root)
	if filepath.Base(snapshots) != "snapshots" || filepath.Base(r.Root) != r.Commit {
		return 0, false, fmt.Errorf("%s is not in a Hugging Face cache", r.Root)
	}
	for _, f := range r.Files {
		p := filepath.Join(r.Root, filepath.FromSlash(f.Name))
		if f.Kept || used[p] {
			stayed = true
			continue
		}
		blob, err := filepath.EvalSymlinks(p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return freed, stayed, err
		}
		info, err := os.Stat(blob)
		if err != nil {
			return freed, stayed, err
		}
		if err := os.Remove(p); err != nil {
			return freed, stayed, err
		}
		if linked, err := isLinked(snapshots, blob); err != nil || linked {
			continue // another snapshot has it, or nobody can tell
		}
		if err := os.Remove(blob); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return freed, stayed, err
		}
		freed += info.Size()
	}
	// Folders that are empty now go too; those that are not stay.
	for dir := r.Root; len(dir) >= len(snapshots); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil {
			break
		}
	}
	return freed, stayed, nil
}

// isLinked says whether a file under dir links to a blob.
func isLinked(dir, blob string) (bool, error) {
	found := false
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Type()&fs.ModeSymlink != 0 {
			if to, err := filepath.EvalSymlinks(p); err == nil && to == blob {
				found = true
				return filepath.SkipAll
			}
		}
		return nil
	})
	return found, err
}

// keep makes the record of files that were put into the cache.
func (h HubConfig) keep(ctx context.Context, src Source, commit string, files []stated) (record, error) {
	root, err := filepath.Abs(h.snapshotDir(src.Repo, commit))
	if err != nil {
		return record{}, err
	}
	now := time.Now().UTC().Truncate(time.Second)
	r := record{
		From: src.String(), Commit: commit, Root: root, Ours: true, Pinned: "hub",
		Folder: src.File == "" && len(files) > 1, Fetched: now, Checked: now,
	}
	for _, f := range files {
		sum := f.sha256
		if sum == "" {
			// A small file, checked by the hash that git gives it.
			if sum, err = hashFile(ctx, filepath.Join(root, filepath.FromSlash(f.name)), nil); err != nil {
				return record{}, err
			}
		}
		line, err := newFile(root, f.name, sum)
		if err != nil {
			return record{}, err
		}
		r.Files = append(r.Files, line)
	}
	return r, nil
}
