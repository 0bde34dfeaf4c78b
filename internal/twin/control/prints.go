package control

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const (
	printWords  = 8   // of a run
	mostPrints  = 256 // of a text that are kept
	samePrints  = 8   // found again, from which on a writer has written a control's text
	printDigits = 16
)

// runs calls f with a hash of each run of eight words of a text, capitals and
// punctuation apart.
func runs(text string, f func(uint64)) {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i := 0; i+printWords <= len(words); i++ {
		h := fnv.New64a()
		for _, w := range words[i : i+printWords] {
			h.Write([]byte(w))
			h.Write([]byte{' '})
		}
		f(h.Sum64())
	}
}

// Prints are the least hashes of the texts' runs of eight words (Broder's sketch,
// 1997): by them text is known again of which only they are kept.
func Prints(texts []string) []string {
	var out []string
	for _, h := range least(texts, math.MaxUint64, mostPrints) {
		out = append(out, fmt.Sprintf("%0*x", printDigits, h))
	}
	return out
}

// least are the least hashes of the texts' runs, none above a bound and no more than
// most, ascending.
func least(texts []string, bound uint64, most int) []uint64 {
	var out []uint64
	for _, t := range texts {
		runs(t, func(h uint64) {
			if h > bound || len(out) == most && h > out[most-1] {
				return
			}
			i, found := slices.BinarySearch(out, h)
			if found {
				return
			}
			out = slices.Insert(out, i, h)
			out = out[:min(len(out), most)]
		})
	}
	return out
}

// Hashes are the prints of a control.
func (c *Card) Hashes() []uint64 {
	var out []uint64
	for _, p := range c.Prints {
		if h, err := strconv.ParseUint(p, 16, 64); err == nil {
			out = append(out, h)
		}
	}
	return out
}

// Held says of each list of prints whether texts hold a part of what it is of: of the
// 256 of a control, eight.
func Held(texts []string, prints ...[]uint64) []bool {
	in := map[uint64][]int{} // the lists that have a print which was not found yet
	for i, list := range prints {
		for _, h := range list {
			in[h] = append(in[h], i)
		}
	}
	found := make([]int, len(prints))
	for _, t := range texts {
		runs(t, func(h uint64) {
			for _, i := range in[h] {
				found[i]++
			}
			delete(in, h)
		})
	}
	out := make([]bool, len(prints))
	for i, n := range found {
		out[i] = n >= samePrints
	}
	return out
}
