package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Sampling says how a token is drawn from the logits. The cuts are applied in
// the order top-k, top-p, min-p, on the distribution at the given temperature.
type Sampling struct {
	Temperature float64 // 0 takes the likeliest token
	TopK        int     // 0 for no cut
	TopP        float64 // 0 or 1 for no cut
	MinP        float64 // of the likeliest token's probability; 0 for no cut
	Repeat      float64 // divides positive logits of tokens seen lately, multiplies negative ones; 0 or 1 for none
	Seed        uint64
}

// Validate says what is out of range.
func (s *Sampling) Validate() error {
	switch {
	case !(s.Temperature >= 0 && s.Temperature <= 100):
		return fmt.Errorf("the temperature is %g: it must be from 0 to 100", s.Temperature)
	case s.TopK < 0:
		return fmt.Errorf("top-k is %d: it must not be negative", s.TopK)
	case !(s.TopP >= 0 && s.TopP <= 1):
		return fmt.Errorf("top-p is %g: it must be from 0 to 1", s.TopP)
	case !(s.MinP >= 0 && s.MinP <= 1):
		return fmt.Errorf("min-p is %g: it must be from 0 to 1", s.MinP)
	case !(s.Repeat >= 0 && s.Repeat <= 10):
		return fmt.Errorf("the repetition penalty is %g: it must be from 0 to 10", s.Repeat)
	}
	return nil
}

// repeatWindow is how many tokens back the repetition penalty looks.
const repeatWindow = 64

// Sampler draws tokens. One number of its generator is used for each token
// drawn at a temperature, so a text depends on seed and logits alone.
type Sampler struct {
	s    Sampling
	rng  *rand.Rand
	heap candidates
}

// NewSampler makes a sampler for vocabularies of n tokens.
func NewSampler(s Sampling, n int) *Sampler {
	return &Sampler{s: s, rng: rand.New(rand.NewPCG(s.Seed, 0x57a0)), heap: make(candidates, 0, n)}
}

// Next draws a token from logits, which it may change. recent are the tokens
// before it. Where the logits are not numbers it gives -1.
func (s *Sampler) Next(logits []float32, recent []int32) int32 {
	if r := s.s.Repeat; r > 0 && r != 1 {
		penalize(logits, recent, float32(r))
	}
	best := argmax(logits)
	top := float64(logits[best])
	if math.IsNaN(top) || math.IsInf(top, 0) {
		return -1
	}
	if s.s.Temperature == 0 {
		return best
	}
	s.heap = s.heap[:0]
	var sum float64
	for i, l := range logits {
		p := math.Exp((float64(l) - top) / s.s.Temperature)
		if p > 0 {
			s.heap = append(s.heap, candidate{p: p, id: int32(i)})
			sum += p
		}
	}
	u := s.rng.Float64()
	if (s.s.TopP == 0 || s.s.TopP == 1) && s.s.MinP == 0 && s.s.TopK == 0 {
		return draw(s.heap, u*sum, best)
	}
	s.heap.build()
	keepMass := math.Inf(1)
	if s.s.TopP > 0 && s.s.TopP < 1 {
		keepMass = s.s.TopP
	}
	// The likeliest go to the end of the array as they leave the heap.
	n, kept := len(s.heap), 0
	var mass, before float64
	if s.s.TopK > 0 && s.s.TopK < n {
		// Top-p counts on what top-k leaves.
		for kept < s.s.TopK {
			s.heap.pop(n - kept)
			kept++
		}
		sum = 0
		for k := range kept {
			sum += s.heap[n-1-k].p
		}
		limit := kept
		for kept = 0; kept < limit && mass < keepMass*sum; kept++ {
			mass += s.heap[n-1-kept].p
		}
	} else {
		for kept < n && mass < keepMass*sum {
			s.heap.pop(n - kept)
			p := s.heap[n-1-kept].p
			if p < s.s.MinP {
				break
			}
			mass += p
			kept++
		}
	}
	mass = 0
	final := 0
	for ; final < kept; final++ {
		p := s.heap[n-1-final].p
		if p < s.s.MinP {
			break
		}
		mass += p
	}
	u *= mass
	for k := range final {
		before += s.heap[n-1-k].p
		if u < before {
			return s.heap[n-1-k].id
		}
	}
	return best
}

func draw(c candidates, u float64, best int32) int32 {
	for _, x := range c {
		if u < x.p {
			return x.id
		}
		u -= x.p
	}
	return best
}

func argmax(x []float32) int32 {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return int32(best)
}

func penalize(logits []float32, recent []int32, r float32) {
	recent = recent[max(0, len(recent)-repeatWindow):]
	for i, t := range recent {
		seen := false
		for _, u := range recent[:i] {
			seen = seen || u == t
		}
		if seen {
			continue
		}
		if logits[t] > 0 {
			logits[t] /= r
		} else {
			logits[t] *= r
		}
	}
}

type candidate struct {
	p  float64
	id int32
}

// candidates is a heap with the likeliest on top; of equals, the lower id.
type candidates []candidate

func (c candidates) less(i, j int) bool {
	return c[i].p > c[j].p || c[i].p == c[j].p && c[i].id < c[j].id
}

func (c candidates) build() {
	for i := len(c)/2 - 1; i >= 0; i-- {
		c.down(i, len(c))
	}
}

// pop moves the top of the first n to place n-1.
func (c candidates) pop(n int) {
	c[0], c[n-1] = c[n-1], c[0]
	c.down(0, n-1)
}

func (c candidates) down(i, n int) {
	for {
		k := 2*i + 1
		if k >= n {
			return
		}
		if k+1 < n && c.less(k+1, k) {
			k++
		}
		if !c.less(k, i) {
			return
		}
		c[i], c[k] = c[k], c[i]
		i = k
	}
}
