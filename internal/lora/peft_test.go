package lora

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
)

const tinyAdapter = "../testkit/testdata/tiny/lora"

// tiny is the shape of the base that tinyAdapter goes with.
func tiny() Shape {
	return Shape{Layers: 3, In: [Modules]int{32, 32, 32, 32, 32, 32, 88}, Out: [Modules]int{32, 16, 16, 32, 88, 88, 32}}
}

// TestWriteDir writes, reads and writes again: the same bytes, and the adapter
// of the first file within F16.
func TestWriteDir(t *testing.T) {
	f, err := ReadDir(tinyAdapter)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []tensor.DType{tensor.F16, tensor.BF16, tensor.F32} {
		one, two := t.TempDir(), t.TempDir()
		a, err := f.Adapter(tiny())
		if err != nil {
			t.Fatal(err)
		}
		if err := WriteDir(one, a.File(), d); err != nil {
			t.Fatal(err)
		}
		back, err := ReadDir(one)
		if err != nil {
			t.Fatal(err)
		}
		if err := WriteDir(two, back, d); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{ConfigFile, WeightsFile} {
			x, err := os.ReadFile(filepath.Join(one, name))
			if err != nil {
				t.Fatal(err)
			}
			y, err := os.ReadFile(filepath.Join(two, name))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(x, y) {
				t.Errorf("%s as %s is not the same when written again", name, d)
			}
		}
		for i, p := range back.Pairs {
			for k, v := range p.B {
				if w := f.Pairs[i].B[k]; d == tensor.F32 && v != w || v-w > 1e-2 || w-v > 1e-2 {
					t.Fatalf("weight %d of pair %d is %g and not %g", k, i, v, w)
				}
			}
		}
	}
}

func TestConfigKeepsFields(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(tinyAdapter, ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	var c Config
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var x, y map[string]any
	if json.Unmarshal(b, &x) != nil || json.Unmarshal(out, &y) != nil {
		t.Fatal("no JSON")
	}
	for k, v := range x {
		a, _ := json.Marshal(v)
		b, _ := json.Marshal(y[k])
		if string(a) != string(b) {
			t.Errorf("%s is %s and not %s", k, b, a)
		}
	}
}

func TestReadDirRefuses(t *testing.T) {
	config, err := os.ReadFile(filepath.Join(tinyAdapter, ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	weights, err := os.ReadFile(filepath.Join(tinyAdapter, WeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"LORA"`, `"LOHA"`, "LOHA"},
		{`"r": 4`, `"r": 5`, "rank 4 where the config says 5"},
		{`"r": 4`, `"r": 0`, "its rank is 0, and it must be from 1 to 4096"},
		{`"r": 4`, `"r": 1e9`, "its r cannot be read"},
		{`"r": 4`, `"r": 5000`, "its rank is 5000, and it must be from 1 to 4096"},
		{`"lora_alpha": 8`, `"lora_alpha": 1e30`, "its alpha is 1e+30, and it must be from -1e+06 to 1e+06"},
		{`"lora_alpha": 8`, `"lora_alpha": 1e999`, "lora_alpha"},
		{`"lora_dropout": 0.0`, `"lora_dropout": 1.0`, "its dropout is 1, and it must be at least 0 and below 1"},
		{`"use_dora": false`, `"use_dora": true`, "DoRA"},
		{`"use_qalora": false`, `"use_qalora": true`, "QALoRA"},
		{`"use_dora": false`, `"use_what_comes_next": {"a": 1}`, "use_what_comes_next"},
		{`"bias": "none"`, `"bias": "all"`, "biases"},
		{`"lora_bias": false`, `"lora_bias": true`, "biases"},
		{`"fan_in_fan_out": false`, `"fan_in_fan_out": true`, "fan_in_fan_out"},
		{`"modules_to_save": null`, `"modules_to_save": ["lm_head"]`, "modules_to_save"},
		{`"trainable_token_indices": null`, `"trainable_token_indices": [1]`, "trainable_token_indices"},
		{`"layer_replication": null`, `"layer_replication": [[0, 2]]`, "layer_replication"},
		{`"init_lora_weights": true`, `"init_lora_weights": "pissa_niter_4"`, "pissa_niter_4"},
		{`"rank_pattern": {}`, `"rank_pattern": {"q_proj": 3}`, "q_proj in layer 0 has rank 4 where the config says 3"},
		{`"rank_pattern": {}`, `"rank_pattern": {"layers\\.(?!0)": 3}`, "expression"},
		{`"rank_pattern": {}`, `"rank_pattern": {"q_proj": "4"}`, "rank_pattern"},
		{`"alpha_pattern": {}`, `"alpha_pattern": {"layers.2.mlp.up_proj": 1e30}`, "alpha of up_proj in layer 2 is 1e+30, and it must be from -1e+06 to 1e+06"},
		{`    "k_proj",`, ``, "k_proj in layer 0, which its target_modules do not name"},
		{`    "k_proj",`, `7,`, "target_modules"},
		{`{`, `[`, "invalid character"},
		{`{`, ``, "invalid character"},
	} {
		dir := t.TempDir()
		changed := strings.Replace(string(config), c.old, c.new, 1)
		if changed == string(config) {
			t.Fatalf("%s: nothing to change", c.old)
		}
		os.WriteFile(filepath.Join(dir, ConfigFile), []byte(changed), 0o600)
		os.WriteFile(filepath.Join(dir, WeightsFile), weights, 0o600)
		var refused *ReadError
		if _, err := ReadDir(dir); !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: %v", c.new, c.old, err)
		}
	}
	for name, c := range map[string]struct{ old, new string }{
		"place": {"layers.0.mlp.up_proj.lora_A", "layers.0.mlp.up_proj.lora_X"},
		"half":  {"layers.0.mlp.up_proj.lora_A", "layers.9.mlp.up_proj.lora_A"},
		"block": {"layers.0.mlp.up_proj", "layers.0.mlp.xx_proj"},
	} {
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, ConfigFile), config, 0o600)
		os.WriteFile(filepath.Join(dir, WeightsFile), bytes.Replace(weights, []byte(c.old), []byte(c.new), 1), 0o600)
		if _, err := ReadDir(dir); err == nil {
			t.Errorf("%s: read all the same", name)
		}
	}
	dir := t.TempDir()
	nan := bytes.Clone(weights)
	copy(nan[len(nan)-4:], []byte{0, 0, 0xc0, 0x7f})
	os.WriteFile(filepath.Join(dir, ConfigFile), config, 0o600)
	os.WriteFile(filepath.Join(dir, WeightsFile), nan, 0o600)
	if _, err := ReadDir(dir); err == nil {
		t.Error("NaN: read all the same")
	}
	os.WriteFile(filepath.Join(dir, WeightsFile), weights[:len(weights)-1], 0o600)
	var refused *ReadError
	if _, err := ReadDir(dir); !errors.As(err, &refused) {
		t.Errorf("weights cut short: %v", err)
	}
	wide := slices.Concat([]byte{0x50, 0, 0, 0, 0, 0, 0, 0}, fmt.Appendf(nil, "%-80s", `{"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}`), make([]byte, 8))
	os.WriteFile(filepath.Join(dir, WeightsFile), wide, 0o600)
	if _, err := ReadDir(dir); !errors.As(err, &refused) || !strings.Contains(err.Error(), `the weight "x" has the type F64, and F32, F16 and BF16 can be read`) {
		t.Errorf("weights of another type: %v", err)
	}
	if _, err := Read("a", config, wide); !errors.As(err, &refused) || !strings.Contains(err.Error(), `the weight "x" has the type F64, and F32, F16 and BF16 can be read`) {
		t.Errorf("weights of another type in memory: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, WeightsFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadDir(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no weights: %v", err)
	}
	os.WriteFile(filepath.Join(dir, CompactFile), wide, 0o600)
	if _, err := ReadDir(dir); !errors.As(err, &refused) || !strings.Contains(err.Error(), `the weight "x" has the type F64, and I8 and F32 can be read`) {
		t.Errorf("whole numbers of another type: %v", err)
	}
	if f, err := ReadDir(tinyAdapter); err != nil {
		t.Error(err)
	} else {
		s := tiny()
		s.Layers = 2
		if _, err := f.Adapter(s); err == nil {
			t.Error("an adapter of three layers fits a base of two")
		}
	}
}

// TestOtherShape refuses pairs of another base, however many features they claim,
// before memory is taken for any of them.
func TestOtherShape(t *testing.T) {
	pair := Pair{Module: "down_proj", Rank: 1, In: 88, Out: 32, Scale: 1, A: make([]float32, 88), B: make([]float32, 32)}
	for name, change := range map[string]func(*Pair){
		"in": func(p *Pair) { p.In = 1 << 50 }, "out": func(p *Pair) { p.Out = 1 << 50 },
		"layer": func(p *Pair) { p.Layer = 3 }, "no layer": func(p *Pair) { p.Layer = -1 },
	} {
		f := &File{Config: Config{Rank: 1}, Pairs: []Pair{pair}}
		if _, err := f.Adapter(tiny()); err != nil {
			t.Fatal(err)
		}
		change(&f.Pairs[0])
		if _, err := f.Adapter(tiny()); err == nil || !strings.Contains(err.Error(), "another base") {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

// TestDropout writes what was read with any dropout, also one that float32 has not.
func TestDropout(t *testing.T) {
	for dropout, want := range map[float64]float64{0: 0, 0.05: 0.05, 0.99999999: 0.99999994, math.Nextafter(1, 0): 0.99999994} {
		f := filled(Options{Rank: 4, Alpha: 8}, 3).File()
		f.Config.Dropout = dropout
		dir := t.TempDir()
		if err := WriteDir(dir, f, tensor.F32); err != nil {
			t.Fatal(err)
		}
		f, err := ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		a, err := f.Adapter(shape())
		if err != nil {
			t.Fatal(err)
		}
		if err := WriteDir(dir, a.File(), tensor.F32); err != nil {
			t.Errorf("a dropout of %v: %v", dropout, err)
		}
		if f, err = ReadDir(dir); err != nil || f.Config.Dropout != want {
			t.Errorf("a dropout of %v comes back as %v (%v)", dropout, f.Config.Dropout, err)
		}
	}
}

// TestWriteRank writes the largest rank that is read, and none above it.
func TestWriteRank(t *testing.T) {
	s := Shape{Layers: 1}
	s.In[QProj], s.Out[QProj] = 1, 1
	for rank, ok := range map[int]bool{MaxRank: true, MaxRank + 1: false} {
		f := New(s, Options{Rank: rank, Alpha: 1, Targets: []Module{QProj}}, 1, nil).File()
		other := New(s, Options{Rank: rank, Alpha: 1, Targets: []Module{QProj}}, 1, nil)
		other.Options.Rank = 1 // the pair's own is in the pattern
		for _, f := range []*File{f, other.File()} {
			for name, write := range map[string]func(dir string) error{
				"plain":   func(dir string) error { return WriteDir(dir, f, tensor.F16) },
				"compact": func(dir string) error { return WriteCompact(dir, f) },
			} {
				dir := t.TempDir()
				if err := write(dir); (err == nil) != ok {
					t.Errorf("%s, rank %d: %v", name, rank, err)
				}
				if _, err := ReadDir(dir); ok && err != nil {
					t.Errorf("%s, rank %d: written, and then %v", name, rank, err)
				}
			}
		}
	}
}

// TestWriteConfig writes the largest config that is read, and none above it.
func TestWriteConfig(t *testing.T) {
	f := filled(Options{Rank: 4, Alpha: 8}, 3).File()
	bare, err := json.MarshalIndent(f.Config, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	// What null has become is a name in quotes, and the file ends in a new line.
	room := maxConfig - (len(bare) - len("null") + len(`""`) + len("\n"))
	for more, ok := range map[int]bool{0: true, 1: false} {
		f.Config.BaseModel = strings.Repeat("b", room+more)
		dir := t.TempDir()
		err := WriteDir(dir, f, tensor.F16)
		if ok != (err == nil) || !ok && !strings.Contains(err.Error(), "would have 16777217 bytes, and 16777216 is the most") {
			t.Errorf("%d bytes more: %v", more, err)
		}
		if _, err := ReadDir(dir); ok != (err == nil) {
			t.Errorf("%d bytes more: read with %v", more, err)
		}
	}
}

// uneven is an adapter with another rank and scale in some linears, and without
// some of the linears in some layers.
func uneven(rslora bool) *Adapter {
	a := filled(Options{Rank: 4, Alpha: 8, RSLoRA: rslora}, 3)
	b := filled(Options{Rank: 6, Alpha: 3, RSLoRA: true}, 4)
	a.Pairs[0][QProj], a.Pairs[1][DownProj] = b.Pairs[0][QProj], b.Pairs[1][DownProj]
	a.Pairs[1][VProj].Scale = 0.3
	a.Pairs[0][OProj] = nil
	return a
}

// TestUneven writes it, reads it and gets the same.
func TestUneven(t *testing.T) {
	for _, rslora := range []bool{false, true} {
		a, dir := uneven(rslora), t.TempDir()
		if err := WriteDir(dir, a.File(), tensor.F32); err != nil {
			t.Fatal(err)
		}
		f, err := ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		b, err := f.Adapter(shape())
		if err != nil {
			t.Fatal(err)
		}
		if !a.SameShape(b) {
			t.Error("another shape comes back")
		}
		a.Each(func(l int, m Module, p *op.Pair) {
			if q := b.Pairs[l][m]; q != nil && (!slices.Equal(p.A, q.A) || !slices.Equal(p.B, q.B)) {
				t.Errorf("%s of layer %d is not the same", m, l)
			}
		})
		j, err := Join(Applied{a, 2}, Applied{filled(Options{Rank: 1, Alpha: 1, Targets: []Module{OProj, QProj}}, 5), 1})
		if err != nil {
			t.Fatal(err)
		}
		if p, q := j.Pairs[0][QProj], j.Pairs[0][OProj]; p.Rank != 7 || q.Rank != 1 {
			t.Errorf("joined, the ranks are %d and %d", p.Rank, q.Rank)
		}
		if err := WriteDir(t.TempDir(), j.File(), tensor.F32); err != nil {
			t.Error(err)
		}
	}
}

// TestPatterns finds ranks and alphas as PEFT does: the first entry that matches
// the end of the path.
func TestPatterns(t *testing.T) {
	var c Config
	err := json.Unmarshal([]byte(`{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": "all-linear",
		"rank_pattern": {"layers.1.mlp.up_proj": 9, ".*layers\\.[12]\\..*(q|k)_proj": 3, "up.proj": 2, "q_proj": 1, "_proj": 7, "proj": 7}}`), &c)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[place]float64{{1, UpProj}: 9, {11, UpProj}: 2, {2, QProj}: 3, {1, KProj}: 3, {3, QProj}: 1, {3, KProj}: 4, {0, DownProj}: 4} {
		if rank, alpha := c.at(p); rank != want || alpha != 8 {
			t.Errorf("%s has rank %g and not %g, and alpha %g", p.path(), rank, want, alpha)
		}
	}
	b, err := json.Marshal(c)
	if err != nil || !bytes.Contains(b, []byte(`"target_modules":"all-linear"`)) || !bytes.Contains(b, []byte(`{"layers.1.mlp.up_proj":9,".*layers`)) {
		t.Errorf("written again it is %s (%v)", b, err)
	}
}

func TestWriteDirRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(f *File)
		want   string
	}{
		"scale":  {func(f *File) { f.Pairs[3].Scale *= 2 }, "scale"},
		"rank":   {func(f *File) { f.Config.Rank++ }, "rank"},
		"target": {func(f *File) { f.Config.Targets = f.Config.Targets[1:] }, "target_modules"},
		"module": {func(f *File) { f.Pairs[3].Module = "lm_head" }, "lm_head"},
		"size":   {func(f *File) { f.Pairs[3].A = f.Pairs[3].A[1:] }, "bytes"},
		"none":   {func(f *File) { f.Pairs = nil }, "no weights"},
		"range":  {func(f *File) { f.Pairs[3].B[2] = 65520 }, "out of range"},
		"NaN":    {func(f *File) { f.Pairs[3].B[2] = float32(math.NaN()) }, "NaN"},
	} {
		f := filled(Options{Rank: 4, Alpha: 8}, 3).File()
		dir := t.TempDir()
		old := []byte("what was there")
		for _, n := range []string{ConfigFile, WeightsFile} {
			if err := os.WriteFile(filepath.Join(dir, n), old, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c.change(f)
		if err := WriteDir(dir, f, tensor.F16); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 2 {
			t.Errorf("%s: %v is left (%v)", name, entries, err)
		}
		for _, n := range []string{ConfigFile, WeightsFile} {
			if b, err := os.ReadFile(filepath.Join(dir, n)); err != nil || !bytes.Equal(b, old) {
				t.Errorf("%s: %s is now %q (%v)", name, n, b, err)
			}
		}
	}
	if err := WriteDir(filepath.Join(t.TempDir(), "none"), filled(Options{Rank: 4, Alpha: 8}, 3).File(), tensor.F16); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func FuzzConfig(f *testing.F) {
	b, err := os.ReadFile(filepath.Join(tinyAdapter, ConfigFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"peft_type":"LORA","r":4,"target_modules":"all-linear","rank_pattern":{"a|b":2,"c.d":1},"alpha_pattern":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c Config
		if json.Unmarshal(b, &c) != nil {
			return
		}
		out, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var again Config
		if err := json.Unmarshal(out, &again); err != nil {
			t.Fatalf("written again it is refused: %v", err)
		}
		if twice, err := json.Marshal(again); err != nil || !bytes.Equal(twice, out) {
			t.Fatalf("%s is written again as %s (%v)", out, twice, err)
		}
		c.at(place{1, UpProj})
	})
}
