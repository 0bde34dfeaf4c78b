package twin

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/engine"
)

// TestPortions cuts texts into parts: what stood in them is there, in its order.
func TestPortions(t *testing.T) {
	said := func(seed string, n int, end string) string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprintf("%s%d", seed, i))
		}
		return strings.Join(out, " ") + end
	}
	a, b, c := said("a", 5, "."), said("b", 5, "?”"), said("c", 5, "…")
	long := said("d", 30, ".")
	for name, x := range map[string]struct {
		in   string
		want []portion
	}{
		"paragraphs":              {a + "\n\n" + b + "\n\n\n\n" + c, []portion{{"\n\n", a + "\n\n" + b}, {"\n\n", c}}},
		"one of middling length":  {said("e", 15, "."), []portion{{"\n\n", said("e", 15, ".")}}},
		"lines without blank":     {a + "\n" + b + "\n" + c + "\n" + a + "\n" + b, []portion{{"\n\n", a + "\n" + b}, {"\n", c + "\n" + a}, {"\n", b}}},
		"one line":                {a + " " + b + " " + c + " " + a + " " + b, []portion{{"\n\n", a + " " + b}, {" ", c + " " + a}, {" ", b}}},
		"a sentence that is long": {a + " " + long + " " + b, []portion{{"\n\n", a}, {" ", long}, {" ", b}}},
		"one that is between":     {a + "\n\n" + long + " " + b + "\n\n" + c, []portion{{"\n\n", a}, {"\n\n", long}, {" ", b}, {"\n\n", c}}},
	} {
		if got := portions(x.in, 10, 20); !reflect.DeepEqual(got, x.want) {
			t.Errorf("%s: got %q, want %q", name, got, x.want)
		}
	}
}

// TestRewriteCut holds that a text whose end is not written is told of.
func TestRewriteCut(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 4 }))
	o.ExamplesOnly = true
	if err := Train(context.Background(), o, func(stroke.Event) {}); err != nil {
		t.Fatal(err)
	}
	v, err := OpenVoice(context.Background(), o.To, VoiceOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var notes []string
	s := &Speech{Sampling: AnswerSampling(), Max: 3, Strength: 1}
	written := ""
	reason, err := v.Rewrite(context.Background(), "The ferry was late. "+strings.Repeat("It rained all week. ", 100), s,
		func(e stroke.Event) { notes = append(notes, e.(stroke.NoteEvent).Text) },
		func(t string) error { written += t; return nil })
	if err != nil || written == "" || reason != engine.Length {
		t.Fatalf("%q, %s, %v", written, reason, err)
	}
	if len(notes) != 3 || !strings.Contains(notes[0], `part 1 of 3, which begins "The ferry was late. It rained all week."`) || !strings.Contains(notes[0], "--max-tokens") {
		t.Errorf("told is %q", notes)
	}
}
