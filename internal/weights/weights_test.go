package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
)

func sample() ([]MetaEntry, []Tensor) {
	meta := []MetaEntry{
		{"general.architecture", "llama"}, {"a.uint8", uint8(200)}, {"a.int8", int8(-3)}, {"a.uint16", uint16(60000)}, {"a.int16", int16(-300)},
		{"a.uint32", uint32(1 << 31)}, {"a.int32", int32(-5)}, {"a.float32", float32(1.5)}, {"a.bool", true}, {"a.uint64", uint64(1 << 60)},
		{"a.int64", int64(-9)}, {"a.float64", 2.25}, {"l.string", []string{"a", "", "Ünï"}}, {"l.int32", []int32{1, -2}}, {"l.float32", []float32{0.5}},
		{"l.bool", []bool{true, false}}, {"l.empty", []uint32{}}, {"l.list", []any{[]int32{1}, []string{"x", "y"}, []any{[]float64{0.25}}}},
	}
	fill := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(7 * i)
		}
		return b
	}
	return meta, []Tensor{
		{Name: "m", DType: tensor.F32, Shape: []int{3, 5}, Data: fill(60)},
		{Name: "q", DType: tensor.Q4_1, Shape: []int{2, 64}, Data: fill(80)},
		{Name: "k", DType: tensor.Q6_K, Shape: []int{1, 256}, Data: fill(210)},
		{Name: "v", DType: tensor.F16, Shape: []int{7}, Data: fill(14)},
	}
}

func writeTemp(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func ggufBytes(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	meta, tensors := sample()
	if err := WriteGGUF(&b, meta, tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGGUF(t *testing.T) {
	g, err := OpenGGUF(writeTemp(t, "m.gguf", ggufBytes(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	meta, tensors := sample()
	for i, e := range meta {
		if g.Keys[i] != e.Key || !reflect.DeepEqual(g.Meta[e.Key], e.Value) {
			t.Errorf("%s is %v and not %v", e.Key, g.Meta[e.Key], e.Value)
		}
	}
	for i, x := range tensors {
		if g.Names[i] != x.Name || !reflect.DeepEqual(g.Tensors[x.Name], x) {
			t.Errorf("%s is %v", x.Name, g.Tensors[x.Name])
		}
	}
	if again := writeAgain(t, g); !bytes.Equal(again, ggufBytes(t)) {
		t.Error("what was read is not written with the same bytes")
	}
}

// writeAgain writes what was read.
func writeAgain(t testing.TB, g *GGUF) []byte {
	t.Helper()
	var meta []MetaEntry
	for _, k := range g.Keys {
		meta = append(meta, MetaEntry{k, g.Meta[k]})
	}
	var tensors []Tensor
	for _, n := range g.Names {
		tensors = append(tensors, g.Tensors[n])
	}
	var b bytes.Buffer
	if err := WriteGGUF(&b, meta, tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestGGUFRandom writes files of random metadata and tensors and reads the same.
func TestGGUFRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	types := slices.Sorted(maps.Values(ggufTypes))
	for range 200 {
		var meta []MetaEntry
		if rng.IntN(2) == 0 {
			meta = append(meta, MetaEntry{"general.alignment", uint32(8 << rng.IntN(6))})
		}
		var any1 func(depth int) any
		any1 = func(depth int) any {
			n := rng.IntN(4)
			switch k := rng.IntN(6); {
			case k == 0 && depth < maxGGUFNesting-1:
				list := make([]any, 0, n)
				for range n {
					list = append(list, any1(depth+1))
				}
				return list
			case k <= 2:
				list := make([]uint64, n)
				for i := range list {
					list[i] = rng.Uint64()
				}
				return list
			case k == 3:
				return make([]string, n)
			default:
				return []float32{rng.Float32()}
			}
		}
		for i := range rng.IntN(6) {
			meta = append(meta, MetaEntry{fmt.Sprint("key.", i), any1(0)})
		}
		var tensors []Tensor
		for i := range rng.IntN(8) {
			x := Tensor{Name: fmt.Sprint("t", i), DType: types[rng.IntN(len(types))], Shape: make([]int, 1+rng.IntN(maxGGUFDims))}
			for d := range x.Shape {
				x.Shape[d] = rng.IntN(4)
			}
			elems, _ := x.DType.Block()
			x.Shape[len(x.Shape)-1] *= elems
			n, err := byteSize(&x)
			if err != nil {
				t.Fatal(err)
			}
			x.Data = make([]byte, n)
			for j := range x.Data {
				x.Data[j] = byte(rng.Uint32())
			}
			tensors = append(tensors, x)
		}
		var b bytes.Buffer
		if err := WriteGGUF(&b, meta, tensors); err != nil {
			t.Fatal(err)
		}
		g, err := parseGGUF("x", b.Bytes())
		if err != nil {
			t.Fatalf("%v of %v: %v", meta, tensors, err)
		}
		for i, e := range meta {
			if g.Keys[i] != e.Key || !reflect.DeepEqual(g.Meta[e.Key], e.Value) {
				t.Fatalf("%s is %v and not %v", e.Key, g.Meta[e.Key], e.Value)
			}
		}
		for i, x := range tensors {
			if g.Names[i] != x.Name || !reflect.DeepEqual(g.Tensors[x.Name], x) {
				t.Fatalf("%s is %v and not %v", x.Name, g.Tensors[x.Name], x)
			}
		}
		if !bytes.Equal(writeAgain(t, g), b.Bytes()) {
			t.Fatal("what was read is not written with the same bytes")
		}
	}
}

func TestWriteGGUFRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		meta    []MetaEntry
		tensors []Tensor
	}{
		"value":     {meta: []MetaEntry{{"a", 1}}},
		"list":      {meta: []MetaEntry{{"a", []any{uint8(1)}}}},
		"alignment": {meta: []MetaEntry{{"general.alignment", uint32(24)}}},
		"key twice": {meta: []MetaEntry{{"a", "x"}, {"a", "x"}}},
		"twice":     {tensors: []Tensor{{Name: "a", Shape: []int{0}}, {Name: "a", Shape: []int{0}}}},
		"length":    {tensors: []Tensor{{Name: "a", Shape: []int{2}, Data: make([]byte, 4)}}},
		"sides":     {tensors: []Tensor{{Name: "a", Shape: []int{1, 1, 1, 1, 1}, Data: make([]byte, 4)}}},
	} {
		if err := WriteGGUF(io.Discard, c.meta, c.tensors); err == nil {
			t.Errorf("%s: written all the same", name)
		}
	}
}

// TestGGUFDamage cuts the file short at every place and changes its fields.
func TestGGUFDamage(t *testing.T) {
	whole := ggufBytes(t)
	for n := range whole[:len(whole)-40] {
		if _, err := parseGGUF("x", whole[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for the whole", n, len(whole))
		}
	}
	replace := func(old, new string) []byte {
		if bytes.Count(whole, []byte(old)) != 1 || len(old) != len(new) {
			t.Fatalf("%q is no one place for %q", old, new)
		}
		return bytes.Replace(whole, []byte(old), []byte(new), 1)
	}
	const one = "\x01\x00\x00\x00\x00\x00\x00\x00"
	with := func(e MetaEntry) []byte {
		meta, tensors := sample()
		var b bytes.Buffer
		if err := WriteGGUF(&b, append(meta, e), tensors); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	aligned := func(kind, v byte) []byte {
		b := with(MetaEntry{"general.alignment", uint32(32)})
		at := bytes.Index(b, []byte("general.alignment")) + len("general.alignment")
		b[at], b[at+4] = kind, v
		return b
	}
	q := bytes.Index(whole, []byte(one+"q")) + 9 + 4 + 16 // the type and place of q
	put := func(at int, v uint64, size int) []byte {
		b := bytes.Clone(whole)
		x := binary.LittleEndian.AppendUint64(nil, v)
		copy(b[at:], x[:size])
		return b
	}
	norows := put(q-16, 33, 8)
	norows[q-8] = 0
	for name, b := range map[string][]byte{
		"magic":          put(0, 1, 4),
		"version 1":      put(4, 1, 4),
		"tensors":        put(8, 1<<40, 8),
		"metadata":       put(16, 1<<50, 8),
		"key length":     put(24, 1<<62, 8),
		"big endian":     put(4, 3<<24, 4),
		"empty":          {},
		"pointer":        []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
		"twice":          replace(one+"q", one+"m"),
		"key twice":      replace("a.int8", "a.bool"),
		"alignment 3":    aligned(4, 3),
		"alignment 0":    aligned(4, 0),
		"alignment type": aligned(5, 32),
		"overlap":        put(q+4, 32, 8),
		"off the grid":   put(q+4, 65, 8),
		"beyond":         put(q+4, 1<<20, 8),
		"far beyond":     put(q+4, math.MaxUint64-31, 8),
		"shape":          put(q-16, 1<<62, 8),
		"row":            put(q-16, 33, 8),
		"row of none":    norows,
		"volume":         replace("\x40\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00", "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01"),
		"truth":          replace("a.bool\x07\x00\x00\x00\x01", "a.bool\x07\x00\x00\x00\x02"),
		"kind":           replace("a.bool\x07", "a.bool\x0d"),
		"part":           with(MetaEntry{"split.count", uint16(3)}),
	} {
		_, err := OpenGGUF(writeTemp(t, "bad.gguf", b))
		var bad *FormatError
		if !errors.As(err, &bad) || bad.Hint() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A type that cannot be read is named.
	_, err := OpenGGUF(writeTemp(t, "iq.gguf", put(q, 23, 4)))
	var u *UnsupportedError
	if !errors.As(err, &u) || u.Type != "IQ4_XS" || u.Tensor != "q" {
		t.Errorf("an unknown type gives %v", err)
	}
}

func safetensorsBytes(t testing.TB) []byte {
	t.Helper()
	_, all := sample()
	var b bytes.Buffer
	if err := WriteSafetensors(&b, []Tensor{all[0], all[3]}, map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSafetensors(t *testing.T) {
	whole := safetensorsBytes(t)
	s, err := OpenSafetensors(writeTemp(t, "m.safetensors", whole))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, all := sample()
	if !reflect.DeepEqual(s.Tensors, map[string]Tensor{"m": all[0], "v": all[3]}) || s.Metadata["format"] != "pt" {
		t.Errorf("read %v", s.Tensors)
	}
	for n := range whole {
		if _, err := parseSafetensors("x", whole[:n], safetensorsTypes); err == nil {
			t.Fatalf("%d of %d bytes are taken for the whole", n, len(whole))
		}
	}
	for name, header := range map[string]string{
		"overlap":  `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`,
		"gap":      `{"a":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`,
		"size":     `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,6]}}`,
		"negative": `{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,6]}}`,
		"beyond":   `{"a":{"dtype":"F32","shape":[100],"data_offsets":[0,400]}}`,
		"volume":   `{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`,
		"no JSON":  `{"a":`,
		"twice":    `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F16","shape":[1],"data_offsets":[4,6]}}`,
		"case":     `{"a":{"DType":"F32","shape":[1],"data_offsets":[0,6]}}`,
		"three":    `{"a":{"dtype":"F16","shape":[3],"data_offsets":[0,6,6]}}`,
		"no place": `{"a":{"dtype":"F16","shape":[0]}}`,
		"no shape": `{"a":{"dtype":"F16","shape":null,"data_offsets":[0,6]}}`,
		"behind":   `{"a":{"dtype":"F16","shape":[3],"data_offsets":[0,6]}}{}`,
		"bytes":    "{\"\xff\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[0,6]}}",
		"type":     `{"a":{"dtype":"F12","shape":[3],"data_offsets":[0,6]}}`,
	} {
		b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
		b = append(append(b, header...), make([]byte, 6)...)
		var bad *FormatError
		if _, err := OpenSafetensors(writeTemp(t, "bad", b)); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
	header := `{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}`
	b := append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), make([]byte, 8)...)
	var u *UnsupportedError
	if _, err := OpenSafetensors(writeTemp(t, "f64", b)); !errors.As(err, &u) || u.Type != "F64" {
		t.Errorf("F64 gives %v", err)
	}
}

func TestFolder(t *testing.T) {
	f, err := OpenFolder("../testkit/testdata/tiny/bias")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Config["model_type"] != "llama" || len(f.shards) != 3 || len(f.Tensors) == 0 {
		t.Errorf("the folder has %d files, %d weights and the type %v", len(f.shards), len(f.Tensors), f.Config["model_type"])
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"config.json": "{}", "model.safetensors.index.json": `{"weight_map":{"a":"../secret.safetensors"}}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenFolder(dir); err == nil || !strings.Contains(err.Error(), "secret") {
		t.Errorf("a file outside the folder gives %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("an empty folder is a model")
	}
}

// TestFolderDamage takes a folder of several files apart.
func TestFolderDamage(t *testing.T) {
	const from = "../testkit/testdata/tiny/bias"
	index, err := os.ReadFile(filepath.Join(from, "model.safetensors.index.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		damage func(dir string) error
		want   string
	}{
		"no index": {func(dir string) error { return os.Remove(filepath.Join(dir, "model.safetensors.index.json")) }, "no model.safetensors"},
		"pickled": {func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "model.safetensors.index.json")), os.WriteFile(filepath.Join(dir, "pytorch_model.bin"), nil, 0o600))
		}, "pickled"},
		"no part": {func(dir string) error { return os.Remove(filepath.Join(dir, "model-00002-of-00003.safetensors")) }, "model-00002-of-00003"},
		"a part of another model": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "model-00002-of-00003.safetensors"), safetensorsBytes(t), 0o600)
		}, "is not there"},
		"a part twice": {func(dir string) error {
			b := bytes.Replace(index, []byte(`"weight_map": {`), []byte(`"weight_map": {"x": "copy.safetensors",`), 1)
			return errors.Join(os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), b, 0o600), os.Link(filepath.Join(dir, "model-00002-of-00003.safetensors"), filepath.Join(dir, "copy.safetensors")))
		}, "in another file too"},
		"settings": {func(dir string) error { return os.WriteFile(filepath.Join(dir, "config.json"), []byte("[]"), 0o600) }, "config.json"},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		if f, err := OpenFolder(dir); err != nil {
			t.Fatal(err)
		} else if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := c.damage(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFolder(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(mappings) != 0 {
		t.Errorf("%d files are still mapped", len(mappings))
	}
}

// TestOpen finds the model in a folder, whatever the folder is called.
func TestOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "[a]*")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Skipf("no such folder here: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "m.GGUF"), ggufBytes(t), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Close(); err != nil || src.Format != "gguf" {
		t.Errorf("it is %s (%v)", src.Format, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "n.gguf"), ggufBytes(t), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "2 GGUF files") {
		t.Errorf("two models in one folder: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none.gguf")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// reader reads a mapped file in the workers of the pool.
type reader struct {
	data []byte
	sum  [8]float32
}

func (r *reader) Do(i, worker int) {
	row := make([]float32, len(r.data)/4/8)
	kernel.Widen(row, r.data[i*len(r.data)/8:], kernel.F32)
	r.sum[i] = row[0]
}

// TestGuard cuts a mapped file short and reads beyond its end, in this goroutine
// and in the workers.
func TestGuard(t *testing.T) {
	path := writeTemp(t, "big", make([]byte, 1<<20))
	m, err := openMapping(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	if err := os.Truncate(path, 4096); err != nil {
		t.Skipf("this system does not cut a mapped file short: %v", err)
	}
	for name, read := range map[string]func() error{
		"here":    func() error { _ = bytes.Count(m.data, []byte{1}); return nil },
		"workers": func() error { kernel.Run(8, &reader{data: m.data}); return nil },
	} {
		var lost *LostError
		if err := Guard(read); !errors.As(err, &lost) || lost.Path != path {
			t.Errorf("%s: %v", name, err)
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("another panic is swallowed")
			}
		}()
		Guard(func() error { panic("other") })
	}()
}

func FuzzGGUF(f *testing.F) {
	f.Add(ggufBytes(f))
	f.Add([]byte("GGUF\x03\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := parseGGUF("x", b)
		if err != nil {
			return
		}
		for _, x := range g.Tensors {
			if n, err := byteSize(&x); err != nil || n != len(x.Data) {
				t.Fatalf("%s has %d bytes and not %d (%v)", x.Name, len(x.Data), n, err)
			}
		}
		// What is read is written with bytes that stay the same from then on.
		one := writeAgain(t, g)
		if g, err = parseGGUF("x", one); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(writeAgain(t, g), one) {
			t.Fatal("written twice it differs")
		}
	})
}

func FuzzSafetensors(f *testing.F) {
	f.Add(safetensorsBytes(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseSafetensors("x", b, withI8)
		if err != nil {
			return
		}
		var list []Tensor
		for _, n := range s.Names {
			list = append(list, s.Tensors[n])
		}
		var out bytes.Buffer
		if err := WriteSafetensors(&out, list, s.Metadata); err != nil {
			t.Fatal(err)
		}
		again, err := parseSafetensors("x", out.Bytes(), withI8)
		if err != nil || !reflect.DeepEqual(again.Tensors, s.Tensors) {
			t.Fatalf("written again it is %v (%v)", again, err)
		}
	})
}
