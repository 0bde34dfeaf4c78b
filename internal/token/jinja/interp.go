package jinja

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Limits bounds one rendering. A zero field stands for the default.
type Limits struct {
	Steps  int // nodes evaluated, and items and bytes walked over, together; 5 million
	Memory int // bytes of all values made, whether still in use or not; 256 MiB
	Output int // bytes rendered; 16 MiB
	Depth  int // macros and recursive loops within one another; 100
}

func (l Limits) orDefault() Limits {
	set := func(n *int, def int) {
		if *n <= 0 {
			*n = def
		}
	}
	set(&l.Steps, 5_000_000)
	set(&l.Memory, 256<<20)
	set(&l.Output, 16<<20)
	set(&l.Depth, 100)
	return l
}

// LimitError says that a template asked for more than its limits allow.
type LimitError struct{ What string }

// Error names the limit.
func (e *LimitError) Error() string { return "the template was stopped: " + e.What }

// Hint says what to do.
func (e *LimitError) Hint() string {
	return "the model's chat template does far more than a chat template has to; take another source of the model"
}

// RaisedError is what a template says by raise_exception.
type RaisedError struct{ Msg string }

// Error gives what the template said.
func (e *RaisedError) Error() string { return e.Msg }

// Render runs the template. Variables are nil, bool, int, float64, string,
// []any, [Object], []Object and func(string) (string, error). It is stopped
// when ctx ends or a limit is reached.
func (t *Template) Render(ctx context.Context, vars Object, limits Limits) (string, error) {
	in := &interp{ctx: ctx, limits: limits.orDefault(), out: new(strings.Builder)}
	globals := &scope{vars: map[string]any{}}
	for name, f := range functions {
		globals.vars[name] = f
	}
	for _, v := range vars {
		x, err := value(v.Value)
		if err != nil {
			return "", fmt.Errorf("variable %s: %w", v.Name, err)
		}
		globals.vars[v.Name] = x
	}
	if _, err := in.run(t.body, &scope{up: globals}); err != nil {
		return "", err
	}
	return in.out.String(), nil
}

// interp is one rendering.
type interp struct {
	ctx    context.Context
	limits Limits
	steps  int
	used   int // bytes of memory
	depth  int
	out    *strings.Builder
}

// step charges n steps, and looks at the clock now and then.
func (in *interp) step(n int) error {
	before := in.steps
	in.steps += n
	if in.steps > in.limits.Steps {
		return &LimitError{fmt.Sprintf("more than %d steps", in.limits.Steps)}
	}
	if in.steps>>10 != before>>10 {
		if err := in.ctx.Err(); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				return &LimitError{"it takes too long"}
			}
			return err
		}
	}
	return nil
}

// memory charges n bytes before they are allocated, and the steps that
// filling them takes.
func (in *interp) memory(n int) error {
	if n < 0 || n > in.limits.Memory-in.used {
		return &LimitError{fmt.Sprintf("more than %d bytes of memory", in.limits.Memory)}
	}
	in.used += n
	return in.step(n >> 6)
}

// memoryOf charges count things of size bytes each.
func (in *interp) memoryOf(count, size int) error {
	if size > 0 && count > in.limits.Memory/size {
		count = in.limits.Memory
	}
	return in.memory(count * size)
}

func (in *interp) write(s string) error {
	if in.out.Len()+len(s) > in.limits.Output {
		return &LimitError{fmt.Sprintf("more than %d bytes of output", in.limits.Output)}
	}
	if err := in.memory(len(s)); err != nil {
		return err
	}
	in.out.WriteString(s)
	return nil
}

// capture gives what f writes.
func (in *interp) capture(f func() error) (string, error) {
	outer := in.out
	in.out = new(strings.Builder)
	err := f()
	s := in.out.String()
	in.out = outer
	return s, err
}

// nested runs f one level of calls deeper.
func (in *interp) nested(f func() error) error {
	if in.depth >= in.limits.Depth {
		return &LimitError{fmt.Sprintf("macros call one another more than %d deep", in.limits.Depth)}
	}
	in.depth++
	err := f()
	in.depth--
	return err
}

// scope holds variables; what it lacks is looked for further up.
type scope struct {
	vars map[string]any
	up   *scope
}

func (s *scope) get(name string) (any, bool) {
	for ; s != nil; s = s.up {
		if v, ok := s.vars[name]; ok {
			return v, true
		}
	}
	return nil, false
}

func (s *scope) set(name string, v any) {
	if s.vars == nil {
		s.vars = make(map[string]any, 4)
	}
	s.vars[name] = v
}

// run runs statements one after another.
func (in *interp) run(body []stmt, s *scope) (flow, error) {
	for _, st := range body {
		if err := in.step(1); err != nil {
			return goOn, err
		}
		if f, err := st.run(in, s); f != goOn || err != nil {
			return f, err
		}
	}
	return goOn, nil
}

func (t *textStmt) run(in *interp, s *scope) (flow, error) { return goOn, in.write(t.text) }

func (t *outputStmt) run(in *interp, s *scope) (flow, error) {
	v, err := t.e.eval(in, s)
	if err != nil {
		return goOn, err
	}
	text, err := in.text(v)
	if err != nil {
		return goOn, err
	}
	return goOn, in.write(text)
}

func (t *ifStmt) run(in *interp, s *scope) (flow, error) {
	for i, body := range t.bodies {
		if i < len(t.conds) {
			v, err := t.conds[i].eval(in, s)
			if err != nil {
				return goOn, err
			}
			if !truthy(v) {
				continue
			}
		}
		return in.run(body, s)
	}
	return goOn, nil
}

// assign binds a target to a value.
func (in *interp) assign(target expr, v any, s *scope) error {
	switch t := target.(type) {
	case *nameExpr:
		s.set(t.name, v)
		return nil
	case *attrExpr:
		of, err := t.of.eval(in, s)
		if err != nil {
			return err
		}
		d, ok := of.(*dict)
		if !ok || !d.space {
			return fmt.Errorf("cannot set %s of %s: only namespaces can be changed", t.name, typeName(of))
		}
		if err := in.memory(64); err != nil {
			return err
		}
		return d.set(t.name, v)
	case *tupleExpr:
		items, err := in.iterate(v)
		if err != nil {
			return err
		}
		if len(items) != len(t.items) {
			return fmt.Errorf("%d values for %d names", len(items), len(t.items))
		}
		for i, x := range t.items {
			if err := in.assign(x, items[i], s); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.New("cannot assign to this")
}

func (t *setStmt) run(in *interp, s *scope) (flow, error) {
	if t.value != nil {
		v, err := t.value.eval(in, s)
		if err != nil {
			return goOn, err
		}
		return goOn, in.assign(t.target, v, s)
	}
	v, err := in.filteredBody(t.body, t.filter, s)
	if err != nil {
		return goOn, err
	}
	return goOn, in.assign(t.target, v, s)
}

// filteredBody renders a body in a scope of its own and puts it through
// filters.
func (in *interp) filteredBody(body []stmt, filters []filterCall, s *scope) (any, error) {
	text, err := in.capture(func() error {
		_, err := in.run(body, &scope{up: s})
		return err
	})
	var v any = text
	for _, f := range filters {
		if err != nil {
			return nil, err
		}
		v, err = f.apply(in, s, v)
	}
	return v, err
}

func (t *filterStmt) run(in *interp, s *scope) (flow, error) {
	v, err := in.filteredBody(t.body, t.filters, s)
	if err != nil {
		return goOn, err
	}
	text, err := in.text(v)
	if err != nil {
		return goOn, err
	}
	return goOn, in.write(text)
}

func (t *withStmt) run(in *interp, s *scope) (flow, error) {
	inner := &scope{up: s}
	for i, target := range t.targets {
		v, err := t.values[i].eval(in, s)
		if err != nil {
			return goOn, err
		}
		if err := in.assign(target, v, inner); err != nil {
			return goOn, err
		}
	}
	return in.run(t.body, inner)
}

func (t *scopeStmt) run(in *interp, s *scope) (flow, error) { return in.run(t.body, &scope{up: s}) }
func (breakStmt) run(*interp, *scope) (flow, error)         { return doBreak, nil }
func (continueStmt) run(*interp, *scope) (flow, error)      { return doContinue, nil }

// loop is the variable of that name inside a for.
type loop struct {
	items   []any
	i       int
	depth   int
	changed any
	again   callable // of a recursive loop
}

func (l *loop) attr(in *interp, name string) (any, bool) {
	n := len(l.items)
	switch name {
	case "index":
		return int64(l.i + 1), true
	case "index0":
		return int64(l.i), true
	case "revindex":
		return int64(n - l.i), true
	case "revindex0":
		return int64(n - l.i - 1), true
	case "first":
		return l.i == 0, true
	case "last":
		return l.i == n-1, true
	case "length":
		return int64(n), true
	case "depth":
		return int64(l.depth + 1), true
	case "depth0":
		return int64(l.depth), true
	case "previtem":
		if l.i > 0 {
			return l.items[l.i-1], true
		}
		return &undefined{"there is no previous item: loop.previtem"}, true
	case "nextitem":
		if l.i < n-1 {
			return l.items[l.i+1], true
		}
		return &undefined{"there is no next item: loop.nextitem"}, true
	case "cycle":
		i := l.i
		return callable(func(_ *interp, a arguments) (any, error) {
			if len(a.pos) == 0 {
				return nil, errors.New("no items for cycling given")
			}
			return a.pos[i%len(a.pos)], nil
		}), true
	case "changed":
		return callable(func(in *interp, a arguments) (any, error) {
			now := &list{items: a.pos, tuple: true}
			same := false
			if old, ok := l.changed.(*list); ok {
				var err error
				if same, err = in.equal(old, now, 0); err != nil {
					return nil, err
				}
			}
			l.changed = now
			return !same, nil
		}), true
	}
	return nil, false
}

func (t *forStmt) run(in *interp, s *scope) (flow, error) {
	v, err := t.iter.eval(in, s)
	if err != nil {
		return goOn, err
	}
	return goOn, t.loop(in, s, v, 0)
}

func (t *forStmt) loop(in *interp, s *scope, v any, depth int) error {
	items, err := in.iterate(v)
	if err != nil {
		return err
	}
	if t.cond != nil {
		if err := in.memoryOf(len(items), 16); err != nil {
			return err
		}
		var kept []any
		for _, item := range items {
			inner := &scope{up: s}
			if err := in.assign(t.target, item, inner); err != nil {
				return err
			}
			ok, err := t.cond.eval(in, inner)
			if err != nil {
				return err
			}
			if truthy(ok) {
				kept = append(kept, item)
			}
		}
		items = kept
	}
	if len(items) == 0 {
		_, err := in.run(t.otherwise, &scope{up: s})
		return err
	}
	l := &loop{items: items, depth: depth}
	if t.recursive {
		l.again = func(in *interp, a arguments) (any, error) {
			if len(a.pos) != 1 {
				return nil, errors.New("a recursive loop is called with one list")
			}
			return in.capture(func() error {
				return in.nested(func() error { return t.loop(in, s, a.pos[0], depth+1) })
			})
		}
	}
	for i, item := range items {
		if err := in.step(1); err != nil {
			return err
		}
		l.i = i
		inner := &scope{up: s}
		inner.set("loop", l)
		if err := in.assign(t.target, item, inner); err != nil {
			return err
		}
		f, err := in.run(t.body, inner)
		if err != nil {
			return err
		}
		if f == doBreak {
			break
		}
	}
	return nil
}

// macro makes the function that a macro is.
func (t *macroStmt) macro(s *scope) callable {
	return func(in *interp, a arguments) (any, error) {
		inner := &scope{up: s}
		if len(a.pos) > len(t.params) {
			return nil, fmt.Errorf("macro %q takes not more than %d arguments", t.name, len(t.params))
		}
		for _, name := range a.names {
			known := name == "caller"
			for i, p := range t.params {
				known = known || p == name && i >= len(a.pos)
			}
			if !known {
				return nil, fmt.Errorf("macro %q takes no argument %q", t.name, name)
			}
		}
		return in.capture(func() error {
			return in.nested(func() error {
				for i, p := range t.params {
					v, ok := a.get(i, p)
					if d := i - (len(t.params) - len(t.defaults)); !ok && d >= 0 {
						var err error
						if v, err = t.defaults[d].eval(in, inner); err != nil {
							return err
						}
					} else if !ok {
						v = &undefined{fmt.Sprintf("parameter %q, which was not provided,", p)}
					}
					inner.set(p, v)
				}
				if v, ok := a.get(-1, "caller"); ok {
					inner.set("caller", v)
				}
				_, err := in.run(t.body, inner)
				return err
			})
		})
	}
}

func (t *macroStmt) run(in *interp, s *scope) (flow, error) {
	s.set(t.name, t.macro(s))
	return goOn, nil
}

func (t *callStmt) run(in *interp, s *scope) (flow, error) {
	call := *t.call
	call.names = append(append([]string(nil), call.names...), "caller")
	call.kwargs = append(append([]expr(nil), call.kwargs...), &constExpr{t.macro.macro(s)})
	v, err := call.eval(in, s)
	if err != nil {
		return goOn, err
	}
	text, err := in.text(v)
	if err != nil {
		return goOn, err
	}
	return goOn, in.write(text)
}
