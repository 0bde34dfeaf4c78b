// Command arithmetic sets training in the fastest arithmetic of this machine
// beside exact training: for each writer and seed the same run twice, and the
// loss of both adapters on the writer's judge documents, in float32; and the
// cosine between the gradients of both arithmetics at the first step, the
// fiftieth and the last. It prints a line of JSON for each. With -method full or
// partial weights of the base are trained in place of an adapter.
//
//	go run ./bench/arithmetic -data ../shared/data > bench/results/arithmetic-KERNEL.jsonl
//
// With -inference int8,int16 or others the loss of the same weights is set beside
// itself: judge documents, and text beyond the sample, read in float32 and in each
// of these arithmetics, by the base and by an adapter of each seed. With -reading and -writing the writer's passages stand before
// them in a prompt that is read in the one, and they are scored in the other, as
// the engine has it, with keys and values kept as -kv says.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/bench"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/token"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/twin"
)

var writers = map[string]string{
	"lynch": "authors/lynch", "wodehouse": "authors/wodehouse", "branchaud": "reference/branchaud",
}

// result is one line.
type result struct {
	Writer     string             `json:"writer"`
	Seed       uint64             `json:"seed,omitempty"`
	Words      int                `json:"words"`
	Kernel     string             `json:"kernel"`
	Arithmetic string             `json:"arithmetic"`
	Method     twin.Method        `json:"method,omitempty"` // empty for an adapter
	Layers     int                `json:"layers,omitempty"` // trained, the uppermost
	Tokens     int                `json:"judge_tokens,omitempty"`
	Base       float64            `json:"base,omitempty"`
	Exact      float64            `json:"exact,omitempty"`      // judge loss of what was trained in f32
	Fast       float64            `json:"fast,omitempty"`       // and of the other
	Difference float64            `json:"difference,omitempty"` // fast less exact
	Cosine     map[string]float64 `json:"gradient_cosine,omitempty"`
}

func main() {
	data := flag.String("data", "../shared/data", "folder of the writers")
	baseName := flag.String("base", "smollm2-135m-instruct", "base model")
	words := flag.Int("words", 5000, "words of each writer")
	seeds := flag.Int("seeds", 3, "seeds")
	unseen := flag.Int("unseen", 2500, "with -inference: tokens of text beyond the sample that are read beside the judge documents")
	keep := flag.String("keep", "", "with -inference: a folder in which twins stay, and are found the next time")
	reading := flag.String("inference", "", "arithmetics to read in: of int8, int16 and bf16, with commas between")
	trained := flag.String("trained", string(train.Fastest()), "with -inference or -reading: the arithmetic that twins are trained in")
	prompts := flag.String("reading", "", "an arithmetic to read prompts in: bf16, int8, int16 or f32")
	writing := flag.String("writing", string(op.F32), "with -reading: the arithmetic of what stands behind the prompt")
	kv := flag.String("kv", "f32", "with -reading: how keys and values are kept, f32, f16 or q8_0")
	genre := flag.String("genre", "", "with -inference or -reading: the genre that twins stand on, or none (the recipe's)")
	method := flag.String("method", "lora", "what is trained: lora, full or partial")
	layers := flag.Int("layers", 4, "with -method partial: how many of the uppermost layers")
	flag.Parse()
	log.SetFlags(0)
	if *reading == "" && *prompts == "" && train.Fastest() == train.F32 {
		log.Fatalf("the kernel %s has nothing faster than float32", kernel.Name())
	}
	keys, known := bench.KVTypes[*kv]
	if !known {
		log.Fatalf("-kv %s is not known: it is f32, f16 or q8_0", *kv)
	}
	home, err := os.MkdirTemp("", "arithmetic")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)
	store, err := base.NewStore()
	if err != nil {
		log.Fatal(err)
	}
	var others []op.Arithmetic
	for name := range strings.SplitSeq(*reading, ",") {
		others = append(others, op.Arithmetic(name))
	}
	ctx := context.Background()
	m, done, err := twin.OpenModel(ctx, store, *baseName, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer done()
	vocab, err := token.VocabFromGGUF(m.Source.GGUF.Meta)
	if err != nil {
		log.Fatal(err)
	}
	tok, err := token.New(vocab)
	if err != nil {
		log.Fatal(err)
	}
	all := verdicts{}
	for _, w := range slices.Sorted(func(yield func(string) bool) {
		for w := range writers {
			if !yield(w) {
				return
			}
		}
	}) {
		if *reading != "" || *prompts != "" {
			in := reader{all: all, others: others, trained: train.Arithmetic(*trained), m: m, tok: tok, home: cmp.Or(*keep, home), genre: *genre, base: *baseName, words: *words, unseen: *unseen, seeds: uint64(*seeds)}
			source, err := filepath.Join(*data, writers[w]), error(nil)
			if *prompts != "" {
				err = in.behind(ctx, w, source, op.Arithmetic(*prompts), op.Arithmetic(*writing), keys)
			} else {
				err = in.read(ctx, w, source)
			}
			if err != nil {
				log.Fatal(err)
			}
			continue
		}
		folder := filepath.Join(home, w)
		text, err := sample(filepath.Join(*data, writers[w]), folder, *words)
		if err != nil {
			log.Fatal(err)
		}
		r := result{Writer: w, Words: len(strings.Fields(text)), Kernel: kernel.Name(), Arithmetic: string(train.Fastest())}
		change := func(*twin.Recipe) {}
		switch r.Method = twin.Method(*method); r.Method {
		case twin.LoRA:
			r.Method = ""
		case twin.Full:
			change = func(x *twin.Recipe) { x.Tune(twin.Full, model.Selection{}) }
		case twin.Partial:
			var s model.Selection
			for l := range min(*layers, m.Layers) {
				s.Layers = append(s.Layers, m.Layers-min(*layers, m.Layers)+l)
			}
			r.Layers = len(s.Layers)
			change = func(x *twin.Recipe) { x.Tune(twin.Partial, s) }
		default:
			log.Fatalf("-method %q: it is lora, full or partial", *method)
		}
		if r.Cosine, err = cosines(ctx, m, tok, text, change); err != nil {
			log.Fatal(err)
		}
		print(r)
		r.Cosine = nil
		for r.Seed = 1; r.Seed <= uint64(*seeds); r.Seed++ {
			var losses [2]float64
			for i, a := range []train.Arithmetic{train.F32, train.Fastest()} {
				var last stroke.DoneEvent
				o := twin.Options{Source: folder, To: filepath.Join(home, fmt.Sprint(w, r.Seed, a)), Base: *baseName, Exact: true, NoCrossFit: true,
					Change: func(x *twin.Recipe) {
						change(x)
						// Nothing but the arithmetic differs, and passages are not scored with.
						x.Prompt.Choose = nil
						if x.Method == twin.LoRA {
							x.Genre.Ask = "prose"
						}
						x.Options.Arithmetic, x.Options.Seed = a, r.Seed
					}}
				if err := twin.Train(ctx, o, func(e stroke.Event) {
					if d, ok := e.(stroke.DoneEvent); ok {
						last = d
					}
				}); err != nil {
					log.Fatal(err)
				}
				if last.HeldOut.Tokens == 0 {
					log.Fatalf("%s has no judge text", w)
				}
				losses[i], r.Tokens, r.Base = last.HeldOut.Adapter, last.HeldOut.Tokens, last.HeldOut.Base
			}
			r.Exact, r.Fast, r.Difference = losses[0], losses[1], losses[1]-losses[0]
			print(r)
		}
	}
	for _, a := range others {
		if v := all[a]; v != nil {
			print(v)
		}
	}
}

func print(r any) {
	b, err := json.Marshal(r)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(b))
}

// files are the Markdown files below dir, in an order that has nothing to do with
// their dates.
func files(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".md") {
			files = append(files, path)
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no Markdown file in %s", dir)
	}
	slices.SortFunc(files, func(a, b string) int { return cmp.Compare(spread(a), spread(b)) })
	return files, err
}

// sample copies files below dir up to a number of words, the last one cut there; it
// returns their text.
func sample(dir, to string, words int) (string, error) {
	files, err := files(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return "", err
	}
	var all strings.Builder
	left := words
	for i, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		paragraphs := strings.SplitAfter(string(b), "\n\n")
		n := 0
		for n < len(paragraphs) && left > 0 {
			left -= len(strings.Fields(paragraphs[n]))
			n++
		}
		part := strings.Join(paragraphs[:n], "")
		all.WriteString(part)
		if err := os.WriteFile(filepath.Join(to, fmt.Sprintf("%03d.md", i)), []byte(part), 0o600); err != nil {
			return "", err
		}
		if left <= 0 {
			break
		}
	}
	return all.String(), nil
}

// spread is a hash of a file's name.
func spread(s string) uint32 {
	h := uint32(2166136261)
	for _, c := range []byte(filepath.Base(s)) {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// cosines trains on a text, and compares gradients on the way.
func cosines(ctx context.Context, m *model.Model, tok *token.Tokenizer, text string, change func(*twin.Recipe)) (map[string]float64, error) {
	ids := tok.Encode(text)
	const length = 512
	var examples []train.Example
	for at := 0; at+length <= len(ids); at += length {
		examples = append(examples, train.Example{Tokens: ids[at : at+length]})
	}
	epochs := make([][]train.Example, 60/max(len(examples), 1)+1)
	for i := range epochs {
		epochs[i] = examples
	}
	recipe := twin.DefaultRecipe(len(strings.Fields(text)))
	change(&recipe)
	o := recipe.Options
	o.TokensPerStep, o.Arithmetic = length, train.Fastest()
	t, err := train.New(train.Job{Model: m, Options: o, Epochs: epochs})
	if err != nil {
		return nil, err
	}
	defer t.Close()
	c := map[string]float64{}
	for step := 1; ; step++ {
		if step == 1 || step == 50 || step == t.Steps() {
			v, err := cosine(m, t, o, examples[step%len(examples)].Tokens)
			if err != nil {
				return nil, err
			}
			c[fmt.Sprintf("step %d of %d", step, t.Steps())] = v
		}
		if _, ok, err := t.Step(ctx); err != nil || !ok {
			return c, err
		}
	}
}

// cosine is that between the gradients of what is trained in both arithmetics.
func cosine(m *model.Model, t *train.Trainer, o train.Options, ids []int32) (float64, error) {
	n := len(ids)
	targets, scale, nll := make([]int32, n), make([]float32, n), make([]float32, n)
	for i := range ids {
		targets[i], scale[i] = -1, 1/float32(n)
		if i+1 < n {
			targets[i] = ids[i+1]
		}
	}
	alloc := func(n int) []float32 { return make([]float32, n) }
	var grads [2][]float32
	for k, arithmetic := range []train.Arithmetic{train.F32, train.BF16} {
		lim := model.Limits{Tokens: n, Rows: 1, Context: n, Longest: n, Training: true, Kept: m.Layers, Arithmetic: arithmetic}
		row, view := model.Row{Tokens: ids}, m
		var gradient func() []float32
		if a := t.Adapter(); a != nil {
			b := lora.New(m.Shape(), o.LoRA, o.Seed, nil)
			b.Copy(a)
			b.Trainable(alloc)
			lim.Pad, row.Adapters = b.Pad(), []lora.Applied{{Adapter: b, Strength: 1}}
			gradient = func() (g []float32) {
				b.Each(func(_ int, _ lora.Module, p *op.Pair) { g = append(append(g, p.GradA...), p.GradB...) })
				return g
			}
		} else {
			v, params, err := m.Tune(*o.Weights, alloc)
			if err != nil {
				return 0, err
			}
			for i, p := range t.Params() {
				copy(params[i].W, p.W)
			}
			view = v
			gradient = func() (g []float32) {
				for _, p := range params {
					g = append(g, p.Grad...)
				}
				return g
			}
		}
		s, err := view.NewSession(lim)
		if err != nil {
			return 0, err
		}
		defer s.Close()
		if err := s.Forward([]model.Row{row}); err != nil {
			return 0, err
		}
		if err := s.Loss(nll, targets, scale, true); err != nil {
			return 0, err
		}
		if err := s.Backward(); err != nil {
			return 0, err
		}
		grads[k] = gradient()
	}
	var xy, xx, yy float64
	for i, x := range grads[0] {
		y := grads[1][i]
		xy, xx, yy = xy+float64(x)*float64(y), xx+float64(x)*float64(x), yy+float64(y)*float64(y)
	}
	return xy / math.Sqrt(xx*yy), nil
}
