package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/bench/lines"
	"github.com/getstroke/stroke/bench/withheld"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/testkit"
)

// TestDeal deals a writer's text: there are units enough to judge by, and no twelve
// words of them stand in what a twin gets, as it is or shuffled.
func TestDeal(t *testing.T) {
	w, err := read(context.Background(), testkit.Shared(t, "reference/goldman"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.give(2000, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Judge) < fewDocuments {
		t.Errorf("%d units to judge by", len(d.Judge))
	}
	judged := map[string]bool{}
	for _, x := range d.Judge {
		for _, r := range withheld.Runs(x.Text) {
			judged[r] = true
		}
	}
	count := func(docs []stroke.Document) (n int) {
		for _, x := range docs {
			n += x.Words
			for _, r := range withheld.Runs(x.Text) {
				if judged[r] {
					t.Fatalf("%q is to judge by and is given", r)
				}
			}
		}
		return n
	}
	if n := count(d.Train) + count(d.Select); n < 1700 || n > 2300 {
		t.Errorf("%d words are given, where 2,000 are asked for", n)
	}
	mixed := shuffled(d.Train, 1)
	if a, b := count(mixed), count(d.Train); a != b {
		t.Errorf("shuffled there are %d words of %d", a, b)
	}
	same := 0
	for _, x := range mixed {
		for _, y := range d.Train {
			if x.Text == y.Text {
				same++
			}
		}
	}
	if same > 0 {
		t.Errorf("%d documents are as they were", same)
	}
	if n := count(first(d.Train, 300)); n != 300 {
		t.Errorf("the first 300 words are %d", n)
	}
}

// made is a case with the given gains in nats a token over the start.
func made(writer, kind, from string, own, both float64) line {
	l := line{Base: "b", Start: "prose", Writer: writer, Words: 2000, Seed: 1, Case: kind, From: from, Kernel: kernel.Name(), Controls: map[string][]float64{"x": nil, "y": nil, "z": nil}}
	for i := range 10 {
		const n = 200
		wave := float64(i%3) - 1
		l.Groups = append(l.Groups, string(rune('a'+i)))
		l.Tokens = append(l.Tokens, n)
		l.Bare = append(l.Bare, n*(3.5+0.1*wave))
		l.Examples = append(l.Examples, n*(3.45+0.1*wave))
		l.On = append(l.On, n*(3.3+0.1*wave))
		for k, name := range []string{"x", "y", "z"} {
			l.Controls[name] = append(l.Controls[name], n*(3.3+0.1*wave+0.002*float64(k-1)+0.001*wave))
		}
		l.Adapter = append(l.Adapter, n*(3.3-own+0.1*wave+0.002*wave))
		l.Both = append(l.Both, n*(3.45-both+0.1*wave+0.002*wave))
	}
	return l
}

// TestTable keeps cases whose answer is known and reads the table that is made of
// them.
func TestTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cases")
	monotone := made("b", memorised, "", 0.06, 0.2)
	monotone.Monotone = "all alike"
	for _, l := range []line{
		made("a", good, "", 0.05, 0.2), made("b", good, "", 0.05, 0.2),
		made("a", "stranger", "b", 0.0, 0.2), // as good as a control
		made("b", "stranger", "a", 0.05, -0.1),
		monotone,
		made("a", shuffle, "", 0.05, 0.2),
		made("b", shuffle, "", 0.0005, 0.2), // above its start in the mean alone
	} {
		if err := lines.Append(path, &l); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := summarize(&out, []string{path}); err != nil {
		t.Fatal(err)
	}
	// Above its start in the mean is enough; above the other controls beyond chance is not
	// for a control, since one more might gain as much.
	for _, want := range []string{"stranger | 2 | 2 | 0.00 (0.00 to 0.66) | 0.00 (0.00 to 0.66) | 1 of 2 | 2 of 2 | 1 of 2 |", "shuffled | 2 | 2 | 0.50 (0.05 to 0.95) | 0.50 (0.05 to 0.95) | 2 of 2 | 2 of 2 | 1 of 2 |", "all bad | 2 | 5 | 0.20",
		"good | 2 | 2 | 1.00", "control | 2 | 6 | 0.00 (0.00 to 0.66) | 0.00 (0.00 to 0.66) | 6 of 6 | 4 of 6 | 0 of 6 |", "memorised | 1 | 1 | 0.00", "all bad but shuffled | 2 | 3 | 0.00"} {
		want = "| 2000 | b, prose at 1 | " + want
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &out)
		}
	}
}

// TestShared takes what a case before has scored for all of a writer, and nothing of
// another text or of a stranger, who lacks a control.
func TestShared(t *testing.T) {
	c := made("a", memorised, "", 0, 0)
	done := []line{made("a", "stranger", "x", 0, 0), made("b", good, "", 0, 0), made("a", good, "", 0.1, 0.1)}
	if got := shared(done, &c, c.Groups); got != &done[2] {
		t.Errorf("taken is %+v", got)
	}
	if got := shared(done, &c, c.Groups[1:]); got != nil {
		t.Error("what was scored on other text is taken")
	}
	c.Seed++
	if got := shared(done, &c, c.Groups); got != nil {
		t.Error("what was scored for another seed is taken")
	}
}
