package stroke

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Event is something that happened on the way through a command. The terminal
// is drawn from events, and with --json each is printed as one line of JSON
// that begins with its name; docs/CLI_JSON_OUTPUT.md lists them.
type Event interface {
	// EventName is the value of the field "event".
	EventName() string
}

// MarshalEvent writes an event as JSON, its name first.
func MarshalEvent(e Event) ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("write event %s: %w", e.EventName(), err)
	}
	name, err := json.Marshal(e.EventName())
	if err != nil {
		return nil, fmt.Errorf("write event %s: %w", e.EventName(), err)
	}
	var out bytes.Buffer
	out.WriteString(`{"event":`)
	out.Write(name)
	if rest := bytes.TrimPrefix(b, []byte("{")); !bytes.Equal(rest, []byte("}")) {
		out.WriteByte(',')
		out.Write(rest)
	} else {
		out.WriteByte('}')
	}
	return out.Bytes(), nil
}

// ReadEvent tells what was read from the writer's files.
type ReadEvent struct {
	Source    string `json:"source"`    // the folder or file
	Documents int    `json:"documents"` // kept
	Words     int    `json:"words"`     // in them
	LeftOut   int    `json:"left_out"`  // files and parts of files that were not
	Language  string `json:"language"`  // ISO 639-1, empty where nobody can tell
}

// LeftOutEvent tells of one file, or part of one, that was left out.
type LeftOutEvent struct {
	Source string `json:"source"`
	Reason string `json:"reason"`
	Hint   string `json:"hint,omitempty"`
	Words  int    `json:"words,omitempty"`
	Files  int    `json:"files,omitempty"` // that the line stands for
}

// WritersEvent tells that the files read seem to be by two writers.
type WritersEvent struct {
	Sides  [2]WriterSide `json:"sides"`  // the one with more words first
	Tells  []WriterTell  `json:"tells"`  // function words that tell the sides apart, the surest first
	Margin float64       `json:"margin"` // below Bound one writer is unlikely; docs/LIKENESS.md
	Bound  float64       `json:"bound"`
	Hint   string        `json:"hint"` // what to do about it
}

// WriterSide are the files that one of two writers seems to have written.
type WriterSide struct {
	Files []string `json:"files"` // relative to the folder given
	Words int      `json:"words"` // in them
}

// WriterTell is a word that one side uses more than the other.
type WriterTell struct {
	Word  string     `json:"word"`
	Rates [2]float64 `json:"rates"` // in a thousand words of each side
}

// RolesEvent tells how the documents are used, in words.
type RolesEvent struct {
	Documents int `json:"documents"`
	Train     int `json:"train_words"`
	Select    int `json:"select_words"`
	Judge     int `json:"judge_words"`
	New       int `json:"new_documents"` // not in the ledger before
}

// BaseEvent tells which base model is used.
type BaseEvent struct {
	Name         string `json:"name"`
	Path         string `json:"path"`
	From         string `json:"from"` // where it came from
	Architecture string `json:"architecture"`
	Bytes        int64  `json:"bytes"`
	Licence      string `json:"licence,omitempty"`
	Reason       string `json:"reason,omitempty"` // why this one, and what the next larger would cost
}

// FetchEvent tells how far the fetching of a base is.
type FetchEvent struct {
	Base   string `json:"base"`
	Source string `json:"source"`
	Done   int64  `json:"done_bytes"`
	Total  int64  `json:"total_bytes"` // 0 where unknown
}

// NoteEvent is one line worth telling.
type NoteEvent struct {
	Text string `json:"text"`
}

// ForecastEvent tells what training will take, before it starts.
type ForecastEvent struct {
	Steps   int     `json:"steps"`
	Epochs  int     `json:"epochs"`
	Tokens  int     `json:"tokens"` // through the base, in all epochs
	Seconds float64 `json:"seconds"`
	Memory  int64   `json:"memory_bytes"` // resident at the most
	Kernel  string  `json:"kernel"`
	// Arithmetic is that of the products of base weights: f32 or bf16.
	Arithmetic string `json:"arithmetic"`
	Resumed    int    `json:"resumed_step"`         // steps that a checkpoint already has
	Parameters int    `json:"parameters"`           // weights that are trained: an adapter's, or the base's own
	Disk       int64  `json:"disk_bytes,omitempty"` // taken while weights of the base are trained
	Recipe     string `json:"recipe,omitempty"`     // of the library, that the run's own began as
	Why        string `json:"why,omitempty"`        // that recipe
	Folds      int    `json:"folds,omitempty"`      // parts of little text that are each judged by a twin trained on the others; all is for them and for what is trained on all
}

// StepEvent tells of one training step.
type StepEvent struct {
	Step            int     `json:"step"`
	Steps           int     `json:"steps"`
	Epoch           int     `json:"epoch"`
	Epochs          int     `json:"epochs"`
	Loss            float64 `json:"loss"` // nats per scored token
	Rate            float64 `json:"rate"`
	TokensPerSecond float64 `json:"tokens_per_second"`
	SecondsLeft     float64 `json:"seconds_left"`
}

// CheckpointEvent tells that a checkpoint was written.
type CheckpointEvent struct {
	Step int `json:"step"`
}

// SelectEvent tells how an epoch's adapter does on select documents.
type SelectEvent struct {
	Epoch int     `json:"epoch"` // 0 for the bare base
	Loss  float64 `json:"loss"`  // nats per token
	Best  bool    `json:"best"`  // so far
}

// PromptEvent tells how many tokens of the writer's passages will stand before what
// the twin writes, and why: what they save on select documents or, where these are
// few, on documents of the train text before that was learnt.
type PromptEvent struct {
	Tokens int     `json:"tokens"` // at the most; 0 for no passages
	Least  int     `json:"least"`  // of the bounds that were tried
	Saved  float64 `json:"saved"`  // nats per token over the least
	By     Role    `json:"by"`     // of the documents that it was chosen by
}

// ScoreEvent tells how far the verdict's scoring is.
type ScoreEvent struct {
	Condition string `json:"condition"`
	Done      int    `json:"done"`
	Total     int    `json:"total"`
}

// HeldOut are the figures of the verdict: nats per token on judge documents.
type HeldOut struct {
	Tokens   int     `json:"tokens"`
	Base     float64 `json:"base"`
	Examples float64 `json:"examples"`
	Adapter  float64 `json:"adapter"`
	Both     float64 `json:"both"`
}

// VerdictEvent tells whether a version goes live.
type VerdictEvent struct {
	Live     bool    `json:"live"`
	Unproven bool    `json:"unproven"`
	Gain     float64 `json:"gain"` // nats per token that both saves over examples
	Low      float64 `json:"low"`  // of its interval at 95 %
	High     float64 `json:"high"`
	Units    int     `json:"units"`
	Unit     string  `json:"unit"` // "documents" or "blocks"
	Why      string  `json:"why"`
	HeldOut  HeldOut `json:"heldout"`
	// Genre is what the version stands on; empty for none.
	Genre     string  `json:"genre,omitempty"`
	GenreGain float64 `json:"genre_gain,omitempty"` // nats per token by itself, on the documents it was chosen by

	Level float64 `json:"level"` // of the intervals: 0.95, more with each verdict on the same judge text
	Look  int     `json:"look"`  // which verdict on it this is
	Folds int     `json:"folds,omitempty"`
	// Learnt says that what the version began at or stands on had learnt some of the
	// judge text.
	Learnt bool `json:"learnt,omitempty"`
	// Specificity is what the adapter gains over those of other writers, in nats per
	// token; nil where there are none for the base.
	Specificity *SpecificityFigures `json:"specificity,omitempty"`
	Copier      string              `json:"copier,omitempty"`   // why it is one
	Monotone    string              `json:"monotone,omitempty"` // why it is
	Order       *OrderFigures       `json:"order,omitempty"`    // nil where it could not be asked
}

// OrderFigures are whether the sentences of what was learnt from stand in an order.
type OrderFigures struct {
	Stretches int     `json:"stretches"` // looked at
	Mean      float64 `json:"mean"`      // nats that the bare base finds one likelier as it is written than dealt anew
	P         float64 `json:"p"`         // one-sided, of "in no order"
}

// SpecificityFigures are what an adapter gains over controls: adapters of other
// writers by the same recipe.
type SpecificityFigures struct {
	Gain     float64 `json:"gain"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Stranger float64 `json:"stranger"` // the chance that one more of them would gain as much
	Controls int     `json:"controls"`
	Better   int     `json:"better"` // controls that gain less
}

// GenreEvent tells which genre a twin will stand on.
type GenreEvent struct {
	Asked    string      `json:"asked"` // auto or names
	Name     string      `json:"name"`  // empty for none
	As       string      `json:"as"`    // layer or start
	Strength float64     `json:"strength"`
	Gain     float64     `json:"gain"`            // nats per token over the bare base
	By       string      `json:"by"`              // roles of the documents that were looked at; empty where it was found before the run was stopped
	Tokens   int         `json:"tokens"`          // scored; 0 then
	Tried    []GenreGain `json:"tried,omitempty"` // with auto all, best first
	Seconds  float64     `json:"seconds"`
}

// GenreGain is what a genre by itself saves on a writer's documents.
type GenreGain struct {
	Name  string  `json:"name"`
	Gain  float64 `json:"gain"`            // nats per token over the bare base
	Share float64 `json:"share,omitempty"` // of what is taken; 0 where it is not among that
}

// ParagraphEvent is a paragraph of the new twin.
type ParagraphEvent struct {
	Opening string `json:"opening"` // given
	Text    string `json:"text"`    // written
}

// DoneEvent is the last event of a training run.
type DoneEvent struct {
	Twin            string   `json:"twin"`
	Folder          string   `json:"folder,omitempty"` // by which the twin is called, where it does not lie in the home
	Version         string   `json:"version"`
	Base            string   `json:"base"`
	Kernel          string   `json:"kernel"`
	Arithmetic      string   `json:"arithmetic"` // of training: f32 or bf16
	Words           int      `json:"words"`
	TrainTokens     int      `json:"train_tokens"`
	Epochs          int      `json:"epochs"`
	Seconds         float64  `json:"seconds"` // of training
	TokensPerSecond float64  `json:"tokens_per_second"`
	PeakRSS         int64    `json:"peak_rss_bytes"`
	AdapterBytes    int64    `json:"adapter_bytes"` // of the adapter's files, or of that with the base's weights
	WattHours       *float64 `json:"watt_hours"`    // null where the machine tells nothing
	HeldOut         HeldOut  `json:"heldout"`
	Method          string   `json:"method"` // lora, full or partial
	Live            bool     `json:"live"`   // the version serves; another is named as TWIN@VERSION
}

// MeasureEvent tells how far one measure of a report is, or the texts of a blind
// test.
type MeasureEvent struct {
	Measure     string  `json:"measure"`
	Done        int     `json:"done"`
	Total       int     `json:"total"`
	Kept        bool    `json:"kept,omitempty"`         // as it was measured before
	SecondsLeft float64 `json:"seconds_left,omitempty"` // of the whole report, by its forecast
}

// MeasuresEvent tells what a report will measure and what it will take, before
// it starts.
type MeasuresEvent struct {
	Measures []string `json:"measures"` // in order, without those that were measured before
	Tokens   int      `json:"tokens"`   // to be read by the base
	Writes   int      `json:"writes"`   // tokens to be written
	Seconds  float64  `json:"seconds"`
}

// MethodsEvent tells what a comparison of methods will do and what it will take,
// before it starts.
type MethodsEvent struct {
	Methods []MethodForecast `json:"methods"`
	Seconds float64          `json:"seconds"`      // still to come
	Memory  int64            `json:"memory_bytes"` // resident at the most
	Disk    int64            `json:"disk_bytes"`   // at the most
}

// MethodForecast is what one method of a comparison will take.
type MethodForecast struct {
	Method  string  `json:"method"`
	Runs    int     `json:"runs"`    // of training
	Seconds float64 `json:"seconds"` // still to come
	Memory  int64   `json:"memory_bytes"`
	Disk    int64   `json:"disk_bytes"`
	Kept    bool    `json:"kept,omitempty"` // it was measured before
}

// MethodEvent tells which part of a comparison begins.
type MethodEvent struct {
	Method      string  `json:"method"`
	Doing       string  `json:"doing"`             // "train", "measure" or "curve"
	Setting     string  `json:"setting,omitempty"` // that is trained
	Number      int     `json:"number"`            // of the part, from 1
	Total       int     `json:"total"`             // parts
	Kept        bool    `json:"kept,omitempty"`    // it was done before
	SecondsLeft float64 `json:"seconds_left,omitempty"`
}

// QuantizeEvent tells how far the writing of a base in another format is.
type QuantizeEvent struct {
	Stage string `json:"stage"` // "write", "score source" or "score result"
	Done  int64  `json:"done"`
	Total int64  `json:"total"` // bytes of the source's weights; tokens where scoring
}

// QuantizedEvent is the last event of a base written in another format.
type QuantizedEvent struct {
	File        string             `json:"file"`
	Format      string             `json:"format"`
	Bytes       int64              `json:"bytes"` // of the file
	Source      string             `json:"source"`
	SourceBytes int64              `json:"source_bytes"` // of its weights
	Weights     []QuantizedWeights `json:"weights"`
	Tokens      int                `json:"tokens,omitempty"` // scored; 0 where no loss was measured
	SourceNats  float64            `json:"source_nats_per_token,omitempty"`
	Nats        float64            `json:"nats_per_token,omitempty"`
}

// QuantizedWeights tells what became of the matrices of one kind.
type QuantizedWeights struct {
	Kind     string  `json:"kind"` // attn_q, ffn_down, …, by llama.cpp's names
	From     string  `json:"from"` // format in the source
	To       string  `json:"to"`   // format in the file
	Matrices int     `json:"matrices"`
	Count    int64   `json:"count"` // of weights in them
	Bytes    int64   `json:"bytes"` // in the file
	RMS      float64 `json:"rms"`   // root of the mean squared error
	Relative float64 `json:"relative"`
}

// ErrorEvent is the last event of a command that failed.
type ErrorEvent struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// EventName implements Event.
func (ReadEvent) EventName() string { return "read" }

// EventName implements Event.
func (LeftOutEvent) EventName() string { return "left_out" }

// EventName implements Event.
func (WritersEvent) EventName() string { return "writers" }

// EventName implements Event.
func (RolesEvent) EventName() string { return "roles" }

// EventName implements Event.
func (BaseEvent) EventName() string { return "base" }

// EventName implements Event.
func (FetchEvent) EventName() string { return "fetch" }

// EventName implements Event.
func (NoteEvent) EventName() string { return "note" }

// EventName implements Event.
func (ForecastEvent) EventName() string { return "forecast" }

// EventName implements Event.
func (StepEvent) EventName() string { return "step" }

// EventName implements Event.
func (CheckpointEvent) EventName() string { return "checkpoint" }

// EventName implements Event.
func (PromptEvent) EventName() string { return "prompt" }

// EventName implements Event.
func (SelectEvent) EventName() string { return "select" }

// EventName implements Event.
func (ScoreEvent) EventName() string { return "score" }

// EventName implements Event.
func (VerdictEvent) EventName() string { return "verdict" }

// EventName implements Event.
func (GenreEvent) EventName() string { return "genre" }

// EventName implements Event.
func (ParagraphEvent) EventName() string { return "paragraph" }

// EventName implements Event.
func (DoneEvent) EventName() string { return "done" }

// EventName implements Event.
func (QuantizeEvent) EventName() string { return "quantize" }

// EventName implements Event.
func (QuantizedEvent) EventName() string { return "quantized" }

// EventName implements Event.
func (MeasureEvent) EventName() string { return "measure" }

// EventName implements Event.
func (MeasuresEvent) EventName() string { return "measures" }

// EventName implements Event.
func (MethodsEvent) EventName() string { return "methods" }

// EventName implements Event.
func (MethodEvent) EventName() string { return "method" }

// EventName implements Event.
func (ErrorEvent) EventName() string { return "error" }
