// Command stroke gives a writer an AI twin: it trains a LoRA adapter on their
// writing and writes with it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/term"
)

// env is what a command has of the world.
type env struct {
	in       io.Reader
	out, err io.Writer

	json, quiet bool
	shown       *term.Printer // the command's; it may have a bar to end

	// interrupt, where there is one, takes Ctrl-C in place of the end of the
	// command.
	interrupt atomic.Pointer[context.CancelFunc]
}

func main() {
	os.Exit(run(os.Args[1:], &env{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// run executes a command line and returns its exit status.
func run(args []string, e *env) int {
	out := &output{Writer: e.out}
	e.out = out
	root := newRoot(e)
	root.SetArgs(args)
	ctx, stop := e.signals(keeps(root, args))
	defer stop()
	// Flags that cannot be read are told of as the line asks, if it does.
	flags := args
	if i := slices.Index(args, "--"); i >= 0 {
		flags = args[:i]
	}
	e.json = slices.Contains(flags, "--json")
	err := root.ExecuteContext(ctx)
	if out.failed != nil && (err == nil || stroke.CodeOf(err) == stroke.CodeFailure) {
		err = out.failed
	}
	if err == nil {
		return 0
	}
	if errors.Is(err, context.Canceled) && stroke.CodeOf(err) == stroke.CodeFailure {
		err = &stroke.Error{Code: stroke.CodeInterrupted, Msg: "stopped", Err: nil}
	}
	e.printer().Fail(err)
	if e.json && out.failed != nil {
		term.New(e.out, e.err, term.Plain).Fail(err)
	}
	return stroke.CodeOf(err).ExitStatus()
}

// keeps says whether the command of a line writes checkpoints.
func keeps(root *cobra.Command, args []string) bool {
	c, _, err := root.Find(args)
	return err == nil && (c.Flags().Lookup("resume") != nil || c.Flags().Lookup("checkpoint-every") != nil)
}

// signals ends the context at the first Ctrl-C, so that work is kept, and the
// program at the second. checkpoints says that some of it is kept then too.
func (e *env) signals(checkpoints bool) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	c := make(chan os.Signal, 2)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	go func() {
		for s := range c {
			if part := e.interrupt.Load(); part != nil && s == os.Interrupt {
				(*part)()
				continue
			}
			if ctx.Err() != nil {
				said := "stroke: stopped at once"
				if checkpoints {
					said += "; what the last checkpoint holds is kept"
				}
				fmt.Fprintln(os.Stderr, said)
				os.Exit(stroke.CodeInterrupted.ExitStatus())
			}
			cancel()
		}
	}()
	return ctx, func() {
		signal.Stop(c)
		close(c)
		cancel()
	}
}

// printer shows events as the flags ask for.
func (e *env) printer() *term.Printer {
	if e.shown != nil {
		return e.shown
	}
	mode := term.Bars
	switch {
	case e.json:
		mode = term.JSON
	case e.quiet:
		mode = term.Quiet
	}
	e.shown = term.New(e.out, e.err, mode)
	return e.shown
}

func newRoot(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "stroke",
		Short: "An AI twin that writes as you do",
		Long: `Stroke trains a small adapter on your writing, on this machine, in minutes, and
writes with it. What it makes lies in a folder that is yours.`,
		Example: `  stroke train ~/writing
  stroke write -t writing "It rained all week, and"`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(e.in)
	root.SetOut(e.out)
	root.SetErr(e.err)
	root.PersistentFlags().BoolVar(&e.json, "json", false, "print JSON, one object a line")
	root.PersistentFlags().BoolVarP(&e.quiet, "quiet", "q", false, "print results alone")
	root.AddCommand(newTrain(e), newWrite(e), newChat(e), newRewrite(e), newScore(e), newBlind(e), newReport(e), newCompare(e), newCorpus(e), newTwins(e), newShow(e), newRemove(e),
		newBase(e), newGenre(e), newRecipe(e), newQuantize(e), newExport(e), newBench(e), newVersion(e))
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		// What follows is for programmers.
		msg, _, _ := strings.Cut(err.Error(), ": strconv.")
		msg, _, _ = strings.Cut(msg, ": time: ")
		hint := "see " + c.CommandPath() + " --help"
		if wrong := (*pflag.InvalidValueError)(nil); errors.As(err, &wrong) && wrong.GetFlag().Value.Type() == "duration" {
			hint = "give a number with its unit, for example --" + wrong.GetFlag().Name + " 10m"
		}
		return &stroke.Error{Code: stroke.CodeInput, Msg: msg, Hint: hint}
	})
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { showHelp(e, c) })
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			helpOf(c)
		case "completion":
			group(e, c)
		}
	}
	complete(root)
	return group(e, root)
}

// exactly demands n arguments named what.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("%s takes %s, and %d arguments are given", c.CommandPath(), what, len(args)),
				Hint: "see " + c.CommandPath() + " --help"}
		}
		return nil
	}
}

// needTwin demands the flag -t.
func needTwin(name string) error {
	if name == "" {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "which twin is not said", Hint: "name it with -t NAME; stroke twins lists them"}
	}
	return nil
}
