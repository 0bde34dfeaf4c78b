package twin

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/getstroke/stroke"
)

// When documents are of more than one kind: the best genre of all is worse than
// another by so much, in nats per token, on so many of them, and better by as much
// on as many. Of writers of one kind no document was better served by another than
// the best by more than half of that (docs/GENRES.md).
const (
	kindLeast  = 0.02
	kindNoise  = 0.5 // over the root of its tokens: less than that is chance in a document
	kindLeastN = 2
	kindNamed  = 3 // documents that are named
)

// kindsOf says that documents are of more than one kind, by what each cost under
// genres, the best of which comes first; "" where they are not.
func kindsOf(docs []stroke.Document, list []trial) string {
	if len(list) < 2 {
		return ""
	}
	best, other := 0, 0
	var theirs []string // sources of the documents that another fits better
	for i := 1; i < len(list); i++ {
		ours, here := 0, []string(nil)
		for k, d := range docs {
			a, b := list[0].losses[k], list[i].losses[k]
			least := max(kindLeast, kindNoise/math.Sqrt(float64(max(a.Tokens, 1))))
			switch more := a.PerToken() - b.PerToken(); {
			case more >= least:
				here = append(here, d.Source)
			case more <= -least:
				ours++
			}
		}
		if ours >= kindLeastN && len(here) >= kindLeastN && len(here) > len(theirs) {
			best, other, theirs = ours, i, here
		}
	}
	if other == 0 {
		return ""
	}
	slices.Sort(theirs)
	names := strings.Join(theirs[:min(len(theirs), kindNamed)], ", ")
	if more := len(theirs) - kindNamed; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("these are documents of more than one kind: of the %d that were looked at %d are clearly better served by the genre %s, and %d by %s (%s); a twin stands on the same for all, so one twin for each kind, from a folder of its own, may be more like you",
		len(docs), best, list[0].genre.Name, len(theirs), list[other].genre.Name, names)
}
