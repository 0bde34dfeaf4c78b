package model

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
)

// Session is the working memory of passes over one model, planned once and
// held outside the Go heap. It serves one caller at a time.
type Session struct {
	m      *Model
	lim    Limits
	arena  *tensor.Arena
	exec   *op.Exec
	rotary op.Rotary
	local  op.Rotary // of layers with a window, where it is another

	rows  []Row
	n     int // tokens in the batch
	pos   []int32
	ids   []int32
	seqs  []op.Sequence
	self  [1]Page
	lins  [lora.Modules]op.Linear
	out   [1]op.Linear
	after [3]op.Linear // what Exec.Next is told of

	layers []acts    // of each layer; those not kept share memory
	x      []float32 // [Tokens, Dim]: the residual stream after the last layer
	norm   []float32 // [Tokens, Dim]: normed input of the linears at hand
	act    []float32 // [Tokens, FFN]
	rinv   []float32 // [Tokens]: of the final norm
	picked []float32 // [Tokens, Dim]: final states that a loss or logits were asked of
	index  []int32   // which rows those are

	grad  gradients
	drops [lora.Modules]op.Dropout
	key   uint64 // of this pass's dropout
	fill  bool   // this pass is to fill pages alone
}

// acts are the activations of one layer.
type acts struct {
	x            []float32               // [Tokens, Dim]: input of the layer
	mid          []float32               // [Tokens, Dim]: residual stream after attention
	q            []float32               // [Tokens, Heads·HeadSize], turned
	kv           []float32               // [2, Tokens, KVHeads·HeadSize]: keys, turned, then values
	o            []float32               // [Tokens, Heads·HeadSize]: output of attention
	stat         []float32               // [Tokens, Heads, 2], see op.Attend
	rinv1, rinv2 []float32               // [Tokens]
	gate, up     []float32               // [Tokens, FFN]
	qraw, kraw   []float32               // [Tokens, ..·HeadSize]: before the norm of heads, where there is one
	qinv, kinv   []float32               // [Tokens, heads]
	attn, mlp    []float32               // [Tokens, Dim]: before the norm after attention and feed-forward
	pinv1, pinv2 []float32               // [Tokens]
	h            [lora.Modules][]float32 // [Tokens, Pad]: low-rank inputs
}

// gradients are the buffers of the backward pass, shared by all layers.
type gradients struct {
	x     []float32 // [Tokens, Dim]: of the residual stream
	norm  []float32 // [Tokens, Dim]: of a normed input
	act   []float32 // [Tokens, FFN]
	q, o  []float32 // [Tokens, Heads·HeadSize]
	kv    []float32 // [2, Tokens, KVHeads·HeadSize]
	score []float32 // scratch of op.AttendGrad
	h     [lora.Modules][]float32
}

// Need is the number of bytes that a session with these limits takes.
func (m *Model) Need(l Limits) int64 {
	var floats int64
	s := &Session{m: m, lim: l}
	s.layout(func(n int) []float32 {
		floats += int64(n+15) / 16 * 16
		return nil
	})
	return floats * 4
}

// NewSession plans and takes the memory for passes within the limits.
func (m *Model) NewSession(l Limits) (*Session, error) {
	if l.Context > m.Context {
		return nil, fmt.Errorf("a context of %d positions where the base model was made for %d", l.Context, m.Context)
	}
	if err := m.CheckKV(l.KV); err != nil {
		return nil, err
	}
	for _, a := range l.arithmetics() {
		switch {
		case !slices.Contains(op.Arithmetics, a):
			return nil, fmt.Errorf("the arithmetic %q is not known: there are %q", a, op.Arithmetics)
		case l.Training && !a.Trains():
			return nil, fmt.Errorf("the arithmetic %s is for inference, not for training", a)
		}
	}
	l.Kept = min(max(l.Kept, 0), m.Layers)
	s := &Session{m: m, lim: l}
	arena, err := tensor.NewArena(int(m.Need(l)))
	if err != nil {
		return nil, fmt.Errorf("take memory for a session: %w", err)
	}
	s.arena = arena
	s.layout(arena.Floats)
	err = m.Rope.tables(s.rotary.Cos, s.rotary.Sin, m.HeadSize, l.Context)
	if err == nil && m.Local != nil {
		err = m.Local.tables(s.local.Cos, s.local.Sin, m.HeadSize, l.Context)
	}
	if err != nil {
		arena.Close()
		return nil, err
	}
	s.pos, s.ids = make([]int32, l.Tokens), make([]int32, l.Tokens)
	s.index = make([]int32, 0, l.Tokens)
	s.seqs = make([]op.Sequence, 0, l.Rows)
	return s, nil
}

// arithmetics are those that the session has memory for, its own first.
func (l *Limits) arithmetics() []op.Arithmetic {
	all := []op.Arithmetic{cmp.Or(l.Arithmetic, op.F32)}
	if l.Other != "" && l.Other != all[0] {
		all = append(all, l.Other)
	}
	return all
}

// Use makes the passes from here on, and what Logits computes, those of an
// arithmetic, which is one of the two in the session's limits.
func (s *Session) Use(a op.Arithmetic) { s.exec.Use(a) }

// SetPause has f called during passes, between operations and parts of some of them,
// so that others may have the workers; nil for nobody. Bits do not depend on it.
func (s *Session) SetPause(f func()) { s.exec.SetPause(f) }

// Close gives the memory back.
func (s *Session) Close() error { return s.arena.Close() }

// Limits are what the session was made for.
func (s *Session) Limits() Limits { return s.lim }

// layout takes the memory of every buffer from alloc, in a fixed order.
func (s *Session) layout(alloc func(n int) []float32) {
	m, l := s.m, s.lim
	half := m.HeadSize / 2
	s.rotary = op.Rotary{Half: half, Cos: alloc(l.Context * half), Sin: alloc(l.Context * half)}
	if m.Local != nil {
		s.local = op.Rotary{Half: half, Cos: alloc(l.Context * half), Sin: alloc(l.Context * half)}
	}
	s.exec = op.NewExec(l.Context, m.Dim, alloc)
	n := l.Tokens
	q, kv := m.Heads*m.HeadSize, m.KVHeads*m.HeadSize
	for _, a := range l.arithmetics() {
		switch a {
		case op.Int8, op.Int16:
			s.exec.UseIntegers(a, n, max(m.Dim, m.FFN, q), alloc)
		case op.BF16:
			s.exec.UseBF16(op.Room{Tokens: n, Rows: l.Rows, Context: l.Context, Heads: m.heads(0), In: max(m.Dim, m.FFN, q), Out: max(m.Dim, m.FFN, q), Sum: max(2*m.FFN, q+2*kv, m.Dim),
				Dim: m.Dim, Pad: l.Pad, Grad: l.Training}, alloc)
		}
	}
	s.exec.Use(l.Arithmetic)
	s.norm, s.act, s.rinv, s.picked = alloc(n*m.Dim), alloc(n*m.FFN), alloc(n), alloc(n*m.Dim)
	s.x = alloc(n * m.Dim)
	s.layers = make([]acts, m.Layers)
	shared := s.layerActs(alloc)
	if !l.Training {
		shared.x = s.x
	}
	for i := range s.layers {
		switch {
		case !l.Training:
			s.layers[i] = shared
		case i >= m.Layers-l.Kept:
			s.layers[i] = s.layerActs(alloc)
			s.layers[i].x = alloc(n * m.Dim)
		default:
			s.layers[i] = shared
			s.layers[i].x = alloc(n * m.Dim)
		}
	}
	if !l.Training {
		return
	}
	g := &s.grad
	g.x, g.norm, g.act = alloc(n*m.Dim), alloc(n*m.Dim), alloc(n*m.FFN)
	g.q, g.o, g.kv = alloc(n*q), alloc(n*q), alloc(2*n*kv)
	g.score = alloc(op.AttendScratch(l.Longest, m.heads(0)))
	for i := range lora.Modules {
		g.h[i] = alloc(n * l.Pad)
	}
	if l.Dropout > 0 {
		dx := alloc(n * max(m.FFN, m.Dim, q))
		for i := range lora.Modules {
			_, in := m.linear(i)
			s.drops[i] = op.Dropout{P: l.Dropout, X: alloc(n * in), DX: dx}
		}
	}
}

func (s *Session) layerActs(alloc func(n int) []float32) acts {
	m, n := s.m, s.lim.Tokens
	a := acts{
		mid: alloc(n * m.Dim), q: alloc(n * m.Heads * m.HeadSize), kv: alloc(2 * n * m.KVHeads * m.HeadSize),
		o: alloc(n * m.Heads * m.HeadSize), rinv1: alloc(n), rinv2: alloc(n),
		gate: alloc(n * m.FFN), up: alloc(n * m.FFN),
	}
	if s.lim.Training {
		a.stat = alloc(n * m.Heads * 2)
	}
	if m.qkNorm() {
		a.qraw, a.kraw = alloc(n*m.Heads*m.HeadSize), alloc(n*m.KVHeads*m.HeadSize)
		a.qinv, a.kinv = alloc(n*m.Heads), alloc(n*m.KVHeads)
	}
	if m.postNorm() {
		a.attn, a.mlp, a.pinv1, a.pinv2 = alloc(n*m.Dim), alloc(n*m.Dim), alloc(n), alloc(n)
	}
	for i := range lora.Modules {
		a.h[i] = alloc(n * s.lim.Pad)
	}
	return a
}
