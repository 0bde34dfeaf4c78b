package weights

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/tensor"
)

var quantized = []tensor.DType{tensor.Q8_0, tensor.Q6_K, tensor.Q5_0, tensor.Q4_1, tensor.Q4_0, tensor.Q4_K}

// sampleRows makes the rows of testdata/quantize_reference.py.
func sampleRows(kind string) [][]float32 {
	const rows, cols = 64, 512
	state := uint64(len(kind))
	out := make([][]float32, rows)
	for r := range out {
		out[r] = make([]float32, cols)
		for c := range out[r] {
			state += 0x9e3779b97f4a7c15
			z := state
			z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
			z = (z ^ z>>27) * 0x94d049bb133111eb
			z ^= z >> 31
			sum := int(z&0xffff) + int(z>>16&0xffff) + int(z>>32&0xffff) + int(z>>48) - 2*65535
			x := float32(sum) / 65536
			i := r*cols + c
			switch kind {
			case "tails":
				x = float32(x*x) * x
			case "outliers":
				if i%97 == 0 {
					x *= 16
				}
			case "positive":
				x = max(x, -x)
			case "shifted":
				x = float32(x*0.25) + 3
			case "uneven":
				x = float32(math.Ldexp(float64(x), -(i / 16 % 8)))
			}
			out[r][c] = x * 0.0625
		}
	}
	return out
}

// relative is the RMS of the error that quantizing leaves, over the RMS of x.
func relative(t testing.TB, rows [][]float32, d tensor.DType) float64 {
	t.Helper()
	var sum, all float64
	for _, x := range rows {
		back := make([]float32, len(x))
		b := make([]byte, d.RowBytes(len(x)))
		if err := QuantizeRow(b, x, d); err != nil {
			t.Fatal(err)
		}
		kernel.Widen(back, b, d)
		for i := range x {
			e := float64(back[i]) - float64(x[i])
			sum += e * e
			all += float64(x[i]) * float64(x[i])
		}
	}
	return math.Sqrt(sum / all)
}

// TestQuantizeAgainstGGML holds that no format loses more than ggml's own
// quantizer does on rows of several kinds.
func TestQuantizeAgainstGGML(t *testing.T) {
	b, err := os.ReadFile("testdata/quantize_reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		RMS map[string]map[string]float64 `json:"relative_rms"`
	}
	if err := json.Unmarshal(b, &ref); err != nil {
		t.Fatal(err)
	}
	if len(ref.RMS) != 6 {
		t.Fatalf("the reference has %d kinds of rows", len(ref.RMS))
	}
	for kind, of := range ref.RMS {
		rows := sampleRows(kind)
		for _, d := range quantized {
			theirs := of[d.String()]
			ours := relative(t, rows, d)
			t.Logf("%-8s %s: %.5f, ggml %.5f, ratio %.4f", kind, d, ours, theirs, ours/theirs)
			if !(ours > 0 && ours <= theirs*1.0005) {
				t.Errorf("%s rows in %s lose %.6g of themselves, with ggml %.6g", kind, d, ours, theirs)
			}
		}
	}
}

// TestQuantizeSameBytes holds the very bytes, which are the same on every machine.
func TestQuantizeSameBytes(t *testing.T) {
	for d, want := range map[tensor.DType]uint32{
		tensor.F16: 0xaf4647d3, tensor.BF16: 0xd1b7dd72, tensor.Q8_0: 0x02aed083, tensor.Q6_K: 0x813d012c,
		tensor.Q5_0: 0x18459a8b, tensor.Q4_1: 0x96729926, tensor.Q4_0: 0x1fa9475f, tensor.Q4_K: 0x8fe9ee8c,
	} {
		sum := crc32.NewIEEE()
		for _, kind := range []string{"bell", "tails", "outliers", "positive", "shifted", "uneven"} {
			for _, x := range sampleRows(kind) {
				b := make([]byte, d.RowBytes(len(x)))
				if err := QuantizeRow(b, x, d); err != nil {
					t.Fatal(err)
				}
				sum.Write(b)
			}
		}
		if got := sum.Sum32(); got != want {
			t.Errorf("%s has the sum %#08x, want %#08x", d, got, want)
		}
	}
}

// TestQuantizeExact quantizes what every format holds but for the rounding of its
// scale to binary16: zeros, one magnitude, and whole numbers of one step where
// there are few.
func TestQuantizeExact(t *testing.T) {
	for _, d := range quantized {
		elems, _ := d.Block()
		x := make([]float32, 2*elems)
		for name, fill := range map[string]func(i int) float32{
			"zero":  func(int) float32 { return 0 },
			"signs": func(i int) float32 { return 0.3 * float32(1-2*(i&1)) },
			"steps": func(i int) float32 { return 0.3 * float32(i%15-7) },
		} {
			if name == "steps" && (d == tensor.Q8_0 || d == tensor.Q6_K) {
				continue // of their steps, none fits these exactly
			}
			for i := range x {
				x[i] = fill(i)
			}
			b, back := make([]byte, d.RowBytes(len(x))), make([]float32, len(x))
			if err := QuantizeRow(b, x, d); err != nil {
				t.Fatal(err)
			}
			kernel.Widen(back, b, d)
			for i := range x {
				if diff := math.Abs(float64(back[i] - x[i])); !(diff <= 0.001*float64(slices.Max(x))) {
					t.Errorf("%s %s: %g became %g", d, name, x[i], back[i])
					break
				}
			}
		}
	}
}

// TestQuantizeRefuses holds that what has no number in a format is an error.
func TestQuantizeRefuses(t *testing.T) {
	for _, d := range append([]tensor.DType{tensor.F32, tensor.F16, tensor.BF16}, quantized...) {
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			x := make([]float32, 512)
			x[300] = bad
			if err := QuantizeRow(make([]byte, d.RowBytes(len(x))), x, d); !errors.Is(err, tensor.ErrRange) {
				t.Errorf("%g in %s: %v", bad, d, err)
			}
		}
		if d == tensor.F32 || d == tensor.BF16 {
			continue
		}
		x := make([]float32, 256)
		for i := range x {
			x[i] = 3e38 * float32(1-2*(i&1))
		}
		if err := QuantizeRow(make([]byte, d.RowBytes(len(x))), x, d); !errors.Is(err, tensor.ErrRange) {
			t.Errorf("3e38 in %s: %v", d, err)
		}
		// One number in a block of zeros, whose square is finite or not.
		for _, one := range []float32{1e10, 1e12, 1.8e19, 2e19, 3e38} {
			for _, sign := range []float32{1, -1} {
				x := make([]float32, 256)
				x[0] = sign * one
				if err := QuantizeRow(make([]byte, d.RowBytes(len(x))), x, d); !errors.Is(err, tensor.ErrRange) {
					t.Errorf("%g in %s: %v", x[0], d, err)
				}
			}
		}
	}
	for name, f := range map[string]func(){
		"format": func() { QuantizeRow(make([]byte, 176), make([]float32, 256), tensor.Q5_K) },
		"row":    func() { QuantizeRow(make([]byte, 18), make([]float32, 33), tensor.Q4_0) },
		"length": func() { QuantizeRow(make([]byte, 19), make([]float32, 32), tensor.Q4_0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// checkQuantized holds what is true of every row: equal rows give equal bytes, and
// no value is further off than a step of its block, whatever the search does.
func checkQuantized(t testing.TB, x []float32, d tensor.DType) {
	b, again := make([]byte, d.RowBytes(len(x))), make([]byte, d.RowBytes(len(x)))
	err := QuantizeRow(b, x, d)
	if e := QuantizeRow(again, x, d); (err == nil) != (e == nil) || err == nil && !bytes.Equal(b, again) {
		t.Fatalf("%s: the same row gives other bytes", d)
	}
	if err != nil {
		if !errors.Is(err, tensor.ErrRange) {
			t.Fatal(err)
		}
		return
	}
	back := make([]float32, len(x))
	kernel.Widen(back, b, d)
	elems, _ := d.Block()
	for at := 0; at < len(x); at += elems {
		block := x[at : at+elems]
		// The error of leaving the block at zero, and a little for what binary16
		// has no scale for.
		var sum, zero float64
		for i, v := range block {
			e := float64(back[at+i]) - float64(v)
			sum += e * e
			zero += float64(v) * float64(v)
			if math.IsNaN(float64(back[at+i])) || math.IsInf(float64(back[at+i]), 0) {
				t.Fatalf("%s: %g became %g", d, v, back[at+i])
			}
		}
		if sum > 1.01*zero+float64(elems)*1e-9 {
			t.Fatalf("%s: block %v loses %g, where zeros would lose %g", d, block, sum, zero)
		}
	}
}

func TestQuantizeRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 5))
	for trial := range 300 {
		x := make([]float32, 512)
		scale := math.Ldexp(1, rng.IntN(80)-60)
		for i := range x {
			switch trial % 4 {
			case 0:
				x[i] = float32(scale * rng.NormFloat64())
			case 1:
				x[i] = float32(scale * (rng.Float64() + 1))
			case 2:
				if rng.IntN(50) == 0 {
					x[i] = float32(scale * rng.NormFloat64())
				}
			case 3:
				x[i] = float32(scale * math.Pow(rng.NormFloat64(), 5))
			}
		}
		for _, d := range quantized {
			checkQuantized(t, x, d)
		}
	}
}

func FuzzQuantizeRow(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 0, 0, 128, 63})
	f.Add(slices.Repeat([]byte{0, 0, 1, 0}, 40))
	f.Add(slices.Repeat([]byte{255, 255, 127, 127}, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		x := make([]float32, 256)
		for i := range x {
			if len(b) >= 4 {
				x[i] = math.Float32frombits(uint32(b[4*i%(len(b)&^3)]) | uint32(b[4*i%(len(b)&^3)+1])<<8 | uint32(b[4*i%(len(b)&^3)+2])<<16 | uint32(b[4*i%(len(b)&^3)+3])<<24)
			}
		}
		for _, d := range quantized {
			checkQuantized(t, x, d)
		}
	})
}

func BenchmarkQuantizeRow(b *testing.B) {
	x := sampleRows("bell")[0]
	for _, d := range quantized {
		b.Run(fmt.Sprint(d), func(b *testing.B) {
			out := make([]byte, d.RowBytes(len(x)))
			b.SetBytes(int64(4 * len(x)))
			for b.Loop() {
				if err := QuantizeRow(out, x, d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
