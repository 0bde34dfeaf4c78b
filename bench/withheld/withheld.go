// Package withheld parts the text of a writer for benchmarks: what is judged by, and
// what a method may learn from.
package withheld

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
)

// runWords is how many words in a row two documents share that share text.
const runWords = 12

// Text is a writer's.
type Text struct {
	Ledger *corpus.Ledger
	Judge  []stroke.Document // by their hashes
	Pool   []stroke.Document // by their hashes
}

// Read reads a writer's files, path with slashes. The product's own rule withholds
// documents to judge by, in an order that depends on their hashes; the pool holds
// none of them, nothing that is next to one in a longer text, and nothing that
// shares text with one.
func Read(ctx context.Context, path string) (*Text, error) {
	reading, err := corpus.Read(ctx, filepath.FromSlash(path), corpus.Options{})
	if err != nil {
		return nil, err
	}
	w := &Text{Ledger: &corpus.Ledger{}}
	docs, err := corpus.Assign(w.Ledger, reading.Documents, corpus.AssignOptions{Clusters: reading.Clusters})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(docs, func(a, b stroke.Document) int { return strings.Compare(a.Hash, b.Hash) })
	barred, judged := map[string]bool{}, map[string]bool{}
	for _, d := range docs {
		if w.Ledger.Role(d.Hash) != stroke.RoleJudge {
			continue
		}
		w.Judge = append(w.Judge, d)
		for _, n := range w.Ledger.Neighbours(d.Hash) {
			barred[n] = true
		}
		for _, r := range Runs(d.Text) {
			judged[r] = true
		}
	}
	for _, d := range docs {
		shares := slices.ContainsFunc(Runs(d.Text), func(r string) bool { return judged[r] })
		if w.Ledger.Role(d.Hash) != stroke.RoleJudge && !barred[d.Hash] && !shares {
			w.Pool = append(w.Pool, d)
		}
	}
	return w, nil
}

// Runs are all runs of twelve words of a text.
func Runs(text string) []string {
	words := strings.Fields(text)
	var out []string
	for i := 0; i+runWords <= len(words); i++ {
		out = append(out, strings.Join(words[i:i+runWords], " "))
	}
	return out
}
