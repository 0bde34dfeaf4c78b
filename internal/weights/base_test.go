package weights_test

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/weights"
)

// TestBase reads the file that Stroke trains on.
func TestBase(t *testing.T) {
	src, err := weights.Open(testkit.Base(t))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if src.Format != "gguf" || src.GGUF.Meta["general.architecture"] != "llama" || len(src.Tensors) != 272 {
		t.Errorf("it is %s of %v with %d weights", src.Format, src.GGUF.Meta["general.architecture"], len(src.Tensors))
	}
	x := src.Tensors["blk.29.ffn_down.weight"]
	if x.DType != tensor.Q4_1 || !slices.Equal(x.Shape, []int{576, 1536}) {
		t.Errorf("the last down projection is %s %v", x.DType, x.Shape)
	}
	if words, ok := src.GGUF.Meta["tokenizer.ggml.tokens"].([]string); !ok || len(words) != 49152 {
		t.Errorf("it has %d tokens", len(words))
	}
	// The writer gives the very file back: metadata, order, alignment, padding.
	whole, err := os.ReadFile(src.Path)
	if err != nil {
		t.Fatal(err)
	}
	var meta []weights.MetaEntry
	for _, k := range src.GGUF.Keys {
		meta = append(meta, weights.MetaEntry{Key: k, Value: src.GGUF.Meta[k]})
	}
	var tensors []weights.Tensor
	for _, n := range src.GGUF.Names {
		tensors = append(tensors, src.GGUF.Tensors[n])
	}
	var again bytes.Buffer
	if err := weights.WriteGGUF(&again, meta, tensors); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), whole) {
		t.Error("written again it differs")
	}
}
