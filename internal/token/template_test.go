package token

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/getstroke/stroke/internal/token/jinja"
)

// TestChatVectors renders what transformers renders; testdata/make_chat_vectors.py
// makes the vectors.
func TestChatVectors(t *testing.T) {
	b, err := os.ReadFile("testdata/chat_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name     string
		Template string
		BOS      string `json:"bos_token"`
		EOS      string `json:"eos_token"`
		Messages []Message
		Add      bool `json:"add_generation_prompt"`
		Rendered *string
		Error    string
	}
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 40 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			tmpl, err := ParseTemplate(v.Template, v.BOS, v.EOS)
			if err != nil {
				t.Fatal(err)
			}
			tmpl.now = func() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }
			got, err := tmpl.Render(v.Messages, v.Add)
			if v.Rendered == nil {
				var raised *jinja.RaisedError
				if !errors.As(err, &raised) || raised.Msg != v.Error {
					t.Fatalf("error %v, want %q", err, v.Error)
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

func TestChatMLWithoutTemplate(t *testing.T) {
	tmpl, err := ParseTemplate("", "", "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := tmpl.Render([]Message{{"system", "Be brief."}, {"user", "Hello."}}, true)
	want := "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello.<|im_end|>\n<|im_start|>assistant\n"
	if err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestTemplateIsStopped holds templates that ask for too much to the limits.
func TestTemplateIsStopped(t *testing.T) {
	loop := "{% for a in range(99999) %}"
	for name, src := range map[string]string{
		"loops":           strings.Repeat(loop, 4) + "{% set x = a %}" + strings.Repeat("{% endfor %}", 4),
		"empty loops":     strings.Repeat(loop, 6) + strings.Repeat("{% endfor %}", 6),
		"output":          loop + loop + "{{ 'x' * 1000 }}{% endfor %}{% endfor %}",
		"doubling":        "{% set ns = namespace(s='xxxxxxxx') %}" + loop + "{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
		"doubling list":   "{% set ns = namespace(s=[1]) %}" + loop + "{% set ns.s = ns.s + ns.s %}{% endfor %}",
		"repeat":          "{{ 'x' * 9000000000000000000 }}",
		"repeat list":     "{{ [1] * 9000000000000000000 }}",
		"shared list":     "{% set ns = namespace(s=[1]) %}{% for a in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
		"shared json":     "{% set ns = namespace(s=[1]) %}{% for a in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s | tojson }}",
		"shared equal":    "{% set ns = namespace(s=[1], t=[1]) %}{% for a in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
		"recursion":       "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
		"two macros":      "{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
		"caller":          "{% macro f() %}{% call f() %}x{% endcall %}{{ caller() }}{% endmacro %}{% call f() %}y{% endcall %}",
		"recursive loop":  "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
		"replace":         "{% set x = 'x' * 1000000 %}{{ x | replace('', x) }}",
		"join":            "{% set x = 'x' * 1000000 %}{{ range(99999) | join(x) }}",
		"indent":          "{{ ('\n' * 1000000) | indent(1000000) }}",
		"center":          "{{ 'x'.center(9000000000000000000) }}",
		"range":           "{{ range(1000000000) }}",
		"captured output": "{% set x %}" + loop + loop + "{{ 'x' * 1000 }}{% endfor %}{% endfor %}{% endset %}",
	} {
		t.Run(name, func(t *testing.T) {
			tmpl, err := ParseTemplate(src, "", "")
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			_, err = tmpl.Render([]Message{{"user", "x"}}, true)
			var limit *jinja.LimitError
			if !errors.As(err, &limit) {
				t.Errorf("error %v", err)
			}
			if d := time.Since(start); d > 2*renderTime {
				t.Errorf("stopped after %v", d)
			}
		})
	}
}

func TestTemplateErrors(t *testing.T) {
	for src, want := range map[string]string{
		"{% include 'x' %}":               `template line 1: the statement "include" is not known here`,
		"{% import '/etc/passwd' as x %}": `template line 1: the statement "import" is not known here`,
		"a\n{{ x }\n":                     `template line 2: unexpected "}"`,
		"{% if x %}":                      `expected "endif" before the end`,
		"{{ 'x }}":                        "a string does not end",
		"{# x":                            "a comment does not end",
		"{{ " + strings.Repeat("(", 5000) + "x" + strings.Repeat(")", 5000) + " }}": "nested more than",
		strings.Repeat("{% if x %}", 5000):                                          "nested more than",
		"{{ " + strings.Repeat("not ", 5000) + "x }}":                               "nested more than",
		strings.Repeat("x", 1<<20):                                                  "template of 1048576 bytes",
		"{{ x | nosuch }}":                                                          `the filter "nosuch" is not known here`,
		"\n\n{{ x.y.z }}":                                                           "'x' is undefined",
		"{{ messages.append(1) }}":                                                  "line 1: 'append', which a list has not, is undefined",
		"{{ ''.__class__.__mro__ }}":                                                "'__class__', which a string has not, is undefined",
		"{{ 1 / 0 }}":                                                               "division by zero",
		"{{ 9223372036854775807 + 1 }}":                                             "a number is out of range",
		"{% set messages.x = 1 %}":                                                  "only namespaces can be changed",
		"{{ [3, 'a'] | sort }}":                                                     "have no order",
	} {
		tmpl, err := ParseTemplate(src, "", "")
		if err == nil {
			_, err = tmpl.Render([]Message{{"user", "x"}}, true)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: error %v, want %q", src, err, want)
		}
	}
}

func TestStrftime(t *testing.T) {
	at := time.Date(2026, 3, 5, 7, 8, 9, 0, time.UTC)
	for format, want := range map[string]string{
		"%d %b %Y": "05 Mar 2026", "%-d/%-m/%y": "5/3/26", "%A, %B %e": "Thursday, March  5", "%H:%M:%S %I %p": "07:08:09 07 AM",
		"day %j%%": "day 064%", "%": "%",
	} {
		if got, err := strftime(at, format); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", format, got, err, want)
		}
	}
	if _, err := strftime(at, "%Q"); err == nil {
		t.Error("no error for an unknown directive")
	}
}

// TestNoThinking has a template of a model that thinks ask for an answer at once, and write
// an answer that was given in the same way.
func TestNoThinking(t *testing.T) {
	src, err := os.ReadFile("testdata/chat/qwen3.jinja")
	if err != nil {
		t.Fatal(err)
	}
	tmpl, err := ParseTemplate(string(src), "", "<|im_end|>")
	if err != nil {
		t.Fatal(err)
	}
	ask := []Message{{"user", "Is 91 prime?"}}
	before, err := tmpl.Render(ask, true)
	if err != nil || !strings.HasSuffix(before, "<|im_start|>assistant\n<think>\n\n</think>\n\n") {
		t.Errorf("asked with %q, %v", before, err)
	}
	whole, err := tmpl.Render(append(ask, Message{"assistant", "No, 91 = 7 * 13."}), false)
	if err != nil || whole != before+"No, 91 = 7 * 13.<|im_end|>\n" {
		t.Errorf("answered %q, %v", whole, err)
	}
}
