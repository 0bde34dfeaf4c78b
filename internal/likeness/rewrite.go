package likeness

import (
	"strconv"
	"strings"

	"github.com/getstroke/stroke/internal/likeness/prose"
)

// Rewritten is one passage of the writer, made plain, and the twin's rewriting
// of the plain text.
type Rewritten struct {
	Group    string
	Original string // the writer's judge passage
	Plain    string // what the twin was given; see [Plain]
	Text     string // what it made of it
}

// Kept is how much of one text's content another has.
type Kept struct {
	Names   Count    `json:"names"`
	Numbers Count    `json:"numbers"`
	Claims  Count    `json:"claims"`
	Added   []string `json:"added"` // names and numbers that the first text lacks
}

// Count is a number out of another.
type Count struct {
	Of   int `json:"of"`
	Kept int `json:"kept"`
}

// Share is Kept as a share of Of; NaN where there was nothing to keep.
func (c Count) Share() float64 { return float64(c.Kept) / float64(c.Of) }

// Rewriting is how near rewritten passages come to the writer and what they
// keep.
type Rewriting struct {
	// Nearer is how far the passages moved to the writer, by mean calibrated
	// probabilities of a [Recogniser]: 0 as the plain text, 1 as the original. NaN
	// where plain and original cannot be told apart.
	Nearer Interval `json:"nearer"`
	// Names, Numbers and Claims are the shares of the plain text's that are kept,
	// over all passages; Added is names and numbers that it lacks, per passage.
	Names    Interval `json:"names"`
	Numbers  Interval `json:"numbers"`
	Claims   Interval `json:"claims"`
	Added    Interval `json:"added"`
	Texts    int      `json:"texts"`         // that were rewritten
	Passages int      `json:"passages"`      // that the recogniser read of them
	Claim    bool     `json:"claim"`         // whether Nearer allows a claim
	Why      string   `json:"why,omitempty"` // it does not
}

// MeasureRewriting measures rewritten passages. Originals of about [Unit] words
// suit it: what is longer is judged by its first passage, and shorter ones are
// joined, since a recogniser is calibrated at that length.
func (r *Recogniser) MeasureRewriting(list []Rewritten, how Resampling) Rewriting {
	var g grouping
	var prob [3]sums
	var kept [4]sums
	for _, w := range list {
		k := KeptOf(w.Plain, w.Text)
		n := g.of(w.Group)
		for i, c := range []Count{k.Names, k.Numbers, k.Claims, {Of: 1, Kept: len(k.Added)}} {
			g.add(&kept[i], Sample{w.Group, float64(c.Kept)})
			kept[i].count[n] += float64(c.Of) - 1
		}
	}
	passages := 0
	for i, side := range [3]func(w Rewritten) string{
		func(w Rewritten) string { return w.Text },
		func(w Rewritten) string { return w.Plain },
		func(w Rewritten) string { return w.Original },
	} {
		var pieces []Piece
		for _, w := range list {
			pieces = append(pieces, Piece{w.Group, Head(side(w), Unit)})
		}
		for _, s := range r.score(pieces, how.Seed) {
			g.add(&prob[i], Sample{s.group, s.p})
			if i == 0 {
				passages++
			}
		}
	}
	out := Rewriting{Texts: len(list), Passages: passages}
	out.Nearer = how.bootstrapShare([]int{len(g.number)}, func(d [][]float64) (text, plain, original float64) {
		return prob[0].mean(d[0]), prob[1].mean(d[0]), prob[2].mean(d[0])
	})
	for i, to := range []*Interval{&out.Names, &out.Numbers, &out.Claims, &out.Added} {
		*to = how.bootstrap([]int{len(g.number)}, func(d [][]float64) float64 { return kept[i].mean(d[0]) })
	}
	ones := make([]float64, len(g.number))
	for i := range ones {
		ones[i] = 1
	}
	switch gap := prob[2].mean(ones) - prob[1].mean(ones); {
	case passages < claimPassages:
		out.Why = "too few passages"
	case !(gap >= claimGap):
		out.Why = "the plain texts can hardly be told from the originals"
	}
	out.Claim = out.Why == ""
	return out
}

// KeptOf compares the content of a text with that of its source: proper names,
// numbers by value, and claims. A claim is a sentence of the source with at least
// three content words; it is kept where one sentence of the text, or two
// neighbours, has six tenths of their stems and as many negations, odd or even.
func KeptOf(source, text string) Kept {
	var k Kept
	have := nameSet(text)
	want := nameSet(source)
	for n := range want {
		k.Names.Of++
		if have[n] || partOf(n, have) {
			k.Names.Kept++
		}
	}
	haveN, wantN := numbers(text), numbers(source)
	for n := range wantN {
		k.Numbers.Of++
		if haveN[n] {
			k.Numbers.Kept++
		}
	}
	for _, n := range names(text) {
		if key := prose.Lower(n.text); !want[key] && !partOf(key, want) {
			k.Added = append(k.Added, n.text)
			want[key] = true
		}
	}
	for _, n := range numberList(text) {
		if !wantN[n] {
			k.Added = append(k.Added, n)
			wantN[n] = true
		}
	}
	windows := claims(text)
	for _, c := range claims(source) {
		if len(c.stems) < 3 {
			continue
		}
		k.Claims.Of++
		for i, w := range windows {
			if w.holds(c) || i > 0 && windows[i-1].with(w).holds(c) {
				k.Claims.Kept++
				break
			}
		}
	}
	return k
}

func nameSet(text string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names(text) {
		m[prose.Lower(n.text)] = true
	}
	return m
}

// partOf reports whether a name is part of another, or the other way round:
// "Wooster" and "Bertram Wooster".
func partOf(name string, set map[string]bool) bool {
	for other := range set {
		if strings.Contains(" "+other+" ", " "+name+" ") || strings.Contains(" "+name+" ", " "+other+" ") {
			return true
		}
	}
	return false
}

var numerals = func() map[string]string {
	m := map[string]string{}
	for i, w := range strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty") {
		if i > 1 { // "one" is a pronoun more often
			m[w] = strconv.Itoa(i)
		}
	}
	for i, w := range strings.Fields("thirty forty fifty sixty seventy eighty ninety") {
		m[w] = strconv.Itoa(30 + 10*i)
	}
	m["hundred"], m["thousand"], m["million"], m["billion"], m["dozen"], m["twice"], m["half"] = "100", "1000", "1000000", "1000000000", "12", "2", "0.5"
	return m
}()

// valueOf is the value of a number as a decimal; ok is false for other words.
func valueOf(lower string) (value string, ok bool) {
	if v, ok := numerals[lower]; ok {
		return v, true
	}
	if !isNumber(lower) {
		return "", false
	}
	v := strings.ReplaceAll(lower, ",", "")
	if strings.Contains(v, ".") {
		v = strings.TrimRight(strings.TrimRight(v, "0"), ".")
	}
	return v, true
}

// numberList gives the numbers of a text by value, in order.
func numberList(text string) []string {
	var out []string
	for _, w := range prose.Words(text) {
		if v, ok := valueOf(prose.Lower(w.Of(text))); ok {
			out = append(out, v)
		}
	}
	return out
}

func numbers(text string) map[string]bool {
	m := map[string]bool{}
	for _, n := range numberList(text) {
		m[n] = true
	}
	return m
}

// claim is what a sentence says, as far as rules can see.
type claim struct {
	stems    map[string]bool
	negative bool
}

var negators = wordSet("not no none never nothing nobody nowhere neither nor cannot without hardly scarcely")

func isNegation(lower string) bool { return negators[lower] || strings.HasSuffix(lower, "n't") }

func claims(text string) []claim {
	var out []claim
	for _, p := range prose.Paragraphs(text) {
		for _, s := range prose.Sentences(text, p) {
			c := claim{stems: map[string]bool{}}
			for _, w := range prose.WordsIn(text, s) {
				lower := prose.Lower(w.Of(text))
				if isNegation(lower) {
					c.negative = !c.negative
				} else if v, ok := valueOf(lower); ok {
					c.stems[v] = true
				} else if prose.Content(lower) {
					c.stems[prose.Stem(lower)] = true
				}
			}
			out = append(out, c)
		}
	}
	return out
}

func (c claim) with(d claim) claim {
	both := claim{stems: map[string]bool{}, negative: c.negative != d.negative}
	for _, m := range []map[string]bool{c.stems, d.stems} {
		for s := range m {
			both.stems[s] = true
		}
	}
	return both
}

// holds reports whether c says what the claim d does.
func (c claim) holds(d claim) bool {
	common := 0
	for s := range d.stems {
		if c.stems[s] {
			common++
		}
	}
	return 10*common >= 6*len(d.stems) && c.negative == d.negative
}
