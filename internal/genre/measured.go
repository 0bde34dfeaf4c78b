package genre

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Measured is what a genre was measured on beside other genres, after all of them
// were made. It is no part of the card, which another build has alike.
type Measured struct {
	Schema int          `json:"schema"`
	On     []MeasuredOn `json:"on"`
}

// MeasuredOn is what a genre is worth on a text that it was not trained on.
type MeasuredOn struct {
	Text      string  `json:"text"`            // a writer, with words several, or the genre of whose sources it was withheld
	Kind      string  `json:"kind,omitempty"`  // the genre that the text is of the kind of
	Writer    bool    `json:"writer"`          // it is a writer's, and no genre has seen any of theirs
	Words     int     `json:"words,omitempty"` // of the writer's own that were trained on, on genres and from the bare base; 0 for none
	Share     float64 `json:"share,omitempty"` // with words: of what the twins stand on, in the mean over writers
	Tokens    int     `json:"tokens"`          // scored
	Gain      Gain    `json:"gain"`            // over the base; with words, over a plain LoRA from the base, in the mean over writers
	OverProse *Gain   `json:"over_prose,omitempty"`
	Best      string  `json:"best,omitempty"` // the genre that saves most there
}

func parseMeasured(b []byte) (*Measured, error) {
	m := &Measured{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, err
	}
	if m.Schema != schema {
		return nil, fmt.Errorf("its schema is %d", m.Schema)
	}
	return m, nil
}

// signed is a gain with its interval.
func (g Gain) signed() string { return fmt.Sprintf("%+.3f (%+.3f to %+.3f)", g.Mean, g.Low, g.High) }

func (m *Measured) markdown(name string) string {
	var b strings.Builder
	none, some := 0, 0
	for _, on := range m.On {
		if on.Words == 0 {
			none++
		} else {
			some++
		}
	}
	if none > 0 {
		fmt.Fprintf(&b, "What %s saves in nats a token, with the interval at 95 %%, on text that no genre was trained on: what was withheld of each kind, and writers of whom no genre has a word. A minus is a loss. The last column is the genre that saves most there.\n\n", name)
		b.WriteString("| text | kind | tokens | over the base | over prose | most |\n| --- | --- | --- | --- | --- | --- |\n")
		for _, on := range m.On {
			if on.Words > 0 {
				continue
			}
			whose := "withheld"
			if on.Writer {
				whose = "a writer"
			}
			over := ""
			if on.OverProse != nil {
				over = on.OverProse.signed() + " "
			}
			fmt.Fprintf(&b, "| %s, %s | %s | %d | %s | %s| %s |\n", cell(on.Text), whose, cell(on.Kind), on.Tokens, on.Gain.signed(), over, cell(on.Best))
		}
		b.WriteByte('\n')
	}
	if some > 0 {
		b.WriteString("What twins gain by standing on it and on what else their text chose, against a plain LoRA from the bare base, each with as many of the writer's passages in the prompt as were chosen for it. The writers are those of the judge panel for whom it is a fifth and more of that; each counts alike, and the interval at 95 % is over them and within them over documents:\n\n| words of theirs | writers | its share | tokens | saves |\n| --- | --- | --- | --- | --- |\n")
		for _, on := range m.On {
			if on.Words > 0 {
				fmt.Fprintf(&b, "| %d | %s | %.0f %% | %d | %s |\n", on.Words, cell(on.Text), 100*on.Share, on.Tokens, on.Gain.signed())
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
