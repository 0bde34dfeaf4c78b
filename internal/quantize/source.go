package quantize

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/token"
	"github.com/getstroke/stroke/internal/weights"
)

// item is a weight to write.
type item struct {
	name   string
	shape  []int
	from   tensor.DType
	wanted tensor.DType               // what is asked for
	to     tensor.DType               // what the rows allow
	row    func(dst []float32, i int) // row i of the file in float32
	raw    func(i int) []byte         // row i as it lies in the source
}

func (x *item) cols() int {
	if len(x.shape) == 0 {
		return 1
	}
	return x.shape[len(x.shape)-1]
}

func (x *item) rows() int {
	n := 1
	for _, d := range x.shape[:max(len(x.shape)-1, 0)] {
		n *= d
	}
	return n
}

// bytes is the size of the weight in a format.
func (x *item) bytes(t tensor.DType) int64 { return int64(x.rows()) * int64(t.RowBytes(x.cols())) }

// kind is what weights of all layers have in common: attn_q, ffn_down, ….
func (x *item) kind() string {
	name := strings.TrimSuffix(x.name, ".weight")
	if rest, ok := strings.CutPrefix(name, "blk."); ok {
		if _, after, ok := strings.Cut(rest, "."); ok {
			return after
		}
	}
	return name
}

// vocabOf reads the vocabulary of a source.
func vocabOf(src *weights.Source) (token.Vocab, error) {
	if src.GGUF != nil {
		return token.VocabFromGGUF(src.GGUF.Meta)
	}
	f := src.Folder
	if f.Tokenizer == nil {
		return token.Vocab{}, errors.New("the folder has no tokenizer.json")
	}
	v, err := token.VocabFromJSON(f.Tokenizer)
	if err == nil && f.TokenizerConfig != nil {
		err = v.ReadConfig(f.TokenizerConfig)
	}
	if err == nil && f.Generation != nil {
		err = v.ReadGeneration(f.Generation)
	}
	if f.ChatTemplate != nil {
		v.ChatTemplate = string(f.ChatTemplate)
	}
	return v, err
}

// plan lists the weights to write and the metadata that goes before them.
func plan(src *weights.Source, m *model.Model, vocab *token.Vocab, f format) ([]weights.MetaEntry, []item, error) {
	var meta []weights.MetaEntry
	var items []item
	if src.GGUF != nil {
		meta, items = planGGUF(src.GGUF)
	} else {
		var err error
		if meta, items, err = planFolder(src, m, vocab); err != nil {
			return nil, nil, err
		}
	}
	meta = append(meta, weights.MetaEntry{Key: "general.file_type", Value: f.file}, weights.MetaEntry{Key: "general.quantization_version", Value: uint32(2)})
	tied := true
	for i := range items {
		tied = tied && items[i].name != "output.weight"
	}
	for i := range items {
		items[i].wanted, items[i].to = f.of(items[i].name, items[i].shape, tied)
	}
	return meta, items, nil
}

// planGGUF keeps all that a GGUF file says but for its format.
func planGGUF(g *weights.GGUF) (meta []weights.MetaEntry, items []item) {
	for _, k := range g.Keys {
		if k == "general.file_type" || k == "general.quantization_version" || strings.HasPrefix(k, "quantize.imatrix.") || strings.HasPrefix(k, "split.") {
			continue
		}
		meta = append(meta, weights.MetaEntry{Key: k, Value: g.Meta[k]})
	}
	for _, name := range g.Names {
		t := g.Tensors[name]
		x := item{name: name, shape: t.Shape, from: t.DType}
		size := t.DType.RowBytes(x.cols())
		x.raw = func(i int) []byte { return t.Data[i*size : i*size+size] }
		x.row = func(dst []float32, i int) { kernel.Widen(dst, x.raw(i), t.DType) }
		items = append(items, x)
	}
	return meta, items
}

// planFolder says in GGUF's terms what a Hugging Face folder says.
func planFolder(src *weights.Source, m *model.Model, vocab *token.Vocab) ([]weights.MetaEntry, []item, error) {
	meta, list, err := m.GGUF()
	if err != nil {
		return nil, nil, err
	}
	about := []weights.MetaEntry{meta[0], {Key: "general.type", Value: "model"}, {Key: "general.name", Value: titleOf(src.Folder)}}
	meta = append(about, meta[1:]...)
	entries, err := vocab.Metadata(m.Vocab)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		meta = append(meta, weights.MetaEntry{Key: e.Key, Value: e.Value})
	}
	items := make([]item, len(list))
	for i := range list {
		w := &list[i]
		items[i] = item{name: w.Name, shape: w.Shape, from: w.Stored(), row: w.Row, raw: w.Raw}
	}
	return meta, items, nil
}

// titleOf is what a folder's model is called: by its config.json, or as the folder.
func titleOf(f *weights.Folder) string {
	if s, ok := f.Config["_name_or_path"].(string); ok && s != "" && !filepath.IsAbs(s) {
		return s
	}
	abs, err := filepath.Abs(f.Path)
	if err != nil {
		return f.Path
	}
	return filepath.Base(abs)
}

// fallbacks says in a sentence each which weights are not in the format wanted.
func fallbacks(items []item) []string {
	type kind struct {
		wanted, to tensor.DType
		cols       int
	}
	count := map[kind]int{}
	var order []kind
	for i := range items {
		x := &items[i]
		if x.to == x.wanted {
			continue
		}
		k := kind{x.wanted, x.to, x.cols()}
		if count[k] == 0 {
			order = append(order, k)
		}
		count[k]++
	}
	var out []string
	for _, k := range order {
		elems, _ := k.wanted.Block()
		what := fmt.Sprintf("%d weights have", count[k])
		if count[k] == 1 {
			what = "1 weight has"
		}
		out = append(out, fmt.Sprintf("%s rows of %d, which is no whole number of %s's blocks of %d: written in %s in its place, as llama.cpp does",
			what, k.cols, nameOf(k.wanted), elems, nameOf(k.to)))
	}
	return out
}
