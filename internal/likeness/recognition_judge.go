package likeness

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Sides are the texts of a comparison. Twin and base wrote from the same
// openings, at the same length, with the same sampling; Own is how the writer
// went on from them, the writer's judge pieces. Group ties them together.
type Sides struct {
	Twin []Piece // without the openings
	Base []Piece // without the openings
	Own  []Piece // without the openings
}

// Accuracy tells how well a recogniser knows real text that it never saw.
type Accuracy struct {
	Writer  Interval `json:"writer"`  // share of the writer's judge passages that it takes for the writer's
	Others  Interval `json:"others"`  // share of other writers' passages that it takes for the writer's
	All     Interval `json:"all"`     // share of other writers' passages that it takes for their own writer's
	Base    Interval `json:"base"`    // mean probability that the base's passages are the writer's
	Classes int      `json:"classes"` // how many it can choose from
	Train   int      `json:"train"`   // passages of the writer that it learnt from; the fewest, where several were asked
}

// Taken is a class with the share of passages taken for it.
type Taken struct {
	Class
	Share float64 `json:"share"`
}

// Recognition is how far the twin's passages are taken for the writer's.
type Recognition struct {
	// Value is 0 where they are taken for the writer's as seldom as the base's
	// are, and 1 where as often as the writer's own judge passages. It is made of
	// mean calibrated probabilities; NaN where base and writer cannot be told apart.
	Value Interval `json:"value"`
	// Lean is the same of mean log-odds: it moves earlier, when a twin draws
	// nearer but is not yet taken for the writer, and it can be driven above 1 by
	// caricature.
	Lean Interval `json:"lean"`
	// P is the p-value of "no nearer to the writer than the base".
	P float64 `json:"p"`

	Passages int      `json:"passages"` // of the twin
	Taken    []Taken  `json:"taken"`    // of the twin's passages, the largest share first, none empty
	Accuracy Accuracy `json:"accuracy"`

	// Claim is whether the accuracy allows a claim; Why says why not.
	Claim bool   `json:"claim"`
	Why   string `json:"why,omitempty"`
}

// Bounds below which nothing is claimed.
const (
	claimPassages = 8    // of each side
	claimRecall   = 0.5  // of the writer's own passages are known
	claimAlarm    = 0.1  // of other writers' passages are taken for the writer's, at most
	claimGap      = 0.25 // between the mean probabilities of writer and base
)

// scored is one passage of a side.
type scored struct {
	group  string
	p, lod float64
	best   int
}

func (r *Recogniser) score(pieces []Piece, seed uint64) []scored {
	var out []scored
	for _, p := range Cut(pieces, Unit, seed) {
		a := r.Attribute(p.Text)
		out = append(out, scored{p.Group, a.Probability[classWriter], a.LogOdds, floats.MaxIdx(a.Probability)})
	}
	return out
}

// Asked are texts with the recogniser that is asked about them: one that learnt from
// none of their documents.
type Asked struct {
	By    *Recogniser
	Sides Sides
}

// Recognise judges the twin's passages against the base's and the writer's own.
// Intervals are over openings: the groups of all three sides are drawn together. All
// recognisers choose from the same classes.
func Recognise(parts []Asked, how Resampling) Recognition {
	var g grouping
	var sides [3][]scored
	accuracy := Accuracy{}
	var taken, right []Sample
	for i, p := range parts {
		for k, pieces := range [][]Piece{p.Sides.Twin, p.Sides.Base, p.Sides.Own} {
			sides[k] = append(sides[k], p.By.score(pieces, how.Seed)...)
		}
		taken, right = append(taken, p.By.held.taken...), append(right, p.By.held.right...)
		accuracy.Classes = len(p.By.classes)
		if i == 0 || p.By.passages < accuracy.Train {
			accuracy.Train = p.By.passages
		}
	}
	var prob, odds [3]sums
	samples := [3][]Sample{}
	var known []Sample
	for i, side := range sides {
		for _, x := range side {
			g.add(&prob[i], Sample{x.group, x.p})
			g.add(&odds[i], Sample{x.group, x.lod})
			samples[i] = append(samples[i], Sample{x.group, x.p})
			if i == 2 {
				k := Sample{Group: x.group}
				if x.best == classWriter {
					k.Value = 1
				}
				known = append(known, k)
			}
		}
	}
	normal := func(by [3]sums) Interval {
		return how.bootstrapShare([]int{len(g.number)}, func(d [][]float64) (twin, base, own float64) {
			return by[0].mean(d[0]), by[1].mean(d[0]), by[2].mean(d[0])
		})
	}
	accuracy.Writer, accuracy.Others, accuracy.All, accuracy.Base = Mean(known, how), Mean(taken, how), Mean(right, how), Mean(samples[1], how)
	out := Recognition{
		Value: normal(prob), Lean: normal(odds),
		P:        PermutationTest(samples[0], samples[1], how),
		Passages: len(sides[0]),
		Accuracy: accuracy,
	}
	share := make([]float64, accuracy.Classes)
	for _, x := range sides[0] {
		share[x.best] += 1 / float64(len(sides[0]))
	}
	for c, v := range share {
		if v > 0 {
			out.Taken = append(out.Taken, Taken{parts[0].By.classes[c], v})
		}
	}
	slices.SortStableFunc(out.Taken, func(a, b Taken) int { return cmp.Compare(b.Share, a.Share) })
	out.Why = why(sides, out, Mean(samples[2], how))
	out.Claim = out.Why == ""
	return out
}

// why says what forbids a claim, and nothing where nothing does.
func why(sides [3][]scored, r Recognition, own Interval) string {
	for i, name := range []string{"the twin", "the base", "the writer"} {
		if n := len(sides[i]); n < claimPassages {
			return fmt.Sprintf("%d passages of %d words by %s, where a claim needs %d", n, Unit, name, claimPassages)
		}
	}
	a := r.Accuracy
	switch {
	case !(a.Writer.Value >= claimRecall):
		return fmt.Sprintf("of the writer's own passages that it had not seen, it knew only %.0f %%", 100*a.Writer.Value)
	case !(a.Others.Value <= claimAlarm):
		return fmt.Sprintf("it took %.0f %% of other writers' passages for the writer's", 100*a.Others.Value)
	case !(own.Value-a.Base.Value >= claimGap):
		return fmt.Sprintf("it can hardly tell the writer (%.2f) from the bare base (%.2f)", own.Value, a.Base.Value)
	case math.IsNaN(r.Value.Value):
		return "writer and base cannot be told apart"
	}
	return ""
}

// atLeast cuts pieces of at least two passages into thirds at words until
// there are n groups, where they can be cut.
func atLeast(pieces []Piece, n int) []Piece {
	var g grouping
	for _, p := range pieces {
		g.of(p.Group)
	}
	if len(g.number) >= n {
		return pieces
	}
	var out []Piece
	for i, p := range pieces {
		words := fields(p.Text)
		parts := max(1, min(n, len(words)/Unit))
		for k := range parts {
			lo, hi := k*len(words)/parts, (k+1)*len(words)/parts
			if lo < hi {
				out = append(out, Piece{fmt.Sprintf("%s part %d of %d", p.Group, k, i), p.Text[words[lo].lo:words[hi-1].hi]})
			}
		}
	}
	return out
}
