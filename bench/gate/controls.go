package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/twin/control"
)

var errOver = errors.New("the time is over")

// credit says whose text a control is made of.
type credit struct{ writer, origin, terms string }

const books = "mlschmitt/classic-books-markdown at 94488272, the first 160,000 characters of each work"

// credits are those whose controls come with the program.
var credits = map[string]credit{
	"alcott":         {"Louisa May Alcott, Hospital Sketches and Little Women", books, "public domain in the US"},
	"branchaud":      {"Josh Branchaud, Today I Learned", "jbranchaud/til at 453e9ed, 250 notes", "MIT, copyright (c) 2015 Josh Branchaud"},
	"doyle":          {"Arthur Conan Doyle, The Hound of the Baskervilles and The Lost World", books, "public domain in the US"},
	"wells":          {"H. G. Wells, The History of Mr Polly and The Invisible Man", books, "public domain in the US"},
	"wharton":        {"Edith Wharton, Summer and The House of Mirth", books, "public domain in the US"},
	"wollstonecraft": {"Mary Wollstonecraft, A Vindication of the Rights of Woman and Letters from Sweden, Norway and Denmark", books, "public domain in the US"},
}

// makeControls trains a control of each writer and writes it as the program has it.
func makeControls(ctx context.Context, o *options, to string, rank int, writers []string) error {
	l, err := open(ctx, o, writers)
	if err != nil {
		return err
	}
	defer l.Close()
	for _, name := range l.names {
		c, ok := credits[name]
		if !ok {
			return fmt.Errorf("it is not said by what terms the text of %s may be used", name)
		}
		dir := filepath.Join(to, o.base, fmt.Sprintf("%s-%d", name, o.words))
		if _, err := os.Stat(filepath.Join(dir, control.CardFile)); err == nil {
			continue
		}
		d, err := l.texts[name].give(o.words, o.seed)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		f, cell, err := l.train(ctx, name, good, o.words)
		if err != nil {
			return err
		}
		small, err := lora.Truncate(ctx, f, rank, runtime.GOMAXPROCS(0))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		recipe, err := json.Marshal(cell.Recipe)
		if err != nil {
			return err
		}
		card := control.Card{Schema: 1, Name: name, Words: o.words, Writer: c.writer, Origin: c.origin, Terms: c.terms, Base: o.base,
			Start: o.start, StartSHA256: cell.Recipe.Genre.On[0].SHA256, Recipe: recipe, TrainedRank: cell.Recipe.Options.LoRA.Rank,
			Epoch: cell.Epoch, Tokens: cell.Tokens, Kernel: cell.Kernel, Arithmetic: cell.Arithmetic}
		var texts []string
		for _, x := range d.Train {
			texts = append(texts, x.Text)
		}
		for _, x := range d.Select {
			texts = append(texts, x.Text)
		}
		card.Prints = control.Prints(texts)
		if err := writeControl(dir, &card, small); err != nil {
			return fmt.Errorf("write the control %s: %w", name, err)
		}
	}
	return nil
}

// writeControl writes the files of a control, the card last.
func writeControl(dir string, card *control.Card, f *lora.File) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := lora.WriteCompact(dir, f); err != nil {
		return err
	}
	for _, name := range []string{control.ConfigFile, control.WeightsFile} {
		if err := os.Chmod(filepath.Join(dir, name), 0o644); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(card); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, control.CardFile), b.Bytes(), 0o644)
}
