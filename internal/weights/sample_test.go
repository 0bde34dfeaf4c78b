package weights

import (
	"bytes"
	"os"
	"path/filepath"
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

// TestSampleFolder tells folders apart whose numbers, settings, tokenizer or template are
// others, and not by where a text ends or what else lies there.
func TestSampleFolder(t *testing.T) {
	const from = "../testkit/testdata/tiny/base"
	of := func(file, text string) string {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		if file != "" {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		src, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		s, err := src.Sample()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	read := func(file string) string {
		b, err := os.ReadFile(filepath.Join(from, file))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	numbers := []byte(read("model.safetensors"))
	numbers[len(numbers)-1]++
	whole := of("", "")
	for file, c := range map[string]struct {
		text string
		same bool
	}{
		"model.safetensors":      {string(numbers), false},
		"config.json":            {read("config.json") + " ", false},
		"tokenizer.json":         {"{}", false},
		"tokenizer_config.json":  {"{}", false},
		"chat_template.jinja":    {"{{ messages }}", false},
		"generation_config.json": {`{"eos_token_id": 3}`, true},
		"README.md":              {"no part of it", true},
	} {
		if got := of(file, c.text); (got == whole) != c.same {
			t.Errorf("with another %s it is the same: %v", file, !c.same)
		}
	}
}
