package base

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	stroke "github.com/getstroke/stroke"
)

// Store finds, fetches and keeps base models. Its fields are set before its
// first use; its methods may be called at the same time, in this process and
// in others.
type Store struct {
	Dir     string    // Stroke's own cache of bases; made when something is first kept
	Hub     HubConfig // the Hugging Face hub and its cache on this machine
	Index   IndexConfig
	Catalog []Entry

	patience patience
	mu       sync.Mutex
	silent   map[string]time.Time // hosts that did not answer, and when
}

// HubConfig says how the Hugging Face hub is reached, as its environment
// variables do.
type HubConfig struct {
	Endpoint string // HF_ENDPOINT; the public hub by default
	Token    string // HF_TOKEN; sent to Endpoint alone, never to where it redirects
	Cache    string // HF_HUB_CACHE
	Offline  bool   // HF_HUB_OFFLINE: the hub is never asked, its cache is still read
}

// IndexConfig says how Python packages are had.
type IndexConfig struct {
	URL        string     // of the simple API, used where no installer does it
	Installers [][]string // commands that fetch by the user's own settings, in the order tried: pip's or uv's command line up to the verb
}

// NewStore gives the store that the environment asks for.
func NewStore() (*Store, error) {
	dir, err := defaultDir()
	if err != nil {
		return nil, err
	}
	cache, err := defaultHubCache()
	if err != nil {
		return nil, err
	}
	return &Store{
		Dir: dir,
		Hub: HubConfig{
			Endpoint: strings.TrimRight(firstOf(os.Getenv("HF_ENDPOINT"), "https://huggingface.co"), "/"),
			Token:    os.Getenv("HF_TOKEN"),
			Cache:    cache,
			Offline:  isTrue(os.Getenv("HF_HUB_OFFLINE")),
		},
		Index: IndexConfig{
			URL: firstOf(os.Getenv("PIP_INDEX_URL"), os.Getenv("UV_DEFAULT_INDEX"),
				os.Getenv("UV_INDEX_URL"), "https://pypi.org/simple"),
			Installers: [][]string{{"python3", "-m", "pip"}, {"python", "-m", "pip"}, {"py", "-3", "-m", "pip"}, {"uv"}},
		},
		Catalog: Catalog(),
	}, nil
}

func defaultDir() (string, error) {
	if home := os.Getenv("STROKE_HOME"); home != "" {
		return filepath.Join(home, "bases"), nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", &stroke.Error{
			Code: stroke.CodeFailure, Msg: "no folder for the cache of bases", Err: err,
			Hint: "set STROKE_HOME to a folder you can write to",
		}
	}
	return filepath.Join(cache, "stroke", "bases"), nil
}

// defaultHubCache follows huggingface_hub, which uses ~/.cache on every system.
func defaultHubCache() (string, error) {
	if dir := firstOf(os.Getenv("HF_HUB_CACHE"), os.Getenv("HUGGINGFACE_HUB_CACHE")); dir != "" {
		return expandHome(dir)
	}
	if dir := os.Getenv("HF_HOME"); dir != "" {
		return expandHome(filepath.Join(dir, "hub"))
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return expandHome(filepath.Join(dir, "huggingface", "hub"))
	}
	return expandHome(filepath.Join("~", ".cache", "huggingface", "hub"))
}

func expandHome(dir string) (string, error) {
	rest, ok := strings.CutPrefix(filepath.ToSlash(dir), "~/")
	if !ok {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", &stroke.Error{
			Code: stroke.CodeFailure, Msg: "no home folder for the Hugging Face cache", Err: err,
			Hint: "set HF_HOME to a folder you can write to",
		}
	}
	return filepath.Join(home, filepath.FromSlash(rest)), nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func isTrue(v string) bool {
	return slices.Contains([]string{"1", "on", "yes", "true"}, strings.ToLower(v))
}

// Where says in which of the two places a base lies.
type Where string

// The places of a base.
const (
	InStroke Where = "stroke" // Stroke's own cache
	InHub    Where = "hub"    // the Hugging Face cache
)

// Found is a base that is on this machine.
type Found struct {
	Entry   Entry     `json:"entry"`
	Path    string    `json:"path"` // the GGUF file, or the Hugging Face folder
	Where   Where     `json:"where"`
	From    string    `json:"from"`    // the source, as [ParseSource] reads it; hub: for what another program put into the cache
	Size    int64     `json:"size"`    // bytes of all its files
	SHA256  string    `json:"sha256"`  // of the file; of a folder, of the lines "SHA-256  name"; empty where never checked
	Checked time.Time `json:"checked"` // when its bytes were last hashed; zero where never
}

// Locate finds a base on this machine and makes sure that it is whole. It asks
// no network. The first time it hashes the file, later it goes by size and
// time of change. The error is of code not_found where the base is not here
// and of code failure where it is damaged; both say how to fetch it.
func (s *Store) Locate(ctx context.Context, name string) (Found, error) {
	e, err := s.entry(name)
	if err != nil {
		return Found{}, err
	}
	recs, trouble := s.candidates(e)
	for _, rec := range recs {
		found, err := s.check(ctx, e, rec, false, nil)
		if err == nil {
			return found, nil
		}
		if ctx.Err() != nil {
			return Found{}, interrupted(ctx, "look for "+e.Name)
		}
		if trouble == nil && !errors.Is(err, fs.ErrNotExist) {
			trouble = err
		}
	}
	if trouble != nil {
		return Found{}, s.damaged(e.Name, trouble)
	}
	return Found{}, &stroke.Error{
		Code: stroke.CodeNotFound, Msg: "base " + e.Name + " is not on this machine",
		Hint: "fetch it with: stroke base pull " + e.Name,
	}
}

func (s *Store) damaged(name string, err error) error {
	return &stroke.Error{
		Code: stroke.CodeFailure, Msg: "base " + name + " is damaged", Err: err,
		Hint: "fetch it again with: stroke base pull " + name,
	}
}

func interrupted(ctx context.Context, what string) error {
	return &stroke.Error{Code: stroke.CodeInterrupted, Msg: what, Err: context.Cause(ctx)}
}

// entry gives the catalog's entry, or a bare one for a base that was brought
// in under a name of its own.
func (s *Store) entry(name string) (Entry, error) {
	e, err := find(s.Catalog, name)
	if err == nil {
		return e, nil
	}
	if lower := strings.ToLower(name); nameForm.MatchString(lower) {
		if _, serr := os.Stat(s.recordPath(lower)); serr == nil {
			return Entry{Name: lower}, nil
		}
	}
	return Entry{}, err
}

// List gives the bases on this machine in the order of their names, without
// hashing any.
func (s *Store) List(ctx context.Context) ([]Found, error) {
	names := map[string]bool{}
	for _, e := range s.Catalog {
		names[e.Name] = true
	}
	dirs, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list bases: %w", err)
	}
	for _, d := range dirs {
		if nameForm.MatchString(d.Name()) && d.IsDir() {
			names[d.Name()] = true
		}
	}
	var found []Found
	for name := range names {
		if ctx.Err() != nil {
			return nil, interrupted(ctx, "list bases")
		}
		e, err := s.entry(name)
		if err != nil {
			continue
		}
		if f, ok := s.glance(e); ok {
			found = append(found, f)
		}
	}
	slices.SortFunc(found, func(a, b Found) int { return strings.Compare(a.Entry.Name, b.Entry.Name) })
	return found, nil
}

// glance finds a base by the names and sizes of its files alone.
func (s *Store) glance(e Entry) (Found, bool) {
	recs, _ := s.candidates(e)
	for _, rec := range recs {
		if s.sizesHold(e, rec) == nil {
			return s.found(e, rec), true
		}
	}
	return Found{}, false
}

// candidates gives the places where a base may lie: where its record says,
// where a pinned file would lie if its record were lost, and in the Hugging
// Face cache, where what is not pinned must be what was recorded. The error is
// that of a record that cannot be read.
func (s *Store) candidates(e Entry) (recs []record, err error) {
	var held *record
	rec, err := s.readRecord(e.Name)
	switch {
	case err == nil:
		recs, held = append(recs, rec), &rec
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	for _, src := range e.Sources {
		switch {
		case src.Kind != Hub && e.Pinned():
			recs = append(recs, record{
				Name: e.Name, From: src.String(), Ours: true, Pinned: "catalog",
				Files: []recordFile{{Name: e.File, Size: e.Size}},
			})
		case src.Kind == Hub && src.File != "" && e.Pinned():
			for _, rec := range s.Hub.lookupPinned(src) {
				rec.Name = e.Name
				recs = append(recs, rec)
			}
		case src.Kind == Hub && src.File != "":
			there, lerr := s.Hub.lookup(src)
			if lerr != nil {
				continue
			}
			there.Name = e.Name
			if held != nil && there.Files[0].SHA256 == "" {
				there.Files[0].SHA256 = held.sum()
			}
			if held.holds(src, there.sum()) == nil {
				recs = append(recs, there)
			}
		}
	}
	return recs, err
}

// Details is what is known about a base.
type Details struct {
	Entry Entry  `json:"entry"`
	Found *Found `json:"found"` // nil where the base is not on this machine
}

// Show tells what is known about a base of the catalog or of this machine,
// without hashing it.
func (s *Store) Show(name string) (Details, error) {
	e, err := s.entry(name)
	if err != nil {
		return Details{}, err
	}
	d := Details{Entry: e}
	if f, ok := s.glance(e); ok {
		d.Entry, d.Found = f.Entry, &f
	}
	return d, nil
}

// Verify hashes a base again, byte by byte. The error says what is damaged and
// how to fetch it again; the next [Store.Pull] then does.
func (s *Store) Verify(ctx context.Context, name string, progress func(Progress)) (Found, error) {
	e, err := s.entry(name)
	if err != nil {
		return Found{}, err
	}
	rec, err := s.readRecord(e.Name)
	if err != nil {
		// Never recorded: locating it hashes it.
		return s.Locate(ctx, name)
	}
	found, err := s.check(ctx, e, rec, true, progress)
	switch {
	case err == nil:
		return found, nil
	case ctx.Err() != nil:
		return Found{}, interrupted(ctx, "verify "+e.Name)
	case errors.Is(err, fs.ErrNotExist):
		return s.Locate(ctx, name)
	}
	// Size and time of change may be those of the record. Without the time the
	// record does not vouch for the file any longer.
	for i := range rec.Files {
		rec.Files[i].Changed = time.Time{}
	}
	if werr := s.writeRecord(rec); werr != nil && !isReadOnly(werr) {
		err = errors.Join(err, werr)
	}
	return Found{}, s.damaged(e.Name, err)
}

// Removed is what [Store.Remove] took away.
type Removed struct {
	Path  string `json:"path"`  // where it lay
	Bytes int64  `json:"bytes"` // given back to the disk
}

// Remove takes a base off this machine. What another program put into the
// Hugging Face cache, and what another base has of it, is left alone, and the
// error says so.
func (s *Store) Remove(ctx context.Context, name string, say func(string)) (Removed, error) {
	e, err := s.entry(name)
	if err != nil {
		return Removed{}, err
	}
	unlock, err := s.lock(ctx, e.Name, say)
	if err != nil {
		return Removed{}, err
	}
	defer unlock()
	found, here := s.glance(e)
	rec, err := s.readRecord(e.Name)
	if err != nil && !here {
		if derr := os.RemoveAll(s.baseDir(e.Name)); derr != nil {
			return Removed{}, s.diskError("remove "+e.Name, s.baseDir(e.Name), derr)
		}
		return Removed{}, &stroke.Error{Code: stroke.CodeNotFound, Msg: "base " + e.Name + " is not on this machine"}
	}
	out := Removed{Path: found.Path}
	stayed := false
	if err == nil && rec.Ours {
		if rec.Root != "" {
			out.Bytes, stayed, err = s.Hub.remove(rec, s.used(e.Name))
		} else {
			out.Bytes = found.Size
		}
	}
	if err == nil {
		err = os.RemoveAll(s.baseDir(e.Name))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Removed{}, s.diskError("remove "+e.Name, found.Path, err)
	}
	left, still := s.glance(e)
	if !still && stayed {
		left = found
	}
	if still || stayed {
		return out, &stroke.Error{
			Code: stroke.CodePartial,
			Msg:  "base " + e.Name + " lies in the Hugging Face cache, where another program put it or another base has it, and was left there",
			Hint: "to be rid of it, delete " + left.Path,
		}
	}
	return out, nil
}

// used are the files of the Hugging Face cache that other bases are.
func (s *Store) used(except string) map[string]bool {
	used := map[string]bool{}
	dirs, err := os.ReadDir(s.Dir)
	if err != nil {
		return used
	}
	for _, d := range dirs {
		if !nameForm.MatchString(d.Name()) || d.Name() == except {
			continue
		}
		if r, err := s.readRecord(d.Name()); err == nil && r.Root != "" {
			for _, f := range r.Files {
				used[filepath.Join(r.Root, filepath.FromSlash(f.Name))] = true
			}
		}
	}
	return used
}

// lock takes the lock of a base between processes. It waits while another
// holds it, and says so once.
func (s *Store) lock(ctx context.Context, name string, say func(string)) (func(), error) {
	dir := filepath.Join(s.Dir, ".locks")
	return lockFile(ctx, s, filepath.Join(dir, name+".lock"), func() {
		tell(say, "another process is at work on "+name+"; waiting for it")
	})
}

func lockFile(ctx context.Context, s *Store, path string, waiting func()) (func(), error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, s.diskError("make a folder", filepath.Dir(path), err)
	}
	l := flock.New(path)
	ok, err := l.TryLock()
	if err == nil && !ok {
		waiting()
		ok, err = l.TryLockContext(ctx, 100*time.Millisecond)
	}
	if ctx.Err() != nil {
		if ok {
			_ = l.Close()
		}
		return nil, interrupted(ctx, "wait for a lock")
	}
	if err != nil {
		return nil, s.diskError("lock", path, err)
	}
	return func() { _ = l.Close() }, nil
}

func tell(say func(string), line string) {
	if say != nil {
		say(line)
	}
}
