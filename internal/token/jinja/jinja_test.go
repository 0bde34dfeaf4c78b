package jinja

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

type vectorFile struct {
	Messages []struct{ Role, Content string }
	Vectors  []struct {
		Name, Template  string
		Rendered, Error *string
	}
}

func readVectors(t testing.TB) (vectorFile, Object) {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var f vectorFile
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	var messages []Object
	for _, m := range f.Messages {
		messages = append(messages, Object{{"role", m.Role}, {"content", m.Content}})
	}
	return f, Object{{"messages", messages}}
}

// TestVectors renders what Jinja renders; testdata/vectors.py makes the
// vectors. Where Jinja fails so must this, and with the same words where the
// words are the template's own.
func TestVectors(t *testing.T) {
	f, vars := readVectors(t)
	if len(f.Vectors) < 90 {
		t.Fatalf("%d vectors", len(f.Vectors))
	}
	for _, v := range f.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			tmpl, err := Parse(v.Template)
			got := ""
			if err == nil {
				got, err = tmpl.Render(context.Background(), vars, Limits{})
			}
			if v.Rendered == nil {
				var raised *RaisedError
				if err == nil {
					t.Errorf("got %q, want the error %q", got, *v.Error)
				} else if errors.As(err, &raised) && raised.Msg != *v.Error {
					t.Errorf("raised %q, want %q", raised.Msg, *v.Error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got != *v.Rendered {
				t.Errorf("\n got %q\nwant %q", got, *v.Rendered)
			}
		})
	}
}

// TestCancel stops a template by its context.
func TestCancel(t *testing.T) {
	loop := strings.Repeat("{% for a in range(99999) %}", 4) + strings.Repeat("{% endfor %}", 4)
	tmpl, err := Parse(loop)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err = tmpl.Render(ctx, nil, Limits{Steps: 1 << 40})
	var limit *LimitError
	if !errors.As(err, &limit) || limit.Hint() == "" {
		t.Errorf("error %v", err)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("stopped after %v", d)
	}
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	if _, err := tmpl.Render(ctx, nil, Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestStack: a template whose run would go ever deeper is stopped, wherever
// the calls stand.
func TestStack(t *testing.T) {
	for name, src := range map[string]string{
		"body":      "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
		"default":   "{% macro f(x=f()) %}{% endmacro %}{{ f() }}",
		"loop":      "{% for a in [[]] recursive %}{{ loop([a]) }}{% endfor %}",
		"filters":   "{{ a" + strings.Repeat("|d", 20_000) + " }}",
		"tests":     "{{ a" + strings.Repeat(" is none", 20_000) + " }}",
		"sums":      "{% set x = 1" + strings.Repeat("+1", 20_000) + " %}",
		"attribute": "{% if a" + strings.Repeat(".b", 20_000) + " %}{% endif %}",
		"items":     "{{ a" + strings.Repeat("[0]", 20_000) + " }}",
		"calls":     "{{ a" + strings.Repeat("()", 20_000) + " }}",
		"choices":   "{{ a" + strings.Repeat(" if a", 20_000) + " }}",
		"brackets":  "{{ " + strings.Repeat("(", 50) + "a" + strings.Repeat(strings.Repeat("|d", 30)+")", 50) + " }}",
	} {
		t.Run(name, func(t *testing.T) {
			tmpl, err := Parse(src)
			if err == nil {
				_, err = tmpl.Render(context.Background(), nil, Limits{})
			}
			if err == nil || !strings.Contains(err.Error(), "more than 100 deep") && !strings.Contains(err.Error(), "more than 1000 operators") {
				t.Errorf("error %v", err)
			}
		})
	}
	many := strings.Repeat("{{ 1"+strings.Repeat("+1", 50)+" }}", 100)
	if _, err := Parse(many); err != nil {
		t.Errorf("tags of few operators each: %v", err)
	}
}

// FuzzTemplate: whatever the source, parsing and rendering end within their
// limits, without a panic, and twice with the same result.
func FuzzTemplate(f *testing.F) {
	v, vars := readVectors(f)
	for _, x := range v.Vectors {
		f.Add(x.Template)
	}
	f.Add("{% for a in range(99999) recursive %}{{ loop([a]*a) }}{% endfor %}")
	f.Add("{{ [1]|map(filter='upper') }}{{ ['a']|map(filter='default', default_value=2) }}")
	f.Add("{{ [] * 9000000000000000000 }}")
	f.Add("{{ 'a'.format() % [] ** -1 // 0 }}{% set x.y, z = 1 %}")
	limits := Limits{Steps: 20_000, Memory: 1 << 20, Output: 1 << 16, Depth: 20}
	f.Fuzz(func(t *testing.T, src string) {
		tmpl, err := Parse(src)
		if err != nil {
			return
		}
		a, errA := tmpl.Render(context.Background(), vars, limits)
		b, errB := tmpl.Render(context.Background(), vars, limits)
		if a != b || (errA == nil) != (errB == nil) {
			t.Errorf("%q %v, then %q %v", a, errA, b, errB)
		}
	})
}
