package report

import (
	"fmt"
	"strings"

	"github.com/getstroke/stroke/internal/eval"
)

// Curve is what twins of less of the writer's text gain, each by the version's
// recipe and judged by the same documents, and what more of it would bring.
type Curve struct {
	Points    []CurvePoint  `json:"points"`     // from the least words to all
	Doubling  eval.Interval `json:"doubling"`   // nats per token that twice the words bring, by a straight line over the logarithm of the words
	MoreWords int           `json:"more_words"` // that the line is gone on with
	More      eval.Interval `json:"more"`       // nats per token that they would bring
	Unit      string        `json:"unit"`       // what the intervals are over: "documents", "parts of one document" or "blocks"
	Units     int           `json:"units"`      // how many of them
}

// CurvePoint is a twin of some of the text. Gains are in nats per token.
type CurvePoint struct {
	Words    int           `json:"words"`
	Examples eval.Interval `json:"examples"` // passages of these words alone, over the bare base
	Adapter  eval.Interval `json:"adapter"`  // over the bare base
	Both     eval.Interval `json:"both"`     // over the bare base
	Over     eval.Interval `json:"over"`     // both, over examples of these words
	Seconds  float64       `json:"train_seconds,omitempty"`
}

func (r *Report) sayCurve() (string, State) {
	c := r.Curve
	if c == nil || len(c.Points) < 2 || !c.Doubling.Known() {
		return "", Unsure
	}
	var at []string
	for i, p := range c.Points {
		switch i {
		case 0:
			at = append(at, fmt.Sprintf("it gains %.3f nats a token over the bare base with %s words of yours", p.Both.Mean, count(p.Words)))
		case len(c.Points) - 1:
			at = append(at, fmt.Sprintf("%.3f with all %s", p.Both.Mean, count(p.Words)))
		default:
			at = append(at, fmt.Sprintf("%.3f with %s", p.Both.Mean, count(p.Words)))
		}
	}
	state, few := told(sign(c.Doubling, 0), c.Units)
	lead := map[State]string{Good: "more", Bad: "nothing, by this curve", Open: "it may be nothing"}[state]
	if few != "" {
		lead = few
	}
	return fmt.Sprintf("%s: %s; twice the words bring %s. Another %s would by that line bring %.3f (%.3f to %.3f)",
		lead, strings.Join(at, ", "), nats(c.Doubling), count(c.MoreWords), c.More.Mean, c.More.Low, c.More.High), state
}

func (r *Report) pageCurve() *section {
	c := r.Curve
	if c == nil || len(c.Points) == 0 {
		return nil
	}
	answer, _ := r.sayCurve()
	s := &section{ID: "curve", Heading: "What would more of your words bring?",
		Text:   []string{fmt.Sprintf("Twins of a part of your text, by the same recipe as this one and judged by the same %s. Each smaller part lies within the larger.", c.Unit)},
		Fooled: "One draw of the text and one seed for each amount: the intervals are over judge text and know nothing of how another draw would have done. What three points show near each other is gone on with far beyond them, and a line over the logarithm of the words knows no end, while what a base can learn of you has one."}
	if answer != "" {
		s.Text = append(s.Text, strings.ToUpper(answer[:1])+answer[1:]+".")
	}
	s.Plot = c.picture()
	var gain, over []figure
	for _, p := range c.Points {
		gain = append(gain, of(count(p.Words)+" words: twin", "twin", p.Both), of(count(p.Words)+" words: passages", "base", p.Examples))
		over = append(over, of(count(p.Words)+" words", "twin", p.Over))
	}
	s.Charts = append(s.Charts, figures("The same in figures", "nats a token", 3, fromZero, gain),
		figures("Gain of the twin over your passages alone", "nats a token", 3, fromZero, over),
		figures("What more would bring", "nats a token", 3, fromZero, []figure{of("twice the words", "twin", c.Doubling), of("another "+count(c.MoreWords)+" words", "twin", c.More)}))
	return s
}
