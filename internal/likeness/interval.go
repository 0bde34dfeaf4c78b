package likeness

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
)

// Interval is a value with the bounds of its interval, 95 % where nothing else
// is said. A bound may be infinite; all three are NaN where there was no ground for a
// figure.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// MarshalJSON writes what is not a finite number as null.
func (i Interval) MarshalJSON() ([]byte, error) {
	var out struct {
		Value *float64 `json:"value"`
		Low   *float64 `json:"low"`
		High  *float64 `json:"high"`
	}
	for _, f := range []struct {
		from float64
		to   **float64
	}{{i.Value, &out.Value}, {i.Low, &out.Low}, {i.High, &out.High}} {
		if !math.IsNaN(f.from) && !math.IsInf(f.from, 0) {
			*f.to = &f.from
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what [Interval.MarshalJSON] wrote: null is NaN for the value,
// and for its bounds beyond all numbers.
func (i *Interval) UnmarshalJSON(b []byte) error {
	var in struct{ Value, Low, High *float64 }
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*i = nowhere
	if in.Value == nil {
		return nil
	}
	i.Value, i.Low, i.High = *in.Value, math.Inf(-1), math.Inf(1)
	if in.Low != nil {
		i.Low = *in.Low
	}
	if in.High != nil {
		i.High = *in.High
	}
	return nil
}

// Contains reports whether v lies within the bounds.
func (i Interval) Contains(v float64) bool { return i.Low <= v && v <= i.High }

// Resampling is how intervals and p-values are made. A zero field takes its
// default.
type Resampling struct {
	Rounds int     // 1,000
	Level  float64 // of intervals; 0.95
	Seed   uint64  // also of cuts and folds, where a measure has them
}

func (r Resampling) filled() Resampling {
	if r.Rounds <= 0 {
		r.Rounds = 1000
	}
	if r.Level <= 0 || r.Level >= 1 {
		r.Level = 0.95
	}
	return r
}

// bootstrap gives a statistic of groups with Efron's percentile interval. stat
// gets how often each group was drawn, all 1 for the value itself, in one slice
// for each set of groups, and keeps no slice. Sets are drawn independently. Rounds
// whose statistic is not a number are left out; where more than half are, or the
// value is not a number, all three figures are NaN.
func (r Resampling) bootstrap(sizes []int, stat func(drawn [][]float64) float64) Interval {
	return r.bootstrapAll(sizes, 1, func(drawn [][]float64, out []float64) { out[0] = stat(drawn) })[0]
}

// bootstrapAll is bootstrap of n statistics of the same draws, which stat writes to
// out.
func (r Resampling) bootstrapAll(sizes []int, n int, stat func(drawn [][]float64, out []float64)) []Interval {
	r = r.filled()
	drawn := make([][]float64, len(sizes))
	for i, n := range sizes {
		drawn[i] = ones(n)
	}
	out := make([]float64, n)
	stat(drawn, out)
	intervals := make([]Interval, n)
	for i, v := range out {
		intervals[i] = Interval{v, math.NaN(), math.NaN()}
	}
	rng := rand.New(rand.NewPCG(r.Seed, 0xb007))
	all := make([][]float64, n)
	for range r.Rounds {
		for _, d := range drawn {
			clear(d)
			for range d {
				d[rng.IntN(len(d))]++
			}
		}
		stat(drawn, out)
		for i, v := range out {
			if !math.IsNaN(v) {
				all[i] = append(all[i], v)
			}
		}
	}
	tail := (1 - r.Level) / 2
	for i, values := range all {
		if math.IsNaN(intervals[i].Value) || len(values) <= r.Rounds/2 {
			intervals[i] = nowhere
			continue
		}
		slices.Sort(values)
		at := func(q float64) float64 { return values[min(int(q*float64(len(values))), len(values)-1)] }
		intervals[i].Low, intervals[i].High = at(tail), at(1-tail)
	}
	return intervals
}

// nowhere is the figure that there is no ground for.
var nowhere = Interval{math.NaN(), math.NaN(), math.NaN()}

// bootstrapShare is bootstrap of how far x lies on the way from 0 at lo to 1 at hi,
// which part gives for a draw. Where hi lies no further than 1e-3 above lo there is no
// such share: the value is NaN then, and a round counts as beyond both ends of the
// interval.
func (r Resampling) bootstrapShare(sizes []int, part func(drawn [][]float64) (x, lo, hi float64)) Interval {
	share := func(beyond float64) func(d [][]float64, out []float64) {
		return func(d [][]float64, out []float64) {
			x, lo, hi := part(d)
			switch {
			case math.IsNaN(x - lo + hi):
				out[0] = math.NaN()
			case hi-lo > 1e-3:
				out[0] = (x - lo) / (hi - lo)
			default:
				out[0] = beyond
			}
		}
	}
	i := r.bootstrapAll(sizes, 1, share(math.Inf(-1)))[0]
	if math.IsInf(i.Value, 0) || math.IsNaN(i.Value) {
		return nowhere
	}
	i.High = r.bootstrapAll(sizes, 1, share(math.Inf(1)))[0].High
	return i
}

// Sample is one observation; those of one group stand or fall together.
type Sample struct {
	Group string
	Value float64
}

// grouping gives groups numbers in order of appearance.
type grouping struct {
	number map[string]int
}

func (g *grouping) of(group string) int {
	n, ok := g.number[group]
	if !ok {
		if g.number == nil {
			g.number = map[string]int{}
		}
		n = len(g.number)
		g.number[group] = n
	}
	return n
}

// sums holds, by group, the sum and the number of values.
type sums struct{ sum, count []float64 }

func (g *grouping) add(s *sums, x Sample) {
	n := g.of(x.Group)
	for len(s.sum) <= n {
		s.sum, s.count = append(s.sum, 0), append(s.count, 0)
	}
	s.sum[n] += x.Value
	s.count[n]++
}

// mean of the values when each group was drawn so often; NaN for none.
func (s *sums) mean(drawn []float64) float64 {
	sum, count := 0.0, 0.0
	for i := range s.sum {
		sum += drawn[i] * s.sum[i]
		count += drawn[i] * s.count[i]
	}
	return sum / count
}

// Mean is the mean of samples with an interval over groups.
func Mean(samples []Sample, r Resampling) Interval {
	var g grouping
	var s sums
	for _, x := range samples {
		g.add(&s, x)
	}
	return r.bootstrap([]int{len(g.number)}, func(d [][]float64) float64 { return s.mean(d[0]) })
}

// PermutationTest gives the one-sided p-value of "the mean of a is no higher
// than that of b". Groups are exchangeable under it: where every group stands on
// both sides (two systems on the same openings) the sign of each group's
// difference is drawn, otherwise whole groups are dealt to the sides anew, at
// each side's number of groups. The p-value counts the observed arrangement
// itself (Phipson and Smyth, 2010), so it is never 0 and is uniform when the null
// holds. It is 1 where a side is empty, and where a value is not finite.
func PermutationTest(a, b []Sample, r Resampling) float64 {
	r = r.filled()
	endless := func(x Sample) bool { return x.Value-x.Value != 0 }
	if len(a) == 0 || len(b) == 0 || slices.ContainsFunc(a, endless) || slices.ContainsFunc(b, endless) {
		return 1
	}
	rng := rand.New(rand.NewPCG(r.Seed, 0x9e12))
	var g grouping
	var sa, sb sums
	for _, x := range a {
		g.add(&sa, x)
	}
	only := len(g.number)
	for _, x := range b {
		g.add(&sb, x)
	}
	paired := len(g.number) == only && len(sb.sum) == only && !slices.Contains(sb.count, 0)
	reached := 1
	if paired {
		diff := make([]float64, only)
		seen := 0.0
		for i := range diff {
			diff[i] = sa.sum[i]/sa.count[i] - sb.sum[i]/sb.count[i]
			seen += diff[i]
		}
		for range r.Rounds {
			sum := 0.0
			for _, d := range diff {
				if rng.Uint64()&1 == 0 {
					d = -d
				}
				sum += d
			}
			if sum >= seen-1e-12 {
				reached++
			}
		}
		return float64(reached) / float64(r.Rounds+1)
	}
	type part struct{ sum, count float64 }
	var parts []part
	for _, s := range []sums{sa, sb} {
		for i := range s.sum {
			if s.count[i] > 0 {
				parts = append(parts, part{s.sum[i], s.count[i]})
			}
		}
	}
	nA := 0
	for _, c := range sa.count {
		if c > 0 {
			nA++
		}
	}
	diff := func() float64 {
		var x, y part
		for i, p := range parts {
			if i < nA {
				x.sum, x.count = x.sum+p.sum, x.count+p.count
			} else {
				y.sum, y.count = y.sum+p.sum, y.count+p.count
			}
		}
		return x.sum/x.count - y.sum/y.count
	}
	seen := diff()
	for range r.Rounds {
		rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		if diff() >= seen-1e-12 {
			reached++
		}
	}
	return float64(reached) / float64(r.Rounds+1)
}
