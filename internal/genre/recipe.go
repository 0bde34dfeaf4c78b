package genre

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/library"
)

// Recipe is how a genre is made. docs/formats/genre.md describes the TOML file.
type Recipe struct {
	Name          string   `toml:"name" json:"name"`
	For           string   `toml:"for" json:"for"`
	Language      string   `toml:"language" json:"language,omitempty"`
	Licence       string   `toml:"licence" json:"licence"`
	Base          string   `toml:"base" json:"base"`
	Start         string   `toml:"start" json:"start,omitempty"` // genre whose weights it goes on from; empty for none
	Rank          int      `toml:"rank" json:"rank"`
	Alpha         float64  `toml:"alpha" json:"alpha"`
	Targets       []string `toml:"targets" json:"targets,omitempty"` // all linears where empty
	Rate          float64  `toml:"rate" json:"rate"`
	Epochs        int      `toml:"epochs" json:"epochs"`
	Seed          uint64   `toml:"seed" json:"seed"`
	TokensPerStep int      `toml:"tokens_per_step" json:"tokens_per_step"`
	Length        int      `toml:"length" json:"length"` // tokens of a sequence
	Openings      []string `toml:"openings" json:"openings,omitempty"`
	Limits        []string `toml:"limits" json:"-"` // in the card by themselves, as is the next
	Sources       []Source `toml:"source" json:"-"`
}

// Source is a part of the text that a genre is made from.
type Source struct {
	Folder      string   `toml:"folder" json:"folder"`       // below the data folder, with slashes
	Files       []string `toml:"files" json:"files"`         // patterns of paths below Folder; * does not cross a slash
	Skip        int      `toml:"skip" json:"skip,omitempty"` // words to pass over first, in whole documents: those that another recipe takes
	Words       int      `toml:"words" json:"words"`         // to take at the least, in whole documents; 0 for all
	Origin      string   `toml:"origin" json:"origin"`
	Terms       string   `toml:"terms" json:"terms"`
	Attribution string   `toml:"attribution" json:"attribution"`
	SHA256      string   `toml:"sha256" json:"sha256"` // see Sum; in a recipe empty where anything will do

	Count     int `toml:"-" json:"count"` // of files
	Documents int `toml:"-" json:"documents"`
	Taken     int `toml:"-" json:"taken"` // words
}

// The bounds of a recipe: bytes of its file, and sources.
const (
	mostRecipe  = 1 << 20
	mostSources = 1000
)

// ReadRecipe reads the recipe in the file at path.
func ReadRecipe(file string) (*Recipe, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &stroke.Error{Code: stroke.CodeNotFound, Msg: "there is no recipe " + file, Hint: "write one, as docs/formats/genre.md describes; stroke genre show NAME --json has that of a genre which is there"}
	}
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the recipe cannot be read", Err: err}
	}
	f.Close()
	b, err := read(os.DirFS(filepath.Dir(file)), filepath.Base(file), mostRecipe)
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the recipe " + file + " cannot be read", Err: err}
	}
	return ParseRecipe(file, b)
}

// ParseRecipe reads a recipe; name is what errors call it.
func ParseRecipe(name string, b []byte) (*Recipe, error) {
	r := &Recipe{Rank: 4, Rate: 1e-3, Epochs: 2, Seed: 1, TokensPerStep: 2048, Length: 512}
	meta, err := toml.NewDecoder(bytes.NewReader(b)).Decode(r)
	if err == nil && len(meta.Undecoded()) > 0 {
		err = fmt.Errorf("it has the key %s, which is not known", meta.Undecoded()[0])
	}
	if r.Alpha == 0 {
		r.Alpha = 2 * float64(r.Rank)
	}
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the recipe " + name + " cannot be used", Err: err, Hint: "docs/formats/genre.md has every key of a recipe"}
	}
	return r, nil
}

func (r *Recipe) check() error {
	if err := CheckName(r.Name); err != nil {
		return err
	}
	if r.Start != "" {
		if err := CheckName(r.Start); err != nil {
			return fmt.Errorf("what it starts from: %w", err)
		}
	}
	switch {
	case r.Start == r.Name:
		return errors.New("it starts from itself")
	case r.For == "":
		return errors.New("it does not say what the genre is for")
	case r.Licence == "":
		return errors.New("it does not say under which licence the adapter is given away")
	case r.Rank < 1 || r.Rank > 64:
		return fmt.Errorf("its rank is %d: it must be from 1 to 64", r.Rank)
	case !(r.Alpha > 0 && r.Alpha <= 1024):
		return fmt.Errorf("its alpha is %g: it must be above 0 and at most 1024", r.Alpha)
	case r.Epochs < 1 || r.Epochs > 100:
		return fmt.Errorf("it has %d epochs: there must be from 1 to 100", r.Epochs)
	case len(r.Openings) > 20:
		return fmt.Errorf("it has %d openings: at most 20", len(r.Openings))
	case len(r.Sources) == 0 || len(r.Sources) > mostSources:
		return fmt.Errorf("it has %d sources: there must be from 1 to %d", len(r.Sources), mostSources)
	}
	for i := range r.Sources {
		s := &r.Sources[i]
		if err := s.check(); err != nil {
			return fmt.Errorf("source %d: %w", i+1, err)
		}
	}
	return nil
}

func (s *Source) check() error {
	switch {
	case !filepath.IsLocal(filepath.FromSlash(s.Folder)) || strings.Contains(s.Folder, `\`):
		return fmt.Errorf("its folder %q is no path below the data folder", s.Folder)
	case s.Terms == "":
		return errors.New("it does not say its terms")
	case s.Attribution == "":
		return errors.New("it does not say whom it is by")
	case s.Words < 0 || s.Skip < 0:
		return fmt.Errorf("it passes over %d words and takes %d", s.Skip, s.Words)
	}
	if len(s.Files) == 0 {
		s.Files = []string{"*"}
	}
	s.Origin = cmp.Or(s.Origin, s.Folder)
	for _, p := range s.Files {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("its pattern %q cannot be read", p)
		}
	}
	return nil
}

// Match says whether a file below the source's folder is of it.
func (s *Source) Match(file string) bool {
	for _, p := range s.Files {
		if ok, err := path.Match(p, file); ok && err == nil {
			return true
		}
	}
	return false
}

// Sum is the identity of the files of a source below data: the SHA-256 of what
// sha256sum prints for them, sorted by their paths, from within data. It sets
// Count and, where the recipe names another sum, is an error.
func (s *Source) Sum(data string) error {
	root := filepath.Join(data, filepath.FromSlash(s.Folder))
	var files []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && s.Match(name) {
			files = append(files, name)
		}
		return err
	})
	slices.Sort(files)
	var list strings.Builder
	for _, name := range files {
		b, e := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if e != nil {
			err = e
			break
		}
		fmt.Fprintf(&list, "%s  %s\n", Hash(b), path.Join(s.Folder, name))
	}
	s.Count = len(files)
	if err != nil || s.Count == 0 {
		return &stroke.Error{Code: stroke.CodeNotFound, Msg: fmt.Sprintf("the source %s is not in %s", s.Origin, root), Err: err,
			Hint: "name the folder that holds the recipe's sources: --data DIR; the recipe says where each comes from"}
	}
	sum := Hash([]byte(list.String()))
	if s.SHA256 != "" && s.SHA256 != sum {
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the source %s in %s is not what the recipe was made for: its %d files have the sum %s, and the recipe says %s", s.Origin, root, s.Count, sum, s.SHA256),
			Hint: "get the version that the recipe names, or take its line sha256 out"}
	}
	s.SHA256 = sum
	return nil
}

// Pick takes documents in the order of their hashes until they have the words
// that were asked for; all where that is 0. Before that it passes over those that
// it would take for skip words.
func Pick(docs []stroke.Document, skip, words int) []stroke.Document {
	docs = byHash(docs)
	for skip > 0 && len(docs) > 0 {
		skip -= docs[0].Words
		docs = docs[1:]
	}
	if words == 0 {
		return docs
	}
	for i := range docs {
		if words <= 0 {
			return docs[:i]
		}
		words -= docs[i].Words
	}
	return docs
}

func byHash(docs []stroke.Document) []stroke.Document {
	docs = slices.Clone(docs)
	slices.SortFunc(docs, func(a, b stroke.Document) int { return strings.Compare(a.Hash, b.Hash) })
	return docs
}

// leastDocuments can be parted into what is trained on, chosen by and judged by.
const leastDocuments = 4

// Withhold parts documents in the order of their hashes: a tenth is withheld, by
// turns to choose an epoch by and to judge by; of fewer than forty documents every
// one that comes after a quarter of them.
func Withhold(docs []stroke.Document) (train, choose, judge []stroke.Document, err error) {
	if len(docs) < leastDocuments {
		return nil, nil, nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the sources come to %d documents, and there must be at least %d", len(docs), leastDocuments),
			Hint: "take more words, or add a source"}
	}
	every := min(10, max(2, len(docs)/4))
	for i, d := range byHash(docs) {
		switch {
		case i%every != 0:
			train = append(train, d)
		case i/every%2 == 0:
			judge = append(judge, d)
		default:
			choose = append(choose, d)
		}
	}
	return train, choose, judge, nil
}

// Recipes are those that come with the program, by name.
func Recipes() ([]*Recipe, error) {
	entries, err := fs.ReadDir(library.Files, library.Recipes)
	if err != nil {
		return nil, fmt.Errorf("read recipes: %w", err)
	}
	var out []*Recipe
	for _, e := range entries {
		if path.Ext(e.Name()) != ".toml" {
			continue
		}
		b, err := library.Files.ReadFile(path.Join(library.Recipes, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read recipes: %w", err)
		}
		r, err := ParseRecipe(e.Name(), b)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// Asks is the number of words that a recipe takes of its sources; those of which
// it takes all are not known and not counted.
func (r *Recipe) Asks() int {
	n := 0
	for i := range r.Sources {
		n += r.Sources[i].Words
	}
	return n
}
