package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/testkit"
)

// TestPicture draws the picture of docs/SPEED.md.
func TestPicture(t *testing.T) {
	root := testkit.Root(t)
	f, err := os.Open(filepath.Join(root, "bench", "results", "roofline-2026-11-24.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := read(f)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	draw(&out, d)
	want, err := os.ReadFile(filepath.Join(root, "docs", "roofline.svg"))
	if err != nil || !bytes.Equal(out.Bytes(), want) {
		t.Errorf("docs/roofline.svg is another picture (%v): go run ./bench/roofline bench/results/roofline-2026-11-24.jsonl > docs/roofline.svg", err)
	}
}

const peaks = `# a machine
{"bench":"peak","kernel":"avx2","peak_gflops":200,"peak_gb_per_second":50}
{"bench":"peak","kernel":"avx512bf16","peak_gflops":300,"peak_tiles_gflops":500,"peak_gb_per_second":40}
`

// TestRead passes over what is no measurement of Stroke's or has no roof, and takes
// nothing for float32 that is in another arithmetic.
func TestRead(t *testing.T) {
	const at = `,"base":"b","weight_bytes":100000000,"kernel":"avx512bf16","tokens_per_second":100,"gflops":`
	d, err := read(strings.NewReader(peaks + `{"peer":"peft","tokens_per_second":{"best":1,"median":1}}
{"peer":"llama.cpp","decode_64":1}
{"bench":"first","shape":"1x64","weight_bytes":9,"kernel":"avx2","arithmetic":"int16"}
{"bench":"decode","shape":"1x64","arithmetic":"int16"` + at + `27}
{"bench":"prefill","shape":"1x512","arithmetic":"int16"` + at + `27}
{"bench":"train","shape":"1x512","arithmetic":"bf16"` + at + `80}
{"bench":"train","shape":"1x512","arithmetic":"f32"` + at + `80}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, p := range d.points {
		got = append(got, p.arithmetic)
	}
	if len(got) != 3 || got[0] != integers || got[1] != bf16 || got[2] != avx512 || d.left != 1 {
		t.Errorf("points are in %v, and %d are left out", got, d.left)
	}
	// 0.27 operations for each of 100 million bytes, and 50 GB/s.
	if r := d.roof(d.points[0]); r < 134.9 || r > 135.1 {
		t.Errorf("the memory allows writing in integers %g GFLOP/s", r)
	}
	var out bytes.Buffer
	draw(&out, d)
	for _, want := range []string{"bfloat16, AVX-512, 500", "integers, under the memory"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the picture lacks %q", want)
		}
	}
	for _, bad := range []string{"tiles", "Inf", "NaN"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("the picture has %s", bad)
		}
	}
	for name, text := range map[string]string{
		"no peak":             strings.Split(peaks, "\n")[1],
		"nothing but peaks":   peaks,
		"another arithmetic":  peaks + `{"bench":"decode","shape":"1x64","arithmetic":"fp8"` + at + `27}`,
		"no rate":             peaks + `{"bench":"decode","shape":"1x64","weight_bytes":9}`,
		"a roof that is none": strings.ReplaceAll(peaks, `"peak_tiles_gflops":500,`, "") + `{"bench":"train","shape":"1x512","arithmetic":"bf16"` + at + `80}`,
	} {
		if _, err := read(strings.NewReader(text)); err == nil {
			t.Errorf("%s: there is no error", name)
		}
	}
}
