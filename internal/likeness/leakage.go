package likeness

import (
	"cmp"
	"index/suffixarray"
	"math"
	"slices"
	"strings"

	"github.com/getstroke/stroke/internal/likeness/prose"
)

// source is a writer's train text, indexed so that what a text shares with it
// is found fast. It takes about ten bytes of memory for each byte of text, and is
// safe for concurrent use.
type source struct {
	index  *suffixarray.Index
	groups []string // of the pieces, in order
	starts []int    // where each begins in the index
	items  map[string]*item
}

// newSource indexes train text.
func newSource(train []Piece) *source {
	s := &source{items: map[string]*item{}}
	var b strings.Builder
	for _, p := range train {
		s.groups = append(s.groups, p.Group)
		s.starts = append(s.starts, b.Len())
		// Words stand between spaces; a run cannot pass the end of a piece.
		b.WriteString("\x00 ")
		for _, w := range lowerWords(p.Text) {
			b.WriteString(w)
			b.WriteByte(' ')
		}
		for _, i := range itemsOf(p.Text) {
			if s.items[i.key] == nil {
				s.items[i.key] = &i
			}
			s.items[i.key].count++
		}
	}
	s.index = suffixarray.New([]byte(b.String()))
	return s
}

// Run is a run of words that a text shares with the train text, punctuation
// and capitals apart.
type Run struct {
	Words int    `json:"words"`
	Text  string `json:"text"`  // as the text has it
	Group string `json:"group"` // of the text
	From  string `json:"from"`  // group of a train piece that has it
	at    int    // number of its first word in the text
}

// runsOf gives the longest shared runs of at least least words, none within
// another, in order.
func (s *source) runsOf(p Piece, least int) []Run {
	spans := prose.Words(p.Text)
	words := make([]string, len(spans))
	for i, w := range spans {
		words[i] = prose.Lower(w.Of(p.Text))
	}
	var out []Run
	end, reached := 0, 0
	query := make([]byte, 0, 1024)
	for i := range words {
		// A run from here on is at least as long as what is left of the last one.
		end = max(end, i)
		query = append(query[:0], ' ')
		for k := i; k < end; k++ {
			query = append(append(query, words[k]...), ' ')
		}
		at := -1
		for end < len(words) {
			longer := append(append(query, words[end]...), ' ')
			found := s.index.Lookup(longer, 1)
			if len(found) == 0 {
				break
			}
			query, at = longer, found[0]
			end++
		}
		if end > reached && end-i >= least {
			if at < 0 {
				at = s.index.Lookup(query, 1)[0]
			}
			piece, _ := slices.BinarySearch(s.starts, at+1)
			out = append(out, Run{Words: end - i, Text: p.Text[spans[i].Lo:spans[end-1].Hi], Group: p.Group, From: s.groups[piece-1], at: i})
			reached = end
		}
	}
	return out
}

// LongRun is the number of words from which on a shared run counts: shorter
// ones are common turns that any two texts share.
const LongRun = 8

// Copying is what texts share with the train text in long runs.
type Copying struct {
	Share   Interval `json:"share"`   // of the words that stand in runs of at least [LongRun] words
	Longest int      `json:"longest"` // words of the longest run
	Words   int      `json:"words"`   // looked at
}

// Leak is an item that stands once in the train text and that a text gives
// away.
type Leak struct {
	Kind  string `json:"kind"` // "name", "address", "number"
	Text  string `json:"text"`
	Group string `json:"group"` // of the text that has it
}

// Leakage is how much of the train text a twin repeats.
type Leakage struct {
	Twin Copying `json:"twin"`
	Base Copying `json:"base"`
	Own  Copying `json:"own"`
	// Excess is what the twin's share is above that of the writer's judge pieces.
	Excess Interval `json:"excess"`
	Runs   []Run    `json:"runs"` // the twin's longest, at most 20, the longest first
	// Leaks are names, addresses and numbers that stand once in the train text and
	// in something by the twin, but neither in its opening nor in anything by the
	// base; Rate is their number per thousand words, OwnRate that of the writer's
	// judge pieces, counted alike.
	Leaks   []Leak   `json:"leaks"`
	Rate    Interval `json:"rate"`
	OwnRate Interval `json:"own_rate"`
	Copier  bool     `json:"copier"` // the twin copies more than chance and the writer's own ways allow
	Why     string   `json:"why,omitempty"`
}

// Bounds of copying.
const (
	copierShare = 0.02 // of the words, above what the writer's judge pieces share
	copierRun   = 40   // words in one run, where the judge pieces have none half as long
)

// Part is a part of the texts of a comparison, with what the twin that wrote its
// side had learnt from. Most comparisons have one; where several twins wrote, each
// has a part.
type Part struct {
	Train []Piece
	Sides Sides
}

// beside is a piece with the text that it is searched for.
type beside struct {
	Piece
	source *source
}

// MeasureLeakage finds what twin, base and the writer's judge pieces share with the
// train text of their part. openings are what the twin was given, by group; what
// stands in one is not a leak. Judge pieces of more words than the twin wrote are cut
// to as many in all, since the longest run grows with the text.
func MeasureLeakage(parts []Part, openings map[string]string, how Resampling) Leakage {
	var l Leakage
	var sides [3][]beside
	for _, p := range parts {
		s := newSource(p.Train)
		for i, pieces := range [][]Piece{OfTwin: p.Sides.Twin, OfBase: p.Sides.Base, OfOwn: p.Sides.Own} {
			for _, q := range pieces {
				sides[i] = append(sides[i], beside{q, s})
			}
		}
	}
	if most := countAll(sides[OfTwin]); countAll(sides[OfOwn]) > most && most > 0 {
		sides[OfOwn] = shorten(sides[OfOwn], most)
	}
	var g grouping
	var sums3 [3]sums
	for i, to := range []*Copying{OfTwin: &l.Twin, OfBase: &l.Base, OfOwn: &l.Own} {
		for _, p := range sides[i] {
			in, runs := p.inRuns()
			for _, r := range runs {
				to.Longest = max(to.Longest, r.Words)
			}
			if i == OfTwin {
				l.Runs = append(l.Runs, runs...)
			}
			to.Words += len(in)
			for _, long := range in {
				v := 0.0
				if long {
					v = 1
				}
				g.add(&sums3[i], Sample{p.Group, v})
			}
		}
	}
	slices.SortStableFunc(l.Runs, func(a, b Run) int { return cmp.Compare(b.Words, a.Words) })
	l.Runs = l.Runs[:min(20, len(l.Runs))]
	for i, to := range []*Copying{&l.Twin, &l.Base, &l.Own} {
		to.Share = how.bootstrap([]int{len(g.number)}, func(d [][]float64) float64 { return sums3[i].mean(d[0]) })
	}
	l.Excess = how.bootstrap([]int{len(g.number)}, func(d [][]float64) float64 {
		return sums3[OfTwin].mean(d[0]) - sums3[OfOwn].mean(d[0])
	})
	leaks(&l, sides, openings, how)
	switch {
	case l.Excess.Low > copierShare:
		l.Why = "more of its words stand in long runs of your train text than of your own other pieces'"
	case l.Twin.Longest >= copierRun && 2*l.Own.Longest < l.Twin.Longest:
		l.Why = "it repeats a passage of your train text word for word"
	}
	l.Copier = l.Why != ""
	return l
}

// inRuns tells of each word of a piece whether it stands in a long run.
func (p beside) inRuns() (in []bool, runs []Run) {
	runs = p.source.runsOf(p.Piece, LongRun)
	in = make([]bool, len(prose.Words(p.Text)))
	for _, r := range runs {
		for i := r.at; i < r.at+r.Words; i++ {
			in[i] = true
		}
	}
	return in, runs
}

func countAll(pieces []beside) int {
	n := 0
	for _, p := range pieces {
		n += countWords(p.Text)
	}
	return n
}

// shorten cuts every piece to the same share of its words, so that all stay.
func shorten(pieces []beside, most int) []beside {
	share := float64(most) / float64(countAll(pieces))
	out := make([]beside, 0, len(pieces))
	for _, p := range pieces {
		p.Text = Head(p.Text, int(math.Ceil(share*float64(countWords(p.Text)))))
		out = append(out, p)
	}
	return out
}
