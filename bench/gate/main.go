// Command gate proves the error rates of the gate: over simulated writers it makes
// twins that are good and twins that are none, and counts which are let through.
// An adapter is trained once and used for all it can serve for; it and every case
// are kept, so that a run that was killed goes on where it was.
//
//	go run ./bench/gate --data DIR --work DIR --out FILE.jsonl WRITER=FOLDER...
//	go run ./bench/gate --controls DIR --strength 1 --data DIR --work DIR WRITER=FOLDER...
//	go run ./bench/gate --summary FILE.jsonl...
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/twin"
)

// options are what a run is asked for.
type options struct {
	data, work, out, base, start string
	strength                     float64 // of the start, in training and where twins are judged
	words, memorised             int
	strangers, tokens, each      int
	judge                        []string
	seed                         uint64
	within                       time.Duration
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("gate: ")
	var o options
	pflag.StringVar(&o.data, "data", "../shared/data", "folder below which the writers' folders are")
	pflag.StringVar(&o.work, "work", "", "folder in which adapters are kept")
	pflag.StringVar(&o.out, "out", "", "file of the cases")
	pflag.StringVar(&o.base, "base", "smollm2-135m-instruct", "base")
	pflag.StringVar(&o.start, "start", "prose", "genre that all stand on")
	pflag.Float64Var(&o.strength, "strength", twin.LayerStrength, "of that genre, in training and where twins are judged")
	pflag.IntVar(&o.words, "words", 2000, "words that a twin gets")
	pflag.IntVar(&o.memorised, "memorised", 15, "epochs of the twin that knows its text by heart")
	pflag.IntVar(&o.strangers, "strangers", 4, "other writers whose twins are passed off as each writer's")
	pflag.IntVar(&o.tokens, "tokens", 4500, "judge text, in tokens, at the most")
	pflag.IntVar(&o.each, "each", twin.MostEach, "of a judge document, in tokens, at the most")
	pflag.StringSliceVar(&o.judge, "judge", nil, "the writers whose twins are judged; the others are strangers alone (all)")
	pflag.Uint64Var(&o.seed, "seed", 1, "of the draw of text, and of training")
	pflag.DurationVar(&o.within, "within", 0, "begin no training and no case after so long")
	controls := pflag.String("controls", "", "make the controls that come with the program, in this folder, and nothing else")
	rank := pflag.Int("rank", 3, "of a control")
	summary := pflag.Bool("summary", false, "print the table of error rates as Markdown, and measure nothing")
	pflag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case *summary:
		err = summarize(os.Stdout, pflag.Args())
	case o.work == "" || *controls == "" && o.out == "":
		err = fmt.Errorf("name a folder for the adapters with --work, and a file for the cases with --out")
	case !(o.strength > 0 && o.strength <= 4):
		err = fmt.Errorf("the strength of the genre is %g: --strength is above 0 and at most 4", o.strength)
	case o.each < 1 || o.each > twin.MostEach:
		err = fmt.Errorf("%d tokens of a document: --each is from 1 to the %d that a verdict looks at", o.each, twin.MostEach)
	case *controls != "" && o.strength != 1:
		err = fmt.Errorf("controls on a genre at %g: a twin without one has them on it at 1, so make them with --strength 1", o.strength)
	case *controls != "":
		err = makeControls(ctx, &o, *controls, *rank, pflag.Args())
	default:
		err = run(ctx, &o, pflag.Args())
	}
	if err != nil {
		log.Fatal(err)
	}
}

// lab is the base, the writers that were read and what they stand on.
type lab struct {
	*twin.Lab
	o     *options
	names []string
	texts map[string]*writing
	start *lora.Adapter
	begun time.Time
}

func open(ctx context.Context, o *options, writers []string) (*lab, error) {
	l := &lab{o: o, texts: map[string]*writing{}, begun: time.Now()}
	for _, w := range writers {
		name, folder, ok := strings.Cut(w, "=")
		if !ok {
			name, folder = filepath.Base(w), w
		}
		text, err := read(ctx, filepath.Join(o.data, folder))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		l.names = append(l.names, name)
		l.texts[name] = text
	}
	if len(l.names) == 0 {
		return nil, fmt.Errorf("name the writers: NAME=FOLDER")
	}
	if err := os.MkdirAll(o.work, 0o755); err != nil {
		return nil, err
	}
	var err error
	if l.Lab, err = twin.OpenLab(ctx, o.base, o.work, o.tokens); err != nil {
		return nil, err
	}
	if l.start, err = l.Genre(o.start); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// on is what all twins stand on.
func (l *lab) on() lora.Applied {
	return lora.Applied{Adapter: l.start, Strength: float32(l.o.strength)}
}

// over says whether the time is.
func (l *lab) over() bool { return l.o.within > 0 && time.Since(l.begun) > l.o.within }

// The kinds of twins that are trained.
const (
	good      = "good"
	shuffle   = "shuffled"
	hardly    = "hardly"
	memorised = "memorised"
)

// cellFile says, beside an adapter that is kept, how it was trained.
const cellFile = "cell.json"

// dir is where the adapter of a twin is kept. Its name says all that the adapter
// depends on.
func (o *options) dir(name, kind string, words int) string {
	if kind == memorised {
		kind = fmt.Sprint(kind, o.memorised)
	}
	return filepath.Join(o.work, fmt.Sprintf("%s-%s@%g-%s-%d-%s-%d", o.base, o.start, o.strength, name, words, kind, o.seed))
}

// learnsFrom is what a twin of a kind gets of a writer.
func (l *lab) learnsFrom(name, kind string, words int) (twin.Dealt, error) {
	d, err := l.texts[name].give(words, l.o.seed)
	if err != nil {
		return d, fmt.Errorf("%s: %w", name, err)
	}
	switch kind {
	case shuffle:
		d.Train = shuffled(d.Train, l.o.seed)
	case hardly:
		d.Train = first(d.Train, 300)
	}
	return d, nil
}

// order looks at the order of what a twin of a kind learnt from: of the documents that
// it was trained on, as those that choose are not dealt anew.
func (l *lab) order(ctx context.Context, name, kind string, words int) ([][]float64, error) {
	d, err := l.learnsFrom(name, kind, words)
	if err != nil {
		return nil, err
	}
	return l.Order(ctx, d.Train)
}

// train gives what a twin of a kind learnt from a writer, from the folder where it
// is kept or by training it.
func (l *lab) train(ctx context.Context, name, kind string, words int) (*lora.File, *twin.Cell, error) {
	dir := l.o.dir(name, kind, words)
	if f, err := lora.ReadDir(dir); err == nil {
		var c twin.Cell
		b, err := os.ReadFile(filepath.Join(dir, cellFile))
		if err == nil {
			err = json.Unmarshal(b, &c)
		}
		return f, &c, err
	}
	if l.over() {
		return nil, nil, errOver
	}
	d, err := l.learnsFrom(name, kind, words)
	if err != nil {
		return nil, nil, err
	}
	epochs := 0
	switch kind {
	case hardly:
		epochs = 1
	case memorised:
		epochs = l.o.memorised
	}
	f, c, err := l.Learn(ctx, twin.CellOptions{Dealt: d, Change: func(r *twin.Recipe) {
		r.Genre.Ask, r.Genre.Strength = l.o.start, l.o.strength
		r.Options.Seed = l.o.seed
		if epochs > 0 {
			r.Epochs = epochs
		}
	}}, kind == memorised, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("train %s, %s: %w", name, kind, err)
	}
	log.Printf("%s, %d words, %s: epoch %d of %d, %d tokens in %.0f s, select %.4f", name, words, kind, c.Epoch, c.Recipe.Epochs, c.Tokens, c.Seconds, c.Select)
	b, err := json.Marshal(c)
	if err != nil {
		return nil, nil, err
	}
	tmp := dir + ".new"
	if err := os.RemoveAll(tmp); err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return nil, nil, err
	}
	if err := lora.WriteDir(tmp, f, tensor.F16); err != nil {
		return nil, nil, err
	}
	if err := os.WriteFile(filepath.Join(tmp, cellFile), b, 0o644); err != nil {
		return nil, nil, err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return nil, nil, err
	}
	// As it is kept, so that a run that goes on judges the same.
	f, err = lora.ReadDir(dir)
	return f, c, err
}
