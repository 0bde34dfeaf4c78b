// Package op holds the differentiable operations of a decoder, one in a file,
// each with a Forward and a Backward part over plain float32 slices. They cut
// their work into tasks for the process-wide worker pool so that no reduction
// is ever split by the number of workers: the bits of a result depend on its
// operands alone, never on who computed what, nor on what else is in a batch.
package op

import (
	"github.com/getstroke/stroke/internal/kernel"
)

// Exec carries what the operations need beside their operands: task
// descriptions and scratch memory for each worker. An Exec serves one caller
// at a time; its methods allocate nothing.
type Exec struct {
	scratch [][]float32
	tiles   *tiles // nil where products are not in tiles
	room    *tiles // those of UseBF16
	rounded integers
	pause   func() // see SetPause

	pack       packTask
	linear     linearTask
	linearGrad linearGradTask
	tileLinear tileLinearTask
	tileGrad   tileGradTask
	tileAttend tileAttendTask
	tileKeys   tileAttendGradTask
	norm       normTask
	rope       ropeTask
	glu        gluTask
	attend     attendTask
	place      placeTask
	attendGrad attendGradTask
	head       headTask
	embed      embedTask
	add        addTask
	weights    weightGradTask
	headGrad   headGradTask
	tileHead   tileHeadGradTask
}

// NewExec makes an Exec for kernel.Workers() workers. Its scratch is big
// enough for rows attending to as many as context keys and for heads of as
// many as dim features. alloc hands out zeroed memory.
func NewExec(context, dim int, alloc func(n int) []float32) *Exec {
	need := max(ScratchFloats(context, dim), 1)
	e := &Exec{scratch: make([][]float32, kernel.Workers())}
	for i := range e.scratch {
		e.scratch[i] = alloc(need)
	}
	return e
}

// Use makes products those of an arithmetic for which there is memory (UseBF16,
// UseIntegers), or of F32, from here on.
func (e *Exec) Use(a Arithmetic) {
	e.tiles = nil
	e.rounded.size, e.rounded.on = a.integers()
	if a == BF16 {
		e.tiles = e.room
	}
}

// SetPause has f called between operations, and between parts of some that take
// long, so that whoever computes for long may let others have the workers. nil,
// the beginning, is for nobody. Bits do not depend on it.
func (e *Exec) SetPause(f func()) { e.pause = f }

func (e *Exec) breathe() {
	if e.pause != nil {
		e.pause()
	}
}

// partFlops is how many floating-point operations go between two calls of pause:
// a few hundredths of a second. Tests make it small.
var partFlops = 2e9

// parts is how many of n tasks, of so many operations each, go between two calls
// of pause: all of them where nobody asked.
func (e *Exec) parts(n int, flops float64) int {
	if e.pause == nil {
		return n
	}
	return max(1, min(n, int(partFlops/flops)))
}

// ScratchFloats is the number of float32 of scratch that one worker needs.
func ScratchFloats(context, dim int) int {
	return max(attendBlock*roundUp(context, 16), headSlice*dim+headRows*headSlice+3*headRows)
}

// run gives n tasks to the pool; a single one is done at once.
func run(n int, t kernel.Task) {
	if n == 1 {
		t.Do(0, 0)
		return
	}
	kernel.Run(n, t)
}

// rowChunk is how many of n rows a task takes: as many tasks for each worker, each a
// whole number of kernel tiles, and no more than limit.
func rowChunk(n, limit int) int {
	w := kernel.Workers()
	rounds := max(ceilDiv(n, w*limit), 1)
	return min(roundUp(max(ceilDiv(n, w*rounds), 12), 12), roundUp(limit, 12))
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

func ceilDiv(a, b int) int { return (a + b - 1) / b }
