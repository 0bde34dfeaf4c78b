package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/twin"
)

func newGenre(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "genre",
		Short: "List, try, make and add genres: adapters for kinds of writing",
		Long: `A genre is an adapter made from many writers' text of one kind. A twin can stand
on one, so that little text of its writer's goes further, and anybody can write
with one. Each belongs to a base. Some come with the program; others lie below
STROKE_HOME/genres.`,
		Example: `  stroke genre list
  stroke write --genre novel "The door stood open, and"`,
	}
	c.AddCommand(newGenreList(e), newGenreShow(e), newGenreTry(e), newGenreBuild(e), newGenreAdd(e), newGenreExport(e), newGenreRemove(e))
	return group(e, c)
}

// listedGenre is a genre in a list with --json.
type listedGenre struct {
	Name     string      `json:"name"`
	For      string      `json:"for"`
	Base     string      `json:"base"`
	Bytes    int64       `json:"bytes"` // of the adapter's files
	Words    int         `json:"words"` // trained on; 0 where it was added
	Licence  string      `json:"licence"`
	Sources  int         `json:"sources"`
	Gain     *genre.Gain `json:"gain"` // null where nothing was measured
	Embedded bool        `json:"embedded"`
	Path     string      `json:"path"`
	SHA256   string      `json:"sha256"`
}

func genreListed(g *genre.Genre) listedGenre {
	l := listedGenre{Name: g.Name, For: g.For, Base: g.Base.Name, Bytes: g.Bytes, Words: g.Words, Licence: g.Licence, Sources: len(g.Sources), Embedded: g.Embedded, Path: g.Path, SHA256: g.SHA256()}
	if g.Figures != nil {
		l.Gain = &g.Figures.Gain
	}
	return l
}

func newGenreList(e *env) *cobra.Command {
	var base string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the genres there are",
		Long: `List gives every genre with what it is for, its base, and its head start: what it
saves on documents of its own kind that it was not trained on, in nats a token.

Exit status: 0; 1 failure; 10 no such base.`,
		Example: `  stroke genre list
  stroke genre list --base smollm2-135m-instruct --json`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, args []string) error {
			l, err := twin.Library()
			if err != nil {
				return err
			}
			p := e.printer()
			var rows [][]string
			list := l.List(base, func(path string, err error) {
				fmt.Fprintln(e.err, p.Wrap("stroke: left out "+path+": "+err.Error()))
			})
			if len(list) == 0 && base != "" {
				if err := isBase(base); err != nil {
					return err
				}
			}
			for _, g := range list {
				x := genreListed(&g)
				if e.json {
					if err := printJSON(e, x, false); err != nil {
						return err
					}
					continue
				}
				gain := "not measured"
				if x.Gain != nil {
					gain = fmt.Sprintf("%.3f", x.Gain.Mean)
				}
				rows = append(rows, []string{x.Name, x.For, x.Base, term.Bytes(x.Bytes), gain, x.Licence, fmt.Sprint(x.Sources)})
			}
			if e.json {
				return nil
			}
			if len(rows) == 0 {
				of, with := "", ""
				if base != "" {
					of, with = " for the base "+base, " --base "+base
				}
				fmt.Fprintln(e.err, p.Wrap("stroke: there is no genre"+of+"; stroke genre build RECIPE.toml"+with+" makes one"))
				return nil
			}
			return term.Table(e.out, p.TableWidth(), []string{"genre", "for", "base", "size", "head start", "licence", "sources"}, rows, 6, 5)
		},
	}
	c.Flags().StringVar(&base, "base", "", "those of one base: its name or path")
	return c
}

// shownGenre is a genre's card with --json.
type shownGenre struct {
	genre.Card
	Embedded bool   `json:"embedded"`
	Path     string `json:"path"`
}

func newGenreShow(e *env) *cobra.Command {
	var base string
	c := &cobra.Command{
		Use:   "show NAME",
		Short: "Show a genre's card, with a paragraph of it beside the bare base's",
		Long: `Show prints the card as Markdown: what the genre is for, its sources and their
terms, its recipe, figures, samples and limits.

Exit status: 0; 1 failure; 10 no such genre.`,
		Example: `  stroke genre show novel
  stroke genre show novel --json`,
		Args: exactly(1, "a genre's name"),
		RunE: func(c *cobra.Command, args []string) error {
			l, err := twin.Library()
			if err != nil {
				return err
			}
			g, err := l.Find(base, args[0])
			if err != nil {
				return err
			}
			if e.json {
				g.Prints = nil // many, and for the program alone
				return printJSON(e, shownGenre{Card: g.Card, Embedded: g.Embedded, Path: g.Path}, false)
			}
			_, err = fmt.Fprint(e.out, g.Readme())
			return err
		},
	}
	c.Flags().StringVar(&base, "base", "", "the genre's base: its name or path")
	return c
}

func newGenreTry(e *env) *cobra.Command {
	var name, base string
	c := &cobra.Command{
		Use:   "try FOLDER|FILE",
		Short: "Measure which genre fits a writer",
		Long: `Try measures what each genre of a base saves on a writer's own documents: those
that training would choose by and learn from. What the twin of the folder, or the
one that -t names, is judged by is not looked at. Nothing is trained or written.

Exit status: 0; 1 failure; 10 no such folder or twin, or no genre for the base; 130
interrupted.`,
		Example: `  stroke genre try ~/writing
  stroke genre try ~/writing --base smollm2-135m-instruct --json`,
		Args: exactly(1, "a folder or a file"),
		RunE: func(c *cobra.Command, args []string) error {
			p := e.printer()
			t, err := twin.TryGenres(c.Context(), args[0], name, base, p.Emit)
			if err != nil {
				return err
			}
			if e.json {
				return printJSON(e, t, false)
			}
			var rows [][]string
			for _, g := range t.Genres {
				taken := ""
				switch {
				case g.Name == t.Chosen:
					taken = "auto takes it"
				case g.Share > 0:
					taken = fmt.Sprintf("%.0f %% of what auto takes", 100*g.Share)
				}
				rows = append(rows, []string{g.Name, fmt.Sprintf("%+.3f", g.Gain), taken})
			}
			if err := term.Table(e.out, p.TableWidth(), []string{"genre", "saves", ""}, rows); err != nil {
				return err
			}
			if !e.quiet {
				fmt.Fprintln(e.err, p.Wrap(fmt.Sprintf("nats a token, of the %.3f that the bare base needs, on %s tokens (%s documents), in %s", t.Nats, term.Count(t.Tokens), t.By, term.Span(t.Seconds))))
				if t.Chosen == "" {
					fmt.Fprintln(e.err, "auto takes none: none saves anything")
				}
			}
			return nil
		},
	}
	c.Flags().StringVarP(&name, "twin", "t", "", "twin whose roles the documents keep; that of the folder")
	c.Flags().StringVar(&base, "base", "auto", "base: its name or path; auto is the default base")
	return c
}

func newGenreBuild(e *env) *cobra.Command {
	var o twin.GenreOptions
	var memory, arithmetic string
	c := &cobra.Command{
		Use:   "build RECIPE.toml",
		Short: "Make a genre from folders of text",
		Long: `Build makes a genre as its recipe says: it takes documents of the sources in the
order of their hashes, withholds a tenth, or more where there are fewer than forty,
trains an adapter on the rest, measures the head start on what was withheld, and
writes adapter and card. The same recipe, sources, base, kind of kernel and
arithmetic give the same bytes. Ctrl-C writes a checkpoint, and --resume goes on.
docs/formats/genre.md describes recipes.

Exit status: 0; 1 failure; 10 a source or the recipe is not there; 11 it is being
made; 130 interrupted.`,
		Example: `  stroke genre build letters.toml --data ~/texts
  stroke genre build my.toml --data . --base smollm2-360m-instruct`,
		Args: exactly(1, "a recipe"),
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if o.Memory, err = parseBytes(memory); err != nil {
				return err
			}
			if o.Recipe, err = genre.ReadRecipe(args[0]); err != nil {
				return err
			}
			o.Arithmetic = train.Arithmetic(arithmetic)
			p := e.printer()
			g, err := twin.BuildGenre(c.Context(), o, p.Emit)
			if err != nil || g == nil {
				return err
			}
			return tellGenre(e, g, "made")
		},
	}
	fl := c.Flags()
	fl.StringVar(&o.Data, "data", ".", "folder that the recipe's sources lie below")
	fl.StringVar(&o.To, "to", "", "folder of a library, for BASE/NAME (below STROKE_HOME)")
	fl.StringVar(&o.Base, "base", "", "base in place of the recipe's: its name or path")
	fl.StringVar(&arithmetic, "arithmetic", "", "of the base's products: f32 or bf16 (the faster)")
	fl.StringVar(&memory, "memory", "", "memory the run may take, as 800M or 2G; where it needs more it does not begin")
	fl.BoolVar(&o.Resume, "resume", false, "go on from the checkpoint of a run that was stopped")
	fl.BoolVar(&o.Force, "force", false, "replace a genre that is there")
	fl.BoolVar(&o.DryRun, "dry-run", false, "read the sources, show what would be taken, and stop")
	return c
}

// tellGenre shows a genre that is there now.
func tellGenre(e *env, g *genre.Genre, how string) error {
	if e.json {
		return printJSON(e, genreListed(g), false)
	}
	if e.quiet {
		return nil
	}
	s := fmt.Sprintf("genre %s for %s %s, %s, in %s", g.Name, g.Base.Name, how, term.Bytes(g.Bytes), g.Path)
	if f := g.Figures; f != nil {
		s += fmt.Sprintf("; head start %.3f nats a token (95 %%: %.3f to %.3f) on %d documents that were withheld", f.Gain.Mean, f.Gain.Low, f.Gain.High, f.Documents)
	}
	_, err := fmt.Fprintln(e.err, e.printer().Wrap(s))
	return err
}

func newGenreAdd(e *env) *cobra.Command {
	var o twin.AddOptions
	c := &cobra.Command{
		Use:   "add DIR|FILE|URL",
		Short: "Take somebody else's PEFT adapter as a genre",
		Long: `Add takes a LoRA adapter as PEFT saves it out of a folder, a zip or tar.gz archive,
or the address of one. Nothing in it is trusted: its two files alone are taken,
checked, tried on the base and written anew. What a twin has learnt is no genre.

Exit status: 0; 1 failure; 10 not there; 130 interrupted.`,
		Example: `  stroke genre add ~/adapters/letters --base smollm2-135m-instruct
  stroke genre add letters.zip --name letters --for "letters of the last century"`,
		Args: exactly(1, "a folder, an archive or an address"),
		RunE: func(c *cobra.Command, args []string) error {
			o.From = args[0]
			p := e.printer()
			g, err := twin.AddGenre(c.Context(), o, p.Emit)
			if err != nil {
				return err
			}
			return tellGenre(e, g, "added")
		},
	}
	fl := c.Flags()
	fl.StringVar(&o.Name, "name", "", "name of the genre (the folder's or archive's)")
	fl.StringVar(&o.Base, "base", "", "base that it is for (the one that the adapter names)")
	fl.StringVar(&o.For, "for", "", "what it is for")
	fl.StringVar(&o.Licence, "licence", "", "SPDX identifier of the licence it was given under")
	fl.BoolVar(&o.Force, "force", false, "replace a genre that is there")
	return c
}

func newGenreExport(e *env) *cobra.Command {
	var base string
	c := &cobra.Command{
		Use:   "export NAME FOLDER",
		Short: "Write a genre's adapter for other programs",
		Long: `Export writes the adapter of a genre as PEFT has it, in F16, with its card. The
numbers are those of the genre to the bit. FOLDER must not be there yet.

Exit status: 0; 1 failure; 10 no such genre.`,
		Example: `  stroke genre export novel ~/adapters/novel
  stroke genre export novel ~/adapters/novel --base smollm2-135m-instruct --json`,
		Args: exactly(2, "a genre's name and a folder"),
		RunE: func(c *cobra.Command, args []string) error {
			done, err := twin.ExportGenre(args[0], base, args[1])
			if err != nil {
				return err
			}
			if e.json {
				return printJSON(e, done, false)
			}
			if e.quiet {
				return nil
			}
			_, err = fmt.Fprintln(e.err, e.printer().Wrap(fmt.Sprintf("genre %s for %s as an adapter of PEFT, %s, in %s", done.Genre, done.Base, term.Bytes(done.Bytes), done.Path)))
			return err
		},
	}
	c.Flags().StringVar(&base, "base", "", "the genre's base: its name or path")
	return c
}

// removedGenre is what rm deleted, with --json.
type removedGenre struct {
	Removed string `json:"removed"`
}

func newGenreRemove(e *env) *cobra.Command {
	var base string
	c := &cobra.Command{
		Use:   "rm NAME",
		Short: "Delete a genre",
		Long: `Rm deletes a genre that you made or added. Twins that stand on it keep what they
need.

Exit status: 0; 1 failure; 10 no such genre.`,
		Example: `  stroke genre rm letters
  stroke genre rm letters --base smollm2-360m-instruct`,
		Args: exactly(1, "a genre's name"),
		RunE: func(c *cobra.Command, args []string) error {
			p := e.printer()
			g, err := twin.RemoveGenre(args[0], base, p.Emit)
			if err != nil {
				return err
			}
			if e.json {
				return printJSON(e, removedGenre{Removed: g.Path}, false)
			}
			p.Emit(stroke.NoteEvent{Text: "deleted " + g.Path})
			return nil
		},
	}
	c.Flags().StringVar(&base, "base", "", "the genre's base: its name or path")
	return c
}
