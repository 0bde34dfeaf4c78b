package op

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
)

// TestAttendInPhases holds a single query's outputs to the same bits for any number of
// workers, whether attention is cut into phases or not.
func TestAttendInPhases(t *testing.T) {
	workers := kernel.Workers()
	defer kernel.SetWorkers(workers)
	eachKernel(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(11, 12))
		for _, h := range []Heads{{Q: 9, KV: 3, Size: 64, Scale: 0.125}, {Q: 14, KV: 2, Size: 64, Scale: 0.125, Window: 300}, {Q: 16, KV: 1, Size: 64, Scale: 0.125}, {Q: 5, KV: 5, Size: 80, Scale: 0.1}} {
			const pages, length = 12, 64
			half := h.KV * length * h.Size
			keys := Keys{Len: length, VOff: half, Far: true}
			for range pages {
				_, page := random(rng, 2*half)
				keys.Pages = append(keys.Pages, page)
			}
			all := keys.Pages
			_, q := random(rng, h.Q*h.Size)
			for i := range 6 {
				start := []int{254, 255, 700}[i%3]
				if keys.DType, keys.VOff = kernel.F32, half; i >= 3 {
					keys.DType, keys.VOff = kernel.F16, 2*half
				}
				// What stands behind the position must not be read.
				keys.Pages = nil
				for i := range all {
					page := slices.Clone(all[i])
					for at := range page {
						if i*length+at/h.Size%length > start {
							page[at] = float32(math.NaN())
						}
					}
					if keys.DType == kernel.F16 {
						kernel.NarrowF16(tensor.Bytes(page)[:2*len(page)], slices.Clone(page))
					}
					keys.Pages = append(keys.Pages, page)
				}
				var want, wantStat []float32
				for _, w := range []int{1, 2, 3, 4, 8} {
					kernel.SetWorkers(w)
					e := NewExec(pages*length, h.Size, heap)
					o, stat := heap(h.Q*h.Size), heap(2*h.Q)
					e.Attend(o, q, stat, []Sequence{{N: 1, Start: start, Keys: keys}}, h)
					if w == 1 {
						want, wantStat = o, stat
						continue
					}
					if o[0] != o[0] || !slices.Equal(o, want) || !slices.Equal(stat, wantStat) {
						t.Errorf("%+v, %s, position %d: %d workers have other bits than one", h, keys.DType, start, w)
					}
					if start+1 >= apartKeys && h.KV%w != 0 && h.Size%(16*w) == 0 && e.attend.phase != valuePhase+1 {
						t.Errorf("%+v, %s, position %d, %d workers: attention was not cut into phases", h, keys.DType, start, w)
					}
				}
			}
		}
	})
}
