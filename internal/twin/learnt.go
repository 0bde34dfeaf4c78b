package twin

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/weights"
)

// learnt is what a version brings to its base: an adapter, which travels with the
// rows of a batch, or weights in the place of the base's.
type learnt struct {
	adapter *lora.Adapter
	tuned   *tuned
}

// tuned are weights that take the place of a base's, open in their file.
type tuned struct {
	path string
	file *weights.Safetensors
	base *model.Model
	view *model.Model // the base with the weights at full strength
}

// openTuned opens the weights in the file at path for a base.
func openTuned(path string, base *model.Model) (*tuned, error) {
	f, err := weights.OpenSafetensors(path)
	if err != nil {
		return nil, err
	}
	view, err := base.Replace(f.Tensors, 1, heap)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &tuned{path: path, file: f, base: base, view: view}, nil
}

func heap(n int) []float32 { return make([]float32, n) }

// at gives the model and the adapters that compute with what was learnt at a
// strength. done gives back the memory that this takes.
func (l *learnt) at(base *model.Model, strength float32) (m *model.Model, use []lora.Applied, done func(), err error) {
	done = func() {}
	switch {
	case l == nil || strength == 0:
		return base, nil, done, nil
	case l.adapter != nil:
		return base, []lora.Applied{{Adapter: l.adapter, Strength: strength}}, done, nil
	case strength == 1:
		return l.tuned.view, nil, done, nil
	}
	floats := 0
	for _, t := range l.tuned.file.Tensors {
		floats += tensor.Aligned(t.Elements())
	}
	if err := strengthRoom(strength, 4*int64(floats), freeMemory()); err != nil {
		return nil, nil, nil, err
	}
	arena, err := tensor.NewArena(4 * floats)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("take memory for a strength of %g: %w", strength, err)
	}
	if m, err = base.Replace(l.tuned.file.Tensors, strength, arena.Floats); err != nil {
		arena.Close()
		return nil, nil, nil, err
	}
	return m, nil, func() { arena.Close() }, nil
}

// strengthRoom says why weights at a strength are not computed: they take so many bytes
// where the system has free ones, 0 where it does not say.
func strengthRoom(strength float32, bytes, free int64) error {
	if free == 0 || bytes <= free {
		return nil
	}
	return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("weights of the base at a strength of %g take %s of memory where %s are free", strength, term.Bytes(bytes), term.Bytes(free)),
		Hint: "close other programs, or take a strength of 1 or 0, which takes none"}
}

// pad is the padded rank that rows need.
func (l *learnt) pad() int {
	if l == nil || l.adapter == nil {
		return 0
	}
	return l.adapter.Pad()
}

// close gives the file back; views of it must not be used after it.
func (l *learnt) close() error {
	if l == nil || l.tuned == nil {
		return nil
	}
	return l.tuned.file.Close()
}

// learnt opens what a version brings to a base.
func (f *Folder) learnt(v *Version, b *baseModel) (*learnt, error) {
	if len(v.Weights) == 0 {
		a, err := f.Adapter(v, b.model.Shape())
		if err != nil {
			return nil, err
		}
		return &learnt{adapter: a}, nil
	}
	path := filepath.Join(f.Dir, versionsDir, v.ID, weightsFile)
	sum, _, err := hashFile(path)
	if err == nil && sum != v.Weights[weightsFile] {
		err = errors.New(weightsFile + " is not what it was")
	}
	if err != nil {
		return nil, damagedVersion(f, v.ID, err)
	}
	t, err := openTuned(path, b.model)
	if bad := (*model.ReplaceError)(nil); errors.As(err, &bad) {
		return nil, otherBase(f, v, err)
	}
	if err != nil {
		return nil, damagedVersion(f, v.ID, err)
	}
	return &learnt{tuned: t}, nil
}

// otherBase is of a version that was trained on another base.
func otherBase(f *Folder, v *Version, err error) error {
	return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the version %s of %s was trained on %s and does not fit this base", v.ID, f.Name, v.Base.Name),
		Hint: "use the base it was trained on: --base " + v.Base.Name, Err: err}
}

// hashFile is the SHA-256 of a file and its size in bytes.
func hashFile(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// narrowWeights writes the tensors of the file at from, in the type t, to a file
// at to.
func narrowWeights(to, from string, t tensor.DType) error {
	f, err := weights.OpenSafetensors(from)
	if err != nil {
		return err
	}
	defer f.Close()
	floats := 0
	for _, x := range f.Tensors {
		floats += tensor.Aligned((t.RowBytes(x.Elements()) + 3) / 4)
	}
	arena, err := tensor.NewArena(4 * floats)
	if err != nil {
		return err
	}
	defer arena.Close()
	var out []weights.Tensor
	err = weights.Guard(func() error {
		for _, name := range f.Names {
			x := f.Tensors[name]
			n := t.RowBytes(x.Elements())
			data := tensor.Bytes(arena.Floats((n + 3) / 4))[:n]
			if err := tensor.Narrow(data, tensor.FloatsOf(x.Data), t); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			out = append(out, weights.Tensor{Name: name, DType: t, Shape: x.Shape, Data: data})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return writeWith(to, func(w io.Writer) error {
		return weights.WriteSafetensors(w, out, map[string]string{"format": "pt"})
	})
}

// putAdapter writes the adapter of a new version.
func (v *Version) putAdapter(dir string, a *lora.Adapter) (size int64, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, writeError(dir, err)
	}
	if err := lora.WriteDir(dir, a.File(), tensor.F16); err != nil {
		return 0, writeError(dir, err)
	}
	v.Adapter = map[string]string{}
	for _, name := range []string{lora.ConfigFile, lora.WeightsFile} {
		sum, n, err := hashFile(filepath.Join(dir, name))
		if err != nil {
			return 0, fmt.Errorf("publish version: %w", err)
		}
		v.Adapter[name] = sum
		size += n
	}
	syncDir(dir)
	return size, nil
}

// putWeights moves the weights of a new version to where it is written.
func (v *Version) putWeights(dir string, l *learnt) (size int64, err error) {
	// Some systems do not move a file that is mapped.
	if err := l.close(); err != nil {
		return 0, fmt.Errorf("publish version: %w", err)
	}
	path := filepath.Join(dir, weightsFile)
	if err := os.Rename(l.tuned.path, path); err != nil {
		return 0, writeError(path, err)
	}
	sum, size, err := hashFile(path)
	if err != nil {
		return 0, fmt.Errorf("publish version: %w", err)
	}
	v.Weights = map[string]string{weightsFile: sum}
	return size, nil
}
