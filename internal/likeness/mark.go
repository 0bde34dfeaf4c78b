package likeness

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/getstroke/stroke/internal/likeness/prose"
	"github.com/getstroke/stroke/internal/likeness/reference"
)

// MarkKind is why a stretch of text is the writer's.
type MarkKind string

// The kinds of mark, the strongest first.
const (
	// MarkRun is a run of at least [LongRun] words that stands in the train text.
	MarkRun MarkKind = "run"
	// MarkTurn is a turn of three words or more that the writer uses in several
	// pieces and the base, writing on from the writer's own openings, does not.
	MarkTurn MarkKind = "turn"
	// MarkWord is a word that the writer uses much more often, and in several
	// pieces, than both English prose and the base do.
	MarkWord MarkKind = "word"
)

// Mark is a stretch of a text that is the writer's.
type Mark struct {
	Lo   int      `json:"lo"` // bytes
	Hi   int      `json:"hi"`
	Kind MarkKind `json:"kind"`
}

// Marker shows what in a text is the writer's, for people to look at. It proves
// nothing: recognition does that.
type Marker struct {
	source *source
	table  *reference.Table
	words  map[string]bool
	turns  map[string]bool // of three words
}

// Bounds of what is marked.
const (
	turnWords   = 3
	markGroups  = 3   // pieces that have the word or the turn; all, where there are fewer
	markTimes   = 2.0 // as often as elsewhere
	markDeviate = 3.0 // standard deviations of the logarithm of that
)

// NewMarker learns from the writer's train text, and what to pass over from
// what the bare base wrote from other openings of theirs.
func NewMarker(train, base []Piece) (*Marker, error) {
	table, err := reference.Load()
	if err != nil {
		return nil, err
	}
	m := &Marker{source: newSource(train), table: table, words: map[string]bool{}, turns: map[string]bool{}}
	type use struct {
		count  float64
		groups map[string]bool
	}
	words, turns := map[string]*use{}, map[string]*use{}
	count := func(in map[string]*use, key, group string) {
		u := in[key]
		if u == nil {
			u = &use{groups: map[string]bool{}}
			in[key] = u
		}
		u.count++
		u.groups[group] = true
	}
	total, groups := 0.0, map[string]bool{}
	for _, p := range train {
		groups[p.Group] = true
		for _, s := range m.sentences(p.Text) {
			for i, t := range s {
				total++
				if !t.Name && !isNumber(t.Lower) {
					count(words, t.Lower, p.Group)
				}
				if turn, ok := turnAt(s, i); ok {
					count(turns, turn, p.Group)
				}
			}
		}
	}
	bases, baseTotal := map[string]float64{}, 0.0
	for _, p := range base {
		for _, s := range m.sentences(p.Text) {
			for _, t := range s {
				bases[t.Lower]++
				baseTotal++
			}
		}
	}
	least := min(markGroups, len(groups))
	for w, u := range words {
		expected := total * math.Exp2(-table.RarityOf(w))
		if baseTotal > 0 {
			expected = max(expected, total*bases[w]/baseTotal)
		}
		// The logarithm of a ratio of counts, half an observation added to each, has
		// about this deviation (Monroe, Colaresi and Quinn, 2008, without a prior of
		// the writer's own).
		ratio := math.Log((u.count + 0.5) / (expected + 0.5))
		if len(u.groups) >= least && ratio > math.Log(markTimes) && ratio > markDeviate*math.Sqrt(1/(u.count+0.5)) {
			m.words[w] = true
		}
	}
	for t, u := range turns {
		if len(u.groups) >= least && u.count >= 2 {
			m.turns[t] = true
		}
	}
	for _, p := range base {
		for _, s := range m.sentences(p.Text) {
			for i := range s {
				if turn, ok := turnAt(s, i); ok {
					delete(m.turns, turn)
				}
			}
		}
	}
	return m, nil
}

func (m *Marker) sentences(text string) [][]prose.Token {
	var out [][]prose.Token
	for _, p := range prose.Paragraphs(text) {
		for _, s := range prose.Sentences(text, p) {
			out = append(out, prose.Tokens(text, s, m.table.Known))
		}
	}
	return out
}

// turnAt is the turn that begins at a token, unless a name or a number is in it.
func turnAt(s []prose.Token, i int) (string, bool) {
	if i+turnWords > len(s) {
		return "", false
	}
	var parts [turnWords]string
	for k := range parts {
		t := s[i+k]
		if t.Name || isNumber(t.Lower) {
			return "", false
		}
		parts[k] = t.Lower
	}
	return strings.Join(parts[:], " "), true
}

// Marks gives what in a text is the writer's, in order and without overlap; of
// stretches that overlap the stronger kind stays.
func (m *Marker) Marks(text string) []Mark {
	spans := prose.Words(text)
	var out []Mark
	taken := func(lo, hi int) bool {
		return slices.ContainsFunc(out, func(o Mark) bool { return lo < o.Hi && o.Lo < hi })
	}
	for _, r := range m.source.runsOf(Piece{Text: text}, LongRun) {
		lo, hi := spans[r.at].Lo, spans[r.at+r.Words-1].Hi
		// Two longest runs can overlap; they are one stretch then.
		if n := len(out); n > 0 && lo < out[n-1].Hi {
			out[n-1].Hi = max(out[n-1].Hi, hi)
			continue
		}
		out = append(out, Mark{lo, hi, MarkRun})
	}
	for _, s := range m.sentences(text) {
		for i := 0; i < len(s); i++ {
			end := i
			for k := i; k <= end && k < len(s); k++ {
				if turn, ok := turnAt(s, k); ok && m.turns[turn] {
					end = k + turnWords - 1
				}
			}
			if end > i && !taken(s[i].Lo, s[end].Hi) {
				out = append(out, Mark{s[i].Lo, s[end].Hi, MarkTurn})
				i = end
			}
		}
		for _, t := range s {
			if m.words[t.Lower] && !t.Name && !taken(t.Lo, t.Hi) {
				out = append(out, Mark{t.Lo, t.Hi, MarkWord})
			}
		}
	}
	slices.SortFunc(out, func(a, b Mark) int { return cmp.Compare(a.Lo, b.Lo) })
	return out
}

// Density is how many marks of turns and words there are in a hundred words of
// texts, with an interval over groups. Each list of texts has the marker of its
// place.
func Density(markers []*Marker, texts [][]Piece, how Resampling) Interval {
	var g grouping
	var s sums
	for i, m := range markers {
		for _, p := range texts[i] {
			n := 0.0
			for _, k := range m.Marks(p.Text) {
				if k.Kind != MarkRun {
					n++
				}
			}
			g.add(&s, Sample{p.Group, 100 * n})
			s.count[g.of(p.Group)] += float64(countWords(p.Text)) - 1
		}
	}
	return how.bootstrap([]int{len(g.number)}, func(d [][]float64) float64 { return s.mean(d[0]) })
}
