package report

import (
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/eval"
)

// TestPicture demands all that is drawn within the box, in order of the words, the
// dot beyond them hollow, and no picture of nothing.
func TestPicture(t *testing.T) {
	at := func(v float64) eval.Interval { return eval.Interval{Mean: v, Low: v - 0.02, High: v + 0.02} }
	for name, c := range map[string]*Curve{
		"rising":  {Points: []CurvePoint{{Words: 500, Both: at(0.05), Examples: at(0.01)}, {Words: 2000, Both: at(0.15), Examples: at(0)}}, Doubling: at(0.05), MoreWords: 5000, More: at(0.09)},
		"falling": {Points: []CurvePoint{{Words: 20000, Both: at(-0.05)}, {Words: 40000, Both: at(-0.2)}}, Doubling: at(-0.15), MoreWords: 5000, More: at(-0.03)},
		"nothing": {Points: []CurvePoint{{Words: 500}, {Words: 1000}}, MoreWords: 5000},
	} {
		p := c.picture()
		last := 0.0
		for _, m := range p.Across {
			if m.At <= last || m.At > plotRight {
				t.Errorf("%s: a mark of the words at %g behind %g", name, m.At, last)
			}
			last = m.At
		}
		for i, d := range p.Dots {
			if d.X < plotLeft || d.X > plotRight || d.Top < plotTop-0.01 || d.Bottom > plotBottom+0.01 || d.Top > d.Bottom {
				t.Errorf("%s: a dot outside of the box: %+v", name, d)
			}
			if d.Hollow != (i == len(p.Dots)-1) {
				t.Errorf("%s: dot %d is hollow: %v", name, i, d.Hollow)
			}
		}
		for _, l := range p.Lines {
			if strings.Contains(l.Points, "NaN") {
				t.Errorf("%s: %s", name, l.Points)
			}
		}
	}
	if p := (&Curve{Points: []CurvePoint{{Words: 500}}}).picture(); p != nil {
		t.Error("a picture of one point")
	}
}
