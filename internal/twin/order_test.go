package twin

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/likeness/prose"
	"github.com/getstroke/stroke/internal/testkit"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

// dealtAnew deals the sentences of documents over all of them.
func dealtAnew(docs []stroke.Document) []stroke.Document {
	var all []string
	var count []int
	for _, d := range docs {
		n := len(all)
		for _, p := range prose.Paragraphs(d.Text) {
			for _, s := range prose.Sentences(d.Text, p) {
				all = append(all, s.Of(d.Text))
			}
		}
		count = append(count, len(all)-n)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	out := make([]stroke.Document, len(docs))
	for i, d := range docs {
		d.Text = strings.Join(all[:count[i]], " ")
		all = all[count[i]:]
		d.Hash = stroke.HashText(d.Text)
		out[i] = d
	}
	return out
}

// TestLookAtOrder tells of text whose sentences were dealt anew, and neither of text as
// it was written, nor of text in a language that the base does not know, nor by a base
// that knows nothing.
func TestLookAtOrder(t *testing.T) {
	path := testkit.Base(t)
	t.Setenv("STROKE_HOME", t.TempDir())
	b, err := openBase("smollm2-135m-instruct", path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	blank, err := openBase("toy", testkit.Toy(t, testkit.ToyShape{}))
	if err != nil {
		t.Fatal(err)
	}
	defer blank.close()
	reading, err := corpus.Read(t.Context(), filepath.Join(testkit.Root(t), "examples", "notebook"), corpus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	docs := reading.Documents
	var german []stroke.Document
	for i := range 12 {
		var text strings.Builder
		for k := range 4 {
			fmt.Fprintf(&text, "Die Nachbarin stand am Fenster %d und sah ihm nach. Als er aus dem Haus %d ging, war die Straße noch leer, und es war nicht zu sehen, ob sie auch so bleiben würde. ", 17*i+7*k, 31*i+k)
		}
		german = append(german, stroke.Document{Text: text.String(), Hash: fmt.Sprint(i)})
	}
	for name, c := range map[string]struct {
		b          *baseModel
		docs       []stroke.Document
		asked, bad bool
	}{
		"written":             {b, docs, true, false},
		"dealt anew":          {b, dealtAnew(docs), true, true},
		"in another language": {b, german, false, false},
		"by a blank base":     {blank, dealtAnew(docs), false, false},
		"nothing":             {b, nil, false, false},
	} {
		told := 0
		r := &run{b: c.b, o: &Options{}, recipe: DefaultRecipe(1800), ledger: &corpus.Ledger{}, train: c.docs, emit: func(e stroke.Event) {
			if n, ok := e.(stroke.NoteEvent); ok && strings.Contains(n.Text, "stand in an order cannot be shown") {
				told++
			}
		}}
		if err := r.lookAtOrder(t.Context(), false); err != nil {
			t.Fatal(name, err)
		}
		o := verdict.Ordered(r.order)
		if (o != nil) != c.asked || (told == 1) != c.bad || o != nil && o.Pass() == c.bad {
			t.Errorf("%s: %+v, told %d times", name, o, told)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	r := &run{b: b, o: &Options{}, recipe: DefaultRecipe(1800), ledger: &corpus.Ledger{}, train: docs}
	if err := r.lookAtOrder(ctx, false); err == nil {
		t.Error("it goes on though it was stopped")
	}
}
