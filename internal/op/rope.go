package op

import "github.com/getstroke/stroke/internal/kernel"

// Rotary holds the cosines and sines of rotary position embedding
// (arXiv:2104.09864) for every position: Cos and Sin are [positions, Half]
// with Half = head size / 2, in Hugging Face's layout, where feature i turns
// with feature i+Half.
type Rotary struct {
	Half     int
	Cos, Sin []float32
}

type ropeTask struct {
	x     []float32
	pos   []int32
	rot   *Rotary
	n     int
	heads int
	rows  int
	back  bool
}

// Rope turns x [n, heads·2·Half] in place, row r by position pos[r].
func (e *Exec) Rope(x []float32, pos []int32, rot *Rotary, n, heads int) {
	e.runRope(x, pos, rot, n, heads, false)
}

// RopeGrad turns the gradient back: the inverse rotation, in place.
func (e *Exec) RopeGrad(dx []float32, pos []int32, rot *Rotary, n, heads int) {
	e.runRope(dx, pos, rot, n, heads, true)
}

func (e *Exec) runRope(x []float32, pos []int32, rot *Rotary, n, heads int, back bool) {
	t := &e.rope
	*t = ropeTask{x: x, pos: pos, rot: rot, n: n, heads: heads, back: back, rows: rowChunk(n, 64)}
	run(ceilDiv(n, t.rows), t)
}

// Do runs task i.
func (t *ropeTask) Do(i, worker int) {
	h, dim := t.rot.Half, t.heads*2*t.rot.Half
	for r := i * t.rows; r < min((i+1)*t.rows, t.n); r++ {
		p := int(t.pos[r])
		cos, sin := t.rot.Cos[p*h:(p+1)*h], t.rot.Sin[p*h:(p+1)*h]
		for k := range t.heads {
			x := t.x[r*dim+k*2*h : r*dim+(k+1)*2*h]
			if t.back {
				kernel.RopeGrad(x, cos, sin)
			} else {
				kernel.Rope(x, cos, sin)
			}
		}
	}
}
