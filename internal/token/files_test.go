package token_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/token"
)

// TestFiles writes the toy vocabularies as a Hugging Face folder has them and
// encodes with what is read again.
func TestFiles(t *testing.T) {
	var f toyFile
	readJSON(t, "toy.json", &f)
	written := 0
	for _, toy := range f.Toys {
		t.Run(toy.Name, func(t *testing.T) {
			v, err := token.VocabFromJSON(toy.Tokenizer)
			if err != nil {
				t.Fatal(err)
			}
			var bad *token.FilesError
			if _, _, _, err := v.Files(); !errors.As(err, &bad) || bad.Hint() == "" {
				t.Errorf("a token with rules of its own: %v", err)
			}
			if v.Model != "gpt2" {
				return
			}
			for i := range v.Added {
				v.Added[i].LStrip, v.Added[i].RStrip, v.Added[i].SingleWord = false, false, false
			}
			v.ChatTemplate, v.BOS, v.AddBOS, v.EOS, v.EOT, v.Padding = "{{ messages }}", 0, true, 1, 2, 1
			tokenizer, config, generation, err := v.Files()
			if err != nil {
				t.Fatal(err)
			}
			again, err := token.VocabHF(tokenizer, config, generation, nil)
			if err != nil {
				t.Fatal(err)
			}
			if again.ChatTemplate != v.ChatTemplate || again.BOS != 0 || !again.AddBOS || again.AddEOS || again.EOS != 1 || again.Padding != 1 ||
				!slices.Equal(again.Stops, []int32{1, 2}) || !slices.Equal(again.Tokens, v.Tokens) || again.Pre != v.Pre {
				t.Errorf("it is read as BOS %d (%v), EOS %d (%v), padding %d, stops %v, %d tokens, %s, template %q", again.BOS, again.AddBOS, again.EOS,
					again.AddEOS, again.Padding, again.Stops, len(again.Tokens), again.Pre, again.ChatTemplate)
			}
			tok, err := token.New(again)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, x := range toy.Vectors {
				if strings.Contains(x.Text, "<mask>") || strings.Contains(x.Text, "<word>") {
					continue
				}
				n++
				if got := tok.Encode(x.Text); !slices.Equal(got, x.Plain) {
					t.Errorf("%q: %v, want %v", x.Text, got, x.Plain)
				}
			}
			if n < 30 {
				t.Errorf("only %d texts were compared", n)
			}
			written++
		})
	}
	if written < 4 {
		t.Errorf("only %d vocabularies were written", written)
	}
	for name, v := range map[string]token.Vocab{
		"a normalizer":     {Model: "gpt2", Pre: "gpt-2", Tokens: []string{"a"}, Normalize: []token.Step{{Kind: token.StepPrepend, To: "x"}}},
		"a token twice":    {Model: "gpt2", Pre: "gpt-2", Tokens: []string{"a", "a"}},
		"no pre-tokenizer": {Model: "gpt2", Pre: "mine", Tokens: []string{"a"}},
	} {
		if _, _, _, err := v.Files(); err == nil {
			t.Errorf("%s: written all the same", name)
		}
	}
}
