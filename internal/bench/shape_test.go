package bench

import (
	"math"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
)

// TestFill holds that random weights of every type keep the size of what they are
// multiplied with.
func TestFill(t *testing.T) {
	for _, typ := range []tensor.DType{tensor.Q4_0, tensor.Q4_K, tensor.Q6_K} {
		for _, cols := range []int{1024, 8192} {
			const rows = 16
			b := make([]byte, typ.RowBytes(rows*cols))
			(&filler{state: 1}).fill(b, typ, cols)
			w := make([]float32, rows*cols)
			kernel.Widen(w, b, typ)
			var mean, square float64
			for _, v := range w {
				mean += float64(v) / float64(len(w))
				square += float64(v) * float64(v) / rows
			}
			if !(square > 0.9 && square < 1.1) || math.Abs(mean)*math.Sqrt(float64(cols)) > 0.15 {
				t.Errorf("%s, %d columns: a row has a square of %.3f, the mean is %g", typ, cols, square, mean)
			}
		}
	}
}

// TestShapeRefusals knows what cannot be made.
func TestShapeRefusals(t *testing.T) {
	for want, c := range map[string][2]string{
		`the shape "gpt-5" is not known: there are gemma-3-1b, llama-3.2-1b, qwen3-0.6b, smollm2-1.7b`:                {"gpt-5", "q4_0"},
		`the format "q9" is not known: there are q4_0, q4_k_m`:                                                        {"qwen3-0.6b", "q9"},
		`the shape of gemma-3-1b cannot be measured in q4_k_m: its rows of 1152 are no whole number of blocks of 256`: {"gemma-3-1b", "q4_k_m"},
	} {
		if _, _, err := Shape(c[0], c[1]); err == nil || err.Error() != want {
			t.Errorf("Shape(%q, %q): %v, want %s", c[0], c[1], err, want)
		}
	}
}
