package likeness

import (
	"strings"

	"github.com/getstroke/stroke/internal/likeness/prose"
)

// contracted are auxiliaries with their negation, written as one word.
var contracted = map[string]string{
	"isn't": "is", "aren't": "are", "wasn't": "was", "weren't": "were", "won't": "will", "wouldn't": "would", "shouldn't": "should",
	"couldn't": "could", "can't": "can", "cannot": "can", "hasn't": "has", "haven't": "have", "hadn't": "had", "mustn't": "must",
}

// expanded are auxiliaries that take "not" behind them, and their contraction.
var expanded = map[string]string{
	"is": "isn't", "are": "aren't", "was": "wasn't", "were": "weren't", "will": "won't", "would": "wouldn't", "should": "shouldn't",
	"could": "couldn't", "can": "can't", "has": "hasn't", "have": "haven't", "had": "hadn't",
}

// quantifierTaken are negative words with what stands for them once the
// negation is taken away; quantifierAdded is the way back.
var quantifierTaken = map[string]string{
	"never": "always", "nothing": "everything", "nobody": "everybody", "nowhere": "everywhere",
}

var quantifierAdded = map[string]string{
	"always": "never", "everything": "nothing", "everybody": "nobody", "everyone": "nobody", "everywhere": "nowhere",
}

var irregularPast = func() map[string]string {
	m := map[string]string{}
	for _, p := range strings.Fields(`go:went come:came see:saw take:took make:made know:knew think:thought get:got give:gave find:found
		tell:told feel:felt leave:left keep:kept begin:began run:ran stand:stood sit:sat speak:spoke write:wrote bring:brought hear:heard
		hold:held meet:met read:read set:set lose:lost fall:fell grow:grew draw:drew throw:threw break:broke rise:rose become:became
		put:put let:let lead:led lay:laid send:sent spend:spent build:built buy:bought catch:caught teach:taught fight:fought seek:sought
		win:won wear:wore strike:struck drink:drank shake:shook wake:woke choose:chose mean:meant understand:understood sleep:slept
		pay:paid say:said have:had do:did eat:ate cost:cost cut:cut hurt:hurt sell:sold drive:drove ride:rode forget:forgot
		stop:stopped plan:planned prefer:preferred occur:occurred admit:admitted`) {
		k, v, _ := strings.Cut(p, ":")
		m[k] = v
	}
	return m
}()

// past is the past of a verb. A wrong guess is no word, which [Fluent] sees.
func past(verb string) string {
	if p, ok := irregularPast[verb]; ok {
		return p
	}
	switch n := len(verb); {
	case strings.HasSuffix(verb, "e"):
		return verb + "d"
	case n > 1 && verb[n-1] == 'y' && strings.IndexByte("aeiou", verb[n-2]) < 0:
		return verb[:n-1] + "ied"
	}
	return verb + "ed"
}

// third is the third person of a verb in the present.
func third(verb string) string {
	switch n := len(verb); {
	case verb == "have":
		return "has"
	case verb == "do" || verb == "go":
		return verb + "es"
	case n > 1 && verb[n-1] == 'y' && strings.IndexByte("aeiou", verb[n-2]) < 0:
		return verb[:n-1] + "ies"
	case strings.HasSuffix(verb, "s") || strings.HasSuffix(verb, "sh") || strings.HasSuffix(verb, "ch") || strings.HasSuffix(verb, "x"):
		return verb + "es"
	}
	return verb + "s"
}

// stance takes negations away and adds as many.
func (m *pairMaker) stance() []Edit {
	var taken, added []Edit
	for _, s := range m.sentences {
		var t, a []Edit
		for i := range s.tokens {
			if e, ok := m.takeNegation(s, i); ok && m.fluentAfter(s, e) {
				t = append(t, e)
			}
			if e, ok := m.addNegation(s, i); ok && m.fluentAfter(s, e) {
				a = append(a, e)
			}
		}
		// One edit in a sentence, so that no two meet in a clause.
		switch {
		case len(t) > 0:
			taken = append(taken, m.choose(t, 1)...)
		case len(a) > 0:
			added = append(added, m.choose(a, 1)...)
		}
	}
	n := min(len(taken), len(added), maxEdits)
	return append(m.choose(taken, n), m.choose(added, n)...)
}

// spaced reports whether only one space stands between a token and the next.
func (m *pairMaker) spaced(s sentence, i int) bool {
	return i+1 < len(s.tokens) && m.text[s.tokens[i].Hi:s.tokens[i+1].Lo] == " "
}

// bareVerb reports whether a word can be a verb behind "do not".
func bareVerb(t prose.Token) bool {
	return !t.Name && (prose.Content(t.Lower) || t.Lower == "have" || t.Lower == "do" || t.Lower == "go") && !strings.HasSuffix(t.Lower, "ly")
}

// takeNegation takes away the negation that begins with token i.
func (m *pairMaker) takeNegation(s sentence, i int) (Edit, bool) {
	t := s.tokens[i]
	if t.Name {
		return Edit{}, false // within a title
	}
	if to, ok := quantifierTaken[t.Lower]; ok {
		return m.edit(s, i, i+1, to), true
	}
	if to, ok := contracted[t.Lower]; ok && i > 0 {
		return m.edit(s, i, i+1, to), true
	}
	if _, ok := expanded[t.Lower]; ok && i > 0 && m.spaced(s, i) && s.tokens[i+1].Lower == "not" && !s.tokens[i+1].Name {
		return m.edit(s, i, i+2, t.Lower), true
	}
	// do not think → think; does not think → thinks; did not think → thought
	verb := i + 1
	aux := t.Lower
	if stem, ok := strings.CutSuffix(aux, "n't"); ok {
		aux = stem
	} else if !m.spaced(s, i) || s.tokens[i+1].Lower != "not" {
		return Edit{}, false
	} else {
		verb++
	}
	if aux != "do" && aux != "does" && aux != "did" || verb >= len(s.tokens) || !m.spaced(s, verb-1) || !bareVerb(s.tokens[verb]) || i == 0 {
		return Edit{}, false
	}
	to := s.tokens[verb].Lower
	switch aux {
	case "does":
		to = third(to)
	case "did":
		to = past(to)
	}
	return m.edit(s, i, verb+1, to), true
}

// comparing are words behind which an added negation makes nonsense of a
// comparison or a condition.
var comparing = wordSet("than as if whether lest unless so such")

// addNegation negates token i.
func (m *pairMaker) addNegation(s sentence, i int) (Edit, bool) {
	t := s.tokens[i]
	if t.Name {
		return Edit{}, false
	}
	for _, before := range s.tokens[:i] {
		if comparing[before.Lower] {
			return Edit{}, false
		}
	}
	if to, ok := quantifierAdded[t.Lower]; ok {
		return m.edit(s, i, i+1, to), true
	}
	short, ok := expanded[t.Lower]
	if !ok || i == 0 || !m.spaced(s, i-1) || !m.spaced(s, i) {
		return Edit{}, false
	}
	next, last := s.tokens[i+1].Lower, s.tokens[i-1].Lower
	if next == "not" || isNegation(next) || questioners[last] || coordinators[last] || last == "that" || firstPerson[next] || pronouns[next] && next != "that" && next != "this" && next != "his" && next != "her" && next != "their" && next != "its" && next != "your" {
		return Edit{}, false // the subject follows: a question or an inversion
	}
	switch t.Lower {
	case "has", "have", "had":
		if !participles[next] && !strings.HasSuffix(next, "ed") {
			return Edit{}, false
		}
	case "will", "can":
		if articles[last] || firstPerson[last] && strings.HasPrefix(last, "m") || last == "his" || last == "her" || last == "their" {
			return Edit{}, false // the noun
		}
	}
	if m.short {
		return m.edit(s, i, i+1, short), true
	}
	if t.Lower == "can" {
		return m.edit(s, i, i+1, "cannot"), true
	}
	return m.edit(s, i, i+1, t.Lower+" not"), true
}
