package twin

import (
	"context"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/model"
)

// TestVoiceStrengths has trained weights write at one strength after another. Where one
// cannot be had the voice goes on with others.
func TestVoiceStrengths(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 10 }))
	o.Change = func(r *Recipe) {
		r.Epochs = 1
		r.Tune(Full, model.Selection{})
		r.Options.Rate = 1e-2
	}
	f, _ := trained(t, o)
	v, err := OpenVoice(context.Background(), f.Dir, VoiceOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	write := func(strength float64) (written string, err error) {
		s := &Speech{Sampling: engine.Sampling{}, Max: 12, Strength: strength}
		_, err = v.Write(context.Background(), "It rained", s, func(t string) error { written += t; return nil })
		return written, err
	}
	texts := map[float64]string{}
	for _, strength := range []float64{1, 0.5, 0, 3, 1, 0.5} {
		got, err := write(strength)
		if err != nil {
			t.Fatalf("at %g: %v", strength, err)
		}
		if was, ok := texts[strength]; ok && was != got {
			t.Errorf("at %g again: %q and not %q", strength, got, was)
		}
		texts[strength] = got
	}
	was := v.options
	v.options.Memory = 1
	if _, err := write(1); err == nil {
		t.Error("in a byte of memory: no error")
	}
	s := &Speech{Max: 1, Strength: 1}
	if _, err := v.Chat(context.Background(), []Message{{Role: "user", Content: "Hello"}}, s, func(string) error { return nil }); err == nil {
		t.Error("a chat in a byte of memory: no error")
	}
	v.options = was
	if got, err := write(0.5); err != nil || got != texts[0.5] {
		t.Errorf("with memory again: %q and not %q, %v", got, texts[0.5], err)
	}
}

// TestStrengthRoom refuses weights that take more memory than there is.
func TestStrengthRoom(t *testing.T) {
	for _, c := range []struct {
		bytes, free int64
		ok          bool
	}{{4e9, 0, true}, {4e9, 4e9, true}, {4e9, 3e9, false}} {
		err := strengthRoom(0.5, c.bytes, c.free)
		if (err == nil) != c.ok {
			t.Errorf("%d bytes of %d: %v", c.bytes, c.free, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "strength of 0.5 take 4.0 GB") || stroke.HintOf(err) == "") {
			t.Errorf("%v (%s)", err, stroke.HintOf(err))
		}
	}
}
