package weights

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Source is a model in one of the formats: exactly one of GGUF and Folder is
// set.
type Source struct {
	Format  string // "gguf" or "huggingface"
	Path    string
	Tensors map[string]Tensor
	GGUF    *GGUF
	Folder  *Folder
}

// Open opens the model at path: a GGUF file, a Hugging Face folder, or a folder
// with exactly one GGUF file.
func Open(path string) (*Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	if info.IsDir() {
		_, err := os.Stat(filepath.Join(path, "config.json"))
		if err == nil {
			f, err := OpenFolder(path)
			if err != nil {
				return nil, err
			}
			return &Source{Format: "huggingface", Path: path, Tensors: f.Tensors, Folder: f}, nil
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, fmt.Errorf("open model: %w", err)
		}
		var files []string
		for _, e := range entries {
			if strings.EqualFold(filepath.Ext(e.Name()), ".gguf") {
				files = append(files, e.Name())
			}
		}
		if len(files) != 1 {
			return nil, fmt.Errorf("open model: %w", &FormatError{Path: path,
				Msg:    fmt.Sprintf("the folder has no config.json, and %d GGUF files where one is expected", len(files)),
				Advice: "name a GGUF file, or a folder as Hugging Face keeps a model, with config.json and safetensors files"})
		}
		path = filepath.Join(path, files[0])
	}
	if strings.HasSuffix(strings.ToLower(path), ".safetensors") {
		return nil, fmt.Errorf("open model: %w", &FormatError{Path: path, Msg: "a safetensors file alone is no model",
			Advice: "name the folder that it is in, with config.json and tokenizer.json beside it"})
	}
	g, err := OpenGGUF(path)
	if err != nil {
		return nil, err
	}
	return &Source{Format: "gguf", Path: path, Tensors: g.Tensors, GGUF: g}, nil
}

// Close gives the mappings back; tensors must not be used after it.
func (s *Source) Close() error {
	var errs []error
	if s.GGUF != nil {
		errs = append(errs, s.GGUF.Close())
	}
	if s.Folder != nil {
		errs = append(errs, s.Folder.Close())
	}
	return errors.Join(errs...)
}

// Unchanged says with a ReplacedError that a file of the model is another now
// than the one that was opened, or has been written to. It asks the file system
// once for each file.
func (s *Source) Unchanged() error {
	for _, m := range s.mappings() {
		if err := m.unchanged(); err != nil {
			return err
		}
	}
	return nil
}
