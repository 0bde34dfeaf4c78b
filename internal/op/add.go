package op

import "github.com/getstroke/stroke/internal/kernel"

// addBlock is the number of elements a task takes.
const addBlock = 16384

type addTask struct {
	dst, src []float32
	s        float32
	n        int
}

// Add adds src to dst, n elements each: the residual connection.
func (e *Exec) Add(dst, src []float32, n int) {
	t := &e.add
	*t = addTask{dst: dst, src: src, n: n}
	run(ceilDiv(n, addBlock), t)
}

// Scale multiplies n elements of dst by s.
func (e *Exec) Scale(dst []float32, s float32, n int) {
	t := &e.add
	*t = addTask{dst: dst, s: s, n: n}
	run(ceilDiv(n, addBlock), t)
}

// Do runs task i.
func (t *addTask) Do(i, worker int) {
	a, b := i*addBlock, min((i+1)*addBlock, t.n)
	if t.src == nil {
		kernel.Scale(t.dst[a:b], t.s)
	} else {
		kernel.Add(t.dst[a:b], t.src[a:b])
	}
}
