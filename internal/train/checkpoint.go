package train

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// A checkpoint is a safetensors file: what is trained and what the optimizer
// keeps of it, in float32 without padding, and in its metadata, under
// "checkpoint", the state below in JSON.

// State says where a run stands, and what it must be resumed with.
type State struct {
	Step    int             `json:"step"`    // steps done
	Options Options         `json:"options"` // as the run was planned
	Data    string          `json:"data"`    // hash of the examples
	Batch   int             `json:"batch"`   // tokens that go through the base together; 0 where it was not kept
	Base    string          `json:"base"`    // name of the base
	Kernel  string          `json:"kernel"`  // kind of kernel: another has other bits
	Sum     string          `json:"sum"`     // SHA-256 of the numbers
	Extra   json.RawMessage `json:"extra,omitempty"`
}

// ErrOtherRun is returned by Restore where a checkpoint is whole but belongs to
// another run: other data, options, batch, base or kernel.
var ErrOtherRun = errors.New("the checkpoint belongs to another run")

// Save writes a checkpoint. extra is kept beside it and given back by Restore.
// The caller makes the write atomic.
func (t *Trainer) Save(w io.Writer, extra any) error {
	var tensors []weights.Tensor
	h := sha256.New()
	t.optim.state(func(name string, shape []int, x []float32) {
		b := tensor.Bytes(x)
		h.Write(b)
		tensors = append(tensors, weights.Tensor{Name: name, DType: tensor.F32, Shape: shape, Data: b})
	})
	s := t.state(h)
	if extra != nil {
		b, err := json.Marshal(extra)
		if err != nil {
			return fmt.Errorf("write checkpoint: %w", err)
		}
		s.Extra = b
	}
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	if err := weights.WriteSafetensors(w, tensors, map[string]string{"checkpoint": string(b)}); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return nil
}

func (t *Trainer) state(h hash.Hash) State {
	return State{Step: t.next, Options: t.opt, Data: t.data, Batch: t.session.Limits().Tokens, Base: t.m.Name, Kernel: kernel.Name(), Sum: hex.EncodeToString(h.Sum(nil))}
}

// Restore takes the state of the checkpoint at path, and gives back what was
// kept beside it. Nothing is changed where it fails: the error is ErrOtherRun
// for a checkpoint of another run, and says what is wrong with a damaged one. That
// the frozen adapters of [Job.On] are the same is for the caller to see to.
func (t *Trainer) Restore(path string) (extra json.RawMessage, err error) {
	f, err := weights.OpenSafetensors(path)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	defer f.Close()
	err = weights.Guard(func() error {
		extra, err = t.restore(f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %s: %w", path, err)
	}
	return extra, nil
}

func (t *Trainer) restore(f *weights.Safetensors) (json.RawMessage, error) {
	var s State
	if err := json.Unmarshal([]byte(f.Metadata["checkpoint"]), &s); err != nil {
		return nil, fmt.Errorf("it is damaged: %w", err)
	}
	h := sha256.New()
	var bad error
	type part struct{ dst, src []byte }
	var parts []part
	t.optim.state(func(name string, _ []int, dst []float32) {
		x, ok := f.Tensors[name]
		if bad != nil {
			return
		}
		if !ok || x.DType != tensor.F32 || len(x.Data) != 4*len(dst) {
			bad = ErrOtherRun
			return
		}
		h.Write(x.Data)
		parts = append(parts, part{tensor.Bytes(dst), x.Data})
	})
	if bad != nil {
		return nil, bad
	}
	want := t.state(h)
	a, err := json.Marshal(want.Options)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(s.Options)
	if err != nil {
		return nil, err
	}
	if string(a) != string(b) || want.Data != s.Data || s.Batch != 0 && want.Batch != s.Batch || want.Base != s.Base || want.Kernel != s.Kernel || s.Step < 0 || s.Step > len(t.steps) {
		return nil, ErrOtherRun
	}
	if want.Sum != s.Sum {
		return nil, errors.New("it is damaged: its numbers are not those that were written")
	}
	for _, p := range parts {
		copy(p.dst, p.src)
	}
	t.next = s.Step
	t.optim.resume(s.Step)
	return s.Extra, nil
}
