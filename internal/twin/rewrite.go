package twin

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/word"
)

// A text is rewritten in parts of about so many words, and a paragraph of more than the
// second is parted.
const (
	portionWords   = 180
	paragraphWords = 2 * portionWords
)

// Rewrite writes a text again in the writer's voice, part by part where it is long. A
// part whose end is missing is told of; reason is then why, and else [engine.Stopped].
func (v *Voice) Rewrite(ctx context.Context, source string, s *Speech, emit Emit, text func(string) error) (reason engine.Reason, err error) {
	reason = engine.Stopped
	parts := portions(source, portionWords, paragraphWords)
	for i, part := range parts {
		if i > 0 {
			if err := text(part.before); err != nil {
				return reason, err
			}
		}
		q := *s
		q.Max = min(s.Max, 64+3*len(v.b.tok.Encode(part.text))/2)
		m := []Message{{Role: "user", Content: "Write this again in your own voice. Keep everything it says, its names and its numbers.\n\n" + part.text}}
		ended, err := v.answer(ctx, m, v.passages.holding(part.text), &q, text)
		if err != nil {
			return reason, err
		}
		if ended == engine.Stopped {
			continue
		}
		reason = ended
		why := fmt.Sprintf("it came to %d tokens", q.Max)
		switch {
		case ended == engine.Full:
			why = "there was no room left in the base's context"
		case q.Max == s.Max:
			why += "; --max-tokens allows more"
		}
		begin, _ := head(part.text, 8)
		emit(stroke.NoteEvent{Text: fmt.Sprintf("part %d of %d, which begins %q, may lack its end: %s", i+1, len(parts), begin, why)})
	}
	return reason, nil
}

// portion is a part of a text, with what stands between it and the one before.
type portion struct{ before, text string }

// portions cuts a text at paragraphs into parts of about most words. A paragraph of more
// than long words is cut at the ends of its lines, and a line of more than that at the
// ends of sentences.
func portions(text string, most, long int) []portion {
	return pack(strings.Split(strings.TrimSpace(text), "\n\n"), "\n\n", most, func(p string) []portion {
		if word.Count(p) <= long {
			return nil
		}
		return pack(strings.Split(p, "\n"), "\n", most, func(l string) []portion {
			if word.Count(l) <= long {
				return nil
			}
			return pack(sentences(l), gap(l), most, func(string) []portion { return nil })
		})
	})
}

// pack puts pieces together into parts of about most words. What cut gives for a piece
// stands in its place.
func pack(pieces []string, between string, most int, cut func(string) []portion) []portion {
	var out []portion
	open, words := false, 0 // the last part takes more; the words in it
	for _, p := range pieces {
		n := word.Count(p)
		if n == 0 {
			continue
		}
		if parts := cut(p); len(parts) > 0 {
			parts[0].before = between
			out, open = append(out, parts...), false
			continue
		}
		if open && words+n <= most {
			out[len(out)-1].text += between + p
			words += n
			continue
		}
		out, open, words = append(out, portion{between, p}), true, n
	}
	return out
}

// gap is what stands between the sentences of a line: nothing where most of its words
// have no space between them.
func gap(line string) string {
	if word.Count(line) > 2*len(strings.Fields(line)) {
		return ""
	}
	return " "
}

var sentenceEnd = regexp.MustCompile(`[.!?…]["'”’»)\]]*\s+|[` + word.FullStops + `]+[` + word.Closers + `]*\s*`)

// sentences cuts a line behind the ends of its sentences.
func sentences(line string) []string {
	var out []string
	for {
		at := sentenceEnd.FindStringIndex(line)
		if at == nil {
			return append(out, line)
		}
		out, line = append(out, strings.TrimSpace(line[:at[1]])), line[at[1]:]
	}
}
