package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
)

// Example is one sequence to learn from.
type Example struct {
	Tokens []int32
	// Loss says for each token whether the model is to learn to write it. The
	// first token of a sequence is never learnt; nil means all the others.
	Loss []bool
}

// scored is the number of tokens with a loss.
func (x *Example) scored() int {
	if x.Loss == nil {
		return max(len(x.Tokens)-1, 0)
	}
	n := 0
	for i := 1; i < len(x.Tokens); i++ {
		if x.Loss[i] {
			n++
		}
	}
	return n
}

// step is a group of examples whose gradient is taken together.
type step struct {
	epoch    int
	examples []*Example
	micro    []int // ends of the batches in examples
	tokens   int
	scored   int
	last     bool // of its epoch
}

// plan orders the examples of every epoch by seed and groups them into steps
// of tokensPerStep tokens or more, and those into batches of at most room
// tokens. The last group of an epoch joins the one before it where it has less
// than half of a step.
func plan(epochs [][]Example, seed uint64, tokensPerStep, room int) ([]step, error) {
	var steps []step
	for e, examples := range epochs {
		order := make([]int, len(examples))
		for i := range order {
			order[i] = i
		}
		rng := rand.New(rand.NewPCG(seed, 0x5eed<<32|uint64(e)))
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		first := len(steps)
		cur := step{epoch: e}
		for _, i := range order {
			x := &examples[i]
			if len(x.Tokens) > room {
				return nil, fmt.Errorf("an example of %d tokens where a batch holds %d", len(x.Tokens), room)
			}
			if x.Loss != nil && len(x.Loss) != len(x.Tokens) {
				return nil, fmt.Errorf("an example of %d tokens has a mask of %d", len(x.Tokens), len(x.Loss))
			}
			if x.scored() == 0 {
				continue
			}
			cur.examples = append(cur.examples, x)
			cur.tokens += len(x.Tokens)
			cur.scored += x.scored()
			if cur.tokens >= tokensPerStep {
				steps = append(steps, cur)
				cur = step{epoch: e}
			}
		}
		switch {
		case cur.tokens == 0:
		case len(steps) > first && cur.tokens < tokensPerStep/2:
			last := &steps[len(steps)-1]
			last.examples = append(last.examples, cur.examples...)
			last.tokens += cur.tokens
			last.scored += cur.scored
		default:
			steps = append(steps, cur)
		}
		if len(steps) > first {
			steps[len(steps)-1].last = true
		}
	}
	for i := range steps {
		s, n := &steps[i], 0
		for k, x := range s.examples {
			if n+len(x.Tokens) > room {
				s.micro = append(s.micro, k)
				n = 0
			}
			n += len(x.Tokens)
		}
		s.micro = append(s.micro, len(s.examples))
	}
	return steps, nil
}

// dataHash is the identity of the data of a run.
func dataHash(epochs [][]Example) string {
	h := sha256.New()
	var b [8]byte
	put := func(v uint64) {
		binary.LittleEndian.PutUint64(b[:], v)
		h.Write(b[:])
	}
	for _, e := range epochs {
		put(uint64(len(e)))
		for i := range e {
			put(uint64(len(e[i].Tokens)))
			for k, t := range e[i].Tokens {
				v := uint64(uint32(t)) << 1
				if e[i].Loss == nil || e[i].Loss[k] {
					v |= 1
				}
				put(v)
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
