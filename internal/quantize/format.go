// Package quantize writes a base in another storage format as a GGUF file, and
// measures what that costs: the error of each kind of weight, and nats per token on
// a text. docs/QUANTIZE.md says which weights get which format.
package quantize

import (
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/tensor"
)

// format is one that a file can be written in.
type format struct {
	name string
	to   tensor.DType // of most matrices
	// head is the format of the output matrix, which loses most, and of the
	// embedding where that is the same one.
	head tensor.DType
	file uint32 // general.file_type, as llama.cpp numbers it
}

var formats = []format{
	{"f16", tensor.F16, tensor.F16, 1},
	{"q8_0", tensor.Q8_0, tensor.Q8_0, 7},
	{"q6_k", tensor.Q6_K, tensor.Q6_K, 18},
	{"q4_k", tensor.Q4_K, tensor.Q6_K, 14},
	{"q4_1", tensor.Q4_1, tensor.Q6_K, 3},
	{"q4_0", tensor.Q4_0, tensor.Q6_K, 2},
}

// Formats are the names that Options.To takes.
func Formats() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

func formatOf(name string) (format, error) {
	for _, f := range formats {
		if f.name == strings.ToLower(name) {
			return f, nil
		}
	}
	msg := "there is no format \"" + name + "\" to write"
	if name == "" {
		msg = "the format to write is not said"
	}
	return format{}, &stroke.Error{Code: stroke.CodeInput, Msg: msg, Hint: "give one of " + strings.Join(Formats(), ", ") + ", for example --to q8_0"}
}

// of is the format of a weight: float32 for norms, biases and other vectors, and
// for matrices the wanted one, or where their rows are no whole number of its blocks
// what llama.cpp takes then.
func (f format) of(name string, shape []int, tied bool) (wanted, to tensor.DType) {
	if len(shape) < 2 {
		return tensor.F32, tensor.F32
	}
	wanted = f.to
	if name == "output.weight" || tied && name == "token_embd.weight" {
		wanted = f.head
	}
	to = wanted
	for {
		if elems, _ := to.Block(); shape[len(shape)-1]%elems == 0 {
			return wanted, to
		}
		switch to {
		case tensor.Q4_K:
			to = tensor.Q5_0
		case tensor.Q6_K:
			to = tensor.Q8_0
		default:
			to = tensor.F16
		}
	}
}

// nameOf is a format's name as people write it here.
func nameOf(t tensor.DType) string { return strings.ToLower(t.String()) }
