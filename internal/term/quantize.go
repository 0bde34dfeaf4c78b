package term

import (
	"fmt"
	"math"
	"time"

	"github.com/getstroke/stroke"
)

// quantize shows how far the writing, or scoring, of a base is.
func (p *Printer) quantize(e stroke.QuantizeEvent) {
	what, amount := "writing", func(n int64) string { return Bytes(n) }
	switch e.Stage {
	case "score source":
		what, amount = "scoring the source", func(n int64) string { return Count(int(n)) + " tokens" }
	case "score result":
		what, amount = "scoring the result", func(n int64) string { return Count(int(n)) + " tokens" }
	}
	switch p.mode {
	case Bars:
		p.startBar(e.Stage, max(e.Total, 1))
		p.bar.Set64(min(e.Done, max(e.Total, 1)))
		p.describe(fmt.Sprintf("%s  %s of %s ", what, amount(e.Done), amount(e.Total)), what+" ", "")
	case Plain:
		if e.Done > 0 && (time.Since(p.lastStep) >= 5*time.Second || e.Done == e.Total) {
			p.lastStep = time.Now()
			p.say(fmt.Sprintf("%s: %s of %s", what, amount(e.Done), amount(e.Total)))
		}
	}
}

// quantized shows what was written and what it cost.
func (p *Printer) quantized(e stroke.QuantizedEvent) {
	var rows [][]string
	for _, w := range e.Weights {
		rows = append(rows, []string{w.Kind, w.From, w.To, Count(w.Matrices), Bytes(w.Bytes), fmt.Sprintf("%.3g", w.RMS), fmt.Sprintf("%.2f %%", 100*w.Relative)})
	}
	// A table that cannot be written is the output's own trouble, as with all lines.
	_ = Table(p.out, p.table, []string{"weights", "from", "to", "matrices", "size", "rms error", "of rms"}, rows)
	if e.Tokens > 0 {
		fmt.Fprintf(p.out, "\n%s\n", wrap(fmt.Sprintf("nats a token on %s tokens (less is better):", Count(e.Tokens)), p.width))
		fmt.Fprintf(p.out, "  %-8s %.4f  perplexity %.3f\n", "source", e.SourceNats, math.Exp(e.SourceNats))
		fmt.Fprintf(p.out, "  %-8s %.4f  perplexity %.3f  %+.4f nats\n", "result", e.Nats, math.Exp(e.Nats), e.Nats-e.SourceNats)
	}
	if p.mode != Quiet {
		p.say(fmt.Sprintf("wrote %s: %s, where the source's weights have %s", e.File, Bytes(e.Bytes), Bytes(e.SourceBytes)))
	}
}
