package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/getstroke/stroke/internal/kernel"
)

// Sampling says how a token is drawn from the logits. The cuts are applied in
// the order top-k, top-p, min-p, on the distribution at the given temperature.
type Sampling struct {
	Temperature float64 `json:"temperature"` // 0 takes the likeliest token
	TopK        int     `json:"top_k"`       // 0 for no cut
	TopP        float64 `json:"top_p"`       // 0 or 1 for no cut
	MinP        float64 `json:"min_p"`       // of the likeliest token's probability; 0 for no cut
	Repeat      float64 `json:"repeat"`      // divides positive logits of tokens seen lately, multiplies negative ones: 0.01 to 10; 0 or 1 for none
	Seed        uint64  `json:"seed"`
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
	case s.Repeat != 0 && !(s.Repeat >= repeatLeast && s.Repeat <= repeatMost):
		return fmt.Errorf("the repetition penalty is %g: it must be from %g to %g, or 0 for none", s.Repeat, repeatLeast, repeatMost)
	}
	return nil
}

const (
	// repeatWindow is how many tokens back the repetition penalty looks.
	repeatWindow = 64
	// repeatLeast and repeatMost bound it: beyond them logits are no numbers any more.
	repeatLeast, repeatMost = 0.01, 10.0
)

// Sampler draws tokens. One number of its generator is used for each token
// drawn at a temperature, so a text depends on seed and logits alone.
type Sampler struct {
	s       Sampling
	rng     *rand.Rand
	scratch *scratch // nil where each draw brings its own
}

// scratch is memory for one draw, which samplers may share.
type scratch struct {
	p    []float32 // of each token, as a share of the likeliest
	heap candidates
}

func newScratch(vocab int) *scratch {
	return &scratch{p: make([]float32, vocab), heap: make(candidates, 0, vocab)}
}

// scratchBytes is the memory of a scratch for each token of the vocabulary.
const scratchBytes = 4 + 8

// NewSampler makes a sampler for vocabularies of n tokens.
func NewSampler(s Sampling, n int) *Sampler { return newSampler(s, newScratch(n)) }

func newSampler(s Sampling, c *scratch) *Sampler {
	return &Sampler{s: s, rng: rand.New(rand.NewPCG(s.Seed, 0x57a0)), scratch: c}
}

// Next draws a token from logits, which it may change. recent are the tokens
// before it. Where the logits are not numbers it gives -1.
func (s *Sampler) Next(logits []float32, recent []int32) int32 {
	return s.next(s.scratch, logits, recent)
}

func (s *Sampler) next(room *scratch, logits []float32, recent []int32) int32 {
	if r := s.s.Repeat; r > 0 && r != 1 {
		penalize(logits, recent, float32(r))
	}
	top := kernel.MaxOf(logits)
	if v := float64(top); math.IsNaN(v) || math.IsInf(v, 0) {
		return -1
	}
	if s.s.Temperature == 0 {
		if math.IsNaN(kernel.SumSquares(logits)) {
			return -1 // MaxOf passes over what is no number
		}
		return int32(slices.Index(logits, top))
	}
	// p = exp((logit - top)/temperature); an infinite factor would make the top no
	// number.
	p := room.p[:len(logits)]
	inverse := float32(min(1/s.s.Temperature, 1e30))
	for i, l := range logits {
		p[i] = (l - top) * inverse
	}
	sum := float64(kernel.ExpSum(p, 0))
	if math.IsNaN(sum) {
		return -1
	}
	u := s.rng.Float64()
	if (s.s.TopP == 0 || s.s.TopP == 1) && s.s.MinP == 0 && s.s.TopK == 0 {
		if id := draw(p, u*sum); id >= 0 {
			return id
		}
		return int32(slices.Index(logits, top))
	}
	h, n := s.candidates(room.heap, p, sum)
	var mass float64
	for _, c := range h[len(h)-n:] {
		mass += float64(c.p)
	}
	u *= mass
	for k := range n {
		c := h[len(h)-1-k]
		if u < float64(c.p) {
			return c.id
		}
		u -= float64(c.p)
	}
	return int32(slices.Index(logits, top))
}

// candidates sorts the likeliest tokens to the end of a heap and says how many
// of them the cuts leave. sum is that of p.
func (s *Sampler) candidates(room candidates, p []float32, sum float64) (h candidates, kept int) {
	o := &s.s
	share := math.Inf(1) // of the mass that top-p keeps
	if o.TopP > 0 && o.TopP < 1 {
		share = o.TopP
	}
	topK := o.TopK > 0 && o.TopK < len(p)
	least := 0.0
	if !topK {
		// What is less likely is cut: by min-p, or by top-p, since all of it together
		// has less mass than top-p leaves out.
		least = max(o.MinP, (1-share)*sum/float64(len(p)))
	}
	h = room[:0]
	for i, v := range p {
		if v > 0 && float64(v) >= least {
			h = append(h, candidate{p: v, id: int32(i)})
		}
	}
	h.build()
	// The likeliest go to the end of the array as they leave the heap.
	n := len(h)
	limit := n
	if topK {
		limit = min(n, o.TopK)
		// Top-p counts on what top-k leaves.
		sum = 0
		for kept < limit {
			h.pop(n - kept)
			kept++
			sum += float64(h[n-kept].p)
		}
	}
	sorted := kept
	var mass float64
	for kept = 0; kept < limit && mass < share*sum; kept++ {
		if kept == sorted {
			h.pop(n - kept)
			sorted++
		}
		c := float64(h[n-1-kept].p)
		if c < o.MinP {
			break
		}
		mass += c
	}
	return h, kept
}

// draw is the token at u of the mass of p; -1 where rounding leaves u behind it.
func draw(p []float32, u float64) int32 {
	for i, x := range p {
		if u < float64(x) {
			return int32(i)
		}
		u -= float64(x)
	}
	return -1
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
	p  float32
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
