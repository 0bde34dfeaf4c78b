package likeness

import (
	"strings"

	"github.com/getstroke/stroke/internal/likeness/prose"
	"github.com/getstroke/stroke/internal/likeness/reference"
)

var (
	// needsNegation are words that as a rule stand only where a sentence is
	// negated, asks, compares or supposes.
	needsNegation = wordSet("any anyone anybody anything anywhere ever yet anymore either nor until slightest whatsoever whatever exactly necessarily much even")
	licence       = wordSet("if whether than before without unless few hardly scarcely barely rarely seldom too only every all neither as doubt doubts doubted refuse refused forbid prevent")
	// shunsNegation are words that as a rule do not stand under a negation.
	shunsNegation = wordSet(`some somebody someone something somewhere already too also still rather quite indeed certainly surely almost nearly
		just only both even perhaps always hardly scarcely barely seldom rarely pretty fairly merely simply`)
	impossible = []string{" a many ", " an few ", " quite few ", " so few as to ", " more better ", " less better ", " more worse ", " less worse ",
		" lesser than ", " few more ", " fewer more ", " the few of ", " nothing else ", " everything else ", " everything but ", " everything more ",
		" everything of the ", " everything in particular ", " everything to do ", " for everything ", " always again ", " always before ",
		" always mind ", " there is everything ", " there was everything ", " nothing from ", " into nothing ", " with nothing "}
)

// Fluent reports whether a sentence, changed by a rule, is still English, by
// rules of another kind than those that change: every new word is a common one;
// no word is doubled; no second negation came in; words that need a negation
// still have one, and those that shun it got none; "not … but" keeps its "not";
// "a" and "an" agree; and none of a list of impossible turns was made.
func Fluent(before, after string, table *reference.Table) bool {
	was, is := lowerWords(before), lowerWords(after)
	had := map[string]bool{}
	for _, w := range was {
		had[w] = true
	}
	negations := func(words []string) int {
		n := 0
		for _, w := range words {
			if isNegation(w) {
				n++
			}
		}
		return n
	}
	negated, negatedBefore := negations(is), negations(was)
	if negated > 1 && negated > negatedBefore || negated < negatedBefore && negatedBefore > 1 {
		return false
	}
	licensed := negated > 0 || strings.Contains(after, "?")
	for _, w := range is {
		licensed = licensed || licence[w]
	}
	for i, w := range is {
		if !had[w] && !table.Known(w) && !strings.HasSuffix(w, "n't") && !isNumber(w) {
			return false
		}
		if i > 0 {
			last := is[i-1]
			if w == last && w != "that" && w != "had" && !doubled(was, w) {
				return false
			}
			if (last == "a" || last == "an") && !agreed(was, last, w) && (last == "an") != strings.ContainsRune("aeiou", rune(w[0])) {
				return false
			}
		}
		switch {
		case negated < negatedBefore && needsNegation[w] && !licensed:
			return false
		case negated < negatedBefore && w == "all" && i > 0 && is[i-1] == "at":
			return false
		case negated < negatedBefore && w == "but":
			return false
		case negated > negatedBefore && (shunsNegation[w] || w == "but"):
			return false
		}
	}
	line := " " + strings.Join(is, " ") + " "
	for _, turn := range impossible {
		if strings.Contains(line, turn) && !strings.Contains(" "+strings.Join(was, " ")+" ", turn) {
			return false
		}
	}
	return !stray(after)
}

// doubled reports whether a word stood twice in a row already.
func doubled(words []string, w string) bool {
	for i := range words[:max(0, len(words)-1)] {
		if words[i] == w && words[i+1] == w {
			return true
		}
	}
	return false
}

// agreed reports whether an article stood before a word already: "an hour".
func agreed(words []string, article, w string) bool {
	for i := range words[:max(0, len(words)-1)] {
		if words[i] == article && words[i+1] == w {
			return true
		}
	}
	return false
}

// stray reports whether a sentence ends in a word that needs another.
func stray(s string) bool {
	spans := prose.Words(s)
	if len(spans) == 0 {
		return true
	}
	switch prose.Lower(spans[len(spans)-1].Of(s)) {
	case "a", "an", "the", "of", "every", "than":
		return true
	}
	return false
}
