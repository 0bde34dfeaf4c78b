package twin

import (
	"bytes"
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/testkit"
)

// TestAddGenre refuses what is hostile or does not fit, in a sentence.
func TestAddGenre(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	path := toyFile(t)
	wide := testkit.Toy(t, testkit.ToyShape{Hidden: 64})
	b, err := openBase(path, path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	write := func(a *lora.Adapter) string {
		dir := t.TempDir()
		if err := lora.WriteDir(dir, a.File(), tensor.F32); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	spoil := func(x float32) string {
		const mark = 0.12345
		a := loud(b, 2, 0.01, 1)
		a.Pairs[1][lora.UpProj].B[3] = mark
		dir := write(a)
		path := filepath.Join(dir, lora.WeightsFile)
		all, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		was, now := tensor.Bytes([]float32{mark}), tensor.Bytes([]float32{x})
		if bytes.Count(all, was) != 1 {
			t.Fatal("the number to spoil is not there once")
		}
		if err := os.WriteFile(path, bytes.Replace(all, was, now, 1), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	config := func(old, now string) string {
		dir := write(loud(b, 2, 0.01, 1))
		p := filepath.Join(dir, lora.ConfigFile)
		x, err := os.ReadFile(p)
		if err != nil || !strings.Contains(string(x), old) {
			t.Fatalf("%v: %s", err, x)
		}
		if err := os.WriteFile(p, []byte(strings.Replace(string(x), old, now, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	huge := lora.New(b.model.Shape(), lora.Options{Rank: 2, Alpha: 4000}, 1, nil)
	few := loud(b, 2, 0.01, 1)
	few.Pairs = few.Pairs[:1]
	called := *few
	called.Base = path // as a base with fewer layers may be called, too
	deep := lora.New(lora.Shape{Layers: 9, In: b.model.Shape().In, Out: b.model.Shape().Out}, lora.Options{Rank: 2, Alpha: 2}, 1, nil)
	endless := lora.New(b.model.Shape(), lora.Options{Rank: 32, Alpha: 32 * mostScale}, 1, nil)
	endless.Each(func(_ int, m lora.Module, p *op.Pair) {
		if m < lora.GateProj {
			return
		}
		for _, x := range [][]float32{p.A, p.B} {
			for i := range x {
				x[i] = 6e4
			}
		}
	})
	cut := write(loud(b, 2, 0.01, 1))
	if err := os.Truncate(filepath.Join(cut, lora.WeightsFile), 900); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ from, base, want string }{
		"not a number":    {spoil(float32(math.NaN())), path, "a number of up_proj in layer 1 is not finite"},
		"infinite":        {spoil(float32(math.Inf(1))), path, "a number of up_proj in layer 1 is not finite"},
		"too much":        {spoil(3e38), path, "too large for F16"},
		"no number":       {write(endless), path, "computes what is no number"},
		"beyond F16":      {spoil(1e6), path, "too large for F16"},
		"huge alpha":      {write(huge), path, "its alpha multiplies q_proj in layer 0 by 2e+03"},
		"alpha in config": {config(`"lora_alpha": 2`, `"lora_alpha": 1e300`), path, "its alpha is 1e+300"},
		"other modules":   {config(`"down_proj",`, ``), path, "its target_modules do not name"},
		"DoRA":            {config(`"use_dora": false`, `"use_dora": true`), path, "DoRA"},
		"cut short":       {cut, path, "cannot be used"},
		"too few layers":  {write(few), path, "has 1 layers and the base 2"},
		"too few, named":  {write(&called), path, "has 1 layers and the base 2"},
		"too many layers": {write(deep), path, "has a layer 2 and the base 2 layers"},
		"other base":      {write(loud(b, 2, 0.01, 1)), wide, "it was trained on another base"},
		"no base":         {write(loud(b, 2, 0.01, 1)), "", "does not say which base it is for"},
		"no such base":    {config(`"base_model_name_or_path": null`, `"base_model_name_or_path": "x/y"`), "", `for the base "x/y"`},
	} {
		_, err := AddGenre(context.Background(), AddOptions{From: c.from, Name: "x", Base: c.base}, func(stroke.Event) {})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if stroke.CodeOf(err) != stroke.CodeInput || stroke.HintOf(err) == "" || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: code %s, hint %q", name, stroke.CodeOf(err), stroke.HintOf(err))
		}
	}
	l, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	if list := l.List(path, nil); len(list) != 0 {
		t.Errorf("%d genres were added all the same", len(list))
	}
	if _, err := AddGenre(context.Background(), AddOptions{From: write(loud(b, 2, 0.01, 1)), Name: "../x", Base: path}, nil); err == nil || !strings.Contains(err.Error(), "cannot be a genre's name") {
		t.Errorf("a name that leads elsewhere: %v", err)
	}
	// What is said of an address has nothing of who fetches it.
	for base, dir := range map[string]string{wide: write(loud(b, 2, 0.01, 1)), "": write(loud(b, 2, 0.01, 1)), path: write(huge), path + " ": cut} {
		s := httptest.NewServer(http.FileServer(http.Dir(dir)))
		from := strings.Replace(s.URL, "://", "://me:secret@", 1) + "/" + lora.WeightsFile + "?token=hidden"
		_, err := AddGenre(context.Background(), AddOptions{From: from, Name: "x", Base: strings.TrimSpace(base)}, nil)
		s.Close()
		if err == nil || !strings.Contains(err.Error(), s.URL) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "hidden") {
			t.Errorf("from an address: %v", err)
		}
	}
	// One that leaves the last layer alone, and says so, is none of a smaller base.
	firstLayer := write(few)
	at := filepath.Join(firstLayer, lora.ConfigFile)
	x, err := os.ReadFile(at)
	if err == nil {
		err = os.WriteFile(at, bytes.Replace(x, []byte(`"layers_to_transform": null`), []byte(`"layers_to_transform": 0`), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	byLayers, err := AddGenre(context.Background(), AddOptions{From: firstLayer, Name: "by-layers", Base: path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, err := b.genre(byLayers)
	if err != nil || layers(first) != 1 {
		t.Fatalf("it has %d layers, %v", layers(first), err)
	}
	// So it is of a mixture of such.
	if on, err := b.asOne(context.Background(), []trial{{genre: byLayers, adapter: first, share: 0.5}, {genre: byLayers, adapter: first, share: 0.5}}, 1); err != nil || layers(on.Adapter) != 1 {
		t.Errorf("a mixture: %v", err)
	}
	if err := l.Remove(byLayers); err != nil {
		t.Error(err)
	}
	added(t, path, "fine", loud(b, 2, 0.01, 9))
	whole := t.TempDir()
	if err := lora.WriteCompact(whole, loud(b, 2, 0.01, 9).File()); err != nil {
		t.Fatal(err)
	}
	g, err := AddGenre(context.Background(), AddOptions{From: whole, Name: "whole", Base: path}, nil)
	if err != nil {
		t.Fatal("in whole numbers: ", err)
	}
	was, err := os.ReadFile(filepath.Join(whole, lora.CompactFile))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(g.Path, genre.CompactFile)); err != nil || !bytes.Equal(got, was) {
		t.Errorf("in whole numbers it has %d bytes, and %d when it was added (%v)", len(got), len(was), err)
	}
	v, err := OpenGenre(context.Background(), "fine", VoiceOptions{Base: path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	s := &Speech{Sampling: DefaultSampling(), Max: 8, Strength: 1}
	if _, err := v.Write(context.Background(), "It rained", s, func(string) error { return nil }); err != nil {
		t.Error(err)
	}
}
