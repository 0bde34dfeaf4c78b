package likeness

import (
	"math"
	"math/rand/v2"
)

// compare sets the habits of some texts, b, against the writer's, a. together says
// that the texts go on from documents of the writer's side: then no group is set
// against its own document, and one draw of documents is that of both sides.
func compare(a, b side, together bool, how Resampling) *Comparison {
	how = how.filled()
	c := &Comparison{Habits: make([]HabitDistance, habitCount), Groups: len(b.groups)}
	if len(a.groups) == 0 || len(b.groups) == 0 {
		nan := Interval{math.NaN(), math.NaN(), math.NaN()}
		for i := range c.Habits {
			c.Habits[i] = HabitDistance{Habit: habits[i], Distance: nan, Spread: nan, P: 1}
		}
		c.Distance, c.Spread, c.P = nan, nan, 1
		return c
	}
	sizes := []int{len(a.groups), len(b.groups)}
	bySide := func(d [][]float64) [][]float64 { return d }
	var same [][2]int
	if together {
		same = ofOneDocument(a, b)
		sizes, bySide = drawnTogether(a, b)
	}
	// One pass over the rounds serves all habits and their means.
	distance := func(habit int) func(d [][]float64) float64 {
		return func(d [][]float64) float64 {
			w, between := spreads(habit, a, b, same, bySide(d))
			return energy(w, between)
		}
	}
	ratio := func(habit int) func(d [][]float64) float64 {
		return func(d [][]float64) float64 {
			w, _ := spreads(habit, a, b, same, bySide(d))
			return w[1] / w[0]
		}
	}
	for i := range c.Habits {
		c.Habits[i] = HabitDistance{Habit: habits[i], Distance: how.bootstrap(sizes, distance(i)), Spread: how.bootstrap(sizes, ratio(i))}
	}
	mean := func(f func(habit int) float64) float64 {
		sum, n := 0.0, 0.0
		for i := range habits {
			if v := f(i); !math.IsNaN(v) && !math.IsInf(v, 0) {
				sum += v
				n++
			}
		}
		return sum / n
	}
	c.Distance = how.bootstrap(sizes, func(d [][]float64) float64 {
		return mean(func(i int) float64 { return distance(i)(d) })
	})
	c.Spread = how.bootstrap(sizes, func(d [][]float64) float64 {
		return math.Exp(mean(func(i int) float64 { return math.Log(ratio(i)(d)) }))
	})
	permute(c, a, b, together, how)
	return c
}

// drawnTogether gives the size of the one set that the groups of both sides are
// drawn from, and how often each side's count for a draw.
func drawnTogether(a, b side) (sizes []int, bySide func(d [][]float64) [][]float64) {
	var g grouping
	at := [2][]int{}
	drawn := make([][]float64, 2)
	for i, s := range []side{a, b} {
		for _, u := range s.groups {
			at[i] = append(at[i], g.of(u.group))
		}
		drawn[i] = make([]float64, len(s.groups))
	}
	return []int{len(g.number)}, func(d [][]float64) [][]float64 {
		for i := range drawn {
			for k, n := range at[i] {
				drawn[i][k] = d[0][n]
			}
		}
		return drawn
	}
}

// permute fills the p-values: groups of both sides are dealt to two sides of
// the same numbers of groups or, together, documents that stand on both sides
// change sides by chance.
func permute(c *Comparison, a, b side, together bool, how Resampling) {
	rng := rand.New(rand.NewPCG(how.Seed, 0xdea1))
	deal := dealtAnew
	if together {
		deal = sidesChanged
	}
	next := deal(a, b, rng)
	measure := func(a, b side) (each [habitCount]float64, sum float64) {
		var same [][2]int
		if together {
			same = ofOneDocument(a, b)
		}
		drawn := [][]float64{ones(len(a.groups)), ones(len(b.groups))}
		for i := range habits {
			w, between := spreads(i, a, b, same, drawn)
			if e := energy(w, between); !math.IsNaN(e) {
				each[i] = e
				sum += e
			}
		}
		return each, sum
	}
	seen, seenSum := measure(a, b)
	reached, reachedSum := [habitCount]float64{}, 1.0
	for range how.Rounds {
		each, sum := measure(next())
		for i := range each {
			if each[i] >= seen[i]-1e-12 {
				reached[i]++
			}
		}
		if sum >= seenSum-1e-12 {
			reachedSum++
		}
	}
	for i := range c.Habits {
		c.Habits[i].P = (reached[i] + 1) / float64(how.Rounds+1)
	}
	c.P = reachedSum / float64(how.Rounds+1)
}

func ones(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

// dealtAnew deals the groups of both sides to two sides of as many.
func dealtAnew(a, b side, rng *rand.Rand) func() (a, b side) {
	all := append(append([]*unit(nil), a.groups...), b.groups...)
	n := len(a.groups)
	return func() (side, side) {
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return side{all[:n]}, side{all[n:]}
	}
}

// sidesChanged lets each document that stands on both sides change them or not.
func sidesChanged(a, b side, rng *rand.Rand) func() (a, b side) {
	both := map[string]bool{}
	var list []string
	for _, at := range ofOneDocument(a, b) {
		if d := a.groups[at[0]].document; !both[d] {
			both[d] = true
			list = append(list, d)
		}
	}
	return func() (x, y side) {
		change := map[string]bool{}
		for _, d := range list {
			change[d] = rng.Uint64()&1 == 0
		}
		for _, from := range []struct{ s, stays, goes *side }{{&a, &x, &y}, {&b, &y, &x}} {
			for _, u := range from.s.groups {
				to := from.stays
				if change[u.document] {
					to = from.goes
				}
				to.groups = append(to.groups, u)
			}
		}
		return x, y
	}
}
