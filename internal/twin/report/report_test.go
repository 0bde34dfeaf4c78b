package report

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
)

var nan = math.NaN()

// full is a report in which everything was measured.
func full() *Report {
	text := func(v, lo, hi float64) likeness.Interval { return likeness.Interval{Value: v, Low: lo, High: hi} }
	num := func(v, lo, hi float64) eval.Interval { return eval.Interval{Mean: v, Low: lo, High: hi} }
	profile := func(shift float64) []likeness.Profile {
		var out []likeness.Profile
		for _, h := range likeness.Habits() {
			p := likeness.Profile{Habit: h, Count: 100, Shares: make([]float64, len(h.Labels))}
			for i := range p.Shares {
				p.Shares[i] = (1 + shift*float64(i%3)) / float64(len(p.Shares)) / (1 + shift)
			}
			out = append(out, p)
		}
		return out
	}
	compare := func(v float64) *likeness.Comparison {
		c := &likeness.Comparison{Distance: text(v, v-0.01, v+0.01), Spread: text(0.9, 0.85, 0.95), P: 0.5, Groups: 9}
		for _, h := range likeness.Habits() {
			c.Habits = append(c.Habits, likeness.HabitDistance{Habit: h, Distance: text(v, v, v), Spread: text(1, 1, 1), P: 1})
		}
		return c
	}
	pred := func(v float64) eval.Prediction {
		return eval.Prediction{System: "x", Gain: num(v, v-0.02, v+0.02), P: 0.01, Documents: slices.Repeat([]eval.Gain{{Group: "a", Saved: 3, Tokens: 30}}, 9)}
	}
	day := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	hostile := `He said "<script>alert(1)</script>" & left.` + "\n\nIt rained."
	marked := Marked{Text: hostile, Marks: []likeness.Mark{{Lo: 0, Hi: 2, Kind: likeness.MarkWord}, {Lo: 9, Hi: 25, Kind: likeness.MarkTurn}, {Lo: 40, Hi: len(hostile), Kind: likeness.MarkRun}, {Lo: 4000, Hi: 4001, Kind: "word"}}}
	return &Report{
		Twin: "me & <you>", Version: "0123456789ab", Made: day, Base: "/somewhere/base.gguf", Live: true, Words: Words{Train: 9000, Select: 800, Judge: 12345},
		Prediction:  &Prediction{Base: 3.2, Tokens: 4000, Examples: pred(0.05), Adapter: pred(0.12), Both: pred(0.15), Over: pred(0.1), Unit: "documents"},
		Specificity: &eval.Specificity{Gain: num(0.04, 0.01, 0.07), P: 0.01, Controls: []eval.ControlGain{{Name: "other", Gain: num(0.06, 0.05, 0.07)}, {Name: "another", Gain: num(0.05, 0.04, 0.06)}}, Better: 2, Stranger: 0.03, Units: 9}, Level: 0.95,
		Recognition: &likeness.Recognition{Value: text(0.6, 0.4, 0.8), Lean: text(0.7, 0.5, 0.9), P: 0.01, Passages: 16, Claim: true,
			Taken:    []likeness.Taken{{Class: likeness.Class{ID: "writer", Name: "the writer"}, Share: 0.6}, {Class: likeness.Class{ID: "base", Name: "the bare base"}, Share: 0.4}},
			Accuracy: likeness.Accuracy{Writer: text(0.9, 0.8, 1), Others: text(0.01, 0, 0.02), Classes: 26}},
		Range: &Range{Range: likeness.Range{Twin: compare(0.02), Base: compare(0.06), Own: compare(0.001), Nearer: text(0.04, 0.02, 0.06),
			Repetition: [3]likeness.Repetition{{Within: text(0.01, 0, 0.02)}, {Within: text(0.1, 0.05, 0.2)}, {Within: text(0.01, 0, 0.02)}}},
			WriterHabits: profile(0.1), TwinHabits: profile(0.3), BaseHabits: profile(0.9)},
		Leakage: &likeness.Leakage{Twin: likeness.Copying{Share: text(0.01, 0, 0.02), Longest: 9, Words: 3000}, Own: likeness.Copying{Share: text(0.005, 0, 0.02), Words: 3000},
			Excess: text(0.005, -0.01, 0.02), Runs: []likeness.Run{{Words: 9, Text: "one <b> two"}}, Leaks: []likeness.Leak{{Kind: "name", Text: "A. <i>Name</i>"}}, Rate: text(1, 0, 2), OwnRate: text(1, 0, 2)},
		Thought: &Thought{Kinds: []eval.Thought{{Kind: "order", Shift: num(1, 0.5, 1.5), Accuracy: num(0.7, 0.55, 0.85), Twin: num(0.9, 0.8, 1), Yardstick: num(0.85, 0.7, 1), P: 0.01, Pairs: 20, Documents: 9},
			{Kind: eval.KindElsewhere, Shift: num(1, -0.5, 1.5), Accuracy: num(0.5, 0.35, 0.65), Twin: num(0.9, 0.8, 1), Yardstick: num(0.85, 0.7, 1), Pairs: 20, Documents: 9}}},
		Forgetting: []eval.Forgetting{{Strength: 1, Text: num(0.02, 0.01, 0.03), Answers: num(0.1, 0, 0.2), Right: num(0.7, 0.5, 0.85), BaseRight: num(0.75, 0.55, 0.9)}},
		Rewriting:  &likeness.Rewriting{Nearer: text(0.4, 0.2, 0.6), Names: text(0.8, 0.6, 1), Numbers: text(nan, nan, nan), Claims: text(0.75, 0.6, 0.9), Added: text(1, 0, 2), Texts: 8, Passages: 8, Claim: true},
		Curve: &Curve{Points: []CurvePoint{{Words: 2250, Examples: num(0.02, 0, 0.04), Both: num(0.1, 0.08, 0.12)}, {Words: 4500, Both: num(0.12, 0.1, 0.14)}, {Words: 9000, Both: num(0.15, 0.13, 0.17)}},
			Doubling: num(0.025, 0.01, 0.04), MoreWords: 5000, More: num(0.016, 0.006, 0.026), Unit: "documents", Units: 9},
		Blind:    &Blind{Pairs: 20, Answered: 20, Twins: 16, Others: 3, Neither: 1, Share: &eval.Interval{Mean: 0.82, Low: 0.6, High: 0.93}, P: 0.002},
		Passages: &Passages{Shown: []Passage{{Opening: "It <was>", Own: marked, Twin: marked, Base: marked}}, Own: text(7, 6, 8), Twin: text(5, 4, 6), Base: text(2, 1, 3)},
		Versions: []Version{{ID: "aaaaaaaaaaaa", Made: day, Words: 5000, Gain: num(0.05, -0.01, 0.1)}, {ID: "0123456789ab", Made: day, Words: 9000, Live: true, Gain: num(0.1, 0.08, 0.12)}},
		Unsaid:   []Unsaid{{"other writer", "no text by others", "give some"}},
	}
}

// TestLines demands an answer to each question in a writer's words, and of a
// report in which nothing could be measured none that claims anything.
func TestLines(t *testing.T) {
	want := map[string]State{"prediction": Good, "specificity": Good, "recognition": Good, "range": Good, "leakage": Good, "thought": Good,
		"forgetting": Good, "rewriting": Good, "curve": Good, "blind": Good}
	lines := full().Lines()
	if len(lines) != len(want) {
		t.Errorf("%d lines", len(lines))
	}
	for _, l := range lines {
		if l.State != want[l.Measure] {
			t.Errorf("%s: %s, want %s: %s", l.Measure, l.State, want[l.Measure], l.Answer)
		}
		if strings.Contains(l.Answer, "NaN") || strings.Contains(l.Answer, "%!") || len(l.Answer) > 400 {
			t.Errorf("%s: %q", l.Measure, l.Answer)
		}
	}
	empty := &Report{Twin: "me", Unsaid: []Unsaid{{"prediction", "there is none", "write more"}}}
	lines = empty.Lines()
	if len(lines) != 1 || lines[0].State != Unsure || lines[0].Answer != "cannot be said: there is none; write more" {
		t.Errorf("of nothing: %+v", lines)
	}
}

// TestFew says of figures that stand on few blocks that they are too few, and claims
// nothing.
func TestFew(t *testing.T) {
	for measure, change := range map[string]func(r *Report){
		"prediction":  func(r *Report) { r.Prediction.Over.Documents = r.Prediction.Over.Documents[:7] },
		"specificity": func(r *Report) { r.Specificity.Units = 1 },
		"curve":       func(r *Report) { r.Curve.Units = 7 },
	} {
		r := full()
		change(r)
		for _, l := range r.Lines() {
			if few := strings.Contains(l.Answer, "too few to tell"); few != (l.Measure == measure) || few && l.State != Open {
				t.Errorf("few blocks for %s: %s is %s: %s", measure, l.Measure, l.State, l.Answer)
			}
		}
	}
}

// TestOpen demands that nothing is claimed of what a verdict would not let pass, of
// what may be chance beside the base, and of what is given away.
func TestOpen(t *testing.T) {
	for name, c := range map[string]struct {
		measure string
		state   State
		says    string
		change  func(r *Report)
	}{
		"a stranger":      {"specificity", Open, "another's", func(r *Report) { r.Specificity.Stranger = 0.21 }},
		"at a third look": {"specificity", Open, "another's", func(r *Report) { r.Level = 0.992 }},
		"one control":     {"specificity", Open, "one other adapter", func(r *Report) { r.Specificity.Controls = r.Specificity.Controls[:1] }},
		"the base varies": {"range", Open, "", func(r *Report) { r.Range.Nearer = likeness.Interval{Value: 0.04, Low: -0.01, High: 0.09} }},
		"leaks": {"leakage", Bad, "gives away", func(r *Report) {
			r.Leakage.Rate, r.Leakage.OwnRate = likeness.Interval{Value: 3, Low: 2, High: 4}, likeness.Interval{Value: 0.5, Low: 0, High: 1}
		}},
		"little to copy":  {"leakage", Open, "too little to tell", func(r *Report) { r.Leakage.Leaks, r.Leakage.Twin.Words = nil, 193 }},
		"rewritten twice": {"rewriting", Open, "too little to tell", func(r *Report) { r.Rewriting.Texts = 2 }},
		"may leak":        {"leakage", Open, "may give away", func(r *Report) { r.Leakage.Rate.Value = 1.5 }},
		"one kind in three": {"thought", Good, "beyond chance", func(r *Report) {
			r.Thought.Kinds = append(r.Thought.Kinds, eval.Thought{Kind: "stance", Accuracy: eval.Interval{Mean: 0.3, Low: 0.15, High: 0.49}, P: 0.9, Less: 0.03, Pairs: 20})
		}},
		"no upper end": {"recognition", Good, "0.60 (0.40 or more)", func(r *Report) { r.Recognition.Value.High = math.Inf(1) }},
	} {
		r := full()
		c.change(r)
		for _, l := range r.Lines() {
			if l.Measure == c.measure && (l.State != c.state || !strings.Contains(l.Answer, c.says)) {
				t.Errorf("%s: %s is %s: %s", name, l.Measure, l.State, l.Answer)
			}
		}
	}
}

// TestBad turns each measure to the worse and demands that it is said.
func TestBad(t *testing.T) {
	for measure, change := range map[string]func(r *Report){
		"prediction":  func(r *Report) { r.Prediction.Over.Gain = eval.Interval{Mean: -0.1, Low: -0.2, High: -0.05} },
		"specificity": func(r *Report) { r.Specificity.Gain = eval.Interval{Mean: -0.1, Low: -0.2, High: -0.05} },
		"recognition": func(r *Report) { r.Recognition.Value = likeness.Interval{Value: 0.05, Low: -0.1, High: 0.2} },
		"range":       func(r *Report) { r.Range.Monotone, r.Range.Why = true, "it says one thing" },
		"leakage":     func(r *Report) { r.Leakage.Copier, r.Leakage.Why = true, "it repeats a passage" },
		"thought": func(r *Report) {
			for i := range r.Thought.Kinds {
				r.Thought.Kinds[i].Accuracy = eval.Interval{Mean: 0.2, Low: 0.1, High: 0.4}
			}
		},
		"forgetting": func(r *Report) { r.Forgetting[0].Text = eval.Interval{Mean: 0.5, Low: 0.4, High: 0.6} },
		"rewriting":  func(r *Report) { r.Rewriting.Claims = likeness.Interval{Value: 0.2, Low: 0.1, High: 0.3} },
		"blind":      func(r *Report) { r.Blind.Share = &eval.Interval{Mean: 0.2, Low: 0.1, High: 0.4} },
	} {
		r := full()
		change(r)
		for _, l := range r.Lines() {
			if (l.Measure == measure) != (l.State == Bad) {
				t.Errorf("%s for the worse: %s is %s: %s", measure, l.Measure, l.State, l.Answer)
			}
		}
	}
	r := full()
	r.Thought.Kinds[0].P = 0.04 // of one kind enough, of two not
	if l := r.Lines()[5]; l.State != Open || !strings.Contains(l.Answer, "by no kind of pair is that beyond chance") {
		t.Errorf("one kind of two: %+v", l)
	}
	r = full()
	r.Thought.Kinds[1].Accuracy = eval.Interval{Mean: 0.2, Low: 0.1, High: 0.4}
	if l := r.Lines()[5]; l.State != Good || strings.Contains(l.Answer, "elsewhere") {
		t.Errorf("leaning against the twin: %+v", l)
	}
	r = full()
	r.Recognition.Claim = false
	r.Unsaid = append(r.Unsaid, Unsaid{"recognition", "too few passages", ""})
	if l := r.Lines()[2]; l.State != Unsure || l.Answer != "cannot be said: too few passages" {
		t.Errorf("without a claim: %+v", l)
	}
}

var elsewhere = regexp.MustCompile(`(?i)https?:|src=|<script|@import|url\(|javascript:|<link`)

// TestHTML demands a page that parses, runs no script, fetches nothing, holds
// every section, and leaves no text unescaped.
func TestHTML(t *testing.T) {
	for name, r := range map[string]*Report{"full": full(), "empty": {Twin: "me", Unsaid: []Unsaid{{"range", "why", ""}}}} {
		b, err := r.HTML()
		if err != nil {
			t.Fatal(err)
		}
		page := string(b)
		if m := elsewhere.FindString(page); m != "" {
			t.Errorf("%s: the page has %q", name, m)
		}
		if strings.Contains(page, "NaN") || strings.Contains(page, "%!") || strings.Contains(page, "Inf") {
			t.Errorf("%s: the page shows what is no number", name)
		}
		d := xml.NewDecoder(strings.NewReader(strings.Replace(page, "<!doctype html>", "", 1)))
		d.Strict, d.AutoClose, d.Entity = false, []string{"meta", "line", "polyline", "rect", "circle"}, xml.HTMLEntity
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: the page does not parse: %v", name, err)
			}
		}
		file := filepath.Join(t.TempDir(), "report.html")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := corpus.Read(t.Context(), file, corpus.Options{}); err == nil || len(r.Left) != 1 || r.Left[0].Reason != corpus.MarkName {
			t.Errorf("%s: the page is read as writing: %v, %v", name, r, err)
		}
		if name == "empty" {
			continue
		}
		for _, id := range []string{"prediction", "recognition", "range", "passages", "leakage", "thought", "forgetting", "rewriting", "blind", "versions", "unsaid"} {
			if !strings.Contains(page, `<section id="`+id+`">`) {
				t.Errorf("the page has no section %s", id)
			}
		}
		for _, want := range []string{"me &amp; &lt;you&gt;", `<mark class="word">He</mark>`, "&lt;script&gt;", "</p><p>", "one &lt;b&gt; two", "base.gguf", "12,345"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		if strings.Contains(page, "/somewhere") {
			t.Error("the page says where the base lies")
		}
	}
}

// TestMarkup demands that a text with marks, tags taken away, is the text.
func TestMarkup(t *testing.T) {
	m := full().Passages.Shown[0].Own
	got := string(m.markup())
	plain := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(strings.ReplaceAll(got, "</p><p>", "\n\n"), "")
	plain = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "&#34;", `"`, "&#39;", "'").Replace(plain)
	if strings.ReplaceAll(plain, "\n\n", "") != strings.ReplaceAll(m.Text, "\n\n", "")+" …" {
		t.Errorf("%q became %q", m.Text, plain)
	}
	if strings.Count(got, "<p>") != strings.Count(got, "</p>") || strings.Count(got, "<mark") != strings.Count(got, "</mark>") {
		t.Errorf("unbalanced: %s", got)
	}
}

// TestScale demands of a chart that what is larger lies further right, within
// the picture, and that the strong mark is on the scale.
func TestScale(t *testing.T) {
	for _, list := range [][]figure{
		{{"a", "", 0.1, 0.05, 0.2}, {"b", "", 0.3, -0.1, 0.4}},
		{{"a", "", -5, -7, 300}},
		{{"a", "", 0, 0, 0}},
		{{"a", "", nan, nan, nan}},
		{{"a", "", 0.5, math.Inf(-1), math.Inf(1)}},
		nil,
	} {
		c := figures("x", "", 2, fromZero, list)
		strong := 0
		for i, k := range c.Ticks {
			if k.At < 0 || k.At > 100 || i > 0 && k.At <= c.Ticks[i-1].At {
				t.Errorf("%v: the marks are %+v", list, c.Ticks)
			}
			if k.Strong {
				strong++
			}
		}
		if strong != 1 || len(c.Ticks) < 2 || len(c.Ticks) > 8 {
			t.Errorf("%v: %d strong marks of %d: %+v", list, strong, len(c.Ticks), c.Ticks)
		}
		for i, r := range c.Rows {
			if strings.Contains(r.Value, "Inf") || strings.Contains(r.Value, "NaN") {
				t.Errorf("%v: the row says %q", list, r.Value)
			}
			if r.Known != !math.IsNaN(list[i].mean) || r.At < 0 || r.At > 100 || r.Len < 0 || r.Low+r.Len > 100+1e-9 {
				t.Errorf("%v: row %+v", list, r)
			}
		}
		if len(c.Rows) == 2 && !(c.Rows[0].At < c.Rows[1].At && c.Rows[1].Low < c.Rows[0].Low) {
			t.Errorf("%+v", c.Rows)
		}
	}
	c := figures("x", "", 2, byChance, []figure{{"a", "", 0.7, 0.6, 0.8}})
	if n := len(c.Ticks); c.Ticks[0].Label != "0.00" || c.Ticks[n-1].Label != "1.00" || n != 5 || !c.Ticks[2].Strong || c.Ticks[0].Strong {
		t.Errorf("a scale of shares: %+v", c.Ticks)
	}
	for _, c := range []struct {
		v, step float64
		want    string
	}{{0.25, 0.05, "0.25"}, {2, 1, "2"}, {-0.0000001, 0.02, "0.00"}, {100, 20, "100"}, {0.125, 0.025, "0.125"}} {
		if got := short(c.v, c.step); got != c.want {
			t.Errorf("%g by %g is %q, want %q", c.v, c.step, got, c.want)
		}
	}
}

// TestLearnt says of text that something had learnt before that it was learnt, by whatever,
// and of other text that it never was.
func TestLearnt(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *Report)
		says   string
	}{
		"nothing":             {func(*Report) {}, "judged by 12,345 that it has never seen"},
		"an adapter":          {func(r *Report) { r.Learnt, r.Words.Learnt = "the adapter that the twin began at", 1200 }, "of which the adapter that the twin began at had learnt 1,200"},
		"a genre":             {func(r *Report) { r.Learnt = "the genre notes that the twin stands on" }, "of which the genre notes that the twin stands on had learnt some"},
		"a genre below folds": {func(r *Report) { r.Folds, r.Learnt = 3, "the genre notes that the twin stands on" }, "in 3 parts of them, each by a twin of its own that was not trained on the part, but the genre notes that the twin stands on had learnt some"},
	} {
		r := full()
		c.change(r)
		if s := r.Subtitle(); !strings.Contains(s, c.says) || strings.Contains(s, "never seen") != (r.Learnt == "") {
			t.Errorf("%s: %q", name, s)
		}
		if text := r.pagePrediction().Text[0]; strings.Contains(text, "never saw") != (r.Learnt == "") || !strings.Contains(text, r.Learnt) {
			t.Errorf("%s: %q", name, text)
		}
	}
}

// TestJSON demands that a report is read back as it was, what is no number too.
func TestJSON(t *testing.T) {
	b, err := json.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(&back)
	if err != nil || string(again) != string(b) {
		t.Errorf("it is read back as another: %v\n%s\n%s", err, b, again)
	}
	if !math.IsNaN(back.Rewriting.Numbers.Value) {
		t.Errorf("%+v", back.Rewriting.Numbers)
	}
}
