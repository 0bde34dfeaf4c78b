package likeness

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/testkit"
)

// pieces reads a writer of the data beside the repository.
func pieces(t testing.TB, dir string) []Piece {
	t.Helper()
	r, err := corpus.Read(context.Background(), testkit.Shared(t, dir), corpus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return Pieces(r.Documents)
}

// baseTexts are what the bare base wrote: the first for training, the others
// for judging.
func baseTexts(t testing.TB) (train, judge []Piece) {
	t.Helper()
	b, err := os.ReadFile("testdata/base.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for line := range strings.Lines(string(b)) {
		var x struct{ Text string }
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatal(err)
		}
		p := Piece{fmt.Sprintf("base %d", i), x.Text}
		if i < 22 {
			train = append(train, p)
		} else {
			judge = append(judge, p)
		}
		i++
	}
	return train, judge
}

// writer is one writer's text in the three parts that tests need.
type writer struct {
	train []Piece // about 10,000 words
	judge []Piece // what they went on to write behind openings of 40 words
	more  []Piece // of theirs that stands in neither
}

// part deals a writer's pieces by turns, in an order that is not that of the
// kinds of text in their folder.
func part(all []Piece) writer {
	var w writer
	slices.SortFunc(all, func(a, b Piece) int { return strings.Compare(a.Group, b.Group) })
	words := 0
	for i, p := range all {
		if countWords(p.Text) < Unit+40 {
			continue
		}
		switch i % 7 {
		case 0, 3, 5:
			if words < 10_000 {
				p.Text = Head(p.Text, 1500)
				words += countWords(p.Text)
				w.train = append(w.train, p)
			}
		case 1:
			if len(w.judge) < 24 {
				w.judge = append(w.judge, Piece{p.Group, Head(Tail(p.Text, 40), 2*Unit)})
			}
		case 2:
			if len(w.more) < 24 {
				w.more = append(w.more, Piece{p.Group, Head(Tail(p.Text, 40), 2*Unit)})
			}
		}
	}
	return w
}

// trained keeps recognisers for the tests that share them.
var trained struct {
	sync.Mutex
	by map[string]*Recogniser
}

func recogniser(t testing.TB, who string, w writer, seed uint64) *Recogniser {
	t.Helper()
	base, _ := baseTexts(t)
	trained.Lock()
	defer trained.Unlock()
	key := fmt.Sprint(who, " ", seed)
	if r := trained.by[key]; r != nil {
		return r
	}
	r, err := NewRecogniser(Known{Writer: w.train, Base: base, Without: []string{who}, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	if trained.by == nil {
		trained.by = map[string]*Recogniser{}
	}
	trained.by[key] = r
	return r
}
