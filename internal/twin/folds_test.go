package twin

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
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
	if len(kept.Texts) == 0 {
		t.Fatal("no text by the folds is kept")
	}
	for _, x := range kept.Texts {
		text, ok := f.Text(x.Group)
		if !ok || l.Role(x.Group) != stroke.RoleJudge || !strings.Contains(text, x.Opening) || x.Twin == "" {
			t.Errorf("a text from %q of the document %s", x.Opening, x.Group)
		}
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
		said := strings.Contains(line.Answer, restsOnFolds)
		if want := line.Measure != ofForgetting; said != want && line.State != "unsaid" {
			t.Errorf("%s: %q", line.Measure, line.Answer)
		}
	}

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
