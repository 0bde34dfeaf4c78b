package eval

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/token"
	"github.com/getstroke/stroke/internal/weights"
)

// real is the base that tests use, opened.
type real struct {
	m   *model.Model
	tok *token.Tokenizer
	sep int32
}

func openReal(t *testing.T) *real {
	t.Helper()
	if testing.Short() {
		t.Skip("scores with the real base")
	}
	src, err := weights.Open(testkit.Base(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	m, err := model.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	v, err := token.VocabFromGGUF(src.GGUF.Meta)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := token.New(v)
	if err != nil {
		t.Fatal(err)
	}
	return &real{m, tok, tok.Separator()}
}

func (r *real) scorer(t *testing.T, context, pad int) *Scorer {
	t.Helper()
	s, err := NewScorer(r.m, context, pad, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// pages are pieces of the notebook: what they begin with, and how they go on.
func (r *real) pages(t *testing.T, names ...string) (context, next [][]int32) {
	t.Helper()
	for _, n := range names {
		b, err := os.ReadFile(filepath.Join(testkit.Root(t), "examples", "notebook", n))
		if err != nil {
			t.Fatal(err)
		}
		ids := r.tok.Encode(strings.TrimSpace(string(b)))
		context = append(context, append([]int32{r.sep}, ids[:40]...))
		next = append(next, ids[40:100])
	}
	return context, next
}

// noise is an adapter that knows nothing.
func noise(m *model.Model, spread float64, seed uint64) []lora.Applied {
	a := lora.New(m.Shape(), lora.Options{Rank: 2, Alpha: 2}, seed, nil)
	rng := rand.New(rand.NewPCG(seed, 3))
	a.Each(func(_ int, _ lora.Module, p *op.Pair) {
		for i := range p.B[:p.Rank*p.Out] {
			p.B[i] = float32(spread * rng.NormFloat64())
		}
	})
	return []lora.Applied{{Adapter: a, Strength: 1}}
}

// TestKnownTwins measures systems whose answer is known: the bare base gains
// nothing; one that has the text itself in its prompt predicts it, is this
// writer's rather than one with other texts, and puts it before every other; an
// adapter of noise does none of this.
func TestKnownTwins(t *testing.T) {
	r := openReal(t)
	contexts, next := r.pages(t, "boiler.md", "foghorn.md", "rust.md", "two-buttons.md", "b-flat.md", "hurry.md")
	ctx := context.Background()
	var pieces []Piece
	var groups []string
	for i := range next {
		pieces = append(pieces, Piece{Context: contexts[i][:1], Tokens: append(slices.Clone(contexts[i][1:]), next[i]...), From: 40})
		groups = append(groups, string(rune('a'+i)))
	}
	shift := func(by int) func(int) []int32 {
		return func(i int) []int32 {
			k := (i + by) % len(pieces)
			return append([]int32{r.sep}, pieces[k].Tokens...)
		}
	}
	base := System{Name: "base"}
	writer := System{Name: "the text itself", Prefix: shift(0)}
	other := System{Name: "another text", Prefix: shift(1)}
	third := System{Name: "a third text", Prefix: shift(2)}
	noisy := System{Name: "noise", Adapters: noise(r.m, 0.3, 1)}
	room, pad := Room(pieces, base, writer, other, third, noisy)
	if want := 2*101 - 1; room != want {
		t.Errorf("the room is %d, want %d", room, want)
	}
	s := r.scorer(t, room, pad)
	losses := map[string][]Loss{}
	for _, sys := range []System{base, writer, other, third, noisy} {
		l, err := s.ScoreSystem(ctx, sys, pieces, nil)
		if err != nil {
			t.Fatal(err)
		}
		losses[sys.Name] = l
	}
	gains := func(sys System) []Gain { return Gains(groups, losses["base"], losses[sys.Name]) }
	if p := Predict("base", gains(base), 1000, 1); p.Gain != (Interval{}) || p.P != 1 {
		t.Errorf("the base gains %+v over itself", p)
	}
	if p := Predict("writer", gains(writer), 1000, 1); p.Gain.Low < 1 || p.P > 0.05 {
		t.Errorf("with the text before it the base gains %+v", p)
	}
	if p := Predict("noise", gains(noisy), 1000, 1); p.Gain.Mean >= 0 || p.P < 0.9 {
		t.Errorf("noise gains %+v", p)
	}
	controls := []Control{{"another text", gains(other)}, {"a third text", gains(third)}}
	own, err := Specify(gains(writer), controls, 1000, 1)
	if err != nil || own.Gain.Low < 1 || own.Better != 2 || own.P > 0.05 {
		t.Errorf("specificity of the writer's: %+v, %v", own, err)
	}
	stranger, err := Specify(gains(third), controls[:1], 1000, 1)
	if err != nil || math.Abs(stranger.Gain.Mean) > 0.15 {
		t.Errorf("specificity of a stranger's: %+v, %v", stranger, err)
	}

	// The same in choices: a prefix with the passage knows it from any other.
	var choices []Choice
	for i := range next {
		half := len(next[i]) / 2
		broken := append(slices.Clone(next[i][half:]), next[i][:half]...)
		choices = append(choices,
			Choice{Kind: KindElsewhere, Group: groups[i], Context: contexts[i], Right: next[i], Wrong: next[(i+2)%len(next)][:50]},
			Choice{Kind: "order", Group: groups[i], Context: contexts[i], Right: next[i], Wrong: broken})
	}
	knows := System{Name: "knows", Prefix: func(i int) []int32 { return writer.Prefix(i / 2) }}
	room, pad = RoomOfChoices(choices, knows, noisy)
	s = r.scorer(t, room, pad)
	odds := func(sys System) []float64 {
		out, err := s.LogOdds(ctx, sys, choices, nil)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	bare := odds(base)
	for _, k := range JudgeThought(choices, odds(knows), bare, 1000, 1) {
		if k.Accuracy.Mean != 1 || k.Shift.Low < 10 || k.Twin.Mean != 1 || k.P > 0.05 || k.Pairs != 6 {
			t.Errorf("with the text before it: %+v", k)
		}
	}
	for _, k := range JudgeThought(choices, bare, bare, 1000, 1) {
		if k.Accuracy.Mean != 0.5 || k.Shift != (Interval{}) || k.P != 1 {
			t.Errorf("the base against itself: %+v", k)
		}
		if k.Kind == "order" && k.Yardstick.Mean < 0.75 {
			t.Errorf("the base does not find order the likelier: %+v", k)
		}
	}
	if _, err := s.LogOdds(ctx, base, []Choice{{Right: next[0]}}, nil); err == nil {
		t.Error("a choice without a second passage is scored")
	}
}

// TestForgetting demands that an adapter without weights forgets nothing, and
// one of noise the more the stronger it is.
func TestForgetting(t *testing.T) {
	r := openReal(t)
	chat, err := r.tok.Template()
	if err != nil {
		t.Fatal(err)
	}
	instructions, err := Instructions()
	if err != nil {
		t.Fatal(err)
	}
	var g General
	for _, p := range Paragraphs()[:3] {
		g.Text = append(g.Text, Piece{Context: []int32{r.sep}, Tokens: r.tok.Encode(p)})
	}
	for _, in := range instructions[:9] {
		prompt, err := chat.Render([]token.Message{{Role: "user", Content: in.Ask}}, true)
		if err != nil {
			t.Fatal(err)
		}
		task := Task{Prompt: r.tok.EncodeSpecial(prompt), Right: r.tok.Encode(in.Right)}
		for _, w := range in.Wrong {
			task.Wrong = append(task.Wrong, r.tok.Encode(w))
		}
		g.Tasks = append(g.Tasks, task)
	}
	noisy := noise(r.m, 0.2, 2)
	s := r.scorer(t, g.Longest(), noisy[0].Adapter.Pad())
	calls := 0
	score := func(adapters []lora.Applied) GeneralLosses {
		l, err := s.ScoreGeneral(context.Background(), System{Adapters: adapters}, g, func(int) { calls++ })
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	base := score(nil)
	if calls != 12 {
		t.Errorf("%d paragraphs and instructions were told of", calls)
	}
	empty := lora.New(r.m.Shape(), lora.Options{Rank: 2, Alpha: 2}, 1, nil)
	f := Forget(1, base, score([]lora.Applied{{Adapter: empty, Strength: 1}}), 200, 1)
	if f.Text != (Interval{}) || f.Answers != (Interval{}) || f.Right != f.BaseRight {
		t.Errorf("an adapter that does nothing: %+v", f)
	}
	if f.BaseRight.Mean < 0.5 {
		t.Errorf("the base itself answers %+v", f.BaseRight)
	}
	weak := Forget(1, base, score(noisy), 200, 1)
	noisy[0].Strength = 4
	strong := Forget(4, base, score(noisy), 200, 1)
	if !(weak.Text.Mean > 0 && weak.Answers.Low > 0 && strong.Text.Mean > weak.Text.Mean && strong.Answers.Mean > weak.Answers.Mean) {
		t.Errorf("noise at 1 and at 4: %+v, %+v", weak, strong)
	}
	if strong.Right.Mean >= strong.BaseRight.Mean {
		t.Errorf("noise at 4 answers %+v where the base answers %+v", strong.Right, strong.BaseRight)
	}
}

// TestInstructions keeps the set itself in order.
func TestInstructions(t *testing.T) {
	list, err := Instructions()
	if err != nil || len(list) < 24 {
		t.Fatalf("%d instructions: %v", len(list), err)
	}
	seen := map[string]bool{}
	for _, in := range list {
		if in.Ask == "" || in.Right == "" || len(in.Wrong) == 0 || slices.Contains(in.Wrong, in.Right) || seen[in.Ask] {
			t.Errorf("%+v", in)
		}
		seen[in.Ask] = true
	}
	words := 0
	for _, p := range Paragraphs() {
		if n := len(strings.Fields(p)); n == 0 {
			t.Error("an empty paragraph")
		} else {
			words += n
		}
	}
	if words < 800 {
		t.Errorf("the general text has %d words", words)
	}
}

// TestGoOn demands texts of just the length asked for that depend neither on the
// number of streams nor on each other, and follow the system.
func TestGoOn(t *testing.T) {
	r := openReal(t)
	e, err := engine.New(r.m, engine.Options{Streams: 4, Context: 512, Pad: 16, Memory: 128 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	w := &Writer{Engine: e, Tokenizer: r.tok, Sampling: engine.Sampling{Temperature: 0.8, TopP: 0.95}}
	var openings []Opening
	for i, o := range []string{"It rained all week, and", "The committee met", "Dear Sir,"} {
		openings = append(openings, Opening{Tokens: append([]int32{r.sep}, r.tok.Encode(o)...), Words: 25, Seed: uint64(100 * i)})
	}
	ctx := context.Background()
	calls := 0
	got, err := w.GoOn(ctx, System{}, openings, func(int) { calls++ })
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range got {
		if len(strings.Fields(text)) != 25 {
			t.Errorf("text %d has %d words: %q", i, len(strings.Fields(text)), text)
		}
	}
	if calls != 3 {
		t.Errorf("%d texts were told of", calls)
	}
	w.Streams = 1
	alone, err := w.GoOn(ctx, System{}, openings[1:], nil)
	if err != nil || !slices.Equal(alone, got[1:]) {
		t.Errorf("alone it writes %q, and beside others %q (%v)", alone, got[1:], err)
	}
	before := System{Prefix: func(int) []int32 { return append([]int32{r.sep}, r.tok.Encode("Bells ring in the harbour.")...) }}
	if other, err := w.GoOn(ctx, before, openings[:1], nil); err != nil || other[0] == got[0] {
		t.Errorf("what stands before makes no difference: %q (%v)", other, err)
	}
	a, err := w.Answer(ctx, System{}, []Request{{Prompt: openings[0].Tokens, Most: 8, Seed: 3}}, nil)
	if err != nil || len(a) != 1 || a[0] == "" {
		t.Errorf("the answer is %q (%v)", a, err)
	}
	if _, err := w.GoOn(ctx, System{}, []Opening{{Words: 3}}, nil); err == nil {
		t.Error("nothing is gone on with")
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := w.GoOn(stopped, System{}, openings, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped, it ends with %v", err)
	}
}
