package base

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	stroke "github.com/getstroke/stroke"
)

// Candidate is a base with the forecast of a whole run on it.
type Candidate struct {
	Entry        Entry
	Have         bool    // it is on this machine
	Gone         bool    // it is not, and no source of it answers
	FetchSeconds float64 // to fetch it; 0 where Have
	TrainSeconds float64 // everything after that, verdict included
	MemoryBytes  int64   // the most that the run has resident
}

// Total is the forecast of the whole run, fetch included.
func (c Candidate) Total() time.Duration {
	return time.Duration((c.FetchSeconds + c.TrainSeconds) * float64(time.Second)).Round(time.Second)
}

// Choose takes the largest base whose whole run stays within a time and within
// memory (bytes, 0 for no limit), that knows the text's language (ISO 639-1,
// empty where nobody can tell), among those that can be had. Where none of
// these knows the language it takes the largest of the others, as the verdict
// at the end of a run measures what that is worth, and the reason says so.
//
// next is the next larger base that was not taken, with an empty entry where
// there is none; reason is one sentence that says which was taken, and what the
// next would cost. Without one that fits the error says what the smallest needs.
func Choose(candidates []Candidate, within time.Duration, memory int64, language string) (chosen, next Candidate, reason string, err error) {
	order := slices.Clone(candidates)
	slices.SortStableFunc(order, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Entry.Shape.Parameters(), b.Entry.Shape.Parameters()), cmp.Compare(a.Entry.Name, b.Entry.Name))
	})
	fits := func(c Candidate) bool {
		return !c.Gone && c.Total() <= within && (memory <= 0 || c.MemoryBytes <= memory)
	}
	knows := func(c Candidate) bool { return c.Entry.Knows(language) }
	at := lastIndex(order, func(c Candidate) bool { return fits(c) && knows(c) })
	note := ""
	if at < 0 {
		if at = lastIndex(order, fits); at >= 0 {
			note = fmt.Sprintf(", which was not made for the language of the text (%s), as no base is that can be had and fits", language)
			knows = func(Candidate) bool { return true }
		}
	}
	if at < 0 {
		return Candidate{}, Candidate{}, "", noFit(order, within, memory)
	}
	chosen = order[at]
	reason = fmt.Sprintf("%s%s: %s forecast of the %s allowed, at least %s of memory", chosen.Entry.Name, note,
		Span(chosen.Total()), Span(within), bytesText(chosen.MemoryBytes))
	if i := slices.IndexFunc(order[at+1:], knows); i >= 0 {
		next = order[at+1+i]
		reason += "; the next larger, " + next.Entry.Name + ", " + next.cost()
	}
	return chosen, next, reason, nil
}

// cost says what a base would take.
func (c Candidate) cost() string {
	if c.Gone {
		return "is not here, and no source of it answers"
	}
	s := fmt.Sprintf("would take %s", Span(c.Total()))
	if !c.Have {
		s += fmt.Sprintf(" with %s to fetch", bytesText(c.Entry.Size))
	}
	return s + fmt.Sprintf(" and %s of memory", bytesText(c.MemoryBytes))
}

func noFit(order []Candidate, within time.Duration, memory int64) error {
	i := slices.IndexFunc(order, func(c Candidate) bool { return !c.Gone })
	if i < 0 {
		name := "NAME"
		if len(order) > 0 {
			name = order[0].Entry.Name
		}
		return &stroke.Error{
			Code: stroke.CodeNotFound, Msg: "no base is on this machine, and no source of one answers", Err: ErrUnreachable,
			Hint: "connect to a network and try again, or bring a file: stroke base pull " + name + " --from FILE",
		}
	}
	c := order[i]
	e := &stroke.Error{Code: stroke.CodeInput, Hint: "name a base with --base, or allow more with --within " + Span(RoundUp(c.Total()))}
	e.Msg = fmt.Sprintf("no base fits within %s: the smallest that can be had, %s, %s", Span(within), c.Entry.Name, c.cost())
	if memory > 0 && c.MemoryBytes > memory {
		e.Msg = fmt.Sprintf("no base fits into %s of memory: the smallest that can be had, %s, %s", bytesText(memory), c.Entry.Name, c.cost())
		e.Hint = "close other programs, allow more with --memory where that was given, or train on a machine with more memory"
	}
	return e
}

func lastIndex(order []Candidate, f func(Candidate) bool) int {
	for i := len(order) - 1; i >= 0; i-- {
		if f(order[i]) {
			return i
		}
	}
	return -1
}

// RoundUp gives the whole minutes that are enough for a duration.
func RoundUp(d time.Duration) time.Duration { return (d + time.Minute - 1).Truncate(time.Minute) }

// Span writes a duration as 45s, 6m10s or 10m.
func Span(d time.Duration) string {
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// bytesText writes a size as 98 MB or 1.1 GB.
func bytesText(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d bytes", n)
}
