package stroke

import "errors"

// Code is the kind of an [Error]. It decides the exit status of the program
// and is what other programs branch on.
type Code string

// The kinds of error.
const (
	CodeFailure     Code = "failure"     // the work failed: exit status 1
	CodeInput       Code = "input"       // what was given is wrong: exit status 1
	CodePartial     Code = "partial"     // part of the work was done: exit status 3
	CodeNotFound    Code = "not_found"   // a twin, a base or a file is not there: exit status 10
	CodeBusy        Code = "busy"        // another process holds the lock: exit status 11
	CodeInterrupted Code = "interrupted" // stopped by the user: exit status 130
)

// Error is an error made for a person: one sentence that says what is wrong,
// and one that says what to do next.
type Error struct {
	Code Code   // never empty
	Msg  string // lower case, no full stop
	Hint string // what to do next; may be empty
	Err  error  // the cause; may be nil
}

// Error gives Msg, followed by the cause where there is one.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Msg
	}
	if e.Msg == "" {
		return e.Err.Error()
	}
	return e.Msg + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf is the code of the outermost [Error] that err wraps, CodeFailure
// where there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeFailure
}

// HintOf is the first hint found along the chain of err: that of an [Error],
// or of any error with a method Hint() string. It is empty where none has one.
func HintOf(err error) string {
	for ; err != nil; err = errors.Unwrap(err) {
		if e, ok := err.(*Error); ok && e.Hint != "" {
			return e.Hint
		}
		if h, ok := err.(interface{ Hint() string }); ok && h.Hint() != "" {
			return h.Hint()
		}
	}
	return ""
}

// ExitStatus is the exit status of a program that ends with a code.
func (c Code) ExitStatus() int {
	switch c {
	case CodePartial:
		return 3
	case CodeNotFound:
		return 10
	case CodeBusy:
		return 11
	case CodeInterrupted:
		return 130
	}
	return 1
}
