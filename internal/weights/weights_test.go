package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
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
		{"l.bool", []bool{true, false}}, {"l.empty", []uint32{}},
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
}

// TestGGUFDamage cuts the file short at every place and changes its fields.
func TestGGUFDamage(t *testing.T) {
	whole := ggufBytes(t)
	for n := range whole[:len(whole)-40] {
		if _, err := parseGGUF("x", whole[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for the whole", n, len(whole))
		}
	}
	change := func(f func(meta []MetaEntry, tensors []Tensor) ([]MetaEntry, []Tensor)) []byte {
		var b bytes.Buffer
		if err := WriteGGUF(&b, first(f(sample())), second(f(sample()))); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	put := func(at int, v uint64, size int) []byte {
		b := bytes.Clone(whole)
		x := binary.LittleEndian.AppendUint64(nil, v)
		copy(b[at:], x[:size])
		return b
	}
	for name, b := range map[string][]byte{
		"magic":      put(0, 1, 4),
		"version 1":  put(4, 1, 4),
		"tensors":    put(8, 1<<40, 8),
		"metadata":   put(16, 1<<50, 8),
		"key length": put(24, 1<<62, 8),
		"twice": change(func(m []MetaEntry, x []Tensor) ([]MetaEntry, []Tensor) {
			return m, append(x, x[0])
		}),
		"key twice": change(func(m []MetaEntry, x []Tensor) ([]MetaEntry, []Tensor) {
			return append(m, m[0]), x
		}),
		"alignment": change(func(m []MetaEntry, x []Tensor) ([]MetaEntry, []Tensor) {
			return append(m, MetaEntry{"general.alignment", uint32(3)}), x
		}),
	} {
		_, err := OpenGGUF(writeTemp(t, "bad.gguf", b))
		var bad *FormatError
		if !errors.As(err, &bad) || bad.Hint() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A type that cannot be read is named.
	at := bytes.Index(whole, []byte("\x01\x00\x00\x00\x00\x00\x00\x00q")) + 9 + 4 + 16
	_, err := OpenGGUF(writeTemp(t, "iq.gguf", put(at, 23, 4)))
	var u *UnsupportedError
	if !errors.As(err, &u) || u.Type != "IQ4_XS" || u.Tensor != "q" {
		t.Errorf("an unknown type gives %v", err)
	}
}

func first(m []MetaEntry, _ []Tensor) []MetaEntry { return m }
func second(_ []MetaEntry, x []Tensor) []Tensor   { return x }

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
		if _, err := parseSafetensors("x", whole[:n]); err == nil {
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
	})
}

func FuzzSafetensors(f *testing.F) {
	f.Add(safetensorsBytes(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseSafetensors("x", b)
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
		again, err := parseSafetensors("x", out.Bytes())
		if err != nil || !reflect.DeepEqual(again.Tensors, s.Tensors) {
			t.Fatalf("written again it is %v (%v)", again, err)
		}
	})
}
