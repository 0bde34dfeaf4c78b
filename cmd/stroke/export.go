package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/twin"
)

func newExport(e *env) *cobra.Command {
	var o twin.ExportOptions
	c := &cobra.Command{
		Use:   "export -t NAME --to FILE.gguf|DIR",
		Short: "Write the base with what a twin learnt as one model",
		Long: `Export writes a whole model for other programs: the base with the weights that
were trained, or with an adapter merged into it. --to with a name that ends in
.gguf makes a GGUF file, another name a Hugging Face folder. The newest version is
taken unless NAME@VERSION is given. Weights that the version does not change stay
as they lie in the base, but quantized ones become F16 in a folder; those that an
adapter changes are written in F16.

The file holds no text of yours, but what a model has learnt can be got out of it:
give it away as you would give away your writing.

Exit status: 0; 1 failure; 10 no such twin or version; 130 interrupted.`,
		Example: `  stroke export -t writing --to writing.gguf
  stroke export -t writing@1f2e3d4c5b6a --to ~/models/writing`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := needTwin(o.Twin); err != nil {
				return err
			}
			p := e.printer()
			done, err := twin.Export(c.Context(), o, func(x stroke.Event) {
				switch x.(type) {
				case stroke.FetchEvent, stroke.NoteEvent:
					p.Emit(x)
				}
			})
			if err != nil {
				return err
			}
			if e.json {
				return printJSON(e, done, false)
			}
			_, err = fmt.Fprintf(e.out, "%s, %s, with the version %s\n", done.Path, term.Bytes(done.Bytes), done.Version)
			return err
		},
	}
	c.Flags().StringVarP(&o.Twin, "twin", "t", "", "the twin: NAME, NAME@VERSION or its folder")
	c.Flags().StringVar(&o.To, "to", "", "file that ends in .gguf, or folder that is not there yet")
	c.Flags().StringVar(&o.Base, "base", "", "another base than the version's, of the same shape")
	c.Flags().BoolVar(&o.Force, "force", false, "replace a file that is there")
	return c
}
