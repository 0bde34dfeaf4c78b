package likeness

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestArrangements deals the sentences of real text anew: the same sentences, in orders
// of which no two are the same.
func TestArrangements(t *testing.T) {
	for _, dir := range []string{"authors/lynch", "reference/goldman", "authors/wodehouse"} {
		list := pieces(t, dir)
		got := Arrangements(list, 40, 12000, 1)
		if len(got) != 40 {
			t.Fatalf("%s: %d stretches", dir, len(got))
		}
		if again := Arrangements(list, 40, 12000, 1); !reflect.DeepEqual(got, again) {
			t.Errorf("%s: the same seed deals otherwise", dir)
		}
		if other := Arrangements(list, 40, 12000, 2); reflect.DeepEqual(got, other) {
			t.Errorf("%s: another seed deals the same", dir)
		}
		texts := map[string]string{}
		for _, p := range list {
			texts[p.Group] = p.Text
		}
		groups, words := map[string]bool{}, 0
		for _, a := range got {
			groups[a.Group] = true
			whole := a.First + a.Written
			if !strings.Contains(texts[a.Group], whole) {
				t.Fatalf("%s: not of its text: %q", dir, whole)
			}
			n := len(strings.Fields(whole))
			if n < arrangedWords || n > arrangedMost {
				t.Errorf("%s: %d words", dir, n)
			}
			if words += n * (1 + len(a.Dealt)); len(a.Dealt) != len(got[0].Dealt) {
				t.Errorf("%s: dealt %d times, and the first %d times", dir, len(a.Dealt), len(got[0].Dealt))
			}
			was := strings.Fields(a.Written)
			slices.Sort(was)
			for i, d := range a.Dealt {
				if d == a.Written || slices.Contains(a.Dealt[:i], d) {
					t.Errorf("%s: an order stands twice: %q", dir, d)
				}
				is := strings.Fields(d)
				slices.Sort(is)
				if !slices.Equal(was, is) {
					t.Errorf("%s: other words: %q, %q", dir, a.Written, d)
				}
			}
		}
		if words < 8000 || words > 12000 {
			t.Errorf("%s: %d words in all", dir, words)
		}
		if want := min(len(list), 12); len(groups) < want {
			t.Errorf("%s: stretches of %d documents, want %d by turns", dir, len(groups), want)
		}
	}
}

// TestArrangementsOfSentences counts the orders that four sentences are dealt in: all
// alike often, but for the one that is written.
func TestArrangementsOfSentences(t *testing.T) {
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, "This is the sentence that has number %d and some more words.", i)
		text.WriteString([]string{" ", "\n\n"}[i%7/6])
	}
	got := Arrangements([]Piece{{"a", text.String()}, {"b", "Too short. To deal. At all."}}, 400, 50000, 3)
	if len(got) != 400 {
		t.Fatalf("%d stretches of 2,000 sentences of twelve words", len(got))
	}
	orders := map[string]int{}
	for at, a := range got {
		numbers := func(s string) (out string) {
			for f := range strings.FieldsSeq(s) {
				if n, err := strconv.Atoi(f); err == nil {
					out += fmt.Sprint(n - 5*at)
				}
			}
			return out
		}
		if first := numbers(a.First); first != "0" || numbers(a.Written) != "1234" || len(a.Dealt) != 1 {
			t.Fatalf("stretch %d is %s and %s, dealt %d times", at, first, numbers(a.Written), len(a.Dealt))
		}
		orders[numbers(a.Dealt[0])]++
		if strings.Count(a.Written, "\n\n") != strings.Count(a.Dealt[0], "\n\n") {
			t.Errorf("paragraphs of %q became %q", a.Written, a.Dealt[0])
		}
	}
	if len(orders) != 23 || orders["1234"] != 0 {
		t.Errorf("%d orders of the 23: %v", len(orders), orders)
	}
	for o, n := range orders {
		if n > 40 { // 17 are expected, give or take four
			t.Errorf("%s comes %d times", o, n)
		}
	}
	// One stretch alone is dealt as often as may be, or as its sentences can be.
	few := Arrangements([]Piece{{"a", text.String()[:350]}}, 20, 4500, 1)
	if len(few) != 1 || len(few[0].Dealt) != mostDealt {
		t.Errorf("%+v", few)
	}
	same := strings.Repeat("It was all the same to me then and there, as I may say now. ", 4)
	text.Reset()
	text.WriteString("Nothing much was ever said about what went on in the house that day. " + same)
	if few = Arrangements([]Piece{{"a", text.String()}}, 20, 4500, 1); len(few) != 0 {
		t.Errorf("one sentence four times in another order: %+v", few)
	}
	// The last of more than five stays where it is, and what is too long is in none.
	text.Reset()
	for i := range 9 {
		fmt.Fprintf(&text, "Some %d words of these here are few. ", i)
	}
	for seed := range uint64(20) {
		a := Arrangements([]Piece{{"a", text.String()}}, 20, 4500, seed)[0]
		for _, d := range a.Dealt {
			if !strings.HasSuffix(d, "Some 7 words of these here are few.") {
				t.Errorf("seed %d: the last was moved: %q", seed, d)
			}
		}
	}
	long := strings.Repeat("and on and on ", 80) + "it goes. "
	if few = Arrangements([]Piece{{"a", strings.Repeat("So it is. ", 4) + "Then " + long + same}}, 20, 4500, 1); len(few) != 0 {
		t.Errorf("%d words: %+v", len(strings.Fields(long)), few)
	}
}
