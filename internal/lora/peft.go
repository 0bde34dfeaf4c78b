package lora

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"

	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// The files of a PEFT adapter.
const (
	ConfigFile  = "adapter_config.json"
	WeightsFile = "adapter_model.safetensors"
)

// pairTypes are the types of weights in WeightsFile.
const pairTypes = "F32, F16 and BF16"

// maxConfig bounds adapter_config.json, in bytes.
const maxConfig = 16 << 20

// Pair is a low-rank pair as PEFT keeps it.
type Pair struct {
	Layer         int
	Module        string // "q_proj" …
	Rank, In, Out int
	Scale         float32
	A             []float32 // [Rank, In]
	B             []float32 // [Out, Rank]
}

// File is an adapter as PEFT writes it.
type File struct {
	Config Config
	Pairs  []Pair // by layer, and in a layer in the order q, k, v, o, gate, up, down
}

// ReadError says why an adapter cannot be read.
type ReadError struct {
	Dir string
	Msg string
}

// Error names the folder and what is wrong.
func (e *ReadError) Error() string { return "the adapter in " + e.Dir + " cannot be used: " + e.Msg }

// Hint says what can.
func (e *ReadError) Hint() string {
	return "use a LoRA adapter as PEFT saves it: adapter_config.json and adapter_model.safetensors, on the linears of a decoder"
}

var pairName = regexp.MustCompile(`^base_model\.model\.model\.layers\.([0-9]{1,4})\.(self_attn|mlp)\.([a-z_]+)\.lora_([AB])(?:\.default)?\.weight$`)

// ReadDir reads the adapter in dir, from WeightsFile or, where that is not there,
// from CompactFile. What it finds wrong is a ReadError.
func ReadDir(dir string) (*File, error) {
	bad := func(format string, args ...any) error {
		return &ReadError{Dir: dir, Msg: fmt.Sprintf(format, args...)}
	}
	path := filepath.Join(dir, ConfigFile)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read adapter: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxConfig {
		return nil, bad("%s is no file of at most %d bytes", ConfigFile, maxConfig)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read adapter: %w", err)
	}
	f := &File{}
	if err := readConfig(b, &f.Config); err != nil {
		return nil, bad("%v", err)
	}
	file := WeightsFile
	s, err := weights.OpenSafetensors(filepath.Join(dir, file))
	read := readPairs
	if errors.Is(err, fs.ErrNotExist) {
		if c, e := readCompactFile(filepath.Join(dir, CompactFile)); !errors.Is(e, fs.ErrNotExist) {
			file, s, err, read = CompactFile, c, e, readCompact
		}
	}
	if err != nil {
		return nil, unread(file, err, bad)
	}
	defer s.Close()
	err = weights.Guard(func() error {
		f.Pairs, err = read(&f.Config, s, bad)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// readConfig reads a config, and names the file where it is none.
func readConfig(b []byte, c *Config) error {
	err := json.Unmarshal(b, c)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return fmt.Errorf("%s is damaged, or no JSON: %w", ConfigFile, err)
	}
	return err
}

// unread is why the weights in file were not read: what is wrong with them by bad,
// whose hint is about adapters.
func unread(file string, err error, bad func(string, ...any) error) error {
	var damaged *weights.FormatError
	if errors.As(err, &damaged) {
		return bad("%s: %s", file, damaged.Msg)
	}
	var other *weights.UnsupportedError
	if errors.As(err, &other) {
		types := pairTypes
		if file == CompactFile {
			types = "I8 and F32"
		}
		return bad("%s: the weight %q has the type %s, and %s can be read", file, other.Tensor, other.Type, types)
	}
	return fmt.Errorf("read adapter: %w", err)
}

// Read reads an adapter whose two files are in memory already; name is what
// errors call their folder. The weights may be those of CompactFile. What it finds
// wrong is a ReadError.
func Read(name string, config, tensors []byte) (*File, error) {
	bad := func(format string, args ...any) error {
		return &ReadError{Dir: name, Msg: fmt.Sprintf(format, args...)}
	}
	f := &File{}
	if err := readConfig(config, &f.Config); err != nil {
		return nil, bad("%v", err)
	}
	s, err := weights.ReadSafetensorsI8(WeightsFile, tensors)
	if err != nil {
		return nil, unread(WeightsFile, err, bad)
	}
	read := readPairs
	if s.Metadata["format"] == compactFormat {
		read = readCompact
	}
	if f.Pairs, err = read(&f.Config, s, bad); err != nil {
		return nil, err
	}
	return f, nil
}

func readPairs(c *Config, s *weights.Safetensors, bad func(string, ...any) error) ([]Pair, error) {
	halves := map[place][2]*weights.Tensor{}
	for _, name := range s.Names {
		t := s.Tensors[name]
		x := pairName.FindStringSubmatch(name)
		if x == nil {
			return nil, bad("it has the weight %q, for which there is no place", name)
		}
		layer, err := strconv.Atoi(x[1])
		if err != nil {
			return nil, bad("it has the weight %q, for which there is no place", name)
		}
		m, err := ParseModule(x[3])
		if err != nil || (x[2] == "self_attn") != (m <= OProj) {
			return nil, bad("it has the weight %q, for which there is no place", name)
		}
		if t.DType == tensor.I8 {
			return nil, bad("the weight %q has the type %s, and %s can be read", name, t.DType, pairTypes)
		}
		if len(t.Shape) != 2 || t.Shape[0] == 0 || t.Shape[1] == 0 {
			return nil, bad("the weight %q has the shape %v", name, t.Shape)
		}
		h := halves[place{layer, m}]
		half := 0
		if x[4] == "B" {
			half = 1
		}
		if h[half] != nil {
			return nil, bad("the weight %q comes twice", name)
		}
		h[half] = &t
		halves[place{layer, m}] = h
	}
	if len(halves) == 0 {
		return nil, bad("it has no weights")
	}
	var places []place
	for p := range halves {
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b place) int {
		if a.layer != b.layer {
			return a.layer - b.layer
		}
		return int(a.module - b.module)
	})
	var pairs []Pair
	for _, p := range places {
		a, b := halves[p][0], halves[p][1]
		if a == nil || b == nil {
			return nil, bad("one half of %s in layer %d is missing", p.module, p.layer)
		}
		q := Pair{Layer: p.layer, Module: p.module.String(), Rank: a.Shape[0], In: a.Shape[1], Out: b.Shape[0]}
		if b.Shape[1] != q.Rank || q.Rank > MaxRank {
			return nil, bad("the factors of %s in layer %d have the shapes %v and %v", p.module, p.layer, a.Shape, b.Shape)
		}
		var err error
		if q.Scale, err = c.check(&q); err != nil {
			return nil, bad("%v", err)
		}
		for i, t := range []*weights.Tensor{a, b} {
			v := make([]float32, t.Elements())
			m := tensor.NewMatrix(t.Name, t.DType, 1, len(v), t.Data)
			m.WidenRow(v, 0)
			for _, x := range v {
				if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
					return nil, bad("a number of %s in layer %d is not finite", p.module, p.layer)
				}
			}
			if i == 0 {
				q.A = v
			} else {
				q.B = v
			}
		}
		pairs = append(pairs, q)
	}
	return pairs, nil
}

// WriteDir writes the adapter into dir, which must exist, with weights of the
// given type: F16, BF16 or F32. Equal adapters give equal bytes, and what ReadDir
// reads is written again with the same bytes. A pair of which the config says
// something else is an error, so is a rank or a config that ReadDir would refuse for
// its size, and so is a value that does not fit the type; that one wraps
// tensor.ErrRange. Each file is synced before it takes the place of one that was
// there.
func WriteDir(dir string, f *File, t tensor.DType) error {
	if len(f.Pairs) == 0 {
		return errors.New("write adapter: it has no weights")
	}
	var tensors []weights.Tensor
	for i := range f.Pairs {
		p := &f.Pairs[i]
		m, err := ParseModule(p.Module)
		if err != nil {
			return fmt.Errorf("write adapter: %w", err)
		}
		for _, half := range []struct {
			name  string
			shape []int
			data  []float32
		}{{"lora_A", []int{p.Rank, p.In}, p.A}, {"lora_B", []int{p.Out, p.Rank}, p.B}} {
			x := weights.Tensor{Name: "base_model.model." + place{p.Layer, m}.path() + "." + half.name + ".weight",
				DType: t, Shape: half.shape, Data: make([]byte, t.RowBytes(len(half.data)))}
			if err := tensor.Narrow(x.Data, half.data, t); err != nil {
				return fmt.Errorf("write adapter: %s: %w", x.Name, err)
			}
			tensors = append(tensors, x)
		}
	}
	return f.write(dir, WeightsFile, tensors, map[string]string{"format": "pt"})
}

// writeFile writes and syncs a file beside path and puts it in its place.
func writeFile(path string, fill func(io.Writer) error) error {
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// syncDir makes renames in dir last; Windows has no such call.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("write adapter: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("write adapter: %w", err)
	}
	return nil
}
