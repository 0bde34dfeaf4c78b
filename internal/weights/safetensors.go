package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getstroke/stroke/internal/tensor"
)

// Safetensors is an open safetensors file
// (https://github.com/huggingface/safetensors#format): eight bytes with the
// length of the header, the header in JSON, the numbers.
type Safetensors struct {
	Path     string
	Metadata map[string]string
	Tensors  map[string]Tensor
	Names    []string // in the order of the numbers
	mapping  *mapping
}

// Close gives the mapping back; tensors of the file must not be used after it.
func (s *Safetensors) Close() error { return s.mapping.close() }

// maxHeader is the longest header that the format allows.
const maxHeader = 100_000_000

var safetensorsTypes = map[string]tensor.DType{"F32": tensor.F32, "F16": tensor.F16, "BF16": tensor.BF16}

// withI8 has what an adapter in whole numbers is kept in besides.
var withI8 = map[string]tensor.DType{"F32": tensor.F32, "F16": tensor.F16, "BF16": tensor.BF16, "I8": tensor.I8}

// safetensorsOthers are the other types that the format knows; a tensor of such
// a type is an UnsupportedError.
var safetensorsOthers = map[string]bool{"F64": true, "I64": true, "I32": true, "I16": true, "I8": true, "U64": true, "U32": true,
	"U16": true, "U8": true, "BOOL": true, "C64": true, "F8_E4M3": true, "F8_E5M2": true, "F8_E8M0": true,
	"F8_E4M3FNUZ": true, "F8_E5M2FNUZ": true, "F6_E2M3": true, "F6_E3M2": true, "F4": true}

// OpenSafetensors maps the file at path and reads its header. The errors are
// FormatError, UnsupportedError and those of the file system.
func OpenSafetensors(path string) (*Safetensors, error) {
	m, err := openMapping(path)
	if err != nil {
		return nil, fmt.Errorf("open weights: %w", err)
	}
	var s *Safetensors
	err = Guard(func() error {
		s, err = parseSafetensors(path, m.data, safetensorsTypes)
		return err
	})
	if err != nil {
		m.close()
		return nil, fmt.Errorf("open weights: %w", err)
	}
	s.mapping = m
	return s, nil
}

// ReadSafetensors reads a file that is in memory already. Tensors point into data;
// path is what errors call it.
func ReadSafetensors(path string, data []byte) (*Safetensors, error) {
	return parseSafetensors(path, data, safetensorsTypes)
}

// ReadSafetensorsI8 is ReadSafetensors for a file that can have tensors of type
// I8 as well.
func ReadSafetensorsI8(path string, data []byte) (*Safetensors, error) {
	return parseSafetensors(path, data, withI8)
}

type safetensorsEntry struct {
	DType   string    `json:"dtype"`
	Shape   []int     `json:"shape"`
	Offsets [2]uint64 `json:"data_offsets"`
}

// eachField calls f for the fields of a JSON object, in its order. A name that
// comes twice is an error: readers differ on which of the two holds.
func eachField(object []byte, f func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil {
		return err
	} else if t != json.Delim('{') {
		return errors.New("no object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, ok := t.(string)
		if !ok || seen[name] {
			return fmt.Errorf("the name %v comes twice or is none", t)
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := f(name, value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the object")
	}
	return nil
}

// UnmarshalJSON takes all three fields, by their exact names, and no other.
func (e *safetensorsEntry) UnmarshalJSON(b []byte) error {
	var offsets []uint64
	found := 0
	err := eachField(b, func(name string, value json.RawMessage) error {
		found++
		switch name {
		case "dtype":
			return json.Unmarshal(value, &e.DType)
		case "shape":
			return json.Unmarshal(value, &e.Shape)
		case "data_offsets":
			return json.Unmarshal(value, &offsets)
		}
		return fmt.Errorf("it has the field %q", name)
	})
	if err != nil {
		return err
	}
	if found != 3 || e.Shape == nil || len(offsets) != 2 {
		return errors.New("it needs dtype, shape and two data_offsets")
	}
	e.Offsets = [2]uint64(offsets)
	return nil
}

func parseSafetensors(path string, data []byte, types map[string]tensor.DType) (*Safetensors, error) {
	bad := func(format string, args ...any) error {
		return &FormatError{Path: path, Msg: fmt.Sprintf(format, args...)}
	}
	if len(data) < 8 {
		return nil, bad("it is too short for a safetensors file")
	}
	n := binary.LittleEndian.Uint64(data)
	if n > maxHeader || n > uint64(len(data)-8) {
		return nil, bad("it claims a header of %d bytes: it is cut short or no safetensors file", n)
	}
	header, body := data[8:8+n], data[8+n:]
	if !utf8.Valid(header) {
		return nil, bad("its header is not UTF-8")
	}
	s := &Safetensors{Path: path, Tensors: map[string]Tensor{}}
	starts := map[string]uint64{}
	var refused error
	err := eachField(header, func(name string, raw json.RawMessage) error {
		if name == "__metadata__" {
			if err := json.Unmarshal(raw, &s.Metadata); err != nil {
				return fmt.Errorf("its metadata is not text by name: %v", err)
			}
			return nil
		}
		var e safetensorsEntry
		if err := json.Unmarshal(raw, &e); err != nil {
			return fmt.Errorf("the entry of %q: %v", name, err)
		}
		dtype, ok := types[e.DType]
		if !ok {
			if !safetensorsOthers[e.DType] {
				return fmt.Errorf("the weight %q has the type %q, which the format does not know", name, e.DType)
			}
			refused = &UnsupportedError{Path: path, Tensor: name, Type: e.DType}
			return refused
		}
		elements, ok := volume(e.Shape)
		if !ok {
			return fmt.Errorf("the weight %q has the shape %v", name, e.Shape)
		}
		_, width := dtype.Block()
		lo, hi := e.Offsets[0], e.Offsets[1]
		if lo > hi || hi > uint64(len(body)) {
			return fmt.Errorf("the weight %q goes beyond the end of the file: the file is cut short", name)
		}
		if hi-lo != uint64(elements)*uint64(width) {
			return fmt.Errorf("the weight %q of shape %v and type %s has %d bytes", name, e.Shape, e.DType, hi-lo)
		}
		s.Tensors[name] = Tensor{Name: name, DType: dtype, Shape: e.Shape, Data: body[lo:hi:hi]}
		s.Names = append(s.Names, name)
		starts[name] = lo
		return nil
	})
	if refused != nil {
		return nil, refused
	}
	if err != nil {
		return nil, bad("its header cannot be read: %v", err)
	}
	slices.SortFunc(s.Names, func(a, b string) int {
		return cmp.Or(cmp.Compare(starts[a], starts[b]), cmp.Compare(len(s.Tensors[a].Data), len(s.Tensors[b].Data)), strings.Compare(a, b))
	})
	at := uint64(0)
	for _, name := range s.Names {
		if starts[name] != at {
			return nil, bad("the weight %q begins at %d where %d is expected", name, starts[name], at)
		}
		at += uint64(len(s.Tensors[name].Data))
	}
	if at != uint64(len(body)) {
		return nil, bad("%d bytes at its end belong to no weight", uint64(len(body))-at)
	}
	return s, nil
}

// WriteSafetensors writes tensors of type F32, F16, BF16 or I8, in the given order,
// with metadata. Equal arguments give equal bytes. The caller makes the write
// atomic.
func WriteSafetensors(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	var h bytes.Buffer
	h.WriteByte('{')
	if len(metadata) > 0 {
		b, err := json.Marshal(metadata) // sorted by key
		if err != nil {
			return fmt.Errorf("write safetensors: %w", err)
		}
		h.WriteString(`"__metadata__":`)
		h.Write(b)
	}
	at := uint64(0)
	seen := map[string]bool{}
	for i := range tensors {
		t := &tensors[i]
		if _, ok := withI8[t.DType.String()]; !ok {
			return fmt.Errorf("write safetensors: %s has the type %s", t.Name, t.DType)
		}
		_, width := t.DType.Block()
		if n, ok := volume(t.Shape); !ok || n > math.MaxInt/width || n*width != len(t.Data) || seen[t.Name] || !utf8.ValidString(t.Name) || t.Name == "__metadata__" {
			return fmt.Errorf("write safetensors: %q of shape %v and type %s has %d bytes, or a name that cannot be, or that comes twice", t.Name, t.Shape, t.DType, len(t.Data))
		}
		seen[t.Name] = true
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		name, err := json.Marshal(t.Name)
		if err != nil {
			return fmt.Errorf("write safetensors: %w", err)
		}
		entry, err := json.Marshal(safetensorsEntry{DType: t.DType.String(), Shape: shape, Offsets: [2]uint64{at, at + uint64(len(t.Data))}})
		if err != nil {
			return fmt.Errorf("write safetensors: %w", err)
		}
		if h.Len() > 1 {
			h.WriteByte(',')
		}
		h.Write(name)
		h.WriteByte(':')
		h.Write(entry)
		at += uint64(len(t.Data))
	}
	h.WriteByte('}')
	for h.Len()%8 != 0 {
		h.WriteByte(' ')
	}
	head := binary.LittleEndian.AppendUint64(nil, uint64(h.Len()))
	for _, b := range [][]byte{head, h.Bytes()} {
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("write safetensors: %w", err)
		}
	}
	for i := range tensors {
		if _, err := w.Write(tensors[i].Data); err != nil {
			return fmt.Errorf("write safetensors: %w", err)
		}
	}
	return nil
}
