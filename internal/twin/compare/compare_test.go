package compare

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/getstroke/stroke/internal/eval"
)

func at(words int, low float64) Point {
	return Point{Words: words, Name: LoRA, Over: eval.Interval{Mean: low + 0.1, Low: low, High: low + 0.2}}
}

// TestNeeds holds that an amount counts only if every larger one beats examples
// too, and only beyond chance; one at which the training was lost does not.
func TestNeeds(t *testing.T) {
	for want, points := range map[int][]Point{
		0:    {at(500, -0.01), at(1000, 0)},
		1000: {at(500, -0.01), at(1000, 0.01), at(2000, 0.02)},
		4000: {at(500, 0.2), at(1000, -0.01), at(2000, math.NaN()), at(4000, 0.01)},
		500:  {at(500, 0.2), {Words: 500, Name: Full, Over: eval.Interval{Low: -1}}, at(1000, 0.1)},
	} {
		if got := Needs(points, LoRA, 0); got != want {
			t.Errorf("%v: %d words, not %d", points, got, want)
		}
	}
	won := []Point{at(500, 0.1), at(1000, 0.1), at(4000, 0.1)}
	for lost, want := range map[int]int{0: 500, 500: 1000, 2000: 4000} {
		if got := Needs(won, LoRA, lost); got != want {
			t.Errorf("with the training at %d words lost: %d words, not %d", lost, got, want)
		}
	}
}

// sample is a comparison with much that is not known.
func sample() *Comparison {
	nothing := eval.Interval{Mean: math.NaN(), Low: math.NaN(), High: math.NaN()}
	r := &Comparison{Writer: "A <b> & c", Made: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Program: "v1", Machine: Machine{"", "linux/amd64", "go", 1}, Base: "toy", Bytes: 1e6,
		Words: Words{1000, 100, 200}, Tokens: 300, Loss: 3.5, Units: 3, Unit: "blocks", Settings: 2}
	for _, n := range Names() {
		m := Method{Name: n, Setting: "rate 0.1 | 2", Likeness: Likeness{Gain: eval.Interval{Mean: 0.1, Low: -0.05, High: 0.2}, Over: nothing}}
		if n.Trains() != "" {
			m.Takes = Takes{Seconds: 100, Choosing: 300, Processor: 20, Memory: 1e9, Planned: true, Parameters: 4_400_000}
			m.Tried = []Tried{{Rate, "rate 0.1", 3.2, 1, 100}, {Rate, "rate 0.2", 3.1, 2, 200}}
		}
		r.Methods = append(r.Methods, m)
	}
	r.LeftOut = []LeftOut{{Full, "it takes too much", "close other programs"}}
	return r
}

// TestUnknown holds that what nobody can tell is called that, in every form.
func TestUnknown(t *testing.T) {
	r := sample()
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	md := r.Markdown()
	for name, text := range map[string]string{"Markdown": md, "the page": string(page)} {
		for _, want := range []string{"not known", "does not tell what energy it uses", "not measured", "1.0 GB (planned)", "4.4 million", "had 20 % of the processor", "close other programs", "nothing is proven"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
		for _, bad := range []string{"NaN", "<b>", "<script"} {
			if name == "the page" && strings.Contains(text, bad) || bad == "NaN" && strings.Contains(text, bad) {
				t.Errorf("%s has %q", name, bad)
			}
		}
	}
	if !strings.Contains(md, `rate 0.1 \| 2`) {
		t.Error("a bar in a cell is not escaped")
	}
	columns := 0
	for l := range strings.Lines(md) {
		if strings.HasPrefix(l, "|") {
			n := strings.Count(strings.ReplaceAll(l, `\|`, ""), "|")
			if columns == 0 {
				columns = n
			}
			if n != columns {
				t.Errorf("%d bars where there are %d above: %q", n, columns, l)
			}
		}
	}
	for _, table := range r.Tables() {
		for _, row := range table.Rows {
			if len(row) != len(table.Heading) {
				t.Errorf("%d cells under %d headings: %v", len(row), len(table.Heading), row)
			}
		}
	}
	// The rows are found by their place.
	if g := r.Groups(); g[0].Rows[8].Label != "one more article" || g[0].Rows[7].Label != "words needed to beat examples" || g[1].Rows[5].Label != "memory while writing" || g[1].Rows[3].Label != "writes, tokens a second" {
		t.Errorf("rows moved: %+v", g)
	}
}

// TestKnown holds that energy and its price come out where they are known.
func TestKnown(t *testing.T) {
	r := sample()
	wh, money := 2.5, 0.00075
	r.Price, r.Watts = &Price{0.3, "EUR"}, 90
	for i := range r.Methods {
		r.Methods[i].Takes.WattHours, r.Methods[i].Takes.Money = &wh, &money
	}
	text := r.Markdown()
	for _, want := range []string{"2.5 Wh", "0.00075 EUR", "90 watts, as given"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

// TestSayTried demands that rates and amounts of passages are said apart, each only of
// methods that had several of them.
func TestSayTried(t *testing.T) {
	of := func(rates, amounts int) (list []Tried) {
		for range rates {
			list = append(list, Tried{Kind: Rate, Setting: "rate 0.1", Loss: 3, Epoch: 1})
		}
		for k := range amounts {
			list = append(list, Tried{Kind: Passages, Setting: "some tokens of passages", Loss: 3 - float64(k)})
		}
		return list
	}
	r := &Comparison{Methods: []Method{{Name: Examples, Tried: of(0, 2)}, {Name: LoRA, Tried: of(3, 0)}, {Name: LoRAExamples, Tried: of(3, 3)}, {Name: Partial, Tried: of(1, 0)}}}
	if s := r.sayTried(); !strings.HasPrefix(s, "Settings that were tried: of learning rates 3 of lora; of amounts of passages 2 of examples, 3 of lora+examples; everything else") {
		t.Errorf("said %q", s)
	}
	page, err := r.HTML()
	if n := strings.Count(string(page), "some tokens of passages"); err != nil || n != 5 {
		t.Errorf("the page has %d amounts of passages, %v", n, err)
	}
	r.Methods = r.Methods[2:]
	if s := r.sayTried(); !strings.Contains(s, "3 of lora+examples; of amounts of passages 3 of lora+examples;") {
		t.Errorf("said %q", s)
	}
	r.Methods = []Method{{Name: Examples, Tried: of(0, 1)}, {Name: LoRAExamples, Tried: of(1, 1)}}
	if s := r.sayTried(); !strings.Contains(s, "One setting of each method") {
		t.Errorf("said %q", s)
	}
}

// TestChoosing demands that what the choice of passages took is shown.
func TestChoosing(t *testing.T) {
	r := sample()
	r.Methods[1].Takes = Takes{Seconds: 0.5, Choosing: 80}
	if row := r.Groups()[0].Rows[1]; row.Label != "with the choice of settings" || row.Cells[0] != "–" || row.Cells[1] != span(80) {
		t.Errorf("the row is %+v", row)
	}
}

// TestOthers demands that figures of another version are called that, with the days
// on which they were measured.
func TestOthers(t *testing.T) {
	r := sample()
	for i, v := range []string{"v1", "v0", "v0"} {
		r.Parts = append(r.Parts, Part{Name: LoRA, Doing: "train", Setting: []string{"1 times", "2 times", "400 words"}[i], Made: r.Made.AddDate(0, 0, -i), Program: v})
	}
	if s := r.Subtitle(); !strings.HasSuffix(s, "by Stroke v1 from 22 November 2026 to 24 November 2026.") {
		t.Errorf("said %q", s)
	}
	const want = "Kept as Stroke v0 measured it, with that version's speed: the training of lora, 2 times (23 November 2026); the training of lora, 400 words (22 November 2026); --afresh"
	if s := strings.Join(r.others(), "\n"); !strings.HasPrefix(s, want) || strings.Count(s, "Kept") != 1 {
		t.Errorf("said %q", s)
	}
	r.Parts = r.Parts[:1]
	if s := r.others(); s != nil || !strings.HasSuffix(r.Subtitle(), "on 24 November 2026.") {
		t.Errorf("said %q and %q", s, r.Subtitle())
	}
}
