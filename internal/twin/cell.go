package twin

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/tensor"
)

// Dealt is a writer's text with the roles that an experiment gave it.
type Dealt struct {
	Train, Select, Judge []stroke.Document
	Ledger               *corpus.Ledger // says what lies next to what
}

// check says what of the text has two roles. Nothing of a judge document may be
// trained on, chosen by or put into a prompt.
func (d *Dealt) check() error {
	if len(d.Train) == 0 || len(d.Judge) == 0 {
		return errors.New("there is no text to train on, or none to judge by")
	}
	role := map[string]string{}
	for name, docs := range map[string][]stroke.Document{"train": d.Train, "select": d.Select, "judge": d.Judge} {
		for _, x := range docs {
			if x.Hash != stroke.HashText(x.Text) {
				return fmt.Errorf("the hash of %s is not that of its text", x.Source)
			}
			if was := role[x.Hash]; was != "" {
				return fmt.Errorf("%s has the roles %s and %s", x.Source, was, name)
			}
			role[x.Hash] = name
		}
	}
	for _, j := range d.Judge {
		for _, x := range slices.Concat(d.Train, d.Select) {
			if strings.Contains(x.Text, j.Text) || strings.Contains(j.Text, x.Text) {
				return fmt.Errorf("%s is to judge by, and its text is among what the method gets", j.Source)
			}
		}
	}
	return nil
}

// Lab trains by recipes and measures what they gain, with the steps of [Train]:
// only the roles are given by whoever measures, and nothing is published.
type Lab struct {
	b      *baseModel
	dir    string
	tokens int
	shared map[[sha256.Size]byte][]eval.Loss
	wrote  map[[sha256.Size]byte][]string // by the bare base
}

// OpenLab opens a base for experiments that work in dir. Each measures tokens of
// judge text at the most, as they stand; prompts come on top.
func OpenLab(ctx context.Context, name, dir string, tokens int) (*Lab, error) {
	store, err := base.NewStore()
	if err != nil {
		return nil, err
	}
	b, err := OpenBase(ctx, store, name, "", "", nil)
	if err != nil {
		return nil, err
	}
	return &Lab{b: b, dir: dir, tokens: tokens, shared: map[[sha256.Size]byte][]eval.Loss{}, wrote: map[[sha256.Size]byte][]string{}}, nil
}

// Close gives the base back.
func (l *Lab) Close() { l.b.close() }

// Cell is one experiment: a recipe on a writer's text, and what came of it.
type Cell struct {
	Recipe     Recipe         `json:"recipe"`
	Kernel     string         `json:"kernel"`
	Arithmetic string         `json:"arithmetic"`
	Words      int            `json:"train_words"`
	Select     []float64      `json:"select,omitempty"` // loss on select documents: of the base, then after each epoch
	Epoch      int            `json:"epoch"`            // that was taken; 0 where nothing was trained
	Tokens     int            `json:"train_tokens"`     // through the base in training
	Seconds    float64        `json:"train_seconds"`    // of training
	Took       float64        `json:"seconds"`          // of everything
	Documents  []CellDocument `json:"documents"`        // to judge by
	Prompts    []CellPrompt   `json:"prompts,omitempty"`
	Texts      *CellTexts     `json:"texts,omitempty"`
	Samplings  []CellSampling `json:"samplings,omitempty"`
	Strengths  []CellStrength `json:"strengths,omitempty"`
}

// CellDocument is what a judge document costs under each condition, in nats.
type CellDocument struct {
	Hash     string  `json:"hash"`
	Tokens   int     `json:"tokens"` // scored
	Base     float64 `json:"base"`
	Examples float64 `json:"examples"`
	Adapter  float64 `json:"adapter"` // what was trained, with what it stands on
	Both     float64 `json:"both"`    // with examples: what is served
	Start    float64 `json:"start"`   // what it stands on alone; the base where that is nothing
	// Untrained is the start with examples; 0 where it was not measured.
	Untrained float64 `json:"untrained,omitempty"`
}

// CellPrompt is what a bound on the passages costs: by what was learnt, or by the start
// where nothing was, the judge documents and blocks of the select documents; by the
// start some of the train documents. In nats.
type CellPrompt struct {
	Tokens int       `json:"tokens"`
	Judge  []float64 `json:"judge"` // by document
	Select CellLoss  `json:"select"`
	Start  CellLoss  `json:"start"`
	Apart  CellLoss  `json:"apart"` // as start, with passages from other whole documents
}

// CellLoss is a loss over all tokens that were scored.
type CellLoss struct {
	Nats   float64 `json:"nats"`
	Tokens int     `json:"tokens"`
}

// cellMemory lets a cell keep its activations: bits do not depend on it, and
// nothing is computed twice.
const cellMemory = 4e9

// CellOptions are what a cell is asked for.
type CellOptions struct {
	Dealt  Dealt
	Change func(*Recipe) // applied to the default recipe for the words
	// Untrained measures the start, with examples too, and trains nothing.
	Untrained bool
	// Prompts are bounds on the passages, in tokens, that what was learnt, or the start
	// where nothing was, is measured with, each by itself.
	Prompts []int
	// Texts lets what was learnt write, and measures the texts. Known are reference
	// writers who are the writer.
	Texts bool
	Known []string
	// Samplings are names and samplings that texts are measured with beside the default.
	Samplings []CellSampling
	// Strengths are those of the writer's own part that are measured beside 1.
	Strengths []float64
	// Keep is a folder that gets what was learnt, with what it stands on, as an
	// adapter in F16; empty for none.
	Keep string
}

// Cell trains and measures.
func (l *Lab) Cell(ctx context.Context, o CellOptions, emit Emit) (*Cell, error) {
	begin := time.Now()
	r, done, err := l.run(ctx, &o, emit)
	if err != nil {
		return nil, err
	}
	defer done()
	c := &Cell{Kernel: kernel.Name(), Words: r.words[stroke.RoleTrain]}
	var final *learnt
	if !o.Untrained {
		if final, err = r.learnCell(ctx, c); err != nil {
			return nil, err
		}
		defer final.close()
	}
	if o.Keep != "" && final != nil && final.adapter == nil {
		return nil, errors.New("an adapter is kept, and weights of the base were trained")
	}
	if o.Keep != "" && final != nil {
		if err := os.MkdirAll(o.Keep, 0o700); err != nil {
			return nil, fmt.Errorf("keep what was learnt: %w", err)
		}
		if err := lora.WriteDir(o.Keep, final.adapter.File(), tensor.F16); err != nil {
			return nil, fmt.Errorf("keep what was learnt: %w", err)
		}
	}
	c.Recipe, c.Arithmetic = r.recipe, string(r.recipe.Options.Arithmetic)
	if err := l.measure(ctx, r, final, c); err != nil {
		return nil, err
	}
	if len(o.Prompts) > 0 {
		if err := l.measurePrompts(ctx, r, final, o.Prompts, c); err != nil {
			return nil, err
		}
	}
	if o.Texts {
		own, err := r.used(final, 1)
		if err != nil {
			return nil, err
		}
		defer own.done()
		c.Samplings = slices.Clone(o.Samplings)
		if c.Texts, err = l.measureTexts(ctx, r, own, o.Known, c.Samplings); err != nil {
			return nil, err
		}
	}
	for _, x := range o.Strengths {
		if final == nil {
			break
		}
		at, err := l.measureStrength(ctx, r, final, x, &o, c)
		if err != nil {
			return nil, err
		}
		c.Strengths = append(c.Strengths, *at)
	}
	c.Took = time.Since(begin).Seconds()
	return c, nil
}

// run prepares the training of a cell, up to what it stands on. done removes what
// it leaves behind.
func (l *Lab) run(ctx context.Context, o *CellOptions, emit Emit) (r *run, done func(), err error) {
	if err := o.Dealt.check(); err != nil {
		return nil, nil, fmt.Errorf("deal the text: %w", err)
	}
	if emit == nil {
		emit = func(stroke.Event) {}
	}
	dir, err := os.MkdirTemp(l.dir, "cell")
	if err != nil {
		return nil, nil, fmt.Errorf("make a cell's folder: %w", err)
	}
	done = func() { os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			done()
		}
	}()
	d := o.Dealt
	r = &run{f: &Folder{Dir: dir, Manifest: Manifest{Name: "cell"}}, b: l.b, ledger: d.Ledger, emit: emit,
		o:     &Options{Change: o.Change, CheckpointEvery: time.Hour, Memory: cellMemory},
		train: d.Train, choose: d.Select, judge: d.Judge, words: map[stroke.Role]int{}}
	for role, docs := range map[stroke.Role][]stroke.Document{stroke.RoleTrain: d.Train, stroke.RoleSelect: d.Select, stroke.RoleJudge: d.Judge} {
		for _, x := range docs {
			r.words[role] += x.Words
		}
	}
	r.recipe = DefaultRecipe(r.words[stroke.RoleTrain])
	if o.Change != nil {
		o.Change(&r.recipe)
	}
	if err := r.recipe.Validate(); err != nil {
		return nil, nil, err
	}
	if r.recipe.On != "" {
		return nil, nil, errors.New("a cell begins at the base or a genre, and not at an adapter")
	}
	r.asked = r.recipe
	r.passages = newPassages(r.train, r.ledger, r.b, r.recipe.Prompt)
	if err := r.standOn(ctx); err != nil {
		return nil, nil, err
	}
	return r, done, nil
}

// learnCell trains, and gives what the best epoch learnt, rounded as it is
// written.
func (r *run) learnCell(ctx context.Context, c *Cell) (*learnt, error) {
	l, epoch, _, err := r.trained(ctx)
	if err != nil {
		return nil, err
	}
	c.Epoch, c.Select, c.Tokens, c.Seconds = epoch, r.progress.Select, r.progress.Tokens, r.progress.Seconds
	if l.adapter == nil {
		return l, nil // read from the file in which it was written
	}
	half, err := r.asWritten(l.adapter)
	if err != nil {
		return nil, err
	}
	return &learnt{adapter: half}, nil
}

// start is what the run stands on.
func (r *run) start() []lora.Applied {
	if r.genre.Adapter == nil {
		return nil
	}
	return []lora.Applied{r.genre}
}

// measure scores the judge documents under every condition.
func (l *Lab) measure(ctx context.Context, r *run, final *learnt, c *Cell) error {
	var plain, prompted, rival []eval.Piece
	left, room := l.tokens, 2
	r.passages.prompt = r.recipe.Prompt
	for _, d := range r.judge {
		ps := r.passages.pieces([]stroke.Document{d}, pieceTokens)
		if len(ps) == 0 {
			continue
		}
		if left -= len(ps[0].plain.Tokens); left < 0 && len(plain) > 0 {
			break
		}
		plain, prompted, rival = append(plain, ps[0].plain), append(prompted, ps[0].prompted), append(rival, ps[0].rival)
		room = max(room, len(ps[0].prompted.Context)+len(ps[0].prompted.Tokens), len(ps[0].rival.Context)+len(ps[0].rival.Tokens))
		c.Documents = append(c.Documents, CellDocument{Hash: d.Hash})
	}
	if len(plain) == 0 {
		return errors.New("no judge document is long enough to be scored")
	}
	own, err := r.used(final, 1)
	if err != nil {
		return err
	}
	defer own.done()
	base := speaker{model: l.b.model}
	start := speaker{model: l.b.model, adapters: r.start()}
	bare := fmt.Sprint("base ", r.bf16())
	on := bare + " on " + r.recipe.Genre.identity() // the same for all cells with the same start
	for _, x := range []struct {
		do     bool
		pieces []eval.Piece
		by     speaker
		id     string
		into   func(d *CellDocument, nats float64)
	}{
		{true, plain, base, bare, func(d *CellDocument, nats float64) { d.Base, d.Start = nats, nats }},
		{true, rival, base, bare, func(d *CellDocument, nats float64) { d.Examples = nats }},
		{len(start.adapters) > 0, plain, start, on, func(d *CellDocument, nats float64) { d.Start = nats }},
		{final == nil, prompted, start, on, func(d *CellDocument, nats float64) { d.Untrained = nats }},
		{final != nil, plain, own, "", func(d *CellDocument, nats float64) { d.Adapter = nats }},
		{final != nil, prompted, own, "", func(d *CellDocument, nats float64) { d.Both = nats }},
	} {
		if !x.do {
			continue
		}
		losses, err := l.score(ctx, r, room, x.pieces, x.by, x.id)
		if err != nil {
			return err
		}
		for i, loss := range losses {
			c.Documents[i].Tokens = loss.Tokens
			x.into(&c.Documents[i], loss.Nats)
		}
	}
	return nil
}

// score scores pieces of room tokens at the most; what id names is scored once for all
// cells with the same pieces, where it names anything.
func (l *Lab) score(ctx context.Context, r *run, room int, pieces []eval.Piece, by speaker, id string) ([]eval.Loss, error) {
	h := sha256.New()
	fmt.Fprintln(h, id)
	for _, p := range pieces {
		for _, ids := range [][]int32{{int32(len(p.Context)), int32(len(p.Tokens)), int32(p.From)}, p.Context, p.Tokens} {
			if err := binary.Write(h, binary.LittleEndian, ids); err != nil {
				return nil, fmt.Errorf("name what is scored: %w", err)
			}
		}
	}
	key := [sha256.Size]byte(h.Sum(nil))
	if losses, ok := l.shared[key]; ok && id != "" {
		return losses, nil
	}
	s, err := eval.NewScorer(by.model, room, eval.System{Adapters: by.adapters}.Pad(), r.bf16())
	if err != nil {
		return nil, err
	}
	defer s.Close()
	losses, err := s.Score(ctx, pieces, by.adapters, nil)
	if err == nil && id != "" {
		l.shared[key] = losses
	}
	return losses, err
}
