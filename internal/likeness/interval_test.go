package likeness

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// grouped draws groups of one to four values each, alike within a group.
func grouped(rng *rand.Rand, side string, groups int) []Sample {
	var out []Sample
	for g := range groups {
		level := rng.NormFloat64()
		for range 1 + rng.IntN(4) {
			out = append(out, Sample{fmt.Sprint(side, g), level + rng.NormFloat64()/2})
		}
	}
	return out
}

// uniform checks p-values with Kolmogorov and Smirnov's test at one in a
// thousand.
func uniform(t *testing.T, p []float64) {
	t.Helper()
	slices.Sort(p)
	worst := 0.0
	for i, v := range p {
		n := float64(len(p))
		worst = max(worst, math.Abs(float64(i+1)/n-v), math.Abs(float64(i)/n-v))
	}
	if limit := 1.95 / math.Sqrt(float64(len(p))); worst > limit {
		t.Errorf("p-values stray %.3f from uniform, limit %.3f", worst, limit)
	}
}

func TestPermutationTestIsUniform(t *testing.T) {
	for _, name := range []string{"paired", "unpaired"} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, 7))
			var p []float64
			for i := range uint64(400) {
				other := "b"
				if name == "paired" {
					other = "a"
				}
				p = append(p, PermutationTest(grouped(rng, "a", 14), grouped(rng, other, 14), Resampling{Rounds: 199, Seed: i}))
			}
			uniform(t, p)
		})
	}
}

func TestPermutationTestHasPower(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	a, b := grouped(rng, "a", 30), grouped(rng, "b", 30)
	for i := range a {
		a[i].Value += 1.5
	}
	if p := PermutationTest(a, b, Resampling{}); p > 0.01 {
		t.Errorf("higher by 1.5 standard deviations: p %.3f", p)
	}
	if p := PermutationTest(b, a, Resampling{}); p < 0.99 {
		t.Errorf("lower: p %.3f", p)
	}
	if p := PermutationTest(nil, b, Resampling{}); p != 1 {
		t.Errorf("an empty side: p %.3f", p)
	}
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		odd := append(slices.Clone(a), Sample{a[0].Group, x})
		if p := PermutationTest(odd, b, Resampling{}); p != 1 {
			t.Errorf("%g on one side: p %.3f", x, p)
		}
		if p := PermutationTest(b, odd, Resampling{}); p != 1 {
			t.Errorf("%g on the other: p %.3f", x, p)
		}
	}
}

func TestBootstrapCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	covered := 0
	const cases = 300
	for i := range uint64(cases) {
		if Mean(grouped(rng, "a", 40), Resampling{Rounds: 300, Seed: i}).Contains(0) {
			covered++
		}
	}
	if share := float64(covered) / cases; share < 0.89 || share > 0.985 {
		t.Errorf("95 %% intervals hold the truth in %.1f %% of cases", 100*share)
	}
	if m := Mean(nil, Resampling{}); !math.IsNaN(m.Value) {
		t.Errorf("mean of nothing is %+v", m)
	}
}

// The p-values of habits are uniform when both sides are by one writer, whose
// documents each have a level of their own: other documents on either side, or the
// same on both.
func TestHabitPermutationIsUniform(t *testing.T) {
	for _, together := range []bool{false, true} {
		t.Run(fmt.Sprint(together), func(t *testing.T) { uniform(t, habitPermutations(together)) })
	}
}

func habitPermutations(together bool) (p []float64) {
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range uint64(200) {
		var s [2]side
		levels := map[string]int{}
		for k := range s {
			for n := range 8 {
				name := fmt.Sprint(n)
				if !together {
					name += fmt.Sprint(" of ", k)
				}
				level, ok := levels[name]
				if !ok {
					level = rng.IntN(6)
					levels[name] = level
				}
				u := &unit{group: name, document: name, bins: newHistogram()}
				for h := range habits {
					for range 5 {
						u.bins[h][(level+rng.IntN(3))%len(u.bins[h])]++
					}
				}
				u.close()
				s[k].groups = append(s[k].groups, u)
			}
		}
		c := &Comparison{Habits: make([]HabitDistance, habitCount)}
		permute(c, s[0], s[1], together, Resampling{Rounds: 99, Seed: i})
		p = append(p, c.P)
	}
	return p
}

func TestIntervalAsJSON(t *testing.T) {
	for want, in := range map[string]Interval{
		`{"value":0.5,"low":-1,"high":2}`:       {0.5, -1, 2},
		`{"value":null,"low":null,"high":null}`: {math.NaN(), math.NaN(), math.NaN()},
		`{"value":0.5,"low":0.1,"high":null}`:   {0.5, 0.1, math.Inf(1)},
		`{"value":0.5,"low":null,"high":2}`:     {0.5, math.Inf(-1), 2},
	} {
		b, err := json.Marshal(in)
		if err != nil || string(b) != want {
			t.Errorf("%+v is written as %s (%v), want %s", in, b, err, want)
		}
		var back Interval
		if err := json.Unmarshal(b, &back); err != nil || fmt.Sprint(back) != fmt.Sprint(in) {
			t.Errorf("%s is read as %+v (%v)", b, back, err)
		}
	}
}

// A round in which the ends of the scale cannot be told apart is no reason to think
// that the share is small, nor that it is large.
func TestShareWithoutScale(t *testing.T) {
	own, base := []float64{0.9, 0.9, 0.1, 0.1}, []float64{0.1, 0.1, 0.35, 0.35}
	share := Resampling{Seed: 1}.bootstrapShare([]int{4}, func(d [][]float64) (x, lo, hi float64) {
		for i, n := range d[0] {
			lo += n * base[i] / 4
			hi += n * own[i] / 4
		}
		return 0.8, lo, hi
	})
	if math.Abs(share.Value-(0.8-0.225)/0.275) > 1e-12 || !math.IsInf(share.High, 1) || !math.IsInf(share.Low, -1) {
		t.Errorf("writer and base change sides in one round of sixteen: %+v", share)
	}
	none := Resampling{Seed: 1}.bootstrapShare([]int{4}, func(d [][]float64) (x, lo, hi float64) { return 1, 0.5, 0.5 })
	if !math.IsNaN(none.Value) || !math.IsNaN(none.Low) || !math.IsNaN(none.High) {
		t.Errorf("without a scale: %+v", none)
	}
}
