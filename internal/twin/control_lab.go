package twin

import (
	"context"
	"errors"
	"fmt"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/twin/control"
)

// Learn trains a cell and gives what it learnt by itself, without the genre below
// it. With last it is what the last epoch learnt, otherwise the best on select.
// The cell says how; nothing is measured.
func (l *Lab) Learn(ctx context.Context, o CellOptions, last bool, emit Emit) (*lora.File, *Cell, error) {
	r, done, err := l.run(ctx, &o, emit)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	if err := r.plan(); err != nil {
		return nil, nil, err
	}
	err = r.steps(ctx)
	if e := r.trainer.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, nil, err
	}
	c := &Cell{Recipe: r.recipe, Kernel: kernel.Name(), Arithmetic: string(r.recipe.Options.Arithmetic), Words: r.words[stroke.RoleTrain],
		Epoch: r.best(), Select: r.progress.Select, Tokens: r.progress.Tokens, Seconds: r.progress.Seconds}
	if last {
		c.Epoch = r.recipe.Epochs
	}
	if c.Epoch == 0 {
		return nil, nil, errors.New("no epoch was finished")
	}
	f, err := lora.ReadDir(r.epochDir(c.Epoch - 1))
	if err != nil {
		return nil, nil, fmt.Errorf("read the adapter of epoch %d: %w", c.Epoch, err)
	}
	f.Config.BaseModel = l.b.name
	return f, c, nil
}

// Genre is the adapter of a genre of the base.
func (l *Lab) Genre(name string) (*lora.Adapter, error) {
	library, err := Library()
	if err != nil {
		return nil, err
	}
	g, err := library.Find(l.b.name, name)
	if err != nil {
		return nil, err
	}
	return l.b.genre(g)
}

// Fit brings an adapter into memory for the base.
func (l *Lab) Fit(f *lora.File) (*lora.Adapter, error) { return l.b.fit(f) }

// Control brings the adapter of a control into memory for the base.
func (l *Lab) Control(c *control.Control) (*lora.Adapter, error) { return l.b.control(c) }

// LabText is judge text, ready to be scored.
type LabText struct {
	Groups          []string // hash of each document
	plain, prompted []eval.Piece
	room            int
}

// MostEach is how many tokens of a document are scored at the most.
const MostEach = pieceTokens

// Text prepares judge documents, up to tokens of them in all and each of them at the
// most, and no more than [MostEach], with the passages of the train documents that a recipe's prompt has before
// each.
func (l *Lab) Text(d *Dealt, p Prompt, tokens, each int) (*LabText, error) {
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("deal the text: %w", err)
	}
	find := newPassages(d.Train, d.Ledger, l.b, p)
	t := &LabText{}
	for _, x := range d.Judge {
		ps := find.pieces([]stroke.Document{x}, min(each, MostEach))
		if len(ps) == 0 {
			continue
		}
		if tokens -= len(ps[0].plain.Tokens); tokens < 0 && len(t.plain) > 0 {
			break
		}
		t.Groups = append(t.Groups, x.Hash)
		t.plain, t.prompted = append(t.plain, ps[0].plain), append(t.prompted, ps[0].prompted)
		t.room = max(t.room, len(ps[0].prompted.Context)+len(ps[0].prompted.Tokens))
	}
	if len(t.plain) == 0 {
		return nil, errors.New("no judge document is long enough to be scored")
	}
	return t, nil
}

// Score gives the loss of each document under adapters, with the writer's passages
// before it or without, in the arithmetic that this machine is fastest at.
func (l *Lab) Score(ctx context.Context, t *LabText, prompted bool, use ...lora.Applied) ([]eval.Loss, error) {
	pad := 0
	for _, a := range use {
		pad += a.Adapter.Pad()
	}
	r := plainRecipe()
	s, err := eval.NewScorer(l.b.model, t.room, pad, (&run{recipe: r, o: &Options{}}).bf16())
	if err != nil {
		return nil, err
	}
	defer s.Close()
	pieces := t.plain
	if prompted {
		pieces = t.prompted
	}
	return s.Score(ctx, pieces, use, nil)
}

// Sample says why adapters together are a copier of the train text, or monotone, by
// what a verdict looks at: empty where they are neither.
func (l *Lab) Sample(ctx context.Context, d *Dealt, seed uint64, use ...lora.Applied) (copier, monotone string, err error) {
	a, err := lora.Join(use...)
	if err != nil {
		return "", "", fmt.Errorf("join what is looked at: %w", err)
	}
	copier, monotone, _, err = l.b.sampled(ctx, &learnt{adapter: a}, d.Train, d.Judge, seed, false)
	return copier, monotone, err
}

// Order gives, for stretches of documents, what each costs the bare base in nats as it is
// written and with its sentences dealt anew. A verdict asks the same of all that was
// trained on and chosen by, but for near duplicates, of a base that can tell of plain prose.
func (l *Lab) Order(ctx context.Context, docs []stroke.Document) ([][]float64, error) {
	return l.b.ordered(ctx, inEnglish(docs), (&run{recipe: plainRecipe(), o: &Options{}}).bf16(), nil)
}
