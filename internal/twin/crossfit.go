package twin

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/bench"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

// Little text is cross-fitted: it is parted into folds, each is judged by a twin
// that was trained on the others, and what goes live is trained on all of it by the
// same recipe. So every piece judges, and none by what has seen it.

const (
	crossWords = 5000 // of all text, below which it is cross-fitted
	crossUnits = 8    // to judge by, below which it is, too
	crossFolds = 3
	// foldSchema goes up whenever folds are made or judged otherwise.
	foldSchema = 2
)

// mayCrossFit says whether a run is of the kind that can be cross-fitted, and was not
// asked not to be. Trained weights of a base are as large as the base, and an adapter
// that is gone on with may have seen any of the text.
func (r *run) mayCrossFit() bool {
	return !r.o.NoCrossFit && r.recipe.Method == LoRA && r.recipe.On == ""
}

// crossFits says whether a run does.
func (r *run) crossFits() bool {
	if !r.mayCrossFit() {
		return false
	}
	// A run that is gone on with is what it was begun as.
	if begun := r.crossFitting(); r.o.Resume && (begun || r.begun()) {
		return begun
	}
	all := 0
	for _, n := range r.words {
		all += n
	}
	if !littleText(all, r.units()) {
		return false
	}
	if n := len(r.all()); n < 2*crossFolds {
		r.emit(stroke.NoteEvent{Text: fmt.Sprintf("so little text is better judged by three more twins, each of what it has not seen; that takes %d documents, and there are %d, so it is judged by a withheld part alone", 2*crossFolds, n)})
		return false
	}
	for _, f := range folds(r.all(), r.ledger) {
		if words := wordsOf(f); words == 0 || 3*words > 2*all {
			r.emit(stroke.NoteEvent{Text: "so little text is better judged by three more twins, each of what it has not seen; its documents share so much with one another that they do not part into three, so it is judged by a withheld part alone"})
			return false
		}
	}
	within := cmp.Or(r.o.Within, DefaultWithin)
	if forecast := r.crossForecast(all); forecast > within {
		r.emit(stroke.NoteEvent{Text: fmt.Sprintf("so little text is better judged by three more twins, each of what it has not seen; that would take about %s, and --within is %s, so it is judged by a withheld part alone",
			base.Span(base.RoundUp(forecast)), base.Span(within))})
		return false
	}
	return true
}

// littleText says whether there is so little that it is cross-fitted, by all its words
// and by the units that there are to judge by.
func littleText(words, units int) bool { return words < crossWords || units < crossUnits }

// crossForecast is about how long a run on so many words takes with its folds.
func (r *run) crossForecast(words int) time.Duration {
	m := r.recipe.Mix
	tokens := crossFolds * float64(words) * tokensPerWord * float64(r.recipe.Epochs) * (1 + m.Context*float64(m.ContextTokens)/float64(m.Length)) * 1.2
	return time.Duration((tokens/forecastRate(r.b, r.recipe) + r.judgeSeconds(crossFolds)) * float64(time.Second))
}

// crossFitting says whether folds of a run are there, begun says whether one that
// has none was begun.
func (r *run) crossFitting() bool {
	left, err := os.ReadDir(r.path(""))
	return err == nil && slices.ContainsFunc(left, isFold)
}

func (r *run) begun() bool {
	_, err := os.Stat(r.path(checkpointFile))
	return err == nil
}

func (r *run) all() []stroke.Document { return slices.Concat(r.train, r.choose, r.judge) }

// units are the documents or, where they are few, the blocks that there are to
// judge by.
func (r *run) units() int {
	if n := len(r.passages.bare(r.judge, pieceTokens)); n >= crossUnits {
		return n
	}
	n := 0
	for _, p := range r.passages.within(r.judge, pieceTokens, r.judgeTokens()) {
		n += max((len(p.plain.Tokens)-p.plain.From)/unitTokens, 1)
	}
	return n
}

// unitsForetold is about what units will be, where there is no base to count tokens by.
func unitsForetold(judge []stroke.Document) int {
	documents, blocks := 0, 0
	blocksOf := func(words int) int {
		tokens := min(float64(words)*tokensPerWord, pieceTokens) - askWords*tokensPerWord
		return max(int(tokens)/unitTokens, 1)
	}
	for _, d := range judge {
		if d.Words <= askWords {
			continue
		}
		documents++
		words, parts := d.Words, 1
		if d.Words >= longWords {
			words = (partLeast + partMost) / 2
			parts = d.Words / words
		}
		blocks += parts * blocksOf(words)
	}
	if documents >= crossUnits {
		return documents
	}
	// Of so many pieces no more are looked at than there is time for.
	prompt := DefaultRecipe(crossWords).Prompt
	return min(blocks, gateTokens/(4*pieceTokens+2*prompt.most())*blocksOf(partMost))
}

// folds deals documents to folds of about as many words, in the order of hashes; near
// duplicates are in one, and so are the blocks of a longer document, unless a fold would
// then hold more than half of the words, or less than a sixth.
func folds(docs []stroke.Document, l *corpus.Ledger) [][]stroke.Document {
	whole := deal(docs, wholeDocuments(docs, l))
	for _, f := range whole {
		if words, all := wordsOf(f), wordsOf(docs); 2*words > all || 6*words < all {
			return deal(docs, func(d stroke.Document) string { return clusterOf(d, l) })
		}
	}
	return whole
}

// dealtAs is a hash of what documents are in which fold.
func dealtAs(dealt [][]stroke.Document) string {
	all := ""
	for _, docs := range dealt {
		all += strings.Join(hashes(docs), " ") + "\n"
	}
	return stroke.HashText(all)
}

// deal deals documents to folds, those of one key to one.
func deal(docs []stroke.Document, keyOf func(stroke.Document) string) [][]stroke.Document {
	type unit struct {
		key   string
		docs  []stroke.Document
		words int
	}
	by := map[string]*unit{}
	var units []*unit
	for _, d := range docs {
		key := keyOf(d)
		u := by[key]
		if u == nil {
			u = &unit{key: stroke.HashText("fold " + key)}
			by[key] = u
			units = append(units, u)
		}
		u.docs, u.words = append(u.docs, d), u.words+d.Words
	}
	slices.SortFunc(units, func(a, b *unit) int { return strings.Compare(a.key, b.key) })
	out := make([][]stroke.Document, crossFolds)
	words := make([]int, crossFolds)
	for _, u := range units {
		least := 0
		for k, n := range words {
			if n < words[least] {
				least = k
			}
		}
		out[least] = append(out[least], u.docs...)
		words[least] += u.words
	}
	return out
}

// wholeDocuments names what a document has in common with its near duplicates and with
// the other blocks of what it was cut from, and what they have with theirs.
func wholeDocuments(docs []stroke.Document, l *corpus.Ledger) func(stroke.Document) string {
	joined := map[string]string{}
	root := func(name string) string {
		for joined[name] != "" {
			name = joined[name]
		}
		return name
	}
	for _, d := range docs {
		if e, ok := l.Entry(d.Hash); ok && e.Parent != "" {
			if a, b := root(clusterOf(d, l)), root(e.Parent); a != b {
				joined[max(a, b)] = min(a, b)
			}
		}
	}
	return func(d stroke.Document) string { return root(clusterOf(d, l)) }
}

// part is a run on a part of the text, in a folder of its own below the run's.
func (r *run) part(name string, train, choose, judge []stroke.Document) *run {
	o := *r.o
	p := &run{f: &Folder{Dir: r.path(name), Manifest: r.f.Manifest}, b: r.b, o: &o, recipe: r.ofAll, progress: progress{On: r.ofAll.onIdentity()},
		ledger: r.ledger, words: map[stroke.Role]int{}, amount: wordsOf(r.all()), among: r.among, unasked: r.unasked, aside: r.aside, train: train, choose: choose, judge: judge}
	if _, err := os.Stat(p.path(checkpointFile)); err != nil {
		o.Resume = false
	}
	p.words[stroke.RoleTrain], p.words[stroke.RoleSelect], p.words[stroke.RoleJudge] = wordsOf(train), wordsOf(choose), wordsOf(judge)
	p.passages = newPassages(train, r.ledger, r.b, r.ofAll.Prompt)
	return p
}

// fold is the run of one fold: it trains on the others. It chooses by the select
// documents among them or, where the fold holds all of these, by the first with its
// near duplicates.
func (r *run) fold(k int, dealt [][]stroke.Document) *run {
	var train, choose []stroke.Document
	for i, docs := range dealt {
		if i == k {
			continue
		}
		for _, d := range docs {
			if r.ledger.Role(d.Hash) == stroke.RoleSelect {
				choose = append(choose, d)
			} else {
				train = append(train, d)
			}
		}
	}
	if len(choose) == 0 {
		choose, train = firstUnit(train, r.ledger)
	}
	return r.part(fmt.Sprintf("fold-%d", k+1), train, choose, dealt[k])
}

// clusterOf names what a document has in common with its near duplicates: itself
// where there are none.
func clusterOf(d stroke.Document, l *corpus.Ledger) string {
	if e, ok := l.Entry(d.Hash); ok && e.Cluster != "" {
		return e.Cluster
	}
	return d.Hash
}

// firstUnit parts the first document and its near duplicates from the others, or the
// first alone where all are near duplicates.
func firstUnit(docs []stroke.Document, l *corpus.Ledger) (first, others []stroke.Document) {
	for _, d := range docs {
		if clusterOf(d, l) == clusterOf(docs[0], l) {
			first = append(first, d)
		} else {
			others = append(others, d)
		}
	}
	if len(others) == 0 {
		return docs[:1], docs[1:]
	}
	return first, others
}

// foldResult is what is kept of a fold that is done.
type foldResult struct {
	Key      string        `json:"key"` // of what the run was asked for
	Judged   *evidence     `json:"judged"`
	Groups   []string      `json:"groups"` // hash of the document of each piece that was judged
	Texts    []writtenText `json:"texts"`
	Learnt   []string      `json:"learnt"` // hashes of the documents that it was trained on
	Epoch    int           `json:"epoch"`
	Prompt   int           `json:"prompt_tokens"`
	Tokens   int           `json:"tokens"`
	Seconds  float64       `json:"seconds"`
	WattHour float64       `json:"watt_hours"` // of training; below zero where nothing is known
}

func (r *run) foldFile(k int) string { return r.path(fmt.Sprintf("fold-%d.json", k+1)) }

// foldKeys are those of what the run was asked for, with its documents dealt so: its own
// and those of earlier programs.
func (r *run) foldKeys(dealt [][]stroke.Document) []string {
	staged := r.recipe
	r.recipe = r.ofAll
	defer func() { r.recipe = staged }()
	var keys []string
	for _, id := range r.identities() {
		keys = append(keys, stroke.HashText(fmt.Sprint(foldSchema, " ", string(id), kernel.Name(), dealtAs(dealt))))
	}
	return keys
}

// sameFolds gives the one of the keys that the folds which were begun are kept by, and
// refuses to go on where they are of another run: they would be trained anew.
func (r *run) sameFolds(keys []string) (string, error) {
	if !r.crossFitting() {
		return keys[0], nil
	}
	files := []string{r.path(amongFile)}
	for k := range crossFolds {
		files = append(files, r.foldFile(k))
	}
	was := ""
	for _, path := range files {
		var kept struct {
			Key string `json:"key"`
		}
		if b, err := readAtMost(path, mostMeasure); err != nil || json.Unmarshal(b, &kept) != nil {
			continue
		}
		if !slices.Contains(keys, kept.Key) || was != "" && kept.Key != was {
			return keys[0], otherRun(nil)
		}
		was = kept.Key
	}
	return cmp.Or(was, keys[0]), nil
}

// crossFit trains and judges all folds, and then trains on all of the text.
func (r *run) crossFit(ctx context.Context) (l *learnt, epoch int, wattHours *float64, e *evidence, err error) {
	dealt := folds(r.all(), r.ledger)
	keys := r.foldKeys(dealt)
	key := keys[0]
	if r.o.Resume {
		if key, err = r.sameFolds(keys); err != nil && r.unasked {
			err = r.giveUp(ctx, err)
		}
	}
	if err == nil && !r.o.Resume {
		err = r.afresh()
	}
	if err != nil {
		return nil, 0, nil, nil, err
	}
	if err := os.MkdirAll(r.path(""), 0o700); err != nil {
		return nil, 0, nil, nil, writeError(r.path(""), err)
	}
	if err := r.keepAsked(); err != nil {
		return nil, 0, nil, nil, err
	}
	if err := r.keepAmong(key); err != nil {
		return nil, 0, nil, nil, err
	}
	way := &course{words: wordsOf(r.all())}
	var runs []*run
	for k := range dealt {
		f := r.fold(k, dealt)
		runs = append(runs, f)
		way.words += f.words[stroke.RoleTrain]
	}
	var results []foldResult
	told := false
	start := func(p *run, what string) {
		words := p.words[stroke.RoleTrain]
		p.emit = func(e stroke.Event) {
			switch e := e.(type) {
			case stroke.ForecastEvent:
				if !told {
					told = true
					e = way.forecast(e, words)
					e.Folds = crossFolds
					// What is left of this part, all of those behind it, and what is judged.
					whole := float64(p.trainer.Tokens(0, p.trainer.Steps())) / forecastRate(r.b, p.recipe)
					e.Seconds += whole*(way.share(words)-1) + r.judgeSeconds(crossFolds-len(results))
					r.emit(e)
					r.emit(stroke.NoteEvent{Text: what})
				}
			case stroke.StepEvent:
				r.emit(way.step(e, words, p.trainer.Tokens(0, p.trainer.Steps())))
			case stroke.CheckpointEvent:
				e.Step += way.steps
				r.emit(e)
			case stroke.SelectEvent:
				if len(p.choose) > 0 { // else there is nothing to choose by
					r.emit(e)
				}
			default:
				r.emit(e)
			}
		}
		if told {
			r.emit(stroke.NoteEvent{Text: what})
		}
	}
	for k, p := range runs {
		path := r.foldFile(k)
		var done foldResult
		if b, err := readAtMost(path, mostMeasure); err == nil && json.Unmarshal(b, &done) == nil && done.Key == key && done.Judged != nil && len(done.Groups) == len(done.Judged.Losses[verdict.Base]) && len(done.Learnt) > 0 {
			done.Judged.Groups = done.Groups
			results = append(results, done)
			way.pass(p.words[stroke.RoleTrain])
			continue
		}
		start(p, fmt.Sprintf("fold %d of %d: a twin trained on %d words judges the %d words that it has not seen", k+1, crossFolds, p.words[stroke.RoleTrain], p.words[stroke.RoleJudge]))
		done = foldResult{Key: key, WattHour: -1}
		if err := p.judgeFold(ctx, &done, k); err != nil {
			return nil, 0, nil, nil, err
		}
		b, err := json.Marshal(&done)
		if err != nil {
			return nil, 0, nil, nil, fmt.Errorf("keep the fold: %w", err)
		}
		if err := writeFile(path, b); err != nil {
			return nil, 0, nil, nil, err
		}
		if err := os.RemoveAll(p.f.Dir); err != nil {
			return nil, 0, nil, nil, writeError(p.f.Dir, err)
		}
		results = append(results, done)
		way.end(p.words[stroke.RoleTrain], p.trainer.Done())
	}
	final := r.part("all", r.all(), nil, nil)
	final.take = middleEpoch(results)
	prompt := mostPrompt(results)
	final.takePrompt = &prompt
	start(final, fmt.Sprintf("now on all %d words: the epoch that the folds chose, %d", final.words[stroke.RoleTrain], final.take))
	final.recall()
	l, epoch, wattHours, err = final.learn(ctx)
	if err != nil {
		return nil, 0, nil, nil, err
	}
	r.trainer, r.recipe, r.genre, r.recalled = final.trainer, final.recipe, lora.Applied{}, false
	if err := r.keepStaged(); err != nil { // it has the recipe for all of the text
		return nil, 0, nil, nil, err
	}
	r.progress = final.progress
	var parts []*evidence
	for _, x := range results {
		r.progress.Tokens += x.Tokens
		r.progress.Seconds += x.Seconds
		if wattHours != nil && x.WattHour >= 0 {
			*wattHours += x.WattHour
		}
		parts = append(parts, x.Judged)
	}
	e = pool(parts)
	e.Folds = crossFolds
	r.folds = keepFolds(results)
	// Copies are looked for in what goes live, which has seen more than the folds, by
	// text that the judge documents are no part of: what these share with it is what
	// the writer repeats.
	half, err := r.asWritten(l.adapter)
	if err == nil {
		err = r.sampled(ctx, &learnt{adapter: half}, slices.Concat(r.train, r.choose), e)
	}
	if err != nil {
		return nil, 0, nil, nil, interrupted(err, "look at what was learnt", resumeHint)
	}
	return l, epoch, wattHours, e, nil
}

const resumeHint = "stroke train --resume with the same arguments goes on from here"

// judgeFold trains on the other folds, scores this one, and writes from openings of
// its documents.
func (r *run) judgeFold(ctx context.Context, to *foldResult, fold int) error {
	r.recall()
	l, epoch, wattHours, err := r.learn(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	to.Prompt = r.recipe.Prompt.Tokens
	to.Epoch, to.Tokens, to.Seconds = epoch, r.progress.Tokens, r.progress.Seconds
	if wattHours != nil {
		to.WattHour = *wattHours
	}
	written, err := r.written(l)
	if err != nil {
		return err
	}
	// Folds have their documents in the order of hashes.
	if to.Judged, err = r.judgePieces(ctx, written, r.judge); err != nil {
		return err
	}
	to.Groups = to.Judged.Groups
	to.Learnt = hashes(r.train)
	if to.Texts, err = r.foldTexts(ctx, written, fold); err != nil {
		return interrupted(err, "write what the report will look at", resumeHint)
	}
	return nil
}

// middleEpoch is the median of the epochs that folds chose.
func middleEpoch(list []foldResult) int {
	var epochs []int
	for _, x := range list {
		epochs = append(epochs, x.Epoch)
	}
	slices.Sort(epochs)
	return epochs[len(epochs)/2]
}

// pool puts what was found on parts of the text together: first the pieces that
// were scored under the controls, as [verdict.Evidence] has them. A control that
// not every part has is left out.
func pool(parts []*evidence) *evidence {
	out := &evidence{}
	started := slices.ContainsFunc(parts, func(p *evidence) bool { return p.Start != nil })
	beside := func(p *evidence) int {
		n := len(p.Losses[verdict.Base])
		if p.Start != nil {
			n = min(n, len(p.Start))
		}
		for _, c := range p.Controls {
			n = min(n, len(c.Losses))
		}
		return n
	}
	for _, first := range []bool{true, false} {
		for _, p := range parts {
			n := beside(p)
			if first {
				out.Groups = append(out.Groups, p.Groups[:n]...)
			} else {
				out.Groups = append(out.Groups, p.Groups[n:]...)
			}
			for c := range p.Losses {
				if first {
					out.Losses[c] = append(out.Losses[c], p.Losses[c][:n]...)
				} else {
					out.Losses[c] = append(out.Losses[c], p.Losses[c][n:]...)
				}
			}
			if !first || !started {
				continue
			}
			if p.Start != nil {
				out.Start = append(out.Start, p.Start[:n]...)
			} else {
				out.Start = append(out.Start, p.Losses[verdict.Base][:n]...)
			}
		}
	}
	for _, c := range parts[0].Controls {
		var all []eval.Loss
		held := 0
		for _, p := range parts {
			if i := slices.IndexFunc(p.Controls, func(x verdict.Control) bool { return x.Name == c.Name }); i >= 0 {
				all = append(all, p.Controls[i].Losses[:beside(p)]...)
				held++
			}
		}
		if held == len(parts) {
			out.Controls = append(out.Controls, verdict.Control{Name: c.Name, Losses: all})
		}
	}
	return out
}

// judgeSeconds forecasts what judging n parts of the text takes.
func (r *run) judgeSeconds(n int) float64 {
	if peakFlops == 0 {
		peakFlops = bench.FlopsPeak(0.1) * 1e9
	}
	rate := peakFlops * scoreShare / (bench.StepFlops(r.b.model, 512, r.recipe.Options.LoRA.Rank) / 2)
	words := wordsOf(r.all())
	// Each piece of at most 640 tokens is scored plainly and with passages, twice.
	pieces := float64(words)*tokensPerWord/pieceTokens + 1
	each := 2 * (2*pieceTokens + float64(r.recipe.Prompt.most()))
	texts := min(float64(words), float64(n)*foldWords)
	reads := min(pieces*each, float64(n)*float64(r.judgeTokens())) + min(pieces*pieceTokens*7, float64(n)*float64(r.besideTokens())) + texts/likeness.Unit*float64(r.recipe.Prompt.most())
	faster := 1.0
	if r.bf16() {
		faster = scoreShareBF16 / scoreShare
	}
	return (reads/faster + writeCost*(sampleTexts*sampleWords+texts)*tokensPerWord) / rate
}

// clearFolds removes what the folds of a run left.
func (r *run) clearFolds() {
	for k := range crossFolds {
		os.Remove(r.foldFile(k))
		os.RemoveAll(filepath.Join(r.path(fmt.Sprintf("fold-%d", k+1))))
	}
	os.RemoveAll(r.path("all"))
	os.Remove(r.path(amongFile))
}
