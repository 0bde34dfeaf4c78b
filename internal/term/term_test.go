package term

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/getstroke/stroke"
)

// run is one of every event, as a training run emits them.
var run = []stroke.Event{
	stroke.LeftOutEvent{Source: "a folder with a rather long name/report.pdf", Reason: "PDF is not read yet", Hint: "save it as text", Files: 2},
	stroke.NoteEvent{Text: "notes.txt: read as windows-1252, it is not UTF-8"},
	stroke.ReadEvent{Source: "writing", Documents: 24, Words: 9123, LeftOut: 2, Language: "en"},
	stroke.WritersEvent{Sides: [2]stroke.WriterSide{{Files: strings.Fields("a.md b.md c.md d.md e.md f.md g.md h.md"), Words: 6000}, {Files: []string{"notes/of a friend.md"}, Words: 3123}},
		Tells: []stroke.WriterTell{{Word: "upon", Rates: [2]float64{3.14, 0.2}}, {Word: "you", Rates: [2]float64{0, 12}}}, Margin: -.3, Bound: -.2, Hint: "leave the files of one of them out"},
	stroke.RolesEvent{Documents: 24, Train: 7300, Select: 600, Judge: 1223, New: 24},
	stroke.FetchEvent{Base: "smollm2-135m-instruct", Source: "hub", Done: 5e7, Total: 98362432},
	stroke.FetchEvent{Base: "smollm2-135m-instruct", Source: "hub", Done: 98362432, Total: 98362432},
	stroke.BaseEvent{Name: "smollm2-135m-instruct", From: "hub", Bytes: 98362432, Licence: "Apache-2.0", Reason: "the largest that fits; the next larger would take 40 minutes"},
	stroke.ScoreEvent{Condition: "order", Done: 1, Total: 2},
	stroke.ScoreEvent{Condition: "order", Done: 2, Total: 2},
	stroke.ForecastEvent{Steps: 540, Epochs: 3, Tokens: 60000, Seconds: 300, Memory: 7e8, Kernel: "avx2", Resumed: 3},
	stroke.SelectEvent{Loss: 3.9},
	stroke.StepEvent{Step: 120, Steps: 540, Epoch: 1, Epochs: 3, Loss: 3.4561, TokensPerSecond: 412.3, SecondsLeft: 240},
	stroke.CheckpointEvent{Step: 120},
	stroke.StepEvent{Step: 540, Steps: 540, Epoch: 3, Epochs: 3, Loss: 3.1, TokensPerSecond: 412.3},
	stroke.SelectEvent{Epoch: 1, Loss: 3.4, Best: true},
	stroke.PromptEvent{Tokens: 350, Saved: 0.01, By: stroke.RoleSelect},
	stroke.ScoreEvent{Condition: "both", Done: 4, Total: 4},
	stroke.VerdictEvent{Live: true, Gain: .1, Low: .05, High: .2, Units: 9, Unit: "documents", Why: "it predicts you better than your passages alone",
		HeldOut: stroke.HeldOut{Tokens: 1500, Base: 3.9, Examples: 3.8, Adapter: 3.6, Both: 3.5}},
	stroke.ParagraphEvent{Opening: "The kettle on the north shelf", Text: " has been mended four times, and each time by somebody who was certain that he would be the last."},
	stroke.MeasuresEvent{Measures: []string{"prediction", "texts", "range"}, Tokens: 84050, Writes: 8266, Seconds: 200},
	stroke.MeasuresEvent{},
	stroke.MeasureEvent{Measure: "prediction", Done: 1, Total: 1, Kept: true},
	stroke.MeasureEvent{Measure: "recognition", Done: 5, Total: 46, SecondsLeft: 150},
	stroke.MeasureEvent{Measure: "recognition", Done: 46, Total: 46},
	stroke.DoneEvent{Twin: "writing", Version: "0123456789ab", Base: "smollm2-135m-instruct", Kernel: "avx2", Words: 7300, TrainTokens: 60000, Seconds: 310, TokensPerSecond: 400},
}

func show(mode Mode, width int) (out, errs string) {
	var o, e bytes.Buffer
	p := &Printer{out: &o, err: &e, mode: mode, width: width}
	for _, ev := range run {
		p.Emit(ev)
	}
	p.Fail(&stroke.Error{Code: stroke.CodeBusy, Msg: "the twin is in use", Hint: "wait"})
	return o.String(), e.String()
}

// TestNarrow holds that nothing is wider than a terminal of 40 columns, and that
// the bar there still has step, loss, speed and time left.
func TestNarrow(t *testing.T) {
	for _, width := range []int{40, 60, 80, 132} {
		for _, mode := range []Mode{Plain, Bars} {
			out, errs := show(mode, width)
			for _, l := range strings.FieldsFunc(out+"\n"+errs, func(r rune) bool { return r == '\n' || r == '\r' }) {
				if n := utf8.RuneCountInString(strings.TrimRight(l, " ")); n > width {
					t.Errorf("mode %d, %d columns: %d in %q", mode, width, n, l)
				}
			}
		}
	}
	_, errs := show(Bars, 40)
	if want := "120/540 3.46 412/s 4 min"; !strings.Contains(errs, want) {
		t.Errorf("the bar at 40 columns lacks %q:\n%q", want, errs)
	}
	if _, errs := show(Bars, 100); !strings.Contains(errs, "step 120/540  loss 3.456  412 tok/s  4 min left") {
		t.Errorf("the bar at 100 columns:\n%q", errs)
	}
}

// TestStreams holds what goes where: results on the output, what is told on the
// error stream, no control characters off a terminal.
func TestStreams(t *testing.T) {
	out, errs := show(Plain, 80)
	if strings.ContainsAny(out+errs, "\r\x1b\b") {
		t.Error("there are control characters in plain lines")
	}
	if !strings.Contains(out, "live: it predicts") || !strings.Contains(out, "The kettle") || strings.Contains(out, "step 120") {
		t.Errorf("the output is %q", out)
	}
	for _, want := range []string{"to measure: prediction, texts, range;", "everything was measured before", "prediction: as measured before", "recognition: 46 of 46",
		"one side, 6,000 words in 8 files: a.md, b.md, c.md, d.md, e.md, f.md and 2 more", "“upon” 3.1 and 0.2, “you” 0.0 and 12.0", "leave the files of one"} {
		if !strings.Contains(errs, want) {
			t.Errorf("the error stream lacks %q", want)
		}
	}
	if n := strings.Count(errs, "looking at the order of the text\n"); n != 1 {
		t.Errorf("it is said %d times that the order is looked at", n)
	}
	if !strings.Contains(errs, "step 120 of 540") || !strings.HasSuffix(errs, "stroke: the twin is in use\nstroke: hint: wait\n") {
		t.Errorf("the error stream is %q", errs)
	}
	quiet, errs := show(Quiet, 80)
	if !strings.Contains(quiet, "live: ") || errs != "stroke: the twin is in use\nstroke: hint: wait\n" {
		t.Errorf("quiet: %q and %q", quiet, errs)
	}
	lines, errs := show(JSON, 80)
	if errs != "" {
		t.Errorf("with JSON the error stream has %q", errs)
	}
	names := map[string]bool{}
	for l := range strings.Lines(lines) {
		var e struct{ Event string }
		if err := json.Unmarshal([]byte(l), &e); err != nil || !strings.HasPrefix(l, `{"event":"`+e.Event+`"`) {
			t.Errorf("%q: %v", l, err)
		}
		names[e.Event] = true
	}
	for _, e := range run {
		if !names[e.EventName()] {
			t.Errorf("no line for the event %s", e.EventName())
		}
	}
	if !names["error"] {
		t.Error("no line for the error")
	}
}

// TestJudged holds that each condition has a bar of its own that comes to its end, also
// those of controls.
func TestJudged(t *testing.T) {
	var e bytes.Buffer
	p := &Printer{err: &e, mode: Bars, width: 80}
	for _, condition := range []string{"base", "both", "start", "of another"} {
		for done := 1; done <= 4; done++ {
			e.Reset()
			p.Emit(stroke.ScoreEvent{Condition: condition, Done: done, Total: 4})
			if want := fmt.Sprintf("judging: %s  %d%%", condition, 25*done); done < 4 && !strings.Contains(strings.Join(strings.Fields(e.String()), " "), strings.Join(strings.Fields(want), " ")) {
				t.Errorf("%d of 4 under %s: %q", done, condition, e.String())
			}
		}
		if p.bar != nil {
			t.Errorf("the bar of %s stays", condition)
		}
	}
}

// TestWipe holds that a line is cleared where a bar goes back to its beginning to do so,
// as it does on Windows.
func TestWipe(t *testing.T) {
	var b strings.Builder
	w := wiper{&b, 5}
	for _, s := range []string{"a bar", "\r", "\rb"} {
		if n, err := w.Write([]byte(s)); n != len(s) || err != nil {
			t.Error(n, err)
		}
	}
	if got, want := b.String(), "a bar\r    \r\rb"; got != want {
		t.Errorf("written is %q, not %q", got, want)
	}
}

// TestNoFigures holds that where nothing was measured, no figure is shown.
func TestNoFigures(t *testing.T) {
	var o bytes.Buffer
	p := &Printer{out: &o, err: &o, width: 80}
	p.Emit(stroke.VerdictEvent{Unproven: true, Why: "nothing can be told"})
	if got := o.String(); got != "not live, unproven: nothing can be told\n" {
		t.Errorf("got %q", got)
	}
}

// TestSelectOnLearnt says no more of what an epoch is chosen by than that this training has
// not seen it: the adapter that it began at may have.
func TestSelectOnLearnt(t *testing.T) {
	for epoch, want := range []string{"on what this training will not see", "on what this training has not seen"} {
		if got := line(stroke.SelectEvent{Epoch: epoch, Loss: 3}); !strings.Contains(got, want) {
			t.Errorf("it says %q", got)
		}
	}
}

// TestFiguresLearnt holds that text of which some had been learnt is not called unseen.
func TestFiguresLearnt(t *testing.T) {
	for _, learnt := range []bool{false, true} {
		var o bytes.Buffer
		p := &Printer{out: &o, err: &o, width: 300}
		p.Emit(stroke.VerdictEvent{Learnt: learnt, HeldOut: stroke.HeldOut{Tokens: 5}})
		if got := o.String(); strings.Contains(got, "never seen") == learnt || strings.Contains(got, "had learnt some") != learnt {
			t.Errorf("learnt %v: %q", learnt, got)
		}
	}
}

func TestTable(t *testing.T) {
	rows := [][]string{{"letters/to-a-friend.md", "1,204", "train", "ordered by its hash"}, {"list.md", "88", "judge", "near duplicate of another"}}
	for _, width := range []int{40, 100} {
		var b bytes.Buffer
		if err := Table(&b, width, []string{"source", "words", "role", "why"}, rows); err != nil {
			t.Fatal(err)
		}
		for l := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(l, " \n")); n > width {
				t.Errorf("%d columns: %d in %q", width, n, l)
			}
		}
		for _, r := range rows {
			for _, c := range r {
				if !strings.Contains(strings.Join(strings.Fields(b.String()), " "), c) {
					t.Errorf("%d columns: %q is lost in\n%s", width, c, b.String())
				}
			}
		}
	}
	if err := Table(failing{}, 80, []string{"a"}, nil); err == nil {
		t.Error("an output that is full is no error")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		Count(0): "0", Count(999): "999", Count(1000): "1,000", Count(-1234567): "-1,234,567",
		Bytes(12): "12 bytes", Bytes(98362432): "98 MB", Bytes(3_400_000_000): "3.4 GB",
		Span(3): "3 s", Span(600): "10 min", Span(9000): "2.5 h",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestVisible holds that names command no terminal and end no line, in whatever is shown.
func TestVisible(t *testing.T) {
	const evil = "a\x1b[2J\nb\x9b\u009b\t\u202ec\r.txt"
	for _, mode := range []Mode{Plain, Bars} {
		var o, e bytes.Buffer
		p := &Printer{out: &o, err: &e, mode: mode, width: 200}
		p.Emit(stroke.LeftOutEvent{Source: evil, Reason: "no", Hint: "none"})
		p.Emit(stroke.ReadEvent{Source: evil})
		p.Emit(stroke.NoteEvent{Text: evil})
		p.Emit(stroke.WritersEvent{Sides: [2]stroke.WriterSide{{Files: []string{evil}}, {}}})
		p.Fail(&stroke.Error{Code: stroke.CodeInput, Msg: evil, Hint: evil})
		for _, width := range []int{200, 20} {
			if err := Table(&o, width, []string{"source", "why"}, [][]string{{evil, evil}}); err != nil {
				t.Fatal(err)
			}
		}
		shown := o.String() + e.String()
		for _, bad := range []string{"\x1b", "\x9b", "\u009b", "\u202e", "\r"} {
			if strings.Contains(shown, bad) {
				t.Errorf("%q is shown: %q", bad, shown)
			}
		}
		if !strings.Contains(shown, `left out a\x1b[2J\nb\x9b\u009b\t\u202ec\r.txt: no`) {
			t.Errorf("shown is %q", shown)
		}
	}
	if s := "日記 é\n\tb \ufffd"; Visible(s) != s {
		t.Errorf("%q is shown as %q", s, Visible(s))
	}
}
