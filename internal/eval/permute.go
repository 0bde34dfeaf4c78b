package eval

import (
	"math"
	"math/rand/v2"
)

// PermuteBlocks gives the one-sided p-value of "the first of each block is no
// larger than the others". A block has one value for each system on the same
// text; when there is no difference any of them could have been the first, so in
// each round one of each block is drawn to take its place (a randomised block
// design; with two in a block that is flipping the sign of their difference).
// The statistic is the sum over blocks of the first less the mean of the others.
// The arrangement seen counts among the others (Phipson and Smyth, 2010), so the
// value is never 0, and it is uniform where there is no difference. Blocks with
// fewer than two values say nothing; without any other it is 1.
func PermuteBlocks(blocks [][]float64, rounds int, seed uint64) float64 {
	// With Σ the sum of a block, first − mean of the others is first·n/(n−1) − Σ/(n−1).
	var list [][]float64
	seen := 0.0
	for _, b := range blocks {
		n := float64(len(b))
		if n < 2 {
			continue
		}
		sum := 0.0
		for _, v := range b {
			sum += v
		}
		stat := make([]float64, len(b))
		for i, v := range b {
			stat[i] = (v*n - sum) / (n - 1)
		}
		list = append(list, stat)
		seen += stat[0]
	}
	if len(list) == 0 || math.IsNaN(seen) {
		return 1
	}
	rng := rand.New(rand.NewPCG(seed, 0xb10c))
	reached := 1
	for range rounds {
		sum := 0.0
		for _, b := range list {
			sum += b[rng.IntN(len(b))]
		}
		if sum >= seen-1e-9 {
			reached++
		}
	}
	return float64(reached) / float64(rounds+1)
}

// Sample is one observation; those of one group stand or fall together.
type Sample struct {
	Group string
	Value float64
}

// grouped sums samples by group, in order of appearance.
func grouped(samples []Sample) (sum, count []float64) {
	number := map[string]int{}
	for _, s := range samples {
		n, ok := number[s.Group]
		if !ok {
			n = len(sum)
			number[s.Group] = n
			sum, count = append(sum, 0), append(count, 0)
		}
		sum[n] += s.Value
		count[n]++
	}
	return sum, count
}

// Mean is the mean of samples with the interval at 95 % of [Bootstrap] over
// groups.
func Mean(samples []Sample, rounds int, seed uint64) Interval {
	if len(samples) == 0 {
		return nothing
	}
	sum, count := grouped(samples)
	units := make([]Unit, len(sum))
	for i := range sum {
		units[i] = Unit{Saved: sum[i], Tokens: int(count[i])}
	}
	return Bootstrap(units, 0.95, rounds, seed)
}

// normal95 is the 97.5 % point of the normal distribution.
const normal95 = 1.959964

// Proportion is a share of samples that are 1 against 0 (½ for a tie), with
// Wilson's score interval at 95 %. Samples of a group are alike, so their number
// counts for less: it is divided by the design effect, the variance over groups
// as a multiple of what independent samples would have. Where all samples agree,
// nothing can be said of that, and groups are counted. Unlike a bootstrap it does
// not shrink to a point where all agree.
func Proportion(samples []Sample) Interval {
	if len(samples) == 0 {
		return nothing
	}
	sum, count := grouped(samples)
	n, total := float64(len(samples)), 0.0
	for _, s := range sum {
		total += s
	}
	p := total / n
	groups := float64(len(sum))
	effective := groups
	if binomial := p * (1 - p) / n; binomial > 0 && groups > 1 {
		between := 0.0
		for i := range sum {
			d := (sum[i] - p*count[i]) / n
			between += d * d
		}
		between *= groups / (groups - 1)
		effective = min(n, max(n*binomial/between, 1))
	}
	z2 := normal95 * normal95
	middle := (p + z2/(2*effective)) / (1 + z2/effective)
	half := normal95 / (1 + z2/effective) * math.Sqrt(p*(1-p)/effective+z2/(4*effective*effective))
	return Interval{Mean: p, Low: max(middle-half, 0), High: min(middle+half, 1)}
}

// SignTest gives the one-sided p-value of "no more often than not": the chance
// of so many wins or more among wins and losses by a fair coin, exactly.
func SignTest(wins, losses int) float64 {
	n := wins + losses
	p := 0.0
	for k := wins; k <= n; k++ {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(k + 1))
		c, _ := math.Lgamma(float64(n - k + 1))
		p += math.Exp(a - b - c - float64(n)*math.Ln2)
	}
	return min(p, 1)
}
