package twin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/weights"
)

// strangeShare is the share of the words from which on it is told that a base was
// not made for their language.
const strangeShare = 0.1

// unknownLanguage says that a base was not made for the language of some of the
// text, and what to do; "" where there is nothing to say. knows are the base's
// languages, none where nobody can tell.
func unknownLanguage(r *corpus.Reading, name string, knows []string) string {
	if len(knows) == 0 {
		return ""
	}
	all, strange, most := r.Words(), 0, ""
	words := r.Languages()
	for language, n := range words {
		if language == "" || slices.Contains(knows, language) {
			continue
		}
		strange += n
		if n > words[most] || most == "" || n == words[most] && language < most {
			most = language
		}
	}
	switch {
	case words[""]*2 > all:
		return fmt.Sprintf("the language of %d of the %d words cannot be told, and the base %s was made for %s; if they are in another, name a base that knows it: stroke base list", words[""], all, name, languageNames(knows))
	case strange == 0 || float64(strange) < strangeShare*float64(all):
		return ""
	}
	s := fmt.Sprintf("%d of the %d words seem to be in %s, which the base %s was not made for (it was for %s), so that a twin writes badly; ", strange, all, corpus.LanguageName(most), name, languageNames(knows))
	if e, ok := baseFor(most); ok {
		return s + "name a base that knows it, the smallest of which is " + e.Name + ": --base " + e.Name
	}
	return s + "no base of the catalog is known to be made for it: name one of your own, --base FILE.gguf"
}

// languageNames names languages, six at the most.
func languageNames(codes []string) string {
	var names []string
	for _, c := range codes[:min(len(codes), 6)] {
		names = append(names, corpus.LanguageName(c))
	}
	if more := len(codes) - len(names); more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), more)
	}
	return strings.Join(names, ", ")
}

// baseFor is the smallest base of the catalog under a free licence that knows a
// language.
func baseFor(language string) (base.Entry, bool) {
	all := base.Catalog()
	i := slices.IndexFunc(all, func(e base.Entry) bool { return e.Terms == "" && e.Knows(language) })
	if i < 0 {
		return base.Entry{}, false
	}
	return all[i], true
}

// languagesOf are those that a base's file says it was made for.
func languagesOf(src *weights.Source) []string {
	g := src.GGUF
	if g == nil {
		return nil
	}
	names, _ := g.Meta["general.languages"].([]string)
	return languageCodes(names)
}

// languageCodes are languages in ISO 639-1, as far as it has them: files have codes
// of two letters or of three. None where one of them is no language, since then
// nobody can tell.
func languageCodes(names []string) []string {
	var codes []string
	for _, n := range names {
		tag, err := language.Parse(n)
		code, _ := tag.Base()
		if err != nil || code.String() == "mul" {
			return nil
		}
		codes = append(codes, cmp.Or(map[string]string{"nb": "no", "nn": "no", "cmn": "zh"}[code.String()], code.String()))
	}
	return codes
}

// tellLanguage tells that a base was not made for the language of the text.
func tellLanguage(r *corpus.Reading, name string, knows []string, emit Emit) {
	if s := unknownLanguage(r, name, knows); s != "" {
		emit(stroke.NoteEvent{Text: s})
	}
}
