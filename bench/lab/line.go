package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/getstroke/stroke/internal/twin"
)

// line is a cell as it is kept.
type line struct {
	Writer      string          `json:"writer"`
	Words       int             `json:"words"` // that the method got in all
	Seed        uint64          `json:"seed"`  // of the draw of text, and of training
	Name        string          `json:"name"`  // of the recipe in the table
	Change      json.RawMessage `json:"change"`
	Base        string          `json:"base_model"`
	JudgeTokens int             `json:"judge_tokens"`
	SelectWords int             `json:"select_words"` // of the words
	Commit      string          `json:"commit"`
	Cell        *twin.Cell      `json:"cell"`
}

// asked is what a recipe asks for, by which cells are known again.
func (r *recipe) asked() (json.RawMessage, error) {
	b, err := json.Marshal(struct {
		Like      string         `json:"like,omitempty"`
		Untrained bool           `json:"untrained,omitempty"`
		Set       map[string]any `json:"set,omitempty"`
	}{r.Like, r.Untrained, r.Set})
	if err != nil {
		return nil, fmt.Errorf("the recipe %s: %w", r.Name, err)
	}
	return b, nil
}

// key tells cells apart.
func (l *line) key() string {
	return fmt.Sprintf("%s %s %d %d %d %s %s", l.Base, l.Writer, l.Words, l.Seed, l.JudgeTokens, l.Name, l.Change)
}

// gains are those of a cell in nats per token, and the base's loss.
type gains struct{ base, examples, adapter, both, start float64 }

func (l *line) gains() gains {
	var g gains
	n := 0.0
	for _, d := range l.Cell.Documents {
		n += float64(d.Tokens)
		g.base += d.Base
		g.examples += d.Base - d.Examples
		g.start += d.Base - d.Start
		if l.trained() {
			g.adapter += d.Base - d.Adapter
		} else {
			g.adapter += d.Base - d.Start
		}
		g.both += d.Base - l.served(&d)
	}
	return gains{g.base / n, g.examples / n, g.adapter / n, g.both / n, g.start / n}
}

func (l *line) trained() bool { return l.Cell.Epoch > 0 }

// served is the loss of what would be served: with examples.
func (l *line) served(d *twin.CellDocument) float64 {
	if l.trained() {
		return d.Both
	}
	return d.Untrained
}

// appendCell adds a line to a file. One that a kill left without its end is cut
// off first.
func appendCell(path string, l *line) error {
	b, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("keep a cell: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("keep a cell: %w", err)
	}
	defer f.Close()
	old, err := io.ReadAll(f)
	if err == nil {
		err = f.Truncate(int64(bytes.LastIndexByte(old, '\n') + 1))
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekEnd)
	}
	if err == nil {
		_, err = f.Write(append(b, '\n'))
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("keep a cell: %w", err)
	}
	return nil
}

// readCells reads the cells of files. A last line without its end, which a kill
// leaves, is passed over.
func readCells(paths []string) ([]line, error) {
	var out []line
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("read cells: %w", err)
		}
		r := bufio.NewReader(f)
		for n := 1; ; n++ {
			b, err := r.ReadBytes('\n')
			if errors.Is(err, io.EOF) {
				break
			}
			var l line
			if err == nil {
				err = json.Unmarshal(b, &l)
			}
			if err == nil && l.Cell == nil {
				err = errors.New("it has no cell")
			}
			if err != nil {
				f.Close()
				return nil, fmt.Errorf("read cells: line %d of %s: %w", n, path, err)
			}
			out = append(out, l)
		}
		f.Close()
	}
	return out, nil
}
