package compare

import (
	"bytes"
	_ "embed" // the page
	"fmt"

	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/twin/report"
)

//go:embed page.html
var pageText string

var pageTemplate = report.Page(pageText)

// page is what the template shows.
type page struct {
	Title, Subtitle string
	Names           []Name
	Groups          []Group
	Charts          []report.Chart
	Tried           []triedRow
	Curve           []curveRow
	Notes           []string
}

type triedRow struct {
	Name                           Name
	Setting, Loss, Epoch, Training string
	Taken                          bool
}

type curveRow struct {
	Words, Method, Gain, Over, Training string
}

// class is the colour of a method in a picture.
func class(n Name) string {
	switch n {
	case Base, Examples:
		return "base"
	case LoRA, LoRAExamples:
		return "twin"
	}
	return "other"
}

// HTML is the comparison as a page that needs nothing else: no script, no font,
// no picture from elsewhere.
func (r *Comparison) HTML() ([]byte, error) {
	p := page{Title: r.Title(), Subtitle: r.Subtitle(), Groups: r.Groups(), Notes: r.Notes()}
	var gain, over []report.Figure
	for i := range r.Methods {
		m := &r.Methods[i]
		p.Names = append(p.Names, m.Name)
		if m.Name != Base {
			gain = append(gain, report.Figure{Label: string(m.Name), Class: class(m.Name), Of: m.Likeness.Gain})
			if w := m.Likeness.WithExamples; w != nil {
				gain = append(gain, report.Figure{Label: string(m.Name) + " with examples", Class: class(m.Name), Of: *w})
			}
		}
		if m.Name.Trains() != "" {
			over = append(over, report.Figure{Label: string(m.Name), Class: class(m.Name), Of: m.Likeness.Over})
		}
		for k, t := range m.Tried {
			if m.Name == LoRAExamples && t.Kind == Rate && r.has(LoRA) {
				continue // they are those of the adapter
			}
			row := triedRow{Name: m.Name, Setting: t.Setting, Loss: fmt.Sprintf("%.3f", t.Loss), Epoch: "–", Training: "–", Taken: m.best(k)}
			if t.Epoch > 0 {
				row.Epoch, row.Training = fmt.Sprint(t.Epoch), span(t.Seconds)
			}
			p.Tried = append(p.Tried, row)
		}
	}
	p.Charts = append(p.Charts, report.NewChart("Gain over the bare base", "nats a token", 3, gain))
	if len(over) > 0 {
		p.Charts = append(p.Charts, report.NewChart("Gain over examples in the prompt", "nats a token", 3, over))
	}
	for _, x := range r.Curve {
		training := span(x.Seconds)
		if x.Name.Trains() == "" {
			training = "–"
		}
		p.Curve = append(p.Curve, curveRow{term.Count(x.Words), string(x.Name), interval(x.Gain), interval(x.Over), training})
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("draw the comparison: %w", err)
	}
	return b.Bytes(), nil
}

// best says whether a setting is the first that no other of its kind does better than.
func (m *Method) best(k int) bool {
	for i, t := range m.Tried {
		if of := m.Tried[k]; t.Kind == of.Kind && (t.Loss < of.Loss || t.Loss == of.Loss && i < k) {
			return false
		}
	}
	return true
}
