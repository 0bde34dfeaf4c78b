package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Gain is what a system saves over another on one document, in nats.
type Gain struct {
	Writer string  `json:"writer,omitempty"` // in a panel
	Group  string  `json:"group"`            // the document's hash
	Saved  float64 `json:"saved"`            // nats, positive where the system is better
	Tokens int     `json:"tokens"`           // scored
}

// PerToken is the gain in nats per token; 0 where nothing was scored.
func (g Gain) PerToken() float64 {
	if g.Tokens == 0 {
		return 0
	}
	return g.Saved / float64(g.Tokens)
}

// Gains are what a system saves over a start on each document. groups names the
// documents, in the order of the losses; documents of one group become one gain.
// It panics where the three differ in length: they are of the same pieces.
func Gains(groups []string, start, system []Loss) []Gain {
	if len(start) != len(system) || len(groups) != len(start) {
		panic(fmt.Sprintf("eval: gains of %d groups from %d and %d losses", len(groups), len(start), len(system)))
	}
	var out []Gain
	number := map[string]int{}
	for i, g := range groups {
		n, ok := number[g]
		if !ok {
			n = len(out)
			number[g] = n
			out = append(out, Gain{Group: g})
		}
		out[n].Saved += start[i].Nats - system[i].Nats
		out[n].Tokens += start[i].Tokens
	}
	return out
}

// BlockGains are the gains of blocks of at least size tokens, as [Blocks] cuts
// them: for few documents, which give an interval over blocks and none over
// themselves. Each block's group is its document's with its number behind.
func BlockGains(groups []string, start, system []Loss, size int) []Gain {
	if len(start) != len(system) || len(groups) != len(start) {
		panic(fmt.Sprintf("eval: gains of %d groups from %d and %d losses", len(groups), len(start), len(system)))
	}
	var out []Gain
	number := map[string]int{}
	for i, g := range groups {
		for _, u := range Blocks(start[i:i+1], system[i:i+1], size) {
			number[g]++
			out = append(out, Gain{Group: fmt.Sprintf("%s %d", g, number[g]), Saved: u.Saved, Tokens: u.Tokens})
		}
	}
	return out
}

// Prediction is how much better than a start a system predicts a writer.
type Prediction struct {
	System    string   `json:"system"`
	Gain      Interval `json:"gain"`      // nats per token, pooled over documents, with its interval over them
	P         float64  `json:"p"`         // one-sided, of "no better", by flipping the sign of each document's gain
	Documents []Gain   `json:"documents"` // of each
}

// Predict pools the gains of documents.
func Predict(system string, gains []Gain, rounds int, seed uint64) Prediction {
	p := Prediction{System: system, Documents: gains, Gain: nothing, P: 1}
	units := make([]Unit, len(gains))
	blocks := make([][]float64, len(gains))
	tokens := 0
	for i, g := range gains {
		units[i] = Unit{Saved: g.Saved, Tokens: g.Tokens}
		blocks[i] = []float64{g.Saved, 0}
		tokens += g.Tokens
	}
	if tokens > 0 {
		p.Gain = Bootstrap(units, 0.95, rounds, seed)
		p.P = PermuteBlocks(blocks, rounds, seed)
	}
	return p
}

// PanelGain is the mean over writers of what each gains in nats per token, so that no
// writer counts for more because there is more of them, with the interval of a
// bootstrap over writers and, within each that is drawn, over documents. A gain is of
// the writer that it names. It is not known where nothing was scored.
func PanelGain(gains []Gain, rounds int, seed uint64) Interval {
	var writers [][]Gain
	number := map[string]int{}
	for _, g := range gains {
		if g.Tokens == 0 {
			continue
		}
		n, ok := number[g.Writer]
		if !ok {
			n = len(writers)
			number[g.Writer] = n
			writers = append(writers, nil)
		}
		writers[n] = append(writers[n], g)
	}
	if len(writers) == 0 {
		return nothing
	}
	draw := func(who func(int) int, which func(n, i int) int) float64 {
		sum := 0.0
		for k := range writers {
			of := writers[who(k)]
			var saved, tokens float64
			for i := range of {
				g := of[which(len(of), i)]
				saved += g.Saved
				tokens += float64(g.Tokens)
			}
			sum += saved / tokens
		}
		return sum / float64(len(writers))
	}
	out := Interval{Mean: draw(func(k int) int { return k }, func(_, i int) int { return i })}
	rng := rand.New(rand.NewPCG(seed, 0x9a7e1))
	means := make([]float64, rounds)
	for r := range means {
		means[r] = draw(func(int) int { return rng.IntN(len(writers)) }, func(n, _ int) int { return rng.IntN(n) })
	}
	out.Low, out.High = percentile(means, 0.95)
	return out
}

// Member is one writer of a panel: what our system and a rival gain over the
// same start on the same documents.
type Member struct {
	Writer      string
	Ours, Rival []Gain
}

// Ratio is how many times as much as the rival's our gain is, over a panel.
type Ratio struct {
	Ratio     Interval `json:"ratio"`
	Ours      Interval `json:"ours"`  // mean over writers, nats per token
	Rival     Interval `json:"rival"` // mean over writers, nats per token
	Writers   int      `json:"writers"`
	Documents int      `json:"documents"`
}

// PanelRatio is the ratio of summed gains: each writer's gain in nats per token,
// summed over writers, ours over the rival's, so that no writer counts for more
// because there is more of them. The interval is that of a bootstrap over
// writers and, within each that is drawn, over documents, the same ones for both
// systems. A round in which the rival gains nothing has no ratio; it counts as
// beyond both ends of the interval. It is an error where the documents of a
// member's two systems are not the same.
func PanelRatio(members []Member, rounds int, seed uint64) (Ratio, error) {
	r := Ratio{Ratio: nothing, Ours: nothing, Rival: nothing, Writers: len(members)}
	for _, m := range members {
		if err := same(m.Ours, m.Rival); err != nil {
			return r, fmt.Errorf("compare systems on %s: %w", m.Writer, err)
		}
		if len(m.Ours) == 0 {
			return r, fmt.Errorf("compare systems on %s: there are no documents", m.Writer)
		}
		r.Documents += len(m.Ours)
	}
	if len(members) == 0 {
		return r, nil
	}
	rng := rand.New(rand.NewPCG(seed, 0x9a7e1))
	draw := func(who func(int) int, which func(n, i int) int) (ours, rival float64) {
		for k := range members {
			m := members[who(k)]
			var a, b, tokens float64
			for i := range m.Ours {
				j := which(len(m.Ours), i)
				a += m.Ours[j].Saved
				b += m.Rival[j].Saved
				tokens += float64(m.Ours[j].Tokens)
			}
			ours += a / tokens
			rival += b / tokens
		}
		return ours / float64(len(members)), rival / float64(len(members))
	}
	r.Ours.Mean, r.Rival.Mean = draw(func(k int) int { return k }, func(_, i int) int { return i })
	var all [4][]float64 // ours, rival, the ratio for its low end and for its high end
	for range rounds {
		a, b := draw(func(int) int { return rng.IntN(len(members)) }, func(n, _ int) int { return rng.IntN(n) })
		low, high := a/b, a/b
		if b <= 0 {
			low, high = math.Inf(-1), math.Inf(1)
		}
		for i, v := range []float64{a, b, low, high} {
			all[i] = append(all[i], v)
		}
	}
	r.Ours.Low, r.Ours.High = percentile(all[0], 0.95)
	r.Rival.Low, r.Rival.High = percentile(all[1], 0.95)
	if r.Rival.Mean > 0 {
		r.Ratio.Mean = r.Ours.Mean / r.Rival.Mean
		r.Ratio.Low, _ = percentile(all[2], 0.95)
		_, r.Ratio.High = percentile(all[3], 0.95)
	}
	return r, nil
}

// same says why two lists of gains are not of the same documents.
func same(a, b []Gain) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d documents and %d", len(a), len(b))
	}
	for i := range a {
		if a[i].Group != b[i].Group || a[i].Tokens != b[i].Tokens {
			return fmt.Errorf("document %d is %s with %d tokens on one side and %s with %d on the other", i, a[i].Group, a[i].Tokens, b[i].Group, b[i].Tokens)
		}
		if a[i].Tokens == 0 {
			return fmt.Errorf("document %d, %s, has no tokens that count", i, a[i].Group)
		}
	}
	return nil
}
