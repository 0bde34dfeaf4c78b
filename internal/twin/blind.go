package twin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/twin/report"
	"github.com/getstroke/stroke/internal/word"
)

// BlindOptions say how a blind test is made.
type BlindOptions struct {
	Name  string // of the twin, or NAME@VERSION
	Base  string // another base than the version's
	Pairs int    // from 1 to 1000
	Words int    // of each text, from 5 to 400
	Seed  uint64 // of the texts and of which stands first; 0 stands for 1
	More  bool   // adds as many pairs to a test that there is
	Begin bool   // pairs, words or the seed were asked for, which a test that there is does not heed: it is said
	Real  bool   // a game, kept apart: the twin against how the writer went on
}

// Choice is the writer's answer to one pair.
type Choice string

// The answers.
const (
	ChoseTwin    Choice = "twin"
	ChoseOther   Choice = "other"
	ChoseNeither Choice = "neither" // cannot tell
)

// BlindPair is two texts from one opening: the twin's, and another, which is that
// of the base with the writer's passages in its prompt, or in the game the
// writer's own.
type BlindPair struct {
	Document  string    `json:"document"` // hash of the judge document that the opening is from
	Opening   string    `json:"opening"`
	Twin      string    `json:"twin"`
	Other     string    `json:"other"`
	TwinFirst bool      `json:"twin_first"` // it is text A
	Answer    Choice    `json:"answer"`     // empty while there is none
	Answered  time.Time `json:"answered,omitzero"`
}

// blindFile is what is kept of a version's blind test.
type blindFile struct {
	Schema      int         `json:"schema"`
	Version     string      `json:"version"`
	Real        bool        `json:"real,omitempty"` // the game
	Base        string      `json:"base"`
	Sample      string      `json:"base_sample,omitempty"` // of the base's numbers; tests of earlier programs have none
	Words       int         `json:"words"`
	Seed        uint64      `json:"seed"`
	Wanted      int         `json:"wanted"`                // pairs, where there are as many openings
	Temperature float64     `json:"temperature,omitempty"` // that texts are drawn at; .8 where it is left out
	Pairs       []BlindPair `json:"pairs"`
}

// BlindResult is what the answers come to.
type BlindResult struct {
	Twin    string `json:"twin"`
	Version string `json:"version"`
	Real    bool   `json:"real,omitempty"` // the game: the other text was the writer's own
	report.Blind
}

const blindDir = "blind"

// Blind is a blind test going on: the twin's lock is held until Close.
type Blind struct {
	f      *Folder
	file   blindFile
	path   string
	unlock func()
}

// OpenBlind takes up the blind test of a version, or begins one: it writes the
// texts that are missing, and keeps them as they come, so that it can be stopped
// and called again.
func OpenBlind(ctx context.Context, o BlindOptions, emit Emit) (*Blind, error) {
	if emit == nil {
		emit = func(stroke.Event) {}
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	m, err := measure(ctx, o.Name, o.Base, emit)
	if err != nil {
		return nil, err
	}
	defer m.close()
	m.flattered(emit)
	unlock, err := m.f.lock("hold a blind test")
	if err != nil {
		return nil, err
	}
	t := &Blind{f: m.f, path: m.f.blindPath(m.v.ID, o.Real), unlock: unlock}
	if err := t.prepare(ctx, m, o, emit); err != nil {
		unlock()
		return nil, err
	}
	return t, nil
}

// check says what is out of range.
func (o *BlindOptions) check() error {
	switch {
	case o.Pairs < 1 || o.Pairs > 1000:
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("%d pairs: there must be from 1 to 1000", o.Pairs), Hint: "for example --pairs 20"}
	case o.Words < 5 || o.Words > 400:
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("texts of %d words: they must have from 5 to 400", o.Words), Hint: "for example --words 70"}
	}
	return nil
}

func (f *Folder) blindPath(version string, game bool) string {
	name := version + ".json"
	if game {
		name = version + "-real.json"
	}
	return filepath.Join(f.Dir, blindDir, name)
}

// readBlind reads what is kept of a version's test, or of the game; without one
// it is empty.
func (f *Folder) readBlind(version string, game bool) (blindFile, error) {
	var b blindFile
	path := f.blindPath(version, game)
	raw, err := readAtMost(path, mostManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &b)
	}
	if err == nil && (b.Schema != schema || b.Version != version || b.Real != game) {
		err = fmt.Errorf("its schema is %d and its version %q", b.Schema, b.Version)
	}
	if err != nil {
		return blindFile{}, &stroke.Error{Code: stroke.CodeFailure, Msg: "the blind test " + path + " cannot be read", Err: err,
			Hint: "put the file back from a copy, or delete it and begin the test anew"}
	}
	return b, nil
}

// blindPlaces are what openings are given and how far apart they lie.
const (
	blindGiven = 20 // words
	blindStep  = 40 // words from one opening to the next in a document, at least
)

// prepare reads the test and writes the pairs that it lacks.
func (t *Blind) prepare(ctx context.Context, m *measured, o BlindOptions, emit Emit) error {
	var err error
	if t.file, err = m.f.readBlind(m.v.ID, o.Real); err != nil {
		return err
	}
	if t.file.Schema == 0 {
		t.file = blindFile{Schema: schema, Version: m.v.ID, Real: o.Real, Base: m.b.name, Sample: m.b.sample, Words: o.Words, Seed: o.Seed, Wanted: o.Pairs, Temperature: DefaultSampling().Temperature}
	} else {
		if o.More || len(t.file.Pairs) < t.file.Wanted {
			if err := t.sameBase(m); err != nil {
				return err
			}
		}
		if o.More {
			t.file.Wanted += o.Pairs
		} else if o.Begin {
			emit(stroke.NoteEvent{Text: fmt.Sprintf("the test that was begun has %d pairs of %d words and goes on as it is; --more adds as many as --pairs says", t.file.Wanted, t.file.Words)})
		}
	}
	places := openings(spread(m.judge), t.file.Wanted, blindGiven, 0, 1, blindStep)
	if o.Real {
		// Each of the writer's own texts is shown once.
		places = openings(spread(m.judge), t.file.Wanted, blindGiven, t.file.Words, t.file.Words, blindGiven+t.file.Words)
		o.More = false
	}
	if len(places) == 0 {
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("no judge document of %s has the %d words of an opening", m.f.Name, blindGiven), Hint: "train it again with more or longer pieces"}
	}
	if len(places) < t.file.Wanted && (o.Real || !o.More && len(t.file.Pairs) == 0) {
		emit(stroke.NoteEvent{Text: fmt.Sprintf("the judge documents have openings for %d pairs, not %d", len(places), t.file.Wanted)})
		t.file.Wanted = len(places)
	}
	if len(t.file.Pairs) >= t.file.Wanted {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(t.path), 0o700); err != nil {
		return writeError(t.path, err)
	}
	w, done, err := m.writers(t.file.Words)
	if err != nil {
		return err
	}
	defer done()
	w.base.Sampling.Temperature = cmp.Or(t.file.Temperature, AnswerSampling().Temperature)
	w.twin.Sampling = w.base.Sampling
	list := t.places(places)
	room := m.contextFor(t.file.Words) - 3*t.file.Words - 64
	before, beside := m.before(list, m.passages, room), m.before(list, m.passages.rival(), room)
	for len(t.file.Pairs) < t.file.Wanted {
		emit(stroke.MeasureEvent{Measure: blindDir, Done: len(t.file.Pairs), Total: t.file.Wanted})
		lo := len(t.file.Pairs)
		if err := t.write(ctx, m, w, list, before, beside, lo, min(lo+2, len(list))); err != nil {
			return interrupted(err, "write the texts of the blind test", "what is written is kept; the same command goes on")
		}
	}
	emit(stroke.MeasureEvent{Measure: blindDir, Done: len(t.file.Pairs), Total: t.file.Wanted})
	return nil
}

// sameBase refuses to write pairs on another base than those that there are. One that was
// named by its path may have been moved, and another may lie there now.
func (t *Blind) sameBase(m *measured) error {
	named := t.file.Base == m.b.name
	same := named || filepath.IsAbs(t.file.Base) && m.onOwnBase()
	if t.file.Sample != "" {
		same = t.file.Sample == m.b.sample
	}
	switch {
	case same:
		return nil
	case named:
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the blind test of this version was begun on the base %s, which has other numbers now, or other files beside them", t.file.Base),
			Hint: "put back what the base was, or delete " + t.path + " and begin anew"}
	}
	return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the blind test of this version was begun on the base %s, and one on %s would be another", t.file.Base, m.b.name),
		Hint: "go on with --base " + t.file.Base + ", or delete " + t.path + " and begin anew"}
}

// places are where the pairs begin: those that there are, then the openings that none of
// them has, and beyond the last all of them again, with other seeds.
func (t *Blind) places(all []opening) []opening {
	var list, fresh []opening
	begun := map[string]bool{}
	for _, p := range t.file.Pairs {
		list = append(list, opening{doc: stroke.Document{Hash: p.Document}, text: p.Opening})
		begun[p.Document+p.Opening] = true
	}
	for _, o := range all {
		if !begun[o.doc.Hash+o.text] {
			fresh = append(fresh, o)
		}
	}
	for len(list) < t.file.Wanted {
		if len(fresh) == 0 {
			fresh = all
		}
		list, fresh = append(list, fresh[0]), fresh[1:]
	}
	return list
}

// write makes the pairs from lo to hi and keeps them.
func (t *Blind) write(ctx context.Context, m *measured, w writers, list []opening, before, beside [][]int32, lo, hi int) error {
	var open []eval.Opening
	for i := lo; i < hi; i++ {
		open = append(open, eval.Opening{Tokens: m.tokens(list[i].text), Words: t.file.Words, Seed: t.file.Seed + 1000*uint64(i)})
	}
	twins, err := w.twin.GoOn(ctx, m.system("twin", m.use, before[lo:hi]), open, nil)
	if err != nil {
		return err
	}
	var others []string
	for _, o := range list[lo:hi] {
		others = append(others, o.own)
	}
	if !t.file.Real {
		if others, err = w.base.GoOn(ctx, m.system("base", nil, beside[lo:hi]), open, nil); err != nil {
			return err
		}
	}
	for i := lo; i < hi; i++ {
		rng := rand.New(rand.NewPCG(t.file.Seed, uint64(i)))
		a, b := alike(twins[i-lo], others[i-lo], t.file.Words)
		t.file.Pairs = append(t.file.Pairs, BlindPair{Document: list[i].doc.Hash, Opening: list[i].text, Twin: a, Other: b, TwinFirst: rng.IntN(2) == 0})
	}
	return t.save()
}

// alike cuts two texts to one length in words.
func alike(a, b string, most int) (string, string) {
	n := min(most, word.Count(a), word.Count(b))
	return likeness.Head(a, n), likeness.Head(b, n)
}

func (t *Blind) save() error {
	b, err := json.MarshalIndent(&t.file, "", " ")
	if err != nil {
		return fmt.Errorf("keep the blind test: %w", err)
	}
	return writeFile(t.path, append(b, '\n'))
}

// Next is the first pair without an answer, counted from 0; ok is false where
// there is none.
func (t *Blind) Next() (pair BlindPair, number int, ok bool) {
	for i, p := range t.file.Pairs {
		if p.Answer == "" {
			return p, i, true
		}
	}
	return BlindPair{}, len(t.file.Pairs), false
}

// Answer keeps the answer to a pair.
func (t *Blind) Answer(number int, c Choice) error {
	p := &t.file.Pairs[number]
	p.Answer, p.Answered = c, time.Now().UTC().Truncate(time.Second)
	return t.save()
}

// Result is what the answers come to so far.
func (t *Blind) Result() BlindResult { return t.file.result(t.f.Name) }

func (b *blindFile) result(name string) BlindResult {
	r := BlindResult{Twin: name, Version: b.Version, Real: b.Real, Blind: report.Blind{Pairs: len(b.Pairs)}}
	var samples []eval.Sample
	for _, p := range b.Pairs {
		s := eval.Sample{Group: p.Document}
		switch p.Answer {
		case ChoseTwin:
			r.Twins++
			s.Value = 1
		case ChoseOther:
			r.Others++
		case ChoseNeither:
			r.Neither++
			s.Value = 0.5
		default:
			continue
		}
		samples = append(samples, s)
	}
	if r.Answered = len(samples); r.Answered > 0 {
		share := eval.Proportion(samples)
		r.Share = &share
	}
	r.P = eval.SignTest(r.Twins, r.Others)
	return r
}

// BlindOf is what the blind test of a version has come to; ok is false where
// there is none.
func (f *Folder) BlindOf(version string) (r BlindResult, ok bool, err error) {
	b, err := f.readBlind(version, false)
	if err != nil || b.Schema == 0 {
		return r, false, err
	}
	return b.result(f.Name), true, nil
}

// Close lets the twin go.
func (t *Blind) Close() { t.unlock() }
