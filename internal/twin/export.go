package twin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/token"
	"github.com/getstroke/stroke/internal/weights"
)

// ExportOptions say which model is written where.
type ExportOptions struct {
	Twin  string // NAME, NAME@VERSION or its folder; the newest version where none is said
	Base  string // another base than the version's
	To    string // a file that ends in .gguf, or a folder that is not there yet
	Force bool   // a file that is there is replaced
}

// Exported is a model that was written.
type Exported struct {
	Version string `json:"version"` // of the twin
	Path    string `json:"path"`
	Format  string `json:"format"`  // "gguf" or "huggingface"
	Bytes   int64  `json:"bytes"`   // of its weights' file
	Changed int    `json:"changed"` // tensors that are other than the base's
}

// Export writes a whole model, the base with what a version learnt, for other
// programs: as a GGUF file, or as a Hugging Face folder. An adapter is merged into
// the weights that it changes, which are then F16; all other weights stay as they
// lie in the base, but for quantized ones in a folder, which are F16 too.
func Export(ctx context.Context, o ExportOptions, emit Emit) (*Exported, error) {
	f, v, err := OpenVersion(o.Twin, true)
	if err != nil {
		return nil, err
	}
	b, err := f.openBase(ctx, v.Base.Name, o.Base, emit, openToWrite)
	if err != nil {
		return nil, err
	}
	defer b.close()
	if o.To != "" {
		o.To = filepath.Clean(o.To) // beside a name with a slash at its end would be in it
	}
	e := &Exported{Version: v.ID, Path: o.To, Format: "huggingface"}
	gguf := strings.EqualFold(filepath.Ext(o.To), ".gguf")
	if gguf {
		e.Format = "gguf"
	}
	if err := o.free(gguf, b.model.Source.Path); err != nil {
		return nil, err
	}
	l, err := f.learnt(v, b)
	if err != nil {
		return nil, err
	}
	defer l.close()
	changed, err := l.tensors(b)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	e.Changed = len(changed)
	if gguf {
		err = b.exportGGUF(ctx, o.To, changed)
	} else {
		err = b.exportFolder(ctx, o.To, changed)
	}
	if err != nil {
		return nil, interrupted(err, "export the version "+v.ID, "nothing was left half written")
	}
	file := o.To
	if !gguf {
		file = filepath.Join(o.To, "model.safetensors")
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	e.Bytes = info.Size()
	return e, nil
}

// free says why there is no room for the model at its place.
func (o *ExportOptions) free(gguf bool, base string) error {
	if o.To == "" {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "where the model is to be written is not said", Hint: "for example --to model.gguf"}
	}
	info, err := os.Lstat(o.To)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return writeError(o.To, err)
	case !gguf:
		return &stroke.Error{Code: stroke.CodeInput, Msg: o.To + " is there already", Hint: "name a folder that is not there yet"}
	case info.IsDir():
		return &stroke.Error{Code: stroke.CodeInput, Msg: o.To + " is a folder", Hint: "name a file that ends in .gguf"}
	case !o.Force:
		return &stroke.Error{Code: stroke.CodeInput, Msg: o.To + " is there already", Hint: "name another file, or replace it with --force"}
	}
	if in, err := os.Stat(base); err == nil && os.SameFile(in, info) {
		return &stroke.Error{Code: stroke.CodeInput, Msg: o.To + " is the base itself", Hint: "name another file"}
	}
	return nil
}

// tensors are the weights that take the place of the base's, as Hugging Face
// names them.
func (l *learnt) tensors(b *baseModel) (map[string]weights.Tensor, error) {
	if l.tuned != nil {
		return l.tuned.file.Tensors, nil
	}
	return b.model.Merged(lora.Applied{Adapter: l.adapter, Strength: 1})
}

// exportGGUF writes the model with changed weights as a GGUF file.
func (b *baseModel) exportGGUF(ctx context.Context, path string, changed map[string]weights.Tensor) error {
	view, err := b.model.Replace(changed, 1, heap)
	if err != nil {
		return err
	}
	meta, list, err := view.GGUF()
	if err != nil {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the model cannot be written as a GGUF file", Err: err,
			Hint: "write a Hugging Face folder: --to DIR"}
	}
	tensors := make([]weights.Tensor, len(list))
	half := true
	for i := range list {
		w := &list[i]
		tensors[i] = weights.Tensor{Name: w.Name, DType: w.Stored(), Shape: w.Shape}
		half = half && (len(w.Shape) == 1 || w.Stored() == tensor.F16)
	}
	if meta, err = b.metadata(meta, half); err != nil {
		return err
	}
	return writeWith(path, func(out io.Writer) error {
		return weights.Guard(func() error {
			return weights.StreamGGUF(out, meta, tensors, func(i int, out io.Writer) error {
				w := &list[i]
				if len(w.Shape) == 1 {
					row := make([]float32, w.Shape[0])
					w.Row(row, 0)
					_, err := out.Write(tensor.Bytes(row))
					return err
				}
				for r := range w.Shape[0] {
					if r&1023 == 0 && ctx.Err() != nil {
						return ctx.Err()
					}
					if _, err := out.Write(w.Raw(r)); err != nil {
						return err
					}
				}
				return nil
			})
		})
	})
}

// fileTypeF16 is general.file_type of a GGUF file whose matrices are F16.
const fileTypeF16 = uint32(1)

// metadata is that of a GGUF file of the base: its own where it is one, else what
// describes the shape, and the tokenizer.
func (b *baseModel) metadata(shape []weights.MetaEntry, half bool) (meta []weights.MetaEntry, err error) {
	if g := b.model.Source.GGUF; g != nil {
		for _, k := range g.Keys {
			v := g.Meta[k]
			if k == "general.file_type" && half {
				v = fileTypeF16
			}
			if !strings.HasPrefix(k, "split.") {
				meta = append(meta, weights.MetaEntry{Key: k, Value: v})
			}
		}
		return meta, nil
	}
	f := b.model.Source.Folder
	vocab, err := token.VocabHF(f.Tokenizer, f.TokenizerConfig, f.Generation, f.ChatTemplate)
	if err != nil {
		return nil, err
	}
	entries, err := vocab.Metadata(b.model.Vocab)
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the model cannot be written as a GGUF file", Err: err, Hint: "write a Hugging Face folder: --to DIR"}
	}
	meta = append(meta, shape...)
	for _, e := range entries {
		meta = append(meta, weights.MetaEntry{Key: e.Key, Value: e.Value})
	}
	return meta, nil
}

// folder gives the files of a Hugging Face folder with changed weights, and its
// weights: of a base that is one its own, else what can be said of the base.
func (b *baseModel) folder(changed map[string]weights.Tensor) (files map[string][]byte, all []weights.Tensor, err error) {
	if f := b.model.Source.Folder; f != nil {
		for _, name := range slices.Sorted(maps.Keys(f.Tensors)) {
			t := f.Tensors[name]
			if c, ok := changed[name]; ok {
				t = c
			}
			all = append(all, t)
		}
		return map[string][]byte{"config.json": f.Raw, "tokenizer.json": f.Tokenizer, "tokenizer_config.json": f.TokenizerConfig,
			"generation_config.json": f.Generation, "chat_template.jinja": f.ChatTemplate}, all, nil
	}
	view, err := b.model.Replace(changed, 1, heap)
	if err != nil {
		return nil, nil, err
	}
	config, err := view.ConfigJSON()
	if err != nil {
		return nil, nil, err
	}
	vocab, err := token.VocabFromGGUF(b.model.Source.GGUF.Meta)
	if err != nil {
		return nil, nil, err
	}
	tokenizer, tokenizerConfig, generation, err := vocab.Files()
	if err != nil {
		return nil, nil, err
	}
	all, err = view.Tensors()
	return map[string][]byte{"config.json": config, "tokenizer.json": tokenizer, "tokenizer_config.json": tokenizerConfig,
		"generation_config.json": generation}, all, err
}

// exportFolder writes the model with changed weights as a Hugging Face folder.
func (b *baseModel) exportFolder(ctx context.Context, dir string, changed map[string]weights.Tensor) error {
	files, all, err := b.folder(changed)
	if err != nil {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the model cannot be written as a Hugging Face folder", Err: err, Hint: stroke.HintOf(err)}
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), halfWritten+"*")
	if err != nil {
		return writeError(dir, err)
	}
	defer os.RemoveAll(tmp)
	for name, text := range files {
		if text == nil {
			continue
		}
		if err := writeFile(filepath.Join(tmp, name), text); err != nil {
			return err
		}
	}
	err = weights.Guard(func() error {
		return writeWith(filepath.Join(tmp, "model.safetensors"), func(w io.Writer) error {
			return weights.WriteSafetensors(ended{ctx, w}, all, map[string]string{"format": "pt"})
		})
	})
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return writeError(dir, err)
	}
	syncDir(filepath.Dir(dir))
	return nil
}

// ended is a writer that ends with its context.
type ended struct {
	ctx context.Context
	w   io.Writer
}

func (e ended) Write(b []byte) (int, error) {
	if err := e.ctx.Err(); err != nil {
		return 0, err
	}
	return e.w.Write(b)
}
