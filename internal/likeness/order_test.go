package likeness

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestArrangements deals the sentences of real text anew: the same sentences, the first
// in its place, no other in its own, and no two neighbours as they were.
func TestArrangements(t *testing.T) {
	for _, dir := range []string{"authors/lynch", "reference/goldman", "authors/wodehouse"} {
		list := pieces(t, dir)
		got := Arrangements(list, 40, 1)
		if len(got) != 40 {
			t.Fatalf("%s: %d stretches", dir, len(got))
		}
		if again := Arrangements(list, 40, 1); !slices.Equal(got, again) {
			t.Errorf("%s: the same seed deals otherwise", dir)
		}
		if other := Arrangements(list, 40, 2); slices.Equal(got, other) {
			t.Errorf("%s: another seed deals the same", dir)
		}
		texts := map[string]string{}
		for _, p := range list {
			texts[p.Group] = p.Text
		}
		groups := map[string]bool{}
		for _, a := range got {
			groups[a.Group] = true
			whole := a.First + a.Written
			if !strings.Contains(texts[a.Group], whole) {
				t.Fatalf("%s: not of its text: %q", dir, whole)
			}
			if n := len(strings.Fields(whole)); n < arrangedWords {
				t.Errorf("%s: %d words", dir, n)
			}
			was, is := strings.Fields(a.Written), strings.Fields(a.Dealt)
			if slices.Equal(was, is) {
				t.Errorf("%s: dealt as it was: %q", dir, a.Dealt)
			}
			slices.Sort(was)
			slices.Sort(is)
			if !slices.Equal(was, is) {
				t.Errorf("%s: other words: %q, %q", dir, a.Written, a.Dealt)
			}
		}
		if want := min(len(list), 12); len(groups) < want {
			t.Errorf("%s: stretches of %d documents, want %d by turns", dir, len(groups), want)
		}
	}
}

// TestArrangementsOfSentences looks at where each sentence goes.
func TestArrangementsOfSentences(t *testing.T) {
	var text strings.Builder
	for i := range 40 {
		fmt.Fprintf(&text, "This is the sentence that has the number %d and some more words.", 100+i)
		text.WriteString([]string{" ", "\n\n"}[i%7/6])
	}
	got := Arrangements([]Piece{{"a", text.String()}, {"b", "Too short. To deal. At all."}}, 100, 3)
	if len(got) != 8 {
		t.Fatalf("%d stretches of 40 sentences of twelve words", len(got))
	}
	for at, a := range got {
		numbers := func(s string) (out []string) {
			for f := range strings.FieldsSeq(s) {
				if strings.HasPrefix(f, "1") {
					out = append(out, f)
				}
			}
			return out
		}
		was, is := numbers(a.Written), numbers(a.Dealt)
		if first := numbers(a.First); first[0] != fmt.Sprint(100+5*at) {
			t.Errorf("stretch %d begins with %v", at, first)
		}
		for i, n := range is {
			if n == was[i] || i > 0 && slices.Index(was, n) == slices.Index(was, is[i-1])+1 {
				t.Errorf("stretch %d: %v became %v", at, was, is)
			}
		}
		if strings.Count(a.Written, "\n\n") != strings.Count(a.Dealt, "\n\n") {
			t.Errorf("paragraphs of %q became %q", a.Written, a.Dealt)
		}
	}
}
