package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/getstroke/stroke/bench/lines"
	"github.com/getstroke/stroke/internal/twin"
)

// line is a cell as it is kept.
type line struct {
	Writer      string          `json:"writer"`
	Words       int             `json:"words"` // that the method got in all
	Seed        uint64          `json:"seed"`  // of the draw of text, and of training
	Name        string          `json:"name"`  // of the recipe in the table
	Change      json.RawMessage `json:"change"`
	Beside      json.RawMessage `json:"beside,omitempty"` // what was measured beside the gains
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
		Method    string         `json:"method,omitempty"`
		Untrained bool           `json:"untrained,omitempty"`
		Set       map[string]any `json:"set,omitempty"`
	}{r.Like, r.Method, r.Untrained, r.Set})
	if err != nil {
		return nil, fmt.Errorf("the recipe %s: %w", r.Name, err)
	}
	return b, nil
}

// key tells cells apart, also two of which more was measured of one.
func (l *line) key() string {
	key := fmt.Sprintf("%s %s %d %d %d %s %s", l.Base, l.Writer, l.Words, l.Seed, l.JudgeTokens, l.Name, l.Change)
	if len(l.Beside) > 0 {
		key += " " + string(l.Beside)
	}
	return key
}

// gains are those of cells in nats per token, and the base's loss.
type gains struct{ base, examples, adapter, both, start float64 }

// gainsOf are the gains of cells over all that was scored of them.
func gainsOf(cells ...line) gains {
	var g gains
	n := 0.0
	for _, l := range cells {
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
	}
	return gains{g.base / n, g.examples / n, g.adapter / n, g.both / n, g.start / n}
}

// meanGains is the mean over writers, the cells of one joined first, so that none
// counts for more because there are more seeds of them.
func meanGains(cells []line) (mean gains, writers int) {
	all := byWriter(cells)
	n := float64(len(all))
	for _, of := range all {
		g := gainsOf(of...)
		mean = gains{mean.base + g.base/n, mean.examples + g.examples/n, mean.adapter + g.adapter/n, mean.both + g.both/n, mean.start + g.start/n}
	}
	return mean, len(all)
}

func (l *line) trained() bool { return l.Cell.Epoch > 0 }

// served is the loss of what would be served: with examples.
func (l *line) served(d *twin.CellDocument) float64 {
	if l.trained() {
		return d.Both
	}
	return d.Untrained
}

// readCells reads the cells of files.
func readCells(paths []string) ([]line, error) {
	return lines.Read(paths, func(l *line) error {
		if l.Cell == nil {
			return errors.New("it has no cell")
		}
		return nil
	})
}
