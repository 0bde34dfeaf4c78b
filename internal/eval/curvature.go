package eval

import (
	"context"
	"fmt"
	"math"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
)

// curvatureRows is how many tokens have their logits at once.
const curvatureRows = 32

// Curvature gives for each piece by how many standard deviations its tokens are
// likelier to the model than tokens that the model itself drew in their places would
// be: Σ(log p(x) − E log p) / √Σ Var log p. What people write lies below 0 or about
// it, what the model wrote above, the more so the cooler it was drawn. It is the
// conditional probability curvature of Fast-DetectGPT (Bao et al.,
// https://arxiv.org/abs/2310.05130), with the model that is asked as the one that
// draws. A piece of which nothing is scored has 0.
func (s *Scorer) Curvature(ctx context.Context, pieces []Piece, adapters []lora.Applied, done func(i int)) ([]float64, error) {
	out := make([]float64, len(pieces))
	vocab := s.m.Vocab
	t := &moments{vocab: vocab, logits: make([]float32, curvatureRows*vocab), spare: make([][]float32, kernel.Workers())}
	for i := range t.spare {
		t.spare[i] = make([]float32, vocab)
	}
	s.filled = s.filled[:0] // an adapter may have changed since
	for i := range pieces {
		above, variance := 0.0, 0.0
		err := s.walk(ctx, &pieces[i], adapters, func(ids []int32, from, at, end int) error {
			for lo := max(at, from-1); lo < end; lo += curvatureRows {
				hi := min(lo+curvatureRows, end)
				t.at, t.next = t.at[:0], ids[lo+1:hi+1]
				for k := lo; k < hi; k++ {
					t.at = append(t.at, int32(k-at))
				}
				if err := s.session.Logits(t.logits, t.at); err != nil {
					return err
				}
				kernel.Run(len(t.at), t)
				for k := range t.at {
					above += t.above[k]
					variance += t.variance[k]
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("piece %d: %w", i, err)
		}
		if variance > 0 {
			out[i] = above / math.Sqrt(variance)
		}
		if done != nil {
			done(i)
		}
	}
	return out, nil
}

// moments is the work on the logits of some rows.
type moments struct {
	vocab    int
	logits   []float32
	spare    [][]float32 // of each worker
	at, next []int32
	above    [curvatureRows]float64 // log p of the next token above its expectation
	variance [curvatureRows]float64 // of log p
}

// Do implements [kernel.Task] for one row.
func (t *moments) Do(i, worker int) {
	x := t.logits[i*t.vocab : (i+1)*t.vocab]
	p := t.spare[worker]
	copy(p, x)
	most := kernel.MaxOf(x)
	sum := float64(kernel.ExpSum(p, most))
	mean, square := 0.0, 0.0
	for k, v := range x {
		d := float64(v - most)
		w := float64(p[k]) * d
		mean += w
		square += w * d
	}
	mean /= sum
	t.above[i] = float64(x[t.next[i]]-most) - mean
	t.variance[i] = square/sum - mean*mean
}
