package model

import (
	"strings"
	"testing"
)

// TestHalfOrder orders the rows of as many heads as a model can have, and refuses more.
func TestHalfOrder(t *testing.T) {
	order, err := HalfOrder(2, maxDim/2, maxDim)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[int]int32{0: 0, 1: 2, maxDim / 4: 1, maxDim / 2: maxDim / 2, maxDim - 1: maxDim - 1} {
		if order[at] != want {
			t.Errorf("row %d is that at %d, want %d", at, order[at], want)
		}
	}
	for _, c := range []struct {
		heads, rows int
		says        string
	}{
		{2, 2 * maxDim, "262144 rows, and 131072 is the most"},
		{3, maxDim, "131072 rows are not 3 heads"},
	} {
		if _, err := HalfOrder(c.heads, maxDim, c.rows); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%d rows of %d heads: %v", c.rows, c.heads, err)
		}
	}
}
