package likeness

import (
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/floats"

	stroke "github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/likeness/reference"
)

// Known is what a [Recogniser] learns from beside the reference writers.
type Known struct {
	// Writer is the writer's train text.
	Writer []Piece
	// Base is what the bare base wrote, as the twin is asked to, from openings
	// that are not those of the pieces judged: the writer's train or select
	// pieces. At least [Unit] words.
	Base []Piece
	// Without names reference writers to leave out: the writer themself, where
	// a panel judges a twin of one of them.
	Without []string
	// Seed chooses cuts and folds.
	Seed uint64
}

// Recogniser tells whose a passage is: the writer's, the bare base's, or that
// of one of the reference writers. It is a multinomial logistic regression on
// function words and runs of characters, proper names masked, calibrated on
// passages that its parts had not seen. It is safe for concurrent use.
type Recogniser struct {
	table    *reference.Table
	classes  []Class // the writer, the base, the others
	scale    []float32
	model    *softmax
	offset   float64 // added to the writer's logit, after the temperature
	held     heldOut
	passages int
}

// Class is who a passage can be taken for.
type Class struct {
	ID   string `json:"id"`   // "writer", "base", or the reference writer's
	Name string `json:"name"` // for people
	Kind string `json:"kind"` // of prose; empty for writer and base
	Year int    `json:"year"` // 0 for writer and base
}

const (
	classWriter = 0
	classBase   = 1
	others      = 2 // first class of the reference writers
)

const (
	folds   = 3
	penalty = 3e-5 // of squared weights, per passage; by cross-validation over the reference writers
)

// heldOut is what cross-validation saw of the reference writers' passages.
type heldOut struct {
	right []Sample // 1 where a passage was taken for its writer's
	taken []Sample // 1 where a passage was taken for the writer's who is judged
}

// row is a passage before scaling.
type row struct {
	x     reference.Vector
	class int
	group string
}

// NewRecogniser trains a recogniser. It takes a few seconds on two cores. It
// is an error of code input where there is no whole passage of the writer or
// of the base, and a failure where the tables are damaged.
func NewRecogniser(k Known) (*Recogniser, error) {
	table, err := reference.Load()
	if err != nil {
		return nil, err
	}
	r := &Recogniser{table: table, classes: []Class{{ID: "writer", Name: "the writer"}, {ID: "base", Name: "the bare base"}}}
	var rows []row
	for class, pieces := range [][]Piece{k.Writer, k.Base} {
		// Few pieces are cut in three, so that there is something to hold out.
		pieces = atLeast(pieces, folds)
		cut := Cut(pieces, Unit, k.Seed)
		cut = append(cut, Cut(pieces, Unit, k.Seed+0x5eed)...)
		if len(cut) == 0 {
			return nil, &stroke.Error{Code: stroke.CodeInput,
				Msg:  fmt.Sprintf("recognition needs a passage of %d words of %s", Unit, r.classes[class].Name),
				Hint: "give it more text, or leave recognition out"}
		}
		if class == classWriter {
			r.passages = len(cut) / 2
		}
		for _, p := range cut {
			rows = append(rows, row{r.features(p.Text), class, p.Group})
		}
	}
	rows = append(rows, r.referenceRows(k.Without)...)
	if len(r.classes) < others+2 {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "recognition needs at least two reference writers", Hint: "leave fewer of them out"}
	}
	r.setScale(rows)
	for _, w := range rows {
		r.apply(w.x)
	}
	return r, r.train(rows)
}

// features gives the features of a text before scaling.
func (r *Recogniser) features(text string) reference.Vector {
	v := r.table.Count(text)
	r.table.Hellinger(v)
	return v
}

func (r *Recogniser) referenceRows(without []string) []row {
	class := make([]int, len(r.table.Writers))
	for i, w := range r.table.Writers {
		class[i] = -1
		out := false
		for _, id := range without {
			out = out || id == w.ID
		}
		if !out {
			class[i] = len(r.classes)
			r.classes = append(r.classes, Class{ID: w.ID, Name: w.Name, Kind: w.Kind, Year: w.Year})
		}
	}
	var rows []row
	for _, p := range r.table.Passages {
		if c := class[p.Writer]; c >= 0 {
			v := p.Vector()
			r.table.Hellinger(v)
			rows = append(rows, row{v, c, fmt.Sprintf("reference %d", p.Piece)})
		}
	}
	return rows
}

// setScale gives each feature its scale: one over its standard deviation, so
// that a penalty means the same for all, and over the root of their number.
func (r *Recogniser) setScale(rows []row) {
	n := r.table.Features()
	sum, square := make([]float64, n), make([]float64, n)
	for _, w := range rows {
		for k, f := range w.x.Index {
			v := float64(w.x.Value[k])
			sum[f] += v
			square[f] += v * v
		}
	}
	r.scale = make([]float32, n)
	total := float64(len(rows))
	for f := range r.scale {
		variance := square[f]/total - sum[f]*sum[f]/(total*total)
		r.scale[f] = float32(1 / math.Sqrt((math.Max(variance, 0)+1e-6)*float64(n)))
	}
}

// apply scales features in place.
func (r *Recogniser) apply(v reference.Vector) {
	for k, f := range v.Index {
		v.Value[k] *= r.scale[f]
	}
}

// train fits one model for each fold and one on everything, and calibrates on
// what the folds' models had not seen.
func (r *Recogniser) train(rows []row) error {
	fold := make([]int, len(rows))
	perClass := map[int]map[string]int{}
	for i, w := range rows {
		if perClass[w.class] == nil {
			perClass[w.class] = map[string]int{}
		}
		number, ok := perClass[w.class][w.group]
		if !ok {
			number = len(perClass[w.class])
			perClass[w.class][w.group] = number
		}
		fold[i] = number % folds
	}
	models := make([]*softmax, folds)
	errs := make([]error, folds)
	var wg sync.WaitGroup
	for f := range folds {
		wg.Go(func() {
			models[f], errs[f] = fit(balanced(rows, func(i int) bool { return fold[i] != f }), len(r.classes), r.table.Features(), penalty, nil)
		})
	}
	wg.Wait()
	start := make([]float64, (r.table.Features()+1)*len(r.classes))
	for f, m := range models {
		if errs[f] != nil {
			return errs[f]
		}
		floats.AddScaled(start, 1.0/folds, m.theta)
	}
	var err error
	r.model, err = fit(balanced(rows, func(int) bool { return true }), len(r.classes), r.table.Features(), penalty, start)
	if err != nil {
		return err
	}

	held := make([]judged, len(rows))
	for i, e := range balanced(rows, func(int) bool { return true }) {
		held[i] = judged{models[fold[i]].logits(e.x), e.class, e.weight}
	}
	r.model.temperature = temperature(held)
	for i := range held {
		floats.Scale(1/r.model.temperature, held[i].logits)
	}
	r.offset = offset(held, classWriter)
	for i, h := range held {
		h.logits[classWriter] += r.offset
		softmaxInPlace(h.logits)
		best := floats.MaxIdx(h.logits)
		is := func(b bool) Sample {
			s := Sample{Group: rows[i].group}
			if b {
				s.Value = 1
			}
			return s
		}
		if h.class >= others {
			r.held.right = append(r.held.right, is(best == h.class))
			r.held.taken = append(r.held.taken, is(best == classWriter))
		}
	}
	return nil
}

// balanced gives the rows that keep as examples in which every class has the
// same weight; all weights together are 1.
func balanced(rows []row, keep func(i int) bool) []example {
	count := map[int]float64{}
	for i, w := range rows {
		if keep(i) {
			count[w.class]++
		}
	}
	var list []example
	for i, w := range rows {
		if keep(i) {
			list = append(list, example{w.x, w.class, 1 / (count[w.class] * float64(len(count)))})
		}
	}
	return list
}

// offset is what to add to the logit of one class so that its mean probability
// over held-out passages is its share of them: a class known from few passages is
// drawn too narrow, and its own further passages would be denied it (Platt scaling
// with the slope that all classes share). The mean rises with the offset, which is
// found by bisection, within ±6.
func offset(held []judged, class int) float64 {
	share := 0.0
	for _, h := range held {
		if h.class == class {
			share += h.weight
		}
	}
	lo, hi := -6.0, 6.0
	var buf []float64
	for range 50 {
		mid := (lo + hi) / 2
		mean := 0.0
		for _, h := range held {
			buf = append(buf[:0], h.logits...)
			buf[class] += mid
			softmaxInPlace(buf)
			mean += h.weight * buf[class]
		}
		if mean < share {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// Classes gives who a passage can be taken for, the writer first, the base
// second.
func (r *Recogniser) Classes() []Class { return append([]Class(nil), r.classes...) }

// Attribution is whose one passage is taken to be.
type Attribution struct {
	Probability []float64 // by class, in the order of [Recogniser.Classes]; sums to 1
	LogOdds     float64   // of the writer against everybody else, in nats, within ±8
}

// Attribute judges one passage, which should have [Unit] words: calibration
// holds at that length alone.
func (r *Recogniser) Attribute(text string) Attribution {
	v := r.features(text)
	r.apply(v)
	p := r.model.logits(v)
	floats.Scale(1/r.model.temperature, p)
	p[classWriter] += r.offset
	softmaxInPlace(p)
	w := p[classWriter]
	odds := math.Log(math.Max(w, 1e-12)) - math.Log(math.Max(1-w, 1e-12))
	return Attribution{Probability: p, LogOdds: math.Max(-8, math.Min(8, odds))}
}
