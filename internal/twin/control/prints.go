package control

import (
	"encoding/binary"
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

	sampleShare = 32      // of so many runs of a genre's text one is kept
	mostSample  = 1 << 15 // so that of more than a million words fewer are
	printBytes  = 8
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

// Sample is prints of the texts, packed: one of each so many runs by its hash, as a genre
// has them, which may be made from very much. Of a large text the least few would say
// nothing of a small part. What is in with, another sample, is in it too.
func Sample(texts []string, with []byte) []byte {
	all := append(least(texts, math.MaxUint64/sampleShare, mostSample), Unpack(with)...)
	slices.Sort(all)
	all = slices.Compact(all)
	var out []byte
	for _, h := range all[:min(len(all), mostSample)] {
		out = binary.BigEndian.AppendUint64(out, h)
	}
	return out
}

// Unpack gives the prints of a sample; bytes too many at its end are passed over.
func Unpack(sample []byte) []uint64 {
	var out []uint64
	for ; len(sample) >= printBytes; sample = sample[printBytes:] {
		out = append(out, binary.BigEndian.Uint64(sample))
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
// 256 of a control, eight, and of a genre's sample as many, which some 260 words of the
// same text have.
func Held(texts []string, prints ...[]uint64) []bool {
	in := map[uint64][]int{} // the lists that have a print which was not found yet
	for i, list := range prints {
		for _, h := range list {
			in[h] = append(in[h], i)
		}
	}
	found := make([]int, len(prints))
	for _, t := range texts {
		if len(in) == 0 {
			break
		}
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
