// Package report holds what was measured of a version of a twin, says it on one
// screen in a writer's words ([Report.Lines]), and draws it as a page that needs
// nothing else ([Report.HTML]). It measures nothing; package twin does.
package report

import (
	"time"

	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
)

// Report is everything that was measured of a version. What could not be is nil,
// and Unsaid says why.
type Report struct {
	Twin     string    `json:"twin"`
	Version  string    `json:"version"`
	Made     time.Time `json:"made"` // the version
	Base     string    `json:"base"`
	Live     bool      `json:"live"`
	Unproven bool      `json:"unproven"`
	Words    Words     `json:"words"`

	Folds  int               `json:"folds,omitempty"`     // parts of the text that were each judged by a twin that had not seen it; 0 where judge text was withheld
	Learnt string            `json:"learnt_by,omitempty"` // what has learnt text that judges; empty where nothing has
	Rests  map[string]string `json:"rests,omitempty"`     // what the figures of a measure rest on, where that wants saying

	Prediction  *Prediction           `json:"prediction"`
	Specificity *eval.Specificity     `json:"specificity"`
	Level       float64               `json:"specificity_level,omitempty"` // of its intervals: 0.95, and more where the same text had judged before
	Recognition *likeness.Recognition `json:"recognition"`
	Range       *Range                `json:"range"`
	Leakage     *likeness.Leakage     `json:"leakage"`
	Thought     *Thought              `json:"thought"`
	Forgetting  []eval.Forgetting     `json:"forgetting"`
	Rewriting   *likeness.Rewriting   `json:"rewriting"`
	Blind       *Blind                `json:"blind"`
	Passages    *Passages             `json:"passages"`
	Curve       *Curve                `json:"curve"`    // nil unless it was asked for
	Versions    []Version             `json:"versions"` // oldest first
	Unsaid      []Unsaid              `json:"unsaid"`
}

// Words are those of the writer by what they are used for.
type Words struct {
	Train  int `json:"train"` // that the version was trained on
	Select int `json:"select"`
	Judge  int `json:"judge"`
	Learnt int `json:"judge_learnt,omitempty"` // of those that judge, that had been learnt, where it is known how many
}

// Prediction is how much better than the bare base each way of asking predicts
// the judge documents, and the twin better than examples.
type Prediction struct {
	Base     float64         `json:"base"`     // nats per token of the bare base
	Tokens   int             `json:"tokens"`   // scored
	Examples eval.Prediction `json:"examples"` // over the bare base
	Adapter  eval.Prediction `json:"adapter"`  // over the bare base
	Both     eval.Prediction `json:"both"`     // over the bare base
	Over     eval.Prediction `json:"over"`     // both, over examples
	Unit     string          `json:"unit"`     // what the intervals are over: "documents", "parts of one document" or "blocks"
}

// Range is the range of habits with the habits themselves, for pictures.
type Range struct {
	likeness.Range
	WriterHabits []likeness.Profile `json:"writer_habits"` // of the train text
	TwinHabits   []likeness.Profile `json:"twin_habits"`
	BaseHabits   []likeness.Profile `json:"base_habits"`
}

// Thought is what the twin makes of pairs of passages.
type Thought struct {
	Yardstick string         `json:"yardstick"` // name of the adapter on prose that it is compared with, empty for the bare base
	Kinds     []eval.Thought `json:"kinds"`
}

// Blind is what the writer answered in the blind test.
type Blind struct {
	Pairs    int            `json:"pairs"`
	Answered int            `json:"answered"`
	Twins    int            `json:"twin_chosen"`  // the twin's text was the more like the writer
	Others   int            `json:"other_chosen"` // the other was, the base's with the writer's passages
	Neither  int            `json:"neither"`
	Share    *eval.Interval `json:"share"` // of the twin's; one half for neither; null while nothing is answered
	P        float64        `json:"p"`     // one-sided, of "the twin's no more often than the other"
}

// Passages are texts side by side.
type Passages struct {
	Shown []Passage `json:"shown"`
	// Marks in a hundred words of all texts of each side: turns and words that are
	// the writer's.
	Own  likeness.Interval `json:"own_marks"`
	Twin likeness.Interval `json:"twin_marks"`
	Base likeness.Interval `json:"base_marks"`
}

// Passage is how the writer, the twin and the bare base go on from one opening.
type Passage struct {
	Opening string `json:"opening"`
	Own     Marked `json:"own"`
	Twin    Marked `json:"twin"`
	Base    Marked `json:"base"`
}

// Marked is a text with what in it is the writer's.
type Marked struct {
	Text  string          `json:"text"`
	Marks []likeness.Mark `json:"marks"`
}

// Version are the figures of one version at its verdict.
type Version struct {
	ID       string        `json:"version"`
	Made     time.Time     `json:"made"`
	Words    int           `json:"words"` // trained on
	Live     bool          `json:"live"`  // it serves
	Base     string        `json:"base"`
	Unproven bool          `json:"unproven"`
	Gain     eval.Interval `json:"gain"`    // of both over examples
	Adapter  float64       `json:"adapter"` // nats per token that the adapter gains over the bare base
}

// Unsaid is a measure about which nothing can be said.
type Unsaid struct {
	Measure string `json:"measure"`
	Why     string `json:"why"`
	Hint    string `json:"hint,omitempty"` // what to do about it
}

// unsaid gives why a measure says nothing; ok is false where it does.
func (r *Report) unsaid(measure string) (Unsaid, bool) {
	for _, u := range r.Unsaid {
		if u.Measure == measure {
			return u, true
		}
	}
	return Unsaid{}, false
}
