package base

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	stroke "github.com/getstroke/stroke"
)

// record is what base.json of a base's folder holds: which files the base is,
// and what they must be.
type record struct {
	Schema  int          `json:"schema"` // 1
	Name    string       `json:"name"`
	From    string       `json:"from"`             // the source
	Commit  string       `json:"commit,omitempty"` // of a hub repository
	Root    string       `json:"root,omitempty"`   // the folder of the files; empty for the record's own
	Folder  bool         `json:"folder,omitempty"` // the base is the folder, not its one file
	Ours    bool         `json:"ours"`             // the files were put there by Stroke, but for those that are kept
	Pinned  string       `json:"pinned"`           // who named the hash: catalog, hub, index or file
	Files   []recordFile `json:"files"`
	Fetched time.Time    `json:"fetched"`
	Checked time.Time    `json:"checked"`
}

// recordFile is one file of a base.
type recordFile struct {
	Name    string    `json:"name"` // with slashes, relative to the root
	Size    int64     `json:"size"`
	SHA256  string    `json:"sha256,omitempty"` // empty until it was hashed
	Changed time.Time `json:"changed,omitzero"` // time of change of the file when it was hashed
	Kept    bool      `json:"kept,omitempty"`   // it was in the Hugging Face cache before: it stays when the base is removed
}

const (
	recordName  = "base.json"
	recordLimit = 1 << 20 // bytes
)

// parseRecord reads and checks base.json.
func parseRecord(data []byte) (record, error) {
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return record{}, fmt.Errorf("read record: %w", err)
	}
	switch {
	case r.Schema != 1:
		return record{}, fmt.Errorf("record of schema %d, only 1 is known", r.Schema)
	case !nameForm.MatchString(r.Name):
		return record{}, fmt.Errorf("record with the name %s", quote(r.Name))
	case len(r.Files) == 0 || !r.Folder && len(r.Files) != 1:
		return record{}, fmt.Errorf("record of %d files", len(r.Files))
	case r.Root != "" && !filepath.IsAbs(r.Root):
		return record{}, fmt.Errorf("record with the folder %s", quote(r.Root))
	}
	for _, f := range r.Files {
		if f.Name == "" || !insideForm(f.Name) || f.Size < 0 || f.SHA256 != "" && !isSHA256(f.SHA256) {
			return record{}, fmt.Errorf("record of the file %s, %d bytes, SHA-256 %s", quote(f.Name), f.Size, quote(f.SHA256))
		}
	}
	return r, nil
}

func isSHA256(s string) bool { return len(s) == 64 && isHex(s) }

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdef") == ""
}

func (s *Store) baseDir(name string) string    { return filepath.Join(s.Dir, name) }
func (s *Store) recordPath(name string) string { return filepath.Join(s.Dir, name, recordName) }

// readRecord gives the record of a base; the error wraps fs.ErrNotExist where
// there is none.
func (s *Store) readRecord(name string) (record, error) {
	f, err := os.Open(s.recordPath(name))
	if err != nil {
		return record{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, recordLimit))
	if err != nil {
		return record{}, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	r, err := parseRecord(data)
	if err == nil && r.Name != name {
		err = fmt.Errorf("record of %s", r.Name)
	}
	if err != nil {
		return record{}, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return r, nil
}

// writeRecord replaces the record of a base.
func (s *Store) writeRecord(r record) error {
	r.Schema = 1
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	dir := s.baseDir(r.Name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	f, err := os.CreateTemp(dir, "."+recordName+"-*")
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	if err := settle(f.Name(), s.recordPath(r.Name)); err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	return nil
}

// tidy deletes the files of a base's own folder that its record does not list. They are
// of what the base was before, and whoever reads a folder would take some of them.
func (s *Store) tidy(r record) error {
	entries, err := os.ReadDir(s.baseDir(r.Name))
	if err != nil {
		return err
	}
	for _, d := range entries {
		listed := r.Root == "" && slices.ContainsFunc(r.Files, func(f recordFile) bool { return f.Name == d.Name() })
		if listed || d.Name() == recordName || d.IsDir() {
			continue
		}
		if err := os.Remove(filepath.Join(s.baseDir(r.Name), d.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (s *Store) rootOf(r record) string {
	if r.Root != "" {
		return r.Root
	}
	return s.baseDir(r.Name)
}

// found is what a record says, unchecked.
func (s *Store) found(e Entry, r record) Found {
	f := Found{Entry: e, Path: s.rootOf(r), Where: InStroke, From: r.From, Checked: r.Checked, SHA256: r.sum()}
	if r.Root != "" {
		f.Where = InHub
	}
	if !r.Folder {
		f.Path = filepath.Join(f.Path, filepath.FromSlash(r.Files[0].Name))
	}
	for _, file := range r.Files {
		f.Size += file.Size
	}
	f.Entry.Size = f.Size
	if f.Entry.File == "" && !r.Folder {
		f.Entry.File = r.Files[0].Name
	}
	return f
}

// sum is the hash of the base: that of its file, or over the lines of sha256sum
// for a folder. It is empty while a file was not hashed.
func (r record) sum() string {
	if !r.Folder {
		return r.Files[0].SHA256
	}
	h := sha256.New()
	for _, f := range r.Files {
		if f.SHA256 == "" {
			return ""
		}
		fmt.Fprintf(h, "%s  %s\n", f.SHA256, f.Name)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// holds refuses what a source has where it is not what was recorded.
func (r *record) holds(src Source, sum string) error {
	if r == nil || r.sum() == "" || sum == r.sum() {
		return nil
	}
	hint := "to take what is there now: stroke base pull " + r.Name + " --from " + src.String()
	if was, err := ParseSource(r.From); err == nil && was.Kind == Hub && r.Commit != "" {
		was.Rev = r.Commit
		hint = "to have again what was recorded: stroke base pull " + r.Name + " --from " + was.String() + "; " + hint
	}
	return &stroke.Error{
		Code: stroke.CodeFailure, Hint: hint,
		Msg: fmt.Sprintf("it is not what %s was when it was fetched: SHA-256 %s, recorded is %s", r.Name, sum, r.sum()),
	}
}

// sizesHold says whether all files of a record are there in their sizes. The
// error wraps fs.ErrNotExist where one is missing.
func (s *Store) sizesHold(e Entry, r record) error {
	for _, f := range r.Files {
		p := filepath.Join(s.rootOf(r), filepath.FromSlash(f.Name))
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		want := f.Size
		if e.Pinned() {
			want = e.Size
		}
		if !info.Mode().IsRegular() || info.Size() != want {
			return fmt.Errorf("%s has %d bytes, %d expected", p, info.Size(), want)
		}
	}
	return nil
}

// check makes sure that the files of a record are what it and the catalog say:
// by size and time of change, and by hash where the time differs, where there
// is no hash yet, or where all is asked. It then keeps what it learnt in the
// record; a cache that cannot be written costs the hashing each time, no more.
func (s *Store) check(ctx context.Context, e Entry, r record, all bool, progress func(Progress)) (Found, error) {
	if err := s.sizesHold(e, r); err != nil {
		return Found{}, err
	}
	if e.Pinned() && r.Folder {
		return Found{}, errors.New("a folder, where the catalog names a file")
	}
	var total, done int64
	for _, f := range r.Files {
		total += f.Size
	}
	learnt := false
	for i := range r.Files {
		f := &r.Files[i]
		p := filepath.Join(s.rootOf(r), filepath.FromSlash(f.Name))
		info, err := os.Stat(p)
		if err != nil {
			return Found{}, err
		}
		want := f.SHA256
		if e.Pinned() {
			want = e.SHA256
		}
		if all || f.SHA256 != want || want == "" || !f.Changed.Equal(info.ModTime()) {
			sum, err := hashFile(ctx, p, func(n int64) { report(progress, p, done+n, total) })
			if err != nil {
				return Found{}, err
			}
			if want != "" && sum != want {
				return Found{}, fmt.Errorf("%s has SHA-256 %s, %s expected", p, sum, want)
			}
			f.SHA256, f.Changed, learnt = sum, info.ModTime(), true
		}
		done += f.Size
	}
	if learnt {
		r.Checked = time.Now().UTC().Truncate(time.Second)
		if now, err := s.readRecord(r.Name); err == nil && now.Root == r.Root && now.Files[0].Name == r.Files[0].Name {
			// Written by a fetch that ended while this one was hashing.
			r.Ours, r.From, r.Fetched, r.Files[0].Kept = now.Ours, now.From, now.Fetched, now.Files[0].Kept
		}
		if err := s.writeRecord(r); err != nil && !isReadOnly(err) && !isFull(err) {
			return Found{}, err
		}
	}
	return s.found(e, r), nil
}

// put says whether Stroke put the file of a later record into the same repository of the
// Hugging Face cache, as far as this record tells.
func (r record) put(later record, f recordFile) bool {
	return r.Ours && r.Root != "" && filepath.Dir(r.Root) == filepath.Dir(later.Root) &&
		slices.ContainsFunc(r.Files, func(old recordFile) bool { return old.Name == f.Name && old.SHA256 == f.SHA256 && !old.Kept })
}

// newFile is the record's line for a file that was just verified.
func newFile(root, name, sum string) (recordFile, error) {
	info, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return recordFile{}, err
	}
	return recordFile{Name: name, Size: info.Size(), SHA256: sum, Changed: info.ModTime()}, nil
}

// isReadOnly says whether an error is one of a place that cannot be written.
func isReadOnly(err error) bool { return errors.Is(err, fs.ErrPermission) || isReadOnlySystem(err) }
