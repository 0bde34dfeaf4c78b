package report

import (
	"bytes"
	_ "embed" // the page
	"fmt"
	"html/template"
	"strings"

	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/likeness"
)

//go:embed page.html
var pageText string

//go:embed parts.html
var partsText string

var pageTemplate = Page(pageText)

// Page makes the template of a page. In its text stand the parts "head", which
// all pages share, and "chart", of what [NewChart] gives. It panics where the
// text is no template.
func Page(text string) *template.Template {
	return template.Must(template.Must(template.New("page").Parse(partsText)).Parse(text))
}

// page is what the template shows.
type page struct {
	Title, Subtitle string
	Lines           []Line
	Sections        []section
	Unsaid          []Unsaid
	Versions        []versionRow
}

// section is one part of the page.
type section struct {
	ID, Heading string
	Text        []string // paragraphs before the pictures
	Plot        *plot
	Charts      []*chart
	Habits      []habit
	Passages    []shownPassage
	Runs        []likeness.Run
	Leaks       []likeness.Leak
	Fooled      string // how the measure is fooled
}

type shownPassage struct {
	Opening         string
	Own, Twin, Base template.HTML
}

type versionRow struct {
	ID, Made, Words, State string
}

// HTML is the report as a page that needs nothing else: no script, no font, no
// picture from elsewhere.
func (r *Report) HTML() ([]byte, error) {
	p := page{Title: r.Title(), Subtitle: r.Subtitle(), Lines: r.Lines(), Unsaid: r.Unsaid}
	for i, l := range p.Lines {
		p.Lines[i].Answer = whole(strings.ToUpper(l.Answer[:1]) + l.Answer[1:])
	}
	for _, s := range []*section{r.pagePrediction(), r.pageRecognition(), r.pageRange(), r.pagePassages(), r.pageLeakage(), r.pageThought(), r.pageForgetting(), r.pageRewriting(), r.pageCurve(), r.pageBlind(), r.pageVersions()} {
		if s != nil {
			for i := range s.Text {
				s.Text[i] = whole(s.Text[i])
			}
			p.Sections = append(p.Sections, *s)
		}
	}
	for _, v := range r.Versions {
		row := versionRow{v.ID, v.Made.Format("2 January 2006"), count(v.Words), "kept"}
		if v.Live {
			row.State = "live"
		}
		if v.ID == r.Version {
			row.State += ", this one"
		}
		p.Versions = append(p.Versions, row)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("draw the report: %w", err)
	}
	return b.Bytes(), nil
}

// whole keeps numbers and their percent signs on one line.
func whole(s string) string { return strings.ReplaceAll(s, " %", "\u00a0%") }

// of makes a figure of the engine's measures.
func of(label, class string, i eval.Interval) figure {
	return figure{label, class, i.Mean, i.Low, i.High}
}

// ofText makes a figure of the measures on text.
func ofText(label, class string, i likeness.Interval) figure {
	return figure{label, class, i.Value, i.Low, i.High}
}

func (r *Report) pagePrediction() *section {
	if r.Prediction == nil && r.Specificity == nil {
		return nil
	}
	s := &section{ID: "prediction", Heading: "Does it know how you go on?",
		Fooled: "Any prose makes a base that was tuned for chat better at prose: most of the plain gain is not you. What adapters of other writers gain is therefore taken off, where some are here."}
	if p := r.Prediction; p != nil {
		seen := " that training never saw"
		if r.Learnt != "" {
			seen = ", some of which " + r.Learnt + " had learnt,"
		}
		s.Text = append(s.Text, fmt.Sprintf("By how many nats a token each way of asking is less surprised by %s tokens of yours%s than the bare base is, which needs %.3f. Lines are 95 %% intervals over %s.",
			count(p.Tokens), seen, p.Base, p.Unit))
		s.Charts = append(s.Charts, figures("Gain over the bare base", "nats a token", 3, fromZero, []figure{
			of("your passages in the prompt", "base", p.Examples.Gain), of("the twin without them", "twin", p.Adapter.Gain), of("the twin with them", "twin", p.Both.Gain)}))
	}
	if c := r.Specificity; c != nil && c.Gain.Known() {
		list := []figure{of("the twin, less the mean of the others", "twin", c.Gain)}
		for _, x := range c.Controls {
			list = append(list, of(x.Name, "base", x.Gain))
		}
		if r.Level > 0.95 {
			s.Text = append(s.Text, fmt.Sprintf("Against adapters of other writers the twin's line is an interval of %s, since the same text had judged before.", eval.LevelText(r.Level)))
		}
		s.Charts = append(s.Charts, figures("Is that you, or what any prose would give? What adapters of other writers gain on your text", "nats a token", 3, fromZero, list))
	}
	return s
}

func (r *Report) pageRecognition() *section {
	c := r.Recognition
	if c == nil {
		return nil
	}
	s := &section{ID: "recognition", Heading: "Would it be taken for you?",
		Fooled: "By caricature, by copying (read leakage beside it), and by a stranger of your kind whom the reference tables do not hold. It looks at function words and runs of characters and knows nothing of sense."}
	s.Text = append(s.Text, fmt.Sprintf("A model that learnt to tell %d writers apart, you and the bare base among them, was shown %s of %d words by the twin. Of your own passages that it had never seen it knew %s, and it took %s of other writers' for yours.",
		c.Accuracy.Classes, some(c.Passages, "passage", "passages"), likeness.Unit, percent(c.Accuracy.Writer.Value), percent(c.Accuracy.Others.Value)))
	if !c.Claim {
		s.Text = append(s.Text, "Nothing is claimed: "+c.Why+".")
		return s
	}
	s.Charts = append(s.Charts, figures("0 is the bare base, 1 is you", "", 2, between, []figure{
		ofText("taken for you", "twin", c.Value), ofText("leaning to you", "twin", c.Lean)}))
	var taken []figure
	for _, t := range c.Taken[:min(6, len(c.Taken))] {
		taken = append(taken, figure{t.Name, map[string]string{"writer": "writer", "base": "base"}[t.ID], t.Share, t.Share, t.Share})
	}
	s.Charts = append(s.Charts, figures("For whom its passages were taken", "share", 2, shares, taken))
	return s
}

func (r *Report) pageRange() *section {
	g := r.Range
	if g == nil || g.Range.Twin == nil {
		return nil
	}
	s := &section{ID: "range", Heading: "Does it vary as you do?", Habits: g.habits(),
		Fooled: "Noise spreads well: look at distance too. A mixture of two wrong habits can have the right average. Rules see no irony and no metaphor."}
	if g.Monotone {
		s.Text = append(s.Text, "The twin is monotone: "+g.Why+".")
	}
	s.Text = append(s.Text, "Each picture is one habit: how often you do each thing, and how often twin and base do when they go on from your openings. Your other pieces are the floor of the distance: nothing can be asked to be nearer to you than you are.")
	s.Charts = append(s.Charts,
		figures("Distance of all habits from yours (0 is the same, 1 has nothing in common)", "", 3, fromZero, []figure{
			ofText("the bare base", "base", g.Base.Distance), ofText("the twin", "twin", g.Range.Twin.Distance), ofText("your other pieces", "writer", g.Own.Distance)}),
		figures("Spread, as a multiple of yours", "", 2, aroundIt, []figure{
			ofText("the bare base", "base", g.Base.Spread), ofText("the twin", "twin", g.Range.Twin.Spread), ofText("your other pieces", "writer", g.Own.Spread)}),
		figures("Runs of four words that a text has had before", "share", 3, fromZero, []figure{
			ofText("the bare base", "base", g.Repetition[likeness.OfBase].Within), ofText("the twin", "twin", g.Repetition[likeness.OfTwin].Within), ofText("your other pieces", "writer", g.Repetition[likeness.OfOwn].Within)}))
	return s
}

func (r *Report) pagePassages() *section {
	p := r.Passages
	if p == nil || len(p.Shown) == 0 {
		return nil
	}
	s := &section{ID: "passages", Heading: "Side by side",
		Text:   []string{"Each goes on from the same opening of yours, to the same length. Marked are words that you use much more than English does, turns that you use in several pieces and the base does not, and long runs that stand in your train text."},
		Fooled: "Marks are for the eye. A word that is yours can stand where you would never put it."}
	if on := r.Rests["passages"]; on != "" {
		s.Text[0] += " (" + strings.ToUpper(on[:1]) + on[1:] + ".)"
	}
	s.Charts = append(s.Charts, figures("Marks in a hundred words, long runs apart", "", 1, fromZero, []figure{
		ofText("you", "writer", p.Own), ofText("the twin", "twin", p.Twin), ofText("the bare base", "base", p.Base)}))
	for _, x := range p.Shown {
		s.Passages = append(s.Passages, shownPassage{x.Opening, x.Own.markup(), x.Twin.markup(), x.Base.markup()})
	}
	return s
}

func (r *Report) pageLeakage() *section {
	l := r.Leakage
	if l == nil || l.Twin.Words == 0 {
		return nil
	}
	s := &section{ID: "leakage", Heading: "Does it copy you?", Runs: l.Runs[:min(8, len(l.Runs))], Leaks: l.Leaks[:min(20, len(l.Leaks))],
		Fooled: "By paraphrase: a word changed in every seven breaks all long runs. A twin gives away in a thousand texts what it did not in these."}
	text := fmt.Sprintf("Shares of the words that stand in runs of %d words or more from the train text. Writers repeat themselves and quote; what counts is what the twin has above your other pieces.", likeness.LongRun)
	if l.Copier {
		text = "The twin is a copier: " + l.Why + ". " + text
	}
	s.Text = append(s.Text, text)
	s.Charts = append(s.Charts, figures("Words in long runs from your train text", "share", 3, fromZero, []figure{
		ofText("the bare base", "base", l.Base.Share), ofText("the twin", "twin", l.Twin.Share), ofText("your other pieces", "writer", l.Own.Share)}))
	return s
}

func (r *Report) pageThought() *section {
	if r.Thought == nil || len(r.Thought.Kinds) == 0 {
		return nil
	}
	s := &section{ID: "thought", Heading: "Does it think as you do?",
		Text: []string{"Shown how a piece of yours goes on, and another passage beside it, does the twin lean more to yours than " + r.Yardstick() + " does? Each row says what the other passage was. One half is what chance would give."},
		Fooled: "A twin that likes your sound leans to you without any thought where the other passage is by somebody else. Your own passages from elsewhere lean against it, since they cost more out of their place and leave more to be saved. Turned sentences are rarer turns, which is why the yardstick's leaning is taken off. " +
			"Many a turned negation changes nothing that matters, so that even the best twin stays well below 1."}
	if r.Thought.Yardstick == "" {
		s.Text = append(s.Text, "No adapter on prose by others is here (stroke genre list, or --yardstick), so the yardstick is the bare base, which flatters: some of the leaning is what any prose would give.")
	}
	var lean, own []figure
	for _, k := range r.Thought.Kinds {
		name := fmt.Sprintf("%s (%s)", kindNames[k.Kind], some(k.Pairs, "pair", "pairs"))
		lean = append(lean, of(name, "twin", k.Accuracy))
		own = append(own, of(kindNames[k.Kind]+": the twin", "twin", k.Twin), of("the yardstick", "base", k.Yardstick))
	}
	s.Charts = append(s.Charts, figures("Pairs in which it leans more to you than the yardstick", "share", 2, byChance, lean),
		figures("Pairs in which each finds your passage the likelier outright", "share", 2, byChance, own))
	return s
}

func (r *Report) pageForgetting() *section {
	if len(r.Forgetting) == 0 {
		return nil
	}
	s := &section{ID: "forgetting", Heading: "What has it forgotten?",
		Text:   []string{"At each strength: what plain text by others costs more than with the bare base, and how many simple questions it answers rightly when it chooses among a few answers."},
		Fooled: "The text and the questions are few and simple; what they do not ask is not seen. An adapter on prose can make plain prose cheaper and still have lost what was never asked."}
	var text, right []figure
	for _, f := range r.Forgetting {
		text = append(text, of(fmt.Sprintf("strength %g, text", f.Strength), "twin", f.Text), of(fmt.Sprintf("strength %g, right answers", f.Strength), "twin", f.Answers))
		right = append(right, of(fmt.Sprintf("strength %g", f.Strength), "twin", f.Right))
	}
	right = append(right, of("the bare base", "base", r.Forgetting[0].BaseRight))
	s.Charts = append(s.Charts, figures("Cost above the bare base's", "nats a token", 3, fromZero, text), figures("Simple questions answered rightly", "share", 2, shares, right))
	return s
}

func (r *Report) pageRewriting() *section {
	w := r.Rewriting
	if w == nil || w.Passages == 0 {
		return nil
	}
	s := &section{ID: "rewriting", Heading: "What does it keep when it rewrites?",
		Text:   []string{fmt.Sprintf("The base made %s of yours plain, and the twin wrote the plain text again in your voice.", some(w.Texts, "passage", "passages"))},
		Fooled: "Doing nothing keeps everything; only “nearer” shows that. Claims in other words count as lost."}
	s.Charts = append(s.Charts, figures("Of what the plain text says, it keeps", "share", 2, shares, []figure{
		ofText("names", "twin", w.Names), ofText("numbers", "twin", w.Numbers), ofText("claims", "twin", w.Claims)}))
	if w.Claim {
		s.Charts = append(s.Charts, figures("How near it comes: 0 is the plain text, 1 is you", "", 2, between, []figure{ofText("nearer", "twin", w.Nearer)}))
	} else {
		s.Text = append(s.Text, "How near that comes to you cannot be said: "+w.Why+".")
	}
	return s
}

func (r *Report) pageBlind() *section {
	b := r.Blind
	if b == nil || b.Answered == 0 {
		return nil
	}
	answer, _ := r.sayBlind()
	s := &section{ID: "blind", Heading: "What do you say yourself?", Text: []string{strings.ToUpper(answer[:1]) + answer[1:] + "."},
		Fooled: "You know your own pieces, and a text that repeats one is recognised. Who answers in haste answers by length and polish; both have one length here."}
	s.Charts = append(s.Charts, figures("Pairs in which the twin is more you", "share", 2, byChance, []figure{of("the twin", "twin", *b.Share)}))
	return s
}

func (r *Report) pageVersions() *section {
	if len(r.Versions) == 0 {
		return nil
	}
	s := &section{ID: "versions", Heading: "Versions over time"}
	var list []figure
	amounts := map[int]bool{}
	for _, v := range r.Versions {
		class := "base"
		if v.ID == r.Version {
			class = "twin"
		}
		amounts[v.Words] = true
		list = append(list, of(fmt.Sprintf("%s, %s words", v.Made.Format("2 Jan 2006"), count(v.Words)), class, v.Gain))
	}
	s.Text = append(s.Text, "What each version gained over your passages alone when it was judged. Judge text may have grown between them. Lines are the intervals that it was judged by: 95 %, and more for each verdict on the same text.")
	if len(amounts) < 2 && r.Curve == nil {
		s.Text = append(s.Text, "How the gain grows with the amount of text they do not show, since all are of the same number of words: stroke report --curve measures it.")
	}
	s.Charts = append(s.Charts, figures("Gain over your passages alone", "nats a token", 3, fromZero, list))
	return s
}
