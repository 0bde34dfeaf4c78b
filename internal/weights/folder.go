package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Folder is a model as Hugging Face keeps it: config.json, one or more
// safetensors files, and what its tokenizer needs.
type Folder struct {
	Path    string
	Config  map[string]any // config.json; numbers are float64
	Raw     []byte         // config.json as it is
	Tensors map[string]Tensor

	// The files that a tokenizer is made of, as they are; nil where there is none.
	Tokenizer       []byte // tokenizer.json
	TokenizerConfig []byte // tokenizer_config.json
	Generation      []byte // generation_config.json
	ChatTemplate    []byte // chat_template.jinja

	shards []*Safetensors
}

// maxText bounds the JSON files of a folder.
const maxText = 256 << 20

// OpenFolder opens the model in dir. The errors are FormatError,
// UnsupportedError and those of the file system.
func OpenFolder(dir string) (*Folder, error) {
	f := &Folder{Path: dir, Tensors: map[string]Tensor{}}
	var err error
	if f.Raw, err = readText(filepath.Join(dir, "config.json")); err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	if err := decode(filepath.Join(dir, "config.json"), f.Raw, &f.Config); err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	for name, into := range map[string]*[]byte{"tokenizer.json": &f.Tokenizer, "tokenizer_config.json": &f.TokenizerConfig,
		"generation_config.json": &f.Generation, "chat_template.jinja": &f.ChatTemplate} {
		b, err := readText(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("open model: %w", err)
		}
		*into = b
	}
	names, shardOf, err := shardNames(dir)
	if err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	for _, name := range names {
		s, err := OpenSafetensors(filepath.Join(dir, name))
		if err != nil {
			f.Close()
			return nil, err
		}
		f.shards = append(f.shards, s)
		for k, t := range s.Tensors {
			if _, twice := f.Tensors[k]; twice {
				f.Close()
				return nil, fmt.Errorf("open model: %w", &FormatError{Path: s.Path, Msg: fmt.Sprintf("the weight %q is in another file too", k)})
			}
			f.Tensors[k] = t
		}
	}
	for _, k := range slices.Sorted(maps.Keys(shardOf)) {
		if _, ok := f.Tensors[k]; !ok {
			f.Close()
			return nil, fmt.Errorf("open model: %w", &FormatError{Path: filepath.Join(dir, shardOf[k]), Msg: fmt.Sprintf("the weight %q, which the index says it holds, is not there", k)})
		}
	}
	return f, nil
}

// Close gives the mappings back; tensors must not be used after it.
func (f *Folder) Close() error {
	var errs []error
	for _, s := range f.shards {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

func readText(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxText || !info.Mode().IsRegular() {
		return nil, &FormatError{Path: path, Msg: fmt.Sprintf("it is no file of at most %d bytes", maxText)}
	}
	return os.ReadFile(path)
}

func decode(path string, b []byte, into any) error {
	if err := json.Unmarshal(b, into); err != nil {
		return &FormatError{Path: path, Msg: fmt.Sprintf("it is not the JSON that is expected: %v", err)}
	}
	return nil
}

// shardNames lists the safetensors files of a folder: the one file where there is
// one, as transformers prefers it, else those of the index, with what the index
// says of each weight.
func shardNames(dir string) (names []string, shardOf map[string]string, err error) {
	const whole = "model.safetensors"
	if _, err := os.Stat(filepath.Join(dir, whole)); err == nil {
		return []string{whole}, nil, nil
	}
	path := filepath.Join(dir, whole+".index.json")
	b, err := readText(path)
	if errors.Is(err, fs.ErrNotExist) {
		bad := &FormatError{Path: dir, Msg: "it has no " + whole + " and no index of several"}
		for _, name := range []string{"pytorch_model.bin", "pytorch_model.bin.index.json"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				bad.Msg = "its weights are pickled (" + name + "): such a file is a program, and is not run"
				bad.Advice = "use the safetensors files of the same model"
			}
		}
		return nil, nil, bad
	}
	if err != nil {
		return nil, nil, err
	}
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := decode(path, b, &index); err != nil {
		return nil, nil, err
	}
	for weight, name := range index.WeightMap {
		if name != filepath.Base(name) || !filepath.IsLocal(name) || !strings.HasSuffix(name, ".safetensors") {
			return nil, nil, &FormatError{Path: path, Msg: fmt.Sprintf("it says that %q is in %q, which is no safetensors file of the folder", weight, name)}
		}
	}
	if len(index.WeightMap) == 0 {
		return nil, nil, &FormatError{Path: path, Msg: "it names no weights"}
	}
	names = slices.Compact(slices.Sorted(maps.Values(index.WeightMap)))
	return names, index.WeightMap, nil
}
