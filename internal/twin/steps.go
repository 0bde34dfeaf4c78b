package twin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/train"
)

// What a run keeps in the twin's folder while it goes on.
const (
	checkpointFile = "checkpoint.safetensors"
	doneFile       = "done.json"
	identityFile   = "run.json"
	baseFile       = "base"
)

func (r *run) path(name string) string { return filepath.Join(r.f.Dir, runDir, name) }

// lastRun is what the run that was begun last, or is laid aside, has in one of its small
// files; empty where there is none.
func (f *Folder) lastRun(file string) string {
	dir := filepath.Join(f.Dir, asideDir)
	if stoppedIn(dir).IsZero() {
		dir = filepath.Join(f.Dir, runDir)
	}
	b, err := readAtMost(filepath.Join(dir, file), 4096)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// identity is what a run was asked for; a finished run is repeated only for the
// same.
func (r *run) identity() []byte { return identityOf(r.recipe, r.b.ref(), r.all(), r.o.NoCrossFit) }

func identityOf(recipe Recipe, base BaseRef, all []stroke.Document, withheld bool) []byte {
	recipe.Stack = false // found out on the way
	if len(recipe.Prompt.Choose) > 0 {
		recipe.Prompt.Tokens = 0 // so is this
	}
	// And what a genre saved, which is not the same by every kernel.
	recipe.Genre.On = slices.Clone(recipe.Genre.On)
	for i := range recipe.Genre.On {
		recipe.Genre.On[i].Gain = 0
	}
	b, err := json.Marshal(struct {
		Recipe    Recipe
		Base      BaseRef
		Documents []string
		Withheld  bool `json:",omitempty"` // little text, too, is judged by what is withheld
	}{recipe, base, hashes(all), withheld})
	if err != nil {
		return nil
	}
	return b
}

// identities are those by which a run is known: its own, and that of programs which had no
// sample of the base.
func (r *run) identities() [][]byte {
	base := r.b.ref()
	base.Sample = ""
	return [][]byte{r.identity(), identityOf(r.recipe, base, r.all(), r.o.NoCrossFit)}
}

// lookName names a training among those that documents judge. By folds it is judged by
// other text than by a withheld part. One that judged them before has its name of then,
// also that of a program which had no sample of the base.
func (r *run) lookName(judges []stroke.Document, crossed bool) string {
	var names []string
	for _, id := range r.identities() {
		if crossed {
			id = append(id, " crossed"...)
		}
		names = append(names, stroke.HashText(string(id))[:12])
	}
	own, earlier := names[0], names[1]
	if slices.ContainsFunc(judges, func(d stroke.Document) bool {
		e, _ := r.ledger.Entry(d.Hash)
		return slices.Contains(e.Verdicts, earlier)
	}) {
		return earlier
	}
	return own
}

// repeat emits the last event of a run that had ended.
func (r *run) repeat() (done bool, err error) {
	was, err := os.ReadFile(r.path(identityFile))
	if err != nil || !slices.ContainsFunc(r.identities(), func(id []byte) bool { return bytes.Equal(was, id) }) {
		return false, nil
	}
	b, err := os.ReadFile(r.path(doneFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("resume: %w", err)
	}
	var e stroke.DoneEvent
	if json.Unmarshal(b, &e) != nil {
		return false, nil
	}
	// The event is written before the version is: it may not be there, or not in
	// the manifest.
	v, err := r.f.adopt(e.Version)
	if err != nil || v == nil {
		return false, err
	}
	if err := r.here(); err != nil {
		return false, err
	}
	r.clear()
	r.emit(stroke.NoteEvent{Text: "the run had ended; this is what it came to"})
	r.tellVerdict(v)
	e.Folder, e.Live = r.f.elsewhere(), v.Verdict.Live
	r.emit(e)
	return true, nil
}

// keepDone keeps the last event.
func (r *run) keepDone(done stroke.DoneEvent) error {
	b, err := json.Marshal(done)
	if err != nil {
		return fmt.Errorf("keep the last event: %w", err)
	}
	// An event of another run never stands beside this run's identity.
	if err := os.Remove(r.path(doneFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return writeError(r.path(doneFile), err)
	}
	if err := writeFile(r.path(identityFile), r.identity()); err != nil {
		return err
	}
	return writeFile(r.path(doneFile), b)
}

// clear removes what only a run that goes on needs.
func (r *run) clear() {
	os.Remove(r.path(checkpointFile))
	os.Remove(r.path(weightsFile))
	os.Remove(r.path(askedFile))
	os.Remove(r.path(anyFile))
	r.forgetAside()
	for e := range r.recipe.Epochs {
		os.RemoveAll(r.epochDir(e))
	}
	os.RemoveAll(r.genreDir())
	r.clearFolds()
}

// unusableError is of a checkpoint that the run cannot go on from.
type unusableError struct{ error }

// Unwrap gives what is wrong with it.
func (e unusableError) Unwrap() error { return e.error }

// otherRun is of a run that is to go on from what another one left.
func otherRun(err error) error {
	return &stroke.Error{Code: stroke.CodeInput, Msg: "the checkpoint is of another run: the files, the recipe, the base, the kind of kernel or what the program makes of them are not the same",
		Hint: "resume with the arguments and files of that run, or begin anew with --afresh in place of --resume", Err: err}
}

// restore takes the checkpoint of this run, where there is one.
func (r *run) restore() error {
	path := r.path(checkpointFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		r.emit(stroke.NoteEvent{Text: "there is no checkpoint: the run starts afresh"})
		return nil
	}
	extra, err := r.trainer.Restore(path)
	if errors.Is(err, train.ErrOtherRun) {
		return otherRun(err)
	}
	if err != nil {
		return &stroke.Error{Code: stroke.CodeFailure, Msg: "the checkpoint cannot be used", Hint: "start afresh without --resume; versions made before still work", Err: err}
	}
	var kept progress
	switch err := json.Unmarshal(extra, &kept); {
	case err != nil:
		return &stroke.Error{Code: stroke.CodeFailure, Msg: "the checkpoint cannot be used", Hint: "start afresh without --resume; versions made before still work", Err: err}
	case kept.On != r.progress.On && (kept.On == "" || kept.On != r.recipe.OnHash && kept.On != r.recipe.Genre.weightsIdentity()): // once it was the weights' hash alone
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the checkpoint is of another run: it stands on another adapter",
			Hint: "resume with the adapter of that run, or start afresh without --resume"}
	case kept.Mean != r.recipe.Mean:
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the checkpoint is of another run: one takes the mean of its epochs, and the other does not",
			Hint: "resume with the recipe of that run, or start afresh without --resume"}
	case kept.Base != BaseRef{} && !kept.Base.same(r.b.ref()): // once nothing of it was kept
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the checkpoint is of another run: its base was %s of %s, and %s is %s of %s now, with other numbers or other files beside them",
			kept.Base.Architecture, term.Bytes(kept.Base.Bytes), r.b.name, r.b.model.Architecture, term.Bytes(r.b.model.Bytes())),
			Hint: "resume with the base as it was, or start afresh without --resume"}
	}
	r.progress = kept
	return nil
}

// checkpointEvery is how long training goes on between checkpoints; it is longer
// where writing one takes more than a fiftieth of that.
const checkpointEvery = 30 * time.Second

// steps trains to the end. Where ctx ends it writes a checkpoint and says how to
// go on.
func (r *run) steps(ctx context.Context) error {
	t := r.trainer
	scorer, err := r.selector()
	if err != nil {
		return err
	}
	defer scorer.Close()
	if len(r.progress.Select) == 0 {
		if err := r.scoreSelect(ctx, scorer, nil); err != nil {
			return r.stopped(err)
		}
	}
	if e := t.EpochsDone(); e > len(r.progress.Select)-1 {
		// The run was stopped between an epoch's last step and its score.
		if err := r.endEpoch(ctx, e-1, scorer); err != nil {
			return r.stopped(err)
		}
	}
	lastSave := time.Now()
	often := r.o.CheckpointEvery
	if often == 0 {
		often = checkpointEvery
	}
	every := often
	speed := 0.0
	// Where it is known which epoch is taken, those behind it are not trained.
	last := t.Steps()
	if r.take > 0 {
		last = t.EpochEnd(r.take)
	}
	for t.Done() < last {
		begin := time.Now()
		info, _, err := t.Step(ctx)
		if err != nil {
			return r.stopped(err)
		}
		took := time.Since(begin).Seconds()
		r.progress.Seconds += took
		r.progress.Tokens += info.Tokens
		if now := float64(info.Tokens) / took; speed == 0 {
			speed = now
		} else {
			speed = 0.8*speed + 0.2*now
		}
		r.emit(stroke.StepEvent{Step: info.Step, Steps: last, Epoch: info.Epoch, Epochs: r.recipe.Epochs, Loss: info.Loss, Rate: info.Rate,
			TokensPerSecond: speed, SecondsLeft: float64(t.Tokens(t.Done(), last)) / speed})
		if info.Last {
			if err := r.endEpoch(ctx, info.Epoch-1, scorer); err != nil {
				return r.stopped(err)
			}
		}
		if info.Last || time.Since(lastSave) >= every {
			begin := time.Now()
			if err := r.save(); err != nil {
				return err
			}
			if info.Last {
				r.forgetEpochs()
			}
			lastSave = time.Now()
			every = max(often, 50*lastSave.Sub(begin))
		}
	}
	return nil
}

// stopped writes a checkpoint of a run that cannot go on now, unless it went
// astray: then the last good one stays.
func (r *run) stopped(err error) error {
	var bad *train.NotFiniteError
	if errors.As(err, &bad) {
		return &stroke.Error{Code: stroke.CodeFailure, Hint: bad.Hint(), Err: bad}
	}
	if r.aside != "" && r.trainer.Done() == 0 && !stoppedIn(r.aside).IsZero() { // an earlier fold may have taken its place
		return interrupted(err, "train", "nothing was learnt yet; the run that was stopped before it is as it was, and goes on with its own arguments")
	}
	if saved := r.save(); saved != nil {
		return &stroke.Error{Code: stroke.CodeOf(interrupted(err, "train", "")), Err: saved,
			Msg:  fmt.Sprintf("the run stopped at step %d of %d, and that could not be kept", r.trainer.Done(), r.trainer.Steps()),
			Hint: "make room on the disk, then go on from the checkpoint before it, where there was one, with the same arguments and --resume"}
	}
	return interrupted(err, "train", fmt.Sprintf("step %d of %d is kept; go on with the same arguments and --resume", r.trainer.Done(), r.trainer.Steps()))
}

func (r *run) save() error {
	r.progress.Mean, r.progress.Base = r.recipe.Mean, r.b.ref()
	r.tally()
	err := writeWith(r.path(checkpointFile), func(w io.Writer) error { return r.trainer.Save(w, r.progress) })
	if err == nil {
		if r.trainer.Done() > 0 {
			r.forgetAside()
		}
		r.emit(stroke.CheckpointEvent{Step: r.trainer.Done()})
	}
	return err
}

func (r *run) epochDir(epoch int) string { return r.path("epoch-" + strconv.Itoa(epoch+1)) }

// selectPieces works out what select documents are scored by.
func (r *run) selectPieces() {
	r.pieces, r.room = nil, 2
	for _, p := range evenly(r.passages.bare(r.choose, pieceTokens), selectTokens, piece.scored) {
		r.pieces = append(r.pieces, p.plain)
		r.room = max(r.room, len(p.plain.Tokens)+1)
	}
	if len(r.pieces) > 0 {
		return
	}
	// No passages are asked for here, so all words of short documents can count.
	for _, d := range r.choose {
		ids := r.b.tok.Encode(d.Text)
		if ids = ids[:min(len(ids), pieceTokens)]; len(ids) > 0 {
			r.pieces = append(r.pieces, eval.Piece{Context: []int32{r.b.first}, Tokens: ids})
			r.room = max(r.room, len(ids)+1)
		}
	}
}

// selector makes what scores select documents.
func (r *run) selector() (*eval.Scorer, error) {
	return eval.NewScorer(r.trainer.Model(), r.room, r.selectPad(&r.recipe.Options), r.bf16())
}

// selectPad is the padded ranks of all adapters under which select documents are
// scored, in a run with the given options.
func (r *run) selectPad(o *train.Options) int {
	pad := 0
	for _, a := range r.below {
		pad += a.Adapter.Pad()
	}
	return pad + paddedRank(o)
}

// paddedRank is the padded rank of the adapter that is trained; 0 where none is.
func paddedRank(o *train.Options) int {
	if o.Weights != nil {
		return 0
	}
	return op.NewPair(o.LoRA.Rank, 0, 0, 1, func(int) []float32 { return nil }).Pad
}

// bf16 says whether the run scores in bfloat16: as it trains, unless told.
func (r *run) bf16() bool { return r.recipe.Options.Arithmetic == train.BF16 && !r.o.Exact }

// inTraining are the adapters that take part in training; none where weights of
// the base are trained, which are in the trainer's model.
func (r *run) inTraining() []lora.Applied {
	if r.trainer.Adapter() == nil {
		return nil
	}
	return append(append([]lora.Applied(nil), r.below...), lora.Applied{Adapter: r.trainer.Adapter(), Strength: 1})
}

// scoreSelect adds the loss on select documents with the given adapters.
func (r *run) scoreSelect(ctx context.Context, s *eval.Scorer, use []lora.Applied) error {
	losses, err := s.Score(ctx, r.pieces, use, nil)
	if err != nil {
		return err
	}
	loss := eval.Pool(losses).PerToken()
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return &train.NotFiniteError{Step: r.trainer.Done(), Rate: r.recipe.Options.Rate}
	}
	r.progress.Select = append(r.progress.Select, loss)
	epoch := len(r.progress.Select) - 1
	r.emit(stroke.SelectEvent{Epoch: epoch, Loss: r.progress.Select[epoch], Best: r.best() == epoch})
	return nil
}

// best is the epoch with the lowest loss on select documents, counted from 1; 0
// while there is none.
func (r *run) best() int {
	if r.take > 0 {
		return min(r.take, len(r.progress.Select)-1)
	}
	best := 0
	for e := 1; e < len(r.progress.Select); e++ {
		if best == 0 || r.progress.Select[e] < r.progress.Select[best] {
			best = e
		}
	}
	return best
}

// endEpoch keeps what an epoch learnt and scores it. A run that is resumed
// before the next checkpoint does it again, with the same result.
func (r *run) endEpoch(ctx context.Context, epoch int, s *eval.Scorer) error {
	dir := r.epochDir(epoch)
	if err := os.RemoveAll(dir); err != nil {
		return writeError(dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return writeError(dir, err)
	}
	use := r.inTraining()
	if a := r.trainer.Adapter(); a == nil {
		if err := r.writeWeights(filepath.Join(dir, weightsFile)); err != nil {
			return err
		}
	} else {
		file := a.File()
		if r.recipe.Mean && epoch > 0 {
			var err error
			if file, err = r.withEpochs(epoch, file); err != nil {
				return err
			}
			if use[len(use)-1].Adapter, err = file.Adapter(r.b.model.Shape()); err != nil {
				return fmt.Errorf("take the mean of the epochs: %w", err)
			}
		}
		if err := lora.WriteDir(dir, file, tensor.F32); err != nil {
			return writeError(dir, err)
		}
	}
	return r.scoreSelect(ctx, s, use)
}

// withEpochs is the mean of an adapter and of those after the n epochs before, whose
// own mean is in the folder of the last of them.
func (r *run) withEpochs(n int, a *lora.File) (*lora.File, error) {
	was, err := lora.ReadDir(r.epochDir(n - 1))
	if err != nil {
		return nil, fmt.Errorf("read the adapter of epoch %d: %w", n, err)
	}
	return lora.Mean(was, n, a)
}

// chosen is what the best epoch learnt: an adapter joined with what it stands
// on, or weights as they will be written.
func (r *run) chosen() (*learnt, int, error) {
	best := r.best()
	if best == 0 {
		return nil, 0, errors.New("no epoch was finished")
	}
	if r.recipe.Options.Weights != nil {
		t, err := r.weightsOf(best)
		if err != nil {
			return nil, 0, fmt.Errorf("read the weights of epoch %d: %w", best, err)
		}
		return &learnt{tuned: t}, best, nil
	}
	file, err := lora.ReadDir(r.epochDir(best - 1))
	if err != nil {
		return nil, 0, fmt.Errorf("read the adapter of epoch %d: %w", best, err)
	}
	a, err := file.Adapter(r.b.model.Shape())
	if err != nil {
		return nil, 0, fmt.Errorf("read the adapter of epoch %d: %w", best, err)
	}
	if len(r.below) > 0 {
		if a, err = lora.Join(append(append([]lora.Applied(nil), r.below...), lora.Applied{Adapter: a, Strength: 1})...); err != nil {
			return nil, 0, err
		}
	}
	a.Base = r.b.name
	return &learnt{adapter: a}, best, nil
}

// asWritten is an adapter rounded as its file will be.
func (r *run) asWritten(a *lora.Adapter) (*lora.Adapter, error) {
	dir, err := os.MkdirTemp(r.path(""), halfWritten+"*")
	if err != nil {
		return nil, writeError(r.path(""), err)
	}
	defer os.RemoveAll(dir)
	if err := lora.WriteDir(dir, a.File(), tensor.F16); err != nil {
		return nil, writeError(dir, err)
	}
	f, err := lora.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("judge the adapter: %w", err)
	}
	return f.Adapter(r.b.model.Shape())
}
