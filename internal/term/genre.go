package term

import (
	"fmt"
	"strings"

	"github.com/getstroke/stroke"
)

// genre says which genre was taken and what the others would have been worth.
func genre(e stroke.GenreEvent) string {
	if e.By == "" {
		return fmt.Sprintf("genre %s, as the run found it before it was stopped", e.Name)
	}
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
		one := fmt.Sprintf("%s %+.3f", g.Name, g.Gain)
		if g.Share > 0 && g.Share < 1 {
			one += fmt.Sprintf(", %.0f %% of it", 100*g.Share)
		}
		all = append(all, one)
	}
	switch n := 1 + strings.Count(e.Name, "+"); {
	case e.Name == "":
		return fmt.Sprintf("genre none: none saves anything on %s (%s)", on, strings.Join(all, "; "))
	case n > 1:
		return fmt.Sprintf("a mixture of %d genres, which saves %.3f nats a token on %s (each by itself: %s)", n, e.Gain, on, strings.Join(all, "; "))
	}
	return fmt.Sprintf("genre %s, which saves %.3f nats a token on %s (%s)", e.Name, e.Gain, on, strings.Join(all, "; "))
}
