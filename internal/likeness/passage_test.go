package likeness

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func numbered(from, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "w%d ", from+i)
	}
	return strings.TrimSpace(b.String())
}

func TestCut(t *testing.T) {
	list := []Piece{{"long", numbered(0, 47)}, {"s1", numbered(100, 6)}, {"empty", " \n"}, {"s2", numbered(200, 7)}, {"s3", numbered(300, 3)}}
	offsets := map[string]bool{}
	for seed := range uint64(20) {
		got := Cut(list, 10, seed)
		if !slices.Equal(got, Cut(list, 10, seed)) {
			t.Fatal("the same seed cuts otherwise")
		}
		for _, p := range got {
			if countWords(p.Text) != 10 {
				t.Errorf("a passage of %d words: %q", countWords(p.Text), p.Text)
			}
		}
		if len(got) != 5 || got[4].Group != "s1" || !strings.Contains(got[4].Text, "w105\n\nw200") {
			t.Errorf("seed %d: %d passages, the last %+v", seed, len(got), got[len(got)-1])
		}
		offsets[strings.Fields(got[0].Text)[0]] = true
	}
	if len(offsets) < 5 {
		t.Errorf("twenty seeds begin at %d points", len(offsets))
	}
}

// What a long piece stands between are no neighbours, and pieces of one document are,
// wherever they stand.
func TestCutJoinsNeighbours(t *testing.T) {
	got := Cut([]Piece{{"a", numbered(0, 6)}, {"b", numbered(100, 20)}, {"c", numbered(200, 6)}}, 10, 1)
	for _, p := range got {
		if p.Group != "b" {
			t.Errorf("joined over a long piece: %+v", p)
		}
	}
	got = Cut([]Piece{{"a", numbered(0, 6)}, {"b", numbered(100, 6)}, {"a", numbered(200, 6)}, {"b", numbered(300, 6)}}, 10, 1)
	want := []Piece{{"a", numbered(0, 6) + "\n\n" + numbered(200, 4)}, {"b", numbered(100, 6) + "\n\n" + numbered(300, 4)}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestHeadAndTail(t *testing.T) {
	const text = "  one two,\n\nthree  four "
	for _, c := range []struct {
		n          int
		head, tail string
	}{{0, "", "one two,\n\nthree  four"}, {2, "one two,", "three  four"}, {3, "one two,\n\nthree", "four"}, {9, "one two,\n\nthree  four", ""}} {
		if h, tail := Head(text, c.n), Tail(text, c.n); h != c.head || tail != c.tail {
			t.Errorf("%d words: %q and %q", c.n, h, tail)
		}
	}
}
