package op

import "github.com/getstroke/stroke/internal/kernel"

// The phases of attention. Where groups of heads are no whole number to a worker, those
// that are left over are not cut by heads, which would all read the same keys, when a
// single query sees many: their scores are cut by keys and their values by features,
// with the exponentials in between.
const (
	whole = iota
	scorePhase
	softmaxPhase
	valuePhase
)

// apartKeys is from how many keys on that pays for the two rounds more.
const apartKeys = 256

// apart is attention in phases.
type apart struct {
	phase       int
	p           []float32 // [Q, ld]: scores, and what becomes of them
	ld          int
	first, keys int
	parts       int                  // that a group is cut into which is no single task
	inverse     [attendBlock]float32 // of each head's sum of exponentials
}

// inPhases computes attention in phases where that pays, and says whether it has.
func (t *attendTask) inPhases() bool {
	if len(t.seqs) != 1 {
		return false
	}
	h, s, w := t.h, &t.seqs[0], kernel.Workers()
	if s.N != 1 || s.Keys.DType == kernel.Q8_0 || h.KV%w == 0 || h.Q > attendBlock || h.Size%(16*w) != 0 {
		return false // features are cut by whole vectors
	}
	t.first, t.keys = firstKey(s.Start, h.Window), s.Start+1
	t.ld = roundUp(t.keys, 16)
	if t.keys-t.first < apartKeys || len(t.e.scratch[0]) < h.Q*t.ld {
		return false
	}
	t.p, t.parts = t.e.scratch[0][:h.Q*t.ld], w
	for t.phase = scorePhase; t.phase <= valuePhase; t.phase++ {
		n := h.Q
		if t.phase != softmaxPhase {
			n = t.single() + (h.KV-t.single())*w
		}
		run(n, t)
	}
	return true
}

// single is how many groups of heads are single tasks: those that make a whole number
// for each worker.
func (t *attendTask) single() int { return t.h.KV - t.h.KV%t.parts }

// part does part i of the phase at hand.
func (t *attendTask) part(i int) {
	h, s := t.h, &t.seqs[0]
	q, o := t.q[s.Lo*h.Q*h.Size:], t.o[s.Lo*h.Q*h.Size:]
	if t.phase == softmaxPhase {
		m, inverse := softmax(t.p[i*t.ld:i*t.ld+t.keys], t.first, t.first, t.keys, h.Scale)
		t.inverse[i] = inverse
		if t.stat != nil {
			t.stat[(s.Lo*h.Q+i)*2], t.stat[(s.Lo*h.Q+i)*2+1] = m, inverse
		}
		return
	}
	group, part, parts := i, 0, 1
	if left := i - t.single(); left >= 0 {
		group, part, parts = t.single()+left/t.parts, left%t.parts, t.parts
	}
	each := h.Q / h.KV
	head := group * each
	if t.phase == scorePhase {
		n := t.keys - t.first
		scores(t.p[head*t.ld:], t.ld, q[head*h.Size:], h.Size, s, head, h, each, t.first+n*part/parts, t.first+n*(part+1)/parts)
		return
	}
	f0, f1 := h.Size*part/parts, h.Size*(part+1)/parts
	for r := head; r < head+each; r++ {
		clear(o[r*h.Size+f0 : r*h.Size+f1])
	}
	values(o[head*h.Size:], h.Size, t.p[head*t.ld:], t.ld, s, group, h, each, t.first, t.keys, f0, f1)
	for r := head; r < head+each; r++ {
		kernel.Scale(o[r*h.Size+f0:r*h.Size+f1], t.inverse[r])
	}
}
