package quantize

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/weights"
)

// stripWeights is how many weights are made at a time: what is in memory beside the
// maps of the files.
const stripWeights = 1 << 20

// errorSum is what quantizing took from some weights.
type errorSum struct {
	squares float64 // Σ (result - source)²
	source  float64 // Σ source²
}

// strip quantizes rows of one weight; a piece is a row.
type strip struct {
	item  *item
	first int    // row
	out   []byte // the rows in the new format, one after the other
	size  int    // bytes of each
	sums  []errorSum
	errs  []error
	rows  [][]float32 // of each worker: the row, and what became of it
}

// Do implements kernel.Task.
func (s *strip) Do(i, worker int) {
	x, out := s.item, s.out[i*s.size:(i+1)*s.size]
	buf := s.rows[worker]
	cols := x.cols()
	row, back := buf[:cols], buf[cols:2*cols]
	x.row(row, s.first+i)
	s.errs[i], s.sums[i] = nil, errorSum{}
	if raw := x.raw(s.first + i); x.from == x.to && raw != nil {
		copy(out, raw)
	} else if s.errs[i] = weights.QuantizeRow(out, row, x.to); s.errs[i] != nil {
		return
	}
	kernel.Widen(back, out, x.to)
	var e errorSum
	for k, v := range row {
		d := float64(back[k]) - float64(v)
		e.squares += d * d
		e.source += float64(v) * float64(v)
	}
	if math.IsNaN(e.squares) { // what is copied has not been looked at yet
		s.errs[i] = fmt.Errorf("one of its values is no number, or without end: %w", tensor.ErrRange)
	}
	s.sums[i] = e
}

// writer makes the weights of a file.
type writer struct {
	ctx   context.Context
	items []item
	sums  []errorSum // of each item
	strip strip
	done  func(bytes int64) // told of those of the source that are through
}

// fill writes the weight i, in the order of its rows whoever makes them.
func (w *writer) fill(i int, out io.Writer) error {
	x, s := &w.items[i], &w.strip
	cols := x.cols()
	if cols == 0 {
		return nil
	}
	s.item, s.size = x, x.to.RowBytes(cols)
	for len(s.rows) < kernel.Workers() {
		s.rows = append(s.rows, nil)
	}
	for k := range s.rows {
		if len(s.rows[k]) < 2*cols {
			s.rows[k] = make([]float32, 2*cols)
		}
	}
	for rows := x.rows(); s.first < rows; {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		n := min(max(stripWeights/cols, 1), rows-s.first)
		if len(s.out) < n*s.size {
			s.out = make([]byte, n*s.size)
		}
		if len(s.sums) < n {
			s.sums, s.errs = make([]errorSum, n), make([]error, n)
		}
		kernel.Run(n, s)
		for r := range n {
			if err := s.errs[r]; err != nil {
				return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("row %d of the weight %s cannot be written in %s", s.first+r, x.name, nameOf(x.to)), Err: err,
					Hint: "such a weight is damaged, or the model needs a format with a wider range: keep it as it is"}
			}
			w.sums[i].squares += s.sums[r].squares
			w.sums[i].source += s.sums[r].source
		}
		if _, err := out.Write(s.out[:n*s.size]); err != nil {
			return err
		}
		s.first += n
		w.done(int64(n) * int64(x.from.RowBytes(cols)))
	}
	s.first = 0
	return nil
}

// writeFile writes the file beside its place, syncs it, has it checked, and renames
// it: it is there whole or not at all.
func writeFile(path string, size int64, fill func(io.Writer) error, check func(path string) error) (err error) {
	fail := func(err error) error {
		var e *stroke.Error
		if errors.As(err, &e) || errors.Is(err, context.Canceled) || stroke.HintOf(err) != "" {
			return err
		}
		return &stroke.Error{Code: stroke.CodeFailure, Msg: "cannot write " + path, Err: err,
			Hint: fmt.Sprintf("it needs %s: make room there, or name another place with -o", term.Bytes(size))}
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.incomplete")
	if err != nil {
		return fail(err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	err = fill(f)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = check(f.Name())
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fail(err)
	}
	if runtime.GOOS != "windows" { // where a folder cannot be opened so
		if d, e := os.Open(filepath.Dir(path)); e == nil {
			// Some file systems cannot, and then the file's own sync has to do.
			_ = d.Sync()
			d.Close()
		}
	}
	return nil
}

// sizeOf is the size of the weights in their new formats.
func sizeOf(items []item, of func(*item) tensor.DType) int64 {
	n := int64(0)
	for i := range items {
		n += items[i].bytes(of(&items[i]))
	}
	return n
}
