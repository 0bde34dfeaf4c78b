package model

import (
	"bytes"
	"testing"

	"github.com/getstroke/stroke/internal/tensor"
)

// TestCopyPage copies the beginning of a page in each type, and no byte behind it.
func TestCopyPage(t *testing.T) {
	c := Config{Layers: 2, KVHeads: 3, HeadSize: 32}
	for _, kv := range []tensor.DType{tensor.F32, tensor.F16, tensor.Q8_0} {
		row := kv.RowBytes(c.HeadSize)
		for _, n := range []int{0, 1, 5, 32, 63, PageLen} {
			src, dst := make(Page, c.PageSize(kv)), make(Page, c.PageSize(kv))
			for i := range tensor.Bytes(src) {
				tensor.Bytes(src)[i] = 0x55
			}
			c.CopyPage(dst, src, n, kv)
			want := append(bytes.Repeat([]byte{0x55}, n*row), make([]byte, (PageLen-n)*row)...)
			if !bytes.Equal(tensor.Bytes(dst), bytes.Repeat(want, c.Layers*2*c.KVHeads)) {
				t.Errorf("%d positions of %s are copied as others", n, kv)
			}
		}
	}
}
