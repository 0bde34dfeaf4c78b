package weights

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/getstroke/stroke/internal/tensor"
)

// MetaEntry is one entry of a GGUF file's metadata; see GGUF for the types of
// values.
type MetaEntry struct {
	Key   string
	Value any
}

// WriteGGUF writes a GGUF file of version 3, its tensors in the given order and
// aligned to 32 bytes or to what general.alignment in meta says. Equal arguments
// give equal bytes. The caller makes the write atomic.
func WriteGGUF(w io.Writer, meta []MetaEntry, tensors []Tensor) error {
	for i := range tensors {
		t := &tensors[i]
		if size, err := byteSize(t); err != nil || size != len(t.Data) {
			return fmt.Errorf("write GGUF: %s of shape %v and type %s has %d bytes", t.Name, t.Shape, t.DType, len(t.Data))
		}
	}
	return StreamGGUF(w, meta, tensors, func(i int, w io.Writer) error {
		_, err := w.Write(tensors[i].Data)
		return err
	})
}

// StreamGGUF is WriteGGUF for tensors that are made as they are written: their Data
// is not looked at, and fill is called for each in order to write its bytes to w. An
// error of fill comes back wrapped.
func StreamGGUF(w io.Writer, meta []MetaEntry, tensors []Tensor, fill func(i int, w io.Writer) error) error {
	out := &ggufWriter{w: bufio.NewWriterSize(w, 1<<16), align: 32}
	keys := map[string]bool{}
	for _, e := range meta {
		if keys[e.Key] {
			return fmt.Errorf("write GGUF: the metadata %q comes twice", e.Key)
		}
		keys[e.Key] = true
		if e.Key == "general.alignment" {
			n, err := alignment(e.Value)
			if err != nil {
				return fmt.Errorf("write GGUF: %w", err)
			}
			out.align = int(n)
		}
	}
	names := map[string]bool{}
	out.bytes([]byte("GGUF"))
	out.u32(3)
	out.u64(uint64(len(tensors)))
	out.u64(uint64(len(meta)))
	for _, e := range meta {
		out.str(e.Key)
		if err := out.value(e.Value); err != nil {
			return fmt.Errorf("write GGUF: %s: %w", e.Key, err)
		}
	}
	offset := uint64(0)
	sizes := make([]int, len(tensors))
	for i := range tensors {
		t := &tensors[i]
		kind, ok := ggufNumber(t.DType)
		if !ok {
			return fmt.Errorf("write GGUF: %s: the type %s has no number", t.Name, t.DType)
		}
		var err error
		if sizes[i], err = byteSize(t); err != nil {
			return fmt.Errorf("write GGUF: %w", err)
		}
		if len(t.Shape) > maxGGUFDims || names[t.Name] {
			return fmt.Errorf("write GGUF: %s of shape %v has too many dimensions or comes twice", t.Name, t.Shape)
		}
		names[t.Name] = true
		out.str(t.Name)
		out.u32(uint32(len(t.Shape)))
		for _, d := range slices.Backward(t.Shape) {
			out.u64(uint64(d))
		}
		out.u32(kind)
		out.u64(offset)
		offset += uint64(sizes[i] + out.padding(sizes[i]))
	}
	out.pad()
	for i := range tensors {
		at := out.n
		err := fill(i, out)
		if out.err == nil {
			out.err = err
		}
		if out.err == nil && out.n != at+sizes[i] {
			out.err = fmt.Errorf("%s has %d bytes where %d were to come", tensors[i].Name, out.n-at, sizes[i])
		}
		if out.err != nil {
			break
		}
		out.pad()
	}
	if err := out.w.Flush(); out.err == nil {
		out.err = err
	}
	if out.err != nil {
		return fmt.Errorf("write GGUF: %w", out.err)
	}
	return nil
}

func ggufNumber(t tensor.DType) (uint32, bool) {
	for n, d := range ggufTypes {
		if d == t {
			return n, true
		}
	}
	return 0, false
}

type ggufWriter struct {
	w     *bufio.Writer
	n     int // bytes written
	align int
	err   error
}

// Write implements io.Writer.
func (o *ggufWriter) Write(b []byte) (int, error) {
	o.bytes(b)
	return len(b), o.err
}

func (o *ggufWriter) bytes(b []byte) {
	if o.err != nil {
		return
	}
	_, o.err = o.w.Write(b)
	o.n += len(b)
}

func (o *ggufWriter) pad() {
	o.bytes(make([]byte, o.padding(o.n)))
}

// padding is how many bytes follow n bytes up to the next multiple of the
// alignment.
func (o *ggufWriter) padding(n int) int { return (o.align - n%o.align) % o.align }

func (o *ggufWriter) u32(v uint32) { o.bytes(binary.LittleEndian.AppendUint32(nil, v)) }
func (o *ggufWriter) u64(v uint64) { o.bytes(binary.LittleEndian.AppendUint64(nil, v)) }
func (o *ggufWriter) str(s string) {
	o.u64(uint64(len(s)))
	o.bytes([]byte(s))
}

func (o *ggufWriter) value(v any) error {
	kind, ok := metaKind(v)
	if !ok {
		return fmt.Errorf("a value of type %T cannot be written", v)
	}
	o.u32(kind)
	return o.body(v)
}

func metaKind(v any) (uint32, bool) {
	switch v.(type) {
	case uint8:
		return 0, true
	case int8:
		return 1, true
	case uint16:
		return 2, true
	case int16:
		return 3, true
	case uint32:
		return 4, true
	case int32:
		return 5, true
	case float32:
		return 6, true
	case bool:
		return 7, true
	case string:
		return 8, true
	case uint64:
		return 10, true
	case int64:
		return 11, true
	case float64:
		return 12, true
	case []uint8, []int8, []uint16, []int16, []uint32, []int32, []float32, []bool, []string, []uint64, []int64, []float64, []any:
		return 9, true
	}
	return 0, false
}

func (o *ggufWriter) body(v any) error {
	switch x := v.(type) {
	case uint8:
		o.bytes([]byte{x})
	case int8:
		o.bytes([]byte{byte(x)})
	case uint16:
		o.bytes(binary.LittleEndian.AppendUint16(nil, x))
	case int16:
		o.bytes(binary.LittleEndian.AppendUint16(nil, uint16(x)))
	case uint32:
		o.u32(x)
	case int32:
		o.u32(uint32(x))
	case float32:
		o.u32(math.Float32bits(x))
	case bool:
		b := byte(0)
		if x {
			b = 1
		}
		o.bytes([]byte{b})
	case string:
		o.str(x)
	case uint64:
		o.u64(x)
	case int64:
		o.u64(uint64(x))
	case float64:
		o.u64(math.Float64bits(x))
	case []uint8:
		return writeList(o, x)
	case []int8:
		return writeList(o, x)
	case []uint16:
		return writeList(o, x)
	case []int16:
		return writeList(o, x)
	case []uint32:
		return writeList(o, x)
	case []int32:
		return writeList(o, x)
	case []float32:
		return writeList(o, x)
	case []bool:
		return writeList(o, x)
	case []string:
		return writeList(o, x)
	case []uint64:
		return writeList(o, x)
	case []int64:
		return writeList(o, x)
	case []float64:
		return writeList(o, x)
	case []any: // of lists, as the reader gives them
		o.u32(9)
		o.u64(uint64(len(x)))
		for _, v := range x {
			if kind, _ := metaKind(v); kind != 9 {
				return fmt.Errorf("a %T in a list of lists cannot be written", v)
			}
			if err := o.body(v); err != nil {
				return err
			}
		}
	}
	return o.err
}

func writeList[T any](o *ggufWriter, x []T) error {
	var zero T
	kind, _ := metaKind(zero)
	o.u32(kind)
	o.u64(uint64(len(x)))
	for _, v := range x {
		if err := o.body(v); err != nil {
			return err
		}
	}
	return o.err
}
