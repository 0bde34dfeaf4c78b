package compare

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/term"
)

// Title is that of the tables.
func (r *Comparison) Title() string {
	return "Methods side by side: " + r.Writer
}

// Subtitle says what was measured, on what and where.
func (r *Comparison) Subtitle() string {
	on := r.Machine.System
	if r.Machine.Processor != "" {
		on = r.Machine.Processor + ", " + on
	}
	return fmt.Sprintf("%s words to train on, %s to choose by, %s to judge by; %s of %s; measured on %s, %s with the kernel %s, by Stroke %s %s.",
		term.Count(r.Words.Train), term.Count(r.Words.Select), term.Count(r.Words.Judge), r.Base, term.Bytes(r.Bytes), on,
		count(r.Machine.Workers, "worker"), r.Machine.Kernel, r.Program, r.when())
}

// day is how a date is written.
const day = "2 January 2006"

// when says on which days the parts were measured.
func (r *Comparison) when() string {
	first, last := r.Made, r.Made
	for i, p := range r.Parts {
		if i == 0 || p.Made.Before(first) {
			first = p.Made
		}
		if i == 0 || p.Made.After(last) {
			last = p.Made
		}
	}
	if a, b := first.Format(day), last.Format(day); a != b {
		return "from " + a + " to " + b
	}
	return "on " + first.Format(day)
}

// others says what other versions of the program measured: a sentence for each.
func (r *Comparison) others() []string {
	what := map[string][]string{}
	var versions []string
	for _, p := range r.Parts {
		if p.Program == r.Program {
			continue
		}
		if what[p.Program] == nil {
			versions = append(versions, p.Program)
		}
		s := string(p.Name)
		if p.Doing == "train" {
			s = "the training of " + s
		}
		if p.Setting != "" {
			s += ", " + p.Setting
		}
		what[p.Program] = append(what[p.Program], s+" ("+p.Made.Format(day)+")")
	}
	var out []string
	for _, v := range versions {
		out = append(out, fmt.Sprintf("Kept as Stroke %s measured it, with that version's speed: %s; --afresh measures it again.", v, strings.Join(what[v], "; ")))
	}
	return out
}

// Row is one wish, or one figure of likeness, with a cell for each method.
type Row struct {
	Label string
	Cells []string
}

// Group is rows under a heading.
type Group struct {
	Heading string
	Rows    []Row
}

const unknown = "not known"

// Groups are all rows, a column for each method.
func (r *Comparison) Groups() []Group {
	row := func(label string, cell func(m *Method) string) Row {
		out := Row{Label: label}
		for i := range r.Methods {
			out.Cells = append(out.Cells, cell(&r.Methods[i]))
		}
		return out
	}
	likeness := []Row{
		row("gain over the base, nats a token", func(m *Method) string {
			if m.Name == Base {
				return fmt.Sprintf("0 (it needs %.3f)", r.Loss)
			}
			return interval(m.Likeness.Gain)
		}),
		row("gain over examples", func(m *Method) string {
			if m.Name == Examples {
				return "0"
			}
			return interval(m.Likeness.Over)
		}),
		row("gain with examples as well", func(m *Method) string {
			if m.Likeness.WithExamples == nil {
				return "–"
			}
			return interval(*m.Likeness.WithExamples)
		}),
		row("above other writers' adapters", func(m *Method) string {
			if m.Likeness.Specificity == nil {
				return "not measured"
			}
			return interval(*m.Likeness.Specificity)
		}),
		row("words copied in long runs", func(m *Method) string { return leakage(m.Likeness.Leakage) }),
	}
	return []Group{
		{"What it takes", []Row{
			row("time until it is ready", func(m *Method) string { return ready(m) }),
			row("with the choice of settings", func(m *Method) string {
				if m.Name == Base {
					return "–"
				}
				return span(m.Takes.Choosing)
			}),
			row("energy", func(m *Method) string { return energy(m.Takes.WattHours) }),
			row("money", func(m *Method) string { return r.money(m) }),
			row("memory", func(m *Method) string {
				switch {
				case m.Name.Trains() == "":
					return "–"
				case m.Takes.Planned:
					return term.Bytes(m.Takes.Memory) + " (planned)"
				}
				return term.Bytes(m.Takes.Memory)
			}),
			row("disk while training", func(m *Method) string {
				if m.Name.Trains() == "" {
					return "–"
				}
				return term.Bytes(m.Takes.Disk)
			}),
			row("weights trained", func(m *Method) string {
				if m.Takes.Parameters == 0 {
					return "none"
				}
				return millions(m.Takes.Parameters)
			}),
			row("words needed to beat examples", func(m *Method) string { return r.needs(m) }),
			row("one more article", func(m *Method) string {
				switch {
				case m.Name == Base:
					return "learns nothing"
				case m.Name == Examples:
					return span(m.Takes.Article) + ", indexed"
				}
				return span(m.Takes.Article) + ", trained again"
			}),
		}},
		{"What you have then", []Row{
			row("whose it is", func(m *Method) string { return m.Leaves.What }),
			row("on the disk, beside the base", func(m *Method) string { return term.Bytes(m.Leaves.Bytes) }),
			row("where it runs", func(m *Method) string { return m.Leaves.Runs }),
			row("writes, tokens a second", func(m *Method) string { return rate(m.Serves.TokensPerSecond) }),
			row("until the first token", func(m *Method) string {
				if m.Serves.Prompt == 0 {
					return unknown
				}
				return fmt.Sprintf("%.2f s (%s tokens read)", m.Serves.First, term.Count(m.Serves.Prompt))
			}),
			row("memory while writing", func(m *Method) string {
				if m.Serves.Memory == 0 {
					return unknown
				}
				return term.Bytes(m.Serves.Memory)
			}),
			row("setting taken", func(m *Method) string { return m.Setting }),
		}},
		{"How like you", likeness},
	}
}

// Tables are the same in parts that fit a terminal: a row for each method, with a
// question mark for what is not known.
func (r *Comparison) Tables() []Table {
	out := []Table{
		{[]string{"takes", "ready", "settings", "energy", "money", "memory", "disk"}, nil},
		{[]string{"leaves", "on disk", "tokens/s", "first token", "memory", "words needed"}, nil},
		{[]string{"likeness", "over base", "over examples", "with examples", "copied"}, nil},
	}
	groups := r.Groups()
	cell := func(group, row, i int) string { return groups[group].Rows[row].Cells[i] }
	for i := range r.Methods {
		m := &r.Methods[i]
		name := string(m.Name)
		first := unknown
		if m.Serves.Prompt > 0 {
			first = fmt.Sprintf("%.2f s", m.Serves.First)
		}
		out[0].Rows = append(out[0].Rows, []string{name, cell(0, 0, i), cell(0, 1, i), cell(0, 2, i), cell(0, 3, i), cell(0, 4, i), cell(0, 5, i)})
		out[1].Rows = append(out[1].Rows, []string{name, cell(1, 1, i), cell(1, 3, i), first, cell(1, 5, i), cell(0, 7, i)})
		with := "–"
		if w := m.Likeness.WithExamples; w != nil {
			with = short(*w)
		}
		gain, over := short(m.Likeness.Gain), short(m.Likeness.Over)
		if m.Name == Base {
			gain = "0"
		}
		if m.Name == Examples {
			over = "0"
		}
		copied := "not measured"
		if l := m.Likeness.Leakage; l != nil {
			copied = percent(l.Share)
			if l.Copier {
				copied += ", a copier"
			}
		}
		out[2].Rows = append(out[2].Rows, []string{name, gain, over, with, copied})
	}
	for _, t := range out {
		for _, row := range t.Rows {
			for k, cell := range row {
				switch cell {
				case unknown:
					row[k] = "?"
				case "not measured":
					row[k] = "–"
				default:
					row[k] = strings.ReplaceAll(cell, "under ", "<")
				}
			}
		}
	}
	return out
}

// sayTried says what was chosen among.
func (r *Comparison) sayTried() string {
	several := func(k Kind) (list []string) {
		for i := range r.Methods {
			m := &r.Methods[i]
			if n := m.Of(k); n > 1 && !(k == Rate && m.Name == LoRAExamples && r.has(LoRA)) { // they are those of the adapter
				list = append(list, fmt.Sprintf("%d of %s", n, m.Name))
			}
		}
		return list
	}
	var tried []string
	if rates := several(Rate); len(rates) > 0 {
		tried = append(tried, "of learning rates "+strings.Join(rates, ", "))
	}
	if amounts := several(Passages); len(amounts) > 0 {
		tried = append(tried, "of amounts of passages "+strings.Join(amounts, ", "))
	}
	if len(tried) == 0 {
		return "One setting of each method was measured, the recipe's; of what is trained the best epoch was taken, by select documents alone."
	}
	return fmt.Sprintf("Settings that were tried: %s; everything else is the recipe's. The best, and the best epoch of what is trained, was taken by select documents alone.", strings.Join(tried, "; "))
}

// has says whether a method was measured.
func (r *Comparison) has(n Name) bool {
	return slices.ContainsFunc(r.Methods, func(m Method) bool { return m.Name == n })
}

// Table is rows under a heading, as [term.Table] takes them.
type Table struct {
	Heading []string
	Rows    [][]string
}

// Notes say how the figures are to be read, what cannot be said, and what was
// left out.
func (r *Comparison) Notes() []string {
	out := []string{
		fmt.Sprintf("Gains are in nats a token on %s tokens of yours that no method has seen, the same for all and scored in float32, with intervals at 95 %% over %d %s.", term.Count(r.Tokens), r.Units, r.Unit),
		r.sayTried(),
	}
	if r.Units < 8 {
		out = append(out, "So few pieces of judge text give intervals that are too narrow: nothing is proven by them.")
	}
	if r.OneDocument {
		out = append(out, "All that judges is cut from one document, and its parts are more alike than what you will write next: the gains say less than their intervals promise.")
	}
	out = append(out, r.others()...)
	var share []string
	for i := range r.Methods {
		t := &r.Methods[i].Takes
		if n := r.Methods[i].Name; n.Trains() == n && t.Seconds > 0 && t.Processor > 0 {
			if used := t.Processor / t.Seconds / float64(max(r.Machine.Workers, 1)); used < busy {
				share = append(share, fmt.Sprintf("%s had %s of the processor's time, %s", n, percent(used), span(t.Processor/float64(r.Machine.Workers))+" of it alone"))
			}
		}
	}
	if len(share) > 0 {
		out = append(out, "The machine was doing other things as well, so times are longer and rates lower than they would be: "+strings.Join(share, "; ")+".")
	}
	known := false
	for i := range r.Methods {
		known = known || r.Methods[i].Name.Trains() != "" && r.Methods[i].Takes.WattHours != nil
	}
	switch {
	case !known:
		out = append(out, "The machine does not tell what energy it uses, so energy and money are not known; with --watts N, the power that a meter shows, they are worked out.")
	case r.Watts > 0:
		out = append(out, fmt.Sprintf("Energy is worked out from %g watts, as given, where the machine does not tell it.", r.Watts))
	default:
		out = append(out, "Energy is that of the processor's packages by its own counters, without memory, disk and power supply.")
	}
	if known && r.Price == nil {
		out = append(out, "No price was given: --price-kwh 0.30EUR.")
	}
	if len(r.Curve) == 0 {
		out = append(out, "How many words a method needs was not measured: --curve 500,1000,2000.")
	}
	if len(r.Controls) == 0 {
		out = append(out, "No adapters of other writers were at hand (--control DIR), so how much of a gain is you and how much any prose is not said.")
	}
	out = append(out, "One more article is what stroke train does with it: examples are indexed again; what is trained is trained again on everything, with the setting taken.")
	for _, l := range r.Lost {
		out = append(out, fmt.Sprintf("The training of %s, %s, came to nothing and is not chosen among: %s.", l.Name, l.Setting, l.Why))
	}
	for _, l := range r.LeftOut {
		s := fmt.Sprintf("%s is left out: %s", l.Name, l.Why)
		if l.Hint != "" {
			s += "; " + l.Hint
		}
		out = append(out, s+".")
	}
	return out
}

// busy is the share of the processor's time under which a training shared it.
const busy = 0.75

// Markdown is the whole comparison as a table.
func (r *Comparison) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n", r.Title(), r.Subtitle())
	for _, g := range r.Groups() {
		fmt.Fprintf(&b, "\n| %s |", strings.ToLower(g.Heading))
		for i := range r.Methods {
			fmt.Fprintf(&b, " %s |", r.Methods[i].Name)
		}
		b.WriteString("\n|")
		for range len(r.Methods) + 1 {
			b.WriteString(" --- |")
		}
		b.WriteByte('\n')
		for _, row := range g.Rows {
			fmt.Fprintf(&b, "| %s |", row.Label)
			for _, c := range row.Cells {
				fmt.Fprintf(&b, " %s |", strings.ReplaceAll(c, "|", "\\|"))
			}
			b.WriteByte('\n')
		}
	}
	if len(r.Curve) > 0 {
		b.WriteString("\n| train words | method | gain over the base | gain over examples | training |\n| --- | --- | --- | --- | --- |\n")
		for _, p := range r.Curve {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", term.Count(p.Words), p.Name, interval(p.Gain), interval(p.Over), span(p.Seconds))
		}
	}
	b.WriteByte('\n')
	for _, n := range r.Notes() {
		fmt.Fprintf(&b, "- %s\n", n)
	}
	return b.String()
}

func ready(m *Method) string {
	if m.Name == Base {
		return "at once"
	}
	return span(m.Takes.Seconds)
}

func (r *Comparison) money(m *Method) string {
	switch {
	case r.Price == nil && m.Name != Base:
		return unknown
	case m.Takes.Money == nil && m.Name != Base:
		return unknown
	case m.Name == Base:
		return "none"
	}
	return strings.TrimSpace(small(*m.Takes.Money) + " " + r.Price.Currency)
}

func (r *Comparison) needs(m *Method) string {
	switch {
	case m.Name.Trains() == "":
		return "–"
	case len(r.Curve) == 0:
		return "not measured"
	case m.Needs == nil:
		return fmt.Sprintf("more than %s", term.Count(r.Words.Train))
	}
	return term.Count(*m.Needs)
}

func energy(wh *float64) string {
	switch {
	case wh == nil:
		return unknown
	case *wh == 0:
		return "none"
	}
	return small(*wh) + " Wh"
}

// small writes an amount in two digits that count.
func small(x float64) string {
	switch {
	case x > 0 && x < 1e-4:
		return "under 0.0001"
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	}
	return strconv.FormatFloat(roundTo(x, 2), 'f', -1, 64)
}

// roundTo rounds to so many digits that count.
func roundTo(x float64, digits int) float64 {
	if x == 0 {
		return 0
	}
	p := math.Pow(10, float64(digits-1)-math.Floor(math.Log10(math.Abs(x))))
	return math.Round(x*p) / p
}

func rate(x float64) string {
	if x == 0 {
		return unknown
	}
	return fmt.Sprintf("%.0f", x)
}

func leakage(l *Leakage) string {
	if l == nil {
		return "not measured"
	}
	s := fmt.Sprintf("%s (yours %s), the longest run %s", percent(l.Share), percent(l.Own), count(l.Longest, "word"))
	if l.Leaks > 0 {
		s += fmt.Sprintf(", %s that %s once in your text", count(l.Leaks, "thing"), map[bool]string{true: "stands", false: "stand"}[l.Leaks == 1])
	}
	if l.Copier {
		s += ": a copier"
	}
	return s
}

func percent(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) }

func millions(n int) string {
	if n < 100_000 {
		return term.Count(n)
	}
	return fmt.Sprintf("%.1f million", float64(n)/1e6)
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return term.Count(n) + " " + thing + "s"
}

// span writes seconds, those below one in hundredths.
func span(s float64) string {
	switch {
	case s < 0.01:
		return "under 0.01 s"
	case s < 1:
		return fmt.Sprintf("%.2f s", s)
	}
	return term.Span(s)
}

func interval(i eval.Interval) string {
	if !i.Known() {
		return unknown
	}
	return fmt.Sprintf("%s (%s to %s)", signed(i.Mean), signed(i.Low), signed(i.High))
}

// short is an interval for a narrow column.
func short(i eval.Interval) string {
	if !i.Known() {
		return unknown
	}
	return fmt.Sprintf("%s ±%.3f", signed(i.Mean), max(i.High-i.Mean, i.Mean-i.Low))
}

func signed(x float64) string {
	if math.Abs(x) < 0.0005 {
		return "0.000"
	}
	return strings.ReplaceAll(fmt.Sprintf("%+.3f", x), "-", "−")
}
