package lora

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/getstroke/stroke/internal/tensor"
)

// smol is the shape of SmolLM2-135M.
func smol() Shape {
	return Shape{Layers: 30, In: [Modules]int{576, 576, 576, 576, 576, 576, 1536}, Out: [Modules]int{576, 192, 192, 576, 1536, 1536, 576}}
}

// TestRead reads an adapter from memory as ReadDir does from its folder.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	s := smol()
	s.Layers = 2
	a := New(s, Options{Rank: 4, Alpha: 8}, 1, nil)
	if err := WriteDir(dir, a.File(), tensor.F16); err != nil {
		t.Fatal(err)
	}
	config, tensors := bytesOf(t, dir)
	f, err := Read("a", config, tensors)
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	if err := WriteDir(other, f, tensor.F16); err != nil {
		t.Fatal(err)
	}
	c2, t2 := bytesOf(t, other)
	if string(c2) != string(config) || string(t2) != string(tensors) {
		t.Error("what was read is written with other bytes")
	}
	for _, n := range []int{0, 7, 100, len(tensors) - 1} {
		if _, err := Read("a", config, tensors[:n]); err == nil {
			t.Errorf("%d of %d bytes are an adapter", n, len(tensors))
		}
	}
	if _, err := Read("a", []byte("{}"), tensors); err == nil {
		t.Error("a config that says nothing is one")
	}
}

func bytesOf(t testing.TB, dir string) (config, tensors []byte) {
	t.Helper()
	var out [2][]byte
	for i, name := range []string{ConfigFile, WeightsFile} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		out[i] = b
	}
	return out[0], out[1]
}

// BenchmarkRead brings a genre's adapter into memory: rank 4 on all linears of a
// base of 135 million weights.
func BenchmarkRead(b *testing.B) {
	dir := b.TempDir()
	if err := WriteDir(dir, New(smol(), Options{Rank: 4, Alpha: 8}, 1, nil).File(), tensor.F16); err != nil {
		b.Fatal(err)
	}
	config, tensors := bytesOf(b, dir)
	b.SetBytes(int64(len(tensors)))
	for b.Loop() {
		f, err := Read("a", config, tensors)
		if err == nil {
			_, err = f.Adapter(smol())
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
