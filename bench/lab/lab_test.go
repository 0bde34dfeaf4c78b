package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/bench/withheld"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/twin"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const toyTable = `
base = %q
judge_tokens = 400
words = [1000]
seeds = [1, 2]

[[writer]]
name = "notebook"
path = "notebook"

[[recipe]]
name = "plain"
like = "plain"
[recipe.set]
epochs = 1

[[recipe]]
name = "more"
words = [1000, 2000]
[recipe.set]
epochs = 2
[recipe.set.options]
rate = 2e-3
[recipe.set.options.lora]
rank = 2
[recipe.set.genre]
ask = "none"

[[recipe]]
name = "nothing"
untrained = true
[recipe.set.genre]
ask = "none"
`

func TestTable(t *testing.T) {
	tab, err := readTable(write(t, "t.toml", fmt.Sprintf(toyTable, "toy")))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range tab.cells() {
		got = append(got, fmt.Sprint(c.Words, c.Seed, c.Recipe.Name))
	}
	want := "1000 1plain 1000 1more 1000 1nothing 1000 2plain 1000 2more 1000 2nothing 2000 1more 2000 2more"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("the cells are %s", s)
	}
	change, err := tab.Recipes[1].change(7)
	if err != nil {
		t.Fatal(err)
	}
	r := twin.DefaultRecipe(1000)
	was := r
	change(&r)
	if r.Epochs != 2 || r.Options.Rate != 2e-3 || r.Options.LoRA.Rank != 2 || r.Options.Seed != 7 || r.Genre.Ask != "none" ||
		r.Options.LoRA.Alpha != was.Options.LoRA.Alpha || r.Options.Warmup != was.Options.Warmup {
		t.Errorf("the recipe is %+v", r)
	}
	for name, bad := range map[string]string{
		"unknown key":         "colour = 1\n",
		"passages below none": "prompts = [-1]\n",
		"no strength":         "strengths = [nan]\n",
		"unknown field":       "[[recipe]]\nname = \"x\"\n[recipe.set]\ncolour = 1\n",
		"wrong type":          "[[recipe]]\nname = \"x\"\n[recipe.set]\nepochs = \"two\"\n",
		"out of range":        "[[recipe]]\nname = \"x\"\n[recipe.set]\nepochs = 0\n",
		"no such recipe":      "[[recipe]]\nname = \"x\"\nlike = \"nobodys\"\n",
		"no such method":      "[[recipe]]\nname = \"x\"\nmethod = \"half\"\n",
		"no layers":           "[[recipe]]\nname = \"x\"\nmethod = \"partial\"\n",
		"same name":           "[[recipe]]\nname = \"more\"\n",
	} {
		text := fmt.Sprintf(toyTable, "toy")
		if name == "unknown key" || name == "passages below none" || name == "no strength" {
			text = bad + text
		} else {
			text += bad
		}
		if _, err := readTable(write(t, "t.toml", text)); err == nil {
			t.Errorf("%s: there is no error", name)
		}
	}
}

// TestNothingOfTheJudge follows the text of judge documents: none of it is in what a
// method gets, for short pieces and for one long one that is cut, whatever the number
// of words and the seed; and what a method gets is as much as was said.
func TestNothingOfTheJudge(t *testing.T) {
	root := testkit.Root(t)
	notebook := filepath.Join(root, "examples", "notebook")
	files, err := os.ReadDir(notebook)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(notebook, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if _, text, ok := strings.Cut(strings.TrimPrefix(string(b), "---\n"), "\n---\n"); ok {
			b = []byte(text)
		}
		all.Write(b)
		all.WriteString("\n\n")
	}
	for name, path := range map[string]string{"pieces": notebook, "one book": write(t, "book.md", all.String())} {
		w, err := read(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		judge := map[string]bool{}
		for _, d := range w.Judge {
			for _, r := range withheld.Runs(d.Text) {
				judge[r] = true
			}
		}
		if len(judge) < 500 {
			t.Fatalf("%s: the judge has %d runs of words", name, len(judge))
		}
		for _, words := range []int{500, 2000} {
			for _, seed := range []uint64{1, 2, 3} {
				d, err := w.give(words, seed)
				if err != nil {
					t.Fatalf("%s, %d words: %v", name, words, err)
				}
				n, hashes := 0, map[string]bool{}
				for _, x := range append(append([]stroke.Document(nil), d.Train...), d.Select...) {
					n += x.Words
					if hashes[x.Hash] || x.Hash != stroke.HashText(x.Text) {
						t.Errorf("%s: %s has no hash of its own", name, x.Source)
					}
					hashes[x.Hash] = true
					for _, r := range withheld.Runs(x.Text) {
						if judge[r] {
							t.Fatalf("%s, %d words, seed %d: %q is of a judge document", name, words, seed, r)
						}
					}
					for _, j := range w.Judge {
						for _, next := range w.Ledger.Neighbours(j.Hash) {
							if x.Hash == next {
								t.Errorf("%s: %s lies next to a judge document", name, x.Source)
							}
						}
					}
				}
				if n < words-max(words/10, blockLeast/2) || n > words*21/20 {
					t.Errorf("%s: a method gets %d words of %d", name, n, words)
				}
				if len(d.Select) == 0 || len(d.Train) == 0 {
					t.Errorf("%s, %d words: %d documents to train on and %d to choose by", name, words, len(d.Train), len(d.Select))
				}
			}
		}
	}
}

// onToy reads a table of the toy base, and gives what to run it with in a home of its own.
func onToy(t *testing.T, text string) (*table, options) {
	t.Helper()
	toy := testkit.Toy(t, testkit.ToyShape{})
	t.Setenv("STROKE_HOME", t.TempDir())
	tab, err := readTable(write(t, "t.toml", fmt.Sprintf(text, toy)))
	if err != nil {
		t.Fatal(err)
	}
	return tab, options{Data: filepath.Join(testkit.Root(t), "examples"), Out: filepath.Join(t.TempDir(), "cells.jsonl"), Work: t.TempDir(), Commit: "0123456789ab", Log: io.Discard}
}

// TestRun measures a table on the toy base: cells are kept one by one, a run that was
// cut off in a line goes on behind the last whole one, nothing is measured twice, and
// what a cell says does not depend on which came before it.
func TestRun(t *testing.T) {
	tab, o := onToy(t, toyTable)
	tab.Seeds, tab.Prompts, tab.Strengths = tab.Seeds[:1], []int{0, 100}, []float64{1, 2}
	var said bytes.Buffer
	o.Log = &said
	if err := run(context.Background(), tab, o); err != nil {
		t.Fatal(err)
	}
	first, err := readCells([]string{o.Out})
	if err != nil || len(first) != 4 {
		t.Fatalf("%d cells, %v", len(first), err)
	}
	if a, b := first[0].Cell.Documents[0], first[1].Cell.Documents[0]; a.Base != b.Base || a.Examples != b.Examples || a.Adapter == b.Adapter || a.Both == 0 {
		t.Errorf("cells of one writer have %+v and %+v", a, b)
	}
	if x := first[2]; x.trained() || x.Cell.Documents[0].Untrained == 0 || x.Cell.Documents[0].Untrained != x.Cell.Documents[0].Examples {
		t.Errorf("without training and genre: %+v", x.Cell.Documents[0])
	}
	if x := first[0].Cell; x.Recipe.Name != "plain" || x.Epoch != 1 || x.Tokens == 0 || len(x.Select) != 2 {
		t.Errorf("a cell is %+v", x)
	}
	for _, l := range first {
		x := l.Cell
		if l.trained() && (len(x.Prompts) != 2 || x.Prompts[0].Judge[0] != x.Documents[0].Adapter || len(x.Prompts[1].Judge) != len(x.Documents) || x.Prompts[1].Start.Tokens == 0) {
			t.Errorf("%s: with bounds on the passages %+v", l.Name, x.Prompts)
		}
		if l.trained() && (len(x.Strengths) != 2 || x.Strengths[0].Both[0] != x.Documents[0].Both || x.Strengths[1].Both[0] == x.Documents[0].Both) {
			t.Errorf("%s: at other strengths %+v", l.Name, x.Strengths)
		}
	}
	// Killed in the second cell's line.
	b, err := os.ReadFile(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	whole := bytes.IndexByte(b, '\n') + 1
	if err := os.WriteFile(o.Out, b[:whole+40], 0o600); err != nil {
		t.Fatal(err)
	}
	said.Reset()
	if err := run(context.Background(), tab, o); err != nil {
		t.Fatal(err)
	}
	again, err := readCells([]string{o.Out})
	if err != nil || len(again) != 4 || strings.Count(said.String(), "\n") != 3 {
		t.Fatalf("%d cells after a kill, %v: %s", len(again), err, said.String())
	}
	for i := range first {
		if first[i].key() != again[i].key() || fmt.Sprint(first[i].Cell.Documents) != fmt.Sprint(again[i].Cell.Documents) {
			t.Errorf("cell %d: %+v, then %+v", i, first[i].Cell.Documents, again[i].Cell.Documents)
		}
	}
	said.Reset()
	if err := run(context.Background(), tab, o); err != nil || said.Len() > 0 {
		t.Errorf("a run of what is there already: %v, %s", err, said.String())
	}
	var out bytes.Buffer
	if err := summarize(&out, again, "plain"); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.Count(s, "\n") != 6 || !strings.Contains(s, "| 1000 | more | 1 | 1 |") {
		t.Errorf("the summary is\n%s", s)
	}
}

const weightsTable = `
base = %q
judge_tokens = 400
words = [1000]
strengths = [0.5, 1]

[[writer]]
name = "notebook"
path = "notebook"

[[recipe]]
name = "all"
method = "full"

[[recipe]]
name = "all, at a rate that harms"
method = "full"
[recipe.set.options]
rate = 0.5

[[recipe]]
name = "one layer"
method = "partial"
[recipe.set.options.weights]
layers = [1]
`

// TestWeights trains weights of the toy base in place of an adapter, and has each
// method's setting chosen by the writer's select documents.
func TestWeights(t *testing.T) {
	tab, o := onToy(t, weightsTable)
	if err := run(context.Background(), tab, o); err != nil {
		t.Fatal(err)
	}
	cells, err := readCells([]string{o.Out})
	if err != nil || len(cells) != 3 {
		t.Fatalf("%d cells, %v", len(cells), err)
	}
	for _, l := range cells {
		x := l.Cell
		if x.Documents[0].Adapter == x.Documents[0].Base || x.Documents[0].Both == 0 {
			t.Errorf("%s: %+v", l.Name, x.Documents[0])
		}
		half, whole := x.Strengths[0], x.Strengths[1]
		if whole.Adapter[0] != x.Documents[0].Adapter || half.Adapter[0] == whole.Adapter[0] || half.Adapter[0] == x.Documents[0].Base {
			t.Errorf("%s: of strength 0.5 %v, of 1 %v", l.Name, half.Adapter, whole.Adapter)
		}
	}
	best := chosen(cells)
	if len(best) != 2 || best[0].Name != "full" || best[1].Name != "partial" || best[0].key() == best[1].key() {
		t.Fatalf("chosen were %+v", best)
	}
	if best[0].Cell.Documents[0] != cells[0].Cell.Documents[0] {
		t.Errorf("of rates %g and %g that was taken which harms", cells[0].Cell.Recipe.Options.Rate, cells[1].Cell.Recipe.Options.Rate)
	}
	o.Keep = t.TempDir()
	o.Out += "2"
	if err := run(context.Background(), tab, o); err == nil {
		t.Error("weights were kept as an adapter")
	}
}

// TestTexts lets what was learnt write, and has its texts measured.
func TestTexts(t *testing.T) {
	tab, o := onToy(t, toyTable)
	tab.Seeds, tab.Recipes, tab.Texts = tab.Seeds[:1], tab.Recipes[:1], true
	if err := run(context.Background(), tab, o); err != nil {
		t.Fatal(err)
	}
	cells, err := readCells([]string{o.Out})
	if err != nil || len(cells) != 1 {
		t.Fatalf("%d cells, %v", len(cells), err)
	}
	// What else the table has measured makes other cells of the same recipe.
	tab.Texts = false
	if err := run(context.Background(), tab, o); err != nil {
		t.Fatal(err)
	}
	tab.Prompts = []int{0}
	if err := run(context.Background(), tab, o); err != nil {
		t.Fatal(err)
	}
	if all, err := readCells([]string{o.Out}); err != nil || len(all) != 3 || all[1].Cell.Texts != nil || len(all[2].Cell.Prompts) != 1 || all[1].key() == all[2].key() || len(inColumns(all).cells[all[0].column()]) != 1 {
		t.Errorf("measured three times otherwise there are %d cells, %v", len(all), err)
	}
	if x := cells[0].Cell.Texts; x == nil || x.Texts == 0 || x.Documents == 0 || x.Leakage.Twin.Words == 0 || len(x.Recognition.Taken) == 0 {
		t.Errorf("of its texts %+v", x)
	}
	var out bytes.Buffer
	summarizeTexts(&out, cells, "plain")
	if s := out.String(); !strings.Contains(s, "| 1000 | plain | copiers; monotone | 1 |") {
		t.Errorf("of texts the summary says\n%s", s)
	}
}

// TestSummary has cells whose ratio is known.
func TestSummary(t *testing.T) {
	made := func(writer, name string, saved ...float64) line { return cellLine(writer, 1, name, "{}", saved...) }
	lines := []line{made("a", "ours", 20, 40), made("b", "ours", 30), made("a", "rival", 10, 20), made("b", "rival", 15), made("c", "rival", 99)}
	r, pairs, err := compare(lines[:2], lines[2:])
	if err != nil || pairs != 2 || r.Writers != 2 || r.Ratio.Mean != 2 || r.Ratio.Low != 2 || r.Ratio.High != 2 {
		t.Errorf("%+v of %d cells, %v", r, pairs, err)
	}
	var out bytes.Buffer
	if err := summarize(&out, lines, "rival"); err != nil || !strings.Contains(out.String(), "| 500 | ours | 2 | 2 | 0.000 | 0.000 | 0.000 | 0.300 | 2.00 (2.00–2.00) | 2 cells, 2 writers |") {
		t.Errorf("%v:\n%s", err, out.String())
	}
	for name, of := range map[string][]line{"": nil, "nobody's": lines} {
		if err := tables(&out, of, nil, name, name); err == nil {
			t.Errorf("of %d cells nothing was summarized", len(of))
		}
	}
	lines[3] = made("b", "rival", 15, 15)
	if _, _, err := compare(lines[:2], lines[2:]); err == nil {
		t.Error("cells of other documents were compared")
	}
}

// cellLine is a cell whose documents save so much of 300 nats on 100 tokens.
func cellLine(writer string, seed uint64, name, change string, saved ...float64) line {
	l := line{Writer: writer, Words: 500, Seed: seed, Name: name, Change: json.RawMessage(change), Base: "small", Cell: &twin.Cell{Epoch: 1}}
	for i, s := range saved {
		l.Cell.Documents = append(l.Cell.Documents, twin.CellDocument{Hash: fmt.Sprint(writer, i), Tokens: 100, Base: 300, Examples: 300, Adapter: 300, Both: 300 - s, Start: 300})
	}
	return l
}

// TestColumns keeps recipes apart that have one name, sets each beside every rival, and
// takes each writer alike, however many seeds there are of them.
func TestColumns(t *testing.T) {
	const a, b = `{"set":{"genre":{"ask":"none"}}}`, `{"set":{"genre":{"ask":"none"},"prompt":{"tokens":350}}}`
	again := cellLine("x", 1, "ours", a, 99)
	other := cellLine("x", 1, "ours", a, 50)
	other.Base = "larger"
	lines := []line{
		cellLine("x", 1, "ours", a, 10), cellLine("x", 2, "ours", a, 20), cellLine("y", 1, "ours", a, 30), cellLine("x", 1, "ours", b, 40),
		cellLine("x", 1, "rival", a, 10), cellLine("x", 1, "rival", b, 20), again, other,
	}
	var out bytes.Buffer
	if err := summarize(&out, lines, "rival"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		// x has 15 in the mean of two seeds, and y 30.
		"| 500 | ours (base small) | 3 | 2 | 0.000 | 0.000 | 0.000 | 0.225 | 1.00 (1.00–1.00); 0.50 (0.50–0.50) | 1 cells, 1 writers of rival; 1 cells, 1 writers of rival (prompt.tokens 350) |",
		"| 500 | ours (base small, prompt.tokens 350) | 1 | 1 | 0.000 | 0.000 | 0.000 | 0.400 | 4.00 (4.00–4.00); 2.00 (2.00–2.00) |",
		"| 500 | ours (base larger) | 1 | 1 | 0.000 | 0.000 | 0.000 | 0.500 |  |  |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the summary lacks %q:\n%s", want, out.String())
		}
	}
}

// TestChosen takes the setting that does best of several of which all do worse than the
// bare base.
func TestChosen(t *testing.T) {
	worse, bad := cellLine("x", 1, "worse", `{"set":{"epochs":3}}`, 1), cellLine("x", 1, "bad", `{"set":{"epochs":2}}`, 2)
	worse.Cell.Select, bad.Cell.Select = []float64{3, 3.5, 3.4}, []float64{3, 3.2, 3.3}
	other := cellLine("y", 1, "worse", `{"set":{"epochs":3}}`, 3)
	other.Cell.Select = []float64{3, 2.9}
	if got := chosen([]line{worse, bad, other}); len(got) != 2 || got[0].selected() != 3.2 || got[1].Writer != "y" || got[0].column() != got[1].column() {
		t.Errorf("chosen were %+v", got)
	}
}

// TestOurs narrows all tables to ours and the rival, with what ours are when they are
// drawn otherwise.
func TestOurs(t *testing.T) {
	var lines []line
	var beside []crossed
	for _, name := range []string{"rival", "ours", "third"} {
		l := cellLine("x", 1, name, "{}", 10)
		l.Cell.Texts = &twin.CellTexts{Range: &likeness.Range{Twin: &likeness.Comparison{}, Own: &likeness.Comparison{}}}
		l.Cell.Samplings = []twin.CellSampling{{Name: "warm", Texts: l.Cell.Texts}}
		lines = append(lines, l)
		beside = append(beside, crossed{Of: l.key(), Controls: []string{"y"}, Nats: map[string][]nats{"y": {{"x0", 100, 310}}}})
	}
	for ours, want := range map[string]int{"": 3, "ours": 2, "rival": 1} {
		var out bytes.Buffer
		if err := tables(&out, lines, beside, ours, ""); err != nil {
			t.Fatal(err)
		}
		s := out.String()
		if a, b, c := strings.Count(s, "| 1 cells, 1 writers |"), strings.Count(s, "copiers"), strings.Count(s, "| 0.100 | 0.100 |"); a != want-1 || b != 2*want || c != want {
			t.Errorf("with ours %q there are %d ratios, texts of %d and others' twins beside %d:\n%s", ours, a, b, c, s)
		}
	}
}
