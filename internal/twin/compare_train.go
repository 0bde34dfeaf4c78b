package twin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/bench"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/twin/compare"
	"github.com/getstroke/stroke/internal/word"
)

// spent is what a training took so far. It is kept at each checkpoint, so that
// one that goes on counts what its checkpoint holds and no more.
type spent struct {
	Seconds   float64
	Processor float64
	WattHours *float64 // nil where nobody can tell
	Memory    int64
	Disk      int64
}

// meter adds up what is spent from its beginning on.
type meter struct {
	before    spent
	begun     time.Time
	processor float64
	energy    bench.Energy // when it was last read, since a counter begins anew after minutes
	wattHours float64      // until then
	measures  bool         // the largest resident memory
}

// begin starts a meter; before is what was spent in runs that were stopped.
func begin(before spent) *meter {
	debug.FreeOSMemory()
	return &meter{before: before, begun: time.Now(), processor: bench.ProcessorSeconds(), energy: bench.ReadEnergy(), measures: newPeak()}
}

// spent is what was spent until now; dir is the folder whose size counts.
func (m *meter) spent(dir string) spent {
	s := m.before
	first := s.Seconds == 0
	s.Seconds += time.Since(m.begun).Seconds()
	s.Processor += bench.ProcessorSeconds() - m.processor
	if now := m.energy.WattHours(); now == nil || !first && s.WattHours == nil {
		s.WattHours = nil
	} else {
		m.energy = bench.ReadEnergy()
		m.wattHours += *now
		sum := m.wattHours
		if !first {
			sum += *s.WattHours
		}
		s.WattHours = &sum
	}
	if m.measures {
		s.Memory = max(s.Memory, peak())
	}
	s.Disk = max(s.Disk, sizeOf(dir))
	return s
}

// sizeOf is how many bytes the files of a folder have.
func sizeOf(dir string) (n int64) {
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			if info, err := e.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}

const (
	spentFile = "spent.json"
	learntDir = "learnt"
)

// trainingDir is where a training is done: one asked for with other settings has
// another, and goes on from none of its checkpoints.
func (c *comparer) trainingDir(t *training) string {
	return filepath.Join(c.work, t.id()+"-"+t.key[:8])
}

func (c *comparer) learntDir(t *training) string {
	return filepath.Join(c.trainingDir(t), learntDir)
}

// learnAll trains a method with each of its settings, and keeps what the best
// one learnt.
func (c *comparer) learnAll(ctx context.Context, m compare.Name) error {
	learn := func() error {
		for _, t := range c.trainings[m] {
			if !c.missing(t) {
				continue
			}
			c.tell(m, "train", t.setting())
			if err := c.learn(ctx, t); err != nil {
				if stroke.CodeOf(err) == stroke.CodeInterrupted || ctx.Err() != nil {
					return c.interrupted(err, m)
				}
				return err
			}
			c.done += t.cost
			if c.repeat[m] == t {
				delete(c.repeat, m)
			}
			if err := c.drop(m); err != nil {
				return err
			}
		}
		return nil
	}
	if err := learn(); err != nil {
		return err
	}
	if err := c.allLost(m); err != nil {
		return err
	}
	// A setting that was measured before may be the best one after all.
	for _, r := range c.rows {
		if r.name.Trains() == m && !r.kept {
			c.loadRow(r)
		}
	}
	// What it learnt may be missing all the same.
	if err := learn(); err != nil {
		return err
	}
	if t := c.repeat[m]; t != nil { // it need not be done
		c.part++
		c.done += t.cost
		delete(c.repeat, m)
	}
	return nil
}

// allLost is an error where every setting of a method is lost.
func (c *comparer) allLost(m compare.Name) error {
	if c.bestSoFar(m) != nil {
		return nil
	}
	list := c.trainings[m]
	hint := "leave it out: name the others with --methods"
	if n := len(list); n < mostSettings {
		hint = fmt.Sprintf("try more settings, with lower rates among them: --settings %s=%d; or %s", m, mostSettings, hint)
	}
	return &stroke.Error{Code: stroke.CodeFailure, Msg: fmt.Sprintf("the method %s came to nothing with every setting that was tried: %s", m, list[0].result.Lost), Hint: hint}
}

// drop deletes what the settings of a method learnt that are not the best so far.
func (c *comparer) drop(m compare.Name) error {
	best := c.bestSoFar(m)
	for _, t := range c.trainings[m] {
		if t.kept && t != best {
			if err := os.RemoveAll(c.trainingDir(t)); err != nil {
				return writeError(c.trainingDir(t), err)
			}
		}
	}
	return nil
}

// lost are the trainings that came to nothing.
func (c *comparer) lost() []compare.Lost {
	out := []compare.Lost{}
	add := func(t *training) {
		if t.result.Lost != "" {
			out = append(out, compare.Lost{Name: t.method, Setting: t.setting(), Why: t.result.Lost, Seconds: t.result.Seconds})
		}
	}
	for _, n := range compare.Names() {
		for _, t := range c.trainings[n] {
			add(t)
		}
	}
	for _, p := range c.points {
		if p.training != nil {
			add(p.training)
		}
	}
	return out
}

// learn is one training, which goes on from a checkpoint that is there and can be
// used. Where its loss is no number any more it is lost, and that is what is kept
// of it.
func (c *comparer) learn(ctx context.Context, t *training) error {
	err := c.learnOnce(ctx, t)
	if bad := (unusableError{}); errors.As(err, &bad) {
		c.emit(stroke.NoteEvent{Text: fmt.Sprintf("the training of %s, %s, begins anew: %v", t.method, t.setting(), bad)})
		if err := os.RemoveAll(c.trainingDir(t)); err != nil {
			return writeError(c.trainingDir(t), err)
		}
		err = c.learnOnce(ctx, t)
	}
	bad := (*train.NotFiniteError)(nil)
	if !errors.As(err, &bad) {
		return err
	}
	t.result.Lost = bad.Error()
	if t.origin, err = c.keepPart(t.part(), c.trainingKey(t), &t.result); err != nil {
		return err
	}
	t.kept = true
	c.emit(stroke.NoteEvent{Text: fmt.Sprintf("the training of %s, %s, is lost: %s", t.method, t.setting(), t.result.Lost)})
	return nil
}

// learnOnce is the training of [Train], without its verdict and its version, in a
// twin's folder of its own.
func (c *comparer) learnOnce(ctx context.Context, t *training) error {
	dir := c.trainingDir(t)
	if err := c.scratch(dir); err != nil {
		return err
	}
	o := &Options{Source: c.o.Source, Name: c.name, To: dir, Base: c.base, Memory: c.o.Memory, CheckpointEvery: c.o.CheckpointEvery, reading: &corpus.Reading{Documents: c.docs}}
	if _, err := os.Stat(filepath.Join(dir, runDir, checkpointFile)); err == nil {
		o.Resume = true
	}
	var before spent
	if b, err := os.ReadFile(filepath.Join(dir, spentFile)); err != nil || !o.Resume || json.Unmarshal(b, &before) != nil {
		before = spent{}
	}
	var m *meter
	var rate float64
	planned := int64(0)
	emit := func(e stroke.Event) {
		switch e := e.(type) {
		case stroke.StepEvent:
			rate = e.TokensPerSecond
		case stroke.ForecastEvent:
			planned = e.Memory
			return
		case stroke.CheckpointEvent:
			if b, err := json.Marshal(m.spent(dir)); err == nil {
				// Without the file a run that goes on counts from its resumption.
				writeFile(filepath.Join(dir, spentFile), b)
			}
		case stroke.SelectEvent, stroke.GenreEvent:
		case stroke.NoteEvent:
			if c.told[e.Text] {
				return // by the training before
			}
			c.told[e.Text] = true
		default:
			return // told for the comparison
		}
		c.emit(e)
	}
	o.Change = c.change(t)
	m = begin(before)
	r, done, err := o.prepare(ctx, emit)
	if err != nil {
		return err
	}
	defer done()
	if t.words > 0 {
		r.train = some(r.train, t.words, c.o.Seed)
		r.words[stroke.RoleTrain] = wordsOf(r.train)
		r.recipe = t.asked
		r.passages = newPassages(r.train, r.ledger, r.b, r.recipe.Prompt)
	}
	r.recall()
	l, epoch, _, err := r.learn(ctx)
	if err != nil {
		s := m.spent(dir)
		t.result = outcome{Recipe: r.recipe, Seconds: s.Seconds, Processor: s.Processor}
		return err
	}
	defer l.close()
	bytes, err := c.store(t, l)
	if err != nil {
		return err
	}
	s := m.spent(dir)
	t.result = outcome{Recipe: r.recipe, Select: r.progress.Select, Epoch: epoch, Seconds: s.Seconds, Processor: s.Processor, WattHours: s.WattHours,
		Tokens: r.progress.Tokens, Rate: rate, Parameters: r.trainer.Parameters(), Memory: s.Memory, Disk: s.Disk, Bytes: bytes}
	if r.progress.Seconds > 0 {
		t.result.Rate = float64(r.progress.Tokens) / r.progress.Seconds
	}
	if !m.measures {
		t.result.Memory, t.result.Planned = planned, true
	}
	if t.origin, err = c.keepPart(t.part(), c.trainingKey(t), &t.result); err != nil {
		return err
	}
	t.kept = true
	r.clear()
	return nil
}

// scratch makes the folder of a training: a twin's, with the comparison's roles.
func (c *comparer) scratch(dir string) error {
	if isTwin(dir) {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return writeError(dir, err)
	}
	f, err := create(dir, c.name)
	if err != nil {
		return err
	}
	return f.saveLedger(ledgerFile, c.ledger)
}

// store writes what a training learnt as a version would have it, and gives its
// size in bytes.
func (c *comparer) store(t *training, l *learnt) (int64, error) {
	dir := c.learntDir(t)
	if err := os.RemoveAll(dir); err != nil {
		return 0, writeError(dir, err)
	}
	tmp := filepath.Join(c.trainingDir(t), halfWritten+learntDir)
	if err := os.RemoveAll(tmp); err != nil {
		return 0, writeError(tmp, err)
	}
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return 0, writeError(tmp, err)
	}
	var size int64
	var err error
	if v := new(Version); l.adapter != nil {
		size, err = v.putAdapter(filepath.Join(tmp, adapterDir), l.adapter)
	} else {
		size, err = v.putWeights(tmp, l)
	}
	if err != nil {
		return 0, err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return 0, writeError(dir, err)
	}
	return size, nil
}

// learnt opens what a training learnt.
func (c *comparer) learnt(t *training, b *baseModel) (*learnt, error) {
	dir := c.learntDir(t)
	if t.method != compare.LoRA {
		w, err := openTuned(filepath.Join(dir, weightsFile), b.model)
		if err != nil {
			return nil, fmt.Errorf("open what %s learnt: %w", t.method, err)
		}
		return &learnt{tuned: w}, nil
	}
	file, err := lora.ReadDir(filepath.Join(dir, adapterDir))
	var a *lora.Adapter
	if err == nil {
		a, err = b.fit(file)
	}
	if err != nil {
		return nil, fmt.Errorf("open what %s learnt: %w", t.method, err)
	}
	return &learnt{adapter: a}, nil
}

// some takes documents in an order drawn by the seed until they have so many
// words; the last is cut behind the paragraph that is enough. One that is cut
// keeps its hash, by which its neighbours are known.
func some(docs []stroke.Document, words int, seed uint64) []stroke.Document {
	var out []stroke.Document
	for _, i := range rand.New(rand.NewPCG(seed, 0x50e)).Perm(len(docs)) {
		if words <= 0 {
			break
		}
		d := docs[i]
		if d.Words > words {
			var kept []string
			n := 0
			for _, p := range strings.Split(d.Text, "\n\n") {
				if n >= words {
					break
				}
				kept = append(kept, p)
				n += word.Count(p)
			}
			d.Text, d.Words = strings.Join(kept, "\n\n"), n
		}
		out = append(out, d)
		words -= d.Words
	}
	return out
}

func wordsOf(docs []stroke.Document) int {
	n := 0
	for _, d := range docs {
		n += d.Words
	}
	return n
}
