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
	inverse     [attendBlock]float32 // of each head's sum of exponentials
}

// inPhases computes attention in phases where that pays.
func (t *attendTask) inPhases() bool {
	h, s := t.h, &t.seqs[0]
	if len(t.seqs) != 1 || s.N != 1 || s.Keys.DType != kernel.F32 || h.KV%kernel.Workers() == 0 || h.Q > attendBlock {
		return false
	}
	t.first, t.keys = firstKey(s.Start, h.Window), s.Start+1
	t.ld = roundUp(t.keys, 16)
	if t.keys-t.first < apartKeys || len(t.e.scratch[0]) < h.Q*t.ld {
		return false
	}
	t.p = t.e.scratch[0][:h.Q*t.ld]
	for t.phase = scorePhase; t.phase <= valuePhase; t.phase++ {
		n := h.Q
		if t.phase != softmaxPhase {
			single, parts := t.phaseParts()
			n = single + (h.KV-single)*parts
		}
		run(n, t)
	}
	return true
}

// phaseParts is how many groups of heads are single tasks of the phase at hand, and into
// how many parts the others are cut: features by whole vectors.
func (t *attendTask) phaseParts() (single, parts int) {
	w := kernel.Workers()
	parts = w
	if t.phase == valuePhase {
		for parts > 1 && t.h.Size%(16*parts) != 0 {
			parts--
		}
	}
	return t.h.KV - t.h.KV%w, parts
}

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
	group, part := i, 0
	single, parts := t.phaseParts()
	if i < single {
		parts = 1
	} else {
		group, part = single+(i-single)/parts, (i-single)%parts
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
