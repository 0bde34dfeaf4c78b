package twin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/term"
)

// possible says in a dry run what a run could not do: a base, a source or a genre that
// is not there, too little memory, a folder that cannot be written. Nothing is fetched.
func (o *Options) possible(ctx context.Context, f *Folder, recipe Recipe) error {
	store, err := base.NewStore()
	if err != nil {
		return err
	}
	entry, named, err := o.namedBase(ctx, store)
	if err != nil {
		return err
	}
	if o.From != "" {
		if _, err := base.ParseSource(o.From); err != nil {
			return err
		}
	}
	if err := recipe.Genre.known(o.Base, named); err != nil {
		return err
	}
	if err := o.enough(entry, recipe); err != nil {
		return err
	}
	return writable(f.Dir)
}

// namedBase is the base that was named, and the entry of one of the catalog.
func (o *Options) namedBase(ctx context.Context, store *base.Store) (e *base.Entry, named bool, err error) {
	if o.Base == "" || o.Base == "auto" {
		return nil, false, nil
	}
	if e, err := base.Find(o.Base); err == nil {
		return &e, true, nil
	}
	if _, err := os.Stat(o.Base); err == nil || o.From != "" {
		return nil, true, nil
	}
	if strings.ContainsAny(o.Base, `/\`) || strings.EqualFold(filepath.Ext(o.Base), ".gguf") {
		return nil, true, noBase(o.Base)
	}
	_, err = store.Locate(ctx, o.Base)
	return nil, true, err
}

// known says which genre that is named is not in the library for the base, or with none
// named for any.
func (s *Stage) known(of string, named bool) error {
	if s.Ask == "" || s.Ask == genre.None || s.Ask == genre.Auto {
		return nil
	}
	names, _, err := s.names()
	if err != nil {
		return err
	}
	l, err := Library()
	if err != nil {
		return err
	}
	if !named {
		of = ""
	}
	for _, name := range names {
		if !named && slices.ContainsFunc(l.List("", nil), func(g genre.Genre) bool { return g.Name == name }) {
			continue
		}
		if _, err := l.Find(of, name); err != nil {
			return err
		}
	}
	return nil
}

// enough says that --memory is below what a run takes at the least: on the base that was
// named or, with none, on the smallest.
func (o *Options) enough(e *base.Entry, recipe Recipe) error {
	if o.Memory == 0 || o.ExamplesOnly || e == nil && o.Base != "" && o.Base != "auto" {
		return nil
	}
	least := int64(0)
	for _, c := range base.Catalog() {
		if c.Shape.Layers == 0 || e != nil && c.Name != e.Name {
			continue
		}
		if n := forecastMemory(c, &recipe); least == 0 || n < least {
			least = n
		}
	}
	if least <= o.Memory {
		return nil
	}
	return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("training takes about %s of memory at the least, and --memory allows %s", term.Bytes(least), term.Bytes(o.Memory)),
		Hint: "allow more, or name a smaller base: stroke base list"}
}

// writable says why nothing can be written below a folder, which need not be there.
func writable(dir string) error {
	at, err := filepath.Abs(dir)
	if err != nil {
		return writeError(dir, err)
	}
	for {
		info, err := os.Stat(at)
		if errors.Is(err, fs.ErrNotExist) && filepath.Dir(at) != at {
			at = filepath.Dir(at)
			continue
		}
		if err == nil && !info.IsDir() {
			return &stroke.Error{Code: stroke.CodeInput, Msg: at + " is a file and no folder", Hint: "name a folder that is empty or not there yet: --to DIR"}
		}
		if err != nil {
			return writeError(dir, err)
		}
		break
	}
	// Only writing tells whether that can be done; nothing of it stays.
	tmp, err := os.CreateTemp(at, halfWritten+"*")
	if err != nil {
		return writeError(dir, err)
	}
	tmp.Close()
	os.Remove(tmp.Name())
	return nil
}

// noBase says that a path to a base leads to nothing.
func noBase(path string) error {
	return &stroke.Error{Code: stroke.CodeNotFound, Msg: fmt.Sprintf("there is no file or folder %q to be the base", path),
		Hint: "--base takes a GGUF file, a Hugging Face folder, or a name of stroke base list"}
}
