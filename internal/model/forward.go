package model

import (
	"fmt"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// Forward runs rows through all layers. The session keeps what Logits, Loss
// and Backward need; rows and what they point at must stay until then. The
// bits of a row depend on that row alone.
//
// Errors: a row that does not fit the session's limits or the model, and a
// model file that has become unreadable under the process.
func (s *Session) Forward(rows []Row) error {
	n, err := s.m.check(rows, &s.lim)
	if err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	s.rows, s.n = rows, n
	return weights.Guard(func() error {
		s.forward()
		return nil
	})
}

// Fill is Forward where nobody asks for more of the rows than that others may attend
// to them: it fills their pages, and leaves nothing for Logits, Loss and Backward.
func (s *Session) Fill(rows []Row) error {
	s.fill = true
	defer func() { s.fill = false }()
	return s.Forward(rows)
}

// SetDropout sets the key of the next passes' dropout masks; with equal keys
// masks are equal.
func (s *Session) SetDropout(key uint64) { s.key = key }

func (s *Session) forward() {
	m, n := s.m, s.n
	s.seqs = s.seqs[:0]
	at := 0
	for i := range s.rows {
		r := &s.rows[i]
		for k, t := range r.Tokens {
			s.ids[at+k], s.pos[at+k] = t, int32(r.Start+k)
		}
		s.seqs = append(s.seqs, op.Sequence{Lo: at, N: len(r.Tokens), Start: r.Start})
		at += len(r.Tokens)
	}
	s.exec.Embed(s.layers[0].x[:n*m.Dim], s.ids[:n], &m.Embed)
	if m.EmbedScale != 0 {
		s.exec.Scale(s.layers[0].x, m.EmbedScale, n*m.Dim)
	}
	for l := range m.Layer {
		next := s.x
		if l+1 < len(m.Layer) {
			next = s.layers[l+1].x
		}
		s.forwardLayer(l, next, false)
	}
}

// forwardLayer computes layer l from its input to next:
//
//	mid  = x + o_proj(attention(norm(x)))
//	next = mid + down_proj(silu(gate_proj(norm(mid)))·up_proj(norm(mid)))
//
// with a norm of each head of q and k, and one after o_proj and down_proj, where
// the architecture has them. Again, for a backward pass, it computes what that needs,
// and next is memory that may be written.
func (s *Session) forwardLayer(l int, next []float32, again bool) {
	m, e, n := s.m, s.exec, s.n
	L, a := &m.Layer[l], &s.layers[l]
	kv := m.KVHeads * m.HeadSize
	k, v := a.kv[:n*kv], a.kv[s.lim.Tokens*kv:][:n*kv]

	e.RMSNorm(s.norm, a.rinv1, a.x, L.AttnNorm, n, m.Dim, m.Eps)
	q0, k0 := a.q, k
	if L.QNorm != nil {
		q0, k0 = a.qraw, a.kraw
	}
	s.linear(l, lora.QProj, q0)
	s.linear(l, lora.KProj, k0)
	s.linear(l, lora.VProj, v)
	s.next(l, lora.OProj, lora.GateProj)
	e.Linear(s.norm, n, m.Dim, s.lins[lora.QProj:lora.OProj])
	if L.QNorm != nil {
		e.RMSNorm(a.q, a.qinv, a.qraw, L.QNorm, n*m.Heads, m.HeadSize, m.Eps)
		e.RMSNorm(k, a.kinv, a.kraw, L.KNorm, n*m.KVHeads, m.HeadSize, m.Eps)
	}
	if rot := s.rotation(L); rot != nil {
		e.Rope(a.q, s.pos[:n], rot, n, m.Heads)
		e.Rope(k, s.pos[:n], rot, n, m.KVHeads)
	}
	s.placeKeys(l, a, k, v)
	if s.fill && l == m.Layers-1 {
		return
	}
	e.Attend(a.o, a.q, a.stat, s.seqs, m.heads(l))
	attn := a.mid
	if L.AttnPost != nil {
		attn = a.attn
	}
	s.linear(l, lora.OProj, attn)
	s.next(l, lora.GateProj, lora.DownProj)
	e.Linear(a.o, n, m.Heads*m.HeadSize, s.lins[lora.OProj:lora.GateProj])
	if L.AttnPost != nil {
		e.RMSNorm(a.mid, a.pinv1, a.attn, L.AttnPost, n, m.Dim, m.Eps)
	}
	e.Add(a.mid, a.x, n*m.Dim)

	e.RMSNorm(s.norm, a.rinv2, a.mid, L.MLPNorm, n, m.Dim, m.Eps)
	s.linear(l, lora.GateProj, a.gate)
	s.linear(l, lora.UpProj, a.up)
	s.next(l, lora.DownProj, lora.Modules)
	e.Linear(s.norm, n, m.Dim, s.lins[lora.GateProj:lora.DownProj])
	e.GLU(s.act, a.gate, a.up, n*m.FFN, m.Gelu)
	mlp := next
	if L.MLPPost != nil {
		mlp = a.mlp
	}
	s.linear(l, lora.DownProj, mlp)
	if again && L.MLPPost == nil {
		e.LowInputs(s.act, n, m.FFN, s.lins[lora.DownProj:])
		return
	}
	s.next(l+1, lora.QProj, lora.OProj)
	e.Linear(s.act, n, m.FFN, s.lins[lora.DownProj:])
	if L.MLPPost != nil {
		e.RMSNorm(next, a.pinv2, a.mlp, L.MLPPost, n, m.Dim, m.Eps)
	}
	e.Add(next, a.mid, n*m.Dim)
}

// rotation is how positions turn in a layer; nil for not at all.
func (s *Session) rotation(L *Layer) *op.Rotary {
	switch {
	case L.NoRope:
		return nil
	case L.Window > 0 && s.m.Local != nil:
		return &s.local
	}
	return &s.rotary
}

// linear prepares linear i of layer l to write y.
func (s *Session) linear(l int, i lora.Module, y []float32) {
	L := &s.m.Layer[l]
	lin := &s.lins[i]
	lin.W, lin.Bias, lin.Y, lin.DY = &L.Weights[i], L.Bias[i], y, nil
	var drop *op.Dropout
	var dh []float32
	if s.lim.Training {
		dh = s.grad.h[i]
		if s.lim.Dropout > 0 {
			drop = &s.drops[i]
			drop.Key = s.key*0x9e3779b97f4a7c15 + uint64(l)<<8 + uint64(i)
		}
	}
	lin.Deltas = deltas(lin.Deltas, s.rows, l, i, s.layers[l].h[i], dh, drop)
}

// next says which linears come after those at hand: modules from one to before
// another of layer l, or the head behind the last layer.
func (s *Session) next(l int, from, to lora.Module) {
	if l == s.m.Layers {
		s.after[0].W = &s.m.Head
		s.exec.Next(s.after[:1])
		return
	}
	for i := from; i < to; i++ {
		s.after[i-from].W = &s.m.Layer[l].Weights[i]
	}
	s.exec.Next(s.after[:to-from])
}

// placeKeys tells attention where the keys and values of each row lie, and
// copies those of rows with pages there.
func (s *Session) placeKeys(l int, a *acts, k, v []float32) {
	m := s.m
	kv := m.KVHeads * m.HeadSize
	s.self[0] = a.kv
	for i := range s.seqs {
		q, r := &s.seqs[i], &s.rows[i]
		if r.Pages == nil {
			q.Keys = op.Keys{Pages: s.self[:], Len: s.lim.Context, KOff: q.Lo * kv, VOff: (s.lim.Tokens + q.Lo) * kv}
			continue
		}
		half := PageLen * kv // float32s, or bytes of packed rows
		if t := s.lim.KV; t != tensor.F32 {
			half = m.KVHeads * PageLen * t.RowBytes(m.HeadSize)
		}
		q.Keys = op.Keys{Pages: r.Pages, Len: PageLen, KOff: l * 2 * half, VOff: (l*2 + 1) * half, DType: s.lim.KV, Far: true}
	}
	s.exec.Place(k, v, s.seqs, m.heads(l))
}

// Logits overwrites dst [len(at), Vocab] with the logits after the tokens at
// the given places of the flattened batch.
func (s *Session) Logits(dst []float32, at []int32) error {
	m := s.m
	if len(dst) < len(at)*m.Vocab || len(at) > s.lim.Tokens {
		return fmt.Errorf("logits: room for %d numbers where %d are asked for", len(dst), len(at)*m.Vocab)
	}
	return weights.Guard(func() error {
		for i, t := range at {
			copy(s.picked[i*m.Dim:(i+1)*m.Dim], s.x[int(t)*m.Dim:])
		}
		s.exec.RMSNorm(s.picked, s.rinv, s.picked, m.Norm, len(at), m.Dim, m.Eps)
		s.out[0] = op.Linear{W: &m.Head, Y: dst}
		s.next(0, lora.QProj, lora.OProj) // of the token that follows
		s.exec.Linear(s.picked, len(at), m.Dim, s.out[:])
		return nil
	})
}

// Layers gives, for tests that look for the first layer that differs, the
// residual stream [tokens, Dim] after each layer of a training session, and
// the final normed states.
func (s *Session) Layers() (after [][]float32, final []float32) {
	m := s.m
	for l := 1; l < m.Layers; l++ {
		after = append(after, s.layers[l].x[:s.n*m.Dim])
	}
	after = append(after, s.x[:s.n*m.Dim])
	final = make([]float32, s.n*m.Dim)
	s.exec.RMSNorm(final, s.rinv, s.x, m.Norm, s.n, m.Dim, m.Eps)
	return after, final
}
