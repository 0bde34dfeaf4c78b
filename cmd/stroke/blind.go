package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	xterm "golang.org/x/term"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/twin"
)

// asked is a pair of the blind test with --json.
type asked struct {
	Event   string `json:"event"` // "pair"
	Number  int    `json:"number"`
	Of      int    `json:"of"`
	Opening string `json:"opening"`
	A       string `json:"a"`
	B       string `json:"b"`
}

// blindResult is the last line of blind --json.
type blindResult struct {
	Event string `json:"event"` // "blind"
	twin.BlindResult
}

func newBlind(e *env) *cobra.Command {
	var o twin.BlindOptions
	c := &cobra.Command{
		Use:   "blind -t NAME",
		Short: "Say of pairs of texts which is more you",
		Long: `Blind shows pairs of texts that go on from openings of yours, which training never
saw: one by the twin, one by the base with your passages in its prompt, in an
order that you do not know. Say which is more you: a or b, = where you cannot
tell, q to stop; on a terminal that is one key, without Enter. Answers are kept in
the twin's folder, and the same command goes on where it was stopped. Elsewhere than
on a terminal answers are read from the standard input, a line each.

With --real it is a game: the other text is how you went on yourself, and the
question which is yours. It is kept apart and counts for nothing, since you
remember what you wrote.

The version that serves is asked, or where none does the newest, unless
NAME@VERSION is given. The texts are written first, which takes a minute or two.

Exit status: 0; 1 failure; 10 no such twin; 11 the twin is in use; 130 interrupted.`,
		Example: `  stroke blind -t writing
  stroke blind -t writing --more --pairs 10 --json < answers`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := needTwin(o.Name); err != nil {
				return err
			}
			for _, name := range []string{"words", "seed"} {
				if o.More && c.Flags().Changed(name) {
					return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--more adds pairs to the test that there is, and --%s is of one that is begun", name), Hint: "leave one of them out"}
				}
			}
			p := e.printer()
			o.Begin = c.Flags().Changed("pairs") || c.Flags().Changed("words") || c.Flags().Changed("seed")
			t, err := twin.OpenBlind(c.Context(), o, func(x stroke.Event) {
				if _, ok := x.(stroke.BaseEvent); !ok {
					p.Emit(x)
				}
			})
			if err != nil {
				return err
			}
			defer t.Close()
			if err := ask(c.Context(), e, t); err != nil {
				return err
			}
			r := t.Result()
			if e.json {
				return printJSON(e, blindResult{"blind", r}, false)
			}
			fmt.Fprintln(e.out, p.Wrap(sayBlind(r)))
			if r.Answered < r.Pairs && !e.quiet {
				fmt.Fprintln(e.err, p.Wrap(fmt.Sprintf("stroke: %d of %d pairs are answered; the same command goes on", r.Answered, r.Pairs)))
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVarP(&o.Name, "twin", "t", "", "the twin: NAME, NAME@VERSION or its folder")
	f.StringVar(&o.Base, "base", "", "another base than the twin's")
	f.IntVar(&o.Pairs, "pairs", 20, "how many pairs, of a test that is begun")
	f.IntVar(&o.Words, "words", 70, "of each text, of a test that is begun")
	f.Uint64Var(&o.Seed, "seed", 1, "of texts and order, of a test that is begun")
	f.BoolVar(&o.Real, "real", false, "a game: the twin against your own text")
	f.BoolVar(&o.More, "more", false, "add as many pairs to the test that there is")
	return c
}

// sayBlind is the result as a sentence.
func sayBlind(r twin.BlindResult) string {
	if r.Answered == 0 {
		return "nothing is answered yet"
	}
	if r.Real {
		return fmt.Sprintf("of %d pairs you knew your own text in %d, took the twin's for yours in %d, and could not tell in %d", r.Answered, r.Others, r.Twins, r.Neither)
	}
	s := fmt.Sprintf("of %d pairs you found the twin more like you in %d, the base with your passages in %d", r.Answered, r.Twins, r.Others)
	if r.Neither > 0 {
		s += fmt.Sprintf(", and could not tell in %d", r.Neither)
	}
	s += fmt.Sprintf(": %.0f %% for the twin (95 %%: %.0f to %.0f)", 100*r.Share.Mean, 100*r.Share.Low, 100*r.Share.High)
	switch {
	case r.Share.Low > 0.5:
		return s + ". It is more you than your passages alone."
	case r.Share.High < 0.5:
		return s + ". It is less you than your passages alone."
	}
	return s + ". That may be chance."
}

// ask goes through the pairs that have no answer yet, until all have one or the
// writer stops.
func ask(ctx context.Context, e *env, t *twin.Blind) error {
	read, keys := answers(e)
	for {
		pair, i, ok := t.Next()
		if !ok {
			return nil
		}
		a, b := pair.Other, pair.Twin
		first, second := twin.ChoseOther, twin.ChoseTwin
		if pair.TwinFirst {
			a, b, first, second = b, a, second, first
		}
		if err := showPair(e, asked{"pair", i + 1, t.Result().Pairs, pair.Opening, a, b}); err != nil {
			return err
		}
		for answered := false; !answered; {
			if !e.json {
				question := "which is more you?"
				if t.Result().Real {
					question = "which did you write?"
				}
				if keys {
					question += " one key:"
				}
				fmt.Fprint(e.err, question+" a, b, = cannot tell, q stop: ")
			}
			key, err := read(ctx)
			if errors.Is(err, io.EOF) || key == "q" {
				if !e.json {
					fmt.Fprintln(e.err)
				}
				return nil
			}
			if err != nil {
				return err
			}
			if keys {
				fmt.Fprintln(e.err, key)
			}
			choice, ok := map[string]twin.Choice{"a": first, "b": second, "=": twin.ChoseNeither}[key]
			if !ok {
				fmt.Fprintf(e.err, "stroke: %q is no answer\n", key)
				continue
			}
			if err := t.Answer(i, choice); err != nil {
				return err
			}
			answered = true
		}
	}
}

func showPair(e *env, p asked) error {
	if e.json {
		return printJSON(e, p, false)
	}
	w := e.printer()
	_, err := fmt.Fprintf(e.out, "\n%s\n\nA\n%s\n\nB\n%s\n\n", w.Paragraphs(fmt.Sprintf("%d of %d: %s …", p.Number, p.Of, p.Opening)), w.Paragraphs(p.A), w.Paragraphs(p.B))
	return err
}

// answers reads a person's answers: on a terminal one key each, elsewhere one
// line each. keys is whether they are keys, which the terminal does not show.
func answers(e *env) (read func(context.Context) (string, error), keys bool) {
	in, isFile := e.in.(*os.File)
	r := bufio.NewReader(e.in)
	if !isFile || e.json || !term.IsTerminal(in) {
		return func(ctx context.Context) (string, error) {
			line, err := await(ctx, func() (string, error) { return r.ReadString('\n') })
			if line = strings.ToLower(strings.TrimSpace(line)); line != "" {
				return line, ctx.Err()
			}
			return "", err
		}, false
	}
	return func(ctx context.Context) (string, error) {
		state, err := xterm.MakeRaw(int(in.Fd()))
		if err != nil {
			return "", fmt.Errorf("read a key: %w", err)
		}
		defer xterm.Restore(int(in.Fd()), state)
		return await(ctx, func() (string, error) { return pressed(r) })
	}, true
}

// pressed reads a key that writes something, in lower case; Ctrl-C, Ctrl-D and Escape
// are q. Enter and keys that send more than a character, such as arrows, are passed over.
func pressed(r *bufio.Reader) (string, error) {
	const escape = 27
	for {
		key, _, err := r.ReadRune()
		switch {
		case err != nil:
			return "", err
		case key == '\r' || key == '\n':
		case key == escape && r.Buffered() > 0:
			if err := passSequence(r); err != nil {
				return "", err
			}
		case key == 3 || key == 4 || key == escape:
			return "q", nil
		default:
			return strings.ToLower(string(key)), nil
		}
	}
}

// passSequence reads what a key sends behind Escape, as far as it is there: one
// character, or [ or O and what ends with a letter or a tilde; a console of Linux sends a
// second [ before the letter of a function key.
func passSequence(r *bufio.Reader) error {
	first, err := r.ReadByte()
	for last := byte(0); err == nil && (first == '[' || first == 'O') && r.Buffered() > 0 && (last < '@' || last > '~' || last == '['); {
		last, err = r.ReadByte()
	}
	return err
}
