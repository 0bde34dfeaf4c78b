package lora

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// CompactFile holds the weights of an adapter in whole numbers, half the size of
// F16, in place of WeightsFile. docs/formats/compact.md describes it; PEFT cannot
// read it.
const CompactFile = "adapter_int8.safetensors"

// compactFormat is the format in the file's metadata.
const compactFormat = "stroke-int8"

// mostWhole is the largest whole number: -128 is left out, so that the sign is free.
const mostWhole = 127

// mostCompact bounds the numbers of an adapter that is written in whole ones: each
// product must be one of F16.
const mostCompact = 60000

// leastUnit is the distance between F16's smallest numbers.
const leastUnit = 1.0 / (1 << 24)

// ErrUneven is of an adapter that cannot be written compactly, as its linears
// differ from layer to layer.
var ErrUneven = errors.New("the adapter has not the same linears, ranks and scales in every layer")

// scaleFor is the scale of numbers of which the largest is most: at least
// most/127, with four significant bits, so that its product with a whole number of
// seven bits is one of F16's, of eleven.
func scaleFor(most float64) float64 {
	if most == 0 {
		return 0
	}
	frac, exp := math.Frexp(most / mostWhole)
	unit := math.Ldexp(1, exp-4)
	if unit < leastUnit {
		return math.Ceil(most/mostWhole/leastUnit) * leastUnit
	}
	return math.Ceil(frac*16) * unit
}

// whole writes row in whole numbers and gives their scale. The products of both,
// written again, give the same.
func whole(dst []int8, row []float32) float32 {
	most := 0.0
	for _, x := range row {
		most = max(most, math.Abs(float64(x)))
	}
	for scale := scaleFor(most); ; {
		largest := 0.0
		for i, x := range row {
			q := 0.0
			if scale > 0 {
				q = max(-mostWhole, min(mostWhole, math.RoundToEven(float64(x)/scale)))
			}
			dst[i] = int8(q)
			largest = max(largest, math.Abs(q))
		}
		// Where rounding made the largest smaller a finer scale may do.
		next := scaleFor(largest * scale)
		if next == scale {
			return float32(scale)
		}
		scale = next
	}
}

// WriteCompact writes the adapter into dir, which must exist, as CompactFile and
// ConfigFile. Every number is first rounded to F16, so that an adapter that was
// read from F16 gives the bytes of the one that was written there. What ReadDir
// reads of it are numbers of F16, and give the same bytes again. The errors are
// those of WriteDir and ErrUneven.
func WriteCompact(dir string, f *File) error {
	tensors, err := f.compact()
	if err != nil {
		return fmt.Errorf("write adapter: %w", err)
	}
	return f.write(dir, CompactFile, tensors, map[string]string{"format": compactFormat})
}

// compact gives for each module the scales of both factors, [layers, rank], and
// then both factors, [layers, rank, in] and [layers, rank, out].
func (f *File) compact() ([]weights.Tensor, error) {
	if len(f.Pairs) == 0 {
		return nil, errors.New("it has no weights")
	}
	layers := f.Pairs[len(f.Pairs)-1].Layer + 1
	by := map[string][]*Pair{}
	var order []string
	for i := range f.Pairs {
		p := &f.Pairs[i]
		list := by[p.Module]
		if len(list) == 0 {
			order = append(order, p.Module)
		} else if q := list[0]; q.Rank != p.Rank || q.In != p.In || q.Out != p.Out || q.Scale != p.Scale {
			return nil, ErrUneven
		}
		if p.Layer != len(list) {
			return nil, ErrUneven
		}
		by[p.Module] = append(list, p)
	}
	slices.SortFunc(order, func(a, b string) int { return int(module(a)) - int(module(b)) })
	var scales, numbers []weights.Tensor
	for _, name := range order {
		list := by[name]
		if len(list) != layers {
			return nil, ErrUneven
		}
		rank, in, out := list[0].Rank, list[0].In, list[0].Out
		for half, width := range []int{in, out} {
			all, by := make([]byte, 0, layers*rank*width), make([]float32, 0, layers*rank)
			row, q, narrow := make([]float32, width), make([]int8, width), make([]byte, tensor.F16.RowBytes(width))
			for _, p := range list {
				for r := range rank {
					for j := range row {
						if half == 0 {
							row[j] = p.A[r*in+j]
						} else {
							row[j] = p.B[j*rank+r]
						}
						if !(math.Abs(float64(row[j])) <= mostCompact) {
							return nil, fmt.Errorf("%s in layer %d has the number %g: %w", name, p.Layer, row[j], tensor.ErrRange)
						}
					}
					if err := tensor.Narrow(narrow, row, tensor.F16); err != nil {
						return nil, err
					}
					m := tensor.NewMatrix(name, tensor.F16, 1, width, narrow)
					m.WidenRow(row, 0)
					by = append(by, whole(q, row))
					for _, x := range q {
						all = append(all, byte(x))
					}
				}
			}
			at := name + halfNames[half]
			scales = append(scales, weights.Tensor{Name: at + ".scale", DType: tensor.F32, Shape: []int{layers, rank}, Data: tensor.Bytes(by)})
			numbers = append(numbers, weights.Tensor{Name: at, DType: tensor.I8, Shape: []int{layers, rank, width}, Data: all})
		}
	}
	return append(scales, numbers...), nil
}

var halfNames = [2]string{".lora_A", ".lora_B"}

// mostLayers bounds the layers of an adapter in whole numbers, as pairName does
// those of others.
const mostLayers = 9999

// readCompact reads what compact wrote, and refuses everything else.
func readCompact(c *Config, s *weights.Safetensors, bad func(string, ...any) error) ([]Pair, error) {
	layers, used := 0, 0
	var byModule [Modules][]Pair
	var failed [Modules]error
	var wide sync.WaitGroup
	defer wide.Wait()
	for m := range Modules {
		var rank, width [2]int
		for half, name := range halfNames {
			name = m.String() + name
			t, ok := s.Tensors[name]
			if !ok {
				continue
			}
			scale, ok := s.Tensors[name+".scale"]
			if !ok || t.DType != tensor.I8 || scale.DType != tensor.F32 || len(t.Shape) != 3 || len(scale.Shape) != 2 || !slices.Equal(t.Shape[:2], scale.Shape) {
				return nil, bad("the weight %q has the shape %v and type %s, or scales that do not go with it", name, t.Shape, t.DType)
			}
			if slices.Contains(t.Shape, 0) || t.Shape[0] > mostLayers || t.Shape[1] > MaxRank || layers != 0 && t.Shape[0] != layers {
				return nil, bad("the weight %q has the shape %v", name, t.Shape)
			}
			layers, rank[half], width[half] = t.Shape[0], t.Shape[1], t.Shape[2]
			used += 2
		}
		if rank != [2]int{} {
			if rank[0] != rank[1] {
				return nil, bad("the factors of %s have the ranks %d and %d", m, rank[0], rank[1])
			}
			layers := layers
			wide.Go(func() { byModule[m], failed[m] = c.widen(m, layers, rank[0], width, s) })
		}
	}
	wide.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, bad("%v", err)
		}
	}
	if used == 0 || used != len(s.Tensors) {
		return nil, bad("it has %d weights, of which %d have a place", len(s.Tensors), used)
	}
	var pairs []Pair
	for l := range layers {
		for m := range Modules {
			if len(byModule[m]) > 0 {
				pairs = append(pairs, byModule[m][l])
			}
		}
	}
	return pairs, nil
}

// widen multiplies the whole numbers of a module with their scales.
func (c *Config) widen(m Module, layers, rank int, width [2]int, s *weights.Safetensors) ([]Pair, error) {
	pairs := make([]Pair, layers)
	for l := range pairs {
		p := &pairs[l]
		*p = Pair{Layer: l, Module: m.String(), Rank: rank, In: width[0], Out: width[1]}
		var err error
		if p.Scale, err = c.check(p); err != nil {
			return nil, err
		}
		p.A, p.B = make([]float32, rank*width[0]), make([]float32, rank*width[1])
	}
	for half, name := range halfNames {
		w := width[half]
		t, by := s.Tensors[m.String()+name], s.Tensors[m.String()+name+".scale"]
		scales := make([]float32, layers*rank)
		all := tensor.NewMatrix(by.Name, by.DType, 1, len(scales), by.Data)
		all.WidenRow(scales, 0)
		for i, scale := range scales {
			row := t.Data[i*w:][:w]
			p, r, low, high := &pairs[i/rank], i%rank, int8(0), int8(0)
			if half == 0 {
				dst := p.A[r*w:][:w]
				for j, b := range row {
					q := int8(b)
					dst[j] = float32(q) * scale
					low, high = min(low, q), max(high, q)
				}
			} else {
				dst := p.B[r:]
				for j, b := range row {
					q := int8(b)
					dst[j*rank] = float32(q) * scale
					low, high = min(low, q), max(high, q)
				}
			}
			x := float64(max(int(high), -int(low))) * float64(scale)
			nothing := scale == 0 && (low != 0 || high != 0 || math.Signbit(float64(scale)))
			if nothing || low < -mostWhole || !(x >= 0 && x <= mostCompact+leastUnit) || scaleFor(x) != float64(scale) {
				return nil, fmt.Errorf("the scale %g of row %d of %s in layer %d is none of its numbers", scale, r, m, i/rank)
			}
		}
	}
	return pairs, nil
}

// maxCompact bounds CompactFile, in bytes.
const maxCompact = 512 << 20

// readCompactFile reads the weights at path, which need not be there.
func readCompactFile(path string) (*weights.Safetensors, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxCompact {
		return nil, &weights.FormatError{Path: path, Msg: fmt.Sprintf("it is no file of at most %d bytes", maxCompact)}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return weights.ReadSafetensorsI8(path, b)
}

// write writes weights and config; each file is synced before it takes the place
// of one that was there.
func (f *File) write(dir, file string, tensors []weights.Tensor, metadata map[string]string) error {
	if err := f.Config.bounds(); err != nil {
		return fmt.Errorf("write adapter: %w", err)
	}
	for i := range f.Pairs {
		p := &f.Pairs[i]
		if p.Rank > MaxRank {
			return fmt.Errorf("write adapter: %s in layer %d has the rank %d, and %d is the most that can be read", p.Module, p.Layer, p.Rank, MaxRank)
		}
		scale, err := f.Config.check(p)
		if err == nil && scale != p.Scale {
			err = fmt.Errorf("%s in layer %d has the scale %g where the config says %g", p.Module, p.Layer, p.Scale, scale)
		}
		if err != nil {
			return fmt.Errorf("write adapter: %w", err)
		}
	}
	config, err := json.MarshalIndent(f.Config, "", "  ")
	if err != nil {
		return fmt.Errorf("write adapter: %w", err)
	}
	config = append(config, '\n')
	if len(config) > maxConfig {
		return fmt.Errorf("write adapter: %s would have %d bytes, and %d is the most that can be read", ConfigFile, len(config), maxConfig)
	}
	if err := writeFile(filepath.Join(dir, file), func(w io.Writer) error {
		return weights.WriteSafetensors(w, tensors, metadata)
	}); err != nil {
		return fmt.Errorf("write adapter: %w", err)
	}
	if err := writeFile(filepath.Join(dir, ConfigFile), func(w io.Writer) error {
		_, err := w.Write(config)
		return err
	}); err != nil {
		return fmt.Errorf("write adapter: %w", err)
	}
	return syncDir(dir)
}
