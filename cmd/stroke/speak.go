package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/twin"
)

// speechFlags are those of all commands that write.
type speechFlags struct {
	twin      string
	genre     string
	layer     float64 // strength of the genre that a twin stands on
	base      string
	speech    twin.Speech
	noAdapter bool
	noPassage bool
	keep      bool // what is computed of the passages, for the next time
	exact     bool
}

func (f *speechFlags) add(fl *pflag.FlagSet, most int, sampling engine.Sampling) {
	f.speech.Sampling = sampling
	s := &f.speech.Sampling
	fl.StringVarP(&f.twin, "twin", "t", "", "the twin: NAME, NAME@VERSION or its folder")
	fl.StringVar(&f.genre, "genre", "", "a genre in place of a twin: stroke genre list")
	fl.Float64Var(&f.layer, "genre-strength", 1, "of the genre that the twin stands on as a layer, from -4 to 4")
	fl.StringVar(&f.base, "base", "", "another base than the twin's")
	fl.IntVar(&f.speech.Max, "max-tokens", most, "tokens to write at the most")
	fl.Float64Var(&s.Temperature, "temperature", s.Temperature, "0 takes the likeliest token, at most 100")
	fl.Float64Var(&s.TopP, "top-p", s.TopP, "draw from the likeliest tokens that make up this share, from 0 to 1")
	fl.Float64Var(&s.MinP, "min-p", s.MinP, "leave out tokens below this share of the likeliest, from 0 to 1")
	fl.IntVar(&s.TopK, "top-k", 0, "draw from this many tokens, 0 for all")
	fl.Float64Var(&s.Repeat, "repeat-penalty", s.Repeat, "above 1 for less repetition: 0.01 to 10, or 0 for none")
	fl.Uint64Var(&s.Seed, "seed", s.Seed, "the same seed writes the same text")
	fl.Float64Var(&f.speech.Strength, "strength", 1, "of the adapter, from -4 to 4: 0 for the base, above 1 for more of you")
	fl.BoolVar(&f.noAdapter, "no-adapter", false, "leave the adapter out, to feel the difference")
	fl.BoolVar(&f.exact, "exact", false, "float32 throughout, also where the machine has something faster that is proven")
	fl.BoolVar(&f.noPassage, "no-passages", false, "leave your passages out of the prompt")
}

func (f *speechFlags) open(c *cobra.Command, e *env) (*twin.Voice, error) {
	if err := f.who(); err != nil {
		return nil, err
	}
	if c.Flags().Changed("genre-strength") {
		f.speech.Genre = &f.layer
	}
	if f.noAdapter && c.Flags().Changed("strength") {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "--strength is of the adapter, and --no-adapter leaves it out", Hint: "give one of them"}
	}
	if f.noAdapter {
		f.speech.Strength = 0
	}
	f.speech.Passages = !f.noPassage
	if err := f.speech.Validate(); err != nil {
		return nil, err
	}
	o := twin.VoiceOptions{Base: f.base, NoAdapter: f.noAdapter, Keep: f.keep, Exact: f.exact}
	if f.genre != "" {
		return twin.OpenGenre(c.Context(), f.genre, o, e.tell)
	}
	v, err := twin.OpenVoice(c.Context(), f.twin, o, e.tell)
	if err != nil {
		return nil, err
	}
	if v.Version == nil && !e.quiet {
		fmt.Fprintln(e.err, e.printer().Wrap(fmt.Sprintf("stroke: no version of %s is live: the base writes, with your passages before it", v.Folder.Name)))
	}
	return v, nil
}

// tell shows what is told while something is written: on the error stream, since the text
// alone is on the output.
func (e *env) tell(x stroke.Event) {
	p := e.printer()
	switch x := x.(type) {
	case stroke.FetchEvent:
		if !e.json {
			p.Emit(x)
		}
	case stroke.NoteEvent:
		if !e.quiet {
			fmt.Fprintln(e.err, p.Wrap("stroke: "+x.Text))
		}
	}
}

// who demands a twin or a genre.
func (f *speechFlags) who() error {
	if f.genre == "" {
		return needTwin(f.twin)
	}
	if f.twin != "" {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "-t and --genre do not go together: a twin has the genre that it stands on within it",
			Hint: "leave one out; --genre-strength changes how much of its genre a twin uses"}
	}
	return nil
}

// written is a text with --json.
type written struct {
	Event   string `json:"event"` // "text"
	Text    string `json:"text"`
	Reason  string `json:"reason,omitempty"` // why it ended: stop, length or context
	Seed    uint64 `json:"seed"`
	Version string `json:"version"` // of the twin; empty where none is live and of a genre
	// The kernel, and the products of base weights while the text was written and
	// while its prompt was read.
	Kernel     string `json:"kernel"`
	Arithmetic string `json:"arithmetic"`
	Reading    string `json:"reading"`
}

func newWritten(v *twin.Voice, text string, reason engine.Reason, seed uint64) written {
	w := written{Event: "text", Text: text, Reason: string(reason), Seed: seed, Kernel: kernel.Name()}
	w.Arithmetic, w.Reading = v.Arithmetics()
	if v.Version != nil {
		w.Version = v.Version.ID
	}
	return w
}

func newWrite(e *env) *cobra.Command {
	f := speechFlags{keep: true}
	n := 1
	c := &cobra.Command{
		Use:   "write -t NAME OPENING",
		Short: "Go on with an opening in the twin's voice",
		Long: `Write goes on with an opening as the twin would, and prints it as it comes. With
- the opening is read from the standard input.

Exit status: 0; 1 failure; 10 no such twin; 130 interrupted.`,
		Example: `  stroke write -t writing "It rained all week, and"
  stroke write -t writing --n 3 --temperature 0.7 "Dear M.,"
  stroke write --genre novel "The door stood open, and"`,
		Args: func(c *cobra.Command, args []string) error {
			err := exactly(1, "an opening")(c, args)
			if wrong := (*stroke.Error)(nil); len(args) > 1 && errors.As(err, &wrong) {
				wrong.Hint = fmt.Sprintf("put the opening in quotation marks: \"%s\"", strings.Join(args, " "))
			}
			return err
		},
		RunE: func(c *cobra.Command, args []string) error {
			if n < 1 || n > 1000 {
				return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--n is %d: it must be from 1 to 1000", n), Hint: "for example --n 3"}
			}
			opening, err := textOf(c.Context(), e, args[0])
			if err != nil {
				return err
			}
			v, err := f.open(c, e)
			if err != nil {
				return err
			}
			defer v.Close()
			shown := false
			for i := range n {
				s := f.speech
				s.Sampling.Seed += uint64(i)
				var all strings.Builder
				// The opening waits for what goes on from it: where nothing can, it is no
				// result.
				begin := opening
				if i > 0 {
					begin = "\n\n---\n\n" + opening
				}
				show := func(t string) error {
					all.WriteString(t)
					if e.json {
						return nil
					}
					_, err := io.WriteString(e.out, begin+t)
					begin, shown = "", true
					return err
				}
				reason, err := v.Write(c.Context(), opening, &s, show)
				if err == nil && begin != "" {
					err = show("")
				}
				if err != nil {
					endLine(e, shown)
					return err
				}
				if e.json {
					if err := printJSON(e, newWritten(v, all.String(), reason, s.Sampling.Seed), false); err != nil {
						return err
					}
				}
			}
			if !e.json {
				fmt.Fprintln(e.out)
			}
			return nil
		},
	}
	f.add(c.Flags(), 300, twin.DefaultSampling())
	c.Flags().IntVar(&n, "n", 1, "how many texts, each with the next seed")
	return c
}

func newRewrite(e *env) *cobra.Command {
	var f speechFlags
	c := &cobra.Command{
		Use:   "rewrite -t NAME FILE|-",
		Short: "Say a text again in the twin's voice",
		Long: `Rewrite writes what a file says again in the twin's voice, part by part where it
is long. A part that may lack its end is told of. With - the text is read from the
standard input.

Exit status: 0; 1 failure; 10 no such twin or file; 130 interrupted.`,
		Example: `  stroke rewrite -t writing minutes.txt
  pbpaste | stroke rewrite -t writing - --temperature 0.5`,
		Args: exactly(1, "a file, or - for the standard input"),
		RunE: func(c *cobra.Command, args []string) error {
			text, err := fileText(c.Context(), e, args[0])
			if err != nil {
				return err
			}
			v, err := f.open(c, e)
			if err != nil {
				return err
			}
			defer v.Close()
			var all strings.Builder
			var notes []stroke.Event // told behind the text, which they would stand in
			reason, err := v.Rewrite(c.Context(), text, &f.speech, func(x stroke.Event) { notes = append(notes, x) }, func(t string) error {
				all.WriteString(t)
				if e.json {
					return nil
				}
				_, err := io.WriteString(e.out, t)
				return err
			})
			if err != nil {
				endLine(e, all.Len() > 0 && !e.json)
				return err
			}
			if e.json {
				err = printJSON(e, newWritten(v, all.String(), reason, f.speech.Sampling.Seed), false)
			} else {
				fmt.Fprintln(e.out)
			}
			for _, n := range notes {
				e.tell(n)
			}
			return err
		},
	}
	f.add(c.Flags(), 1024, twin.AnswerSampling())
	return c
}

// endLine ends the line of a text that was shown in part, so that what is said of it
// stands by itself.
func endLine(e *env, shown bool) {
	if shown {
		fmt.Fprintln(e.out)
	}
}

// textOf is an argument's text, or the standard input for -.
func textOf(ctx context.Context, e *env, arg string) (string, error) {
	if arg != "-" {
		if strings.TrimSpace(arg) == "" {
			return "", &stroke.Error{Code: stroke.CodeInput, Msg: "the opening is empty", Hint: `give some words: stroke write -t NAME "It rained all week, and"`}
		}
		return arg, nil
	}
	return readAll(ctx, e)
}

// mostText is the longest text that is read whole, in bytes.
const mostText = 4 << 20

func readAll(ctx context.Context, e *env) (string, error) {
	return await(ctx, func() (string, error) { return readText(e.in, "the standard input") })
}

const hintText = "name a file of plain text or Markdown, or - for the standard input"

// fileText is a file's text, or the standard input for -.
func fileText(ctx context.Context, e *env, path string) (string, error) {
	if path == "-" {
		return readAll(ctx, e)
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", &stroke.Error{Code: stroke.CodeNotFound, Msg: "there is no file " + path, Hint: hintText}
	}
	if err != nil {
		return "", &stroke.Error{Code: stroke.CodeFailure, Msg: "cannot read " + path, Err: err, Hint: hintText}
	}
	defer f.Close()
	return await(ctx, func() (string, error) { return readText(f, path) })
}

// readText reads a text in whatever encoding it is; from is what errors call it.
func readText(r io.Reader, from string) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, mostText+1))
	if err != nil {
		return "", &stroke.Error{Code: stroke.CodeFailure, Msg: "cannot read " + from, Err: err, Hint: hintText}
	}
	if len(b) > mostText {
		return "", &stroke.Error{Code: stroke.CodeInput, Msg: from + " has more than 4 MB, which is too long for one text", Hint: "give a part of it at a time"}
	}
	s, err := corpus.Text(b)
	if s = strings.TrimSpace(s); err != nil || s == "" {
		return "", &stroke.Error{Code: stroke.CodeInput, Msg: "there is no text in " + from, Err: err, Hint: "give plain text or Markdown"}
	}
	return s, nil
}
