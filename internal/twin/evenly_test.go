package twin

import (
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/likeness"
)

// TestSpread holds that the first n of a list lie evenly in it: of any stretch of it
// about as many are taken as of any other as long.
func TestSpread(t *testing.T) {
	for size := range 200 {
		list := make([]int, size)
		for i := range list {
			list[i] = i
		}
		order := spread(list)
		if got := slices.Sorted(slices.Values(order)); !slices.Equal(got, list) {
			t.Fatalf("%d became %v", size, order)
		}
		for n := 1; n <= size; n++ {
			taken := slices.Sorted(slices.Values(order[:n]))
			for k, i := range taken {
				// The kth of n would lie at (k + 1/2) / n of the list.
				if off := float64(i) + 0.5 - (float64(k)+0.5)*float64(size)/float64(n); max(off, -off) > 2*float64(size)/float64(n) {
					t.Fatalf("the first %d of %d are %v", n, size, taken)
				}
			}
		}
	}
}

func TestEvenly(t *testing.T) {
	list := []int{10, 20, 30, 40, 50, 60, 70, 80, 90, 100}
	one := func(int) int { return 1 }
	for room, want := range map[int][]int{-1: {50}, 0: {50}, 2: {50, 100}, 3: {20, 50, 100}, 5: {20, 40, 50, 70, 100}, 10: list, 11: list} {
		if got := evenly(list, room, one); !slices.Equal(got, want) {
			t.Errorf("in a room of %d are %v, want %v", room, got, want)
		}
	}
	if got := evenly(list, 100, func(x int) int { return x }); !slices.Equal(got, []int{50}) {
		t.Errorf("of 100 are %v", got)
	}
	if got := evenly(nil, 3, one); len(got) != 0 {
		t.Errorf("of nothing are %v", got)
	}
}

// TestByTurns takes of each group before it takes another of any.
func TestByTurns(t *testing.T) {
	var list []likeness.Piece
	for _, name := range strings.Fields("a1 a2 a3 a4 b1 c1 c2") {
		list = append(list, likeness.Piece{Group: name[:1], Text: name})
	}
	for n, want := range map[int]string{0: "", 2: "a1 b1", 4: "a1 b1 c1 a2", 5: "a1 b1 c1 a2 c2", 9: "a1 b1 c1 a2 c2 a3 a4"} {
		var got []string
		for _, p := range byTurns(list, n) {
			got = append(got, p.Text)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%d of them are %v, not %s", n, got, want)
		}
	}
}
