package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/testkit"
)

func TestLongestMatch(t *testing.T) {
	for _, c := range []struct {
		t          []int32
		length, at int
	}{
		{nil, 0, 0},
		{[]int32{1}, 0, 0},
		{[]int32{1, 2, 3}, 0, 0},
		{[]int32{1, 2, 3, 1, 2}, 2, 2},
		{[]int32{1, 2, 9, 2, 7, 1, 2}, 2, 2},         // the longest, not the latest
		{[]int32{1, 2, 3, 1, 2, 4, 1, 2}, 2, 5},      // of equals the latest
		{[]int32{5, 5, 5, 5}, 3, 3},                  // overlapping itself
		{slices.Repeat([]int32{1, 2}, 20), 16, 38},   // no longer than matchMost
		{append([]int32{7, 8, 9, 4}, 8, 9, 4), 3, 4}, // reaches into the first of them
		{append([]int32{8, 9, 4, 0}, 8, 9, 4), 3, 3}, // begins with the text
		{append([]int32{3, 1, 1, 0}, 2, 1, 1), 2, 3}, // stops where they differ
	} {
		if length, at := longestMatch(c.t); length != c.length || at != c.at {
			t.Errorf("%v: a match of %d up to %d, and not of %d up to %d", c.t, length, at, c.length, c.at)
		}
	}
}

// TestLookup writes texts with and without guessed tokens: they are the same,
// whatever is asked for, and guesses are right and wrong among them.
func TestLookup(t *testing.T) {
	m, _ := tiny(t)
	e := start(t, m, Options{Streams: 1, Batch: 64})
	rng := rand.New(rand.NewPCG(3, 5))
	var guessed, right, fewer int
	for i := range 120 {
		r := Request{Max: 1 + rng.IntN(60), Sampling: Sampling{Temperature: []float64{0, 0.02, 0.05, 1}[i%4], TopP: 0.9, Repeat: []float64{1, 1.2}[i/4%2], Seed: rng.Uint64()}}
		vocab := 2 + rng.IntN(4)
		for range 1 + rng.IntN(120) {
			r.Prompt = append(r.Prompt, int32(rng.IntN(vocab)))
		}
		if i%5 == 0 {
			stop := int32(rng.IntN(m.Vocab))
			r.Stop = func(id int32) bool { return id%16 == stop%16 }
		}
		want, err := e.Generate(context.Background(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want.Guessed != 0 {
			t.Fatal("tokens are guessed without being asked for")
		}
		r.Lookup = true
		var given []int32
		got, err := e.Generate(context.Background(), r, func(id int32) error {
			given = append(given, id)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Tokens, want.Tokens) || got.Reason != want.Reason || !slices.Equal(given, got.Tokens) {
			t.Fatalf("request %d: %v (%s), given out %v, and without guesses %v (%s)", i, got.Tokens, got.Reason, given, want.Tokens, want.Reason)
		}
		guessed, right = guessed+got.Guessed, right+got.Right
		if got.Passes < want.Passes {
			fewer++
		}
	}
	if right == 0 || right == guessed || fewer == 0 {
		t.Errorf("of %d guessed tokens %d are right, and %d texts took fewer passes: the test shows nothing", guessed, right, fewer)
	}
}

// TestGuessesLeaveRoom has streams that guess beside others in small passes: each
// that writes gets a token in every pass.
func TestGuessesLeaveRoom(t *testing.T) {
	m, _ := tiny(t)
	e := still(t, m, Options{Streams: 4, Batch: 8})
	for i := range 4 {
		submit(t, e, context.Background(), Request{Prompt: slices.Repeat([]int32{int32(i), 5, 6}, 12), Max: 60, Lookup: true})
	}
	for range 100 { // until all have read their prompts
		e.admit()
		if e.step(); !slices.ContainsFunc(e.streams, e.reads) {
			break
		}
	}
	most := 0
	for range 10 {
		for _, s := range e.streams {
			s.sure, s.gain = true, gainStart
		}
		e.plan()
		total := 0
		for i, s := range e.streams {
			if s.take != 1 {
				t.Errorf("stream %d of %d gets %d tokens", i, len(e.streams), s.take)
			}
			most, total = max(most, s.drafts), total+s.take+s.drafts
		}
		if total > e.opt.Batch {
			t.Errorf("a pass of %d tokens", total)
		}
		e.step()
	}
	if most == 0 {
		t.Error("nothing is guessed: the test shows nothing")
	}
	finish(t, e)
}

// BenchmarkLookup copies a text by looking it up in the prompt, in which it
// stands twice, against writing it token by token.
func BenchmarkLookup(b *testing.B) {
	m := open(b, testkit.Base(b))
	e, err := New(m, Options{Streams: 1, Context: 1024, Memory: 256 << 20})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	var text []int32
	for range 150 {
		text = append(text, int32(1000+rng.IntN(20000)))
	}
	prompt := slices.Concat(text, text, text[:20])
	for _, lookup := range []bool{false, true} {
		b.Run(fmt.Sprintf("lookup=%v/%s", lookup, kernel.Name()), func(b *testing.B) {
			var n, right int
			var took time.Duration
			for b.Loop() {
				var begin time.Time
				r, err := e.Generate(context.Background(), Request{Prompt: prompt, Max: 120, Lookup: lookup}, func(int32) error {
					if begin.IsZero() {
						begin = time.Now()
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				took += time.Since(begin)
				n, right = n+len(r.Tokens)-1, right+r.Right
			}
			b.ReportMetric(float64(n)/took.Seconds(), "tok/s")
			b.ReportMetric(float64(right)/float64(n), "guessed/token")
		})
	}
}
