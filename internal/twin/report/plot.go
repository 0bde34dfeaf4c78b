package report

import (
	"fmt"
	"math"

	"github.com/getstroke/stroke/internal/eval"
)

// plot is a picture of gains by amount of text, in a box of plotWidth by plotHeight:
// words by their logarithm to the right, gains upwards.
type plot struct {
	Label  string
	Across []mark // marks of the words
	Up     []mark // marks of the gains
	Zero   float64
	Lines  []polyline
	Dots   []dot
}

type mark struct {
	At    float64
	Label string
	Right bool // the label ends at the mark
}

type polyline struct {
	Class, Points string
}

// dot is a gain with its interval.
type dot struct {
	Class             string
	X, Y, Top, Bottom float64
	Hollow            bool // nothing was measured there
	Value             string
}

// The box, and the part of it that is drawn in.
const (
	plotWidth, plotHeight  = 360.0, 250.0
	plotLeft, plotRight    = 40.0, 340.0
	plotTop, plotBottom    = 12.0, 222.0
	plotMargin, plotFinest = 0.03, 1e-4
	beside                 = 6.0  // from a twin's gain to that of passages, so that both are seen
	labelRoom              = 42.0 // between two marks, so that their labels do not meet
)

// picture draws a curve: what was measured, the line through it, and where that
// would lead.
func (c *Curve) picture() *plot {
	n := len(c.Points)
	if n < 2 || !c.Doubling.Known() {
		return nil
	}
	all := c.Points[n-1].Words
	x0, x1 := math.Log2(float64(c.Points[0].Words)), math.Log2(float64(all+c.MoreWords))
	pad := plotMargin * (x1 - x0)
	across := func(words int) float64 {
		return plotLeft + (plotRight-plotLeft)*(math.Log2(float64(words))-x0+pad)/(x1-x0+2*pad)
	}
	// The line goes through the mean of the points.
	meanX, meanY := 0.0, 0.0
	for _, p := range c.Points {
		meanX += math.Log2(float64(p.Words)) / float64(n)
		meanY += p.Both.Mean / float64(n)
	}
	line := func(words int) float64 {
		return meanY + c.Doubling.Mean*(math.Log2(float64(words))-meanX)
	}
	further := eval.Interval{Mean: line(all) + c.More.Mean, Low: line(all) + c.More.Low, High: line(all) + c.More.High}
	lo, hi := min(0, further.Low), max(plotFinest, further.High)
	for _, p := range c.Points {
		lo, hi = min(lo, p.Both.Low, p.Examples.Low), max(hi, p.Both.High, p.Examples.High)
	}
	step := stepOf(hi-lo, nil)
	lo, hi = math.Floor(lo/step)*step, math.Ceil(hi/step)*step
	up := func(v float64) float64 { return plotBottom - (plotBottom-plotTop)*(v-lo)/(hi-lo) }
	at := func(words int, v float64) string { return fmt.Sprintf("%.1f,%.1f ", across(words), up(v)) }

	p := &plot{Label: "gain over the bare base by amount of text", Zero: up(0)}
	for k := range int(math.Round((hi-lo)/step)) + 1 {
		v := lo + float64(k)*step
		p.Up = append(p.Up, mark{At: up(v), Label: short(v, step)})
	}
	passages := polyline{Class: "base"}
	for _, x := range c.Points {
		passages.Points += fmt.Sprintf("%.1f,%.1f ", across(x.Words)+beside, up(x.Examples.Mean))
		p.Across = append(p.Across, mark{At: across(x.Words), Label: count(x.Words)})
		p.Dots = append(p.Dots, dotOf("base", across(x.Words)+beside, up, x.Examples), dotOf("twin", across(x.Words), up, x.Both))
	}
	end := all + c.MoreWords
	if across(end)-across(all) > labelRoom {
		p.Across = append(p.Across, mark{At: across(end), Label: count(end), Right: true})
	}
	p.Lines = []polyline{passages, {"twin", at(c.Points[0].Words, line(c.Points[0].Words)) + at(all, line(all))}, {"twin on", at(all, line(all)) + at(end, further.Mean)}}
	last := dotOf("twin", across(end), up, further)
	last.Hollow = true
	p.Dots = append(p.Dots, last)
	return p
}

func dotOf(class string, x float64, up func(float64) float64, i eval.Interval) dot {
	return dot{Class: class, X: x, Y: up(i.Mean), Top: up(i.High), Bottom: up(i.Low), Value: fmt.Sprintf("%.3f (%.3f to %.3f)", i.Mean, i.Low, i.High)}
}
