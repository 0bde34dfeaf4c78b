// Command genres measures every genre of the library on text that none of them was trained
// on: what the recipes withhold, and writers. It prints one JSON line for each
// text. With --write FILE it measures nothing and puts what such lines say of a
// genre into its folder, and with --twins what cells of bench/lab say of twins that
// stand on it.
//
//	go run ./bench/genres --data DIR,DIR --library library --writers bench/genres/writers.txt --from DIR
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/twin"
)

type options struct {
	data, library, base, writers, from string
	write, twins                       string
	tokens                             int
}

func main() {
	var o options
	flag.StringVar(&o.data, "data", "", "folders that the recipes' sources lie below, with commas between them")
	flag.StringVar(&o.library, "library", "library", "folder of the library, with its recipes")
	flag.StringVar(&o.base, "base", "smollm2-135m-instruct", "base of the genres")
	flag.StringVar(&o.writers, "writers", "", "file with a line for each writer: the folder, and the kind that the writing is of")
	flag.StringVar(&o.from, "from", ".", "folder that the writers' folders lie below")
	flag.IntVar(&o.tokens, "tokens", 8000, "most tokens of a text that are scored")
	flag.StringVar(&o.write, "write", "", "file of lines that were measured: write "+genre.MeasuredFile+" and the card into the library")
	flag.StringVar(&o.twins, "twins", "", "with --write: files of cells of bench/lab, with commas between them")
	flag.Parse()
	run := o.measure
	if o.write != "" {
		run = o.put
	}
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "genres: "+err.Error())
		os.Exit(1)
	}
}

// measured is a text with what its gains are.
type measured struct {
	Kind   string `json:"kind"`
	Writer bool   `json:"writer"`
	twin.GenresOn
}

func (o *options) measure(ctx context.Context) error {
	texts, err := o.texts(ctx)
	if err != nil {
		return err
	}
	var plain []twin.GenreText
	for _, t := range texts {
		plain = append(plain, t.GenreText)
	}
	list, err := twin.CompareGenres(ctx, o.library, o.base, plain, o.tokens, func(e stroke.Event) {
		if n, ok := e.(stroke.NoteEvent); ok {
			fmt.Fprintln(os.Stderr, n.Text)
		}
	})
	if err != nil {
		return err
	}
	for i, on := range list {
		b, err := json.Marshal(measured{Kind: texts[i].kind, Writer: texts[i].writer, GenresOn: on})
		if err != nil {
			return err
		}
		fmt.Println(string(b))
	}
	return nil
}

// put writes what was measured into the library.
func (o *options) put(context.Context) error {
	b, err := os.ReadFile(o.write)
	if err != nil {
		return err
	}
	var all []measured
	for line := range bytes.Lines(b) {
		var m measured
		if line[0] == '#' {
			continue // of the machine
		}
		if err := json.Unmarshal(line, &m); err != nil {
			return fmt.Errorf("read %s: %w", o.write, err)
		}
		all = append(all, m)
	}
	var stand map[string][]genre.MeasuredOn
	if o.twins != "" {
		if stand, err = twins(strings.Split(o.twins, ",")); err != nil {
			return err
		}
	}
	for _, g := range genre.Open(o.library).List(o.base, nil) {
		if g.Embedded {
			continue // of the program, and not of the folder
		}
		if err := put(&g, all, stand[g.Name]); err != nil {
			return err
		}
	}
	return nil
}

// text is a text with its kind.
type text struct {
	twin.GenreText
	kind   string
	writer bool
}

// texts reads what the recipes withhold, and then the writers.
func (o *options) texts(ctx context.Context) ([]text, error) {
	var out []text
	recipes, err := filepath.Glob(filepath.Join(o.library, "recipes", "*.toml"))
	if err != nil {
		return nil, err
	}
	for _, file := range recipes {
		r, err := genre.ReadRecipe(file)
		if err != nil {
			return nil, err
		}
		data := ""
		for _, dir := range strings.Split(o.data, ",") {
			if _, err := os.Stat(filepath.Join(dir, r.Sources[0].Folder)); err == nil {
				data = dir
			}
		}
		docs, err := twin.Withheld(ctx, r, data)
		if err != nil {
			return nil, err
		}
		out = append(out, text{twin.GenreText{Name: r.Name, Documents: docs}, r.Name, false})
	}
	if o.writers == "" {
		return out, nil
	}
	f, err := os.Open(o.writers)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		x := strings.Fields(s.Text())
		if len(x) != 2 {
			return nil, fmt.Errorf("%s has the line %q: a folder and a kind are expected", o.writers, s.Text())
		}
		reading, err := corpus.Read(ctx, filepath.Join(o.from, x[0]), corpus.Options{})
		if err != nil {
			return nil, err
		}
		docs := slices.SortedFunc(slices.Values(reading.Documents), func(a, b stroke.Document) int { return strings.Compare(a.Hash, b.Hash) })
		out = append(out, text{twin.GenreText{Name: filepath.Base(x[0]), Documents: docs}, x[1], true})
	}
	return out, nil
}

// put writes what concerns a genre into its folder: writers of its kind, and what
// was withheld of every kind, and twins that stand on it.
func put(g *genre.Genre, all []measured, stand []genre.MeasuredOn) error {
	m := &genre.Measured{Schema: 1}
	for _, t := range all {
		if t.Writer && t.Kind != g.Name && g.Name != "prose" {
			continue
		}
		over := t.Genres[g.Name]
		best := slices.MaxFunc(genres(t), func(a, b string) int {
			return cmp.Compare(t.Genres[a].Base.Mean, t.Genres[b].Base.Mean)
		})
		m.On = append(m.On, genre.MeasuredOn{Text: t.Text, Kind: t.Kind, Writer: t.Writer, Tokens: t.Tokens, Gain: over.Base, OverProse: over.Prose, Best: best})
	}
	m.On = append(m.On, stand...)
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(g.Path, genre.MeasuredFile), append(b, '\n'), 0o644); err != nil {
		return err
	}
	g.Measured = m
	return os.WriteFile(filepath.Join(g.Path, genre.ReadmeFile), []byte(g.Readme()), 0o644)
}

func genres(t measured) []string {
	var names []string
	for name := range t.Genres {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
