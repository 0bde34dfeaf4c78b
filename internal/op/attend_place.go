package op

import "github.com/getstroke/stroke/internal/kernel"

// placeRows is how many positions a task of Place takes.
const placeRows = 32

// placeTask copies keys and values to pages. Beside the copying itself, memory
// that is written for the first time is the system's to find and clear, which
// takes longer.
type placeTask struct {
	k, v []float32
	seqs []Sequence
	h    Heads
}

// Place copies the pass's keys and values, k and v [n, KV·Size], to the pages of
// those sequences that have some: Keys.Far. They are rounded where the pages are
// of another type than F32.
func (e *Exec) Place(k, v []float32, seqs []Sequence, h Heads) {
	t := &e.place
	*t = placeTask{k: k, v: v, seqs: seqs, h: h}
	tasks := 0
	for i := range seqs {
		tasks += t.tasks(&seqs[i])
	}
	if tasks > 0 {
		run(tasks, t)
	}
}

func (t *placeTask) tasks(s *Sequence) int {
	if !s.Keys.Far {
		return 0
	}
	return ceilDiv(s.N, placeRows)
}

// Do runs task i.
func (t *placeTask) Do(i, worker int) {
	for k := range t.seqs {
		s := &t.seqs[k]
		if c := t.tasks(s); i >= c {
			i -= c
			continue
		}
		t.rows(s, i*placeRows, min((i+1)*placeRows, s.N))
		return
	}
}

// rows copies the rows [lo, hi) of a sequence.
func (t *placeTask) rows(s *Sequence, lo, hi int) {
	q, kv := &s.Keys, t.h.KV*t.h.Size
	if q.DType != kernel.F32 {
		q.Pack(s.Start+lo, t.k[(s.Lo+lo)*kv:(s.Lo+hi)*kv], t.v[(s.Lo+lo)*kv:(s.Lo+hi)*kv], t.h.KV, t.h.Size)
		return
	}
	for lo < hi {
		page, at := q.Pages[(s.Start+lo)/q.Len], (s.Start+lo)%q.Len
		n := min(q.Len-at, hi-lo)
		for head := range t.h.KV {
			for r := range n {
				from, to := (s.Lo+lo+r)*kv+head*t.h.Size, (head*q.Len+at+r)*t.h.Size
				copy(page[q.KOff+to:][:t.h.Size], t.k[from:])
				copy(page[q.VOff+to:][:t.h.Size], t.v[from:])
			}
		}
		lo += n
	}
}
