package likeness

import (
	"math"
	"math/rand/v2"
)

// compare sets the habits of some texts, b, against the writer's, a. together says
// that the texts go on from documents of the writer's side: then no group is set
// against its own document, and one draw of documents is that of both sides. Means are
// over the habits that in names.
func compare(a, b side, in [habitCount]bool, together bool, how Resampling) *Comparison {
	c := &Comparison{Habits: make([]HabitDistance, habitCount), Groups: len(b.groups)}
	if len(a.groups) == 0 || len(b.groups) == 0 {
		for i := range c.Habits {
			c.Habits[i] = HabitDistance{Habit: habits[i], Distance: nowhere, Spread: nowhere, P: 1}
		}
		c.Distance, c.Spread, c.P = nowhere, nowhere, 1
		return c
	}
	sizes, bySide := drawSets(together, a, b)
	same := pairsLeftOut(a, b, together)
	const means = 2 * habitCount
	all := how.bootstrapAll(sizes, means+2, func(d [][]float64, out []float64) {
		m := measure(a, b, same, bySide(d))
		copy(out, m.distance[:])
		copy(out[habitCount:], m.spread[:])
		out[means], out[means+1] = m.means(in, len(b.groups))
	})
	for i := range c.Habits {
		c.Habits[i] = HabitDistance{Habit: habits[i], Distance: all[i], Spread: all[habitCount+i]}
	}
	c.Distance, c.Spread = all[means], all[means+1]
	permute(c, a, b, together, how.filled())
	return c
}

// measures are what one draw gives, by habit; NaN or infinite where there was no ground
// for it.
type measures struct{ distance, spread [habitCount]float64 }

func measure(a, b side, same [][2]int, drawn [][]float64) (m measures) {
	for i := range habits {
		w, between := spreads(i, a, b, same, drawn)
		m.distance[i], m.spread[i] = energy(w, between), w[1]/w[0]
	}
	return m
}

// means are the mean distance and the geometric mean of the spreads of the habits that
// in names. A habit that does not vary at all in the groups of the compared side counts
// as one that did so in half of one of them: it makes the mean least, and not 0.
func (m *measures) means(in [habitCount]bool, groups int) (distance, spread float64) {
	var nd, ns float64
	for i, use := range in {
		if !use {
			continue
		}
		if v := m.distance[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			distance += v
			nd++
		}
		if v := m.spread[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			spread += math.Log(max(v, 1/float64(2*groups)))
			ns++
		}
	}
	return distance / nd, math.Exp(spread / ns)
}

// known says on which habits the spread of a side can be told.
func known(a, b side, together bool) (in [habitCount]bool) {
	m := measure(a, b, pairsLeftOut(a, b, together), [][]float64{ones(len(a.groups)), ones(len(b.groups))})
	for i, v := range m.spread {
		in[i] = !math.IsNaN(v) && !math.IsInf(v, 0)
	}
	return in
}

// nearer is how much less the habits of one side, b, lie from the writer's than those
// of another, c, over the habits that in names, with documents drawn once for both.
func nearer(a, b, c side, in [habitCount]bool, together bool, how Resampling) Interval {
	if len(a.groups) == 0 || len(b.groups) == 0 || len(c.groups) == 0 {
		return nowhere
	}
	sizes, bySide := drawSets(together, a, b, c)
	sameB, sameC := pairsLeftOut(a, b, together), pairsLeftOut(a, c, together)
	return how.bootstrap(sizes, func(d [][]float64) float64 {
		drawn := bySide(d)
		mb, mc := measure(a, b, sameB, drawn[:2]), measure(a, c, sameC, [][]float64{drawn[0], drawn[2]})
		var sum, n float64
		for i, use := range in {
			if v := mc.distance[i] - mb.distance[i]; use && !math.IsNaN(v) && !math.IsInf(v, 0) {
				sum += v
				n++
			}
		}
		return sum / n
	})
}

// pairsLeftOut are the pairs of groups that are not set against each other.
func pairsLeftOut(a, b side, together bool) [][2]int {
	if !together {
		return nil
	}
	return ofOneDocument(a, b)
}

// drawSets gives the sizes of the sets that groups are drawn from, and how often each
// side's count for a draw: the first side's are one set and all others' another, groups
// of one name drawn as one, or together all sides' are one.
func drawSets(together bool, sides ...side) (sizes []int, bySide func(d [][]float64) [][]float64) {
	set := make([]int, len(sides))
	sets := make([]grouping, 1)
	if !together {
		sets = make([]grouping, 2)
		for i := 1; i < len(sides); i++ {
			set[i] = 1
		}
	}
	at := make([][]int, len(sides))
	drawn := make([][]float64, len(sides))
	for i, s := range sides {
		for _, u := range s.groups {
			at[i] = append(at[i], sets[set[i]].of(u.group))
		}
		drawn[i] = make([]float64, len(s.groups))
	}
	for i := range sets {
		sizes = append(sizes, len(sets[i].number))
	}
	return sizes, func(d [][]float64) [][]float64 {
		for i := range drawn {
			for k, n := range at[i] {
				drawn[i][k] = d[set[i]][n]
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
	distances := func(a, b side) (each [habitCount]float64, sum float64) {
		m := measure(a, b, pairsLeftOut(a, b, together), [][]float64{ones(len(a.groups)), ones(len(b.groups))})
		for i, e := range m.distance {
			if !math.IsNaN(e) {
				each[i] = e
				sum += e
			}
		}
		return each, sum
	}
	seen, seenSum := distances(a, b)
	reached, reachedSum := [habitCount]float64{}, 1.0
	for range how.Rounds {
		each, sum := distances(next())
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
