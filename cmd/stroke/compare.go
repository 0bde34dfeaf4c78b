package main

import (
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/twin"
	"github.com/getstroke/stroke/internal/twin/compare"
)

// compared is the last line of compare --json.
type compared struct {
	Event string `json:"event"` // "comparison"
	Table string `json:"table"` // the Markdown file
	Page  string `json:"page"`  // the HTML file
	*compare.Comparison
}

func newCompare(e *env) *cobra.Command {
	var o twin.CompareOptions
	var layers, price, memory string
	var modules, settings []string
	c := &cobra.Command{
		Use:   "compare [FOLDER|FILE]",
		Short: "Measure the ways to make a base write as you do, side by side",
		Long: `Compare measures on your own text and this machine what each method takes, what it
leaves and how well it predicts you: the bare base; your passages in its prompt
(examples); a LoRA adapter (lora), and one with examples (lora+examples); some
weights of the base trained (partial); all of them (full). Each is trained as
stroke train does, with several settings of which select documents choose one, and
all are judged by the same documents, which none has seen. What it will take is
told before it starts; what is finished is kept, and the same command goes on
after a stop. No version reaches your twin.

With -t NAME the documents keep the roles that they have in that twin, and
without a folder they are that twin's own. The table is printed, and written as
Markdown, as a page and as JSON: into the twin's folder, below STROKE_HOME, or to
the folder of --to.

Exit status: 0; 1 failure; 10 not found; 11 the folder is in use; 130 interrupted.`,
		Example: `  stroke compare ~/writing
  stroke compare -t me --methods lora,full --price-kwh 0.30EUR --watts 45
  stroke compare ~/writing --dry-run --curve 500,1000,2000,5000`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return exactly(1, "a folder or a file")(c, args)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.Source = args[0]
			}
			var err error
			if o.Memory, err = parseBytes(memory); err != nil {
				return err
			}
			if o.Price, err = parsePrice(price); err != nil {
				return err
			}
			if o.Settings, err = parseSettings(settings); err != nil {
				return err
			}
			o.Partial.Modules = modules
			if o.Partial.Layers, err = parseLayers(layers); err != nil {
				return err
			}
			if c.Flags().Changed("texts") && o.Texts <= 0 {
				o.Texts = -1
			}
			o.Program = program()
			p := e.printer()
			r, dir, err := twin.Compare(c.Context(), o, p.Emit)
			if err != nil || r == nil {
				return err
			}
			return printComparison(e, p, r, dir)
		},
	}
	f := c.Flags()
	f.StringVarP(&o.Name, "twin", "t", "", "twin whose roles the documents keep")
	f.StringVar(&o.To, "to", "", "folder of the tables")
	f.StringVar(&o.Base, "base", "auto", "base model: a name of stroke base list, a GGUF file, a Hugging Face folder; auto for the twin's, or as stroke train chooses")
	f.StringVar(&o.From, "from", "", "source to fetch the base from")
	f.StringSliceVar(&o.Methods, "methods", nil, "these beside base and examples: lora,lora+examples,partial,full (all that fit)")
	f.StringSliceVar(&settings, "settings", nil, "settings tried of each method, rates and amounts of passages, as 2 or 3,full=1; those of lora+examples are named lora (3)")
	f.IntVar(&o.Epochs, "epochs", 0, "times the text is gone through, at the most (the recipe's)")
	f.StringVar(&o.Genre, "genre", genre.Auto, "genre that adapters stand on, as in stroke train; none for the bare base")
	f.StringVar(&layers, "layers", "", "layers that partial trains, as 20-29 (the upper third)")
	f.StringSliceVar(&modules, "modules", nil, "modules that partial trains (those of the layers)")
	f.StringArrayVar(&o.Controls, "control", nil, "folder of an adapter by another writer, as PEFT saves it; may be repeated")
	f.IntVar(&o.Texts, "texts", 6, "texts that each method writes, to see what it copies; 0 for none")
	f.IntSliceVar(&o.Curve, "curve", nil, "amounts of train text in words, as 500,1000,2000,5000: what each method needs (a training for each)")
	f.StringVar(&price, "price-kwh", "", "price of a kilowatt-hour, as 0.30 or 0.30EUR")
	f.Float64Var(&o.Watts, "watts", 0, "power that the machine draws, where it does not tell its energy itself")
	f.StringVar(&memory, "memory", "", "memory that a training may take, as 800M or 2G")
	f.Uint64Var(&o.Seed, "seed", 1, "of everything that is drawn")
	f.BoolVar(&o.Afresh, "afresh", false, "measure again what was measured before")
	f.BoolVar(&o.DryRun, "dry-run", false, "tell what it would take, and stop")
	f.DurationVar(&o.CheckpointEvery, "checkpoint-every", 0, "time between checkpoints")
	f.Lookup("checkpoint-every").Hidden = true
	return c
}

func printComparison(e *env, p *term.Printer, r *compare.Comparison, dir string) error {
	table, page := filepath.Join(dir, "comparison.md"), filepath.Join(dir, "comparison.html")
	if e.json {
		return printJSON(e, compared{"comparison", table, page, r}, false)
	}
	fmt.Fprintf(e.out, "\n%s\n%s\n", r.Title(), p.Paragraphs(r.Subtitle()))
	for _, t := range r.Tables() {
		fmt.Fprintln(e.out)
		if err := term.Table(e.out, p.TableWidth(), t.Heading, t.Rows); err != nil {
			return err
		}
	}
	fmt.Fprintln(e.out)
	for _, n := range r.Notes() {
		fmt.Fprintln(e.out, p.Indent(n))
	}
	fmt.Fprintf(e.out, "\n%s\n", p.Wrap("the table: "+table+"\nthe page: "+page))
	return nil
}

// program is the version of the program, with the commit that it was built from
// where that is known.
func program() string {
	b, ok := debug.ReadBuildInfo()
	if !ok || b.Main.Version == "" {
		return "of unknown version"
	}
	v := b.Main.Version
	for _, s := range b.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 && !strings.Contains(v, s.Value[:12]) {
			v += " (" + s.Value[:12] + ")"
		}
	}
	return v
}

// parsePrice reads 0.30 or 0.30EUR; empty is none.
func parsePrice(s string) (*compare.Price, error) {
	if s == "" {
		return nil, nil
	}
	number := strings.TrimRight(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz€$£¥ ")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(v >= 0 && v < 1e6) {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--price-kwh %q is no price", s), Hint: "for example --price-kwh 0.30EUR"}
	}
	return &compare.Price{KWh: v, Currency: strings.TrimSpace(s[len(number):])}, nil
}

// parseSettings reads 2 or 3,full=1; the number without a name is that of no name.
func parseSettings(list []string) (map[compare.Name]int, error) {
	out := map[compare.Name]int{}
	for _, s := range list {
		name, number, named := strings.Cut(s, "=")
		if !named {
			name, number = "", s
		}
		n, err := strconv.Atoi(number)
		if err != nil || named && !slices.Contains(compare.Names(), compare.Name(name)) {
			return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--settings %q is no number of settings", s), Hint: "for example --settings 2, or --settings 3,full=1"}
		}
		out[compare.Name(name)] = n
	}
	return out, nil
}

// parseLayers reads 20-29 or 0,5-7; empty is none.
func parseLayers(s string) ([]int, error) {
	if s == "" {
		return nil, nil
	}
	f := trainFlags{layers: s, method: string(twin.Partial)}
	sel, err := f.selection(func(string) bool { return false })
	return sel.Layers, err
}
