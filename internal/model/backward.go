package model

import (
	"fmt"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/weights"
)

// Loss computes the negative log-likelihood in nats of targets[i] after token
// i of the flattened batch that Forward ran, for every i whose target is not
// negative; nll[i] is overwritten there and left alone elsewhere. With grad,
// the gradient of Σ scale[i]·nll[i] with respect to the final states is kept
// for Backward, and those of a view's head and last norm are accumulated; scale
// may be nil otherwise.
func (s *Session) Loss(nll []float32, targets []int32, scale []float32, grad bool) error {
	m, n := s.m, s.n
	if len(nll) < n || len(targets) < n || grad && (len(scale) < n || !s.lim.Training) {
		return fmt.Errorf("loss: %d losses, %d targets and %d weights for %d tokens", len(nll), len(targets), len(scale), n)
	}
	for _, t := range targets[:n] {
		if int(t) >= m.Vocab {
			return fmt.Errorf("loss: target %d of a vocabulary of %d", t, m.Vocab)
		}
	}
	return weights.Guard(func() error {
		s.loss(nll, targets, scale, grad)
		return nil
	})
}

func (s *Session) loss(nll []float32, targets []int32, scale []float32, grad bool) {
	m, n, e := s.m, s.n, s.exec
	s.index = s.index[:0]
	for i := range n {
		if targets[i] >= 0 {
			s.index = append(s.index, int32(i))
		}
	}
	c := len(s.index)
	if grad {
		clear(s.grad.x[:n*m.Dim])
	}
	if c == 0 {
		return
	}
	for k, i := range s.index {
		copy(s.picked[k*m.Dim:(k+1)*m.Dim], s.x[int(i)*m.Dim:])
	}
	if !grad {
		e.RMSNorm(s.picked, s.rinv, s.picked, m.Norm, c, m.Dim, m.Eps)
		s.gather(targets, nil)
		e.Head(nil, s.act[:c], s.picked, &m.Head, s.ids[:c], nil, c)
		s.scatter(nll, s.act[:c])
		return
	}
	g := &s.grad
	e.RMSNorm(s.norm, s.rinv, s.picked, m.Norm, c, m.Dim, m.Eps)
	s.gather(targets, scale)
	e.Head(g.norm, s.act[:c], s.norm, &m.Head, s.ids[:c], g.act[:c], c)
	s.scatter(nll, s.act[:c])
	if d := m.grads; d != nil && d.head != nil {
		e.HeadGrad(d.head, s.act[:c], s.norm, &m.Head, s.ids[:c], g.act[:c], c)
	}
	if d := m.grads; d != nil && d.norm != nil {
		e.RMSNormWeightGrad(d.norm, g.norm, s.picked, s.rinv, c, m.Dim)
	}
	// The gradient of the picked rows goes through the norm, and from there to
	// their places in the residual stream.
	d := s.norm[:c*m.Dim]
	clear(d)
	e.RMSNormGrad(d, g.norm, s.picked, m.Norm, s.rinv, c, m.Dim)
	for k, i := range s.index {
		copy(g.x[int(i)*m.Dim:(int(i)+1)*m.Dim], d[k*m.Dim:(k+1)*m.Dim])
	}
}

// gather puts the targets of the picked rows in s.ids and their weights in the
// gradient's scratch.
func (s *Session) gather(targets []int32, scale []float32) {
	for k, i := range s.index {
		s.ids[k] = targets[i]
		if scale != nil {
			s.grad.act[k] = scale[i]
		}
	}
}

func (s *Session) scatter(nll, picked []float32) {
	for k, i := range s.index {
		nll[i] = picked[k]
	}
}

// Backward accumulates the gradients of the adapters' trainable pairs, and of a
// view's weights, for the last Forward and Loss. Each gradient is a sum in the
// order of tokens.
func (s *Session) Backward() error {
	if !s.lim.Training {
		return fmt.Errorf("backward: the session was not made for training")
	}
	return weights.Guard(func() error {
		s.backward()
		return nil
	})
}

func (s *Session) backward() {
	lowest := s.lowestTrained()
	for l := s.m.Layers - 1; l >= lowest; l-- {
		// The topmost of those that share memory was the last to write it.
		if l < s.m.Layers-s.lim.Kept-1 {
			s.forwardLayer(l, s.x, true)
		}
		s.backwardLayer(l, l > lowest || s.embedTrained())
	}
	if s.embedTrained() {
		s.embedGrad()
	}
}

func (s *Session) embedTrained() bool { return s.m.grads != nil && s.m.grads.embed != nil }

// embedGrad takes the gradient of the first layer's input, in s.grad.x, to the
// rows of the embedding.
func (s *Session) embedGrad() {
	at := 0
	for i := range s.rows {
		at += copy(s.ids[at:], s.rows[i].Tokens) // Loss has put targets there
	}
	scale := s.m.EmbedScale
	if scale == 0 {
		scale = 1
	}
	s.exec.EmbedGrad(s.m.grads.embed, s.grad.x, s.ids[:s.n], s.m.Dim, scale)
}

// lowestTrained is the lowest layer with a trainable pair or weight; below it
// there is nothing to compute.
func (s *Session) lowestTrained() int {
	if s.embedTrained() {
		return 0
	}
	for l := range s.m.Layers {
		if s.m.gradsOf(l).any() {
			return l
		}
		for i := range s.rows {
			for _, a := range s.rows[i].Adapters {
				for _, p := range a.Adapter.Pairs[l] {
					if p != nil && p.GradA != nil {
						return l
					}
				}
			}
		}
	}
	return s.m.Layers
}

// backwardLayer takes the gradient of layer l's output in s.grad.x and leaves
// that of its input there. It mirrors forwardLayer from its last line to its
// first.
func (s *Session) backwardLayer(l int, below bool) {
	m, e, n, g := s.m, s.exec, s.n, &s.grad
	L, a, d := &m.Layer[l], &s.layers[l], m.gradsOf(l)
	q, kv := m.Heads*m.HeadSize, m.KVHeads*m.HeadSize

	// next = mid + down_proj(act)
	e.GLU(s.act, a.gate, a.up, n*m.FFN, m.Gelu)
	s.linearGrad(l, lora.DownProj, s.beforeNorm(a.mlp, L.MLPPost, d.mlpPost, a.pinv2))
	e.LinearGrad(g.act, s.act, n, m.FFN, s.lins[lora.DownProj:])

	// act = silu(gate)·up; the gradients take the place of gate and up
	e.GLUGrad(a.gate, a.up, g.act, a.gate, a.up, n*m.FFN, m.Gelu)

	// gate, up = gate_proj(norm(mid)), up_proj(norm(mid))
	e.RMSNorm(s.norm, a.rinv2, a.mid, L.MLPNorm, n, m.Dim, m.Eps)
	s.linearGrad(l, lora.GateProj, a.gate)
	s.linearGrad(l, lora.UpProj, a.up)
	e.LinearGrad(g.norm, s.norm, n, m.Dim, s.lins[lora.GateProj:lora.DownProj])
	s.normGrad(d.mlpNorm, g.norm, a.mid, a.rinv2, n, m.Dim)
	e.RMSNormGrad(g.x, g.norm, a.mid, L.MLPNorm, a.rinv2, n, m.Dim)

	// mid = x + o_proj(o)
	s.linearGrad(l, lora.OProj, s.beforeNorm(a.attn, L.AttnPost, d.attnPost, a.pinv1))
	e.LinearGrad(g.o, a.o, n, q, s.lins[lora.OProj:lora.GateProj])

	// o = attention(q, k, v)
	k, v := a.kv[:n*kv], a.kv[s.lim.Tokens*kv:][:n*kv]
	dk, dv := g.kv[:n*kv], g.kv[s.lim.Tokens*kv:][:n*kv]
	for i := range s.seqs {
		e.AttendGrad(g.q, dk, dv, g.o, a.q, k, v, a.o, a.stat, g.score, s.seqs[i].Lo, s.seqs[i].N, m.heads(l))
	}
	if rot := s.rotation(L); rot != nil {
		e.RopeGrad(g.q, s.pos[:n], rot, n, m.Heads)
		e.RopeGrad(dk, s.pos[:n], rot, n, m.KVHeads)
	}
	dq := g.q
	if L.QNorm != nil {
		s.normGrad(d.qNorm, g.q, a.qraw, a.qinv, n*m.Heads, m.HeadSize)
		s.normGrad(d.kNorm, dk, a.kraw, a.kinv, n*m.KVHeads, m.HeadSize)
		dq = g.o
		clear(dq[:n*q])
		e.RMSNormGrad(dq, g.q, a.qraw, L.QNorm, a.qinv, n*m.Heads, m.HeadSize)
		clear(a.o[:n*kv])
		e.RMSNormGrad(a.o, dk, a.kraw, L.KNorm, a.kinv, n*m.KVHeads, m.HeadSize)
		copy(dk, a.o[:n*kv])
	}

	// q, k, v = q_proj(norm(x)), k_proj(norm(x)), v_proj(norm(x))
	e.RMSNorm(s.norm, a.rinv1, a.x, L.AttnNorm, n, m.Dim, m.Eps)
	s.linearGrad(l, lora.QProj, dq)
	s.linearGrad(l, lora.KProj, dk)
	s.linearGrad(l, lora.VProj, dv)
	if !below && d.attnNorm == nil {
		e.LinearGrad(nil, s.norm, n, m.Dim, s.lins[lora.QProj:lora.OProj])
		return
	}
	e.LinearGrad(g.norm, s.norm, n, m.Dim, s.lins[lora.QProj:lora.OProj])
	s.normGrad(d.attnNorm, g.norm, a.x, a.rinv1, n, m.Dim)
	e.RMSNormGrad(g.x, g.norm, a.x, L.AttnNorm, a.rinv1, n, m.Dim)
}

// beforeNorm takes the gradient of the residual stream back through the norm
// after attention or feed-forward, where there is one, and accumulates that of
// its weight in dw. x is the norm's input; the result is valid until the next use
// of s.norm.
func (s *Session) beforeNorm(x, w, dw, rinv []float32) []float32 {
	if w == nil {
		return s.grad.x
	}
	m, n := s.m, s.n
	s.normGrad(dw, s.grad.x, x, rinv, n, m.Dim)
	clear(s.norm[:n*m.Dim])
	s.exec.RMSNormGrad(s.norm, s.grad.x, x, w, rinv, n, m.Dim)
	return s.norm
}

// normGrad accumulates the gradient of a norm's weight in dw; nil where that is
// frozen.
func (s *Session) normGrad(dw, dy, x, rinv []float32, n, dim int) {
	if dw != nil {
		s.exec.RMSNormWeightGrad(dw, dy, x, rinv, n, dim)
	}
}

// linearGrad prepares linear i of layer l to read dy, and accumulates the
// gradient of its bias.
func (s *Session) linearGrad(l int, i lora.Module, dy []float32) {
	s.linear(l, i, nil)
	d := s.m.gradsOf(l)
	s.lins[i].DY, s.lins[i].GradW = dy, d.weights[i]
	if d.bias[i] != nil {
		s.exec.BiasGrad(d.bias[i], dy, s.n, len(d.bias[i]))
	}
}
