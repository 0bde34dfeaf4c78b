// Package reference holds what the program knows of other writers: counts of
// style features in passages by many writers, and how common words are. Both
// are tables of numbers made from public texts by internal/likeness/_tables;
// README.md beside this file names the texts and their terms. No text ships.
package reference

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the table
	"encoding/gob"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/getstroke/stroke/internal/likeness/prose"
)

//go:embed table.gob.gz
var embedded []byte

// Table is everything that ships. It is read only once made.
type Table struct {
	Unit     int      // words in a passage
	Function []string // features from 0 on: function words
	Grams    []string // the features behind them: runs of two to four characters of a normal text
	Writers  []Writer
	Passages []Passage

	// Common words of general prose in lower case, the commonest first, names
	// apart, and for each −log2 of its share of all words, in sixteenths of a bit.
	Words  []string
	Rarity []uint16

	function map[string]int32
	grams    map[string]int32
	words    map[string]float64
}

// Writer is a class of reference passages.
type Writer struct {
	ID    string // lower case, as in Without of package likeness
	Name  string
	Kind  string // "fiction", "essay", "blog" or "textbook"
	Year  int    // around which the texts were written
	Group bool   // many authors of one house; a stranger to compare with, never one writer
}

// Passage is one passage of a reference writer.
type Passage struct {
	Writer uint8  // index into Writers
	Piece  uint16 // passages of one piece share it
	Deltas []uint16
	Counts []uint8
}

// Vector holds the features of a passage that are not zero, by rising index.
type Vector struct {
	Index []int32
	Value []float32
}

// Load gives the table that ships.
var Load = sync.OnceValues(func() (*Table, error) {
	z, err := gzip.NewReader(bytes.NewReader(embedded))
	if err != nil {
		return nil, fmt.Errorf("open the table of reference writers: %w", err)
	}
	return Decode(z)
})

// Decode reads a table as [Table.Encode] wrote it, without compression.
func Decode(r io.Reader) (*Table, error) {
	t := new(Table)
	if err := gob.NewDecoder(r).Decode(t); err != nil {
		return nil, fmt.Errorf("read the table of reference writers: %w", err)
	}
	for i, p := range t.Passages {
		sum := 0
		for _, d := range p.Deltas {
			sum += int(d)
		}
		if len(p.Deltas) != len(p.Counts) || sum >= max(t.Features(), 1) || int(p.Writer) >= len(t.Writers) {
			return nil, fmt.Errorf("read the table of reference writers: passage %d does not fit it", i)
		}
	}
	if len(t.Words) != len(t.Rarity) {
		return nil, fmt.Errorf("read the table of reference writers: %d words with %d rarities", len(t.Words), len(t.Rarity))
	}
	t.index()
	return t, nil
}

// Encode writes a table, without compression.
func (t *Table) Encode(w io.Writer) error {
	if err := gob.NewEncoder(w).Encode(t); err != nil {
		return fmt.Errorf("write the table of reference writers: %w", err)
	}
	return nil
}

func (t *Table) index() {
	t.function = make(map[string]int32, len(t.Function))
	for i, w := range t.Function {
		t.function[w] = int32(i)
	}
	t.grams = make(map[string]int32, len(t.Grams))
	for i, g := range t.Grams {
		t.grams[g] = int32(len(t.Function) + i)
	}
	t.words = make(map[string]float64, len(t.Words))
	for i, w := range t.Words {
		t.words[w] = float64(t.Rarity[i]) / 16
	}
}

// Features is the number of features.
func (t *Table) Features() int { return len(t.Function) + len(t.Grams) }

// Known reports whether a word in lower case is common in general prose.
func (t *Table) Known(lower string) bool {
	_, ok := t.words[lower]
	return ok
}

// RarityOf is −log2 of a word's share of all words of general prose, in bits.
// A word that the table lacks is two bits rarer than the rarest it has.
func (t *Table) RarityOf(lower string) float64 {
	if r, ok := t.words[lower]; ok {
		return r
	}
	if len(t.Rarity) == 0 {
		return 0
	}
	return float64(t.Rarity[len(t.Rarity)-1])/16 + 2
}

// Count gives how often each feature occurs in a text.
func (t *Table) Count(text string) Vector {
	return t.CountNormal(prose.Normal(text, t.Known))
}

// CountNormal is [Table.Count] of a text that [prose.Normal] made.
func (t *Table) CountNormal(normal string) Vector {
	counts := map[int32]float32{}
	for _, w := range prose.Words(normal) {
		if i, ok := t.function[w.Of(normal)]; ok {
			counts[i]++
		}
	}
	EachGram(normal, func(g string) {
		if i, ok := t.grams[g]; ok {
			counts[i]++
		}
	})
	v := Vector{Index: make([]int32, 0, len(counts))}
	for i := range counts {
		v.Index = append(v.Index, i)
	}
	slices.Sort(v.Index)
	v.Value = make([]float32, len(v.Index))
	for k, i := range v.Index {
		v.Value[k] = counts[i]
	}
	return v
}

// The shortest and longest run of characters that is a feature.
const (
	GramMin = 2
	GramMax = 4
)

// EachGram calls f with each run of [GramMin] to [GramMax] characters of a
// normal text.
func EachGram(normal string, f func(gram string)) {
	var starts []int
	for i := range normal {
		starts = append(starts, i)
	}
	starts = append(starts, len(normal))
	for i := range starts {
		for n := GramMin; n <= GramMax && i+n < len(starts); n++ {
			f(normal[starts[i]:starts[i+n]])
		}
	}
}

// Pack makes a passage of counts; a count above 255 is held at it.
func Pack(writer, piece int, v Vector) Passage {
	p := Passage{Writer: uint8(writer), Piece: uint16(piece)}
	last := int32(0)
	for k, i := range v.Index {
		p.Deltas = append(p.Deltas, uint16(i-last))
		p.Counts = append(p.Counts, uint8(min(v.Value[k], 255)))
		last = i
	}
	return p
}

// Vector gives the counts of a passage.
func (p Passage) Vector() Vector {
	v := Vector{Index: make([]int32, len(p.Deltas)), Value: make([]float32, len(p.Deltas))}
	at := int32(0)
	for k, d := range p.Deltas {
		at += int32(d)
		v.Index[k], v.Value[k] = at, float32(p.Counts[k])
	}
	return v
}

// Blocks of features: function words, then one block for each length of run.
// Within a block the features of a passage are comparable in size.
const Blocks = 1 + GramMax - GramMin + 1

// Block is the block of a feature.
func (t *Table) Block(feature int32) int {
	if int(feature) < len(t.Function) {
		return 0
	}
	return 1 + utf8.RuneCountInString(t.Grams[int(feature)-len(t.Function)]) - GramMin
}

// Hellinger turns counts into the square roots of their shares within each
// block, in place: a passage's length then has no say, and rare and common
// features vary alike.
func (t *Table) Hellinger(v Vector) {
	var sums [Blocks]float64
	for k, i := range v.Index {
		sums[t.Block(i)] += float64(v.Value[k])
	}
	for k, i := range v.Index {
		v.Value[k] = float32(math.Sqrt(float64(v.Value[k]) / sums[t.Block(i)]))
	}
}
