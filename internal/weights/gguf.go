package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/getstroke/stroke/internal/tensor"
)

// GGUF is an open GGUF file, version 2 or 3
// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). Values of Meta
// are uint8 … uint64, int8 … int64, float32, float64, bool, string and, for
// arrays, slices of these or []any for arrays of arrays.
type GGUF struct {
	Path    string
	Version int
	Meta    map[string]any
	Keys    []string // of Meta, in the file's order
	Tensors map[string]Tensor
	Names   []string // of Tensors, in the file's order
	start   uint64   // of the weights in the file; what stands before says what they are
	mapping *mapping
}

// Close gives the mapping back; tensors of the file must not be used after it.
func (g *GGUF) Close() error { return g.mapping.close() }

// Bounds on what a file may claim.
const (
	maxGGUFEntries = 1 << 20
	maxGGUFArray   = 1 << 26
	maxGGUFNesting = 4
	maxGGUFDims    = 4
)

// ggufTypes maps the numbers of ggml's types to what can be read.
var ggufTypes = map[uint32]tensor.DType{
	0: tensor.F32, 1: tensor.F16, 2: tensor.Q4_0, 3: tensor.Q4_1, 6: tensor.Q5_0, 7: tensor.Q5_1, 8: tensor.Q8_0,
	12: tensor.Q4_K, 13: tensor.Q5_K, 14: tensor.Q6_K, 30: tensor.BF16,
}

// ggufNames names those that cannot.
var ggufNames = map[uint32]string{
	9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL",
	21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 34: "TQ1_0",
	35: "TQ2_0", 39: "MXFP4",
}

// OpenGGUF maps the file at path and reads its header. The errors are
// FormatError, UnsupportedError and those of the file system.
func OpenGGUF(path string) (*GGUF, error) {
	m, err := openMapping(path)
	if err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	var g *GGUF
	err = Guard(func() error {
		g, err = parseGGUF(path, m.data)
		return err
	})
	if err != nil {
		m.close()
		return nil, fmt.Errorf("open model: %w", err)
	}
	g.mapping = m
	return g, nil
}

// cursor reads little-endian values and remembers the first thing wrong.
type cursor struct {
	b   []byte
	at  int
	err string
}

func (c *cursor) take(n int) []byte {
	if c.err != "" || n < 0 || n > len(c.b)-c.at {
		c.fail("the file ends too early: it is cut short")
		return make([]byte, min(max(n, 0), 8))
	}
	c.at += n
	return c.b[c.at-n : c.at]
}

func (c *cursor) fail(msg string) {
	if c.err == "" {
		c.err = msg
	}
}

func (c *cursor) u32() uint32 { return binary.LittleEndian.Uint32(c.take(4)) }
func (c *cursor) u64() uint64 { return binary.LittleEndian.Uint64(c.take(8)) }

// count reads a number of things that take at least size bytes each.
func (c *cursor) count(limit uint64, size int, what string) int {
	n := c.u64()
	if c.err == "" && (n > limit || n > uint64(len(c.b)-c.at)/uint64(size)) {
		c.fail(fmt.Sprintf("it claims %d %s", n, what))
	}
	if c.err != "" {
		return 0
	}
	return int(n)
}

func (c *cursor) str() string {
	n := c.count(math.MaxInt32, 1, "bytes of text")
	return string(c.take(n))
}

func parseGGUF(path string, data []byte) (*GGUF, error) {
	bad := func(format string, args ...any) error {
		return &FormatError{Path: path, Msg: fmt.Sprintf(format, args...)}
	}
	if len(data) == 0 {
		return nil, bad("%v", errEmpty)
	}
	if bytes.HasPrefix(data, []byte("version https://git-lfs")) {
		return nil, &FormatError{Path: path, Msg: "it is the pointer that git keeps in place of a large file",
			Advice: "fetch the file itself: git lfs pull, or for a base stroke base pull NAME"}
	}
	if len(data) < 4 || string(data[:4]) != "GGUF" {
		return nil, bad("it is not a GGUF file")
	}
	c := &cursor{b: data, at: 4}
	g := &GGUF{Path: path, Version: int(c.u32()), Meta: map[string]any{}, Tensors: map[string]Tensor{}}
	if g.Version != 0 && g.Version&0xffff == 0 {
		return nil, &FormatError{Path: path, Msg: "its numbers are in big-endian order, which cannot be read", Advice: "use the little-endian file of the same model"}
	}
	if c.err == "" && g.Version != 2 && g.Version != 3 {
		return nil, bad("it is GGUF version %d; versions 2 and 3 can be read", g.Version)
	}
	tensors := c.count(maxGGUFEntries, 24, "tensors")
	entries := c.count(maxGGUFEntries, 13, "metadata entries")
	for range entries {
		key := c.str()
		v := c.value(c.u32(), 0)
		if c.err != "" {
			break
		}
		if _, twice := g.Meta[key]; twice {
			return nil, bad("the metadata %q comes twice", key)
		}
		g.Meta[key] = v
		g.Keys = append(g.Keys, key)
	}
	type info struct {
		t      Tensor
		offset uint64
		size   uint64
	}
	infos := make([]info, 0, tensors)
	for range tensors {
		x := info{t: Tensor{Name: c.str()}}
		dims := c.u32()
		if c.err == "" && dims > maxGGUFDims {
			return nil, bad("the weight %q has %d dimensions", x.t.Name, dims)
		}
		x.t.Shape = make([]int, dims)
		for d := range x.t.Shape {
			n := c.u64()
			if n > maxElements {
				c.fail(fmt.Sprintf("the weight %q has a side of %d", x.t.Name, n))
			}
			x.t.Shape[len(x.t.Shape)-1-d] = int(n)
		}
		kind := c.u32()
		x.offset = c.u64()
		if c.err != "" {
			break
		}
		dtype, ok := ggufTypes[kind]
		if !ok {
			name := ggufNames[kind]
			if name == "" {
				name = fmt.Sprintf("number %d", kind)
			}
			return nil, &UnsupportedError{Path: path, Tensor: x.t.Name, Type: name}
		}
		x.t.DType = dtype
		size, err := byteSize(&x.t)
		if err != nil {
			return nil, bad("%v", err)
		}
		x.size = uint64(size)
		infos = append(infos, x)
	}
	if c.err != "" {
		return nil, bad("%s", c.err)
	}
	align, err := alignment(g.Meta["general.alignment"])
	if err != nil {
		return nil, bad("%v", err)
	}
	if n, ok := g.Meta["split.count"].(uint16); ok && n > 1 {
		return nil, &FormatError{Path: path, Msg: fmt.Sprintf("it is one of the %d parts of a model", n),
			Advice: "join the parts first: llama-gguf-split --merge FIRST-PART WHOLE.gguf"}
	}
	start := (uint64(c.at) + align - 1) / align * align
	g.start = min(start, uint64(len(data))) // without weights the file may end before it
	for i := range infos {
		x := &infos[i]
		if _, twice := g.Tensors[x.t.Name]; twice {
			return nil, bad("the weight %q comes twice", x.t.Name)
		}
		if x.offset%align != 0 {
			return nil, bad("the weight %q begins at %d, which is not a multiple of %d", x.t.Name, x.offset, align)
		}
		if start > uint64(len(data)) || x.offset > uint64(len(data))-start || x.size > uint64(len(data))-start-x.offset {
			return nil, bad("the weight %q goes beyond the end of the file: the file is cut short", x.t.Name)
		}
		lo := start + x.offset
		x.t.Data = data[lo : lo+x.size : lo+x.size]
		g.Tensors[x.t.Name] = x.t
		g.Names = append(g.Names, x.t.Name)
	}
	slices.SortStableFunc(infos, func(a, b info) int { return cmp.Compare(a.offset, b.offset) })
	end, last := uint64(0), ""
	for i := range infos {
		x := &infos[i]
		if x.size == 0 {
			continue
		}
		if x.offset < end {
			return nil, bad("the weights %q and %q overlap", last, x.t.Name)
		}
		end, last = x.offset+x.size, x.t.Name
	}
	return g, nil
}

// alignment is what the metadata general.alignment asks for, in bytes: 32 where
// there is none.
func alignment(v any) (uint64, error) {
	if v == nil {
		return 32, nil
	}
	n, ok := v.(uint32)
	if !ok || n == 0 || n > 1<<20 || n&(n-1) != 0 {
		return 0, fmt.Errorf("its alignment is %v (%T), which is no power of two in 32 bits", v, v)
	}
	return uint64(n), nil
}

// byteSize is the number of bytes of a tensor of its type and shape.
func byteSize(t *Tensor) (int, error) {
	n, ok := volume(t.Shape)
	if !ok {
		return 0, fmt.Errorf("the weight %q has the shape %v", t.Name, t.Shape)
	}
	last := 1
	if len(t.Shape) > 0 {
		last = t.Shape[len(t.Shape)-1]
	}
	elems, _ := t.DType.Block()
	if last%elems != 0 {
		return 0, fmt.Errorf("the weight %q has rows of %d, which is no whole number of blocks of %s", t.Name, last, t.DType)
	}
	if n == 0 {
		return 0, nil
	}
	return n / last * t.DType.RowBytes(last), nil
}

// value reads a metadata value of the given type.
func (c *cursor) value(kind uint32, depth int) any {
	switch kind {
	case 0:
		return c.take(1)[0]
	case 1:
		return int8(c.take(1)[0])
	case 2:
		return binary.LittleEndian.Uint16(c.take(2))
	case 3:
		return int16(binary.LittleEndian.Uint16(c.take(2)))
	case 4:
		return c.u32()
	case 5:
		return int32(c.u32())
	case 6:
		return math.Float32frombits(c.u32())
	case 7:
		b := c.take(1)[0]
		if b > 1 {
			c.fail(fmt.Sprintf("a truth value is %d", b))
		}
		return b == 1
	case 8:
		return c.str()
	case 9:
		return c.array(depth + 1)
	case 10:
		return c.u64()
	case 11:
		return int64(c.u64())
	case 12:
		return math.Float64frombits(c.u64())
	}
	c.fail(fmt.Sprintf("a metadata value has the type %d", kind))
	return nil
}

func (c *cursor) array(depth int) any {
	kind := c.u32()
	size := map[uint32]int{0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 8: 8, 9: 12, 10: 8, 11: 8, 12: 8}[kind]
	if size == 0 || depth > maxGGUFNesting {
		c.fail(fmt.Sprintf("a metadata list has elements of type %d, nested %d deep", kind, depth))
		return nil
	}
	n := c.count(maxGGUFArray, size, "elements of a list")
	switch kind {
	case 0:
		return list[uint8](c, kind, n, depth)
	case 1:
		return list[int8](c, kind, n, depth)
	case 2:
		return list[uint16](c, kind, n, depth)
	case 3:
		return list[int16](c, kind, n, depth)
	case 4:
		return list[uint32](c, kind, n, depth)
	case 5:
		return list[int32](c, kind, n, depth)
	case 6:
		return list[float32](c, kind, n, depth)
	case 7:
		return list[bool](c, kind, n, depth)
	case 8:
		return list[string](c, kind, n, depth)
	case 10:
		return list[uint64](c, kind, n, depth)
	case 11:
		return list[int64](c, kind, n, depth)
	case 12:
		return list[float64](c, kind, n, depth)
	}
	return list[any](c, kind, n, depth)
}

func list[T any](c *cursor, kind uint32, n, depth int) []T {
	out := make([]T, 0, n)
	for range n {
		v, ok := c.value(kind, depth).(T)
		if c.err != "" || !ok {
			return nil
		}
		out = append(out, v)
	}
	return out
}
