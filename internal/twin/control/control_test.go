package control

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func card(name string, words int) *fstest.MapFile {
	b, err := json.Marshal(Card{Schema: 1, Name: name, Words: words, Base: "b"})
	if err != nil {
		panic(err)
	}
	return &fstest.MapFile{Data: b}
}

func TestFor(t *testing.T) {
	in := fstest.MapFS{
		"files/b/x-2000/card.json":  card("x", 2000),
		"files/b/x-10000/card.json": card("x", 10000),
		"files/b/y-2000/card.json":  card("y", 2000),
		"files/b/README":            &fstest.MapFile{},
		"files/c/z-2000/card.json":  card("z", 2000), // of another base than its folder's
		"files/d/z-2000/card.json":  &fstest.MapFile{Data: []byte("{")},
		"files/e/z-2000/other.json": &fstest.MapFile{},
	}
	for words, want := range map[int]string{0: "x 2000 y 2000", 600: "x 2000 y 2000", 4400: "x 2000 y 2000", 4500: "x 10000 y 2000", 90000: "x 10000 y 2000"} {
		list, err := from(in, "b", words)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range list {
			got = append(got, fmt.Sprint(c.Name, " ", c.Words))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("for %d words there are %s, and not %s", words, s, want)
		}
	}
	for _, key := range []string{"", "unknown"} {
		if list, err := from(in, key, 2000); err != nil || len(list) != 0 {
			t.Errorf("for %q there are %v: %v", key, list, err)
		}
	}
	for _, key := range []string{"c", "d", "e"} {
		if _, err := from(in, key, 2000); err == nil {
			t.Errorf("the damaged controls of %q are no error", key)
		}
	}
}

func TestHeld(t *testing.T) {
	text := func(seed, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "w%d-%d ", seed, i*i%9973)
		}
		return b.String()
	}
	mine, other := text(1, 3000), text(2, 3000)
	c := &Card{Prints: Prints([]string{mine})}
	if len(c.Prints) != mostPrints {
		t.Fatalf("there are %d prints", len(c.Prints))
	}
	for name, x := range map[string]struct {
		texts []string
		want  bool
	}{
		"the same text":        {[]string{mine}, true},
		"in other marks":       {[]string{strings.ToUpper(strings.ReplaceAll(mine, " ", ", "))}, true},
		"a third of it":        {[]string{other, mine[:len(mine)/3]}, true},
		"another":              {[]string{other}, false},
		"a quotation":          {[]string{other, strings.Join(strings.Fields(mine)[:20], " ")}, false},
		"nothing":              {nil, false},
		"fewer words than run": {[]string{"a b c"}, false},
	} {
		if got := Held(x.texts, c.Hashes()); got[0] != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	others := &Card{Prints: Prints([]string{other})}
	if got := Held([]string{mine}, nil, c.Hashes(), others.Hashes(), c.Hashes()); !slices.Equal(got, []bool{false, true, false, true}) {
		t.Errorf("of none, its own, another's and its own again are held %v", got)
	}
}

// TestSample demands that a small part of a large text is known by its sample, what that
// was joined with too, and a quotation is not.
func TestSample(t *testing.T) {
	text := func(seed uint64, n int) string {
		r := rand.New(rand.NewPCG(seed, 1))
		var b strings.Builder
		for range n {
			for range 5 {
				b.WriteByte(byte('a' + r.IntN(26)))
			}
			b.WriteByte(' ')
		}
		return b.String()
	}
	large, start := text(1, 200_000), text(2, 20_000)
	sample := Sample([]string{large, large}, Sample([]string{start}, nil))
	if n := len(Unpack(sample)); n < 220_000/sampleShare*9/10 || n > 220_000/sampleShare*11/10 {
		t.Errorf("%d prints of 220,000 words", n)
	}
	part := func(of string, n int) string { return strings.Join(strings.Fields(of)[1000:1000+n], " ") }
	for name, x := range map[string]struct {
		text string
		want bool
	}{
		"a small part":               {part(large, 600), true},
		"a part of what it began at": {part(start, 600), true},
		"another":                    {text(3, 20_000), false},
		"a quotation":                {text(3, 20_000) + part(large, 60), false},
	} {
		if got := Held([]string{x.text}, Unpack(sample)); got[0] != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if n := len(Sample([]string{text(4, 1_200_000)}, nil)); n != mostSample*printBytes {
		t.Errorf("of very much text the sample has %d bytes", n)
	}
	if got := Unpack(sample[:printBytes+3]); len(got) != 1 {
		t.Errorf("a cut sample has %d prints", len(got))
	}
}

// TestPrints demands the least hashes of all runs, each once, in whatever order the
// texts come.
func TestPrints(t *testing.T) {
	var texts []string
	all := map[uint64]bool{}
	for i := range 20 {
		var b strings.Builder
		for k := range 100 {
			fmt.Fprintf(&b, "w%d-%d ", i%15, k)
		}
		texts = append(texts, b.String())
		runs(texts[i], func(h uint64) { all[h] = true })
	}
	var want []string
	for _, h := range slices.Sorted(maps.Keys(all))[:mostPrints] {
		want = append(want, fmt.Sprintf("%016x", h))
	}
	for range 2 {
		if got := Prints(texts); !slices.Equal(got, want) {
			t.Errorf("the prints are %v, not %v", got, want)
		}
		slices.Reverse(texts)
	}
}

// TestEmbedded holds that what comes with the program is whole, small, and says by
// what terms it may be given away.
func TestEmbedded(t *testing.T) {
	bases, err := fs.ReadDir(files, "files")
	if err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	err = fs.WalkDir(files, "files", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			info, err := d.Info()
			if err != nil {
				return err
			}
			sum += info.Size()
		}
		return err
	})
	if err != nil || sum > 12<<20 {
		t.Errorf("controls take %d bytes: %v", sum, err)
	}
	for _, b := range bases {
		if !b.IsDir() {
			continue
		}
		for _, words := range []int{2000, 10000} {
			list, err := For(b.Name(), words)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) < 3 {
				t.Errorf("%s has %d controls", b.Name(), len(list))
			}
			for _, c := range list {
				config, tensors, err := c.Adapter()
				if err != nil || len(config) == 0 || len(tensors) == 0 || len(tensors) > 2500<<10 {
					t.Errorf("%s: %d and %d bytes: %v", c.Name, len(config), len(tensors), err)
				}
				if c.Writer == "" || c.Origin == "" || c.Terms == "" || c.Start == "" || len(c.StartSHA256) != 64 || len(c.Prints) != mostPrints {
					t.Errorf("the card of %s does not say all", c.Name)
				}
			}
		}
	}
}
