package likeness

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/getstroke/stroke/internal/likeness/prose"
	"github.com/getstroke/stroke/internal/likeness/reference"
)

// item is a name, an address or a number.
type item struct {
	kind, key, text string
	count           int
}

// The kinds of a [Leak].
const (
	KindName    = "name"
	KindAddress = "address"
	KindNumber  = "number"
)

var (
	webAddress = regexp.MustCompile(`(?i)\b[\w.+-]+@[\w-]+(\.[\w-]+)+|\b(https?://|www\.)[^\s<>()"']+|\b[a-z0-9-]+(\.[a-z0-9-]+)*\.(com|org|net|io|dev|edu|gov|co|uk|de|info)\b(/[^\s<>()"']*)?`)
	street     = regexp.MustCompile(`\b\d{1,5},? ([A-Z][\w’'-]+ ){1,3}(Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Square|Place|Court|Ct|Boulevard|Blvd|Terrace|Way)\b`)
	telephone  = regexp.MustCompile(`(\+\d{1,3}[ -]?)?\(?\d{2,5}\)?[ -]\d{2,4}[ -]\d{2,5}\b`)
	figure     = regexp.MustCompile(`[$€£]?\b\d[\d,.]*\d\b%?|[$€£]\d\b|\b\d%`)
)

// itemsOf finds names of two words and more, addresses of streets, mail and
// the web, telephone numbers, and numbers of at least three digits. A single
// capitalised word is left out: most are places and first names that anybody
// may use.
func itemsOf(text string) []item {
	var out []item
	taken := make([]bool, len(text))
	find := func(kind string, re *regexp.Regexp, least int) {
		for _, m := range re.FindAllStringIndex(text, -1) {
			part := strings.TrimRight(text[m[0]:m[1]], ".,;:")
			if taken[m[0]] || digits(part) < least {
				continue
			}
			for i := m[0]; i < m[1]; i++ {
				taken[i] = true
			}
			key := prose.Lower(part)
			if kind == KindNumber {
				key = strings.Map(func(r rune) rune {
					if unicode.IsDigit(r) || r == '.' {
						return r
					}
					return -1
				}, part)
			}
			out = append(out, item{kind: kind, key: kind + " " + key, text: part})
		}
	}
	find(KindAddress, webAddress, 0)
	find(KindAddress, street, 1)
	find(KindNumber, telephone, 7)
	find(KindNumber, figure, 3)
	for _, n := range names(text) {
		if strings.Contains(n.text, " ") && !taken[n.at] {
			out = append(out, item{kind: KindName, key: KindName + " " + prose.Lower(n.text), text: n.text})
		}
	}
	return out
}

func digits(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// name is a proper name in a text.
type name struct {
	at   int // byte of the text
	text string
}

var titles = wordSet("mr mrs miss ms dr sir lady lord professor captain colonel major st uncle aunt the")

// names gives the proper names of a text: capitalised words next to each
// other, titles apart. It needs the table of common words to tell a name at the
// beginning of a sentence, and knows none there without it.
func names(text string) []name {
	known := func(string) bool { return true }
	if t, err := reference.Load(); err == nil {
		known = t.Known
	}
	var out []name
	for _, p := range prose.Paragraphs(text) {
		for _, s := range prose.Sentences(text, p) {
			lo, hi := -1, 0
			flush := func() {
				if lo >= 0 {
					out = append(out, name{lo, strings.TrimSuffix(strings.TrimSuffix(text[lo:hi], "'s"), "’s")})
					lo = -1
				}
			}
			for _, t := range prose.Tokens(text, s, known) {
				r, _ := utf8.DecodeRuneInString(text[t.Lo:])
				capital := t.Name && unicode.IsUpper(r) && !titles[t.Lower]
				if lo >= 0 && (!capital || strings.Trim(text[hi:t.Lo], " -") != "") {
					flush()
				}
				if capital {
					if lo < 0 {
						lo = t.Lo
					}
					hi = t.Hi
				}
			}
			flush()
		}
	}
	return out
}

// leaks fills what stands once in the train text and in a twin's.
func leaks(l *Leakage, sides [3][]beside, openings map[string]string, how Resampling) {
	common := map[string]bool{}
	for _, p := range sides[OfBase] {
		for _, i := range itemsOf(p.Text) {
			common[i.key] = true
		}
	}
	rate := func(pieces []beside, keep bool) Interval {
		var g grouping
		var found sums
		for _, p := range pieces {
			given := map[string]bool{}
			for _, i := range itemsOf(openings[p.Group]) {
				given[i.key] = true
			}
			n, seen := 0.0, map[string]bool{}
			for _, i := range itemsOf(p.Text) {
				of := p.source.items[i.key]
				if of == nil || of.count != 1 || common[i.key] || given[i.key] || seen[i.key] {
					continue
				}
				seen[i.key] = true
				n++
				if keep {
					l.Leaks = append(l.Leaks, Leak{Kind: i.kind, Text: i.text, Group: p.Group})
				}
			}
			g.add(&found, Sample{p.Group, n})
			// The count of a mean is the words: items per thousand of them.
			at := g.of(p.Group)
			found.count[at] += float64(countWords(p.Text))/1000 - 1
		}
		return how.bootstrap([]int{len(g.number)}, func(d [][]float64) float64 { return found.mean(d[0]) })
	}
	l.Rate, l.OwnRate = rate(sides[OfTwin], true), rate(sides[OfOwn], false)
}
