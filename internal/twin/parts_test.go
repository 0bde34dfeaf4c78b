package twin

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/twin/report"
)

// chapter is a document of about so many words, of which no two are alike.
func chapter(number uint64, words int) stroke.Document {
	list := strings.Fields("harbour bell morning window letter brother street winter garden answer river paper evening table market mother silence bread weather corner station uncle shadow engine summer doctor ladder pocket candle village")
	rng := rand.New(rand.NewPCG(number, 7))
	var text strings.Builder
	for n := 0; n < words; n += 10 {
		text.WriteString("In")
		for range 8 {
			text.WriteString(" " + list[rng.IntN(len(list))])
		}
		fmt.Fprintf(&text, " %d.%s", rng.IntN(1000), []string{" ", "\n\n"}[n/10%5/4])
	}
	d := stroke.Document{Text: strings.TrimSpace(text.String())}
	d.Hash, d.Words = stroke.HashText(d.Text), len(strings.Fields(d.Text))
	return d
}

// TestParts looks at all of a few long documents by turns, and at the beginnings of
// many: a novel's two chapters that judge are no two pieces.
func TestParts(t *testing.T) {
	b, err := openBase("toy", testkit.Toy(t, testkit.ToyShape{}))
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	p := newPassages(nil, &corpus.Ledger{}, b, Prompt{})
	long := []stroke.Document{chapter(1, 4000), chapter(2, 2500), chapter(3, longWords-10)}
	pieces := p.parts(long, pieceTokens)
	count := map[string]int{}
	for i, x := range pieces {
		count[x.doc]++
		if i < 3 && x.doc != long[i].Hash {
			t.Errorf("piece %d is not of document %d: they take turns", i, i+1)
		}
		k := slices.IndexFunc(long, func(d stroke.Document) bool { return d.Hash == x.doc })
		if x.of.Hash != x.doc || !strings.HasPrefix(x.asked, "In ") || !strings.Contains(long[k].Text, x.asked) {
			t.Errorf("piece %d is asked with %q", i, x.asked)
		}
		if n := len(x.plain.Tokens); n > pieceTokens || x.plain.From >= n {
			t.Errorf("piece %d has %d tokens, scored from %d on", i, n, x.plain.From)
		}
		for _, y := range pieces[:i] {
			if x.asked == y.asked {
				t.Errorf("%q stands in two pieces", x.asked)
			}
		}
	}
	if a, b, c := count[long[0].Hash], count[long[1].Hash], count[long[2].Hash]; a < 8 || b < 5 || c != 1 {
		t.Errorf("%d, %d and %d pieces", a, b, c)
	}
	var many []stroke.Document
	for i := range fewUnits {
		many = append(many, chapter(uint64(10+i), 2000))
	}
	if n := len(p.parts(many, pieceTokens)); n != fewUnits {
		t.Errorf("%d pieces of %d documents", n, fewUnits)
	}
	// Short ones that are not scored at all do not make many of a few.
	short := append([]stroke.Document{long[0], long[1]}, make([]stroke.Document, fewUnits)...)
	for i := range fewUnits {
		short[2+i] = chapter(uint64(30+i), 50)
	}
	if got := p.parts(short, pieceTokens); len(got) != count[long[0].Hash]+count[long[1].Hash] {
		t.Errorf("%d pieces of two long documents beside short ones", len(got))
	}
	// Enough to judge by, so that nothing is cross-fitted; and that is foretold.
	r := &run{b: b, o: &Options{}, passages: p, recipe: DefaultRecipe(20000), judge: long[:2]}
	if n, told := r.units(), unitsForetold(long[:2]); n < crossUnits || told < crossUnits {
		t.Errorf("%d units of two chapters, and %d are foretold", n, told)
	}
}

// TestCutFrom counts the documents that what judges is cut from, where they are few.
func TestCutFrom(t *testing.T) {
	blocks := &corpus.Ledger{}
	var cut, whole []stroke.Document
	for i := range 9 {
		d := chapter(uint64(i), 300)
		whole = append(whole, d)
		cut = append(cut, d)
		blocks.Entries = append(blocks.Entries, corpus.Entry{Hash: d.Hash, Parent: fmt.Sprint(i % 2), Index: i})
	}
	for name, c := range map[string]struct {
		l    *corpus.Ledger
		docs []stroke.Document
		want int
	}{
		"whole":          {&corpus.Ledger{}, whole, 0},
		"few, each once": {&corpus.Ledger{}, whole[:3], 0},
		"blocks of two":  {blocks, cut, 2},
	} {
		if got := cutFrom(c.l, c.docs); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// TestFewLongDocuments says that an interval is of few documents, where they are parts of
// some or most of them are looked at in several pieces.
func TestFewLongDocuments(t *testing.T) {
	short := []stroke.Document{chapter(1, 300), chapter(2, 300), chapter(3, 300), chapter(4, 300), chapter(5, 300)}
	for name, c := range map[string]struct {
		docs []stroke.Document
		want string
	}{
		"whole":        {short, ""},
		"two chapters": {[]stroke.Document{chapter(20, 3000), chapter(21, 3000)}, "2 documents"},
		"mostly short": {append(slices.Clone(short), chapter(20, 1010)), ""},
	} {
		told := ""
		r := &run{ledger: &corpus.Ledger{}, emit: func(e stroke.Event) { told += e.(stroke.NoteEvent).Text }}
		r.fewDocuments(c.docs)
		if (told != "") != (c.want != "") || !strings.Contains(told, c.want) {
			t.Errorf("%s: told %q", name, told)
		}
		p := &reporter{measured: &measured{v: &Version{}, ledger: r.ledger, judge: c.docs}, o: ReportOptions{Controls: []string{"other"}}, r: &report.Report{}}
		p.rests()
		for _, of := range []string{ofPrediction, ofSpecificity, ofCurve} {
			if got := p.r.Rests[of]; (got != "") != (c.want != "") || !strings.Contains(got, c.want) {
				t.Errorf("%s: %s rests on %q", name, of, got)
			}
		}
		for _, of := range []string{ofRecognition, ofRange, ofLeakage, ofThought, ofRewriting} {
			if got := p.r.Rests[of]; got != "" {
				t.Errorf("%s: %s rests on %q", name, of, got)
			}
		}
	}
}
