// Package genre keeps genres: adapters made from many writers' text of one kind,
// which a twin can stand on and anybody can write with. It knows their folders,
// cards and recipes, those that come with the program and those of the user, and
// how somebody else's adapter is brought in; what an adapter computes is none of
// its business.
package genre

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/library"
)

// The files of a genre's folder.
const (
	ConfigFile   = "adapter_config.json"
	WeightsFile  = "adapter_model.safetensors" // as PEFT has them
	CompactFile  = "adapter_int8.safetensors"  // in whole numbers, in place of those
	CardFile     = "card.json"
	MeasuredFile = "measured.json" // what was measured beside other genres; need not be there
	ReadmeFile   = "README.md"
)

// What is asked for in place of a name.
const (
	Auto = "auto" // the best for a writer, or none
	None = "none"
)

// The most bytes that are read of a genre's files. A library's own adapters are
// at most 2.5 MB; those of others may be of larger bases.
const (
	mostCard    = 1 << 20
	mostConfig  = 1 << 20
	mostWeights = 512 << 20
)

// Genre is a genre that is here.
type Genre struct {
	Card
	Measured *Measured // nil where nothing was
	Embedded bool      // it comes with the program
	Path     string    // its folder; of one that is embedded its name among the program's files

	key  string // of its base
	fsys fs.FS
}

var goodName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// CheckName says what is wrong with a genre's name.
func CheckName(name string) error {
	if !goodName.MatchString(name) || strings.HasSuffix(name, ".") || name == Auto || name == None {
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("%q cannot be a genre's name", name),
			Hint: "use up to 64 small letters, digits, dots, dashes and underscores, beginning with a letter or digit, and neither auto nor none"}
	}
	return nil
}

// Key is the name of the folder that holds the genres of a base: the base's name
// in the catalog, or of a path its last part without .gguf. The key of a key is that
// key.
func Key(base string) string {
	base = strings.TrimRight(base, `/\`)
	if i := strings.LastIndexAny(base, `/\`); i >= 0 {
		base = base[i+1:]
	}
	key := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, strings.ToLower(base))
	for was := ""; was != key; {
		was = key
		key = strings.TrimSuffix(strings.Trim(key, "._-"), ".gguf")
	}
	if key == "" || key == library.Recipes {
		return "base"
	}
	return key
}

// Library is all genres that can be used: those of the program and, where they
// have the same base and name before them, those in the user's folder.
type Library struct {
	dir   string // the user's; need not be there
	roots []root
}

type root struct {
	fsys     fs.FS
	embedded bool
	at       string
}

// Open gives the library whose user's part is in dir.
func Open(dir string) *Library {
	restoreAll(dir)
	return &Library{dir: dir, roots: []root{{os.DirFS(dir), false, dir}, {library.Files, true, ""}}}
}

// Before gives the library in which the genres in dir come before all others.
func (l *Library) Before(dir string) *Library {
	restoreAll(dir)
	return &Library{dir: l.dir, roots: append([]root{{os.DirFS(dir), false, dir}}, l.roots...)}
}

// Dir is where the user's genre of a name for a base is or would be.
func (l *Library) Dir(base, name string) string { return filepath.Join(l.dir, Key(base), name) }

// Work is where the genre of a name is made for a base.
func (l *Library) Work(base, name string) string {
	return filepath.Join(l.dir, ".build", Key(base), name)
}

// List gives the genres for a base, or with base empty all, by base and name.
// What lies there and cannot be used is told to bad, which may be nil.
func (l *Library) List(base string, bad func(path string, err error)) []Genre {
	var out []Genre
	seen := map[string]bool{}
	for _, r := range l.roots {
		keys := []string{Key(base)}
		if base == "" {
			keys = folders(r.fsys, ".")
		}
		for _, key := range keys {
			if r.embedded && key == library.Recipes {
				continue
			}
			for _, name := range folders(r.fsys, key) {
				at := path.Join(key, name)
				if seen[at] {
					continue
				}
				g, err := r.open(key, name)
				if err != nil {
					if bad != nil {
						bad(r.path(key, name), err)
					}
					continue
				}
				seen[at] = true
				out = append(out, *g)
			}
		}
	}
	slices.SortFunc(out, func(a, b Genre) int {
		return strings.Compare(a.key+"/"+a.Name, b.key+"/"+b.Name)
	})
	return out
}

// folders are the names of folders in a folder, hidden ones left out; none where
// it is not there.
func folders(fsys fs.FS, dir string) []string {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// CardIn reads the card that lies in a folder beside an adapter; an empty one where none
// does, or something else of that name.
func CardIn(dir string) (c Card, err error) {
	b, err := read(os.DirFS(dir), CardFile, mostCard)
	if errors.Is(err, fs.ErrNotExist) {
		return Card{}, nil
	}
	if err == nil && isOther(b) {
		return Card{}, nil
	}
	if err == nil {
		err = parseCard(b, &c)
	}
	if err != nil {
		return Card{}, &stroke.Error{Code: stroke.CodeInput, Msg: "the card of the genre in " + dir + " cannot be used", Err: err, Hint: "make the genre again, or take " + CardFile + " out of the folder where it is no genre's"}
	}
	return c, nil
}

// isOther says whether a file that is called as a card is something else: JSON that has
// not what every card begins with.
func isOther(b []byte) bool {
	if !json.Valid(b) {
		return false
	}
	var has map[string]json.RawMessage
	if json.Unmarshal(b, &has) != nil {
		return true
	}
	return has["schema"] == nil || has["base"] == nil && has["files"] == nil
}

func (r root) path(key, name string) string {
	if r.embedded {
		return path.Join("library", key, name)
	}
	return filepath.Join(r.at, key, name)
}

func (r root) open(key, name string) (*Genre, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	sub, err := fs.Sub(r.fsys, path.Join(key, name))
	if err != nil {
		return nil, fmt.Errorf("open genre: %w", err)
	}
	b, err := read(sub, CardFile, mostCard)
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeFailure, Msg: "the genre " + name + " has no card that can be read", Err: err, Hint: "make it again, or delete " + r.path(key, name)}
	}
	g := &Genre{Embedded: r.embedded, Path: r.path(key, name), key: key, fsys: sub}
	if err := parseCard(b, &g.Card); err != nil {
		return nil, &stroke.Error{Code: stroke.CodeFailure, Msg: "the card of the genre " + name + " cannot be used", Err: err, Hint: "make it again, or delete " + r.path(key, name)}
	}
	if g.Name != name || Key(g.Base.Name) != key {
		return nil, &stroke.Error{Code: stroke.CodeFailure, Msg: fmt.Sprintf("the card in %s is of the genre %s for %s", r.path(key, name), g.Name, g.Base.Name),
			Hint: "put it back where it was: BASE/NAME"}
	}
	if b, err = read(sub, MeasuredFile, mostCard); err == nil {
		g.Measured, err = parseMeasured(b)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &stroke.Error{Code: stroke.CodeFailure, Msg: "what the genre " + name + " was measured on cannot be read", Err: err, Hint: "delete " + MeasuredFile + " in " + r.path(key, name)}
	}
	return g, nil
}

// Find gives the genre of a name for a base; with base empty that of the only
// base that has it.
func (l *Library) Find(base, name string) (*Genre, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	var other, found []Genre
	var damaged error
	for _, g := range l.List(base, func(at string, err error) {
		if path.Base(filepath.ToSlash(at)) == name {
			damaged = err
		}
	}) {
		if g.Name == name {
			found = append(found, g)
		}
	}
	switch {
	case len(found) == 1:
		return &found[0], nil
	case len(found) > 1:
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("there is a genre %s for %s", name, bases(found)), Hint: "say which with --base NAME"}
	case damaged != nil:
		return nil, damaged
	}
	for _, g := range l.List("", nil) {
		if g.Name == name {
			other = append(other, g)
		}
	}
	if len(other) > 0 {
		return nil, &stroke.Error{Code: stroke.CodeNotFound, Msg: fmt.Sprintf("the genre %s is not for the base %s: it is there for %s", name, Key(base), bases(other)),
			Hint: "use that base, or make the genre for this one: stroke genre build RECIPE.toml --base " + base}
	}
	hint := "stroke genre list has what there is; stroke genre build RECIPE.toml makes one"
	if list := l.List(base, nil); len(list) > 0 {
		var names []string
		for _, g := range list {
			names = append(names, g.Name)
		}
		slices.Sort(names)
		hint = "there are: " + strings.Join(slices.Compact(names), ", ")
	}
	return nil, &stroke.Error{Code: stroke.CodeNotFound, Msg: fmt.Sprintf("there is no genre %q", name), Hint: hint}
}

// WithSum gives the genre of a name for a base whose weights have a hash: the program's
// or, where that is another, one of a user's; nil where none has it.
func (l *Library) WithSum(base, name, sum string) *Genre {
	for _, embedded := range []bool{true, false} {
		for _, r := range l.roots {
			if r.embedded != embedded {
				continue
			}
			if g, err := r.open(Key(base), name); err == nil && g.SHA256() == sum {
				return g
			}
		}
	}
	return nil
}

func bases(list []Genre) string {
	var names []string
	for _, g := range list {
		names = append(names, g.Base.Name)
	}
	return strings.Join(names, ", ")
}

// Removable says why a genre cannot be deleted.
func (g *Genre) Removable() error {
	if g.Embedded {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the genre " + g.Name + " comes with the program and cannot be deleted", Hint: "train without it: --genre none"}
	}
	return nil
}

// Remove deletes a genre of the user's.
func (l *Library) Remove(g *Genre) error {
	if err := g.Removable(); err != nil {
		return err
	}
	for _, name := range own {
		if err := os.Remove(filepath.Join(g.Path, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &stroke.Error{Code: stroke.CodeFailure, Msg: "the genre in " + g.Path + " could not be deleted whole", Err: err, Hint: "see whether the folder can be written, and try again"}
		}
	}
	// What others put there stays, and the folder with it.
	os.Remove(g.Path)
	os.Remove(filepath.Dir(g.Path))
	return nil
}

// Adapter reads the two files of a genre's adapter and holds them against the
// card's hashes.
func (g *Genre) Adapter() (config, weights []byte, err error) {
	for _, f := range []struct {
		name string
		most int64
		into *[]byte
	}{{ConfigFile, mostConfig, &config}, {g.weightsFile(), mostWeights, &weights}} {
		b, err := read(g.fsys, f.name, f.most)
		if err == nil && Hash(b) != g.Files[f.name] {
			err = errors.New(f.name + " is not what it was")
		}
		if err != nil {
			return nil, nil, &stroke.Error{Code: stroke.CodeFailure, Msg: "the genre " + g.Name + " for " + g.Base.Name + " is damaged", Err: err,
				Hint: "make it or add it again; --genre none goes on without"}
		}
		*f.into = b
	}
	return config, weights, nil
}

// SHA256 is the hash of a genre's weights, by which a version names it.
func (g *Genre) SHA256() string { return g.Files[g.weightsFile()] }

// Identity is the same for genres that compute the same: a hash of both files, since
// the weights do not say how they are scaled.
func (g *Genre) Identity() string { return AdapterIdentity(g.SHA256(), g.Files[ConfigFile]) }

// AdapterIdentity is that of an adapter by the hashes of its weights and its config.
func AdapterIdentity(weights, config string) string { return Hash([]byte(weights + " " + config)) }

// weightsFile is the file of the two that the adapter has.
func (c *Card) weightsFile() string {
	if c.Compact() {
		return CompactFile
	}
	return WeightsFile
}

// Compact says whether the adapter is kept in whole numbers.
func (c *Card) Compact() bool { return c.Files[CompactFile] != "" }

// Readme is the card for people.
func (g *Genre) Readme() string { return g.Markdown(g.Measured) }

// Hash is the SHA-256 of bytes in lower-case hex.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// read reads a file that must not be larger than most bytes.
func read(fsys fs.FS, name string, most int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("%s is no ordinary file", name))
	}
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", name, most)
	}
	return b, err
}

// parseCard reads a card that another program may have written.
func parseCard(b []byte, c *Card) error {
	if err := json.Unmarshal(b, c); err != nil {
		return err
	}
	switch {
	case c.Schema > schema:
		return fmt.Errorf("its schema is %d, and this program knows %d", c.Schema, schema)
	case c.Schema != schema:
		return fmt.Errorf("its schema is %d", c.Schema)
	case c.Files[ConfigFile] == "" || (c.Files[WeightsFile] == "") == (c.Files[CompactFile] == ""):
		return errors.New("it does not name the hashes of its adapter's files")
	case c.Base.Name == "":
		return errors.New("it does not name its base")
	}
	return nil
}
