package twin

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

// FileScore is what a file costs under the four conditions.
type FileScore struct {
	File    string
	Figures verdict.Figures
	Learnt  bool // the version was trained on text of the file, or on a near duplicate of it, or may have been: the figures flatter
}

// Score measures files with a twin: its newest version, or that behind the @ of
// its name. each is called for every file; the last result is pooled over all,
// weighted by token. The first 100 words of a piece are asked with, not scored.
// dump, where it is not nil, gets the token ids of each piece without passages
// and from which of them on it is scored: what another program needs to repeat
// the figures of base and adapter.
func Score(ctx context.Context, name, baseName string, files []string, emit Emit, each func(FileScore), dump func(ids []int32, from int) error) (verdict.Figures, error) {
	var none verdict.Figures
	f, v, err := OpenVersion(name, true)
	if err != nil {
		return none, err
	}
	b, err := f.openBase(ctx, v.Base.Name, baseName, emit, OpenBase)
	if err != nil {
		return none, err
	}
	defer b.close()
	l, err := f.learnt(v, b)
	if err != nil {
		return none, err
	}
	defer l.close()
	ledger, err := f.Ledger()
	if err != nil {
		return none, err
	}
	p := newPassages(f.Documents(ledger, stroke.RoleTrain), ledger, b, v.Recipe.Prompt)
	var all [verdict.Conditions][]eval.Loss
	learnt := f.learntBy(v, ledger)
	for _, file := range files {
		docs, err := readPieces(ctx, file)
		if err != nil {
			return none, err
		}
		p.near = corpus.NearDuplicates(p.docs, docs)
		pieces := p.pieces(docs, 0)
		if len(pieces) == 0 {
			return none, &stroke.Error{Code: stroke.CodeInput, Msg: "there is too little text to score in " + file,
				Hint: "give more than 100 words: the first 100 are what the passages are asked with"}
		}
		for _, x := range pieces {
			if dump == nil {
				break
			}
			ids := append(append([]int32(nil), x.plain.Context...), x.plain.Tokens...)
			if err := dump(ids, len(x.plain.Context)+x.plain.From); err != nil {
				return none, err
			}
		}
		losses, err := b.judge(ctx, pieces, l, false, nil)
		if err != nil {
			return none, interrupted(err, "score "+file, "")
		}
		each(FileScore{File: file, Figures: verdict.Pool(losses), Learnt: slices.ContainsFunc(docs, learnt)})
		for c := range all {
			all[c] = append(all[c], losses[c]...)
		}
	}
	return verdict.Pool(all), nil
}

// learntBy gives a function that says whether a version was trained on a document, on a
// block of it, or on a near duplicate, or may have been by a genre that was made from some
// of its writer's text; of what it began at itself, where that is a twin's, as well. All
// that was learnt is read once.
func (f *Folder) learntBy(v *Version, l *corpus.Ledger) func(stroke.Document) bool {
	known := map[string]bool{}
	for _, hash := range v.Below {
		known[hash] = true
	}
	var learnt []stroke.Document
	if v.Recipe.On != "" {
		// Where its twin no longer tells, what the version has of that is told by hashes alone.
		if t, err := learntFrom(v.Recipe.On); err == nil {
			learnt = t.documents()
		}
	}
	made, all := v.Created.UTC().Format(time.RFC3339), v.learntAll()
	for _, e := range l.Entries {
		if e.Date > made || e.Role != stroke.RoleTrain && !all {
			continue
		}
		known[e.Hash], known[e.Parent] = true, true
		if text, ok := f.Text(e.Hash); ok {
			learnt = append(learnt, stroke.Document{Hash: e.Hash, Text: text})
		}
	}
	like := corpus.Among(learnt)
	return func(d stroke.Document) bool { return known[d.Hash] || like(d.Hash, d.Text) }
}

// readPieces reads the documents of a file to score.
func readPieces(ctx context.Context, file string) ([]stroke.Document, error) {
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return nil, &stroke.Error{Code: stroke.CodeNotFound, Msg: "there is no file " + file, Hint: "name files of your writing that the twin was not trained on"}
	}
	r, err := corpus.Read(ctx, file, corpus.Options{})
	if err != nil {
		return nil, err
	}
	return r.Documents, nil
}
