package twin

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/weights"
)

// What of a run is particular to training weights of the base.

// beside is the memory of a run beside what is planned for training: the program,
// what scores select documents, and the base, which a run over all of its weights does
// not read again.
func (r *run) beside(o *train.Options) int64 {
	room := cmp.Or(r.room, pieceTokens+1)
	bytes := processBytes + eval.ScorerBytes(r.b.model, room, r.selectPad(o), o.Arithmetic == train.BF16 && !r.o.Exact)
	if o.Weights != nil && o.Weights.All() {
		return bytes
	}
	return bytes + r.b.model.Bytes()
}

// diskBytes is what a run over n weights of the base has on the disk at the most:
// a checkpoint with its moments and the one before it, the weights of the best
// epoch and of the one at hand, and the version. An adapter's is not worth telling.
func (r *run) diskBytes(n int) int64 {
	o := &r.recipe.Options
	if o.Weights == nil {
		return 0
	}
	copies := int64(2*3*4 + 2*4)
	if o.Optimizer == train.Adafactor {
		copies = 2*4 + 2*4
	}
	return int64(n) * (copies + int64(weightTypes[r.recipe.DType].RowBytes(1)))
}

// tooLittle says what a run takes and what would fit in its place.
func (r *run) tooLittle(j train.Job, limit, whole int64) error {
	var fits []string
	try := func(j train.Job, flags string) bool {
		least, err := train.Floor(j)
		least += r.beside(&j.Options)
		if err != nil || least > limit {
			return false
		}
		fits = append(fits, fmt.Sprintf("%s (%s)", flags, term.Bytes(least)))
		return true
	}
	method := fmt.Sprintf("--method %s ", r.recipe.Method)
	if j.Options.Weights != nil && j.Options.Optimizer != train.Adafactor {
		other := j
		other.Options.Optimizer = train.Adafactor
		try(other, method+"--optimizer adafactor")
	}
	if s := j.Options.Weights; s != nil && (s.All() || len(s.Layers) > 1) {
		for first := 1; first < r.b.model.Layers; first++ {
			other, layers := j, []int(nil)
			for l := first; l < r.b.model.Layers; l++ {
				layers = append(layers, l)
			}
			other.Options.Weights = &model.Selection{Layers: layers, Modules: s.Modules}
			if try(other, fmt.Sprintf("--method partial --layers %d-%d", first, r.b.model.Layers-1)) {
				break
			}
		}
	}
	if j.Options.Weights == nil {
		// A genre or an adapter that is gone on with has a rank already.
		for rank := j.Options.LoRA.Rank / 2; rank > 0 && j.From == nil; rank /= 2 {
			other := j
			other.Options.LoRA.Rank = rank
			if try(other, fmt.Sprintf("--rank %d", rank)) {
				break
			}
		}
	} else {
		other := j
		other.Options = DefaultRecipe(0).Options
		try(other, "--method lora")
	}
	hint := "close other programs"
	if r.o.Memory > 0 {
		hint = "give it more with --memory"
	}
	if len(fits) > 0 {
		hint += ", or train with what fits: " + strings.Join(fits, ", or ")
	} else {
		hint += ", or choose a smaller base"
	}
	return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the run takes at least %s of memory and may take %s", term.Bytes(whole), term.Bytes(limit)),
		Hint: hint}
}

// planError is of a run that cannot be planned.
func planError(err error) error {
	if bad := (*model.SelectionError)(nil); errors.As(err, &bad) {
		return &stroke.Error{Code: stroke.CodeInput, Msg: bad.Error(), Hint: bad.Hint()}
	}
	return &stroke.Error{Code: stroke.CodeInput, Msg: "training cannot be planned", Err: err, Hint: stroke.HintOf(err)}
}

// writeWeights writes the weights in training to a file in F32, as Hugging Face
// has them.
func (r *run) writeWeights(path string) error {
	var out []weights.Tensor
	for _, p := range r.trainer.Params() {
		w := p.W
		if p.Shift != 0 {
			w = make([]float32, len(p.W))
			for i, x := range p.W {
				w[i] = x - p.Shift
			}
		}
		out = append(out, weights.Tensor{Name: p.Name, DType: tensor.F32, Shape: p.Shape, Data: tensor.Bytes(w)})
	}
	return writeWith(path, func(w io.Writer) error {
		return weights.WriteSafetensors(w, out, map[string]string{"format": "pt"})
	})
}

// weightsOf opens the weights of an epoch, counted from 1, as they will be
// written.
func (r *run) weightsOf(epoch int) (*tuned, error) {
	path := r.path(weightsFile)
	from := filepath.Join(r.epochDir(epoch-1), weightsFile)
	err := narrowWeights(path, from, weightTypes[r.recipe.DType])
	if errors.Is(err, tensor.ErrRange) {
		return nil, &stroke.Error{Code: stroke.CodeFailure, Msg: "the weights cannot be written as " + r.recipe.DType, Err: err,
			Hint: "go on with the same arguments, --resume and --dtype BF16 or F32"}
	}
	if err != nil {
		return nil, err
	}
	return openTuned(path, r.b.model)
}

// forgetEpochs deletes what epochs learnt that a checkpoint knows are neither the best
// nor the last: the next one may take its mean with that. Weights are as large as the
// base and have no mean.
func (r *run) forgetEpochs() {
	best, last := r.best()-1, r.trainer.EpochsDone()-1
	for e := range r.recipe.Epochs {
		if e != best && (e != last || r.recipe.Options.Weights != nil) {
			os.RemoveAll(r.epochDir(e))
		}
	}
}
