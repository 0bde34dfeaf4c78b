package engine

import "github.com/getstroke/stroke/internal/op"

// Prompt look-up: where the last tokens of a text have stood before, in its
// prompt or in what was written, those that followed then are guessed to follow
// again, and one pass verifies them all (speculative decoding, arXiv:2211.17192,
// with the text itself in place of a second model). Every token that is given
// out is drawn from the same logits with the same random number as without, so
// the text is the same; a wrong guess costs time alone.

const (
	// Passes of up to narrowPass tokens cost little more than one of a single
	// token, since the weights are read once; from there on each token costs about
	// as much as the next, and a pass of widePass tokens pays where nearly all of
	// them are right. In bfloat16 rows go by whole tiles: tilePass tokens cost
	// hardly more than one.
	narrowPass = 4
	widePass   = 12
	tilePass   = 16

	matchMost  = 16 // tokens of the text's end that are compared
	matchLeast = 3  // that must agree for a guess
	matchLong  = 8  // that must agree where guesses have been wrong lately

	// gainLeast is how many tokens a guess must have brought in the mean, lately,
	// for short matches to be tried: what a pass of narrowPass tokens costs more,
	// in passes of one. In bfloat16 it is tileLeast.
	gainLeast = 0.6
	tileLeast = 0.2
	gainStart = 1.5
	gainDecay = 0.25 // weight of the newest guess
)

// width is how many tokens a pass may have for a stream's guess to be among them.
func (e *Engine) width(s *stream) int {
	switch {
	case e.opt.Arithmetic == op.BF16:
		return tilePass
	case s.sure:
		return widePass
	}
	return narrowPass
}

// guess writes up to most guessed tokens behind the stream's, where their
// capacity and its pages have room, and returns how many. Where guesses have
// brought less than gain lately, only a long match counts.
func (s *stream) guess(most int, gain float64) int {
	n := len(s.tokens)
	most = min(most, s.limit-n-1)
	if most < 1 {
		return 0
	}
	length, at := longestMatch(s.tokens)
	least := matchLeast
	if s.gain < gain {
		least = matchLong
	}
	if length < least {
		return 0
	}
	t := s.tokens[:n+most]
	for i := range most {
		t[n+i] = t[at+i] // where the match is near the end, the guess repeats itself
	}
	return most
}

// longestMatch finds the longest run of tokens, matchMost at the most, that ends
// t and also stands earlier in it; of equals, the latest. at is the place behind
// the earlier one.
func longestMatch(t []int32) (length, at int) {
	n := len(t)
	if n == 0 {
		return 0, 0
	}
	last := t[n-1]
	for j := n - 2; j >= 0; j-- {
		if t[j] != last {
			continue
		}
		l := 1
		for l < matchMost && l <= j && t[j-l] == t[n-1-l] {
			l++
		}
		if l > length {
			length, at = l, j+1
			if l == matchMost {
				break
			}
		}
	}
	return length, at
}

// learn takes note of how many of the guessed tokens were right.
func (s *stream) learn(guessed, right int) {
	s.gain += (float64(right) - s.gain) * gainDecay
	s.sure = right == guessed
	s.result.Guessed += guessed
	s.result.Right += right
}
