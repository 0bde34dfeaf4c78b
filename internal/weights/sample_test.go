package weights

import (
	"bytes"
	"testing"

	"github.com/getstroke/stroke/internal/tensor"
)

// TestSample tells apart files of one shape whose numbers or whose header are others, and
// knows a copy.
func TestSample(t *testing.T) {
	meta, _ := sample()
	const size = 5 * samplePage
	of := func(meta []MetaEntry, change int) string {
		data := make([]byte, size)
		data[change]++
		var b bytes.Buffer
		if err := WriteGGUF(&b, meta, []Tensor{{Name: "large", DType: tensor.F32, Shape: []int{size / 4}, Data: data},
			{Name: "small", DType: tensor.F32, Shape: []int{2}, Data: make([]byte, 8)}}); err != nil {
			t.Fatal(err)
		}
		src, err := Open(writeTemp(t, "m.gguf", b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		s, err := src.Sample()
		if err != nil || len(s) != 64 {
			t.Fatalf("%q, %v", s, err)
		}
		return s
	}
	if first, again := of(meta, 0), of(meta, 0); first != again {
		t.Error("a copy is another model")
	}
	seen := map[string]bool{of(meta[:len(meta)-1], 0): true}
	for _, at := range []int{0, size / 2, size - 1} {
		s := of(meta, at)
		if seen[s] {
			t.Errorf("what changed at byte %d is not seen", at)
		}
		seen[s] = true
	}
}
