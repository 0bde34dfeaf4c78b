package jinja

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strings"
)

var (
	errRange = errors.New("a number is out of range")
	errZero  = errors.New("division by zero")
)

func (in *interp) binary(op string, a, b any) (any, error) {
	switch x := a.(type) {
	case string:
		switch y := b.(type) {
		case string:
			if op == "+" {
				if err := in.memory(len(x) + len(y)); err != nil {
					return nil, err
				}
				return x + y, nil
			}
		default:
			if n, ok := asInt(b); ok && op == "*" {
				return in.repeat(x, n)
			}
		}
		if op == "%" {
			return in.printf(x, b)
		}
	case *list:
		if y, ok := b.(*list); ok && op == "+" && x.tuple == y.tuple {
			if err := in.memoryOf(len(x.items)+len(y.items), 16); err != nil {
				return nil, err
			}
			return &list{append(append(make([]any, 0, len(x.items)+len(y.items)), x.items...), y.items...), x.tuple}, nil
		}
		if n, ok := asInt(b); ok && op == "*" {
			n = max(n, 0)
			if len(x.items) == 0 {
				n = 0
			}
			hi, lo := bits.Mul64(uint64(n), uint64(len(x.items))*16)
			if hi != 0 || lo > math.MaxInt32 {
				lo = math.MaxInt64
			}
			if err := in.memory(int(lo)); err != nil {
				return nil, err
			}
			out := make([]any, 0, int(n)*len(x.items))
			for range n {
				out = append(out, x.items...)
			}
			return &list{out, x.tuple}, nil
		}
	}
	if n, ok := asInt(a); ok && op == "*" {
		switch b.(type) {
		case string, *list:
			return in.binary(op, b, n)
		}
	}
	if x, ok := asInt(a); ok {
		if y, ok := asInt(b); ok {
			return intOp(op, x, y)
		}
	}
	x, ok1 := asFloat(a)
	y, ok2 := asFloat(b)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("%s %s %s is not possible", typeName(a), op, typeName(b))
	}
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "**":
		return math.Pow(x, y), nil
	}
	if y == 0 {
		return nil, errZero
	}
	switch op {
	case "/":
		return x / y, nil
	case "//":
		return math.Floor(x / y), nil
	}
	m := math.Mod(x, y)
	if m != 0 && (m < 0) != (y < 0) {
		m += y
	}
	return m, nil
}

func (in *interp) repeat(s string, n int64) (any, error) {
	n = max(n, 0)
	hi, lo := bits.Mul64(uint64(n), uint64(len(s)))
	if hi != 0 || lo > math.MaxInt32 {
		lo = math.MaxInt64
	}
	if err := in.memory(int(min(lo, math.MaxInt))); err != nil {
		return nil, err
	}
	return strings.Repeat(s, int(n)), nil
}

func intOp(op string, x, y int64) (any, error) {
	switch op {
	case "+":
		if z := x + y; (z > x) == (y > 0) {
			return z, nil
		}
		return nil, errRange
	case "-":
		if z := x - y; (z < x) == (y > 0) {
			return z, nil
		}
		return nil, errRange
	case "*":
		if x == 0 || y == 0 {
			return int64(0), nil
		}
		z := x * y
		if z/y != x || x == -1 && y == math.MinInt64 || y == -1 && x == math.MinInt64 {
			return nil, errRange
		}
		return z, nil
	case "**":
		if y < 0 {
			if x == 0 {
				return nil, errZero
			}
			return math.Pow(float64(x), float64(y)), nil
		}
		if x == 0 || x == 1 {
			if y == 0 {
				return int64(1), nil
			}
			return x, nil
		}
		if x == -1 {
			return 1 - 2*(y&1), nil
		}
		z := int64(1)
		for range y {
			p := z * x
			if p/x != z {
				return nil, errRange
			}
			z = p
		}
		return z, nil
	}
	if y == 0 {
		return nil, errZero
	}
	switch op {
	case "/":
		return float64(x) / float64(y), nil
	case "//":
		if x == math.MinInt64 && y == -1 {
			return nil, errRange
		}
		q := x / y
		if x%y != 0 && (x < 0) != (y < 0) {
			q--
		}
		return q, nil
	}
	m := x % y
	if m != 0 && (m < 0) != (y < 0) {
		m += y
	}
	return m, nil
}
