package term

import (
	"fmt"
	"strings"

	"github.com/getstroke/stroke"
)

// genre says which genre was taken and what the others would have been worth.
func genre(e stroke.GenreEvent) string {
	on := "your " + e.By + " documents"
	if len(e.Tried) == 0 {
		s := fmt.Sprintf("genre %s: it saves %.3f nats a token on %s", e.Name, e.Gain, on)
		if e.Gain <= 0 {
			s = fmt.Sprintf("genre %s: it costs %.3f nats a token on %s, and is used because you asked for it", e.Name, -e.Gain, on)
		}
		return s
	}
	var all []string
	for _, g := range e.Tried {
		all = append(all, fmt.Sprintf("%s %+.3f", g.Name, g.Gain))
	}
	which := "none: none saves anything"
	if e.Name != "" {
		which = fmt.Sprintf("%s, which saves %.3f nats a token", e.Name, e.Gain)
	}
	return fmt.Sprintf("genre %s on %s (%s)", which, on, strings.Join(all, ", "))
}
