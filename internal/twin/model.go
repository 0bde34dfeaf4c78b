package twin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/model"
	_ "github.com/getstroke/stroke/internal/model/all" // every architecture
	"github.com/getstroke/stroke/internal/token"
	"github.com/getstroke/stroke/internal/weights"
)

// base is an open base model with what belongs to it.
type baseModel struct {
	name  string
	model *model.Model
	tok   *token.Tokenizer
	chat  *token.Template
	sep   int32 // stands between documents
	first int32 // begins every sequence: BOS where the base was trained with it, else sep

	sample string // of its numbers and of what lies beside them, by which it is told from others of its shape

	losses genreLosses
}

// openBase opens the model at path.
func openBase(name, path string) (b *baseModel, err error) {
	if err := kernel.Init(); err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the kernel cannot be used", Err: err, Hint: "unset STROKE_KERNEL, or set it to one of those named"}
	}
	src, err := weights.Open(path)
	if err != nil {
		return nil, baseError(name, path, err)
	}
	defer func() {
		if err != nil {
			src.Close()
		}
	}()
	m, err := model.Load(src)
	if err != nil {
		return nil, baseError(name, path, err)
	}
	m.Name = name
	sample, err := src.Sample()
	if err != nil {
		return nil, baseError(name, path, err)
	}
	tok, err := tokenizer(src)
	if err != nil {
		return nil, baseError(name, path, err)
	}
	if tok.Len() > m.Vocab {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the tokenizer of %s has %d tokens and the model %d: they do not belong together", name, tok.Len(), m.Vocab),
			Hint: again(name)}
	}
	b = &baseModel{name: name, model: m, tok: tok, sep: tok.Separator(), sample: sample}
	if b.sep < 0 {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the tokenizer of " + name + " has no token to stand between documents", Hint: "choose another base"}
	}
	if b.first = b.sep; tok.AddBOS() {
		b.first = tok.BOS()
	}
	if b.chat, err = tok.Template(); err != nil {
		return nil, baseError(name, path, err)
	}
	return b, nil
}

func tokenizer(src *weights.Source) (*token.Tokenizer, error) {
	if src.GGUF != nil {
		v, err := token.VocabFromGGUF(src.GGUF.Meta)
		if err != nil {
			return nil, err
		}
		return token.New(v)
	}
	f := src.Folder
	if f.Tokenizer == nil {
		return nil, errors.New("the folder has no tokenizer.json")
	}
	return token.ParseHF(f.Tokenizer, f.TokenizerConfig, f.Generation, f.ChatTemplate)
}

// again says how a base is had anew: one of the catalog, or a file.
func again(name string) string {
	if filepath.IsAbs(name) {
		return "copy or fetch the file again, or name another with --base"
	}
	return "fetch the base again: stroke base pull " + name
}

func baseError(name, path string, err error) error {
	hint := stroke.HintOf(err)
	if hint == "" {
		hint = "see whether the file is whole: stroke base verify " + name
		if filepath.IsAbs(name) {
			hint = again(name)
		}
		if _, e := os.Stat(path); e != nil {
			hint = "name a GGUF file or a Hugging Face folder, or a base of the catalog: stroke base list"
		}
	}
	return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the base %s (%s) cannot be used", name, filepath.Base(path)), Hint: hint, Err: err}
}

// ask gives the tokens of a conversation up to where the assistant's next turn begins,
// without the BOS that first is.
func (b *baseModel) ask(messages []token.Message) ([]int32, error) {
	rendered, err := b.chat.Render(b.tok.Quoted(messages), true)
	if err != nil {
		return nil, err
	}
	return b.tok.WithoutBOS(b.tok.EncodeQuoted(rendered)), nil
}

func (b *baseModel) close() { b.model.Source.Close() }

// ref names the base in a version.
func (b *baseModel) ref() BaseRef {
	return BaseRef{Name: b.name, Architecture: b.model.Architecture, Bytes: b.model.Bytes(), Sample: b.sample}
}
