package term

import (
	"fmt"
	"strings"

	"github.com/getstroke/stroke"
)

// methods says what a comparison of methods will do and take.
func methods(e stroke.MethodsEvent) string {
	if e.Seconds == 0 {
		return "everything was measured before"
	}
	var parts []string
	for _, m := range e.Methods {
		switch {
		case m.Kept:
			parts = append(parts, m.Method+" as measured before")
		case m.Runs > 0:
			parts = append(parts, fmt.Sprintf("%s %s in %s", m.Method, Span(m.Seconds), some(m.Runs, "training")))
		default:
			parts = append(parts, fmt.Sprintf("%s %s", m.Method, Span(m.Seconds)))
		}
	}
	s := "to measure: " + strings.Join(parts, ", ") + "; about " + Span(e.Seconds)
	if e.Memory > 0 {
		s += fmt.Sprintf(", at most %s of memory and %s of disk", Bytes(e.Memory), Bytes(e.Disk))
	}
	return s
}

// method says which part of a comparison begins.
func method(e stroke.MethodEvent) string {
	if e.Kept {
		return e.Method + ": as measured before"
	}
	what := map[string]string{"train": "training", "measure": "measuring", "curve": "measuring"}[e.Doing] + " " + e.Method
	if e.Setting != "" {
		what += ", " + e.Setting
	}
	s := fmt.Sprintf("%d of %d: %s", e.Number, e.Total, what)
	if e.SecondsLeft > 0 {
		s += "; about " + Span(e.SecondsLeft) + " left in all"
	}
	return s
}
