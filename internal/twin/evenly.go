package twin

import (
	"math"
	"slices"

	"github.com/getstroke/stroke/internal/likeness"
)

// Files are often named by date, so that the first of a writer's documents are the
// oldest. Where not all are taken, those that are lie evenly among all.

// spread gives a list in such an order that its first n lie evenly in it, for every
// n: by the fractional parts of the multiples of the golden ratio.
// https://en.wikipedia.org/wiki/Three-gap_theorem
func spread[T any](list []T) []T {
	out := make([]T, 0, len(list))
	for _, i := range spreadIndexes(len(list)) {
		out = append(out, list[i])
	}
	return out
}

func spreadIndexes(n int) []int {
	at := make([]int, n)
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int {
		_, x := math.Modf(float64(a+1) * math.Phi)
		_, y := math.Modf(float64(b+1) * math.Phi)
		if x < y {
			return -1
		}
		return 1
	})
	return at
}

// evenly takes from a list, in its order, what of it fits into room by what each
// takes, and at least one.
func evenly[T any](list []T, room int, takes func(T) int) []T {
	taken := make([]bool, len(list))
	for n, i := range spreadIndexes(len(list)) {
		if room -= takes(list[i]); room < 0 && n > 0 {
			break
		}
		taken[i] = true
	}
	out := make([]T, 0, len(list))
	for i, x := range list {
		if taken[i] {
			out = append(out, x)
		}
	}
	return out
}

// byTurns takes up to n pieces, one of each group, then another of each.
func byTurns(list []likeness.Piece, n int) []likeness.Piece {
	var out []likeness.Piece
	for turn := 1; len(out) < min(n, len(list)); turn++ {
		seen := map[string]int{}
		for _, p := range list {
			if seen[p.Group]++; seen[p.Group] == turn && len(out) < n {
				out = append(out, p)
			}
		}
	}
	return out
}
