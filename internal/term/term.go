// Package term shows the events of a command: as a bar and lines on a terminal,
// as plain lines elsewhere, or as one JSON object a line. Data goes to the
// output, what is told along the way to the error stream.
package term

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	xterm "golang.org/x/term"

	"github.com/getstroke/stroke"
)

// Mode is how events are shown.
type Mode int

// The modes.
const (
	Plain Mode = iota // lines
	Bars              // lines and a bar, on a terminal
	JSON              // events on the output
	Quiet             // results alone
)

// Printer shows events. It serves one goroutine.
type Printer struct {
	out, err io.Writer
	mode     Mode
	width    int
	table    int  // the most that a table may be wide
	terminal bool // behind the error stream
	bar      *progressbar.ProgressBar
	what     string // the bar's subject
	lastStep time.Time
	lastByte time.Time
}

// New makes a printer. The mode Bars needs a terminal behind the error stream;
// without one, or with TERM=dumb, it becomes Plain. What has a method Fd is a file.
func New(out, errs io.Writer, mode Mode) *Printer {
	p := &Printer{out: out, err: errs, mode: mode, width: 80, table: math.MaxInt}
	if mode == Bars && (!IsTerminal(errs) || os.Getenv("TERM") == "dumb") {
		p.mode = Plain
	}
	if w, _ := Size(errs); w > 0 {
		p.width, p.terminal = w, true
	}
	if w, _ := Size(out); w > 0 {
		p.table = w
	}
	return p
}

// file is what may be a terminal.
type file interface{ Fd() uintptr }

// IsTerminal says whether a stream is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(file)
	return ok && xterm.IsTerminal(int(f.Fd()))
}

// Size is how many columns and rows the terminal has that a stream is; 0 where it is
// none.
func Size(stream any) (width, height int) {
	f, ok := stream.(file)
	if !ok {
		return 0, 0
	}
	w, h, err := xterm.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return w, h
}

// Emit shows an event.
func (p *Printer) Emit(e stroke.Event) {
	if p.mode == JSON {
		b, err := stroke.MarshalEvent(e)
		if err == nil {
			fmt.Fprintln(p.out, string(b))
		}
		return
	}
	switch e := e.(type) {
	case stroke.StepEvent:
		p.step(e)
	case stroke.FetchEvent:
		p.fetch(e)
	case stroke.ScoreEvent:
		p.score(e)
	case stroke.MeasureEvent:
		p.measure(e)
	case stroke.QuantizeEvent:
		p.quantize(e)
	case stroke.QuantizedEvent:
		p.endBar()
		p.quantized(e)
	case stroke.VerdictEvent:
		p.endBar()
		p.verdict(e)
	case stroke.ParagraphEvent:
		p.endBar()
		fmt.Fprintf(p.out, "\n%s\n", wrap(e.Opening+" …"+" "+strings.TrimSpace(e.Text), min(p.width, 80)))
	case stroke.DoneEvent:
		p.endBar()
		p.done(e)
	case stroke.CheckpointEvent:
	default:
		if p.mode == Quiet {
			return
		}
		p.endBar()
		if s := line(e); s != "" {
			p.say(s)
		}
	}
}

// say writes a line of what is told along the way, wrapped to the terminal.
func (p *Printer) say(s string) {
	fmt.Fprintln(p.err, wrap(s, p.width))
}

// line is an event as a line; empty for none.
func line(e stroke.Event) string {
	switch e := e.(type) {
	case stroke.ReadEvent:
		s := fmt.Sprintf("read %s, %s words, from %s", some(e.Documents, "document"), Count(e.Words), name(e.Source))
		if e.LeftOut > 0 {
			s += fmt.Sprintf(" (%d left out)", e.LeftOut)
		}
		return s
	case stroke.LeftOutEvent:
		s := "left out " + name(e.Source)
		if e.Files > 1 {
			s += fmt.Sprintf(" (%d files)", e.Files)
		}
		s += ": " + e.Reason
		if e.Hint != "" {
			s += "; " + e.Hint
		}
		return s
	case stroke.WritersEvent:
		return writers(e)
	case stroke.RolesEvent:
		return fmt.Sprintf("%s words to train on, %s to choose by, %s to judge by", Count(e.Train), Count(e.Select), Count(e.Judge))
	case stroke.BaseEvent:
		s := fmt.Sprintf("base %s, %s, from %s", e.Name, Bytes(e.Bytes), e.From)
		if e.Licence != "" {
			s += ", " + e.Licence
		}
		if e.Reason != "" {
			s += "\n" + e.Reason
		}
		return s
	case stroke.NoteEvent:
		return e.Text
	case stroke.ForecastEvent:
		s := fmt.Sprintf("%s in %s, %s tokens: about %s and %s of memory (%s)", some(e.Steps, "step"), some(e.Epochs, "epoch"), Count(e.Tokens), Span(e.Seconds), Bytes(e.Memory), by(e.Kernel, e.Arithmetic))
		if e.Disk > 0 {
			s += fmt.Sprintf("; it trains %s weights of the base, and takes up to %s of disk", Count(e.Parameters), Bytes(e.Disk))
		}
		if e.Resumed > 0 {
			s += fmt.Sprintf("; going on after step %d", e.Resumed)
		}
		if e.Folds > 0 {
			s += fmt.Sprintf("; there is little text, so it is parted into %d folds, each judged by a twin trained on the others, and what goes live is trained on all: the time is for all of that", e.Folds)
		}
		if e.Recipe != "" {
			s += "\nrecipe " + e.Recipe
			if e.Why != "" {
				s += ": " + e.Why
			}
		}
		return s
	case stroke.GenreEvent:
		return genre(e)
	case stroke.MeasuresEvent:
		if len(e.Measures) == 0 {
			return "everything was measured before"
		}
		return fmt.Sprintf("to measure: %s; %s tokens to read and %s to write, about %s", strings.Join(e.Measures, ", "), Count(e.Tokens), Count(e.Writes), Span(e.Seconds))
	case stroke.MethodsEvent:
		return methods(e)
	case stroke.MethodEvent:
		return method(e)
	case stroke.PromptEvent:
		if e.Tokens == 0 {
			return "no passages will stand before what the twin writes: they do not help"
		}
		return fmt.Sprintf("passages of up to %d tokens will stand before what the twin writes: they save %.3f nats a token", e.Tokens, e.Saved)
	case stroke.SelectEvent:
		if e.Epoch == 0 {
			return fmt.Sprintf("before training: %.3f nats a token on what this training will not see", e.Loss)
		}
		s := fmt.Sprintf("epoch %d: %.3f nats a token on what this training has not seen", e.Epoch, e.Loss)
		if e.Best {
			s += ", the best so far"
		}
		return s
	}
	return ""
}

// barWidth is the width of the bar itself, which leaves room for its text.
func (p *Printer) barWidth() int { return max(4, min(24, p.width/5-4)) }

func (p *Printer) startBar(what string, total int64) {
	if p.bar != nil && p.what == what {
		return
	}
	p.endBar()
	p.what = what
	p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(wiper{p.err, p.width}), progressbar.OptionSetWidth(p.barWidth()),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false), progressbar.OptionSetTheme(progressbar.Theme{Saucer: "=", SaucerHead: ">", SaucerPadding: " ", BarStart: "[", BarEnd: "]"}))
}

func (p *Printer) endBar() {
	if p.bar != nil {
		p.bar.Clear()
		p.bar = nil
	}
}

// describe sets the bar's text to the longest of the given that fits.
func (p *Printer) describe(texts ...string) {
	room := p.width - p.barWidth() - len(" 100% [] ")
	for _, t := range texts {
		if len(t) <= room {
			p.bar.Describe(t)
			return
		}
	}
	p.bar.Describe("")
}

func (p *Printer) step(e stroke.StepEvent) {
	switch p.mode {
	case Bars:
		p.startBar("train", int64(e.Steps))
		loss, speed, left := fmt.Sprintf("loss %.3f", e.Loss), fmt.Sprintf("%.0f tok/s", e.TokensPerSecond), Span(e.SecondsLeft)+" left"
		p.bar.Set64(int64(e.Step))
		p.describe(fmt.Sprintf("step %d/%d  %s  %s  %s ", e.Step, e.Steps, loss, speed, left), fmt.Sprintf("%d/%d %.2f %.0f/s %s ", e.Step, e.Steps, e.Loss, e.TokensPerSecond, Span(e.SecondsLeft)), left+" ")
	case Plain:
		if e.Step == 1 || e.Step == e.Steps || time.Since(p.lastStep) >= 5*time.Second {
			p.lastStep = time.Now()
			p.say(fmt.Sprintf("step %d of %d, loss %.3f, %.0f tokens/s, %s left", e.Step, e.Steps, e.Loss, e.TokensPerSecond, Span(e.SecondsLeft)))
		}
	}
}

func (p *Printer) fetch(e stroke.FetchEvent) {
	switch p.mode {
	case Bars:
		if time.Since(p.lastByte) < 100*time.Millisecond && e.Done != e.Total {
			return
		}
		p.lastByte = time.Now()
		p.startBar("fetch "+e.Source, max(e.Total, 1))
		p.bar.Set64(min(e.Done, max(e.Total, 1)))
		p.describe(fmt.Sprintf("fetching %s  %s of %s ", e.Base, Bytes(e.Done), Bytes(e.Total)), Bytes(e.Done)+" ")
	case Plain:
		if time.Since(p.lastByte) >= 5*time.Second || e.Done == e.Total {
			p.lastByte = time.Now()
			p.say(fmt.Sprintf("fetching %s: %s of %s", e.Base, Bytes(e.Done), Bytes(e.Total)))
		}
	}
}

// score shows a bar for each condition: how many there will be is not known, since it
// depends on what the adapter is compared with.
func (p *Printer) score(e stroke.ScoreEvent) {
	const looking = "looking at the order of the text"
	order := e.Condition == "order" // before training, and by itself
	switch {
	case p.mode == Bars:
		text := "judging: " + e.Condition + " "
		if order {
			text = looking + " "
		}
		p.startBar("score "+e.Condition, int64(e.Total))
		p.bar.Set64(int64(e.Done))
		p.describe(text, e.Condition+" ")
		if e.Done == e.Total {
			p.endBar()
		}
	case p.mode == Plain && order && e.Done == 1:
		p.say(looking)
	case p.mode == Plain && !order && e.Done == e.Total:
		p.say("judged: " + e.Condition)
	}
}

func (p *Printer) measure(e stroke.MeasureEvent) {
	left := ""
	if e.SecondsLeft > 0 {
		left = ", " + Span(e.SecondsLeft) + " left"
	}
	switch {
	case p.mode == Bars && e.Total > 0:
		p.startBar("measure "+e.Measure, int64(e.Total))
		p.bar.Set64(int64(e.Done))
		p.describe(fmt.Sprintf("%s %d/%d%s ", e.Measure, e.Done, e.Total, left), e.Measure+" ")
		if e.Done >= e.Total {
			p.endBar()
		}
	case p.mode == Plain && (e.Done >= e.Total || time.Since(p.lastStep) >= 5*time.Second):
		p.lastStep = time.Now()
		s := fmt.Sprintf("%s: %d of %d", e.Measure, e.Done, e.Total)
		if e.Kept {
			s = e.Measure + ": as measured before"
		}
		p.say(s + left)
	}
}

func (p *Printer) verdict(e stroke.VerdictEvent) {
	h := e.HeldOut
	if h.Tokens > 0 {
		p.figures(h, e.Learnt)
	}
	state := "not live"
	if e.Live {
		state = "live"
	}
	if e.Unproven {
		state += ", unproven"
	}
	fmt.Fprintln(p.out, wrap(state+": "+e.Why, min(p.width, 100)))
}

// figures shows the losses of the four conditions, where any was measured, on text of
// which some had been learnt or none.
func (p *Printer) figures(h stroke.HeldOut, learnt bool) {
	seen := "that it has never seen"
	if learnt {
		seen = "of which what it began at or stands on had learnt some"
	}
	fmt.Fprintf(p.out, "\n%s\n", wrap(fmt.Sprintf("nats a token on %s tokens by you %s (less is better; the first 100 words of each text do not count):", Count(h.Tokens), seen), p.width))
	for _, r := range []struct {
		name string
		loss float64
	}{{"base", h.Base}, {"base + your passages", h.Examples}, {"adapter", h.Adapter}, {"adapter + your passages", h.Both}} {
		fmt.Fprintf(p.out, "  %-24s %.3f", r.name, r.loss)
		if r.name != "base" {
			fmt.Fprintf(p.out, "  %+.3f", r.loss-h.Base)
		}
		fmt.Fprintln(p.out)
	}
}

func (p *Printer) done(e stroke.DoneEvent) {
	if p.mode == Quiet {
		return
	}
	what := "adapter"
	if e.Method == "full" || e.Method == "partial" {
		what = "weights"
	}
	p.say(fmt.Sprintf("twin %s, version %s: %s words, %s tokens in %s (%.0f tokens/s, %s), %s %s, at most %s of memory",
		e.Twin, e.Version, Count(e.Words), Count(e.TrainTokens), Span(e.Seconds), e.TokensPerSecond, by(e.Kernel, e.Arithmetic), what, Bytes(e.AdapterBytes), Bytes(e.PeakRSS)))
	if name := cmp.Or(e.Folder, e.Twin); e.Live {
		p.say(fmt.Sprintf("write with it: stroke write -t \"%s\" \"An opening\"", name))
	} else {
		p.say(fmt.Sprintf("not live; write with it: stroke write -t \"%s@%s\" \"An opening\"", name, e.Version))
	}
}

// Fail shows the error that ended a command.
func (p *Printer) Fail(err error) {
	if p.mode == JSON {
		p.Emit(stroke.ErrorEvent{Code: stroke.CodeOf(err), Message: err.Error(), Hint: stroke.HintOf(err)})
		return
	}
	p.endBar()
	fmt.Fprintln(p.err, p.Wrap("stroke: "+err.Error()))
	if h := stroke.HintOf(err); h != "" {
		fmt.Fprintln(p.err, p.Wrap("stroke: hint: "+h))
	}
}

// Wrap breaks a text into lines no wider than the terminal; where there is none
// it leaves the lines as they are, for programs to read.
func (p *Printer) Wrap(s string) string {
	if !p.terminal {
		return Visible(s)
	}
	return wrap(s, p.width)
}

// by names what computed: exact float32 is not worth a word.
func by(kernel, arithmetic string) string {
	if arithmetic == "" || arithmetic == "f32" {
		return kernel
	}
	return kernel + ", " + arithmetic
}
