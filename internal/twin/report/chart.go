package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
)

// chart is rows of figures with their intervals on one scale.
type chart struct {
	Caption string
	Ticks   []tick
	Rows    []row
	Unit    string
}

// tick is a mark of the scale; Strong for the one that figures are held against.
type tick struct {
	At     float64 // percent of the width
	Label  string
	Strong bool
}

// row is one figure.
type row struct {
	Label, Value string
	Class        string  // of the writer, the twin, the base or another
	At, Low, Len float64 // percent of the width; Len is that of the interval
	Known        bool
}

// figure is a row before it has a scale.
type figure struct {
	label, class   string
	mean, low, hig float64
}

// Figure is a figure of a [Chart].
type Figure struct {
	Label string
	Class string // "writer", "twin", "base" or "other": its colour
	Of    eval.Interval
}

// Chart is figures with their intervals on one scale, for the part "chart" of a
// [Page].
type Chart = *chart

// NewChart lays figures out on one scale that holds zero and them all. digits are
// those of what is written.
func NewChart(caption, unit string, digits int, list []Figure) Chart {
	var figs []figure
	for _, f := range list {
		figs = append(figs, of(f.Label, f.Class, f.Of))
	}
	return figures(caption, unit, digits, fromZero, figs)
}

// span is what a scale must hold beside its figures: marks that figures are held
// against, and its ends.
type span struct{ strong, hold []float64 }

// The scales in use.
var (
	fromZero = span{strong: []float64{0}}
	aroundIt = span{strong: []float64{1}} // multiples
	between  = span{strong: []float64{0, 1}}
	shares   = span{hold: []float64{0, 1}}
	byChance = span{strong: []float64{0.5}, hold: []float64{0, 1}}
)

// figures lays figures out on one scale that holds them all and what the span
// asks for. digits are those of what is written.
func figures(caption, unit string, digits int, on span, list []figure) *chart {
	lo, hi := math.Inf(1), math.Inf(-1)
	hold := func(v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	for _, s := range slices.Concat(on.strong, on.hold) {
		hold(s)
	}
	for _, f := range list {
		hold(f.mean)
		hold(f.low)
		hold(f.hig)
	}
	if !(hi > lo) {
		lo, hi = lo-1, hi+1
	}
	if math.IsInf(lo, 0) || math.IsNaN(lo) {
		lo, hi = 0, 1
	}
	step := stepOf(hi-lo, on.strong)
	lo, hi = math.Floor(lo/step)*step, math.Ceil(hi/step)*step
	at := func(v float64) float64 { return 100 * (min(max(v, lo), hi) - lo) / (hi - lo) }
	c := &chart{Caption: caption, Unit: unit}
	for k := range int(math.Round((hi-lo)/step)) + 1 {
		v := lo + float64(k)*step
		t := tick{At: at(v), Label: short(v, step)}
		for _, s := range on.strong {
			t.Strong = t.Strong || math.Abs(s-v) < step/1e3
		}
		c.Ticks = append(c.Ticks, t)
	}
	for _, f := range list {
		r := row{Label: f.label, Class: f.class, Known: !math.IsNaN(f.mean), Value: "not known"}
		if r.Known {
			r.At, r.Low = at(f.mean), at(f.low)
			r.Len = at(f.hig) - r.Low
			r.Value = fmt.Sprintf("%.*f", digits, f.mean)
			if f.low < f.hig {
				r.Value += " (" + bounds(f.low, f.hig, digits) + ")"
			}
		}
		c.Rows = append(c.Rows, r)
	}
	return c
}

// stepOf is a round step that cuts a span into two to five and meets the strong
// marks.
func stepOf(span float64, strong []float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(span)))
	for _, m := range []float64{0.2, 0.25, 0.5, 1, 2} {
		meets := true
		for _, s := range strong {
			at := s / (m * base)
			meets = meets && math.Abs(at-math.Round(at)) < 1e-6
		}
		if meets && span/(m*base) <= 5 {
			return m * base
		}
	}
	return 5 * base
}

// short writes a mark of a scale with the digits that its step asks for.
func short(v, step float64) string {
	digits := 0
	for s := step; digits < 6 && math.Abs(s-math.Round(s)) > 1e-6; s *= 10 {
		digits++
	}
	if math.Abs(v) < step/2 {
		v = 0 // and not −0
	}
	return fmt.Sprintf("%.*f", digits, v)
}

// habit is the picture of one habit of writer, base and twin.
type habit struct {
	Name, Of string
	Note     string // how far the twin's is from the writer's
	Steps    bool
	// Of a scale: lines through the shares, in a box of 300 by 110.
	Writer, Twin, Base string
	Low, Middle, High  string // labels of the scale
	// Of kinds: three bars each.
	Kinds  []kindBars
	Height int
}

// kindBars are the bars of one kind in a picture of kinds, in units of the box.
type kindBars struct {
	Label              string
	Y                  int
	Writer, Twin, Base float64 // widths
	Share              string
}

const (
	boxWidth  = 300.0
	boxHeight = 96.0
	barsFrom  = 112.0
	barsWidth = boxWidth - barsFrom - 4
	kindStep  = 24
)

// habits draws each habit.
func (r *Range) habits() []habit {
	var out []habit
	for i, w := range r.WriterHabits {
		if i >= len(r.TwinHabits) || i >= len(r.BaseHabits) || r.Range.Twin == nil || i >= len(r.Range.Twin.Habits) {
			break
		}
		t, b := r.TwinHabits[i], r.BaseHabits[i]
		h := habit{Name: strings.ToUpper(w.Name[:1]) + w.Name[1:], Of: w.Of, Steps: w.Steps, Note: distanceNote(r, i)}
		if w.Steps {
			h.lines(w, t, b)
		} else {
			h.bars(w, t, b)
		}
		out = append(out, h)
	}
	return out
}

func distanceNote(r *Range, i int) string {
	one := func(c *likeness.Comparison) string {
		if c == nil || i >= len(c.Habits) || math.IsNaN(c.Habits[i].Distance.Value) {
			return "?"
		}
		return short(c.Habits[i].Distance.Value, 0.01)
	}
	return fmt.Sprintf("distance from yours: twin %s, base %s, your other pieces %s", one(r.Range.Twin), one(r.Range.Base), one(r.Own))
}

// mostPoints is how many steps of a scale are drawn: with more the little text
// of twin and base would be all spikes.
const mostPoints = 14

// merged joins neighbouring steps of a scale, by at a time, from lo up to hi.
func merged(shares []float64, lo, hi, by int) []float64 {
	var out []float64
	for k := lo; k <= hi; k += by {
		sum := 0.0
		for _, v := range shares[k:min(k+by, hi+1)] {
			sum += v
		}
		out = append(out, sum)
	}
	return out
}

// lines draws shares of a scale; its empty ends are cut off.
func (h *habit) lines(w, t, b likeness.Profile) {
	all := [][]float64{w.Shares, t.Shares, b.Shares}
	lo, hi, top := len(w.Shares)-1, 0, 0.0
	for _, shares := range all {
		for k, v := range shares {
			if v > 0.004 {
				lo, hi = min(lo, k), max(hi, k)
			}
		}
	}
	if hi <= lo {
		lo, hi = 0, len(w.Shares)-1
	}
	by := (hi-lo)/mostPoints + 1
	for i, shares := range all {
		all[i] = merged(shares, lo, hi, by)
		for _, v := range all[i] {
			top = max(top, v)
		}
	}
	line := func(shares []float64) string {
		var p []string
		for k, v := range shares {
			p = append(p, fmt.Sprintf("%.1f,%.1f", 2+(boxWidth-4)*float64(k)/float64(max(len(shares)-1, 1)), boxHeight-2-(boxHeight-8)*v/max(top, 1e-9)))
		}
		return strings.Join(p, " ")
	}
	h.Writer, h.Twin, h.Base = line(all[0]), line(all[1]), line(all[2])
	last := lo + (len(all[0])-1)*by
	h.Low, h.Middle, h.High = w.Labels[lo], w.Labels[(lo+last)/2], w.Labels[last]
	h.Height = int(boxHeight) + 14
}

// bars draws shares of kinds, those that nobody has left out.
func (h *habit) bars(w, t, b likeness.Profile) {
	top := 0.0
	for _, shares := range [][]float64{w.Shares, t.Shares, b.Shares} {
		for k, v := range shares {
			if !plain(w.Labels[k]) {
				top = max(top, v)
			}
		}
	}
	for k, label := range w.Labels {
		if plain(label) || max(w.Shares[k], t.Shares[k], b.Shares[k]) < 0.002 {
			continue
		}
		width := func(v float64) float64 { return math.Round(10*barsWidth*v/max(top, 1e-9)) / 10 }
		if name, ok := markNames[label]; ok {
			label = name
		}
		h.Kinds = append(h.Kinds, kindBars{Label: label, Y: kindStep * len(h.Kinds), Writer: width(w.Shares[k]), Twin: width(t.Shares[k]), Base: width(b.Shares[k]),
			Share: fmt.Sprintf("%s: you %s, twin %s, base %s", label, fine(w.Shares[k]), fine(t.Shares[k]), fine(b.Shares[k]))})
	}
	h.Height = kindStep * max(len(h.Kinds), 1)
}

// markNames are those of punctuation marks, which are too small to be seen.
var markNames = map[string]string{",": "comma", ";": "semicolon", ":": "colon", "—": "dash", "(": "bracket", "?": "question mark",
	"!": "exclamation", `"`: "quotation", "...": "dots", ".": "full stop"}

// plain are the kinds that say that nothing was seen: they would dwarf the
// others.
func plain(label string) bool { return label == "plain" || label == "no figure" || label == "none" }

// markup gives a text with its marks as HTML.
func (m Marked) markup() template.HTML {
	var b strings.Builder
	text := func(s string) {
		b.WriteString(strings.ReplaceAll(template.HTMLEscapeString(s), "\n\n", "</p><p>"))
	}
	b.WriteString("<p>")
	at := 0
	for _, k := range m.Marks {
		if k.Lo < at || k.Hi > len(m.Text) || k.Hi < k.Lo {
			continue // not of this text
		}
		text(m.Text[at:k.Lo])
		class := string(k.Kind)
		if class != string(likeness.MarkRun) && class != string(likeness.MarkTurn) {
			class = string(likeness.MarkWord)
		}
		// A mark that goes over the end of a paragraph is cut there.
		for i, part := range strings.Split(m.Text[k.Lo:k.Hi], "\n\n") {
			if i > 0 {
				b.WriteString("</p><p>")
			}
			b.WriteString(`<mark class="` + class + `">` + template.HTMLEscapeString(part) + "</mark>")
		}
		at = k.Hi
	}
	text(m.Text[at:])
	b.WriteString(" …</p>")
	return template.HTML(b.String())
}
