package twin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/model"
)

// opened trains a twin on a toy base and opens it to be measured.
func opened(t *testing.T, keep func(int) bool) (*Folder, *measured) {
	t.Helper()
	f, _ := trained(t, options(t, writing(t, t.TempDir(), keep)))
	m, err := measure(context.Background(), f.Dir, "", func(stroke.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.close)
	return f, m
}

// TestOpenings demands that texts begin in judge documents alone, where
// sentences do, that opening and what follows are the document's, and that what
// stands before is neither of it nor of what lies next to it.
func TestOpenings(t *testing.T) {
	for name, keep := range map[string]func(int) bool{"many": func(int) bool { return true }, "few": func(i int) bool { return i%6 == 0 }} {
		t.Run(name, func(t *testing.T) {
			_, m := opened(t, keep)
			list := openings(m.judge, 12, 20, 30, 60, 80)
			if len(list) < 2 {
				t.Fatalf("%d openings", len(list))
			}
			last := map[string]int{}
			for _, o := range list {
				if m.ledger.Role(o.doc.Hash) != stroke.RoleJudge {
					t.Errorf("an opening of a document with the role %s", m.ledger.Role(o.doc.Hash))
				}
				at := strings.Index(o.doc.Text, o.text)
				if at < 0 || !strings.HasPrefix(strings.TrimLeft(o.doc.Text[at+len(o.text):], " \n"), o.own) {
					t.Errorf("%q and %q do not follow each other in the document", o.text, o.own)
				}
				if n := len(strings.Fields(o.text)); n != 20 {
					t.Errorf("an opening of %d words", n)
				}
				if n := len(strings.Fields(o.own)); n < 30 || n > 60 {
					t.Errorf("%d words follow", n)
				}
				words := len(strings.Fields(o.doc.Text[:at]))
				if was, again := last[o.doc.Hash]; again && words < was+80 {
					t.Errorf("openings at the words %d and %d of a document", was, words)
				}
				last[o.doc.Hash] = words
			}
			for i, ids := range m.before(list, m.passages, 800) {
				text := m.b.tok.Decode(ids)
				for _, d := range m.train {
					if m.passages.own(list[i].doc)[d.Hash] && len(d.Text) > 200 && strings.Contains(text, d.Text[:200]) {
						t.Errorf("before an opening stands what lies next to it")
					}
				}
				for _, d := range m.judge {
					if begin, _ := head(d.Text, 20); strings.Contains(text, begin) {
						t.Errorf("before an opening stands a judge document")
					}
				}
				if len(ids) > 0 && (ids[0] != m.b.first || !strings.HasSuffix(text, m.passages.prompt.Between)) {
					t.Errorf("what stands before an opening begins with %d and ends with %d", ids[0], ids[len(ids)-1])
				}
			}
		})
	}
}

// TestPlaces demands that context and passage follow each other in a document,
// and that the passages that are set against them are others.
func TestPlaces(t *testing.T) {
	_, m := opened(t, func(int) bool { return true })
	p := &reporter{measured: m, o: ReportOptions{Seed: 1}}
	if err := p.planThought(context.Background()); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, c := range p.thought.choices {
		kinds[string(c.Kind)]++
		before, right, wrong := m.b.tok.Decode(c.Context), m.b.tok.Decode(c.Right), m.b.tok.Decode(c.Wrong)
		text, ok := m.f.Text(c.Group)
		if !ok || m.ledger.Role(c.Group) != stroke.RoleJudge {
			t.Fatalf("a choice of the document %s", c.Group)
		}
		if !strings.Contains(text, before+right) {
			t.Errorf("%q does not follow %q", right, before)
		}
		if right == wrong || strings.TrimSpace(wrong) == "" {
			t.Errorf("%s: %q against %q", c.Kind, right, wrong)
		}
		if c.Kind == "elsewhere" && strings.Contains(text, strings.TrimSpace(wrong)) {
			t.Errorf("%q is of the same document", wrong)
		}
	}
	if kinds["elsewhere"] == 0 || kinds["order"] == 0 || kinds["stance"] == 0 {
		t.Errorf("the kinds are %v", kinds)
	}
	if p.thought.tokens == 0 {
		t.Error("nothing is to be read")
	}
}

// TestReportAfresh demands that a report that began afresh and is stopped does not say
// that the same command goes on: that would begin once more.
func TestReportAfresh(t *testing.T) {
	f, _ := trained(t, options(t, writing(t, t.TempDir(), func(i int) bool { return i%2 == 0 })))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, _, err := Report(ctx, ReportOptions{Name: f.Dir, Afresh: true}, func(e stroke.Event) {
		if _, ok := e.(stroke.MeasureEvent); ok {
			cancel()
		}
	})
	if code(t, err, stroke.CodeInterrupted); !strings.HasSuffix(stroke.HintOf(err), "goes on without --afresh") {
		t.Errorf("the hint is %q", stroke.HintOf(err))
	}
}

// TestReportGoesOn stops a report in several places; what it comes to is what an
// undisturbed one does, and what was measured is not measured again.
func TestReportGoesOn(t *testing.T) {
	f, _ := trained(t, options(t, writing(t, t.TempDir(), func(i int) bool { return i%2 == 0 })))
	calm := filepath.Join(t.TempDir(), "calm")
	if err := os.CopyFS(calm, os.DirFS(f.Dir)); err != nil {
		t.Fatal(err)
	}
	// Recognition is fitted for long, and kept as the others are.
	measures := slices.DeleteFunc(Measures(), func(name string) bool { return name == ofRecognition })
	want, dir, err := Report(context.Background(), ReportOptions{Name: calm, Measures: measures}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want.Prediction == nil || want.Range == nil || want.Leakage == nil || want.Thought == nil || len(want.Forgetting) != len(strengths) || want.Passages == nil {
		t.Fatalf("%+v", want)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 6 {
		t.Errorf("%v, %v", files, err)
	}

	made := map[string]int{}
	stops := map[string]int{ofTexts: 5, ofThought: 3, ofPrediction: 2}
	for range 6 {
		ctx, cancel := context.WithCancel(context.Background())
		got, _, err := Report(ctx, ReportOptions{Name: f.Dir, Measures: measures}, func(e stroke.Event) {
			if e, ok := e.(stroke.MeasureEvent); ok && !e.Kept {
				if at, ok := stops[e.Measure]; ok && e.Done >= at && e.Done < e.Total {
					delete(stops, e.Measure)
					cancel()
				}
				if e.Done == e.Total {
					made[e.Measure]++
				}
			}
		})
		cancel()
		if err != nil {
			var told *stroke.Error
			if !errors.As(err, &told) || told.Code != stroke.CodeInterrupted || !strings.Contains(told.Hint, "goes on") {
				t.Fatalf("stopped, it ends with %v", err)
			}
			continue
		}
		// The hints name the twin as it was named.
		want.Unsaid, got.Unsaid = nil, nil
		a, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			i := 0
			for i < min(len(a), len(b)) && a[i] == b[i] {
				i++
			}
			t.Errorf("stopped and gone on, it comes to …%s, and undisturbed to …%s", b[i:min(i+200, len(b))], a[i:min(i+200, len(a))])
		}
		break
	}
	if len(stops) > 0 {
		t.Errorf("it was not stopped in %v", stops)
	}
	for name, n := range made {
		if n != 1 {
			t.Errorf("%s was measured %d times", name, n)
		}
	}

	// A measure that is damaged on the disk is made again; another seed asks for
	// all of them anew.
	if err := os.WriteFile(filepath.Join(dir, ofLeakage+".json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		o    ReportOptions
		want string
	}{{ReportOptions{Name: calm, Measures: measures}, "leakage"}, {ReportOptions{Name: calm, Seed: 2, Measures: []string{ofPrediction}}, "prediction"}, {ReportOptions{Name: calm, Seed: 2, Measures: []string{ofPrediction}}, ""}} {
		var planned []string
		if _, _, err := Report(context.Background(), c.o, func(e stroke.Event) {
			if e, ok := e.(stroke.MeasuresEvent); ok {
				planned = e.Measures
			}
		}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(planned, " "); got != c.want {
			t.Errorf("%+v measures %q, want %q", c.o, got, c.want)
		}
	}
}

// TestReportOfLittle demands a report, with what cannot be said, of a twin that
// has hardly anything to be judged by.
func TestReportOfLittle(t *testing.T) {
	f, _ := trained(t, options(t, writing(t, t.TempDir(), func(i int) bool { return i < 3 })))
	r, _, err := Report(context.Background(), ReportOptions{Name: f.Dir, Measures: []string{ofPrediction, ofSpecificity, ofRecognition, ofThought, ofBlind}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, u := range r.Unsaid {
		said[u.Measure] = true
		if u.Why == "" {
			t.Errorf("%s is not said, and not why", u.Measure)
		}
	}
	for _, m := range []string{ofSpecificity, ofRecognition, ofBlind} {
		if !said[m] {
			t.Errorf("it does not say that %s cannot be said: %+v", m, r.Unsaid)
		}
	}
	if r.Prediction != nil && r.Prediction.Unit != "blocks" {
		t.Errorf("the intervals are over %s", r.Prediction.Unit)
	}
}

// TestReportBelow demands of a version that began at an adapter which had learnt judge
// text that no measure by that text is told without saying so.
func TestReportBelow(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i%2 == 0 }))
	below, first := trained(t, o)
	l, err := below.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	for i := range l.Entries {
		l.Entries[i].Role = stroke.RoleTrain
	}
	if err := below.saveLedger(ledgerFile, l); err != nil {
		t.Fatal(err)
	}
	o.On, o.To = filepath.Join(below.Dir, versionsDir, first.ID, adapterDir), filepath.Join(t.TempDir(), "on")
	f, v := trained(t, o)
	if !v.Verdict.Unproven {
		t.Fatalf("the verdict is %+v", v.Verdict)
	}
	var notes heard
	r, _, err := Report(context.Background(), ReportOptions{Name: f.Dir, Measures: []string{ofPrediction, ofLeakage, ofThought, ofForgetting}}, notes.take)
	if err != nil {
		t.Fatal(err)
	}
	if !notes.noted("flatters") || r.Words.Learnt != r.Words.Judge || strings.Contains(r.Subtitle(), "never seen") {
		t.Errorf("of %+v it says %q", r.Words, r.Subtitle())
	}
	for _, line := range r.Lines() {
		if want := line.Measure != ofForgetting; strings.Contains(line.Answer, restsOnBelow) != want && line.State != "unsaid" {
			t.Errorf("%s: %q", line.Measure, line.Answer)
		}
	}
	if page, err := r.HTML(); err != nil || bytes.Contains(page, []byte("never saw")) {
		t.Errorf("the page says that training never saw what it had learnt: %v", err)
	}
	notes = nil
	b, err := OpenBlind(context.Background(), BlindOptions{Name: f.Dir, Pairs: 1, Words: 6}, notes.take)
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	if !notes.noted("flatters") {
		t.Error("the blind test says nothing of it")
	}
}

// TestReportOfWeights measures a version whose weights were trained: what it
// predicts is what its verdict said, and at half its strength it is between the
// base and itself.
func TestReportOfWeights(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i%4 == 0 }))
	o.Change = func(r *Recipe) {
		small(r)
		r.Tune(Full, model.Selection{})
	}
	f, v := trained(t, o)
	if len(v.Weights) == 0 {
		t.Fatal("the version has no weights")
	}
	r, _, err := Report(context.Background(), ReportOptions{Name: f.Dir, Measures: []string{ofPrediction, ofForgetting, ofLeakage}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// A verdict is scored as its run was trained, a report as is fastest: either may
	// be in bfloat16.
	apart := func(a, b float64) bool { return math.Abs(a-b) > 0.003 }
	if p := r.Prediction; apart(p.Base, v.HeldOut.Base) || apart(p.Base-p.Both.Gain.Mean, v.HeldOut.Both) || apart(p.Base-p.Examples.Gain.Mean, v.HeldOut.Examples) {
		t.Errorf("%+v, and at the verdict %+v", p, v.HeldOut)
	}
	if g := r.Forgetting; !(math.Abs(g[0].Text.Mean) < math.Abs(g[1].Text.Mean) && g[1].Text.Mean != 0) {
		t.Errorf("at half strength %+v, at full %+v", g[0], g[1])
	}
	if r.Leakage == nil || r.Leakage.Twin.Words == 0 {
		t.Errorf("%+v", r.Leakage)
	}
	b, err := OpenBlind(context.Background(), BlindOptions{Name: f.Dir, Pairs: 2, Words: 6}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if p, _, ok := b.Next(); !ok || p.Twin == "" || p.Twin == p.Other {
		t.Errorf("%+v", p)
	}
}

func TestAdapterName(t *testing.T) {
	for dir, want := range map[string]string{"/a/others/smith": "smith", "/a/twins/me/versions/0123456789ab/adapter": "me", "/a/smith/adapter/": "smith", "/adapter": "adapter"} {
		if got := adapterName(filepath.FromSlash(dir)); got != want && filepath.Separator == '/' {
			t.Errorf("%s is named %q, want %q", dir, got, want)
		}
	}
}

func TestStretches(t *testing.T) {
	text := "One two three four. Five six.\n\nSeven eight nine. Ten eleven twelve thirteen.\nFourteen fifteen. Sixteen."
	list := stretches(stroke.Document{Text: text}, 4)
	var got []string
	whole := ""
	for _, s := range list {
		got = append(got, s.text)
		whole += s.gap + s.text
	}
	want := []string{"One two three four.", "Five six.\n\nSeven eight nine.", "Ten eleven twelve thirteen."}
	if strings.Join(got, "|") != strings.Join(want, "|") || !strings.HasPrefix(text, whole) {
		t.Errorf("%q", got)
	}
	a, b := alike("a b c d", "x y", 3)
	if a != "a b" || b != "x y" || likeness.Head(a, 9) != a {
		t.Errorf("%q and %q", a, b)
	}
}
