package likeness

import (
	"strings"

	"github.com/getstroke/stroke/internal/likeness/prose"
)

func wordSet(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}

var (
	firstPerson  = wordSet("i i'm i've i'd i'll my mine me myself we we're we've we'd we'll our ours us")
	pronouns     = wordSet("he she it they you he's she's it's they're you're he'd she'd they'd you'd he'll she'll they'll you'll it'll this that these those his her its their your one who")
	articles     = wordSet("the a an")
	coordinators = wordSet("and but so or yet nor")
	links        = wordSet("because although though while whereas if unless since until till when whenever where wherever as once before after however therefore thus hence moreover furthermore nevertheless nonetheless still besides instead otherwise meanwhile then")
	questioners  = wordSet("what why how who whom whose which what's who's how's")
	prepositions = wordSet("in on at by to from with without into onto upon about above below under over between among through throughout during against toward towards within beyond behind beside near off of for out up down across along around despite like unlike")
	adverbs      = wordSet("now here perhaps maybe never always often sometimes soon once again even only just not very too well almost yes no indeed quite")
)

// openingKind is the kind of word that a sentence begins with, as a bin.
func openingKind(tokens []prose.Token) int {
	w := tokens[0].Lower
	switch {
	case strings.HasPrefix(w, "there") && (w == "there" || w == "there's"):
		return 9
	case firstPerson[w]:
		return 0
	case coordinators[w]:
		return 3
	case pronouns[w]:
		return 1
	case articles[w]:
		return 2
	case questioners[w]:
		return 5
	case links[w]:
		return 4
	case prepositions[w]:
		return 6
	case adverbs[w] || strings.HasSuffix(w, "ly") && len(w) > 4 && !tokens[0].Name:
		return 7
	case strings.HasSuffix(w, "ing") && len(w) > 5:
		return 8
	case tokens[0].Name:
		return 10
	}
	return 11
}

// person is the first personal pronoun of a sentence, as a bin.
func person(tokens []prose.Token) int {
	for _, t := range tokens {
		stem, _, _ := strings.Cut(t.Lower, "'")
		switch stem {
		case "i", "me", "my", "mine", "myself":
			return 0
		case "we", "us", "our", "ours", "ourselves":
			return 1
		case "you", "your", "yours", "yourself", "yourselves", "thou", "thee", "thy":
			return 2
		case "he", "him", "his", "himself", "she", "her", "hers", "herself":
			return 3
		case "they", "them", "their", "theirs", "themselves":
			return 4
		case "oneself":
			return 5
		case "one":
			if t.First { // "one does": elsewhere it is as a rule the number
				return 5
			}
		}
	}
	return 6
}

var (
	modals       = wordSet("will would shall should can could may might must won't wouldn't shan't shouldn't can't cannot couldn't mightn't mustn't i'll you'll he'll she'll it'll we'll they'll")
	haveForms    = wordSet("have has had having haven't hasn't hadn't i've you've we've they've")
	presentForms = wordSet("is are am do does isn't aren't don't doesn't it's i'm you're we're they're he's she's that's there's says thinks knows seems means makes goes gives takes comes gets wants needs has have")
	pastForms    = wordSet(`was were did wasn't weren't didn't had said went came saw took made knew thought got gave found told felt left kept began
		ran stood sat spoke wrote brought heard held met read set lost fell grew drew threw broke rose drove became put let led
		laid lay sent spent built bought caught taught fought sought won wore bore swore tore struck stuck sank sang rang drank
		shook woke chose froze stole flew blew rode hid bit lit shot slept swept wept dealt meant leapt crept understood`)
	participles = wordSet(`been done gone seen come taken made known thought got given found told felt left kept begun run stood sat spoken written
		brought heard held met read set lost fallen grown drawn thrown broken risen driven become put let led sent spent built bought
		caught taught won worn struck chosen stolen flown hidden had said understood meant`)
)

// tense is that of the first verb the rules can see, as a bin.
func tense(tokens []prose.Token) int {
	for i, t := range tokens {
		w := t.Lower
		switch {
		case t.Name:
		case modals[w]:
			return 3
		case haveForms[w]:
			for _, next := range tokens[i+1 : min(i+4, len(tokens))] {
				if participles[next.Lower] || strings.HasSuffix(next.Lower, "ed") {
					return 2
				}
			}
			if strings.HasPrefix(w, "had") {
				return 0
			}
			return 1
		case presentForms[w]:
			return 1
		case pastForms[w]:
			return 0
		case strings.HasSuffix(w, "ed") && len(w) > 4 && i > 0:
			return 0
		}
	}
	return 4
}

var (
	hedgeWords = wordSet(`perhaps maybe possibly probably presumably seemingly apparently roughly somewhat fairly arguably supposedly likely
		seem seems seemed appear appears appeared suggest suggests guess suppose suspect might may could almost nearly sometimes usually
		generally often tend tends tended about around mostly largely partly rather`)
	stressWords = wordSet(`certainly surely clearly obviously definitely absolutely always never undoubtedly indeed truly really very extremely
		completely entirely totally utterly perfectly must exactly precisely plainly every all only`)
)

// hedging tells whether a sentence is hedged, stressed, both or neither, as a
// bin.
func hedging(tokens []prose.Token) int {
	hedged, stressed := false, false
	for i, t := range tokens {
		hedged = hedged || hedgeWords[t.Lower]
		stressed = stressed || stressWords[t.Lower]
		if i > 0 {
			switch tokens[i-1].Lower + " " + t.Lower {
			case "i think", "i believe", "i guess", "kind of", "sort of", "more or", "at least":
				hedged = true
			case "of course", "no doubt", "in fact":
				stressed = true
			}
		}
	}
	switch {
	case hedged && stressed:
		return 2
	case hedged:
		return 0
	case stressed:
		return 1
	}
	return 3
}

// figures counts the figures of speech of a sentence; one without any counts
// once as such.
func (h *histogram) figures(s string, at int, tokens []prose.Token, repeats bool) {
	found := [...]bool{
		simile(tokens),
		strings.Contains(s, "?"),
		strings.Contains(s, "!"),
		strings.Contains(s, "(") || strings.Count(s, "—") >= 2 || len(typedDash.FindAllStringIndex(s, -1)) >= 2 || strings.Count(s, " – ") >= 2,
		triad(s, at, tokens),
		contrast(tokens),
		repeats,
		alliterates(tokens),
	}
	any := false
	for i, f := range found {
		if f {
			h[habitFigure][i]++
			any = true
		}
	}
	if !any {
		h[habitFigure][len(found)]++
	}
}

// simile sees "like a", "like the", "as … as", "as if" and "as though".
func simile(tokens []prose.Token) bool {
	for i, t := range tokens[:max(0, len(tokens)-1)] {
		next := tokens[i+1].Lower
		switch t.Lower {
		case "like":
			if articles[next] || next == "some" {
				return true
			}
		case "as":
			if next == "if" || next == "though" {
				return true
			}
			if i+3 < len(tokens) && tokens[i+2].Lower == "as" && articles[tokens[i+3].Lower] {
				return true // as cold as a
			}
		}
	}
	return false
}

// triad sees "a, b and c" and "a, b, or c", each of one to three words, in a
// sentence that begins at a byte of the text that tokens were made of.
func triad(s string, at int, tokens []prose.Token) bool {
	for i := 2; i+1 < len(tokens); i++ {
		if w := tokens[i].Lower; w != "and" && w != "or" {
			continue
		}
		// Look back for a comma that ends the first member, one to three words
		// before the second.
		for k := i - 1; k >= 1 && k >= i-3; k-- {
			if strings.HasPrefix(strings.TrimLeft(s[tokens[k-1].Hi-at:], `"”’`), ",") {
				return true
			}
		}
	}
	return false
}

// contrast sees "not X but Y" within ten words and "not only".
func contrast(tokens []prose.Token) bool {
	for i, t := range tokens {
		if t.Lower != "not" {
			continue
		}
		for k, next := range tokens[i+1 : min(i+11, len(tokens))] {
			if next.Lower == "only" && k == 0 || next.Lower == "but" && k > 0 {
				return true
			}
		}
	}
	return false
}

// alliterates sees three content words in a row, function words between them
// passed over, that begin with the same consonant.
func alliterates(tokens []prose.Token) bool {
	run, last := 0, byte(0)
	for _, t := range tokens {
		if t.Name || !prose.Content(t.Lower) {
			continue
		}
		c := t.Lower[0]
		switch {
		case c < 'a' || c > 'z' || strings.IndexByte("aeiou", c) >= 0:
			run, last = 0, 0
			continue
		case c == last:
			run++
		default:
			run, last = 1, c
		}
		if run == 3 {
			return true
		}
	}
	return false
}
