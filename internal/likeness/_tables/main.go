// Command _tables makes internal/likeness/reference/table.gob.gz, the numbers
// that the program knows of other writers, from public texts. It reads
// ../shared/data and is run from the root of the module:
//
//	go run ./internal/likeness/_tables
package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/likeness/prose"
	"github.com/getstroke/stroke/internal/likeness/reference"
)

// classes are the reference writers; the folder is below the data's.
var classes = []struct {
	folder string
	reference.Writer
}{
	{"reference/alcott", reference.Writer{ID: "alcott", Name: "Louisa May Alcott", Kind: "fiction", Year: 1866}},
	{"reference/branchaud", reference.Writer{ID: "branchaud", Name: "Josh Branchaud", Kind: "blog", Year: 2020}},
	{"reference/cather", reference.Writer{ID: "cather", Name: "Willa Cather", Kind: "fiction", Year: 1916}},
	{"reference/conrad", reference.Writer{ID: "conrad", Name: "Joseph Conrad", Kind: "fiction", Year: 1903}},
	{"reference/dickens", reference.Writer{ID: "dickens", Name: "Charles Dickens", Kind: "fiction", Year: 1854}},
	{"reference/doyle", reference.Writer{ID: "doyle", Name: "Arthur Conan Doyle", Kind: "fiction", Year: 1907}},
	{"reference/goldman", reference.Writer{ID: "goldman", Name: "Emma Goldman", Kind: "essay", Year: 1910}},
	{"reference/hardy", reference.Writer{ID: "hardy", Name: "Thomas Hardy", Kind: "fiction", Year: 1874}},
	{"reference/hawthorne", reference.Writer{ID: "hawthorne", Name: "Nathaniel Hawthorne", Kind: "fiction", Year: 1844}},
	{"reference/irving", reference.Writer{ID: "irving", Name: "Washington Irving", Kind: "essay", Year: 1820}},
	{"reference/kipling", reference.Writer{ID: "kipling", Name: "Rudyard Kipling", Kind: "fiction", Year: 1899}},
	{"reference/london", reference.Writer{ID: "london", Name: "Jack London", Kind: "fiction", Year: 1908}},
	{"reference/paine", reference.Writer{ID: "paine", Name: "Thomas Paine", Kind: "essay", Year: 1794}},
	{"reference/stevenson", reference.Writer{ID: "stevenson", Name: "Robert Louis Stevenson", Kind: "fiction", Year: 1884}},
	{"reference/wells", reference.Writer{ID: "wells", Name: "H. G. Wells", Kind: "fiction", Year: 1903}},
	{"reference/wharton", reference.Writer{ID: "wharton", Name: "Edith Wharton", Kind: "fiction", Year: 1911}},
	{"reference/wilde", reference.Writer{ID: "wilde", Name: "Oscar Wilde", Kind: "fiction", Year: 1889}},
	{"reference/wollstonecraft", reference.Writer{ID: "wollstonecraft", Name: "Mary Wollstonecraft", Kind: "essay", Year: 1794}},
	{"reference/woolf", reference.Writer{ID: "woolf", Name: "Virginia Woolf", Kind: "fiction", Year: 1922}},
	{"authors/lynch", reference.Writer{ID: "lynch", Name: "Michael Lynch", Kind: "blog", Year: 2021}},
	{"authors/matklad", reference.Writer{ID: "matklad", Name: "Alex Kladov", Kind: "blog", Year: 2021}},
	{"authors/wodehouse", reference.Writer{ID: "wodehouse", Name: "P. G. Wodehouse", Kind: "fiction", Year: 1920}},
	{"genres/blog", reference.Writer{ID: "agency", Name: "blogs of US agencies", Kind: "blog", Year: 2016, Group: true}},
	{"genres/textbook", reference.Writer{ID: "openstax", Name: "OpenStax textbooks", Kind: "textbook", Year: 2020, Group: true}},
}

// plain are further texts that tell how common words are.
var plain = []string{"genres/novel", "genres/memoir", "genres/argument"}

const (
	passages  = 55     // of each writer
	words     = 10_000 // of general prose
	seed      = 1
	minShare  = 0.9 // of writers that use a run of characters
	minVoices = 4   // texts that use a word
)

var grams = [...]int{2: 400, 3: 1300, 4: 1500}

func main() {
	data := flag.String("data", filepath.Join("..", "shared", "data"), "folder of the texts")
	out := flag.String("out", filepath.Join("internal", "likeness", "reference", "table.gob.gz"), "file to write")
	flag.Parse()
	if err := run(*data, *out); err != nil {
		fmt.Fprintln(os.Stderr, "_tables:", err)
		os.Exit(1)
	}
}

func run(data, out string) error {
	texts := map[string][]likeness.Piece{}
	folders := slices.Clone(plain)
	for _, c := range classes {
		folders = append(folders, c.folder)
	}
	for _, f := range folders {
		r, err := corpus.Read(context.Background(), filepath.Join(data, f), corpus.Options{})
		if err != nil {
			return fmt.Errorf("read %s: %w", f, err)
		}
		texts[f] = likeness.Pieces(r.Documents)
	}

	t := &reference.Table{Unit: likeness.Unit}
	t.Words, t.Rarity = commonWords(texts)
	t = reindex(t)

	type normal struct {
		writer, piece int
		text          string
	}
	var all []normal
	pieces := 0
	for w, c := range classes {
		t.Writers = append(t.Writers, c.Writer)
		cut := likeness.Cut(texts[c.folder], likeness.Unit, seed)
		rng := rand.New(rand.NewPCG(seed, uint64(w)))
		order := rng.Perm(len(cut))[:min(passages, len(cut))]
		slices.Sort(order)
		last := ""
		for _, i := range order {
			if cut[i].Group != last {
				last = cut[i].Group
				pieces++
			}
			all = append(all, normal{w, pieces, prose.Normal(cut[i].Text, t.Known)})
		}
		fmt.Printf("%-15s %6d passages, %d kept\n", c.ID, len(cut), len(order))
	}

	used := map[string]map[int]float64{}
	for _, n := range all {
		reference.EachGram(n.text, func(g string) {
			if used[g] == nil {
				used[g] = map[int]float64{}
			}
			used[g][n.writer]++
		})
	}
	for n := reference.GramMin; n <= reference.GramMax; n++ {
		t.Grams = append(t.Grams, best(used, n, grams[n])...)
	}
	for i := range prose.FunctionWords() {
		t.Function = append(t.Function, prose.FunctionWordAt(i))
	}
	t = reindex(t)
	for _, n := range all {
		t.Passages = append(t.Passages, reference.Pack(n.writer, n.piece, t.CountNormal(n.text)))
	}

	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := t.Encode(z); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	fmt.Printf("%d writers, %d passages of %d words, %d features, %d words: %d bytes\n",
		len(t.Writers), len(t.Passages), t.Unit, t.Features(), len(t.Words), b.Len())
	return os.WriteFile(out, b.Bytes(), 0o644)
}

// best gives the runs of n characters that nearly every writer uses, the
// commonest first: what a single writer's matter brings is left out.
func best(used map[string]map[int]float64, n, most int) []string {
	type gram struct {
		text string
		rate float64
	}
	var list []gram
	for g, by := range used {
		if utf8.RuneCountInString(g) != n || float64(len(by)) < minShare*float64(len(classes)) {
			continue
		}
		rate := 0.0
		for _, w := range slices.Sorted(maps.Keys(by)) {
			rate += by[w]
		}
		list = append(list, gram{g, rate})
	}
	slices.SortFunc(list, func(a, b gram) int { return cmp.Or(cmp.Compare(b.rate, a.rate), cmp.Compare(a.text, b.text)) })
	var out []string
	for _, g := range list[:min(most, len(list))] {
		out = append(out, g.text)
	}
	return out
}

// commonWords gives the words that many texts use, as a rule in lower case,
// with their rarity in sixteenths of a bit. Each folder has the same weight.
func commonWords(texts map[string][]likeness.Piece) ([]string, []uint16) {
	type tally struct{ share, lower, upper, voices float64 }
	all := map[string]*tally{}
	for _, f := range slices.Sorted(maps.Keys(texts)) {
		lower, upper := map[string]float64{}, map[string]float64{}
		total := 0.0
		for _, p := range texts[f] {
			for _, w := range prose.Words(p.Text) {
				word := w.Of(p.Text)
				total++
				r, n := utf8.DecodeRuneInString(word)
				if unicode.IsUpper(r) && n < len(word) && word[:2] != "I'" {
					upper[prose.Lower(word)]++
				} else {
					lower[prose.Lower(word)]++
				}
			}
		}
		for _, w := range slices.Sorted(maps.Keys(lower)) {
			if all[w] == nil {
				all[w] = new(tally)
			}
			all[w].share += (lower[w] + upper[w]) / total / float64(len(texts))
			all[w].lower += lower[w] / total
			all[w].upper += upper[w] / total
			all[w].voices++
		}
	}
	list := slices.Sorted(maps.Keys(all))
	list = slices.DeleteFunc(list, func(w string) bool {
		t := all[w]
		return t.voices < minVoices || t.lower < t.upper/2 || strings.ContainsFunc(w, unicode.IsDigit)
	})
	slices.SortStableFunc(list, func(a, b string) int { return cmp.Compare(all[b].share, all[a].share) })
	list = list[:min(words, len(list))]
	rarity := make([]uint16, len(list))
	for i, w := range list {
		rarity[i] = uint16(math.Round(-16 * math.Log2(all[w].share)))
	}
	return list, rarity
}

// reindex gives a table that knows the words and features just put into it.
func reindex(t *reference.Table) *reference.Table {
	var b bytes.Buffer
	if err := t.Encode(&b); err != nil {
		panic(err)
	}
	u, err := reference.Decode(&b)
	if err != nil {
		panic(err)
	}
	return u
}
