package base

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	stroke "github.com/getstroke/stroke"
)

// PullOptions says how a base is fetched. The functions may be nil, and are
// called by one goroutine at a time.
type PullOptions struct {
	From     string         // a source in place of the catalog's, as [ParseSource] reads it; empty for those
	Progress func(Progress) // called ten times a second at most while something comes
	Say      func(string)   // takes one line each for what is worth telling: a source given up, a lock waited for
	Else     string         // stands in the hint where no base has the name: what may be named in its place; may be empty

	held *record // what the base was when it was fetched before, and must be; nil where nothing says
}

// Pull fetches a base from the first of its sources that gives it, and checks
// it. What is here and whole is not fetched again, unless opt.From asks for it, and
// what the catalog does not pin stays what it was when it was first fetched.
// A name that the catalog does not have needs opt.From; an empty name is taken
// from it. The error wraps [ErrUnreachable] where no source answered.
func (s *Store) Pull(ctx context.Context, name string, opt PullOptions) (Found, error) {
	e, sources, err := s.plan(name, opt.From)
	if wrong := (*stroke.Error)(nil); opt.From == "" && opt.Else != "" && errors.As(err, &wrong) && wrong.Code == stroke.CodeNotFound {
		wrong.Hint += "; " + opt.Else
	}
	if err != nil {
		return Found{}, err
	}
	if opt.From == "" {
		// Before the lock, so that a base that is here works where nothing can be written.
		if found, err := s.Locate(ctx, e.Name); err == nil || ctx.Err() != nil {
			return found, err
		}
	}
	unlock, err := s.lock(ctx, e.Name, opt.Say)
	if err != nil {
		return Found{}, err
	}
	defer unlock()
	if opt.From == "" {
		if found, err := s.Locate(ctx, e.Name); err == nil || ctx.Err() != nil {
			return found, err
		}
	}
	if e.Terms != "" {
		tell(opt.Say, fmt.Sprintf("%s comes under its maker's own terms, which whoever uses it accepts: %s", e.Name, e.Terms))
	}
	if old, err := s.readRecord(e.Name); err == nil && opt.From == "" && !e.Pinned() {
		opt.held = &old
	}
	var failed failures
	for i, src := range sources {
		rec, err := s.fetch(ctx, e, src, opt)
		if err == nil {
			err = opt.held.holds(src, rec.sum())
		}
		if err == nil {
			rec.Name = e.Name
			if err := s.writeRecord(rec); err != nil {
				return Found{}, s.diskError("write", s.recordPath(e.Name), err)
			}
			if err := s.tidy(rec); err != nil {
				return Found{}, s.diskError("tidy", s.baseDir(e.Name), err)
			}
			found := s.found(e, rec)
			if len(e.Sources) > 0 && !e.Pinned() {
				tell(opt.Say, fmt.Sprintf("the catalog names no hash of %s: what came is recorded as %s, and held to that from now on", e.Name, found.SHA256))
			}
			return found, nil
		}
		if ctx.Err() != nil {
			return Found{}, interrupted(ctx, "fetch "+e.Name)
		}
		var w writeError
		if errors.As(err, &w) {
			err = s.diskError("write", filepath.Join(s.placeOf(e, src), e.Name), w.error)
			if full := (*stroke.Error)(nil); isFull(err) && errors.As(err, &full) && e.Size > 0 {
				full.Msg += fmt.Sprintf(", and %s is %.0f MB", e.Name, float64(e.Size)/1e6)
			}
			if isFull(err) {
				return Found{}, err
			}
		}
		failed = append(failed, failure{src, err})
		if i+1 < len(sources) {
			tell(opt.Say, fmt.Sprintf("%s: %v; trying %s", src, err, sources[i+1]))
		}
	}
	return Found{}, failed.asError(e)
}

// plan says what to fetch and from where.
func (s *Store) plan(name, from string) (Entry, []Source, error) {
	if from == "" {
		e, err := s.entry(name)
		if err != nil {
			return Entry{}, nil, err
		}
		if len(e.Sources) == 0 {
			rec, err := s.readRecord(e.Name)
			if err != nil {
				return Entry{}, nil, s.damaged(e.Name, err)
			}
			src, err := ParseSource(rec.From)
			return e, []Source{src}, err
		}
		return e, e.Sources, nil
	}
	src, err := ParseSource(from)
	if err != nil {
		return Entry{}, nil, err
	}
	if name == "" {
		name = src.suggestName()
	}
	e, err := find(s.Catalog, name)
	if err == nil {
		return e, []Source{src}, nil
	}
	lower := strings.ToLower(name)
	if !nameForm.MatchString(lower) {
		return Entry{}, nil, &stroke.Error{
			Code: stroke.CodeInput, Msg: quote(name) + " cannot be the name of a base",
			Hint: "use letters, digits, dots and hyphens",
		}
	}
	return Entry{Name: lower}, []Source{src}, nil
}

func (s *Store) placeOf(e Entry, src Source) string {
	if src.Kind == Hub {
		return s.Hub.Cache
	}
	return s.Dir
}

func (s *Store) fetch(ctx context.Context, e Entry, src Source, opt PullOptions) (record, error) {
	switch src.Kind {
	case Hub:
		return s.fetchHub(ctx, e, src, opt)
	case PyPI:
		return s.fetchPyPI(ctx, e, src, opt)
	case File:
		return s.fetchFile(ctx, e, src, opt)
	case Dir:
		return s.fetchDir(ctx, e, src, opt)
	}
	return record{}, fmt.Errorf("a source of the kind %s", quote(string(src.Kind)))
}

// fetchFile copies a GGUF file into the base's own folder.
func (s *Store) fetchFile(ctx context.Context, e Entry, src Source, opt PullOptions) (record, error) {
	f, err := os.Open(src.Path)
	if err != nil {
		return record{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return record{}, err
	}
	if ext := filepath.Ext(src.Path); !strings.EqualFold(ext, ".gguf") {
		return record{}, &stroke.Error{Code: stroke.CodeInput, Msg: filepath.Base(src.Path) + " is not a GGUF file by its name", Hint: "name a file that ends in .gguf, or the folder of a Hugging Face model"}
	}
	if e.Pinned() && info.Size() != e.Size {
		return record{}, otherFile(e, src, fmt.Sprintf("%s has %d bytes, the catalog names %d", filepath.Base(src.Path), info.Size(), e.Size))
	}
	return s.settleFile(ctx, e, src, "file", safeName(filepath.Base(src.Path)), f, info.Size(), func(done int64) {
		report(opt.Progress, src.String(), done, info.Size())
	})
}

// otherFile is the error of a file that is not the one that the catalog names.
func otherFile(e Entry, src Source, why string) error {
	name := src.suggestName()
	if name == e.Name {
		name += "-mine"
	}
	return &stroke.Error{Code: stroke.CodeInput, Msg: why, Hint: "that is another file; give it a name of its own: stroke base pull " + name + " --from " + src.Path}
}

// safeName makes the name of a GGUF file one that every system takes, and that
// ends in .gguf in small letters.
func safeName(name string) string {
	stem := strings.TrimLeft(strings.Map(func(r rune) rune {
		if strings.ContainsRune("\\:*?\"<>|/", r) || r < ' ' {
			return '-'
		}
		return r
	}, name[:len(name)-len(".gguf")]), ".")
	return cmp.Or(stem, "model") + ".gguf"
}

// fetchDir copies a Hugging Face folder, or the model file in a folder.
func (s *Store) fetchDir(ctx context.Context, e Entry, src Source, opt PullOptions) (record, error) {
	entries, err := os.ReadDir(src.Path)
	if err != nil {
		return record{}, err
	}
	var names []string
	var total int64
	for _, d := range entries {
		if info, err := os.Stat(filepath.Join(src.Path, d.Name())); err == nil && info.Mode().IsRegular() {
			names = append(names, d.Name())
		}
	}
	pieces, err := choosePieces(e, src.Path, names)
	if err != nil {
		return record{}, err
	}
	if len(pieces) == 1 && filepath.Ext(pieces[0]) == ".gguf" {
		return s.fetchFile(ctx, e, Source{Kind: File, Path: filepath.Join(src.Path, pieces[0])}, opt)
	}
	if e.Pinned() {
		return record{}, fmt.Errorf("%s does not hold %s, which the catalog names", src.Path, e.File)
	}
	for _, name := range pieces {
		info, err := os.Stat(filepath.Join(src.Path, name))
		if err != nil {
			return record{}, err
		}
		total += info.Size()
	}
	var whole record
	var done int64
	for _, name := range pieces {
		one, err := func() (record, error) {
			f, err := os.Open(filepath.Join(src.Path, name))
			if err != nil {
				return record{}, err
			}
			defer f.Close()
			return s.settleFile(ctx, e, src, "file", name, f, -1, func(n int64) {
				report(opt.Progress, src.String(), done+n, total)
			})
		}()
		if err != nil {
			return record{}, err
		}
		one.Files = append(whole.Files, one.Files...)
		one.Folder = true
		whole = one
		done += whole.Files[len(whole.Files)-1].Size
	}
	return whole, nil
}

// failure is why one source did not give a base.
type failure struct {
	src Source
	err error
}

type failures []failure

// Error gives all reasons in one line.
func (f failures) Error() string {
	parts := make([]string, len(f))
	for i, one := range f {
		parts[i] = fmt.Sprintf("%s: %v", one.src, one.err)
	}
	return strings.Join(parts, "; ")
}

// Is says that a failure is one of reaching where it is so for every source.
func (f failures) Is(target error) bool {
	if target != ErrUnreachable {
		return false
	}
	for _, one := range f {
		if !errors.Is(one.err, ErrUnreachable) {
			return false
		}
	}
	return true
}

// asError makes the failures of all sources one error for people.
func (f failures) asError(e Entry) error {
	out := &stroke.Error{Code: stroke.CodeFailure, Msg: "base " + e.Name + " could not be fetched", Err: f}
	switch {
	case errors.Is(f, ErrUnreachable):
		out.Hint = "connect to a network and try again, or bring the file: stroke base pull " + e.Name + " --from FILE"
	case len(f) == 1 && stroke.HintOf(f[0].err) != "":
		out.Hint = stroke.HintOf(f[0].err)
	case len(f) == 1 && errors.Is(f[0].err, fs.ErrNotExist):
		out.Code = stroke.CodeNotFound
	default:
		out.Hint = "bring the file yourself: stroke base pull " + e.Name + " --from FILE"
	}
	return out
}
