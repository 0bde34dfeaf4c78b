package model

import (
	"fmt"
	"math"
)

// Rope is how positions turn: the base frequency and the scaling that a longer
// context was given.
type Rope struct {
	Theta   float64
	Scaling string    // "" none, "linear", "llama3", "yarn"
	Factor  float64   // of any scaling
	Low     float64   // llama3: low_freq_factor
	High    float64   // llama3: high_freq_factor
	Origin  float64   // llama3, yarn: original_max_position_embeddings
	Fast    float64   // yarn: beta_fast, 32 by default
	Slow    float64   // yarn: beta_slow, 1 by default
	Attn    float64   // yarn: attention_factor; 0 for 0.1·ln(factor)+1
	NoTrunc bool      // yarn: "truncate": false
	Divide  []float32 // GGUF's rope_freqs: what each frequency is divided by; nil for none
}

// frequencies gives the turn per position of each pair of features, and what
// cosines and sines are multiplied by, following transformers'
// modeling_rope_utils.
func (r *Rope) frequencies(size int) ([]float64, float64, error) {
	if err := r.validate(); err != nil {
		return nil, 0, err
	}
	half := size / 2
	f := make([]float64, half)
	for i := range f {
		f[i] = math.Pow(r.Theta, -float64(2*i)/float64(size))
	}
	if r.Divide != nil {
		if len(r.Divide) != half {
			return nil, 0, fmt.Errorf("rope_freqs has %d entries where %d are expected: the file is damaged", len(r.Divide), half)
		}
		for i, d := range r.Divide {
			if !(d > 0 && d <= math.MaxFloat32) {
				return nil, 0, fmt.Errorf("rope_freqs has the entry %g: the file is damaged", d)
			}
			f[i] /= float64(d)
		}
	}
	scale := 1.0
	switch r.Scaling {
	case "":
	case "linear":
		for i := range f {
			f[i] /= r.Factor
		}
	case "llama3":
		for i := range f {
			wave := 2 * math.Pi / f[i]
			switch {
			case wave < r.Origin/r.High:
			case wave > r.Origin/r.Low:
				f[i] /= r.Factor
			default:
				s := (r.Origin/wave - r.Low) / (r.High - r.Low)
				f[i] = (1-s)*f[i]/r.Factor + s*f[i]
			}
		}
	case "yarn": // arXiv:2309.00071
		at := func(turns float64) float64 {
			return float64(size) * math.Log(r.Origin/(turns*2*math.Pi)) / (2 * math.Log(r.Theta))
		}
		low, high := at(r.Fast), at(r.Slow)
		if !r.NoTrunc {
			low, high = math.Floor(low), math.Ceil(high)
		}
		low, high = max(low, 0), min(high, float64(size-1))
		if low == high {
			high += 0.001
		}
		for i := range f {
			ramp := min(max((float64(i)-low)/(high-low), 0), 1)
			f[i] = f[i]/r.Factor*ramp + f[i]*(1-ramp)
		}
		if scale = r.Attn; scale == 0 {
			scale = yarnScale(r.Factor, 1)
		}
	default:
		return nil, 0, fmt.Errorf("the RoPE scaling %q is not known", r.Scaling)
	}
	if !finite(scale) {
		return nil, 0, fmt.Errorf("the RoPE scaling %q multiplies by %g: the file is damaged", r.Scaling, scale)
	}
	for i, w := range f {
		if !finite(w) {
			return nil, 0, fmt.Errorf("the RoPE frequency %d is %g: the file is damaged", i, w)
		}
	}
	return f, scale, nil
}

// finite says whether x is a number of float32, so that its product with a position or
// a cosine is none that is not finite.
func finite(x float64) bool { return math.Abs(x) <= math.MaxFloat32 }

// yarnScale is YaRN's correction of the attention's temperature.
func yarnScale(factor, m float64) float64 {
	if factor <= 1 {
		return 1
	}
	return 0.1*m*math.Log(factor) + 1
}

func (r *Rope) validate() error {
	if !(r.Theta > 0) {
		return fmt.Errorf("the RoPE base frequency is %g: the file is damaged", r.Theta)
	}
	if r.Scaling != "" && !(r.Factor > 0) {
		return fmt.Errorf("the factor of RoPE scaling %q is %g: the file is damaged", r.Scaling, r.Factor)
	}
	if r.Scaling == "llama3" && !(r.Low > 0 && r.High > r.Low && r.Origin > 0) {
		return fmt.Errorf("the RoPE scaling llama3 has low %g, high %g and the original context %g: the file is damaged", r.Low, r.High, r.Origin)
	}
	if r.Scaling == "yarn" && !(r.Fast > 0 && r.Slow > 0 && r.Origin > 0) {
		return fmt.Errorf("the RoPE scaling yarn has beta_fast %g, beta_slow %g and the original context %g: the file is damaged", r.Fast, r.Slow, r.Origin)
	}
	return nil
}

// tables fills cos and sin, [context, size/2] each.
func (r *Rope) tables(cos, sin []float32, size, context int) error {
	f, scale, err := r.frequencies(size)
	if err != nil {
		return err
	}
	half := size / 2
	for p := range context {
		for i, w := range f {
			s, c := math.Sincos(float64(p) * w)
			cos[p*half+i], sin[p*half+i] = float32(c*scale), float32(s*scale)
		}
	}
	return nil
}
