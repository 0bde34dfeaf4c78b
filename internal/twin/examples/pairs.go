package examples

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"

	"github.com/getstroke/stroke/internal/word"
)

// pair is a request and the writer's text that answers it.
type pair struct {
	request, answer string
}

// The requests, worded in several ways so that none is learnt by heart.
var (
	openingRequests = []string{
		"Go on with this, in the same voice:\n\n%s",
		"Continue this text:\n\n%s",
		"Here is how a piece of mine begins. Write on.\n\n%s",
	}
	titleRequests = []string{
		"Write a piece called \"%s\".",
		"Write about this: %s",
		"%s. Write that piece for me.",
	}
	notesRequests = []string{
		"Write a passage from these notes: %s",
		"My notes: %s. Turn them into a passage.",
	}
)

// pairs makes the pairs of one document for one epoch.
func (m *Maker) pairs(rng *rand.Rand, i int) []pair {
	d := &m.docs[i]
	paragraphs := strings.Split(d.Text, "\n\n")
	var out []pair
	opening, title, notes := rng.Float64() < m.Mix.Opening, rng.Float64() < m.Mix.Title, rng.Float64() < m.Mix.Notes
	if opening {
		if head, rest, ok := split(paragraphs); ok {
			out = append(out, pair{fill(rng, openingRequests, head), rest})
		}
	}
	if title && d.Title != "" {
		out = append(out, pair{fill(rng, titleRequests, d.Title), d.Text})
	}
	if notes {
		passage := paragraphs[rng.IntN(len(paragraphs))]
		if phrases := keyPhrases(passage, 5); len(phrases) >= 3 && word.Count(passage) >= 40 {
			out = append(out, pair{fill(rng, notesRequests, strings.Join(phrases, "; ")), passage})
		}
	}
	return out
}

func fill(rng *rand.Rand, forms []string, what string) string {
	return strings.Replace(forms[rng.IntN(len(forms))], "%s", what, 1)
}

// split parts a document after its first paragraphs of 30 words or more; there
// must be as many left.
func split(paragraphs []string) (head, rest string, ok bool) {
	words := 0
	for i, p := range paragraphs {
		words += word.Count(p)
		if words < 30 {
			continue
		}
		rest = strings.Join(paragraphs[i+1:], "\n\n")
		return strings.Join(paragraphs[:i+1], "\n\n"), rest, word.Count(rest) >= 30
	}
	return "", "", false
}

// keyPhrases are runs of up to three words between common ones, the longest and
// rarest first come, in the order of the text.
func keyPhrases(text string, most int) []string {
	type phrase struct {
		text string
		at   int
		size int
	}
	var all []phrase
	var run []string
	at := 0
	seen := map[string]bool{}
	flush := func() {
		if len(run) > 0 && len(run) <= 3 {
			s := strings.Join(run, " ")
			size := 0
			for _, w := range run {
				size += len(w)
			}
			if key := strings.ToLower(s); size >= 6 && !seen[key] {
				seen[key] = true
				all = append(all, phrase{s, at, size})
			}
		}
		run = run[:0]
		at++
	}
	for _, w := range strings.Fields(text) {
		bare := strings.TrimFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if bare == "" || common[strings.ToLower(bare)] {
			flush()
			continue
		}
		run = append(run, bare)
		if last := w[len(w)-1]; strings.IndexByte(".,;:!?)", last) >= 0 {
			flush()
		}
	}
	flush()
	slices.SortStableFunc(all, func(a, b phrase) int { return cmp.Compare(b.size, a.size) })
	all = all[:min(most, len(all))]
	slices.SortFunc(all, func(a, b phrase) int { return cmp.Compare(a.at, b.at) })
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = p.text
	}
	return out
}

// common are words that no key phrase holds.
var common = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`a about above after again against all also always am an and any are as at be because been before
		being below between both but by can could did do does doing done down during each either else ever every few for from further get
		gets got had has have having he her here hers herself him himself his how i if in into is it its itself just let like made make
		many may me might more most much must my myself never no nor not nothing now of off on once one only or other our ours out over
		own perhaps quite rather said same say says shall she should since so some such than that the their them then there these they
		thing things this those though through to too two under until up upon us very was we well were what when where whether which while
		who whom whose why will with within without would yes yet you your yours`) {
		m[w] = true
	}
	return m
}()
