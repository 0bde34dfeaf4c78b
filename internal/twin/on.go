package twin

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/train"
)

// learntText is what an adapter has learnt: hashes of documents and of those that blocks
// were cut from, and by these the texts, as far as they are kept.
type learntText struct {
	hashes map[string]bool
	texts  map[string]string
}

// learntFrom is what the adapter in the folder on, where that is one of a twin's
// version, was trained on or chosen by, with that of what it began at itself: one that
// was cross-fitted has learnt all of its twin's text, and so may one that stands on a
// genre which was made from some of that.
func learntFrom(on string) (*learntText, error) {
	t := &learntText{map[string]bool{}, map[string]string{}}
	places, err := placesOf(on)
	if err != nil {
		return t, outOfReach(on, err)
	}
	return t, t.take(on, places, 100)
}

func outOfReach(on string, err error) error {
	return &stroke.Error{Code: stroke.CodeInput, Msg: "what the adapter in " + on + " has learnt cannot be told, since its folder cannot be reached", Err: err,
		Hint: "see whether its disk is there and its folders may be read, or start from another adapter: --on DIR"}
}

// take adds what the adapter in a folder that lies at these places has learnt, by so many
// steps back at the most. It is an error where it lies in a twin that does not tell. Of
// what a version began at that may be gone, on a disk that is not there, or damaged: what
// it had learnt the version tells by hashes.
func (t *learntText) take(on string, places []string, steps int) error {
	i := slices.IndexFunc(places, isAdapterOfTwin)
	if i < 0 {
		return nil
	}
	version := filepath.Dir(places[i])
	var v *Version
	var l *corpus.Ledger
	f, err := Open(filepath.Dir(filepath.Dir(version)))
	if err == nil {
		v, err = f.readVersion(filepath.Base(version))
	}
	if err == nil {
		l, err = f.Ledger()
	}
	if err != nil {
		return &stroke.Error{Code: stroke.CodeOf(err), Msg: "what the adapter in " + on + " has learnt cannot be told, since its twin is damaged", Err: err,
			Hint: "put the twin's files back from a copy, or start from another adapter: a verdict on text that it may have learnt would prove nothing"}
	}
	for _, hash := range v.Below {
		t.hashes[hash] = true
	}
	var below error
	if v.Recipe.On != "" && steps > 0 {
		places, err := placesOf(v.Recipe.On)
		switch {
		case err == nil:
			err = t.take(v.Recipe.On, places, steps-1)
		case errors.Is(err, fs.ErrNotExist):
			err = nil
		default:
			err = outOfReach(v.Recipe.On, err)
		}
		if len(v.Below) == 0 { // versions of earlier programs have no hashes
			below = err
		}
	}
	all := v.learntAll()
	for _, e := range l.Entries {
		if !all && e.Role == stroke.RoleJudge && !t.hashes[e.Hash] { // what it began at may have learnt that
			continue
		}
		whole := cmp.Or(e.Parent, e.Hash)
		t.hashes[e.Hash], t.hashes[whole] = true, true
		if text, ok := f.Text(e.Hash); ok && !strings.Contains(t.texts[whole], text) {
			t.texts[whole] += text + "\n\n"
		}
	}
	return below
}

// learntAll says whether a version may have learnt all of its writer's text: it was
// cross-fitted, or stands on a genre that was made from some of that.
func (v *Version) learntAll() bool {
	return v.Verdict.Folds > 0 || v.Recipe.Genre.learnt().title() != ""
}

// isAdapterOfTwin says whether a path is that of what lies in a twin's version.
func isAdapterOfTwin(at string) bool {
	version := filepath.Dir(at)
	in := filepath.Dir(version)
	return filepath.Base(in) == versionsDir && isTwin(filepath.Dir(in)) && goodID(filepath.Base(version))
}

// takeAlike adds those of the documents that are near duplicates of what was learnt, or
// hold or are a part of it.
func (t *learntText) takeAlike(docs []stroke.Document) {
	for _, d := range corpus.NearDuplicates(docs, t.documents()) {
		t.hashes[d.Hash] = true
	}
}

// documents are the texts that were learnt.
func (t *learntText) documents() []stroke.Document {
	var out []stroke.Document
	for _, hash := range slices.Sorted(maps.Keys(t.texts)) {
		out = append(out, stroke.Document{Hash: hash, Text: t.texts[hash]})
	}
	return out
}

// learntBelow are the hashes of the documents that the adapter which --on names had
// learnt, the run's judge documents that are alike to these among them. Of a genre that
// was made from some of the run's text it is not known what else it has of that: all of
// it counts.
func (r *run) learntBelow() (map[string]bool, error) {
	if r.recipe.On == "" {
		return nil, nil
	}
	if r.onLearnt != nil {
		return r.onLearnt.hashes, nil
	}
	t, err := learntFrom(r.recipe.On)
	if err != nil {
		return nil, err
	}
	t.takeAlike(r.judge)
	t.texts = nil // as much as the text itself, and training is to come
	made, err := r.onMadeFromThis()
	if err != nil {
		return nil, err
	}
	if made {
		r.emit(stroke.NoteEvent{Text: "the adapter in " + r.recipe.On + " is a genre that was made from some of this writing: nothing that is measured on it will be proven"})
		for _, d := range r.all() {
			t.hashes[d.Hash] = true
		}
	}
	r.onLearnt = t
	return t.hashes, nil
}

// onMadeFromThis says whether the adapter that --on names is a genre that was made from
// some of the run's text, by the card beside it or by that of a genre with its weights.
func (r *run) onMadeFromThis() (bool, error) {
	card, err := genre.CardIn(r.recipe.On)
	if err != nil {
		return false, err
	}
	a, err := r.onto()
	if err != nil {
		return false, err
	}
	l, err := Library()
	if err != nil {
		return false, err
	}
	list := []trial{{genre: &genre.Genre{Card: card}, adapter: a}}
	r.b.markByLibrary(list, l, r.all())
	return list[0].learnt, nil
}

// adapterHash is the SHA-256 of an adapter's weights, and of its config.
func adapterHash(dir string) (weights, config string, err error) {
	weights, _, err = hashFile(filepath.Join(dir, lora.WeightsFile))
	if errors.Is(err, os.ErrNotExist) {
		if sum, _, e := hashFile(filepath.Join(dir, lora.CompactFile)); !errors.Is(e, os.ErrNotExist) {
			weights, err = sum, e
		}
	}
	if err == nil {
		config, _, err = hashFile(filepath.Join(dir, lora.ConfigFile))
	}
	if err != nil {
		return "", "", &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter to start from cannot be used", Err: err,
			Hint: "name the folder of a LoRA adapter as PEFT saves it: --on DIR"}
	}
	return weights, config, nil
}

// adapterIdentity tells the adapter in a folder apart from others.
func adapterIdentity(dir string) (string, error) {
	weights, config, err := adapterHash(dir)
	return genre.AdapterIdentity(weights, config), err
}

// onIdentity tells the adapter that is started from apart from others; empty for none.
func (r *Recipe) onIdentity() string {
	if r.OnConfig == "" {
		return r.OnHash
	}
	return genre.AdapterIdentity(r.OnHash, r.OnConfig)
}

// layers is the number of layers up to the last that an adapter changes.
func layers(a *lora.Adapter) int {
	n := 0
	a.Each(func(l int, _ lora.Module, _ *op.Pair) { n = max(n, l+1) })
	return n
}

// onto is the adapter that --on names, which is read once.
func (r *run) onto() (*lora.Adapter, error) {
	if r.on != nil {
		return r.on, nil
	}
	file, err := lora.ReadDir(r.recipe.On)
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter to start from cannot be used", Err: err, Hint: stroke.HintOf(err)}
	}
	if r.on, err = r.b.fit(file); err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter in " + r.recipe.On + " does not fit the base " + r.b.name, Err: err,
			Hint: "use the base it was trained on: --base NAME"}
	}
	return r.on, nil
}

// startFrom takes the adapter that --on names: one of the same shape is gone on
// with, in a copy, another stays as it is below the new one.
func (r *run) startFrom(j *train.Job) error {
	a, err := r.onto()
	if err != nil {
		return err
	}
	if a.Base != "" && a.Base != r.b.name {
		r.emit(stroke.NoteEvent{Text: fmt.Sprintf("the adapter in %s says that it was trained on %s; it fits %s by its shape", r.recipe.On, a.Base, r.b.name)})
	}
	if a.SameShape(lora.New(r.b.model.Shape(), j.Options.LoRA, 0, nil)) {
		j.From = a
		return nil
	}
	r.recipe.Stack = true
	r.below = []lora.Applied{{Adapter: a, Strength: 1}}
	j.On = r.below
	return nil
}

// joinable says with an error why what is trained cannot be written as one adapter with
// what lies below it.
func (r *run) joinable() error {
	rank := r.recipe.Options.LoRA.Rank
	for _, a := range r.below {
		rank += a.Adapter.Rank()
	}
	if len(r.below) > 0 && rank > lora.MaxRank {
		hint := "start from an adapter of a lower rank, or give the new one a lower rank: --rank N"
		if r.recipe.On == "" {
			hint = "use another genre or none: --genre none, or give the new one a lower rank: --rank N"
		}
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("a new adapter of rank %d and what lies below it have the rank %d together, and %d is the most that an adapter can have", r.recipe.Options.LoRA.Rank, rank, lora.MaxRank),
			Hint: hint}
	}
	return nil
}
