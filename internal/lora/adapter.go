// Package lora holds LoRA adapters (arXiv:2106.09685) as data: made, read,
// written, joined. An adapter is never attached to a model; it travels with
// the rows of a batch.
package lora

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/getstroke/stroke/internal/op"
)

// Module is one of the linears of a decoder layer.
type Module int

// The linears of a layer, in the order they are computed.
const (
	QProj Module = iota
	KProj
	VProj
	OProj
	GateProj
	UpProj
	DownProj
	Modules // how many there are
)

var moduleNames = [Modules]string{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}

// String is the module's name as Hugging Face writes it.
func (m Module) String() string { return moduleNames[m] }

// ParseModule finds a module by its Hugging Face name.
func ParseModule(name string) (Module, error) {
	if i := slices.Index(moduleNames[:], name); i >= 0 {
		return Module(i), nil
	}
	return 0, fmt.Errorf("unknown target module %q: it is one of %s", name, strings.Join(moduleNames[:], ", "))
}

// MarshalText gives the module's name.
func (m Module) MarshalText() ([]byte, error) {
	if m < 0 || m >= Modules {
		return nil, fmt.Errorf("there is no target module %d", int(m))
	}
	return []byte(m.String()), nil
}

// UnmarshalText reads the module's name.
func (m *Module) UnmarshalText(name []byte) error {
	v, err := ParseModule(string(name))
	if err == nil {
		*m = v
	}
	return err
}

// AllModules are the seven linears.
func AllModules() []Module {
	all := make([]Module, Modules)
	for m := range all {
		all[m] = Module(m)
	}
	return all
}

// Shape is the [Out, In] of every module of every layer of a base model.
type Shape struct {
	Layers  int
	In, Out [Modules]int
}

// fits says with an error why a pair [out, in] is not one of the base's linear m.
func (s *Shape) fits(layer int, m Module, in, out int) error {
	if in != s.In[m] || out != s.Out[m] {
		return fmt.Errorf("the adapter's %s in layer %d is [%d, %d] and the base's [%d, %d]: it was trained on another base", m, layer, out, in, s.Out[m], s.In[m])
	}
	return nil
}

// Options are how an adapter is made.
type Options struct {
	Rank    int      `json:"rank"`
	Alpha   float64  `json:"alpha"`
	RSLoRA  bool     `json:"rslora"`            // scale by alpha/√rank (arXiv:2312.03732) and not alpha/rank
	Targets []Module `json:"targets,omitempty"` // empty: all seven
	Dropout float32  `json:"dropout"`           // of the input of each pair, while training
}

// Like gives the options with the shape of others: all but the dropout is theirs.
func (o Options) Like(shape Options) Options {
	shape.Dropout = o.Dropout
	return shape
}

// Scale is what the low-rank product is multiplied by.
func (o Options) Scale() float32 {
	if o.RSLoRA {
		return float32(o.Alpha / math.Sqrt(float64(o.Rank)))
	}
	return float32(o.Alpha / float64(o.Rank))
}

// Adapter is an adapter in memory: Pairs[layer][module], nil where the adapter
// leaves a linear alone.
type Adapter struct {
	Options Options
	Base    string // name of the base model it was trained on; may be empty
	Pairs   [][Modules]*op.Pair
}

// heap hands out memory of the Go heap.
func heap(n int) []float32 { return make([]float32, n) }

// New makes an adapter as PEFT does: A uniform in ±1/√in (Kaiming with a=√5),
// B zero. The numbers depend on seed and place alone. alloc hands out zeroed
// memory; nil means the Go heap.
func New(s Shape, o Options, seed uint64, alloc func(n int) []float32) *Adapter {
	if alloc == nil {
		alloc = heap
	}
	if len(o.Targets) == 0 {
		o.Targets = AllModules()
	}
	a := &Adapter{Options: o, Pairs: make([][Modules]*op.Pair, s.Layers)}
	for l := range s.Layers {
		for _, m := range o.Targets {
			p := op.NewPair(o.Rank, s.In[m], s.Out[m], o.Scale(), alloc)
			rng := rand.New(rand.NewPCG(seed, uint64(l)<<8|uint64(m)))
			bound := 1 / math.Sqrt(float64(p.In))
			for i := range p.Rank * p.In {
				p.A[i] = float32((2*rng.Float64() - 1) * bound)
			}
			a.Pairs[l][m] = p
		}
	}
	return a
}

// Each calls f for every pair, by layer and then by module.
func (a *Adapter) Each(f func(layer int, m Module, p *op.Pair)) {
	for l := range a.Pairs {
		for m, p := range a.Pairs[l] {
			if p != nil {
				f(l, Module(m), p)
			}
		}
	}
}

// Pad is the largest padded rank of a pair.
func (a *Adapter) Pad() int {
	pad := 0
	a.Each(func(_ int, _ Module, p *op.Pair) { pad = max(pad, p.Pad) })
	return pad
}

// Rank is the largest rank that the adapter's options or a pair have.
func (a *Adapter) Rank() int {
	rank := a.Options.Rank
	a.Each(func(_ int, _ Module, p *op.Pair) { rank = max(rank, p.Rank) })
	return rank
}

// Parameters is the number of weights.
func (a *Adapter) Parameters() int {
	n := 0
	a.Each(func(_ int, _ Module, p *op.Pair) { n += p.Rank * (p.In + p.Out) })
	return n
}

// Trainable gives every pair a gradient, and takes away what was made of its
// factors; alloc hands out zeroed memory.
func (a *Adapter) Trainable(alloc func(n int) []float32) {
	a.Each(func(_ int, _ Module, p *op.Pair) {
		p.Half, p.HalfB, p.TileA, p.TileB = nil, nil, nil, nil // they will change
		p.GradA, p.GradB = alloc(p.Pad*p.In), alloc(p.Pad*p.Out)
	})
}

// Fits says with an error why the adapter does not fit a base of shape s.
func (a *Adapter) Fits(s Shape) error {
	if len(a.Pairs) != s.Layers {
		return fmt.Errorf("the adapter has %d layers and the base %d: it was trained on another base", len(a.Pairs), s.Layers)
	}
	var err error
	a.Each(func(l int, m Module, p *op.Pair) {
		if err == nil {
			err = s.fits(l, m, p.In, p.Out)
		}
	})
	return err
}

// SameShape says whether b can go on where a stopped: the same rank and pairs.
func (a *Adapter) SameShape(b *Adapter) bool {
	if len(a.Pairs) != len(b.Pairs) {
		return false
	}
	for l := range a.Pairs {
		for m, p := range a.Pairs[l] {
			q := b.Pairs[l][m]
			if (p == nil) != (q == nil) || p != nil && (p.Rank != q.Rank || p.In != q.In || p.Out != q.Out || p.Scale != q.Scale) {
				return false
			}
		}
	}
	return true
}

// Copy copies the weights of src, an adapter of the same shape.
func (a *Adapter) Copy(src *Adapter) {
	a.Each(func(l int, m Module, p *op.Pair) {
		copy(p.A, src.Pairs[l][m].A)
		copy(p.B, src.Pairs[l][m].B)
	})
}
