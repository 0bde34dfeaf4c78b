package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/twin"
)

// TestTwins has cells of two writers, one with two seeds and much more text: the writers
// count alike, and a document once, at the mean of its seeds.
func TestTwins(t *testing.T) {
	var all strings.Builder
	add := func(writer string, seed uint64, name string, share float64, documents, tokens int, both float64) {
		c := cell{Writer: writer, Words: 500, Seed: seed, Name: name, Cell: &twin.Cell{Epoch: 1}}
		if name == onGenre {
			c.Cell.Recipe.Genre.On = []twin.StandsOn{{Name: "prose", Strength: 0.9 * share}, {Name: "novel", Strength: 0.9 * (1 - share)}}
		}
		for i := range documents {
			c.Cell.Documents = append(c.Cell.Documents, twin.CellDocument{Hash: fmt.Sprint(writer, i), Tokens: tokens, Both: float64(tokens) * both})
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(append(b, '\n'))
	}
	// Nats a token that are saved: a .1 and .3 by seed, b .4.
	add("a", 1, onGenre, 0.9, 4, 1000, 2.9)
	add("a", 1, fromBase, 0, 4, 1000, 3)
	add("a", 2, onGenre, 0.7, 4, 1000, 2.7)
	add("a", 2, fromBase, 0, 4, 1000, 3)
	add("b", 1, onGenre, 0.4, 1, 100, 2.6)
	add("b", 1, fromBase, 0, 1, 100, 3)
	path := filepath.Join(t.TempDir(), "cells.jsonl")
	if err := os.WriteFile(path, []byte(all.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := twins([]string{path})
	if err != nil || len(got["prose"]) != 1 || len(got["novel"]) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	x := got["prose"][0]
	if x.Text != "a, b" || x.Words != 500 || x.Tokens != 4100 || math.Abs(x.Share-0.6) > 1e-9 || math.Abs(x.Gain.Mean-0.3) > 1e-9 || math.Abs(x.Gain.Low-0.2) > 1e-9 || math.Abs(x.Gain.High-0.4) > 1e-9 {
		t.Errorf("%+v", x)
	}
	// a has a fifth and more of it with one seed alone.
	if x := got["novel"][0]; x.Text != "a, b" || x.Tokens != 4100 || math.Abs(x.Share-0.45) > 1e-9 || math.Abs(x.Gain.Mean-0.35) > 1e-9 {
		t.Errorf("%+v", x)
	}
}
