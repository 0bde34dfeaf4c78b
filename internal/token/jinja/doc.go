// Package jinja renders chat templates: the part of Jinja that they use, as
// Jinja 3.1 in its immutable sandbox renders it with trim_blocks and
// lstrip_blocks on, which is how transformers sets it up.
//
// A template comes with a model, from strangers. So it can read nothing but
// its variables, change none of them, and each rendering is held within
// [Limits]: of steps, of memory, of depth and, by its context, of time. Every
// operation that makes or walks a value is charged before it is done; what
// goes past a limit is a [LimitError], and nothing that a template says
// panics or exhausts the stack.
//
// Known are the statements if, for (with else, filter, unpacking, recursive),
// set (also as a block), macro, call, filter, with, break, continue, raw and
// transformers' generation; all operators; the filters, tests and methods
// that chat templates use. What is not known is an error that names it, for a filter or a test when
// it is reached.
// Templates that load other templates are refused.
package jinja
