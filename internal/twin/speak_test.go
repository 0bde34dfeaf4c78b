package twin

import (
	"context"
	"errors"
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

// TestChatKeepsTurns: however many tokens an answer may have, a conversation that has
// room in half of the context is read from its beginning, and of a longer one the end.
func TestChatKeepsTurns(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 10 }))
	o.Change = small
	f, _ := trained(t, o)
	enough := errors.New("enough")
	read := func(turns int) (all, read, context int) {
		t.Helper()
		v, err := OpenVoice(t.Context(), f.Dir, VoiceOptions{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		var messages []Message
		for range turns {
			messages = append(messages, Message{Role: "user", Content: "And what did it do then?"}, Message{Role: "assistant", Content: "It rained."})
		}
		messages = append(messages, Message{Role: "user", Content: "And then?"})
		rendered, err := v.b.chat.Render(messages, true)
		if err != nil {
			t.Fatal(err)
		}
		s := &Speech{Sampling: DefaultSampling(), Max: 1 << 20, Strength: 1}
		if _, err := v.Chat(t.Context(), messages, s, func(string) error { return enough }); err != nil && !errors.Is(err, enough) {
			t.Fatal(err)
		}
		return len(v.b.tok.EncodeSpecial(rendered)), int(v.engine.Stats().Read), v.engine.Context()
	}
	if all, n, context := read(2); all >= context/2 || n < all {
		t.Errorf("of %d tokens %d are read, in a context of %d", all, n, context)
	}
	if all, n, context := read(200); all <= context || n >= all || n < context/4 || n > context/2+1 {
		t.Errorf("of %d tokens %d are read, in a context of %d", all, n, context)
	}
}

// TestStrengthOfNothing says once that a strength changes nothing where the base writes.
func TestStrengthOfNothing(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 2 }))
	o.ExamplesOnly, o.Change = true, nil
	if err := Train(context.Background(), o, func(stroke.Event) {}); err != nil {
		t.Fatal(err)
	}
	told := 0
	v, err := OpenVoice(context.Background(), o.To, VoiceOptions{}, func(e stroke.Event) {
		if n, ok := e.(stroke.NoteEvent); ok && strings.Contains(n.Text, "changes nothing") {
			told++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for i, strength := range []float64{1, 0.5, 0} {
		s := &Speech{Max: 2, Strength: strength}
		if _, err := v.Write(context.Background(), "It rained", s, func(string) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if told != min(i, 1) {
			t.Errorf("at %g it was said %d times", strength, told)
		}
	}
}
