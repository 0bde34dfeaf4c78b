// Command roofline draws what stroke bench measured under the roofs of the
// machine: the arithmetic of each kind of kernel, and the memory. It reads lines
// of JSON as stroke bench --json prints them (lines that begin with # and those of
// peers are passed over; the peak has to be among them, for each kernel) and writes an
// SVG. Of products in integers no peak is measured: of them that is drawn which the
// memory bounds.
//
//	go run ./bench/roofline bench/results/roofline-2026-11-24.jsonl > docs/roofline.svg
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/getstroke/stroke/internal/bench"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: roofline RESULTS.jsonl > FILE.svg")
	}
	f, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	d, err := read(f)
	if err != nil {
		log.Fatalf("%s: %v", os.Args[1], err)
	}
	if d.left > 0 {
		log.Printf("left out %d measurements in integers that the memory does not bound: stroke bench peak has no roof for them", d.left)
	}
	w := bufio.NewWriter(os.Stdout)
	draw(w, d)
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}
}

// data is what the picture shows.
type data struct {
	small  string                    // the base of the picture on the left: that of the first measurement
	roofs  [len(arithmetics)]float64 // GFLOP/s; 0 where none was measured
	bf16   string                    // what the kernel multiplies bfloat16 with
	memory float64                   // GB/s
	points []point
	left   int // measurements that have no roof
}

// arithmetics are what has a colour of its own, and but for the last a roof.
var arithmetics = [4]struct{ name, colour string }{
	avx2: {"float32, AVX2", "#0072b2"}, avx512: {"float32, AVX-512", "#d55e00"}, bf16: {"bfloat16", "#007a5e"}, integers: {"integers", "#7a3e9d"},
}

const (
	avx2 = iota
	avx512
	bf16
	integers
)

// point is a measurement.
type point struct {
	base, bench string
	arithmetic  int
	intensity   float64 // operations for a byte of weights that is read
	gflops      float64
	tokens      float64 // a second
}

// roof is what the machine allows a point, in GFLOP/s.
func (d *data) roof(p point) float64 {
	if p.arithmetic == integers {
		return d.memory * p.intensity
	}
	return min(d.roofs[p.arithmetic], d.memory*p.intensity)
}

// fits says whether there is a roof for a point: integers have one where the memory allows
// less than float32, which they are no slower than.
func (d *data) fits(p point) bool {
	return p.arithmetic != integers || d.memory*p.intensity <= min(d.roofs[avx2], d.roofs[avx512])
}

// kind is the arithmetic of a measurement.
func kind(x *bench.Result) (int, error) {
	switch x.Arithmetic {
	case "bf16":
		return bf16, nil
	case "int8", "int16":
		return integers, nil
	case "", "f32":
		if x.Kernel == "avx2" {
			return avx2, nil
		}
		return avx512, nil
	}
	return 0, fmt.Errorf("the arithmetic %s has no roof and no colour here", x.Arithmetic)
}

func read(r io.Reader) (*data, error) {
	d := &data{}
	s := bufio.NewScanner(r)
	for n := 1; s.Scan(); n++ {
		line := strings.TrimSpace(s.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		var of struct{ Peer, Bench string }
		if err := json.Unmarshal([]byte(line), &of); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if of.Peer != "" || !slices.Contains([]string{"peak", "decode", "streams", "prefill", "train"}, of.Bench) {
			continue
		}
		var x bench.Result
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		a, err := kind(&x)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if x.Bench == "peak" {
			d.roofs[a], d.memory = x.PeakGFLOPS, max(d.memory, x.PeakGB)
			if x.PeakTiles > 0 {
				d.roofs[bf16], d.bf16 = x.PeakTiles, "bfloat16, AVX-512"
				if x.Kernel == "amx" {
					d.bf16 = "bfloat16 in tiles"
				}
			}
			continue
		}
		var rows, length int
		if _, err := fmt.Sscanf(x.Shape, "%dx%d", &rows, &length); err != nil || x.TokensPerSecond <= 0 || x.WeightBytes <= 0 {
			return nil, fmt.Errorf("line %d: a measurement without a shape, a rate or the size of the weights", n)
		}
		// How many tokens share one reading of the weights.
		shared := map[string]float64{"decode": 1, "streams": float64(rows), "prefill": float64(length), "train": float64(rows*length) / 2}[x.Bench]
		perToken := x.GFLOPS * 1e9 / x.TokensPerSecond
		d.points = append(d.points, point{x.Base, x.Bench, a, perToken * shared / float64(x.WeightBytes), x.GFLOPS, x.TokensPerSecond})
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	if d.memory == 0 || d.roofs[avx2] == 0 || d.roofs[avx512] == 0 {
		return nil, errors.New("it needs the peak of avx2 and of the best kernel: add the lines of stroke bench peak --json")
	}
	all := len(d.points)
	d.points = slices.DeleteFunc(d.points, func(p point) bool { return !d.fits(p) })
	d.left = all - len(d.points)
	if len(d.points) == 0 {
		return nil, errors.New("it has no measurement that there is a roof for")
	}
	if d.roofs[bf16] == 0 && slices.ContainsFunc(d.points, func(p point) bool { return p.arithmetic == bf16 }) {
		return nil, errors.New("it has measurements in bf16, and no peak of a kernel that multiplies it: add the line of stroke bench peak --json")
	}
	d.small = d.points[0].base
	return d, nil
}

// The left panel in pixels, and what its axes span.
const (
	left, top, right, bottom = 70., 60., 560., 440.
	minX, maxX               = 1., 10000.
	minY, maxY               = 10., 20000.
)

func atX(v float64) float64 { return left + (right-left)*math.Log(v/minX)/math.Log(maxX/minX) }
func atY(v float64) float64 { return bottom - (bottom-top)*math.Log(v/minY)/math.Log(maxY/minY) }

func draw(w io.Writer, d *data) {
	bars := d.bars()
	height := max(520, 96+len(bars)*17)
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1080 %d" font-family="system-ui, sans-serif" font-size="12" fill="#222">
<title>What the engine reaches, under the roofs of the machine</title>
<rect width="1080" height="%d" fill="#fff"/>
`, height, height)
	text := func(x, y float64, anchor, extra, s string) {
		fmt.Fprintf(w, `<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>`+"\n", x, y, anchor, extra, html.EscapeString(s))
	}
	text(left, 30, "start", ` font-size="14" font-weight="600"`, d.small)
	for x := minX; x <= maxX; x *= 10 {
		fmt.Fprintf(w, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#e4e4e4"/>`+"\n", atX(x), atX(x), top, bottom)
		text(atX(x), bottom+18, "middle", "", fmt.Sprintf("%.0f", x))
	}
	for y := minY; y <= maxY; y *= 10 {
		fmt.Fprintf(w, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#e4e4e4"/>`+"\n", left, right, atY(y), atY(y))
		text(left-8, atY(y)+4, "end", "", fmt.Sprintf("%.0f", y))
	}
	text((left+right)/2, bottom+38, "middle", "", "operations for each byte of weights read")
	fmt.Fprintf(w, `<text transform="translate(18 %.1f) rotate(-90)" text-anchor="middle">GFLOP/s</text>`+"\n", (top+bottom)/2)
	best := slices.Max(d.roofs[:])
	fmt.Fprintf(w, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#555" stroke-width="1.5"/>`+"\n",
		atX(max(minX, minY/d.memory)), atY(max(minY, minX*d.memory)), atX(best/d.memory), atY(best))
	angle := math.Atan2(atY(10)-atY(100), atX(10)-atX(1)) * -180 / math.Pi
	fmt.Fprintf(w, `<text transform="translate(%.1f %.1f) rotate(%.1f)" fill="#555">memory, %.0f GB/s</text>`+"\n", atX(1.6)-4, atY(1.6*d.memory)-6, angle, d.memory)
	for i, roof := range d.roofs {
		if roof == 0 {
			continue
		}
		fmt.Fprintf(w, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s" stroke-width="1.5"/>`+"\n", atX(roof/d.memory), right, atY(roof), atY(roof), arithmetics[i].colour)
		y := atY(roof) - 5
		if i == 0 {
			y = atY(roof) + 14
		}
		name := arithmetics[i].name
		if i == bf16 {
			name = d.bf16
		}
		text(atX(roof/d.memory)+16, y, "start", fmt.Sprintf(` fill="%s"`, arithmetics[i].colour), fmt.Sprintf("%s, %.0f", name, roof))
	}
	for _, p := range d.points {
		if p.base == d.small {
			mark(w, p.bench, atX(p.intensity), atY(p.gflops), arithmetics[p.arithmetic].colour)
		}
	}
	x := left
	for _, b := range []struct{ bench, name string }{{"train", "LoRA step"}, {"prefill", "reading"}, {"decode", "writing one text"}, {"streams", "writing sixteen"}} {
		mark(w, b.bench, x+6, bottom+58, "#444")
		text(x+18, bottom+62, "start", "", b.name)
		x += 34 + 6.6*float64(len(b.name))
	}

	if slices.ContainsFunc(d.points, func(p point) bool { return p.arithmetic == integers }) {
		text(left, bottom+78, "start", fmt.Sprintf(` fill="%s"`, arithmetics[integers].colour), arithmetics[integers].name+", under the memory's roof")
	}

	text(630, 30, "start", ` font-size="14" font-weight="600"`, "Share of the roof above each")
	at := 62.
	for _, b := range bars {
		if b.heading != "" {
			at += 5
			text(630, at, "start", ` font-weight="600"`, b.heading)
			at += 17
			continue
		}
		share := b.p.gflops / d.roof(b.p)
		c := arithmetics[b.p.arithmetic].colour
		mark(w, b.p.bench, 640, at-4, c)
		fmt.Fprintf(w, `<rect x="655" y="%.1f" width="%.1f" height="11" fill="%s"/>`+"\n", at-10, 280*min(1, share), c)
		text(655+280*min(1, share)+6, at, "start", "", fmt.Sprintf("%.0f %%, %s tokens/s", 100*share, number(b.p.tokens)))
		at += 17
	}
	fmt.Fprintln(w, "</svg>")
}

func number(x float64) string {
	if x < 100 {
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// bar is a heading or a point of the list on the right.
type bar struct {
	heading string
	p       point
}

// bars are all points, base by base as they were measured, and in each by what
// was done and in which arithmetic.
func (d *data) bars() []bar {
	var out []bar
	var bases []string
	for _, p := range d.points {
		if !slices.Contains(bases, p.base) {
			bases = append(bases, p.base)
		}
	}
	order := []string{"train", "prefill", "decode", "streams"}
	for _, base := range bases {
		out = append(out, bar{heading: base})
		for _, what := range order {
			for a := range arithmetics {
				for _, p := range d.points {
					if p.base == base && p.bench == what && p.arithmetic == a {
						out = append(out, bar{p: p})
					}
				}
			}
		}
	}
	return out
}

// mark draws the sign of a kind of measurement.
func mark(w io.Writer, bench string, x, y float64, colour string) {
	switch bench {
	case "train":
		fmt.Fprintf(w, `<circle cx="%.1f" cy="%.1f" r="5" fill="%s" stroke="#fff"/>`, x, y, colour)
	case "prefill":
		fmt.Fprintf(w, `<rect x="%.1f" y="%.1f" width="9" height="9" fill="%s" stroke="#fff"/>`, x-4.5, y-4.5, colour)
	case "decode":
		fmt.Fprintf(w, `<path d="M%.1f %.1f l5.5 9.5 h-11 z" fill="%s" stroke="#fff"/>`, x, y-6, colour)
	default:
		fmt.Fprintf(w, `<path d="M%.1f %.1f l6 6 -6 6 -6 -6 z" fill="%s" stroke="#fff"/>`, x, y-6, colour)
	}
	fmt.Fprintln(w)
}
