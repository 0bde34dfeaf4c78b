package twin

import (
	"fmt"
	"slices"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/lora"
)

// sameWeights is the share of an adapter's squared length below which the difference of
// another is that of the format which it is kept in.
const sameWeights = 1e-3

// distinct leaves out of a list what has the weights of another in it, under another
// name or in another format; one that comes with the program stays.
func distinct(list []trial, emit Emit) []trial {
	var out []trial
	for _, t := range list {
		i := slices.IndexFunc(out, func(o trial) bool { return sameAdapter(o.adapter, t.adapter) })
		if i < 0 {
			out = append(out, t)
			continue
		}
		copied := t
		if t.genre.Embedded && !out[i].genre.Embedded {
			copied, out[i] = out[i], t
		}
		emit(stroke.NoteEvent{Text: fmt.Sprintf("left out the genre %s: it has the weights of %s", copied.genre.Name, out[i].genre.Name)})
	}
	return out
}

// sameAdapter says whether two adapters have the same weights, but for how they are rounded.
func sameAdapter(a, b *lora.Adapter) bool {
	if !a.SameShape(b) {
		return false
	}
	for l := range a.Pairs {
		for m, p := range a.Pairs[l] {
			if q := b.Pairs[l][m]; p != nil && !(near(p.A, q.A) && near(p.B, q.B)) {
				return false
			}
		}
	}
	return true
}

// near says whether two vectors are the same but for how they are rounded.
func near(x, y []float32) bool {
	if len(x) != len(y) {
		return false
	}
	var off, all float64
	for i, v := range x {
		d := float64(v - y[i])
		off += d * d
		all += float64(v) * float64(v)
	}
	return off <= sameWeights*all
}
