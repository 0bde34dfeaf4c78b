package eval

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// uniform demands that p-values are as uniform as chance allows: the largest gap
// between their distribution and the even one (Kolmogorov and Smirnov).
func uniform(t *testing.T, what string, ps []float64) {
	t.Helper()
	slices.Sort(ps)
	gap := 0.0
	for i, p := range ps {
		gap = max(gap, math.Abs(p-float64(i+1)/float64(len(ps))))
	}
	if limit := 1.63 / math.Sqrt(float64(len(ps))); gap > limit {
		t.Errorf("%s: the p-values are %.3f from uniform, where %.3f is the limit at 1 %%", what, gap, limit)
	}
}

// TestPermuteBlocks draws blocks without a difference, whose documents are
// harder and easier for all systems alike, and blocks with one.
func TestPermuteBlocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for _, size := range []int{2, 4} {
		var null, real []float64
		for range 400 {
			blocks := make([][]float64, 12)
			for i := range blocks {
				doc := 50 * rng.NormFloat64()
				for range size {
					blocks[i] = append(blocks[i], doc+10*rng.NormFloat64())
				}
			}
			null = append(null, PermuteBlocks(blocks, 400, rng.Uint64()))
			for i := range blocks {
				blocks[i][0] += 15
			}
			real = append(real, PermuteBlocks(blocks, 400, rng.Uint64()))
		}
		uniform(t, fmt.Sprintf("%d in a block", size), null)
		found := 0
		for _, p := range real {
			if p < 0.05 {
				found++
			}
		}
		if found < 360 {
			t.Errorf("%d in a block: a difference of 1.5 deviations was found in %d of 400 trials", size, found)
		}
	}
	if p := PermuteBlocks([][]float64{{5}, {}}, 100, 1); p != 1 {
		t.Errorf("blocks of one give p %g", p)
	}
	if p := PermuteBlocks([][]float64{{math.NaN(), 1}}, 100, 1); p != 1 {
		t.Errorf("what is no number gives p %g", p)
	}
}

// TestProportionCovers draws shares, also near 1, of samples in groups that are
// alike or not.
func TestProportionCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for _, truth := range []float64{0.5, 0.8, 0.95} {
		for _, alike := range []float64{0, 0.6} {
			in := 0
			for range 400 {
				var samples []Sample
				for g := range 20 {
					common := rng.Float64() < truth
					for range 3 {
						x := rng.Float64() < truth
						if rng.Float64() < alike {
							x = common
						}
						s := Sample{Group: fmt.Sprint(g)}
						if x {
							s.Value = 1
						}
						samples = append(samples, s)
					}
				}
				i := Proportion(samples)
				if i.Low < 0 || i.High > 1 || i.Low > i.Mean || i.High < i.Mean {
					t.Fatalf("the interval is %+v", i)
				}
				if i.Low <= truth && truth <= i.High {
					in++
				}
			}
			if share := float64(in) / 400; share < 0.89 {
				t.Errorf("truth %.2f, alike %.1f: the interval holds it in %.3f of the trials", truth, alike, share)
			}
		}
	}
	if i := Proportion([]Sample{{"a", 1}, {"b", 1}, {"c", 1}}); i.Mean != 1 || i.High != 1 || i.Low > 0.5 {
		t.Errorf("three of three give %+v", i)
	}
	if i := Proportion(nil); i.Known() {
		t.Errorf("nothing gives %+v", i)
	}
}

// TestBootstrapOfFew gives units without a gain to the bounds of several verdicts: what
// passes by chance is no more than each may let through, however few units there are.
func TestBootstrapOfFew(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	const trials = 3000
	for _, n := range []int{8, 12} {
		for _, tail := range []float64{0.025, 0.05 / 12, 0.05 / 42} {
			passed := 0
			for range trials {
				units := make([]Unit, n)
				for i := range units {
					units[i] = Unit{Saved: rng.NormFloat64(), Tokens: 1}
				}
				if Bootstrap(units, 1-2*tail, 2000, rng.Uint64()).Low > 0 {
					passed++
				}
			}
			if limit := trials*tail + 3.3*math.Sqrt(trials*tail) + 1; float64(passed) > limit {
				t.Errorf("%d units at %.4f: %d of %d without a gain pass, where chance allows %.0f", n, tail, passed, trials, limit)
			}
		}
	}
	// Levels beyond what the draws reach are kept too: the bounds of many units lie where
	// those of a normal distribution do.
	units := make([]Unit, 400)
	mean, square := 0.0, 0.0
	for i := range units {
		x := rng.NormFloat64()
		units[i] = Unit{Saved: x, Tokens: 1}
		mean, square = mean+x/400, square+x*x/400
	}
	spread := math.Sqrt((square - mean*mean) / 399)
	for _, tail := range []float64{0.025, 0.05 / 110, 0.05 / 1056, 0.05 / 1e6} {
		i := Bootstrap(units, 1-2*tail, 20000, 1)
		want := studentQuantile(tail, 399) * spread
		if low, high := i.Mean-i.Low, i.High-i.Mean; math.Abs(low/want-1) > 0.1 || math.Abs(high/want-1) > 0.1 {
			t.Errorf("at a tail of %.3g the bounds lie %.4f and %.4f from the mean, and should %.4f", tail, low, high, want)
		}
	}
	if i := Bootstrap(nil, 0.95, 10, 1); i.Known() {
		t.Errorf("of no units: %+v", i)
	}
	if i := Bootstrap([]Unit{{Saved: 3, Tokens: 2}}, 0.95, 10, 1); i != (Interval{1.5, 1.5, 1.5}) {
		t.Errorf("of one unit: %+v", i)
	}
	for freedom, want := range map[int]float64{1: 12.7062, 7: 2.3646, 30: 2.0423} {
		if got := studentQuantile(0.025, freedom); math.Abs(got-want) > 1e-4 {
			t.Errorf("t of %d degrees is %.5f, want %.4f", freedom, got, want)
		}
	}
}

func TestIntervalJSON(t *testing.T) {
	for _, c := range []struct {
		in   Interval
		want string
	}{
		{Interval{0.5, 0.25, 0.75}, `{"mean":0.5,"low":0.25,"high":0.75}`},
		{Interval{2, 1, math.Inf(1)}, `{"mean":2,"low":1,"high":null}`},
		{nothing, `{"mean":null,"low":null,"high":null}`},
	} {
		b, err := json.Marshal(c.in)
		if err != nil || string(b) != c.want {
			t.Errorf("%+v is written as %s (%v)", c.in, b, err)
		}
		var back Interval
		if err := json.Unmarshal(b, &back); err != nil || back.Known() != c.in.Known() || back.Known() && back != c.in {
			t.Errorf("%s is read as %+v (%v)", b, back, err)
		}
	}
}

// drawn makes a panel whose writers and documents are drawn anew each time.
func drawn(rng *rand.Rand, writers int, ours, rival float64) []Member {
	var out []Member
	for w := range writers {
		m := Member{Writer: fmt.Sprint(w)}
		apt := 1 + 0.3*rng.NormFloat64() // how much there is to be learnt of a writer
		for d := range 12 {
			n := 200 + rng.IntN(300)
			gain := func(mean float64) Gain {
				return Gain{Group: fmt.Sprint(w, d), Tokens: n, Saved: float64(n) * (mean*apt + 0.03*rng.NormFloat64())}
			}
			m.Ours = append(m.Ours, gain(ours))
			m.Rival = append(m.Rival, gain(rival))
		}
		out = append(out, m)
	}
	return out
}

func TestPanelRatio(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	in, above := 0, 0
	for range 300 {
		r, err := PanelRatio(drawn(rng, 10, 0.10, 0.08), 300, rng.Uint64())
		if err != nil {
			t.Fatal(err)
		}
		if r.Ratio.Low <= 1.25 && 1.25 <= r.Ratio.High {
			in++
		}
		if r.Ratio.Low > 1 {
			above++
		}
		if r.Writers != 10 || r.Documents != 120 {
			t.Fatalf("%+v", r)
		}
	}
	if share := float64(in) / 300; share < 0.87 || share > 0.995 {
		t.Errorf("the interval holds the ratio in %.3f of the trials where 0.95 is stated", share)
	}
	if above < 270 {
		t.Errorf("a ratio of 1.25 was told from 1 in %d of 300 trials", above)
	}

	// Every writer has the same weight, whatever the length of their documents.
	long := []Member{
		{"a", []Gain{{Group: "1", Saved: 200, Tokens: 1000}}, []Gain{{Group: "1", Saved: 100, Tokens: 1000}}},
		{"b", []Gain{{Group: "2", Saved: 1, Tokens: 10}}, []Gain{{Group: "2", Saved: 1, Tokens: 10}}},
	}
	r, err := PanelRatio(long, 100, 1)
	if err != nil || math.Abs(r.Ratio.Mean-1.5) > 1e-12 || math.Abs(r.Ours.Mean-0.15) > 1e-12 {
		t.Errorf("%+v, %v", r, err)
	}
	// A rival that gains nothing, or may.
	long[0].Rival[0].Saved, long[1].Rival[0].Saved = -1, 0
	if r, err := PanelRatio(long, 100, 1); err != nil || r.Ratio.Known() {
		t.Errorf("against a rival that loses the ratio is %+v, %v", r.Ratio, err)
	}
	long[1].Rival[0].Saved = 1
	if r, err := PanelRatio(long, 100, 1); err != nil || !math.IsInf(r.Ratio.High, 1) || !math.IsInf(r.Ratio.Low, -1) {
		t.Errorf("against a rival that may lose the ratio is %+v, %v", r.Ratio, err)
	}
	long[0].Rival[0].Group = "another"
	if _, err := PanelRatio(long, 100, 1); err == nil {
		t.Error("systems on different documents are compared")
	}
	if _, err := PanelRatio([]Member{{Writer: "a"}}, 100, 1); err == nil {
		t.Error("a writer without documents is compared")
	}
}

// TestPanelGain draws writers that differ, as a panel is meant to stand for others: the
// interval holds the mean over all of them, and is that of the panel's ratio.
func TestPanelGain(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 9))
	in := 0
	for range 300 {
		var gains []Gain
		members := drawn(rng, 10, 0.10, 0.08)
		for _, m := range members {
			for _, g := range m.Ours {
				g.Writer = m.Writer
				gains = append(gains, g)
			}
		}
		seed := rng.Uint64()
		i := PanelGain(gains, 300, seed)
		if i.Low <= 0.10 && 0.10 <= i.High {
			in++
		}
		if r, err := PanelRatio(members, 300, seed); err != nil || r.Ours != i {
			t.Fatalf("%+v, and in a ratio %+v (%v)", i, r.Ours, err)
		}
	}
	if share := float64(in) / 300; share < 0.85 || share > 0.99 {
		t.Errorf("the interval holds the gain in %.3f of the trials where 0.95 is stated", share)
	}
	// A writer of whom there is much counts as one, and an empty document as none.
	few := []Gain{{Writer: "a", Saved: 200, Tokens: 1000}, {Writer: "b", Saved: 1, Tokens: 10}, {Writer: "b", Saved: 9}}
	if i := PanelGain(few, 100, 1); math.Abs(i.Mean-0.15) > 1e-12 {
		t.Errorf("of 0.2 and 0.1 the mean is %g", i.Mean)
	}
	if i := PanelGain(few[2:], 100, 1); i.Known() {
		t.Errorf("of nothing %+v", i)
	}
}

// TestSpecify draws controls around a mean: the interval is of the gain over
// that mean, not over the controls that happen to be there.
func TestSpecify(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 10))
	gains := func(mean float64, hard []float64) []Gain {
		var out []Gain
		for i, h := range hard {
			out = append(out, Gain{Group: fmt.Sprint(i), Tokens: 300, Saved: 300 * (mean + h + 0.02*rng.NormFloat64())})
		}
		return out
	}
	in := 0
	var null []float64
	for range 300 {
		hard := make([]float64, 12)
		for i := range hard {
			hard[i] = 0.05 * rng.NormFloat64()
		}
		var controls, same []Control
		for c := range 6 {
			controls = append(controls, Control{fmt.Sprint(c), gains(0.06+0.02*rng.NormFloat64(), hard)})
			same = append(same, Control{fmt.Sprint(c), gains(0.1, hard)})
		}
		own := gains(0.1, hard)
		s, err := Specify(own, controls, 300, rng.Uint64())
		if err != nil {
			t.Fatal(err)
		}
		if s.Gain.Low <= 0.04 && 0.04 <= s.Gain.High {
			in++
		}
		if s, err = Specify(own, same, 300, rng.Uint64()); err != nil {
			t.Fatal(err)
		}
		null = append(null, s.P)
	}
	if share := float64(in) / 300; share < 0.85 || share > 0.995 {
		t.Errorf("the interval holds the truth in %.3f of the trials where 0.95 is stated", share)
	}
	uniform(t, "controls as good as the twin", null)

	own := gains(0.1, make([]float64, 5))
	s, err := Specify(own, []Control{{"itself", own}}, 100, 1)
	if err != nil || s.Gain != (Interval{}) || s.P != 1 || s.Better != 0 {
		t.Errorf("against itself: %+v, %v", s, err)
	}
	s, err = Specify(own, []Control{{"weak", gains(0, make([]float64, 5))}, {"strong", gains(0.3, make([]float64, 5))}}, 100, 1)
	if err != nil || s.Better != 1 || len(s.Controls) != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := Specify(own, nil, 100, 1); err == nil {
		t.Error("specificity without controls")
	}
	if _, err := Specify(own, []Control{{"short", own[:2]}}, 100, 1); err == nil {
		t.Error("a control on other documents is taken")
	}
}

func TestPredict(t *testing.T) {
	loss := func(nats float64, n int) Loss { return Loss{Nats: nats, Tokens: n} }
	// Two pieces of one document are one.
	g := Gains([]string{"a", "b", "a"}, []Loss{loss(300, 100), loss(90, 30), loss(60, 20)}, []Loss{loss(280, 100), loss(93, 30), loss(58, 20)})
	if len(g) != 2 || g[0].Saved != 22 || g[0].Tokens != 120 || g[1].Saved != -3 {
		t.Fatalf("%+v", g)
	}
	p := Predict("adapter", g, 1000, 1)
	if math.Abs(p.Gain.Mean-19.0/150) > 1e-12 || p.Gain.Low > -0.09 || p.Gain.High < 0.18 || p.P < 0.2 {
		t.Errorf("%+v", p)
	}
	each := make([]float32, 450)
	for i := range each {
		each[i] = 1
	}
	b := BlockGains([]string{"a", "b"}, []Loss{{Each: each}, {Each: each[:30]}}, []Loss{{Each: make([]float32, 450)}, {Each: each[:30]}}, 200)
	if len(b) != 3 || b[0].Group != "a 1" || b[1].Saved != 225 || b[2].Group != "b 1" || b[2].Saved != 0 || b[2].Tokens != 30 {
		t.Errorf("%+v", b)
	}
	if p := Predict("adapter", nil, 100, 1); p.Gain.Known() || p.P != 1 {
		t.Errorf("of nothing: %+v", p)
	}
}

func TestJudgeThought(t *testing.T) {
	var choices []Choice
	var twin, yard []float64
	for i := range 40 {
		choices = append(choices, Choice{Kind: "order", Group: fmt.Sprint(i / 2)}, Choice{Kind: "stance", Group: fmt.Sprint(i / 2)})
		// Of order the twin knows something in three of four; of stance nothing.
		d := 2.0
		if i%4 == 0 {
			d = -1
		}
		twin = append(twin, 5+d, -3)
		yard = append(yard, 5, -3)
	}
	out := JudgeThought(choices, twin, yard, 1000, 1)
	if len(out) != 2 || out[0].Kind != "order" || out[1].Kind != "stance" {
		t.Fatalf("%+v", out)
	}
	o, s := out[0], out[1]
	if o.Shift.Mean != 1.25 || o.Accuracy.Mean != 0.75 || o.Twin.Mean != 1 || o.Yardstick.Mean != 1 || o.P > 0.01 || o.Pairs != 40 || o.Documents != 20 {
		t.Errorf("order: %+v", o)
	}
	if o.Accuracy.Low <= 0.5 || o.Accuracy.Low >= 0.75 {
		t.Errorf("order: the interval is %+v", o.Accuracy)
	}
	if s.Shift.Mean != 0 || s.Accuracy.Mean != 0.5 || s.Twin.Mean != 0 || s.P != 1 {
		t.Errorf("stance: %+v", s)
	}
	if out := JudgeThought(nil, nil, nil, 10, 1); len(out) != 0 {
		t.Errorf("of nothing: %+v", out)
	}

	// Without a difference the p-values are uniform.
	rng := rand.New(rand.NewPCG(11, 11))
	var null []float64
	for range 300 {
		for i := range twin {
			twin[i], yard[i] = rng.NormFloat64(), rng.NormFloat64()
		}
		null = append(null, JudgeThought(choices, twin, yard, 300, rng.Uint64())[0].P)
	}
	uniform(t, "thought", null)
}

func TestSignTest(t *testing.T) {
	for _, c := range []struct {
		wins, losses int
		want         float64
	}{{0, 0, 1}, {1, 0, 0.5}, {5, 0, 1.0 / 32}, {15, 5, 0.020695}, {10, 10, 0.588099}, {0, 7, 1}} {
		if p := SignTest(c.wins, c.losses); math.Abs(p-c.want) > 1e-6 {
			t.Errorf("%d of %d: %g, want %g", c.wins, c.wins+c.losses, p, c.want)
		}
	}
}
