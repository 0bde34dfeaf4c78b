package lora

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/tensor"
)

const tinyAdapter = "../testkit/testdata/tiny/lora"

// TestWriteDir writes, reads and writes again: the same bytes, and the adapter
// of the first file within F16.
func TestWriteDir(t *testing.T) {
	f, err := ReadDir(tinyAdapter)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []tensor.DType{tensor.F16, tensor.BF16, tensor.F32} {
		one, two := t.TempDir(), t.TempDir()
		a, err := f.Adapter(3)
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
	for name, c := range map[string]struct{ old, new string }{
		"type":    {`"LORA"`, `"LOHA"`},
		"rank":    {`"r": 4`, `"r": 5`},
		"no rank": {`"r": 4`, `"r": 0`},
		"alpha":   {`"lora_alpha": 8`, `"lora_alpha": 1e30`},
		"dora":    {`"use_dora": false`, `"use_dora": true`},
		"bias":    {`"bias": "none"`, `"bias": "all"`},
		"modules": {`"modules_to_save": null`, `"modules_to_save": ["lm_head"]`},
		"json":    {`{`, `[`},
	} {
		dir := t.TempDir()
		changed := strings.Replace(string(config), c.old, c.new, 1)
		if changed == string(config) {
			t.Fatalf("%s: nothing to change", name)
		}
		os.WriteFile(filepath.Join(dir, ConfigFile), []byte(changed), 0o600)
		os.WriteFile(filepath.Join(dir, WeightsFile), weights, 0o600)
		if _, err := ReadDir(dir); err == nil {
			t.Errorf("%s: read all the same", name)
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
	if f, err := ReadDir(tinyAdapter); err != nil {
		t.Error(err)
	} else if _, err := f.Adapter(2); err == nil {
		t.Error("an adapter of three layers fits a base of two")
	}
}

func FuzzConfig(f *testing.F) {
	b, err := os.ReadFile(filepath.Join(tinyAdapter, ConfigFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
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
	})
}
