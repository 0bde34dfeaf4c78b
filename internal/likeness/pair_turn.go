package likeness

import (
	"fmt"
	"strings"

	"github.com/getstroke/stroke/internal/likeness/prose"
)

func bothWays(list string) map[string]string {
	m := map[string]string{}
	for _, p := range strings.Fields(list) {
		a, b, _ := strings.Cut(p, ":")
		m[a] = b
		if _, ok := m[b]; !ok {
			m[b] = a
		}
	}
	return m
}

var comparisons = bothWays(`better:worse best:worst larger:smaller bigger:smaller greater:lesser higher:lower longer:shorter faster:slower
	older:younger stronger:weaker easier:harder richer:poorer wider:narrower deeper:shallower heavier:lighter louder:quieter
	warmer:cooler nearer:farther sooner:later earlier:later more:less fewer:more above:below increase:decrease increases:decreases
	increased:decreased increasing:decreasing highest:lowest largest:smallest biggest:smallest longest:shortest
	fastest:slowest oldest:youngest strongest:weakest easiest:hardest before:after`)

var frequencies = bothWays(`many:few often:seldom usually:rarely frequently:rarely majority:minority`)

// comparisons turns comparisons round.
func (m *pairMaker) comparisons() []Edit {
	return m.choose(m.turns(func(s sentence, i int) (string, bool) {
		w := s.tokens[i].Lower
		to, ok := comparisons[w]
		if !ok || s.tokens[i].Name || m.hyphened(s.tokens[i]) {
			return "", false
		}
		last, next := neighbours(s, i)
		switch w {
		case "more":
			// "once more", "no more", "more or less", "the more"
			switch {
			case wordSet("once no any the what many one some and or little few two three much ever")[last] || next == "and" || next == "or" || next == "":
				return "", false
			case next == "people" || next == "men" || next == "women" || strings.HasSuffix(next, "s") && !strings.HasSuffix(next, "ss") && !strings.HasSuffix(next, "ous"):
				to = "fewer"
			case next != "than" && !prose.Content(next):
				return "", false
			}
		case "less":
			if last == "or" || last == "the" || last == "no" || last == "much" || next == "" {
				return "", false
			}
		case "better", "best", "worst":
			if last == "had" || strings.HasSuffix(last, "'d") || last == "at" || last == "do" || last == "did" || firstPerson[last] || pronouns[last] || next == "" || next == "of" {
				return "", false
			}
		case "longer":
			if last == "no" || last == "any" || firstPerson[last] || pronouns[last] {
				return "", false
			}
		case "later", "earlier", "sooner":
			if next != "than" {
				return "", false
			}
		case "before", "after":
			if !articles[next] && !firstPerson[next] && !pronouns[next] || wordSet("look looked looking looks named long soon just as ever never shortly day take takes took day year years week weeks")[last] {
				return "", false
			}
		case "above", "below":
			if !articles[next] || last == "the" || !m.spaced(s, i) {
				return "", false
			}
		case "increase", "decrease", "increased", "increasing", "increases":
			if next == "in" && articles[last] && last == "an" {
				to = "decrease"
			}
		}
		return to, true
	}), maxEdits)
}

// hyphened reports whether a word is part of a compound.
func (m *pairMaker) hyphened(t prose.Token) bool {
	return t.Lo > 0 && m.text[t.Lo-1] == '-' || t.Hi < len(m.text) && m.text[t.Hi] == '-'
}

// quantities exchanges two numbers of one kind, and turns words for amounts
// round.
func (m *pairMaker) quantities() []Edit {
	edits := m.exchange()
	return append(edits, m.choose(m.turns(func(s sentence, i int) (string, bool) {
		w := s.tokens[i].Lower
		last, next := neighbours(s, i)
		to, ok := frequencies[w]
		switch {
		case s.tokens[i].Name || m.hyphened(s.tokens[i]):
			return "", false
		case (w == "majority" || w == "minority") && (last == "great" || last == "vast" || last == "small" || last == "tiny" || next == "groups"):
			return "", false
		case w == "most" && last != "the" && last != "at" && (strings.HasSuffix(next, "s") || next == "people" || next == "men" || next == "women" || next == "of"):
			return "few", true
		case !ok:
			return "", false
		case w == "many" && (next == "a" || last == "great" || last == "good" || last == "not" || last == "how"):
			return "", false
		case w == "few" && (last == "a" || last == "the" || last == "last" || last == "next" || last == "past" || last == "first" || last == "every"):
			return "", false
		case w == "often" && (last == "how" || last == "as" || last == "more" || last == "most" || last == "very"):
			return "", false
		}
		return to, true
	}), maxEdits)...)
}

func neighbours(s sentence, i int) (last, next string) {
	if i > 0 {
		last = s.tokens[i-1].Lower
	}
	if i+1 < len(s.tokens) {
		next = s.tokens[i+1].Lower
	}
	return last, next
}

// turns gives the edits that turn finds and the second rules allow, the first
// of each sentence.
func (m *pairMaker) turns(turn func(s sentence, i int) (to string, ok bool)) []Edit {
	var out []Edit
	for _, s := range m.sentences {
		for i := range s.tokens {
			to, ok := turn(s, i)
			if !ok {
				continue
			}
			if e := m.edit(s, i, i+1, to); m.fluentAfter(s, e) {
				out = append(out, e)
				break
			}
		}
	}
	return out
}

// exchange gives two numbers of a passage each other's places: both years,
// both with the same unit sign, or both plain, but not one and the same.
func (m *pairMaker) exchange() []Edit {
	type number struct {
		sentence, token int
		kind, text      string
	}
	var list []number
	for si, s := range m.sentences {
		for ti, t := range s.tokens {
			word := t.Of(m.text)
			if kind := m.numberKind(t); kind != "" && !(ti == 0 && isItemNumber(m.text, t)) {
				list = append(list, number{si, ti, kind, word})
			}
		}
	}
	type two struct{ a, b number }
	var pairs []two
	for i, a := range list {
		for _, b := range list[i+1:] {
			if a.kind == b.kind && !strings.EqualFold(a.text, b.text) {
				pairs = append(pairs, two{a, b})
			}
		}
	}
	if len(pairs) == 0 {
		return nil
	}
	p := pairs[m.rng.IntN(len(pairs))]
	sa, sb := m.sentences[p.a.sentence], m.sentences[p.b.sentence]
	a, b := m.edit(sa, p.a.token, p.a.token+1, strings.ToLower(p.b.text)), m.edit(sb, p.b.token, p.b.token+1, strings.ToLower(p.a.text))
	return []Edit{a, b}
}

// numberKind is the kind of a number, "" for what is none or cannot be
// exchanged: numbers of one kind can stand for each other.
func (m *pairMaker) numberKind(t prose.Token) string {
	word := t.Of(m.text)
	if v, ok := numerals[t.Lower]; ok {
		if m.hyphened(t) || len(v) > 2 || v == "0" || v == "2" && t.Lower == "twice" || t.Lower == "dozen" {
			return ""
		}
		return fmt.Sprintf("numeral of %d digits", len(v))
	}
	if !isNumber(word) || strings.Trim(word, "0123456789.,") != "" || word == "1" || m.hyphened(t) {
		return ""
	}
	kind := fmt.Sprintf("figure of %d digits, %d behind the point", digits(word), len(word)-1-strings.LastIndexByte(word, '.'))
	if !strings.Contains(word, ".") {
		kind = fmt.Sprintf("figure of %d digits", digits(word))
	}
	if t.Lo > 0 && strings.IndexByte("$/.:#", m.text[t.Lo-1]) >= 0 {
		kind += " behind " + m.text[t.Lo-1:t.Lo]
	}
	if t.Hi < len(m.text) && strings.IndexByte("%/:)", m.text[t.Hi]) >= 0 {
		kind += " before " + m.text[t.Hi:t.Hi+1]
	}
	return kind
}

// isItemNumber reports whether a number is that of a list's item.
func isItemNumber(text string, t prose.Token) bool {
	return t.Hi < len(text) && (text[t.Hi] == '.' || text[t.Hi] == ')')
}
