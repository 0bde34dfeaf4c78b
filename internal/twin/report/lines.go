package report

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
)

// State is what an answer comes to.
type State string

// The states.
const (
	Good   State = "good"   // beyond chance as one would wish
	Bad    State = "bad"    // beyond chance as one would not
	Open   State = "open"   // may be chance, or both
	Unsure State = "unsaid" // cannot be said
)

// Line is one question of a report with its answer, in a writer's words.
type Line struct {
	Measure  string `json:"measure"`
	Question string `json:"question"`
	Answer   string `json:"answer"`
	State    State  `json:"state"`
}

// Lines are the questions that a report answers, in order, those of measures
// that were not asked for left out.
func (r *Report) Lines() []Line {
	var out []Line
	for _, q := range []struct {
		measure, question string
		answer            func() (string, State)
	}{
		{"prediction", "Does it know how you go on?", r.sayPrediction},
		{"specificity", "Is that you, or what any prose would give?", r.saySpecificity},
		{"recognition", "Would it be taken for you?", r.sayRecognition},
		{"range", "Does it vary as you do?", r.sayRange},
		{"leakage", "Does it copy you?", r.sayLeakage},
		{"thought", "Does it think as you do?", r.sayThought},
		{"forgetting", "What has it forgotten?", r.sayForgetting},
		{"rewriting", "What does it keep when it rewrites?", r.sayRewriting},
		{"curve", "What would more of your words bring?", r.sayCurve},
		{"blind", "What do you say yourself?", r.sayBlind},
	} {
		answer, state := q.answer()
		if answer == "" {
			u, ok := r.unsaid(q.measure)
			if !ok {
				continue
			}
			answer, state = "cannot be said: "+u.Why, Unsure
			if u.Hint != "" {
				answer += "; " + u.Hint
			}
		}
		if on := r.Rests[q.measure]; on != "" && state != Unsure {
			answer += " (" + on + ")"
		}
		out = append(out, Line{q.measure, q.question, answer, state})
	}
	return out
}

// Title is what the report is of.
func (r *Report) Title() string { return "How like you is " + r.Twin + "?" }

// serving says what serves in place of the version that was measured.
func (r *Report) serving() string {
	for _, v := range r.Versions {
		if v.Live {
			return "the version " + v.ID + " serves"
		}
	}
	return "the base with your passages serves"
}

// Subtitle says which version of what was measured.
func (r *Report) Subtitle() string {
	state := "live"
	if !r.Live {
		state = "kept, not live: " + r.serving()
	}
	if r.Unproven {
		state += ", unproven"
	}
	if r.Folds > 0 {
		seen := "had never seen the part"
		if r.Learnt != "" {
			seen = "was not trained on the part, but " + r.Learnt + " had learnt some"
		}
		return fmt.Sprintf("version %s of %s, on %s; trained on all of your %s words, and judged in %d parts of them, each by a twin of its own that %s; %s",
			r.Version, r.Made.Format("2 January 2006"), filepath.Base(r.Base), count(r.Words.Train), r.Folds, seen, state)
	}
	seen := "that it has never seen"
	if r.Learnt != "" {
		much := "some"
		if n := r.Words.Learnt; n > 0 {
			much = count(n)
		}
		seen = fmt.Sprintf("of which %s had learnt %s", r.Learnt, much)
	}
	return fmt.Sprintf("version %s of %s, on %s; trained on %s of your words, judged by %s %s; %s",
		r.Version, r.Made.Format("2 January 2006"), filepath.Base(r.Base), count(r.Words.Train), count(r.Words.Judge), seen, state)
}

// sign is the state of a figure that should be above a bound.
func sign(i eval.Interval, bound float64) State {
	switch {
	case i.Low > bound:
		return Good
	case i.High < bound:
		return Bad
	}
	return Open
}

// leastUnits are the documents or blocks below which nothing is told, as in a verdict.
const leastUnits = 8

// told is the state of a figure whose interval stands on so many documents or blocks,
// and where these are too few what says so in place of it.
func told(s State, units int) (state State, few string) {
	if units >= leastUnits || s == Open {
		return s, ""
	}
	return Open, fmt.Sprintf("%s of text are too few to tell", some(units, "block", "blocks"))
}

func (r *Report) sayPrediction() (string, State) {
	p := r.Prediction
	if p == nil || !p.Over.Gain.Known() {
		return "", Unsure
	}
	state, few := told(sign(p.Over.Gain, 0), len(p.Over.Documents))
	lead := map[State]string{Good: "yes, better than your passages alone", Bad: "no, worse than your passages alone", Open: "it may, but by chance as well"}[state]
	if few != "" {
		lead = few + ": it goes on " + map[bool]string{true: "better", false: "no better"}[p.Over.Gain.Mean > 0] + " than your passages alone"
	}
	return fmt.Sprintf("%s, by %s. It is as unsure of your next token as of one among %.0f, the base with your passages among %.0f, the bare base among %.0f",
		lead, nats(p.Over.Gain), math.Exp(p.Base-p.Both.Gain.Mean), math.Exp(p.Base-p.Examples.Gain.Mean), math.Exp(p.Base)), state
}

func (r *Report) saySpecificity() (string, State) {
	s := r.Specificity
	if s == nil || !s.Gain.Known() {
		return "", Unsure
	}
	state, few := told(sign(s.Gain, 0), s.Units)
	lead := map[State]string{Good: "you", Bad: "any prose: adapters of other writers do better", Open: "that may be chance"}[state]
	switch {
	case few != "":
		lead = few
	case state == Good && len(s.Controls) < 2:
		state, lead = Open, "one other adapter is too few to tell"
	case state == Good && s.Stranger > 1-r.Level+1e-9:
		// As a verdict has it: the level of the interval and this chance shrink alike.
		state, lead = Open, fmt.Sprintf("it may be another's: one more of them might gain as much (p %.2g)", s.Stranger)
	}
	return fmt.Sprintf("%s: it gains %s more than %s", lead, natsAt(s.Gain, r.Level), some(len(s.Controls), "adapter of another writer", "adapters of other writers")), state
}

func (r *Report) sayRecognition() (string, State) {
	c := r.Recognition
	if c == nil || !c.Claim {
		return "", Unsure
	}
	state := Open
	switch {
	case c.Value.Low > 0 && c.Value.Value >= 0.5:
		state = Good
	case c.Value.High < 0.25:
		state = Bad
	}
	return fmt.Sprintf("%s on a scale where the bare base is 0 and you are 1, by a model that knows %s of your own passages among %d writers, and takes %s of others' for yours",
		ratio(c.Value), percent(c.Accuracy.Writer.Value), c.Accuracy.Classes, percent(c.Accuracy.Others.Value)), state
}

func (r *Report) sayRange() (string, State) {
	g := r.Range
	if g == nil || g.Range.Twin == nil || math.IsNaN(g.Range.Twin.Distance.Value) {
		return "", Unsure
	}
	if g.Monotone {
		return "no: " + g.Why, Bad
	}
	state := Open
	if g.Range.Nearer.Low > 0 {
		state = Good
	}
	return fmt.Sprintf("it varies %.2f times as much as you do (%.2f to %.2f). Its habits are %.3f from yours, the bare base's %.3f, those of your other pieces %.3f",
		g.Range.Twin.Spread.Value, g.Range.Twin.Spread.Low, g.Range.Twin.Spread.High, g.Range.Twin.Distance.Value, g.Range.Base.Distance.Value, g.Own.Distance.Value), state
}

// leastLooked are the words by a twin, four passages, below which that it copied nothing
// says nothing.
const leastLooked = 4 * likeness.Unit

func (r *Report) sayLeakage() (string, State) {
	l := r.Leakage
	if l == nil || l.Twin.Words == 0 {
		return "", Unsure
	}
	s := fmt.Sprintf("it has no run of %d words or more from your train text", likeness.LongRun)
	if l.Twin.Longest > 0 {
		s = fmt.Sprintf("%s of its words stand in runs of %d or more from your train text, and %s of those in your other pieces; the longest run has %d words",
			fine(l.Twin.Share.Value), likeness.LongRun, fine(l.Own.Share.Value), l.Twin.Longest)
	}
	if n := len(l.Leaks); n > 0 {
		s += fmt.Sprintf(". It gives away %s that stand once in your text, %.1f in a thousand words, where your other pieces have %.1f", some(n, "name, address or number", "names, addresses or numbers"), l.Rate.Value, l.OwnRate.Value)
	}
	switch {
	case l.Copier:
		return "yes: " + l.Why + ". " + strings.ToUpper(s[:1]) + s[1:], Bad
	case len(l.Leaks) > 0 && l.Rate.Low > l.OwnRate.High:
		return "no, but it gives away what is yours: " + s, Bad
	case l.Twin.Words < leastLooked:
		return fmt.Sprintf("too little to tell, in %s by it: %s", some(l.Twin.Words, "word", "words"), s), Open
	case len(l.Leaks) > 0 && !(l.Rate.Value <= l.OwnRate.Value):
		return "no, but it may give away what is yours: " + s, Open
	}
	return "no: " + s, Good
}

// kindNames say what stands against the writer's passage in each kind of pair.
var kindNames = map[eval.Kind]string{
	eval.KindOther: "another writer's passage", eval.KindElsewhere: "your own from elsewhere",
	eval.Kind(likeness.PairOrder): "broken order of argument", eval.Kind(likeness.PairStance): "stance turned round",
	eval.Kind(likeness.PairComparison): "comparisons turned round", eval.Kind(likeness.PairQuantity): "quantities turned round",
}

func (r *Report) sayThought() (string, State) {
	if r.Thought == nil || len(r.Thought.Kinds) == 0 {
		return "", Unsure
	}
	var better, worse []string
	leant, pairs := 0.0, 0
	for _, k := range r.Thought.Kinds {
		leant += k.Accuracy.Mean * float64(k.Pairs)
		pairs += k.Pairs
		// Of several kinds one is beyond chance by chance more often than of one.
		switch sign(k.Accuracy, 0.5) {
		case Good:
			if k.P*float64(len(r.Thought.Kinds)) < 0.05 {
				better = append(better, kindNames[k.Kind])
			}
		case Bad:
			// A passage out of its place costs more, and whoever learnt the writer's
			// sound saves more where there is more to save: this kind leans against the
			// twin, and says nothing where it does.
			if k.Kind != eval.KindElsewhere && k.Less*float64(len(r.Thought.Kinds)) < 0.05 {
				worse = append(worse, kindNames[k.Kind])
			}
		}
	}
	s := fmt.Sprintf("in %.0f of %s it leans more to what you wrote than %s does, where half would be chance", leant, some(pairs, "pair", "pairs"), r.Yardstick())
	state := Open
	switch {
	case len(better) > 0 && len(worse) == 0:
		state = Good
	case len(worse) > len(better):
		state = Bad
	}
	if len(better) > 0 {
		s += "; beyond chance by " + strings.Join(better, " and by ")
	}
	if len(worse) > 0 {
		s += "; less than by chance by " + strings.Join(worse, " and by ")
	}
	if len(better)+len(worse) == 0 {
		s += "; by no kind of pair is that beyond chance"
	}
	return s, state
}

// Yardstick is what thought is compared with.
func (r *Report) Yardstick() string {
	if r.Thought != nil && r.Thought.Yardstick != "" {
		return "the base with the adapter " + r.Thought.Yardstick
	}
	return "the bare base"
}

// atFull is what is forgotten at full strength.
func (r *Report) atFull() *eval.Forgetting {
	for i := range r.Forgetting {
		if r.Forgetting[i].Strength == 1 {
			return &r.Forgetting[i]
		}
	}
	return nil
}

func (r *Report) sayForgetting() (string, State) {
	f := r.atFull()
	if f == nil {
		return "", Unsure
	}
	state := Open
	lead := "a little"
	switch {
	case f.Text.High < 0.05 && f.Right.Mean >= f.BaseRight.Mean-0.05:
		state, lead = Good, "next to nothing"
	case f.Text.Low > 0.1 || f.Right.High < f.BaseRight.Mean:
		state, lead = Bad, "something"
	}
	cost := "costs it " + nats(f.Text) + " more than the bare base"
	if f.Text.Mean < 0 {
		cost = "costs it " + nats(eval.Interval{Mean: -f.Text.Mean, Low: -f.Text.High, High: -f.Text.Low}) + " less than the bare base"
	}
	return fmt.Sprintf("%s: plain text by others %s, and of simple questions it gets %s right, the base %s",
		lead, cost, percent(f.Right.Mean), percent(f.BaseRight.Mean)), state
}

// leastRewritten are the texts below which nothing is claimed of rewriting.
const leastRewritten = 3

func (r *Report) sayRewriting() (string, State) {
	w := r.Rewriting
	if w == nil || w.Passages == 0 {
		return "", Unsure
	}
	var kept []string
	for _, k := range []struct {
		name string
		i    likeness.Interval
	}{{"names", w.Names}, {"numbers", w.Numbers}, {"claims", w.Claims}} {
		if !math.IsNaN(k.i.Value) {
			kept = append(kept, percent(k.i.Value)+" of "+k.name)
		}
	}
	s := "of what a plain text says, " + strings.Join(kept, ", ") + ", in " + some(w.Texts, "text", "texts")
	if len(kept) == 0 {
		s = "there was nothing to keep"
	}
	state := Open
	if w.Claim {
		s += fmt.Sprintf(". It comes %s of the way from the plain text to you", ratio(w.Nearer))
		if w.Nearer.Low > 0 && w.Claims.Value >= 0.7 {
			state = Good
		}
	} else {
		s += ". How near it comes to you cannot be said: " + w.Why
	}
	switch {
	case w.Texts < leastRewritten:
		return "too little to tell: " + s, Open
	case w.Claims.High < 0.5:
		state = Bad
	}
	return s, state
}

func (r *Report) sayBlind() (string, State) {
	b := r.Blind
	if b == nil || b.Answered == 0 {
		return "", Unsure
	}
	state := sign(*b.Share, 0.5)
	return fmt.Sprintf("of %s you found the twin more like you in %d, the base with your passages in %d: %s for the twin (%s to %s)",
		some(b.Answered, "pair", "pairs"), b.Twins, b.Others, percent(b.Share.Mean), percent(b.Share.Low), percent(b.Share.High)), state
}

// nats writes a figure in nats a token, with its interval at 95 %.
func nats(i eval.Interval) string { return natsAt(i, 0.95) }

// natsAt is nats with an interval of another level.
func natsAt(i eval.Interval, level float64) string {
	return fmt.Sprintf("%.3f nats a token (%s: %.3f to %.3f)", i.Mean, eval.LevelText(level), i.Low, i.High)
}

func ratio(i likeness.Interval) string {
	return fmt.Sprintf("%.2f (%s)", i.Value, bounds(i.Low, i.High, 2))
}

// bounds says between what a figure lies.
func bounds(low, high float64, digits int) string {
	switch up, down := math.IsInf(high, 1), math.IsInf(low, -1); {
	case up && down:
		return "which may be anything"
	case up:
		return fmt.Sprintf("%.*f or more", digits, low)
	case down:
		return fmt.Sprintf("%.*f or less", digits, high)
	}
	return fmt.Sprintf("%.*f to %.*f", digits, low, digits, high)
}

func percent(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }

// fine writes small shares.
func fine(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }

func some(n int, one, many string) string {
	if n == 1 {
		return "one " + one
	}
	return count(n) + " " + many
}

// count writes a number with commas.
func count(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
