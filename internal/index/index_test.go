package index

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	stroke "github.com/getstroke/stroke"
)

func document(title, text string) stroke.Document {
	return stroke.Document{Hash: stroke.HashText(text), Title: title, Text: text, Words: countWords(text)}
}

// TestBM25ByHand compares with scores worked out from the formula.
func TestBM25ByHand(t *testing.T) {
	ix := New([]Passage{
		{Doc: "a", Text: "the cat sat"},
		{Doc: "b", Text: "the dog sat on the cat and the cat"},
		{Doc: "c", Text: "a bird"},
	})
	// N = 3; "cat" is in 2 passages; lengths 3, 9, 2, mean 14/3.
	idf := math.Log(1 + (3-2+0.5)/(2+0.5))
	mean := 14.0 / 3
	want := map[string]float64{
		"a": idf * 1 * 2.2 / (1 + 1.2*(0.25+0.75*3/mean)),
		"b": idf * 2 * 2.2 / (2 + 1.2*(0.25+0.75*9/mean)),
	}
	hits := ix.Search("Cat!", 10, SearchOptions{})
	if len(hits) != 2 {
		t.Fatalf("%d hits, want 2", len(hits))
	}
	for _, h := range hits {
		if d := math.Abs(h.Score - want[h.Passage.Doc]); d > 1e-12 {
			t.Errorf("score of %s = %v, want %v", h.Passage.Doc, h.Score, want[h.Passage.Doc])
		}
	}
	if hits[0].Score < hits[1].Score {
		t.Error("the worse hit comes first")
	}
	if got := ix.Search("cat", 10, SearchOptions{Exclude: map[string]bool{"b": true}}); len(got) != 1 || got[0].Passage.Doc != "a" {
		t.Errorf("with b excluded: %v", got)
	}
	if got := ix.Search("cat", 1, SearchOptions{}); len(got) != 1 {
		t.Errorf("k = 1 gave %d hits", len(got))
	}
	if got := New(nil).Search("cat", 3, SearchOptions{}); len(got) != 0 {
		t.Errorf("an empty index found %v", got)
	}
}

func TestTiesAreInOrderOfHashes(t *testing.T) {
	var ps []Passage
	for _, d := range []string{"c", "a", "b"} {
		ps = append(ps, Passage{Doc: d, Text: "rain in the hills"})
	}
	var got []string
	for _, h := range New(ps).Search("rain", 3, SearchOptions{}) {
		got = append(got, h.Passage.Doc)
	}
	if !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("order %v", got)
	}
}

func TestTerms(t *testing.T) {
	got := slices.Collect(Terms("Don’t STOP—naïve café; 'quoted' rock'n'roll x2 Ünïcode\u0301 日本"))
	want := []string{"don't", "stop", "naïve", "café", "quoted", "rock'n'roll", "x2", "ünïcode\u0301", "日本"}
	if !slices.Equal(got, want) {
		t.Errorf("terms %q, want %q", got, want)
	}
}

// sentences makes a text of paragraphs, each of so many ten-word sentences.
func sentences(r *rand.Rand, paragraphs ...int) string {
	var out []string
	for _, n := range paragraphs {
		var s []string
		for range n {
			var w []string
			for range 10 {
				w = append(w, fmt.Sprintf("w%d", r.IntN(500)))
			}
			s = append(s, strings.Join(w, " ")+".")
		}
		out = append(out, strings.Join(s, " "))
	}
	return strings.Join(out, "\n\n")
}

func TestPassagesHoldTheWholeDocument(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var shape []int
		for range 1 + r.IntN(12) {
			shape = append(shape, 1+r.IntN(60))
		}
		d := document("T", sentences(r, shape...))
		ps := Passages(d, 150, 250)
		var words []string
		for i, p := range ps {
			if p.Opening != (i == 0) {
				t.Fatalf("passage %d: opening %v", i, p.Opening)
			}
			if p.Words != countWords(p.Text) || p.Words > 250 {
				t.Fatalf("passage %d: %d words said, %d counted", i, p.Words, countWords(p.Text))
			}
			if i > 0 && p.Start < ps[i-1].Start {
				t.Fatalf("passage %d begins before the one before it", i)
			}
			if !strings.HasSuffix(p.Text, ".") {
				t.Fatalf("passage %d ends within a sentence: %q", i, p.Text[max(0, len(p.Text)-30):])
			}
			words = append(words, strings.Fields(p.Text)...)
		}
		if !slices.Equal(words, strings.Fields(d.Text)) {
			t.Fatal("passages joined are not the document")
		}
	}
}

func TestPassagesWithoutSentences(t *testing.T) {
	d := document("", strings.Repeat("word ", 1000))
	n := 0
	for _, p := range Passages(d, 100, 120) {
		if p.Words > 120 {
			t.Errorf("a passage of %d words", p.Words)
		}
		n += p.Words
	}
	if n != 1000 {
		t.Errorf("%d words in all", n)
	}
	if ps := Passages(document("", ""), 100, 120); len(ps) != 0 {
		t.Errorf("an empty document gave %v", ps)
	}
}

// TestPassagesOfOneParagraph cuts a paragraph in a script without spaces, and spaced
// words in it, so often that no cut can count all that is left.
func TestPassagesOfOneParagraph(t *testing.T) {
	d := document("", strings.Repeat("他说：「你好！」然后用Go写（程序）， walked home\u3000", 20000))
	left := d.Words
	for _, p := range Passages(d, 5, 7) {
		if n := countWords(p.Text); p.Words != n || n > 7 {
			t.Fatalf("a passage says %d words and has %d: %q", p.Words, n, p.Text)
		}
		left -= p.Words
	}
	if left != 0 {
		t.Errorf("%d of %d words are in no passage", left, d.Words)
	}
}

// TestPassagesEnd ends passages at their target, and below it before what would be too
// much.
func TestPassagesEnd(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 8))
	for name, c := range map[string]struct {
		tens []int // words of each paragraph, by ten
		want string
	}{
		"at the target":              {[]int{10, 6, 10}, "[160 100]"},
		"above it, and below most":   {[]int{10, 22, 5}, "[320 50]"},
		"below it, most would break": {[]int{10, 25, 3}, "[100 250 30]"},
		"a long paragraph":           {[]int{10, 50}, "[100 320 180]"},
	} {
		var got []int
		for _, p := range Passages(document("T", sentences(r, c.tens...)), 160, 320) {
			got = append(got, p.Words)
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: passages of %v words, want %s", name, got, c.want)
		}
	}
}

func words(s string) int { return countWords(s) }

// TestChooseLittle fills what little of a budget is left with passages that are short as
// a whole, and with nothing that is cut short.
func TestChooseLittle(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 3))
	short, long := document("", sentences(r, 2)), document("", sentences(r, 20))
	ix := New(append(Passages(short, 160, 320), Passages(long, 160, 320)...))
	twice := func(s string) int { return 2 * countWords(s) }
	for budget, want := range map[int]int{leastTokens - 1: 0, leastTokens: 1, 2*leastWords - 1: 1, 2*leastWords + leastTokens: 2} {
		if got := Choose(ix, "", budget, twice, ChooseOptions{}); len(got) != want || want == 1 && got[0].Doc != short.Hash {
			t.Errorf("of %d tokens, two a word, %d passages are chosen, want %d", budget, len(got), want)
		}
	}
}

func TestChoose(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var ps []Passage
	var docs []stroke.Document
	for i := range 6 {
		d := document(fmt.Sprintf("Piece %d", i), sentences(r, 10, 10, 10, 10, 10, 10))
		if i == 4 {
			d = document("The heron", "A heron stood in the river. "+sentences(r, 10, 10, 10, 10))
		}
		docs = append(docs, d)
		ps = append(ps, Passages(d, 150, 250)...)
	}
	ix := New(ps)
	got := Choose(ix, "heron in the river", 800, words, ChooseOptions{Each: 120})
	if len(got) < 6 {
		t.Fatalf("%d passages", len(got))
	}
	if got[0].Doc != docs[4].Hash || !got[0].Opening {
		t.Error("the passage that matches is not first")
	}
	for _, p := range got {
		if words(p.Text) > 120 {
			t.Errorf("a passage of %d words", words(p.Text))
		}
	}
	for i, p := range Choose(ix, "zebra", 800, words, ChooseOptions{Each: 120}) {
		if p.Opening != (i < 6) {
			t.Errorf("where nothing matches passage %d is a beginning: %v", i, p.Opening)
		}
	}
	sum := 0
	for _, p := range got {
		sum += words(p.Text)
	}
	if sum > 800 {
		t.Errorf("%d words chosen of 800", sum)
	}
	if !reflect.DeepEqual(got, Choose(ix, "heron in the river", 800, words, ChooseOptions{Each: 120})) {
		t.Error("two choices differ")
	}
}

// TestChooseKeepsToItsRules holds, for any index, query and budget: the budget
// is kept, nothing excluded is chosen, no passage is chosen twice, and none comes
// before one that matches better.
func TestChooseKeepsToItsRules(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		var ps []Passage
		exclude := map[string]bool{}
		ndocs := r.IntN(12)
		allowed := 0
		for i := range ndocs {
			d := document("", sentences(r, 1+r.IntN(20), 1+r.IntN(20)))
			ps = append(ps, Passages(d, 80, 120)...)
			if i%3 == 1 {
				exclude[d.Hash] = true
			} else {
				allowed++
			}
		}
		budget := r.IntN(1500)
		ix, query := New(ps), sentences(r, 1)
		got := Choose(ix, query, budget, words, ChooseOptions{Exclude: exclude, Each: 60 + r.IntN(100)})
		scores := ix.scores(query)
		sum := 0
		taken := map[string]bool{}
		last := math.Inf(1)
		for _, p := range got {
			sum += words(p.Text)
			if exclude[p.Doc] {
				t.Fatal("an excluded document was chosen")
			}
			id := fmt.Sprint(p.Doc, p.Start, p.Text)
			if taken[id] {
				t.Fatal("a passage was chosen twice")
			}
			taken[id] = true
			at := scores[slices.IndexFunc(ix.passages, func(x Passage) bool { return x.Doc == p.Doc && strings.HasPrefix(x.Text, p.Text) })]
			if at > last {
				t.Fatal("a passage comes behind one that matches less")
			}
			last = at
		}
		if sum > budget {
			t.Fatalf("%d of a budget of %d", sum, budget)
		}
		if allowed > 0 && budget > 500 && len(got) == 0 {
			t.Fatal("nothing chosen where there was room")
		}
	}
}

func TestFitEndsWithASentence(t *testing.T) {
	text := "One two three. Four five six seven. \"Eight nine!\" Ten.\n\nEleven twelve."
	if got, want := fit(text+" Thirteen.", 12, words), text; got != want {
		t.Errorf("in a second paragraph it is cut to %q, want %q", got, want)
	}
	for limit, want := range map[int]string{
		2:   "",
		3:   "One two three.",
		6:   "One two three.",
		7:   "One two three. Four five six seven.",
		9:   "One two three. Four five six seven. \"Eight nine!\"",
		11:  "One two three. Four five six seven. \"Eight nine!\" Ten.",
		100: text,
	} {
		if got := fit(text, limit, words); got != want {
			t.Errorf("fit to %d: %q, want %q", limit, got, want)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	var ps []Passage
	for range 400 {
		ps = append(ps, Passages(document("", sentences(r, 20, 20, 20)), 200, 300)...)
	}
	for b.Loop() {
		New(ps)
	}
}
