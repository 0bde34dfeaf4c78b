package twin

import (
	"math"
	"testing"
)

// TestWorth takes the fewest passages that are as good as the best.
func TestWorth(t *testing.T) {
	for _, c := range []struct {
		loss []float64
		want int
	}{
		{[]float64{3}, 0},
		{[]float64{3, 2.99, 2.9}, 2},
		{[]float64{3, 2.9, 2.9 - promptWorth/2}, 1},
		{[]float64{2.9, 2.95, 3}, 0},
		{[]float64{math.NaN(), 2, 1}, 0},
	} {
		if got := worth(c.loss); got != c.want {
			t.Errorf("of %v it takes %d, not %d", c.loss, got, c.want)
		}
	}
}

// TestMostPrompt follows the folds.
func TestMostPrompt(t *testing.T) {
	for _, c := range []struct {
		folds []int
		want  int
	}{{[]int{350}, 350}, {[]int{0, 1400, 1400}, 1400}, {[]int{1400, 350, 0}, 0}, {[]int{1400, 350, 350}, 350}} {
		var list []foldResult
		for _, n := range c.folds {
			list = append(list, foldResult{Prompt: n})
		}
		if got := mostPrompt(list); got != c.want {
			t.Errorf("of %v it takes %d, not %d", c.folds, got, c.want)
		}
	}
}

// TestRival holds that a base without an adapter has passages wherever a recipe
// knows of any.
func TestRival(t *testing.T) {
	for _, c := range []struct {
		p    Prompt
		want int
	}{{Prompt{Tokens: 1400, Choose: []int{0, 350}}, 1400}, {Prompt{Choose: []int{1400, 0, 350}}, 350}, {Prompt{}, 0}} {
		if got := c.p.rival().Tokens; got != c.want {
			t.Errorf("%+v: %d tokens, not %d", c.p, got, c.want)
		}
	}
}
