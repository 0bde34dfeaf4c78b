package quantize

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/model"
	_ "github.com/getstroke/stroke/internal/model/all" // every architecture
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/token"
	"github.com/getstroke/stroke/internal/weights"
)

// Options say what to write.
type Options struct {
	Source string // a base of the catalog, a GGUF file or a Hugging Face folder
	To     string // one of Formats
	Out    string // ends in .gguf
	Force  bool   // replace Out where it is there
	Text   string // the text that losses are measured on; empty for the one that is part of the program
	NoLoss bool   // measure none
	Dump   string // file for a line of JSON, a Scored, for each stretch of the text; empty for none
}

// Scored are the token ids of a stretch of the text, and what each after the first
// cost the source and the result, in nats.
type Scored struct {
	IDs    []int32   `json:"ids"`
	Source []float32 `json:"source"`
	Result []float32 `json:"result"`
}

// Run writes the file and measures the loss. What happens is told to emit; the last
// event is stroke.QuantizedEvent.
func Run(ctx context.Context, o Options, emit func(stroke.Event)) error {
	f, err := formatOf(o.To)
	if err != nil {
		return err
	}
	if !strings.EqualFold(filepath.Ext(o.Out), ".gguf") {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the file to write, \"" + o.Out + "\", does not end in .gguf", Hint: "for example -o model-" + f.name + ".gguf"}
	}
	for _, path := range []string{o.Out, o.Dump} {
		if err := o.free(path); err != nil {
			return err
		}
	}
	if o.Dump != "" && filepath.Clean(o.Dump) == filepath.Clean(o.Out) {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the file of the weights and that of the ids are both " + o.Out, Hint: "give another name behind --dump"}
	}
	if err := kernel.Init(); err != nil {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the kernel cannot be used", Err: err, Hint: "unset STROKE_KERNEL, or set it to one of those named"}
	}
	path, from, err := o.find(ctx, emit)
	if err != nil {
		return err
	}
	b, err := open(path)
	if err != nil {
		return unusable(o.Source, err)
	}
	defer b.close()
	for _, path := range []string{o.Out, o.Dump} {
		if same(b.src, path) {
			return &stroke.Error{Code: stroke.CodeInput, Msg: "a file to write is one that is read: " + path, Hint: "name another"}
		}
	}
	var pieces []eval.Piece
	if !o.NoLoss {
		if pieces, err = o.pieces(b); err != nil {
			return err
		}
	}
	emit(stroke.BaseEvent{Name: o.Source, Path: path, From: from, Architecture: b.model.Architecture, Bytes: b.model.Bytes()})
	meta, items, err := plan(b.src, b.model, &b.vocab, f)
	if err != nil {
		return unusable(o.Source, err)
	}
	for _, line := range fallbacks(items) {
		emit(stroke.NoteEvent{Text: line})
	}
	if line := twice(items); line != "" {
		emit(stroke.NoteEvent{Text: line})
	}
	sums, err := o.write(ctx, b, meta, items, emit)
	if err != nil {
		return interrupted(ctx, err)
	}
	info, err := os.Stat(o.Out)
	if err != nil {
		return fmt.Errorf("quantize: %w", err)
	}
	done := stroke.QuantizedEvent{File: o.Out, Format: f.name, Bytes: info.Size(), Source: o.Source,
		SourceBytes: sizeOf(items, func(x *item) tensor.DType { return x.from }), Weights: kinds(items, sums)}
	if !o.NoLoss {
		if err := o.measure(ctx, b, pieces, &done, emit); err != nil {
			emit(stroke.NoteEvent{Text: o.Out + " is written, whole; its loss is not measured"})
			return interrupted(ctx, err)
		}
	}
	emit(done)
	return nil
}

// free says whether a file may be written.
func (o *Options) free(path string) error {
	if path == "" {
		return nil
	}
	switch info, err := os.Lstat(path); {
	case err == nil && info.IsDir():
		return &stroke.Error{Code: stroke.CodeInput, Msg: path + " is a folder", Hint: "name a file"}
	case err == nil && !o.Force:
		return &stroke.Error{Code: stroke.CodeInput, Msg: path + " is there already", Hint: "name another file, or replace it with --force"}
	}
	return nil
}

// find gives the path of the source and where it came from, and fetches a base of
// the catalog that is not here.
func (o *Options) find(ctx context.Context, emit func(stroke.Event)) (path, from string, err error) {
	if _, err := os.Stat(o.Source); err == nil {
		return o.Source, "a path", nil
	}
	if strings.ContainsAny(o.Source, `/\`) || strings.HasSuffix(strings.ToLower(o.Source), ".gguf") {
		return "", "", &stroke.Error{Code: stroke.CodeNotFound, Msg: "there is no file or folder " + o.Source, Hint: "name a GGUF file, a Hugging Face folder, or a base: stroke base list"}
	}
	store, err := base.NewStore()
	if err != nil {
		return "", "", err
	}
	found, err := store.Pull(ctx, o.Source, base.PullOptions{Else: "a file or a folder is named by its path",
		Progress: func(p base.Progress) {
			emit(stroke.FetchEvent{Base: o.Source, Source: p.Source, Done: p.Done, Total: p.Total})
		},
		Say: func(line string) { emit(stroke.NoteEvent{Text: line}) }})
	return found.Path, found.From, err
}

// opened is a model with its tokenizer.
type opened struct {
	src   *weights.Source
	model *model.Model
	vocab token.Vocab
	tok   *token.Tokenizer
}

func (b *opened) close() { b.src.Close() }

func open(path string) (*opened, error) {
	src, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	b := &opened{src: src}
	if b.model, err = model.Load(src); err == nil {
		if b.vocab, err = vocabOf(src); err == nil {
			b.tok, err = token.New(b.vocab)
		}
	}
	if err == nil && b.tok.Len() > b.model.Vocab {
		err = fmt.Errorf("the tokenizer has %d tokens and the model %d: they do not belong together", b.tok.Len(), b.model.Vocab)
	}
	if err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func unusable(name string, err error) error {
	e := &stroke.Error{Code: stroke.CodeInput, Msg: name + " cannot be written in another format", Err: err, Hint: stroke.HintOf(err)}
	if e.Hint == "" {
		e.Hint = "name a GGUF file or a Hugging Face folder that Stroke can train on"
	}
	return e
}

// same says whether path is a file of the source.
func same(src *weights.Source, path string) bool {
	out, err := os.Stat(path)
	if err != nil {
		return false
	}
	files := []string{src.Path}
	if src.Folder != nil {
		entries, err := os.ReadDir(src.Path)
		if err != nil {
			return false
		}
		for _, e := range entries {
			files = append(files, filepath.Join(src.Path, e.Name()))
		}
	}
	return slices.ContainsFunc(files, func(file string) bool {
		in, err := os.Stat(file)
		return err == nil && os.SameFile(in, out)
	})
}

// twice warns that the source is quantized already.
func twice(items []item) string {
	var from []string
	for i := range items {
		x := &items[i]
		if elems, _ := x.from.Block(); elems > 1 && x.to != x.from && !slices.Contains(from, nameOf(x.from)) {
			from = append(from, nameOf(x.from))
		}
	}
	if len(from) == 0 {
		return ""
	}
	return "the source is quantized itself (" + strings.Join(from, ", ") + "): what that took stays lost, and the losses below are on top of it"
}

// write makes the file.
func (o *Options) write(ctx context.Context, b *opened, meta []weights.MetaEntry, items []item, emit func(stroke.Event)) ([]errorSum, error) {
	total := sizeOf(items, func(x *item) tensor.DType { return x.from })
	done, last := int64(0), time.Time{}
	tell := func(n int64) {
		done += n
		if now := time.Now(); now.Sub(last) >= 100*time.Millisecond || done == total {
			last = now
			emit(stroke.QuantizeEvent{Stage: "write", Done: done, Total: total})
		}
	}
	w := &writer{ctx: ctx, items: items, sums: make([]errorSum, len(items)), done: tell}
	tensors := make([]weights.Tensor, len(items))
	for i := range items {
		tensors[i] = weights.Tensor{Name: items[i].name, DType: items[i].to, Shape: items[i].shape}
	}
	size := sizeOf(items, func(x *item) tensor.DType { return x.to })
	err := writeFile(o.Out, size, func(out io.Writer) error {
		return weights.Guard(func() error { return weights.StreamGGUF(out, meta, tensors, w.fill) })
	}, func(path string) error { return verify(b, path) })
	return w.sums, err
}

// verify opens what was written as any program would, before it gets its name.
func verify(b *opened, path string) error {
	if err := b.src.Unchanged(); err != nil {
		return err
	}
	r, err := open(path)
	if err != nil {
		return fmt.Errorf("open what was written: %w", err)
	}
	defer r.close()
	for _, text := range eval.Paragraphs() {
		if !slices.Equal(r.tok.Encode(text), b.tok.Encode(text)) {
			return &stroke.Error{Code: stroke.CodeInput, Msg: "the tokenizer cannot be written in a GGUF file: it gives other tokens there", Hint: "use the model's own GGUF file, or the folder as it is"}
		}
	}
	return nil
}

// kinds adds up what happened to the matrices, by kind and formats, in the order of
// the file.
func kinds(items []item, sums []errorSum) []stroke.QuantizedWeights {
	type key struct {
		kind     string
		from, to tensor.DType
	}
	var order []key
	all := map[key]*stroke.QuantizedWeights{}
	total := map[key]*errorSum{}
	for i := range items {
		x := &items[i]
		if len(x.shape) < 2 {
			continue
		}
		k := key{x.kind(), x.from, x.to}
		if all[k] == nil {
			order = append(order, k)
			all[k] = &stroke.QuantizedWeights{Kind: k.kind, From: nameOf(k.from), To: nameOf(k.to)}
			total[k] = &errorSum{}
		}
		q, s := all[k], total[k]
		q.Matrices++
		q.Count += int64(x.rows()) * int64(x.cols())
		q.Bytes += x.bytes(x.to)
		s.squares += sums[i].squares
		s.source += sums[i].source
	}
	out := make([]stroke.QuantizedWeights, 0, len(order))
	for _, k := range order {
		q, s := all[k], total[k]
		if q.Count > 0 {
			q.RMS = math.Sqrt(s.squares / float64(q.Count))
		}
		if s.source > 0 {
			q.Relative = math.Sqrt(s.squares / s.source)
		}
		out = append(out, *q)
	}
	return out
}

// interrupted makes the end of the context an error for people.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return &stroke.Error{Code: stroke.CodeInterrupted, Msg: "stopped", Err: err}
	}
	return err
}
