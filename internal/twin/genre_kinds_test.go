package twin

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/genre"
)

// TestKinds tells of documents of more than one kind, and of no others.
func TestKinds(t *testing.T) {
	docs := make([]stroke.Document, 6)
	for i := range docs {
		docs[i].Source = fmt.Sprintf("%d.md", i)
	}
	kind := func(name string, nats ...float64) trial {
		x := trial{genre: &genre.Genre{Card: genre.Card{Name: name}}}
		for _, n := range nats {
			x.losses = append(x.losses, eval.Loss{Nats: 100 * n, Tokens: 100})
		}
		return x
	}
	prose := kind("prose", 3, 3, 3, 3, 3, 3)
	for what, c := range map[string]struct {
		list []trial
		want []string // parts of what is said; none for nothing
	}{
		"two kinds":      {[]trial{prose, kind("notes", 3.1, 3.1, 3.1, 3.1, 2.9, 2.9)}, []string{"4 are clearly better served by the genre prose", "2 by notes (4.md, 5.md)"}},
		"more of others": {[]trial{prose, kind("a", 3.1, 3.1, 3.1, 3.1, 2.9, 2.9), kind("b", 2.9, 2.9, 2.9, 2.9, 3.1, 3.1)}, []string{"4 by b (0.md, 1.md, 2.md and 1 more)"}},
		"one kind":       {[]trial{prose, kind("notes", 3.1, 3.1, 3.1, 3.1, 3.1, 3.1)}, nil},
		"one of another": {[]trial{prose, kind("notes", 3.1, 3.1, 3.1, 3.1, 3.1, 2.9)}, nil},
		"by chance":      {[]trial{prose, kind("notes", 3.04, 3.04, 3.04, 2.96, 2.96, 2.96)}, nil},
		"little apart":   {[]trial{prose, kind("notes", 3.01, 3.01, 3.01, 2.99, 2.99, 2.99)}, nil},
		"one genre":      {[]trial{prose}, nil},
		"no genre":       {nil, nil},
	} {
		got := kindsOf(docs, c.list)
		if (got != "") != (len(c.want) > 0) || slices.ContainsFunc(c.want, func(s string) bool { return !strings.Contains(got, s) }) {
			t.Errorf("%s: %q, and %q was to be said", what, got, c.want)
		}
	}
}
