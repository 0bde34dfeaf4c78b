package lora

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// even is an adapter that has the same linears in every layer.
func even() *File {
	b := New(tiny(), Options{Rank: 4, Alpha: 8}, 1, nil)
	rng := rand.New(rand.NewPCG(1, 2))
	for l := range b.Pairs {
		for m, p := range b.Pairs[l] {
			for i := range p.Rank * p.Out {
				p.B[i] = float32(rng.NormFloat64() * math.Pow(10, float64(m-6)))
			}
			clear(p.B[:p.Out]) // a row of zeros
		}
	}
	return b.File()
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestWriteCompact holds compact files to what is promised of them: the bytes do
// not depend on whether the adapter was in F32 or F16 before, every number read
// is one of F16 near the one that was written, and is written again as it was.
func TestWriteCompact(t *testing.T) {
	f := even()
	one, half, two, wide := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	if err := WriteCompact(one, f); err != nil {
		t.Fatal(err)
	}
	if err := WriteDir(half, f, tensor.F16); err != nil {
		t.Fatal(err)
	}
	rounded, err := ReadDir(half)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ReadDir(one)
	if err != nil {
		t.Fatal(err)
	}
	first := content(t, filepath.Join(one, CompactFile))
	for name, f := range map[string]*File{"from F16": rounded, "again": back} {
		dir := t.TempDir()
		if err := WriteCompact(dir, f); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, content(t, filepath.Join(dir, CompactFile))) {
			t.Errorf("%s: other weights", name)
		}
		if !bytes.Equal(content(t, filepath.Join(one, ConfigFile)), content(t, filepath.Join(dir, ConfigFile))) {
			t.Errorf("%s: another config", name)
		}
	}
	// As an ordinary folder of F16 it is the same adapter to the bit.
	if err := WriteDir(two, back, tensor.F16); err != nil {
		t.Fatal(err)
	}
	if err := WriteDir(wide, back, tensor.F32); err != nil {
		t.Fatal(err)
	}
	ordinary, err := ReadDir(two)
	if err != nil {
		t.Fatal(err)
	}
	widened, err := ReadDir(wide)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := Read("x", content(t, filepath.Join(one, ConfigFile)), first)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range back.Pairs {
		for r := range p.Rank {
			most, off := 0.0, 0.0
			for j := range p.Out {
				k := j*p.Rank + r
				most = max(most, math.Abs(float64(f.Pairs[i].B[k])))
				off = max(off, math.Abs(float64(f.Pairs[i].B[k]-p.B[k])))
			}
			if off > most/200+leastUnit || most > 0 && off == 0 {
				t.Errorf("row %d of pair %d is %g off, and its largest number %g", r, i, off, most)
			}
		}
		for _, other := range []*File{ordinary, widened, memory} {
			q := other.Pairs[i]
			if q.Layer != p.Layer || q.Module != p.Module || q.Scale != p.Scale {
				t.Fatalf("pair %d is %s in layer %d, and %s in layer %d", i, q.Module, q.Layer, p.Module, p.Layer)
			}
			for k := range p.B {
				if q.B[k] != p.B[k] {
					t.Fatalf("number %d of pair %d is %g and %g", k, i, q.B[k], p.B[k])
				}
			}
			for k := range p.A {
				if q.A[k] != p.A[k] {
					t.Fatalf("number %d of pair %d is %g and %g", k, i, q.A[k], p.A[k])
				}
			}
		}
	}
}

// TestScaleFor looks at scales of all sizes: they cover what they are for, and
// their products with whole numbers are numbers of F16.
func TestScaleFor(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		most := math.Exp2(rng.Float64()*40 - 25)
		if most > mostCompact {
			continue
		}
		s := scaleFor(most)
		if s*mostWhole < most || s > most/mostWhole*1.125+leastUnit {
			t.Fatalf("%g has the scale %g", most, s)
		}
		v := []float32{float32(s * float64(1+rng.IntN(mostWhole)))}
		b := make([]byte, 2)
		if err := tensor.Narrow(b, v, tensor.F16); err != nil {
			continue // above what a row of numbers up to most has
		}
		was := v[0]
		m := tensor.NewMatrix("x", tensor.F16, 1, 1, b)
		m.WidenRow(v, 0)
		if v[0] != was {
			t.Fatalf("%g is no number of F16; scale %g", was, s)
		}
	}
}

func TestWriteCompactRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(f *File)
		want  error
	}{
		"a linear missing": {func(f *File) { f.Pairs = f.Pairs[1:] }, ErrUneven},
		"another rank":     {func(f *File) { f.Pairs[8].Rank = 2 }, ErrUneven},
		"another scale":    {func(f *File) { f.Pairs[8].Scale = 3 }, ErrUneven},
		"too large":        {func(f *File) { f.Pairs[3].B[1] = 1e6 }, tensor.ErrRange},
		"not a number":     {func(f *File) { f.Pairs[3].A[1] = float32(math.NaN()) }, tensor.ErrRange},
	} {
		f := even()
		c.spoil(f)
		if err := WriteCompact(t.TempDir(), f); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := WriteCompact(t.TempDir(), &File{}); err == nil {
		t.Error("nothing was written as something")
	}
}

// compactParts are the config and the weights of a compact adapter.
func compactParts(t testing.TB) (config []byte, tensors []weights.Tensor) {
	t.Helper()
	f := even()
	config, err := json.Marshal(f.Config)
	if err != nil {
		t.Fatal(err)
	}
	if tensors, err = f.compact(); err != nil {
		t.Fatal(err)
	}
	return config, tensors
}

func packed(t testing.TB, tensors []weights.Tensor, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := weights.WriteSafetensors(&b, tensors, map[string]string{"format": format}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadCompactRefuses(t *testing.T) {
	find := func(list []weights.Tensor, name string) *weights.Tensor {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
		t.Fatal("no " + name)
		return nil
	}
	for name, c := range map[string]struct {
		spoil func(list []weights.Tensor) []weights.Tensor
		want  string
	}{
		"scale NaN": {func(l []weights.Tensor) []weights.Tensor {
			copy(find(l, "k_proj.lora_A.scale").Data, tensor.Bytes([]float32{float32(math.NaN())}))
			return l
		}, "the scale NaN of row 0 of k_proj in layer 0"},
		"scale infinite": {func(l []weights.Tensor) []weights.Tensor {
			copy(find(l, "k_proj.lora_A.scale").Data, tensor.Bytes([]float32{float32(math.Inf(1))}))
			return l
		}, "the scale +Inf"},
		"scale huge": {func(l []weights.Tensor) []weights.Tensor {
			copy(find(l, "k_proj.lora_A.scale").Data, tensor.Bytes([]float32{1 << 20}))
			return l
		}, "the scale 1.048576e+06"},
		"scale negative": {func(l []weights.Tensor) []weights.Tensor {
			copy(find(l, "k_proj.lora_A.scale").Data, tensor.Bytes([]float32{-1}))
			return l
		}, "the scale -1"},
		"-128":             {func(l []weights.Tensor) []weights.Tensor { find(l, "up_proj.lora_A").Data[5] = 0x80; return l }, "row 0 of up_proj in layer 0 is none of its numbers"},
		"a factor missing": {func(l []weights.Tensor) []weights.Tensor { return l[:len(l)-1] }, "have the ranks 4 and 0"},
		"scales missing":   {func(l []weights.Tensor) []weights.Tensor { return l[1:] }, "scales that do not go with it"},
		"one more": {func(l []weights.Tensor) []weights.Tensor {
			return append(l, weights.Tensor{Name: "lm_head", DType: tensor.I8, Shape: []int{1}, Data: []byte{1}})
		}, "of which 28 have a place"},
		"other shape": {func(l []weights.Tensor) []weights.Tensor {
			x := find(l, "up_proj.lora_A")
			x.Shape = []int{x.Shape[1], x.Shape[0], x.Shape[2]}
			return l
		}, "scales that do not go with it"},
		"other type": {func(l []weights.Tensor) []weights.Tensor {
			x := find(l, "q_proj.lora_A")
			x.DType, x.Data = tensor.F16, make([]byte, 2*len(x.Data))
			return l
		}, "type F16"},
	} {
		config, list := compactParts(t)
		_, err := Read("x", config, packed(t, c.spoil(list), compactFormat))
		var refused *ReadError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	config, list := compactParts(t)
	if _, err := Read("x", config, packed(t, []weights.Tensor{{Name: "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", DType: tensor.I8, Shape: []int{1, 1}, Data: []byte{1}}}, "pt")); err == nil ||
		!strings.Contains(err.Error(), "has the type I8, and F32, F16 and BF16 can be read") {
		t.Errorf("whole numbers in an adapter of PEFT: %v", err)
	}
	if _, err := Read("x", config, packed(t, list, "pt")); err == nil {
		t.Error("whole numbers were read as an adapter of PEFT")
	}
	if _, err := Read("x", bytes.Replace(config, []byte(`"r":4`), []byte(`"r":5`), 1), packed(t, list, compactFormat)); err == nil || !strings.Contains(err.Error(), "rank 4 where the config says 5") {
		t.Errorf("another rank: %v", err)
	}
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, ConfigFile), config, 0o600)
	if _, err := ReadDir(dir); err == nil {
		t.Error("an adapter without weights was read")
	}
	os.WriteFile(filepath.Join(dir, CompactFile), packed(t, list, compactFormat)[:500], 0o600)
	if _, err := ReadDir(dir); err == nil || !strings.Contains(err.Error(), CompactFile) {
		t.Errorf("cut short: %v", err)
	}
}

// FuzzReadCompact looks for weights that are read and not written again as they
// were.
func FuzzReadCompact(f *testing.F) {
	config, list := compactParts(f)
	f.Add(packed(f, list, compactFormat))
	f.Add(packed(f, list[:3], compactFormat))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := weights.ReadSafetensorsI8("x", b)
		if err != nil {
			return
		}
		file := &File{}
		if err := json.Unmarshal(config, &file.Config); err != nil {
			t.Fatal(err)
		}
		if file.Pairs, err = readCompact(&file.Config, s, func(string, ...any) error { return errors.New("refused") }); err != nil {
			return
		}
		again, err := file.compact()
		if err != nil || len(again) != len(s.Tensors) {
			t.Fatalf("%d weights became %d: %v", len(s.Tensors), len(again), err)
		}
		for _, x := range again {
			if !bytes.Equal(x.Data, s.Tensors[x.Name].Data) {
				t.Errorf("%s has other bytes", x.Name)
			}
		}
	})
}
