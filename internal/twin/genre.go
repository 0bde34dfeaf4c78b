package twin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/term"
)

// What a run does with the genre that its twin is to stand on.

// Stage says which genre a twin stands on, and how. A part of the recipe, it is
// asked for before a run and completed when the genre is there.
type Stage struct {
	Ask      string     `json:"ask"`          // auto, none, a genre's name, or several with + between them, as many parts of each as stand behind a colon
	As       string     `json:"as"`           // layer or start
	Strength float64    `json:"strength"`     // of all layers together
	On       []StandsOn `json:"on,omitempty"` // what was found for it
}

// The ways to stand on a genre.
const (
	AsLayer = "layer" // it stays as it is, below the writer's own adapter
	AsStart = "start" // the writer's adapter goes on from its weights
)

// StandsOn is a genre that a version stands on.
type StandsOn struct {
	Name     string  `json:"name"`
	SHA256   string  `json:"sha256"`                  // of its weights
	Config   string  `json:"config_sha256,omitempty"` // of its config; versions of other programs may not have it
	Strength float64 `json:"strength"`                // it was used at in training
	Gain     float64 `json:"gain"`                    // nats per token that it saved on the documents it was chosen by, before training
	Learnt   bool    `json:"learnt,omitempty"`        // it was made from some of the writer's text
}

// LayerStrength is that of genres as layers: others' prose is nearer to a writer at less
// than what it was trained at (docs/LOG.md).
const LayerStrength = 0.9

// defaultStage takes the genres that help, where any do.
func defaultStage() Stage { return Stage{Ask: genre.Auto, As: AsLayer, Strength: LayerStrength} }

// strength is what genres are used at.
func (s *Stage) strength() float64 {
	if s.As == AsStart {
		return 1
	}
	return s.Strength
}

// check says what of a stage is out of range.
func (s *Stage) check(m Method, on string) error {
	if s.Ask == "" || s.Ask == genre.None {
		return nil
	}
	names, _, err := s.names()
	switch {
	case err != nil:
		return err
	case m != LoRA:
		return fmt.Errorf("a genre to stand on goes with the method lora, and this is %s", m)
	case s.Ask != genre.Auto && on != "":
		return errors.New("a genre and another adapter to start from do not go together")
	case s.As != AsLayer && s.As != AsStart:
		return fmt.Errorf("a genre is used as %q: it can be a layer or a start", s.As)
	case s.As == AsStart && len(names) > 1:
		return errors.New("several genres can be layers, and one a start")
	case s.As == AsStart && s.Strength != 1 && s.Strength != LayerStrength:
		return errors.New("a genre as a start has no strength")
	case !(s.Strength > 0 && s.Strength <= 4):
		return fmt.Errorf("the strength of the genre is %g: it must be above 0 and at most 4", s.Strength)
	case len(names) > mostLayers:
		return fmt.Errorf("it is to stand on %d genres: at most %d", len(names), mostLayers)
	}
	for i, n := range names {
		if err := genre.CheckName(n); err != nil && n != genre.Auto {
			return err
		}
		if slices.Contains(names[:i], n) {
			return fmt.Errorf("the genre %s is named twice", n)
		}
	}
	if s.Ask != genre.Auto && slices.Contains(names, genre.Auto) {
		return errors.New("auto goes with no other genre and has no parts")
	}
	return nil
}

// mostLayers bounds the genres that are named.
const mostLayers = 16

// there says which of the genres that are named is not there for the base, or
// does not fit it.
func (s *Stage) there(b *baseModel) error {
	if s.Ask == "" || s.Ask == genre.None || s.Ask == genre.Auto {
		return nil
	}
	l, err := Library()
	if err != nil {
		return err
	}
	_, err = s.named(l, b)
	return err
}

// named opens the genres that are named.
func (s *Stage) named(l *genre.Library, b *baseModel) ([]trial, error) {
	var out []trial
	names, parts, err := s.names()
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		g, err := l.Find(b.name, name)
		if err != nil {
			return nil, err
		}
		a, err := b.genre(g)
		if err != nil {
			return nil, err
		}
		out = append(out, trial{genre: g, adapter: a, share: parts[i]})
	}
	if _, left := mixable(out); len(left) > 0 {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the genres %s have more ranks together than the %d that are mixed", s.Ask, mostRanks), Hint: "name fewer, or one alone: stroke genre show NAME has a genre's rank"}
	}
	return out, nil
}

// title names what was found, for a person; empty for nothing.
func (s *Stage) title() string {
	var names []string
	for _, g := range s.On {
		names = append(names, g.Name)
	}
	return strings.Join(names, "+")
}

// brief names what was found in few words: the genre, or the two of which there is most
// and how many more there are.
func (s *Stage) brief() string {
	if n := len(s.On); n > 3 {
		return fmt.Sprintf("%s+%s and %d more", s.On[0].Name, s.On[1].Name, n-2)
	}
	return s.title()
}

// is says whether a genre is the one that is stood on.
func (s *StandsOn) is(g *genre.Genre) bool {
	return s.SHA256 == g.SHA256() && (s.Config == "" || s.Config == g.Files[genre.ConfigFile])
}

// identity names the genre in identities of what stands on it.
func (s *StandsOn) identity() string {
	if s.Config == "" {
		return s.SHA256
	}
	return genre.AdapterIdentity(s.SHA256, s.Config)
}

// standsOn names a genre that was found, at a strength.
func standsOn(g *genre.Genre, strength, gain float64) StandsOn {
	return StandsOn{Name: g.Name, SHA256: g.SHA256(), Config: g.Files[genre.ConfigFile], Strength: strength, Gain: gain}
}

// gain is that of all together: each was measured with the others.
func (s *Stage) gain() float64 {
	if len(s.On) == 0 {
		return 0
	}
	return s.On[0].Gain
}

// identity tells checkpoints of runs apart that stand on other things.
func (s *Stage) identity() string { return s.identityBy((*StandsOn).identity) }

// weightsIdentity is what identity was before configs were in it.
func (s *Stage) weightsIdentity() string {
	return s.identityBy(func(g *StandsOn) string { return g.SHA256 })
}

func (s *Stage) identityBy(of func(*StandsOn) string) string {
	var b strings.Builder
	for i, g := range s.On {
		fmt.Fprintf(&b, "%s %s %g;", s.As, of(&s.On[i]), g.Strength)
	}
	if len(s.On) > 1 {
		b.WriteString("as one")
	}
	return b.String()
}

// onGenre gives a recipe what it must have of the genre's adapter.
func (r *Recipe) onGenre(a *lora.Adapter) {
	if r.Genre.As == AsStart {
		r.Options.LoRA = r.Options.LoRA.Like(a.Options)
	}
}

// Library opens the genres of the program and of the user.
func Library() (*genre.Library, error) {
	home, err := Home()
	if err != nil {
		return nil, err
	}
	return genre.Open(filepath.Join(home, "genres")), nil
}

// genre reads the adapter of a genre for the base.
func (b *baseModel) genre(g *genre.Genre) (*lora.Adapter, error) {
	config, tensors, err := g.Adapter()
	if err != nil {
		return nil, err
	}
	file, err := lora.Read(g.Path, config, tensors)
	var a *lora.Adapter
	if err == nil {
		a, err = b.fit(file)
	}
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the genre %s does not fit the base %s", g.Name, b.name), Err: err,
			Hint: "use the base that it was made for, " + g.Base.Name + ", or make it for this one: stroke genre build RECIPE.toml --base " + b.name}
	}
	return a, nil
}

// fit brings an adapter into memory if it is one of the base. One that leaves the last
// layers alone is that where its config names its layers; otherwise it is taken for one of
// a base with fewer, whatever that is called.
func (b *baseModel) fit(file *lora.File) (*lora.Adapter, error) {
	shape := b.model.Shape()
	a, err := file.Adapter(shape)
	if err != nil {
		return nil, err
	}
	if n := layers(a); n < shape.Layers && !file.Config.NamesLayers() {
		return nil, fmt.Errorf("the adapter has %d layers and the base %d, and its config does not name its layers (layers_to_transform, or paths in target_modules), so it is taken to be of a base with fewer", n, shape.Layers)
	}
	return a, nil
}

// trial is a genre that is tried on a writer.
type trial struct {
	genre   *genre.Genre
	adapter *lora.Adapter
	gain    float64
	share   float64     // of the strength of all that are taken
	losses  []eval.Loss // of the documents that it was tried on
	learnt  bool        // it was made from some of the writer's text
}

// trials opens all genres for the base. One that cannot be used is told of and
// passed over.
func (b *baseModel) trials(l *genre.Library, emit Emit) []trial {
	var out []trial
	for _, g := range l.List(b.name, func(path string, err error) {
		emit(stroke.NoteEvent{Text: "left out the genre in " + path + ": " + err.Error()})
	}) {
		a, err := b.genre(&g)
		if err != nil {
			emit(stroke.NoteEvent{Text: "left out: " + err.Error()})
			continue
		}
		out = append(out, trial{genre: &g, adapter: a})
	}
	return out
}

// What a genre is chosen by: tokens through the base in all, so that it takes
// under a minute, and under one condition.
const (
	trialTokens = 24000
	mostTrial   = selectTokens
)

// trialRoom is how many tokens so many sets of adapters are tried on.
func trialRoom(sets int) int { return min(mostTrial, trialTokens/(sets+1)) }

// try measures each genre by itself, best first. kinds says that the documents are of
// more than one kind, where they are.
func (b *baseModel) try(ctx context.Context, docs []stroke.Document, list []trial, strength float64, bf16 bool) (bare float64, tokens int, kinds string, err error) {
	var with []set
	for _, t := range list {
		with = append(with, t.at(strength))
	}
	t, err := b.score(ctx, docs, with, trialRoom(len(with)), bf16)
	if err != nil {
		return 0, 0, "", err
	}
	gains, bare, tokens := t.gains()
	for i := range list {
		list[i].gain, list[i].losses = gains[i], t.with[i]
	}
	slices.SortStableFunc(list, func(x, y trial) int {
		switch {
		case x.gain > y.gain:
			return -1
		case x.gain < y.gain:
			return 1
		}
		return 0
	})
	return bare, tokens, kindsOf(t.docs, list), nil
}

// trying tells that a list is tried on a writer, which takes a while.
func trying(list []trial) string {
	if len(list) == 1 {
		return "trying the genre " + list[0].genre.Name + " on this text"
	}
	return fmt.Sprintf("trying %d genres on this text", len(list))
}

// missing says that there is no library for the base, and what one would take.
func (b *baseModel) missing() string {
	recipes, err := genre.Recipes()
	if err != nil || len(recipes) == 0 {
		return "there are no genres for the base " + genre.Key(b.name)
	}
	seconds := 0.0
	for _, r := range recipes {
		t := buildRecipe(r, "")
		seconds += float64(r.Asks()) * tokensPerWord * float64(r.Epochs) / forecastRate(b, t)
	}
	return fmt.Sprintf("there are no genres for the base %s; to make the library's %d would take about %s: stroke genre build RECIPE.toml --data DIR --base %s",
		genre.Key(b.name), len(recipes), term.Span(seconds), b.name)
}

// tryOn are the documents that genres are tried on, and what they are called: those for
// select and, behind them, those to train on. A genre has seen neither, unless it was made
// from the writer's text, so both say as much of it, and of the second there are more. None
// judges.
func tryOn(choose, train []stroke.Document) (docs []stroke.Document, by string) {
	train = slices.SortedFunc(slices.Values(train), func(a, b stroke.Document) int { return strings.Compare(a.Hash, b.Hash) })
	switch {
	case len(choose) == 0:
		return train, string(stroke.RoleTrain)
	case len(train) == 0:
		return spread(choose), string(stroke.RoleSelect)
	}
	return slices.Concat(spread(choose), train), string(stroke.RoleSelect) + " and " + string(stroke.RoleTrain)
}

// standOn finds the genre that the run is to stand on, and makes its recipe that
// of such a run.
func (r *run) standOn(ctx context.Context) error {
	s := &r.recipe.Genre
	if s.Ask == "" || s.Ask == genre.None || r.recipe.Method != LoRA || r.recipe.On != "" {
		return nil
	}
	l, err := Library()
	if err != nil {
		return err
	}
	if err := r.unchanged(l); err != nil {
		return err
	}
	begin := time.Now()
	r.genre = lora.Applied{}
	docs, by := tryOn(r.choose, r.train)
	var list []trial
	if s.Ask == genre.Auto {
		all := r.known(r.b.trials(l, r.once))
		if list = distinct(strangers(all, r.all(), r.once), r.once); len(list) == 0 {
			r.once(stroke.NoteEvent{Text: r.b.none(all) + "; the run goes on without"})
			return nil
		}
		r.emit(stroke.NoteEvent{Text: trying(list)})
	} else {
		if list, err = s.named(l, r.b); err != nil {
			return err
		}
		r.b.markByLibrary(list, l, r.all())
	}
	e := stroke.GenreEvent{Asked: s.Ask, As: s.As, Strength: s.strength(), By: by}
	if s.Ask == genre.Auto {
		var kinds string
		if _, e.Tokens, kinds, err = r.b.try(ctx, docs, list, s.strength(), r.bf16()); err == nil {
			if kinds != "" { // of a fold it would be said of some of the text
				r.once(stroke.NoteEvent{Text: kinds})
			}
			for _, t := range list {
				e.Tried = append(e.Tried, stroke.GenreGain{Name: t.genre.Name, Gain: finiteGain(t.gain)})
			}
			list, r.genre, err = r.b.take(ctx, docs, list, s, r.bf16(), r.emit)
			share(e.Tried, list)
		}
	} else if r.genre, err = r.b.asOne(ctx, list, s.strength()); err == nil {
		var gains []float64
		if gains, _, e.Tokens, err = r.b.gains(ctx, docs, []set{{use: []lora.Applied{r.genre}}}, trialRoom(1), r.bf16()); err == nil {
			for i := range list {
				list[i].gain = gains[0]
			}
		}
	}
	if err != nil {
		return interrupted(err, "choose a genre", "the same arguments begin again")
	}
	s.On = nil
	for _, t := range list {
		on := standsOn(t.genre, s.strength()*t.share, finiteGain(t.gain))
		on.Learnt = t.learnt
		s.On = append(s.On, on)
	}
	if names := s.learnt().title(); names != "" {
		r.once(stroke.NoteEvent{Text: "the genre " + names + " was made from some of this writing: nothing that is measured on it will be proven"})
	}
	e.Name, e.Gain, e.Seconds = s.title(), s.gain(), time.Since(begin).Seconds()
	r.emit(e)
	return r.stage()
}

// once tells of what each fold finds as well: with what goes live, and of no fold.
func (r *run) once(e stroke.Event) {
	if r.amount == 0 || len(r.judge) == 0 {
		r.emit(e)
	}
}

// finiteGain is a gain that JSON can hold; one that is no number is a loss
// beyond all others.
func finiteGain(x float64) float64 { return max(x, -1e6) }

// stage makes the recipe anew as that of a run on the genre that was found.
func (r *run) stage() error {
	s := r.recipe.Genre
	if r.genre.Adapter == nil {
		return nil
	}
	next := pick(r.much(), StartGenre).Recipe()
	next.Genre = s
	next.onGenre(r.genre.Adapter)
	if r.o.Change != nil {
		r.o.Change(&next)
	}
	next.Genre, next.Stack = s, false
	r.recipe, r.progress.On = next, s.identity()
	return next.Validate()
}

const stageFile = "genre.json"

// kept is run/genre.json: what was asked for, and the recipe that came of it.
type kept struct {
	Asked    Recipe  `json:"asked"`
	Base     string  `json:"base"`
	Staged   Recipe  `json:"staged"`
	Strength float32 `json:"strength"` // of the adapter beside it
}

func (r *run) genreDir() string { return r.path("genre") }

// keepGenre keeps what the run stands on beside its checkpoint, also where that is no
// genre: a run that is resumed does not choose again, and needs no genre that was deleted
// since.
func (r *run) keepGenre() error {
	if s := &r.recipe.Genre; s.Ask == "" || s.Ask == genre.None || r.recipe.On != "" || r.recalled {
		return nil
	}
	return r.keepStaged()
}

// keepStaged is keepGenre of whatever came of what was asked for.
func (r *run) keepStaged() error {
	if a := r.genre.Adapter; a != nil {
		dir := r.genreDir()
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return writeError(dir, err)
		}
		if err := lora.WriteDir(dir, a.File(), tensor.F32); err != nil {
			return writeError(dir, err)
		}
	}
	b, err := json.Marshal(kept{Asked: r.asked, Base: r.b.name, Staged: r.recipe, Strength: r.genre.Strength})
	if err != nil {
		return fmt.Errorf("keep the genre: %w", err)
	}
	return writeFile(r.path(stageFile), b)
}

// recallGenre takes what the run that is resumed stood on. The recipe is that of
// the run also where the adapters are gone, as after its end.
func (r *run) recallGenre() {
	b, err := readAtMost(r.path(stageFile), mostVersion)
	if err != nil {
		return
	}
	var k kept
	if json.Unmarshal(b, &k) != nil || k.Base != r.b.name || !sameRecipe(&k.Asked, &r.asked) || k.Staged.Validate() != nil {
		return
	}
	r.recipe, r.progress.On = k.Staged, k.Staged.Genre.identity()
	if len(k.Staged.Genre.On) > 0 {
		file, err := lora.ReadDir(r.genreDir())
		var a *lora.Adapter
		if err == nil {
			a, err = r.b.fit(file)
		}
		if err != nil {
			return
		}
		r.genre = lora.Applied{Adapter: a, Strength: k.Strength}
	}
	r.recalled = true
}

func sameRecipe(a, b *Recipe) bool {
	x, e1 := json.Marshal(a)
	y, e2 := json.Marshal(b)
	return e1 == nil && e2 == nil && bytes.Equal(x, y)
}

// useGenre gives the genre to the trainer: below what is trained, or as its start.
func (r *run) useGenre(shape lora.Shape) (from *lora.Adapter, err error) {
	s := &r.recipe.Genre
	if s.As == AsLayer {
		r.below = []lora.Applied{r.genre}
		return nil, nil
	}
	a := r.genre.Adapter
	if !a.SameShape(lora.New(shape, r.recipe.Options.LoRA, 0, nil)) {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the genre %s has the rank %d and alpha %g, and an adapter of another shape cannot go on from it", s.title(), a.Options.Rank, a.Options.Alpha),
			Hint: "leave --rank, --alpha, --rslora and --targets out, or use the genre as a layer: --genre-as layer"}
	}
	return a, nil
}

// said is what the verdict says of the genre.
func (s *Stage) said() string {
	if s.title() == "" {
		return ""
	}
	how := "as a layer below it"
	if s.As == AsStart {
		how = "as its start"
	}
	g := s.gain()
	if g <= 0 {
		return fmt.Sprintf("; it stands on the genre %s, %s, which by itself predicts you worse than the base does, by %.3f nats a token", s.brief(), how, -g)
	}
	return fmt.Sprintf("; it stands on the genre %s, %s, which by itself gained %.3f nats a token", s.brief(), how, g)
}

// errNoLayer is of a version whose genre has no strength of its own.
var errNoLayer = &stroke.Error{Code: stroke.CodeInput, Msg: "this has no genre as a layer, whose strength could be changed", Hint: "leave --genre-strength out, or use --strength"}

// atGenre is the adapter of a version that stands on genres as layers, with
// their share multiplied by strength. In a joined adapter they come first: the
// writer's own rows are the last, as many as the recipe's rank.
func (r *Recipe) atGenre(a *lora.Adapter, strength float32) (*lora.Adapter, error) {
	if r.Genre.title() == "" || r.Genre.As != AsLayer {
		return nil, errNoLayer
	}
	targets := r.Options.LoRA.Targets
	if len(targets) == 0 {
		targets = lora.AllModules()
	}
	out := *a
	out.Pairs = make([][lora.Modules]*op.Pair, len(a.Pairs))
	a.Each(func(l int, m lora.Module, p *op.Pair) {
		own := 0
		if slices.Contains(targets, m) {
			own = r.Options.LoRA.Rank
		}
		q := *p
		q.B, q.HalfB, q.TileA, q.TileB = slices.Clone(p.B), nil, nil, nil // of another B
		// The recipe may be a stranger's.
		own = min(max(own, 0), p.Rank)
		for i := range (p.Rank - own) * p.Out {
			q.B[i] *= strength
		}
		out.Pairs[l][m] = &q
	})
	return &out, nil
}
