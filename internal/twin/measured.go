package twin

import (
	"context"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness/prose"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/word"
)

// measured is a version of a twin opened to be measured, with all that it is
// measured by.
type measured struct {
	f      *Folder
	v      *Version
	b      *baseModel
	learnt *learnt
	model  *model.Model   // with what was learnt, at full strength
	use    []lora.Applied // adapters that rows need for that
	done   func()
	ledger *corpus.Ledger

	train, choose, judge []stroke.Document
	passages             *passages
	exact                bool // it writes in float32
}

// measure opens the version that is to be measured: that behind the @ of the
// name, or the one that serves, or where none does the newest.
func measure(ctx context.Context, name, baseName string, emit Emit) (*measured, error) {
	f, v, err := OpenVersion(name, false)
	if err == nil && v == nil {
		v, err = f.Version("")
	}
	if err != nil {
		return nil, err
	}
	m := &measured{f: f, v: v}
	if m.ledger, err = f.Ledger(); err != nil {
		return nil, err
	}
	m.train, m.choose, m.judge = f.Documents(m.ledger, stroke.RoleTrain), f.Documents(m.ledger, stroke.RoleSelect), f.Documents(m.ledger, stroke.RoleJudge)
	if len(m.judge) == 0 {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the twin " + f.Name + " has no document to judge by", Hint: "train it again with more writing: a part of it is withheld to judge by"}
	}
	if m.b, err = f.openBase(ctx, v.Base.Name, baseName, emit, OpenBase); err != nil {
		return nil, err
	}
	if m.learnt, err = f.learnt(v, m.b); err != nil {
		m.b.close()
		return nil, err
	}
	if m.model, m.use, m.done, err = m.learnt.at(m.b.model, 1); err != nil {
		m.learnt.close()
		m.b.close()
		return nil, err
	}
	m.passages = newPassages(m.train, m.ledger, m.b, v.Recipe.Prompt)
	return m, nil
}

// onOwnBase says whether the base is the version's, wherever that lies now: what was
// kept of the version at its verdict is of no other.
func (m *measured) onOwnBase() bool { return m.v.Base.same(m.b.ref()) }

// learntBelow are the words of the judge documents that the adapter which the version
// began at had learnt.
func (m *measured) learntBelow() int {
	words := 0
	for _, d := range m.judge {
		if slices.Contains(m.v.Below, d.Hash) {
			words += d.Words
		}
	}
	return words
}

// flattered says of a version that it has learnt judge documents: all where it was
// cross-fitted, or some by what it began at or stands on.
func (m *measured) flattered(emit Emit) {
	switch {
	case m.v.Verdict.Folds > 0:
		text := "the version " + m.v.ID + " was trained on all of its writer's text, the judge documents among it: what is measured on them flatters it"
		if m.madeFrom() == "" {
			text += ". Its verdict does not, since it was given by twins that had not seen what they judged"
		}
		emit(stroke.NoteEvent{Text: text})
	case m.learntBelow() > 0:
		emit(stroke.NoteEvent{Text: "the version " + m.v.ID + " began at an adapter that had learnt judge documents: what is measured on them flatters it, and so does its verdict"})
	}
	m.tellMadeFrom(emit)
}

// madeFrom names the genres that the version stands on and that were made from some of
// its writer's text.
func (m *measured) madeFrom() string { return m.v.Recipe.Genre.learnt().title() }

// tellMadeFrom says of these that they have learnt what judges, whatever judged.
func (m *measured) tellMadeFrom(emit Emit) {
	if made := m.madeFrom(); made != "" {
		emit(stroke.NoteEvent{Text: "the genre " + made + ", on which the version " + m.v.ID + " stands, was made from some of its writer's text: what is measured on that flatters it, and so does its verdict"})
	}
}

func (m *measured) close() {
	m.done()
	m.learnt.close()
	m.b.close()
}

// fast says whether a version is scored in bfloat16: as it was for its verdict,
// where this machine is fast at it.
func (v *Version) fast() bool {
	return v.Recipe.Options.Arithmetic == train.BF16 && train.Fastest() == train.BF16
}

// scorers are those of the bare base and of the twin, the same one where what
// was learnt is an adapter.
func (m *measured) scorers(context, pad int) (base, twin *eval.Scorer, done func(), err error) {
	fast := m.v.fast()
	if base, err = eval.NewScorer(m.b.model, context, pad, fast); err != nil {
		return nil, nil, nil, err
	}
	if m.model == m.b.model {
		return base, base, func() { base.Close() }, nil
	}
	if twin, err = eval.NewScorer(m.model, context, 0, fast); err != nil {
		base.Close()
		return nil, nil, nil, err
	}
	return base, twin, func() { base.Close(); twin.Close() }, nil
}

// system is one of those that a measure compares. before are the passages found
// for each text.
func (m *measured) system(name string, adapters []lora.Applied, before [][]int32) eval.System {
	s := eval.System{Name: name, Adapters: adapters}
	if before != nil {
		s.Prefix = func(i int) []int32 { return before[i] }
	}
	return s
}

// opening is a place in one of the writer's documents where a text is begun
// anew.
type opening struct {
	doc  stroke.Document
	text string // what is given
	own  string // how the writer went on, up to the words asked for
}

// openings takes up to n places from documents, from each by turns: first its
// beginning, then where sentences begin, at least every step words. At each,
// given words are the opening; at least least and at most most words of the
// writer's own must stand behind it.
func openings(docs []stroke.Document, n, given, least, most, step int) []opening {
	places := make([][]opening, len(docs))
	for i, d := range docs {
		next := 0
		words := 0 // before the sentence at hand
		for _, p := range prose.Paragraphs(d.Text) {
			for _, s := range prose.Sentences(d.Text, p) {
				if words >= next {
					rest := d.Text[s.Lo:]
					text, at := head(rest, given)
					own, _ := head(strings.TrimLeft(rest[at:], " \t\n"), most)
					if word.Count(text) == given && word.Count(own) >= least {
						places[i] = append(places[i], opening{d, text, strings.TrimSpace(own)})
						next = words + step
					}
				}
				words += word.Count(s.Of(d.Text))
			}
		}
	}
	var out []opening
	for turn := 0; len(out) < n; turn++ {
		any := false
		for _, p := range places {
			if turn < len(p) && len(out) < n {
				out = append(out, p[turn])
				any = true
			}
		}
		if !any {
			break
		}
	}
	return out
}

// before finds the passages that stand before each opening: nothing of its own
// document or of what lies next to it. room bounds their tokens. They take the place
// of the token that an opening begins with.
func (m *measured) before(list []opening, from *passages, room int) [][]int32 {
	out := make([][]int32, len(list))
	for i, o := range list {
		if found := from.find(o.doc.Title+"\n"+o.text, from.own(o.doc), room); len(found) > 0 {
			out[i] = append([]int32{m.b.first}, found...)
		}
	}
	return out
}

// tokens begins a text with an opening.
func (m *measured) tokens(text string) []int32 {
	return append([]int32{m.b.first}, m.b.tok.Encode(text)...)
}

// contextFor is the room that texts of so many words take with all that stands
// before them.
func (m *measured) contextFor(words int) int {
	return min(m.passages.prompt.rival().Tokens+3*words+256, m.b.model.Context)
}

// writers write as the bare base and as the twin, with one engine where what was
// learnt is an adapter.
type writers struct{ base, twin *eval.Writer }

// writers starts what writes texts of up to so many words; done ends it.
func (m *measured) writers(words int) (w writers, done func(), err error) {
	o := m.learnt.serving(engine.Options{Streams: 4, Context: m.contextFor(words), Pad: max(m.learnt.pad(), eval.System{Adapters: m.use}.Pad(), 16)}, m.exact)
	o.Adapters = 0
	for _, a := range m.use {
		o.Adapters += engine.AdapterBytes(a.Adapter)
	}
	o.Memory = min(engine.Need(m.b.model, o), 512<<20) // no more: few texts begin as another did
	start := func(on *model.Model) (*eval.Writer, error) {
		e, err := m.b.start(on, o)
		if err != nil {
			return nil, err
		}
		return &eval.Writer{Engine: e, Tokenizer: m.b.tok, Sampling: DefaultSampling(), Streams: 4, Breaks: m.passages.prompt.breaks()}, nil
	}
	if w.base, err = start(m.b.model); err != nil {
		return w, nil, err
	}
	w.twin = w.base
	if m.model != m.b.model {
		if w.twin, err = start(m.model); err != nil {
			w.base.Engine.Close()
			return w, nil, err
		}
	}
	return w, func() {
		w.base.Engine.Close()
		if w.twin != w.base {
			w.twin.Engine.Close()
		}
	}, nil
}
