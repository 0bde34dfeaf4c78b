package token

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// StepKind is the kind of a normalization [Step].
type StepKind uint8

// The kinds of normalization steps.
const (
	StepNFC     StepKind = iota // Unicode's canonical composition
	StepPrepend                 // To goes before the text, where there is any
	StepReplace                 // every From becomes To
	StepPrefix                  // To goes before the text, unless the text begins with it
	StepFirst                   // StepPrefix, for the first stretch of a text only
)

// Step is one thing that is done to text before it is merged.
type Step struct {
	Kind     StepKind
	From, To string
}

// normalize does the steps to a stretch of text. first says that the stretch
// is the beginning of what is encoded.
func normalize(steps []Step, text string, first bool) string {
	for _, s := range steps {
		switch s.Kind {
		case StepNFC:
			text = norm.NFC.String(text)
		case StepReplace:
			text = strings.ReplaceAll(text, s.From, s.To)
		case StepPrepend:
			if text != "" {
				text = s.To + text
			}
		case StepPrefix, StepFirst:
			if text != "" && (first || s.Kind == StepPrefix) && !strings.HasPrefix(text, s.To) {
				text = s.To + text
			}
		}
	}
	return text
}
