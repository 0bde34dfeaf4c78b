package main

import (
	"bytes"
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/testkit"
)

// TestCross sets writers beside each other's twins. Four names of one writer have the
// same twin, so none is better than the others' by anything; and what was crossed is
// not crossed again.
func TestCross(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	tab := &table{Base: testkit.Toy(t, testkit.ToyShape{}), JudgeTokens: 400, Words: []int{1000}, Seeds: []uint64{1},
		Recipes: []recipe{{Name: "once", Like: "plain", Set: map[string]any{"epochs": int64(1)}}}}
	for _, name := range []string{"a", "b", "c", "d"} {
		tab.Writers = append(tab.Writers, writer{Name: name, Path: "notebook"})
	}
	var said bytes.Buffer
	dir := t.TempDir()
	o := options{Data: filepath.Join(testkit.Root(t), "examples"), Out: filepath.Join(dir, "cells.jsonl"), Work: t.TempDir(), Keep: filepath.Join(dir, "adapters"),
		Crossed: filepath.Join(dir, "crossed.jsonl"), Commit: "0123456789ab", Log: &said}
	for range 2 {
		if err := run(context.Background(), tab, o); err != nil {
			t.Fatal(err)
		}
	}
	cells, err := readCells([]string{o.Out})
	if err != nil {
		t.Fatal(err)
	}
	all, err := readCrossed([]string{o.Crossed})
	if err != nil || len(cells) != 4 || len(all) != 4 {
		t.Fatalf("%d cells, %d crossed, %v", len(cells), len(all), err)
	}
	for i := range all {
		if got := strings.Join(all[i].Controls, ""); all[i].Of != cells[i].key() || len(got) != controls || strings.Contains(got, cells[i].Writer) {
			t.Errorf("%s is beside %s", cells[i].Writer, got)
		}
		x, ok := all[i].specific(&cells[i])
		if !ok || math.Abs(x) > 1e-6 {
			t.Errorf("the same twin is better than itself by %g (%v)", x, ok)
		}
		for name, list := range all[i].Nats {
			for j := range list {
				list[j].Nats += 0.5 * float64(list[j].Tokens)
			}
			all[i].Nats[name] = list
		}
		if x, _ := all[i].specific(&cells[i]); math.Abs(x-0.5) > 1e-6 {
			t.Errorf("half a nat better than the others is %g", x)
		}
	}
	var out bytes.Buffer
	summarizeCrossed(&out, cells, all)
	if !strings.Contains(out.String(), "| 1000 | once | 4 | 0.500 | 0.500 |") {
		t.Errorf("the table is %s", out.String())
	}
}
