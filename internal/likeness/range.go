package likeness

import (
	"fmt"
	"strings"

	"github.com/getstroke/stroke/internal/likeness/prose"
	"github.com/getstroke/stroke/internal/likeness/reference"
)

// HabitDistance is how far one habit in some texts is from the same in the
// writer's.
type HabitDistance struct {
	Habit
	// Distance is the energy distance between the two distributions as a share of
	// its largest value (Székely and Rizzo, 2013): 0 where they are the same, 1
	// where they have nothing in common. It is estimated from pairs of different
	// groups alone, so it does not grow when text is little, and it can fall a
	// little below 0.
	Distance Interval `json:"distance"`
	// Spread is how unlike each other two observations of the texts are, as a
	// multiple of the same in the writer's: below 1 for a monotone text.
	Spread Interval `json:"spread"`
	// P is the p-value of "the same distribution", from dealing groups anew.
	P float64 `json:"p"`
}

// Comparison is the habits of some texts against the writer's.
type Comparison struct {
	Habits   []HabitDistance `json:"habits"`   // in the order of [Habits]
	Distance Interval        `json:"distance"` // mean over the habits that can be told of both twin and writer
	Spread   Interval        `json:"spread"`   // geometric mean over the same; a habit without any variety counts as one with next to none
	P        float64         `json:"p"`        // of "the same distributions", by the sum of distances
	Groups   int             `json:"groups"`   // of the texts compared
}

// unit is a group's habits: the bins, how many observations there are, and the
// sum of distances over their pairs.
type unit struct {
	group      string // that it is drawn by
	document   string // that it is of: the group, unless that was cut
	bins       *histogram
	count, own [habitCount]float64
}

// close fills what follows from the bins.
func (u *unit) close() {
	for i, bins := range u.bins {
		for _, v := range bins {
			u.count[i] += v
		}
		u.own[i] = apart(i, bins, bins)
	}
}

// side is what one side of a comparison holds.
type side struct {
	groups []*unit
}

// minGroups is how many groups a side has at least; below it pieces are cut
// at paragraphs, and intervals then say less than with as many real pieces.
const minGroups = 6

func newSide(pieces []Piece, table *reference.Table) side {
	var g grouping
	for _, p := range pieces {
		g.of(p.Group)
	}
	documents := make([]string, len(pieces))
	for i, p := range pieces {
		documents[i] = p.Group
	}
	if len(g.number) < minGroups {
		pieces, documents = atParagraphs(pieces)
	}
	g = grouping{}
	var s side
	for i, p := range pieces {
		n := g.of(p.Group)
		if n == len(s.groups) {
			s.groups = append(s.groups, &unit{group: p.Group, document: documents[i], bins: newHistogram()})
		}
		s.groups[n].bins.observe(p.Text, table)
	}
	for _, u := range s.groups {
		u.close()
	}
	return s
}

// atParagraphs cuts pieces into groups of paragraphs of at least [Unit] words, and
// says what group each was of.
func atParagraphs(pieces []Piece) (out []Piece, of []string) {
	for i, p := range pieces {
		var part []string
		words := 0
		flush := func() {
			if len(part) > 0 {
				out = append(out, Piece{fmt.Sprintf("%s %d.%d", p.Group, i, len(out)), strings.Join(part, "\n\n")})
				of = append(of, p.Group)
				part, words = nil, 0
			}
		}
		for _, q := range prose.Paragraphs(p.Text) {
			part = append(part, q.Of(p.Text))
			if words += countWords(q.Of(p.Text)); words >= Unit {
				flush()
			}
		}
		flush()
	}
	return out, of
}

// apart is Σ|x−y| over the pairs of two histograms of a habit.
func apart(habit int, a, b []float64) float64 {
	if habits[habit].Steps {
		// Σ|x−y| is, step by step, the pairs that lie on different sides of it.
		nA, nB := 0.0, 0.0
		for i := range a {
			nA += a[i]
			nB += b[i]
		}
		sum, belowA, belowB := 0.0, 0.0, 0.0
		for i := range a {
			belowA += a[i]
			belowB += b[i]
			sum += belowA*(nB-belowB) + belowB*(nA-belowA)
		}
		return sum
	}
	nA, nB, same := 0.0, 0.0, 0.0
	for i := range a {
		nA += a[i]
		nB += b[i]
		same += a[i] * b[i]
	}
	return nA*nB - same
}

// spreads are the mean distances of a habit within and between two sides, over
// pairs of different groups. drawn is how often each group counts, by side; same are
// the pairs of one group on each side that are of one document and left out.
func spreads(habit int, a, b side, same [][2]int, drawn [][]float64) (within [2]float64, between float64) {
	total := [2][]float64{}
	for i, s := range []side{a, b} {
		total[i] = make([]float64, len(habits[habit].Labels))
		own, pairs := 0.0, 0.0
		n := 0.0
		for k, g := range s.groups {
			w := drawn[i][k]
			if w == 0 {
				continue
			}
			for bin, v := range g.bins[habit] {
				total[i][bin] += w * v
			}
			own += w * w * g.own[habit]
			pairs -= w * w * g.count[habit] * g.count[habit]
			n += w * g.count[habit]
		}
		within[i] = (apart(habit, total[i], total[i]) - own) / (pairs + n*n)
	}
	nA, nB := 0.0, 0.0
	for i := range total[0] {
		nA += total[0][i]
		nB += total[1][i]
	}
	sum, pairs := apart(habit, total[0], total[1]), nA*nB
	for _, at := range same {
		if w := drawn[0][at[0]] * drawn[1][at[1]]; w > 0 {
			x, y := a.groups[at[0]], b.groups[at[1]]
			sum -= w * apart(habit, x.bins[habit], y.bins[habit])
			pairs -= w * x.count[habit] * y.count[habit]
		}
	}
	return within, sum / pairs
}

// ofOneDocument are the pairs of a group of each side that are of one document.
func ofOneDocument(a, b side) (same [][2]int) {
	for i, x := range a.groups {
		for k, y := range b.groups {
			if x.document == y.document {
				same = append(same, [2]int{i, k})
			}
		}
	}
	return same
}

func energy(within [2]float64, between float64) float64 {
	if between == 0 {
		return 0
	}
	return (2*between - within[0] - within[1]) / (2 * between)
}

// Range is how much of the writer's variety a twin has.
type Range struct {
	Twin *Comparison `json:"twin"` // against the writer's train text
	Base *Comparison `json:"base"` // against the writer's train text
	Own  *Comparison `json:"own"`  // against the writer's train text
	// Nearer is how much less the twin's habits lie from the writer's than the base's do.
	Nearer     Interval      `json:"nearer"`
	Repetition [3]Repetition `json:"repetition"`
	Monotone   bool          `json:"monotone"`      // the twin is less varied, or repeats itself more, than chance allows
	Why        string        `json:"why,omitempty"` // it is called so; empty otherwise
}

// The order of Repetition in a [Range].
const (
	OfTwin = iota
	OfBase
	OfOwn
)

// Bounds of monotony: what a twin is allowed beside the writer.
const (
	monotoneSpread     = 0.85 // of the spread of the writer's own judge pieces
	monotoneRepetition = 0.03 // more of the words in repeated runs
)

// MeasureRange compares the habits of twin, base and the writer's judge pieces
// with the writer's train text, and how much each repeats, in passages of size words
// ([Unit], but for texts that are shorter). What the judge pieces
// come to is the floor: nothing can be asked to be nearer than the writer is.
// Where judge pieces are of train documents, as where each text was written by a
// twin that had not seen its document, no text is set against its own document, and
// documents are drawn for both sides at once.
func MeasureRange(train []Piece, s Sides, size int, how Resampling) (*Range, error) {
	table, err := reference.Load()
	if err != nil {
		return nil, err
	}
	writer := newSide(train, table)
	twins, bases, owns := newSide(s.Twin, table), newSide(s.Base, table), newSide(s.Own, table)
	together := len(ofOneDocument(writer, owns)) > 0
	// What is told of both is of the same habits.
	in := known(writer, owns, together)
	for i, k := range known(writer, twins, together) {
		in[i] = in[i] && k
	}
	r := Range{Nearer: nearer(writer, twins, bases, in, together, how)}
	for i, part := range []struct {
		to     **Comparison
		side   side
		pieces []Piece
	}{{&r.Twin, twins, s.Twin}, {&r.Base, bases, s.Base}, {&r.Own, owns, s.Own}} {
		*part.to = compare(writer, part.side, in, together, how)
		r.Repetition[i] = Repeats(part.pieces, size, how)
	}
	twin, own := r.Repetition[OfTwin], r.Repetition[OfOwn]
	switch {
	case r.Twin.Spread.High < monotoneSpread*r.Own.Spread.Value:
		r.Why = fmt.Sprintf("its habits vary %.2f times as much as yours, and your own other pieces %.2f times", r.Twin.Spread.Value, r.Own.Spread.Value)
	case twin.Within.Low > own.Within.High+monotoneRepetition:
		r.Why = fmt.Sprintf("%.0f %% of its runs of four words stand twice in one text, and %.0f %% of yours", 100*twin.Within.Value, 100*own.Within.Value)
	case twin.Between.Low > own.Between.High+monotoneRepetition:
		r.Why = fmt.Sprintf("its texts share %.0f %% of their runs of four words, and yours %.0f %%", 100*twin.Between.Value, 100*own.Between.Value)
	}
	r.Monotone = r.Why != ""
	return &r, nil
}
