package twin

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/twin/report"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

// TestReportFolds makes the report of a version that was cross-fitted: its figures are
// those of the folds and not of what was trained on everything, and it says so.
func TestReportFolds(t *testing.T) {
	if testing.Short() {
		t.Skip("trains four twins")
	}
	f, _ := trained(t, crossed(t))
	v, err := f.Version("")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := f.folds(v)
	if err != nil || kept == nil {
		t.Fatal(kept, err)
	}
	l, err := f.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	judged := map[string]bool{}
	for _, g := range kept.Predicted.Groups {
		judged[g] = true
	}
	for _, e := range l.Entries {
		if e.Words > 2*askWords && !judged[e.Hash] {
			t.Errorf("of %s no loss is kept", e.Source)
		}
	}
	roles, wrote := map[stroke.Role]int{}, map[int]int{}
	for _, x := range kept.Texts {
		roles[l.Role(x.Group)]++
		wrote[x.Fold]++
		text, ok := f.Text(x.Group)
		if !ok || !strings.Contains(text, x.Opening) || !strings.Contains(text, x.Own) || x.Twin == "" || slices.Contains(kept.Learnt[x.Fold], x.Group) {
			t.Errorf("a text from %q of the document %s", x.Opening, x.Group)
		}
	}
	if roles[stroke.RoleTrain] == 0 || roles[stroke.RoleJudge] == 0 || len(wrote) != crossFolds {
		t.Errorf("texts of the roles %v by the folds %v", roles, wrote)
	}

	measures := []string{ofPrediction, ofRange, ofLeakage, ofForgetting}
	r, _, err := Report(context.Background(), ReportOptions{Name: f.Dir, Measures: measures}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Folds != crossFolds || r.Prediction == nil || r.Range == nil || r.Leakage == nil {
		t.Fatalf("the report is %+v", r)
	}
	h := v.HeldOut
	for name, d := range map[string]float64{"base": r.Prediction.Base - h.Base, "examples": r.Prediction.Base - r.Prediction.Examples.Gain.Mean - h.Examples,
		"adapter": r.Prediction.Base - r.Prediction.Adapter.Gain.Mean - h.Adapter, "both": r.Prediction.Base - r.Prediction.Both.Gain.Mean - h.Both} {
		if math.Abs(d) > 1e-6 {
			t.Errorf("%s is %g from what the verdict says", name, d)
		}
	}
	if !strings.Contains(r.Subtitle(), "3 parts") || strings.Contains(r.Subtitle(), "judged by") {
		t.Errorf("it says %q", r.Subtitle())
	}
	for _, line := range r.Lines() {
		said := strings.Contains(line.Answer, restsOnFolds) || strings.Contains(line.Answer, "each by one that had not seen the document")
		if want := line.Measure != ofForgetting; said != want && line.State != "unsaid" {
			t.Errorf("%s: %q", line.Measure, line.Answer)
		}
	}

	inParts(t, f, v, kept)
	onAnother(t, f, measures)

	path := filepath.Join(f.Dir, versionsDir, v.ID, foldsFile)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b[:len(b)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Report(context.Background(), ReportOptions{Name: f.Dir, Measures: measures}, nil); stroke.CodeOf(err) != stroke.CodeFailure || !strings.Contains(err.Error(), foldsFile) {
		t.Errorf("with %s cut short: %v", foldsFile, err)
	}
}

// onAnother demands of a report on another base than the version's that nothing in it is
// of the version's.
func onAnother(t *testing.T, f *Folder, measures []string) {
	t.Helper()
	base := testkit.Toy(t, testkit.ToyShape{BOS: true})
	var notes heard
	r, _, err := Report(context.Background(), ReportOptions{Name: f.Dir, Base: base, Measures: measures}, notes.take)
	if err != nil {
		t.Fatal(err)
	}
	if !notes.noted("on " + base + " the version itself is measured") {
		t.Error("it does not say that the folds are of another base")
	}
	if r.Folds != 0 || r.Words.Learnt != r.Words.Judge || r.Rests[ofSpecificity] != "" || strings.Contains(r.Subtitle(), "never seen") || !strings.Contains(r.Subtitle(), "of which the twin itself had learnt") {
		t.Errorf("on another base, judged in %d parts, %+v: %q; %q", r.Folds, r.Words, r.Subtitle(), r.Rests[ofSpecificity])
	}
	if page, err := r.HTML(); err != nil || bytes.Contains(page, []byte("never saw")) || bytes.Contains(page, []byte("never seen the part")) {
		t.Errorf("on another base the page says that training never saw what judges: %v", err)
	}
	for _, line := range r.Lines() {
		if want := line.Measure != ofForgetting; strings.Contains(line.Answer, restsOnAll) != want && line.State != "unsaid" {
			t.Errorf("on another base %s: %q", line.Measure, line.Answer)
		}
	}
	for of, want := range map[string]bool{"": true, base: false} {
		m, err := measure(context.Background(), f.Dir, of, func(stroke.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		defer m.close()
		m.v.Verdict.Specificity = &verdict.Specificity{Specificity: eval.Specificity{Controls: make([]eval.ControlGain, 2)}}
		p := &reporter{measured: m, o: ReportOptions{Seed: 1, Measures: []string{ofSpecificity}}, r: &report.Report{}}
		list, err := p.list(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if has := slices.ContainsFunc(list, func(s *stage) bool { return s.name == ofSpecificity }); has != want || len(p.r.Unsaid) > 0 == want {
			t.Errorf("on the base %q specificity is the verdict's: %v, unsaid %v", of, has, p.r.Unsaid)
		}
	}
}

// inParts follows the hashes of the texts through a report: what a part is measured
// by has nothing of the documents that its texts begin in, nor of their near
// duplicates, and all texts are in one part each, at equal lengths.
func inParts(t *testing.T, f *Folder, v *Version, kept *foldsKept) {
	t.Helper()
	m, err := measure(context.Background(), f.Dir, "", func(stroke.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	p := &reporter{measured: m, folds: kept, o: ReportOptions{Seed: 1}}
	s := p.written()
	s.path = filepath.Join(f.Dir, versionsDir, v.ID, reportDir, s.name+".json")
	if !p.load(s) {
		t.Fatal("the texts of the report are not kept")
	}
	n := 0
	for _, part := range p.inParts() {
		known := map[string]bool{}
		for _, d := range part.train {
			known[clusterOf(d, m.ledger)] = true
		}
		if len(known) == 0 || len(part.base) == 0 {
			t.Errorf("a part has %d documents and %d texts by the base to learn from", len(known), len(part.base))
		}
		begun := map[string]bool{}
		for i, q := range part.sides.Own {
			n++
			begun[q.Group] = true
			if known[clusterOf(stroke.Document{Hash: q.Group}, m.ledger)] {
				t.Errorf("a part learns from the document %s that a text begins in", q.Group)
			}
			words := len(strings.Fields(q.Text))
			for _, other := range []likeness.Piece{part.sides.Twin[i], part.sides.Base[i]} {
				if other.Group != q.Group || len(strings.Fields(other.Text)) != words {
					t.Errorf("beside %d words of %s stand %d of %s", words, q.Group, len(strings.Fields(other.Text)), other.Group)
				}
			}
		}
		for _, q := range part.base {
			if begun[q.Group] {
				t.Errorf("a part learns what the base wrote from the document %s", q.Group)
			}
		}
	}
	if n != len(kept.Texts) {
		t.Errorf("of %d texts %d are in parts", len(kept.Texts), n)
	}
	for _, q := range p.beside().base {
		if m.ledger.Role(q.Group) == stroke.RoleJudge {
			t.Errorf("beside judge documents stands what the base wrote from one")
		}
	}

	// A version whose folds wrote from judge documents alone has one part.
	old := *kept
	old.Learnt = nil
	p = &reporter{measured: m, folds: &old, texts: texts{Judge: []writtenText{{Group: m.judge[0].Hash, Own: "own", Twin: "twin", Base: "base"}}}}
	if parts := p.inParts(); len(parts) != 1 || len(parts[0].train) != len(m.train) || p.beside() != parts[0] {
		t.Errorf("there are %d parts", len(parts))
	}
}

// TestFoldOpenings takes few places where documents are long and more where they are
// short, so that either gives passages enough.
func TestFoldOpenings(t *testing.T) {
	doc := func(hash string, sentences int) stroke.Document {
		return stroke.Document{Hash: hash, Text: strings.Repeat("Of ten words in a row this sentence has them all. ", sentences)}
	}
	if n := len(foldOpenings([]stroke.Document{doc("a", 1000)})); n != 8 {
		t.Errorf("%d places in a long document", n)
	}
	var notes []stroke.Document
	for i := range 20 {
		notes = append(notes, doc(fmt.Sprint(i), 10))
	}
	if n := len(foldOpenings(notes)); n != foldPlaces {
		t.Errorf("%d places in notes", n)
	}
}
