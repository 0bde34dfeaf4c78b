package eval

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Unit is one independent piece of evidence: the nats saved by one condition
// over another on some tokens.
type Unit struct {
	Saved  float64 // nats, positive where the first condition is better
	Tokens int
}

// Interval is a figure, a mean in nats per token where nothing else is said,
// with its interval at 95 %. A bound may be infinite; all three are NaN where
// there was no ground for a figure.
type Interval struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// LevelText writes the level of an interval for people: "95 %", and where it is nearly
// all "over 99.9 %".
func LevelText(level float64) string {
	if level > 0.999 {
		return "over 99.9 %"
	}
	return fmt.Sprintf("%.3g %%", 100*level)
}

// nothing is the figure that there is no ground for.
var nothing = Interval{math.NaN(), math.NaN(), math.NaN()}

// MarshalJSON writes what is not a finite number as null.
func (i Interval) MarshalJSON() ([]byte, error) {
	finite := func(v float64) *float64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	return json.Marshal(struct {
		Mean *float64 `json:"mean"`
		Low  *float64 `json:"low"`
		High *float64 `json:"high"`
	}{finite(i.Mean), finite(i.Low), finite(i.High)})
}

// UnmarshalJSON reads what [Interval.MarshalJSON] wrote: null is NaN for the
// figure, and for its bounds beyond all numbers.
func (i *Interval) UnmarshalJSON(b []byte) error {
	var in struct{ Mean, Low, High *float64 }
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*i = nothing
	if in.Mean == nil {
		return nil
	}
	i.Mean, i.Low, i.High = *in.Mean, math.Inf(-1), math.Inf(1)
	if in.Low != nil {
		i.Low = *in.Low
	}
	if in.High != nil {
		i.High = *in.High
	}
	return nil
}

// Known says whether there was ground for the figure.
func (i Interval) Known() bool { return !math.IsNaN(i.Mean) }

// Bootstrap resamples units with replacement and gives the pooled mean per
// token with an interval of the given level (0.95 for 95 %): Efron's percentile
// interval, paired because a unit already is a difference, widened as [Interval.widened]
// says. Without a token there is no figure.
func Bootstrap(units []Unit, level float64, rounds int, seed uint64) Interval {
	mean := func(pick func(i int) Unit) float64 {
		var nats float64
		tokens := 0
		for i := range units {
			u := pick(i)
			nats += u.Saved
			tokens += u.Tokens
		}
		if tokens == 0 {
			return 0
		}
		return nats / float64(tokens)
	}
	if !slices.ContainsFunc(units, func(u Unit) bool { return u.Tokens > 0 }) {
		return nothing
	}
	i := Interval{Mean: mean(func(i int) Unit { return units[i] })}
	rng := rand.New(rand.NewPCG(seed, 0xb007))
	means := make([]float64, rounds)
	for r := range means {
		means[r] = mean(func(int) Unit { return units[rng.IntN(len(units))] })
	}
	return i.bounded(means, len(units), level)
}

// leastTail is how many draws lie beyond a bound at the least: of fewer the bound is that
// of chance, and of none it is the same for all levels.
const leastTail = 10

// reachable is the level at which the bounds of so many draws are taken for an interval
// of a level: at a higher one fewer than leastTail draws would lie beyond them. Up to 0.95
// it is the level itself, however few they are.
func reachable(level float64, rounds int) float64 {
	return min(level, max(0.95, 1-2*leastTail/float64(rounds)))
}

// bounded gives the interval its bounds: those of the means that were drawn of n units.
func (i Interval) bounded(means []float64, n int, level float64) Interval {
	at := reachable(level, len(means))
	i.Low, i.High = percentile(means, at)
	return i.widened(n, level, at)
}

// widened moves the bounds of a percentile interval of n units, taken at the level at,
// away from its mean, by what Student's distribution and the sample's own variance ask of
// so few at the level that is meant: the percentile interval is that of a normal
// distribution whose variance is (n-1)/n of what it should be (Hesterberg, What Teachers
// Should Know About the Bootstrap, 2015, 4.1). Beyond at the means are taken for normally
// distributed. Of one unit there is no spread, and nothing to widen.
func (i Interval) widened(n int, level, at float64) Interval {
	if n < 2 {
		return i
	}
	by := studentQuantile((1-level)/2, n-1) / (math.Sqrt2 * math.Erfinv(at)) * math.Sqrt(float64(n)/float64(n-1))
	return Interval{i.Mean, i.Mean - by*(i.Mean-i.Low), i.Mean + by*(i.High-i.Mean)}
}

// percentile sorts values and gives the bounds that hold the middle of them.
func percentile(values []float64, level float64) (low, high float64) {
	slices.Sort(values)
	tail := (1 - level) / 2
	at := func(q float64) float64 { return values[min(int(q*float64(len(values))), len(values)-1)] }
	return at(tail), at(1 - tail)
}

// Blocks cuts paired losses of pieces into units of at least size tokens each,
// in order; what is left at the end of a piece joins its last block. a and b
// are the losses of the same pieces under two conditions, and a unit tells what
// b saves over a.
func Blocks(a, b []Loss, size int) []Unit {
	var units []Unit
	for i := range a {
		n := min(len(a[i].Each), len(b[i].Each))
		count := max(n/size, 1)
		for k := range count {
			lo, hi := k*n/count, (k+1)*n/count
			var u Unit
			for t := lo; t < hi; t++ {
				u.Saved += float64(a[i].Each[t]) - float64(b[i].Each[t])
			}
			u.Tokens = hi - lo
			if u.Tokens > 0 {
				units = append(units, u)
			}
		}
	}
	return units
}

// Documents makes one unit of each piece; see Blocks.
func Documents(a, b []Loss) []Unit {
	units := make([]Unit, 0, len(a))
	for i := range a {
		if a[i].Tokens > 0 {
			units = append(units, Unit{Saved: a[i].Nats - b[i].Nats, Tokens: a[i].Tokens})
		}
	}
	return units
}
