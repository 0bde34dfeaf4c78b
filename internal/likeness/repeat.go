package likeness

import (
	"math"
	"strings"

	"github.com/getstroke/stroke/internal/likeness/prose"
)

// Repetition is how much texts repeat themselves and each other, in runs of
// four words, by passages of [Unit] words.
type Repetition struct {
	Within  Interval `json:"within"`  // mean share of a passage's runs that it has had before
	Between Interval `json:"between"` // mean share of a passage's runs that another one, of another group, has too
	Loops   Interval `json:"loops"`   // mean share of a passage's sentences that are equal to an earlier one
}

// runWords is the length of the runs.
const runWords = 4

// Repeats measures repetition. Passages of one size, in words, are compared pair by pair,
// so the figures do not depend on how many there are. Where there is no passage,
// or no two groups, a figure is NaN.
func Repeats(pieces []Piece, size int, how Resampling) Repetition {
	cut := Cut(pieces, size, how.Seed)
	var g grouping
	group := make([]int, len(cut))
	runs := make([]map[string]int, len(cut))
	var within, loops []Sample
	for i, p := range cut {
		group[i] = g.of(p.Group)
		words := lowerWords(p.Text)
		runs[i] = map[string]int{}
		again, n := 0, 0
		for k := 0; k+runWords <= len(words); k++ {
			run := strings.Join(words[k:k+runWords], " ")
			if runs[i][run] > 0 {
				again++
			}
			runs[i][run]++
			n++
		}
		if n > 0 {
			within = append(within, Sample{p.Group, float64(again) / float64(n)})
		}
		seen := map[string]bool{}
		twice, sentences := 0, 0
		for _, q := range prose.Paragraphs(p.Text) {
			for _, s := range prose.Sentences(p.Text, q) {
				text := strings.Join(lowerWords(s.Of(p.Text)), " ")
				if seen[text] {
					twice++
				}
				seen[text] = true
				sentences++
			}
		}
		loops = append(loops, Sample{p.Group, float64(twice) / float64(max(sentences, 1))})
	}
	// share[a][b] sums, over passages of group a, what they have of group b's.
	n := len(g.number)
	share, pairs := square(n), square(n)
	holders := map[string][]int{}
	for i, r := range runs {
		for run := range r {
			holders[run] = append(holders[run], i)
		}
	}
	for i, r := range runs {
		total := 0
		common := make([]int, n) // integers, so that the order of a map has no say
		for run, c := range r {
			total += c
			for _, k := range holders[run] {
				common[group[k]] += c
			}
		}
		for k, c := range common {
			if k != group[i] && total > 0 {
				share[group[i]][k] += float64(c) / float64(total)
			}
		}
		for k := range runs {
			if group[k] != group[i] {
				pairs[group[i]][group[k]]++
			}
		}
	}
	between := how.bootstrap([]int{n}, func(d [][]float64) float64 {
		sum, count := 0.0, 0.0
		for a := range share {
			if d[0][a] == 0 {
				continue
			}
			for b := range share {
				w := d[0][a] * d[0][b]
				sum += w * share[a][b]
				count += w * pairs[a][b]
			}
		}
		if count == 0 {
			return math.NaN()
		}
		return sum / count
	})
	return Repetition{Within: Mean(within, how), Between: between, Loops: Mean(loops, how)}
}

func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

// lowerWords are the words of a text as they are compared.
func lowerWords(text string) []string {
	spans := prose.Words(text)
	out := make([]string, len(spans))
	for i, s := range spans {
		out[i] = prose.Lower(s.Of(text))
	}
	return out
}
