// Command _writers measures how often [likeness.FindWriters] takes one writer for
// two, and two for two, over the writers of ../shared/data: files of single writers,
// as they are or cut, and those of pairs together. Whoever is looked at is left out of
// the reference writers. It is run from the root of the module:
//
//	go run ./internal/likeness/_writers
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/likeness"
)

const mostFiles = 12

func main() {
	data := flag.String("data", filepath.Join("..", "shared", "data"), "folder of the texts")
	draws := flag.Int("draws", 4, "from each writer, at each amount")
	pairs := flag.Int("pairs", 60, "of writers, at each amount")
	seed := flag.Uint64("seed", 1, "of draws")
	all := flag.Bool("v", false, "print every margin")
	flag.Parse()
	if err := run(*data, *draws, *pairs, *seed, *all); err != nil {
		fmt.Fprintln(os.Stderr, "_writers:", err)
		os.Exit(1)
	}
}

type writer struct {
	id   string
	docs []likeness.Piece
}

func read(data string) ([]writer, error) {
	var out []writer
	for _, in := range []string{"authors", "reference"} {
		entries, err := os.ReadDir(filepath.Join(data, in))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !e.IsDir() {
				continue
			}
			r, err := corpus.Read(context.Background(), filepath.Join(data, in, e.Name()), corpus.Options{})
			if err != nil {
				return nil, err
			}
			w := writer{id: e.Name()}
			for _, d := range r.Documents {
				// Each chapter or post is a file, by a name that does not tell whose.
				w.docs = append(w.docs, likeness.Piece{Group: d.Hash[:16], Text: d.Text})
			}
			out = append(out, w)
		}
	}
	return out, nil
}

// files draws so many words of a writer: of up to n documents a part each.
func (w *writer) files(words, n int, rng *rand.Rand) []likeness.Piece {
	n = min(n, len(w.docs))
	each := max(words/n, likeness.Unit)
	var out []likeness.Piece
	for _, i := range rng.Perm(len(w.docs)) {
		if words < likeness.Unit/2 {
			break
		}
		d := w.docs[i]
		have := len(strings.Fields(d.Text))
		if spare := have - each; spare > 0 {
			d.Text = likeness.Tail(d.Text, rng.IntN(spare+1))
		}
		d.Text = likeness.Head(d.Text, min(each, words))
		words -= len(strings.Fields(d.Text))
		out = append(out, d)
	}
	return out
}

func run(data string, draws, pairs int, seed uint64, all bool) error {
	writers, err := read(data)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(seed, 0x77))
	find := func(p []likeness.Piece, without ...string) (*likeness.Writers, error) {
		return likeness.FindWriters(context.Background(), p, without)
	}
	var two [][2]int
	for i := range writers {
		for k := range i {
			two = append(two, [2]int{k, i})
		}
	}
	fmt.Println("| words | one writer | taken for two | two writers | taken for two | files on the right side, of those | one in five words |")
	fmt.Println("| --- | --- | --- | --- | --- | --- | --- |")
	for _, words := range []int{1500, 3000, 6000, 12000, 24000} {
		one, wrong := 0, 0
		var singles, doubles []string
		for i := range writers {
			for range draws {
				r, err := find(writers[i].files(words, mostFiles, rng), writers[i].id)
				if err != nil {
					return err
				}
				if r == nil {
					continue
				}
				one++
				if r.Two {
					wrong++
				}
				singles = append(singles, fmt.Sprintf("%+.3f %s", r.Margin, writers[i].id))
			}
		}
		var n, found [2]int
		right, of := 0, 0
		rng.Shuffle(len(two), func(i, k int) { two[i], two[k] = two[k], two[i] })
		for _, p := range two[:min(pairs, len(two))] {
			a, b := &writers[p[0]], &writers[p[1]]
			for k, share := range []int{2, 5} {
				x, y := a.files(words-words/share, mostFiles*(share-1)/share, rng), b.files(words/share, max(mostFiles/share, 1), rng)
				r, err := find(append(slices.Clone(x), y...), a.id, b.id)
				if err != nil {
					return err
				}
				n[k]++
				if r == nil {
					continue
				}
				if k == 0 {
					doubles = append(doubles, fmt.Sprintf("%+.3f %s %s", r.Margin, a.id, b.id))
				}
				if !r.Two {
					continue
				}
				found[k]++
				if k > 0 {
					continue
				}
				agree, files := 0, 0
				for side := range r.Sides {
					for _, f := range r.Sides[side] {
						files++
						if slices.ContainsFunc(x, func(p likeness.Piece) bool { return p.Group == f }) == (side == 0) {
							agree++
						}
					}
				}
				right, of = right+max(agree, files-agree), of+files
			}
		}
		fmt.Printf("| %d | %d | %d (%.0f %%) | %d | %d (%.0f %%) | %.0f %% | %d of %d (%.0f %%) |\n", words, one, wrong, 100*float64(wrong)/float64(one),
			n[0], found[0], 100*float64(found[0])/float64(n[0]), 100*float64(right)/float64(max(of, 1)), found[1], n[1], 100*float64(found[1])/float64(n[1]))
		if all {
			slices.Sort(singles)
			slices.Sort(doubles)
			fmt.Println("one:", strings.Join(singles, ", "))
			fmt.Println("two:", strings.Join(doubles, ", "))
		}
	}
	return nil
}
