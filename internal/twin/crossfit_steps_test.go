package twin

import (
	"math"
	"testing"

	"github.com/getstroke/stroke"
)

// stepsTold looks at the steps of a cross-fitted run: each comes behind the one before,
// and none is beyond the last.
type stepsTold struct {
	t        *testing.T
	forecast stroke.ForecastEvent
	last     stroke.StepEvent
	count    int
}

func (s *stepsTold) step(e stroke.StepEvent) {
	s.t.Helper()
	if s.count++; e.Step <= s.last.Step || e.Step > e.Steps {
		s.t.Errorf("after step %d of %d there is step %d of %d", s.last.Step, s.last.Steps, e.Step, e.Steps)
	}
	if f := s.forecast; e.Step < e.Steps/2 && !(e.SecondsLeft > 0.2*float64(e.Steps-e.Step)*float64(f.Tokens)/float64(f.Steps)/e.TokensPerSecond) {
		s.t.Errorf("step %d of %d leaves %g s", e.Step, e.Steps, e.SecondsLeft)
	}
	s.last = e
}

// end holds that the last step is that of the whole run.
func (s *stepsTold) end() {
	s.t.Helper()
	if s.last.Step != s.last.Steps || s.last.SecondsLeft != 0 {
		s.t.Errorf("the last step is %+v", s.last)
	}
}

// TestCourse counts the steps of a run whose first part was done before: the others turn
// out longer and shorter than that lets expect.
func TestCourse(t *testing.T) {
	c := &course{words: 1000}
	c.pass(200)
	f := c.forecast(stroke.ForecastEvent{Steps: 30, Resumed: 10, Tokens: 900}, 300)
	if f.Steps != 20+30+50 || f.Resumed != 20+10 || f.Tokens != 3000 {
		t.Errorf("the forecast is %+v", f)
	}
	if s := c.step(stroke.StepEvent{Step: 11, Steps: 30, SecondsLeft: 8, TokensPerSecond: 10}, 300, 900); s.Step != 31 || s.Steps != 100 || math.Round(s.SecondsLeft) != 8+150 {
		t.Errorf("the first step is %+v", s)
	}
	c.end(300, 30)
	if s := c.step(stroke.StepEvent{Step: 44, Steps: 44, TokensPerSecond: 10}, 500, 2000); s.Step != 94 || s.Steps != 94 || s.SecondsLeft != 0 {
		t.Errorf("the last step is %+v", s)
	}
}
