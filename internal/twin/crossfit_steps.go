package twin

import "github.com/getstroke/stroke"

// course counts the steps of a cross-fitted run through all of its parts. Those of a
// part are known when it begins; those of the others are reckoned from them by the words
// that each is trained on.
type course struct {
	words  int // that all parts are trained on
	behind int // of the parts that are done
	kept   int // of these, of parts that were done before and whose steps are not reckoned yet
	steps  int // of the other parts that are done
}

// pass counts a part that an earlier run has done.
func (c *course) pass(words int) {
	c.behind += words
	c.kept += words
}

// end counts a part that was trained in so many steps.
func (c *course) end(words, steps int) {
	c.behind += words
	c.steps += steps
}

// share is how many times as much as a part of so many words all are that are not done.
func (c *course) share(words int) float64 {
	return float64(c.words-c.behind) / float64(max(words, 1))
}

// all is the number of steps of the run, where the part at hand has so many.
func (c *course) all(words, steps int) int {
	words = max(words, 1)
	c.steps += c.kept * steps / words
	c.kept = 0
	return c.steps + steps + max(c.words-c.behind-words, 0)*steps/words
}

// forecast makes the forecast of a part that of the run. Its seconds stay those of the
// part.
func (c *course) forecast(e stroke.ForecastEvent, words int) stroke.ForecastEvent {
	e.Steps = c.all(words, e.Steps)
	e.Resumed += c.steps
	e.Tokens = int(float64(e.Tokens) * float64(c.words) / float64(max(words, 1)))
	return e
}

// step makes the step of a part, which has so many tokens, one of the run.
func (c *course) step(e stroke.StepEvent, words, tokens int) stroke.StepEvent {
	e.Steps = c.all(words, e.Steps)
	e.Step += c.steps
	if e.TokensPerSecond > 0 {
		e.SecondsLeft += float64(tokens) * (c.share(words) - 1) / e.TokensPerSecond
	}
	return e
}
