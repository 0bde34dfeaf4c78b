package twin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/twin/verdict"
	"github.com/getstroke/stroke/internal/word"
)

// foldsFile lies beside a version that was cross-fitted.
const foldsFile = "folds.json"

// foldsKept is what the folds of a version showed, for its report: the version itself
// was trained on all of the text, and what is measured on that flatters it.
type foldsKept struct {
	Predicted predicted // of all text, each piece by the twin that had not seen it
	// Temperature is what texts were drawn at; that of answers where it is left out.
	Temperature float64       `json:",omitempty"`
	Texts       []writtenText // from openings of documents of all folds, each by the twin that had not seen the document; without the base's
	Learnt      [][]string    `json:",omitempty"` // by fold, hashes of the documents that its twin was trained on; nothing where only judge documents were begun
}

// What a fold's twin writes.
const (
	foldPlaces = 12                // openings, at the most
	foldWords  = 8 * likeness.Unit // of the writer's behind them, up to which another is added
)

// foldOpenings are places in documents of a fold where its twin begins texts: few in
// long documents, more where the documents are short.
func foldOpenings(docs []stroke.Document) []opening {
	list := openings(docs, foldPlaces, textGiven, textLeast, likeness.Unit, textGiven+likeness.Unit)
	words := 0
	for i, o := range list {
		if words += word.Count(o.own); words >= foldWords {
			return list[:i+1]
		}
	}
	return list
}

// groupsOf are the hashes of the documents of pieces.
func groupsOf(pieces []piece) []string {
	out := make([]string, len(pieces))
	for i, x := range pieces {
		out[i] = x.doc
	}
	return out
}

// foldTexts lets a fold's twin write from openings of the fold's documents, none of
// which it has seen; what stands before them is of what it was trained on.
func (r *run) foldTexts(ctx context.Context, l *learnt, fold int) ([]writtenText, error) {
	places := foldOpenings(r.judge)
	if len(places) == 0 {
		return nil, nil
	}
	m := &measured{b: r.b, learnt: l, passages: r.passages, exact: r.o.Exact}
	var err error
	if m.model, m.use, m.done, err = l.at(r.b.model, 1); err != nil {
		return nil, err
	}
	defer m.done()
	w, done, err := m.writers(likeness.Unit)
	if err != nil {
		return nil, err
	}
	defer done()
	open := make([]eval.Opening, len(places))
	for i, o := range places {
		open[i] = eval.Opening{Tokens: m.tokens(o.text), Words: word.Count(o.own), Seed: r.recipe.Options.Seed + 1000*uint64(fold*foldPlaces+i)}
	}
	before := m.before(places, m.passages, m.contextFor(likeness.Unit)-3*likeness.Unit-64)
	texts, err := w.twin.GoOn(ctx, m.system("twin", m.use, before), open, nil)
	if err != nil {
		return nil, err
	}
	out := make([]writtenText, len(places))
	for i, o := range places {
		out[i] = writtenText{Group: o.doc.Hash, Opening: o.text, Own: o.own, Twin: texts[i], Fold: fold}
	}
	return out, nil
}

// keepFolds puts together what is kept of the folds, their texts by turns.
func keepFolds(results []foldResult) *foldsKept {
	k := &foldsKept{Temperature: DefaultSampling().Temperature}
	for _, x := range results {
		p := &k.Predicted
		p.Groups = append(p.Groups, x.Groups...)
		p.Base = append(p.Base, x.Judged.Losses[verdict.Base]...)
		p.Examples = append(p.Examples, x.Judged.Losses[verdict.Examples]...)
		p.Adapter = append(p.Adapter, x.Judged.Losses[verdict.Adapter]...)
		p.Both = append(p.Both, x.Judged.Losses[verdict.Both]...)
		k.Learnt = append(k.Learnt, x.Learnt)
	}
	for i := range foldPlaces {
		for _, x := range results {
			if i < len(x.Texts) {
				k.Texts = append(k.Texts, x.Texts[i])
			}
		}
	}
	return k
}

// putFolds writes what is kept of the folds of a new version into its folder.
func (v *Version) putFolds(dir string) error {
	if v.folds == nil {
		return nil
	}
	b, err := json.Marshal(v.folds)
	if err != nil {
		return fmt.Errorf("keep what the folds showed: %w", err)
	}
	sum := sha256.Sum256(b)
	v.Folds = hex.EncodeToString(sum[:])
	return writeFile(filepath.Join(dir, foldsFile), b)
}

// drawn is how the folds drew their texts.
func (k *foldsKept) drawn() engine.Sampling {
	s := DefaultSampling()
	s.Temperature = cmp.Or(k.Temperature, AnswerSampling().Temperature)
	return s
}

// folds reads what was kept of a version's folds; nil where nothing was, as of one
// that was judged by withheld text.
func (f *Folder) folds(v *Version) (*foldsKept, error) {
	if v.Folds == "" {
		return nil, nil
	}
	b, err := readAtMost(filepath.Join(f.Dir, versionsDir, v.ID, foldsFile), mostMeasure)
	if errors.Is(err, os.ErrNotExist) {
		return nil, damagedVersion(f, v.ID, errors.New(foldsFile+" is not there"))
	}
	if err != nil {
		return nil, damagedVersion(f, v.ID, err)
	}
	k := &foldsKept{}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != v.Folds {
		err = errors.New(foldsFile + " is not what it was")
	} else {
		err = json.Unmarshal(b, k)
	}
	if n := len(k.Predicted.Groups); err == nil && (len(k.Predicted.Base) != n || len(k.Predicted.Examples) != n || len(k.Predicted.Adapter) != n || len(k.Predicted.Both) != n) {
		err = errors.New(foldsFile + " does not have all losses of its pieces")
	}
	if err != nil {
		return nil, damagedVersion(f, v.ID, err)
	}
	return k, nil
}
