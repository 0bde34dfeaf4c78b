package quantize

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/weights"
)

// run quantizes and gives what was told.
func run(t testing.TB, o Options) (events []stroke.Event, err error) {
	t.Helper()
	err = Run(t.Context(), o, func(e stroke.Event) { events = append(events, e) })
	return events, err
}

func result(t testing.TB, o Options) (stroke.QuantizedEvent, []stroke.Event) {
	t.Helper()
	events, err := run(t, o)
	if err != nil {
		t.Fatal(err)
	}
	done, ok := events[len(events)-1].(stroke.QuantizedEvent)
	if !ok {
		t.Fatalf("the last event is %v", events[len(events)-1])
	}
	return done, events
}

// left gives the names in a folder.
func left(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestFormats holds which weights get which format, by the length of their rows.
func TestFormats(t *testing.T) {
	for _, c := range []struct {
		to, name string
		shape    []int
		tied     bool
		want     tensor.DType
	}{
		{"q4_k", "blk.0.attn_q.weight", []int{576, 576}, true, tensor.Q5_0},
		{"q4_k", "blk.0.ffn_down.weight", []int{576, 1536}, true, tensor.Q4_K},
		{"q6_k", "blk.0.attn_q.weight", []int{576, 576}, true, tensor.Q8_0},
		{"q4_0", "blk.0.attn_q.weight", []int{576, 576}, true, tensor.Q4_0},
		{"q4_0", "token_embd.weight", []int{1000, 576}, true, tensor.Q8_0},
		{"q4_0", "token_embd.weight", []int{1000, 512}, true, tensor.Q6_K},
		{"q4_0", "token_embd.weight", []int{1000, 512}, false, tensor.Q4_0},
		{"q4_1", "output.weight", []int{1000, 512}, false, tensor.Q6_K},
		{"q8_0", "output.weight", []int{1000, 512}, false, tensor.Q8_0},
		{"f16", "output.weight", []int{1000, 511}, false, tensor.F16},
		{"q8_0", "blk.0.attn_q.weight", []int{10, 33}, false, tensor.F16},
		{"q6_k", "blk.0.attn_q.weight", []int{10, 33}, false, tensor.F16},
		{"q4_0", "blk.0.attn_norm.weight", []int{576}, false, tensor.F32},
		{"Q4_0", "blk.0.attn_q.bias", []int{576}, false, tensor.F32},
	} {
		f, err := formatOf(c.to)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := f.of(c.name, c.shape, c.tied); got != c.want {
			t.Errorf("%s %v in %s is %s, want %s", c.name, c.shape, c.to, got, c.want)
		}
	}
	for _, f := range formats {
		for cols := 1; cols <= 1024; cols++ {
			_, d := f.of("x.weight", []int{2, cols}, false)
			if elems, _ := d.Block(); cols%elems != 0 || !weights.CanQuantize(d) {
				t.Fatalf("rows of %d are to be written in %s", cols, d)
			}
		}
	}
}

// TestToy writes a toy in every format and looks at all that is in the file.
func TestToy(t *testing.T) {
	from := testkit.Toy(t, testkit.ToyShape{Hidden: 256, FFN: 544})
	src, err := weights.OpenGGUF(from)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	limits := map[string]float64{"f16": 0.0005, "q8_0": 0.01, "q6_k": 0.03, "q4_k": 0.1, "q4_1": 0.1, "q4_0": 0.12}
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out.gguf")
			done, events := result(t, Options{Source: from, To: f.name, Out: out})
			g, err := weights.OpenGGUF(out)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			if g.Meta["general.file_type"] != f.file || g.Meta["general.quantization_version"] != uint32(2) {
				t.Errorf("the file says it is of type %v", g.Meta["general.file_type"])
			}
			if !slices.Equal(g.Names, src.Names) || len(g.Meta) != len(src.Meta)+2 {
				t.Errorf("it has %d weights and %d entries", len(g.Names), len(g.Meta))
			}
			for _, name := range g.Names {
				x, y := g.Tensors[name], src.Tensors[name]
				a, b := make([]float32, x.Elements()), make([]float32, x.Elements())
				kernel.Widen(a, x.Data, x.DType)
				kernel.Widen(b, y.Data, y.DType)
				if len(x.Shape) == 1 {
					if x.DType != tensor.F32 || !bytes.Equal(x.Data, y.Data) {
						t.Errorf("%s is %s, or another", name, x.DType)
					}
					continue
				}
				var e, all float64
				for i := range a {
					e += float64(a[i]-b[i]) * float64(a[i]-b[i])
					all += float64(b[i]) * float64(b[i])
				}
				if rel := math.Sqrt(e / all); !(rel > 0 && rel < limits[f.name]) {
					t.Errorf("%s loses %g", name, rel)
				}
			}
			notes := 0
			for _, e := range events {
				if n, ok := e.(stroke.NoteEvent); ok && strings.Contains(n.Text, "rows of 544") {
					notes++
				}
			}
			if want := map[string]int{"q4_k": 1, "q6_k": 1}[f.name]; notes != want {
				t.Errorf("%d notes on rows of 544, want %d", notes, want)
			}
			if done.Tokens < 500 || !(math.Abs(done.Nats-done.SourceNats) < 0.2) || done.SourceNats == done.Nats {
				t.Errorf("%d tokens cost %g, and %g before", done.Tokens, done.Nats, done.SourceNats)
			}
			if len(done.Weights) < 8 || done.Weights[0].Kind != "token_embd" || done.Weights[0].Matrices != 1 || done.Weights[1].Matrices != 2 {
				t.Errorf("the kinds are %v", done.Weights)
			}
			if names := left(t, filepath.Dir(out)); len(names) != 1 {
				t.Errorf("there are %v", names)
			}
		})
	}
}

// TestWorkers holds that the number of workers changes nothing.
func TestWorkers(t *testing.T) {
	from := testkit.Toy(t, testkit.ToyShape{Hidden: 64})
	dir := t.TempDir()
	defer kernel.SetWorkers(kernel.Workers())
	var files [][]byte
	var last stroke.QuantizedEvent
	for i, n := range []int{1, 3} {
		kernel.SetWorkers(n)
		o := Options{Source: from, To: "q4_1", Out: filepath.Join(dir, "out.gguf"), NoLoss: true, Force: true}
		done, _ := result(t, o)
		if i > 0 && !slices.Equal(done.Weights, last.Weights) {
			t.Errorf("the errors are %v and were %v", done.Weights, last.Weights)
		}
		last = done
		b, err := os.ReadFile(o.Out)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, b)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the files differ")
	}
}

// TestSameFormat copies what has the format already, and says that a quantized
// source has lost before.
func TestSameFormat(t *testing.T) {
	dir := t.TempDir()
	one, two, three := filepath.Join(dir, "1.gguf"), filepath.Join(dir, "2.gguf"), filepath.Join(dir, "3.gguf")
	result(t, Options{Source: testkit.Toy(t, testkit.ToyShape{}), To: "q4_0", Out: one, NoLoss: true})
	done, events := result(t, Options{Source: one, To: "q4_0", Out: two})
	a, err := os.ReadFile(one)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(two)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) || done.Nats != done.SourceNats || done.Weights[0].RMS != 0 {
		t.Error("what is in q4_0 is changed by writing it in q4_0")
	}
	twice := func(events []stroke.Event) bool {
		return slices.ContainsFunc(events, func(e stroke.Event) bool {
			n, ok := e.(stroke.NoteEvent)
			return ok && strings.Contains(n.Text, "quantized itself (")
		})
	}
	if twice(events) {
		t.Error("nothing is lost twice, but it is said")
	}
	if _, events := result(t, Options{Source: two, To: "q8_0", Out: three, NoLoss: true}); !twice(events) {
		t.Error("that the source is quantized itself is not said")
	}
}

// folder writes a model with random weights as Hugging Face keeps it, with a
// tokenizer of the tests of the package token.
func folder(t testing.TB, config map[string]any) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testkit.Root(t), "internal", "token", "testdata", "toy.json"))
	if err != nil {
		t.Fatal(err)
	}
	var toys struct {
		Toys []struct {
			Name      string
			Tokenizer map[string]any
		}
	}
	if err := json.Unmarshal(b, &toys); err != nil {
		t.Fatal(err)
	}
	all := map[string]any{"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
		"intermediate_size": 96, "vocab_size": 500, "rms_norm_eps": 1e-5, "max_position_embeddings": 256, "hidden_act": "silu", "tie_word_embeddings": true}
	for k, v := range config {
		all[k] = v
	}
	dir := t.TempDir()
	put := func(name string, v any) {
		b, err := json.Marshal(v)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put("config.json", all)
	put("tokenizer_config.json", map[string]any{"bos_token": "<s>", "eos_token": map[string]any{"content": "</s>"}, "chat_template": "{{ messages[0]['content'] }}"})
	for _, toy := range toys.Toys {
		if toy.Name == "smollm" {
			var plain []any // tokens with rules of their own have no form in GGUF
			for _, a := range toy.Tokenizer["added_tokens"].([]any) {
				m := a.(map[string]any)
				if m["special"] == true {
					plain = append(plain, m)
				}
			}
			toy.Tokenizer["added_tokens"] = plain
			put("tokenizer.json", toy.Tokenizer)
		}
	}
	rng := rand.New(rand.NewPCG(3, 4))
	var list []weights.Tensor
	add := func(name string, shape ...int) {
		x := weights.Tensor{Name: name, DType: tensor.BF16, Shape: shape}
		v := make([]float32, x.Elements())
		for i := range v {
			v[i] = float32(rng.NormFloat64()) / 8
			if len(shape) == 1 {
				v[i]++
			}
		}
		x.Data = make([]byte, 2*len(v))
		if err := tensor.Narrow(x.Data, v, tensor.BF16); err != nil {
			t.Fatal(err)
		}
		list = append(list, x)
	}
	add("model.embed_tokens.weight", 500, 64)
	for _, l := range []string{"0", "1"} {
		p := "model.layers." + l + "."
		add(p+"input_layernorm.weight", 64)
		add(p+"self_attn.q_proj.weight", 64, 64)
		add(p+"self_attn.k_proj.weight", 32, 64)
		add(p+"self_attn.v_proj.weight", 32, 64)
		add(p+"self_attn.o_proj.weight", 64, 64)
		add(p+"post_attention_layernorm.weight", 64)
		add(p+"mlp.gate_proj.weight", 96, 64)
		add(p+"mlp.up_proj.weight", 96, 64)
		add(p+"mlp.down_proj.weight", 64, 96)
	}
	add("model.norm.weight", 64)
	f, err := os.Create(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(weights.WriteSafetensors(f, list, nil), f.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestFolder writes a Hugging Face folder: the same model, tokenizer and template.
func TestFolder(t *testing.T) {
	dir, out := folder(t, nil), filepath.Join(t.TempDir(), "out.gguf")
	lines := filepath.Join(t.TempDir(), "lines.jsonl")
	done, _ := result(t, Options{Source: dir, To: "f16", Out: out, Dump: lines})
	dumped, err := os.ReadFile(lines)
	if err != nil {
		t.Fatal(err)
	}
	var scored []Scored
	for l := range strings.Lines(string(dumped)) {
		var s Scored
		if err := json.Unmarshal([]byte(l), &s); err != nil {
			t.Fatal(err)
		}
		scored = append(scored, s)
	}
	if !(math.Abs(done.Nats-done.SourceNats) < 1e-3) || done.Weights[0].From != "bf16" || done.Weights[0].To != "f16" {
		t.Errorf("it costs %g, and %g before: %v", done.Nats, done.SourceNats, done.Weights)
	}
	n := 0
	for _, s := range scored {
		if len(s.Source) != len(s.Result) || len(s.IDs) != len(s.Source)+1 || len(s.IDs) > 256 {
			t.Fatalf("%d ids with %d and %d losses", len(s.IDs), len(s.Source), len(s.Result))
		}
		n += len(s.Source)
	}
	if n != done.Tokens {
		t.Errorf("%d losses were written of %d", n, done.Tokens)
	}
	a, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	b, err := open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	text := strings.Join(eval.Paragraphs(), "\n") + "<s> 123 </s>"
	if !slices.Equal(a.tok.EncodeSpecial(text), b.tok.EncodeSpecial(text)) {
		t.Error("the tokenizer is another")
	}
	if b.vocab.ChatTemplate != a.vocab.ChatTemplate || b.vocab.ChatTemplate == "" || b.vocab.BOS != a.vocab.BOS || b.vocab.EOS != a.vocab.EOS || b.tok.Len() != 500 {
		t.Errorf("the template is %q, the tokens %d, %d and %d of %d", b.vocab.ChatTemplate, b.vocab.BOS, b.vocab.EOS, b.vocab.Padding, b.tok.Len())
	}
}

// TestWindow writes a folder whose attention has a window that its form in GGUF lacks: the
// loss is measured within it.
func TestWindow(t *testing.T) {
	dir := folder(t, map[string]any{"model_type": "mistral", "sliding_window": 48})
	done, _ := result(t, Options{Source: dir, To: "f16", Out: filepath.Join(t.TempDir(), "out.gguf")})
	if !(math.Abs(done.Nats-done.SourceNats) < 1e-3) {
		t.Errorf("it costs %g, and %g before", done.Nats, done.SourceNats)
	}
}

// TestRefusals ends with errors that say what is wrong, and leaves nothing.
func TestRefusals(t *testing.T) {
	toy := testkit.Toy(t, testkit.ToyShape{})
	dir := t.TempDir()
	there := filepath.Join(dir, "there.gguf")
	whole, err := os.ReadFile(toy)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	put("there.gguf", whole)
	at := bytes.LastIndex(whole, []byte{0, 0, 0x80, 0x3f}) // before the last matrix
	nan := bytes.Clone(whole)
	copy(nan[at+1024:], []byte{0, 0, 0xc0, 0x7f})
	put("nan.gguf", nan)
	result(t, Options{Source: toy, To: "f16", Out: filepath.Join(dir, "half.gguf"), NoLoss: true})
	half, err := os.ReadFile(filepath.Join(dir, "half.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	copy(half[len(half)-1024:], []byte{0, 0x7c}) // infinite
	put("inf.gguf", half)
	put("cut.gguf", whole[:len(whole)-100])
	put("latin.txt", []byte{'a', 0xe4, ' '})
	put("empty.txt", nil)
	short := bytes.Clone(whole)
	const length = "llama.context_length"
	copy(short[bytes.Index(short, []byte(length))+len(length)+4:], []byte{1, 0}) // behind the type
	put("short.gguf", short)
	gelu := folder(t, map[string]any{"hidden_act": "gelu_pytorch_tanh"})
	before := left(t, dir)
	for name, c := range map[string]struct {
		o    Options
		code stroke.Code
		says string
	}{
		"no format":      {Options{Source: toy}, stroke.CodeInput, "format to write is not said"},
		"format":         {Options{Source: toy, To: "q3_k"}, stroke.CodeInput, `no format "q3_k"`},
		"name":           {Options{Source: toy, Out: "x.bin"}, stroke.CodeInput, "does not end in .gguf"},
		"folder":         {Options{Source: toy, Out: dir + "/d.gguf"}, stroke.CodeInput, "is a folder"},
		"there":          {Options{Source: toy, Out: there}, stroke.CodeInput, "is there already"},
		"itself":         {Options{Source: there, Out: there, Force: true}, stroke.CodeInput, "one that is read"},
		"dumped upon":    {Options{Source: there, Dump: there, Force: true}, stroke.CodeInput, "one that is read"},
		"in the folder":  {Options{Source: gelu, Dump: gelu + "/config.json", Force: true}, stroke.CodeInput, "one that is read"},
		"both":           {Options{Source: toy, Out: dir + "/both.gguf", Dump: dir + "/./both.gguf"}, stroke.CodeInput, "are both"},
		"no source":      {Options{Source: dir + "/none.gguf"}, stroke.CodeNotFound, "there is no file or folder"},
		"no base":        {Options{Source: "nosuchbase"}, stroke.CodeNotFound, "nosuchbase"},
		"not a model":    {Options{Source: filepath.Join(dir, "cut.gguf")}, stroke.CodeInput, "cut short"},
		"not a number":   {Options{Source: filepath.Join(dir, "nan.gguf")}, stroke.CodeInput, "NaN"},
		"copied":         {Options{Source: filepath.Join(dir, "inf.gguf"), To: "f16"}, stroke.CodeInput, "row [0-9]+ of the weight output.weight"},
		"no form":        {Options{Source: gelu}, stroke.CodeInput, "has no place"},
		"no text":        {Options{Source: toy, Text: dir + "/none.txt"}, stroke.CodeNotFound, "there is no file"},
		"no name":        {Options{Source: toy, Text: "\x00"}, stroke.CodeFailure, "read the text: .*invalid"},
		"no text in it":  {Options{Source: toy, Text: dir + "/empty.txt"}, stroke.CodeInput, "no text in"},
		"no room":        {Options{Source: filepath.Join(dir, "short.gguf")}, stroke.CodeInput, "a context of 1"},
		"text in Latin1": {Options{Source: toy, Text: dir + "/latin.txt"}, stroke.CodeInput, "UTF-8"},
		"no such place":  {Options{Source: toy, Out: dir + "/none/x.gguf"}, stroke.CodeFailure, "cannot write"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "folder" {
				if err := os.Mkdir(c.o.Out, 0o700); err != nil {
					t.Fatal(err)
				}
				defer os.Remove(c.o.Out)
			}
			if c.o.To == "" && name != "no format" {
				c.o.To = "q8_0"
			}
			if c.o.Out == "" {
				c.o.Out = filepath.Join(dir, "out.gguf")
			}
			t.Setenv("STROKE_HOME", t.TempDir())
			t.Setenv("HF_HUB_OFFLINE", "1")
			_, err := run(t, c.o)
			if stroke.CodeOf(err) != c.code || !regexp.MustCompile(c.says).MatchString(err.Error()) {
				t.Errorf("it ends with %v (%s)", err, stroke.CodeOf(err))
			}
			if c.code == stroke.CodeInput && stroke.HintOf(err) == "" {
				t.Errorf("no hint: %v", err)
			}
		})
	}
	if now := left(t, dir); !slices.Equal(now, before) {
		t.Errorf("there are %v, and there were %v", now, before)
	}
}

// TestStop stops in the midst of writing: nothing is left.
func TestStop(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	err := Run(ctx, Options{Source: testkit.Toy(t, testkit.ToyShape{}), To: "q8_0", Out: filepath.Join(dir, "out.gguf")}, func(e stroke.Event) {
		if q, ok := e.(stroke.QuantizeEvent); ok && q.Stage == "write" {
			cancel()
		}
	})
	if stroke.CodeOf(err) != stroke.CodeInterrupted {
		t.Errorf("it ends with %v", err)
	}
	if names := left(t, dir); len(names) != 0 {
		t.Errorf("there are %v", names)
	}
}

// TestStopWhileScoring leaves the file, whole.
func TestStopWhileScoring(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out.gguf")
	ctx, cancel := context.WithCancel(t.Context())
	said := false
	err := Run(ctx, Options{Source: testkit.Toy(t, testkit.ToyShape{}), To: "q8_0", Out: out}, func(e stroke.Event) {
		switch e := e.(type) {
		case stroke.QuantizeEvent:
			if e.Stage == "score result" {
				cancel()
			}
		case stroke.NoteEvent:
			said = said || strings.Contains(e.Text, "is written, whole")
		}
	})
	if stroke.CodeOf(err) != stroke.CodeInterrupted || !said {
		t.Errorf("it ends with %v", err)
	}
	b, err := open(out)
	if err != nil {
		t.Fatal(err)
	}
	b.close()
	if names := left(t, dir); len(names) != 1 {
		t.Errorf("there are %v", names)
	}
}

// TestNoNumber writes a source whose loss is no number, though its weights are: that is
// what is said, and that the file is there.
func TestNoNumber(t *testing.T) {
	dir, from := t.TempDir(), testkit.Toy(t, testkit.ToyShape{})
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(b, []byte{0, 0, 0x80, 0x3f}) // the last norm's last weight
	copy(b[at:], []byte{0xff, 0xff, 0x7f, 0x7f})       // the largest there is
	if err := os.WriteFile(from, b, 0o600); err != nil {
		t.Fatal(err)
	}
	events, err := run(t, Options{Source: from, To: "q8_0", Out: filepath.Join(dir, "out.gguf"), Dump: filepath.Join(dir, "out.jsonl")})
	if err == nil || !strings.Contains(err.Error(), "is no number") {
		t.Errorf("it ends with %v", err)
	}
	if note, ok := events[len(events)-1].(stroke.NoteEvent); !ok || !strings.Contains(note.Text, "is written, whole") {
		t.Errorf("the last event is %v", events[len(events)-1])
	}
	if names := left(t, dir); !slices.Equal(names, []string{"out.gguf"}) {
		t.Errorf("there are %v", names)
	}
}

// TestBase writes the real base with eight bits, which costs next to nothing, and
// scores it.
func TestBase(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.gguf")
	done, _ := result(t, Options{Source: testkit.Base(t), To: "q8_0", Out: out})
	t.Logf("%.5f nats a token, %.5f before", done.Nats, done.SourceNats)
	if !(math.Abs(done.Nats-done.SourceNats) < 0.015) || !(done.SourceNats > 2 && done.SourceNats < 4) {
		t.Errorf("it costs %g nats a token, and %g before", done.Nats, done.SourceNats)
	}
	for _, w := range done.Weights {
		if w.To != "q8_0" || !(w.Relative < 0.01) {
			t.Errorf("%v", w)
		}
	}
}
