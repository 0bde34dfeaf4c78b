package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	xterm "golang.org/x/term"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/term"
	"github.com/getstroke/stroke/internal/twin"
)

const chatHelp = `/undo            take the last exchange back
/retry           answer the last message again, with the next seed
/edit TEXT       put TEXT in place of your last message and answer it
/system TEXT     what the twin is told before the conversation
/adapter on|off  with and without what it learnt of you
/strength N      of the adapter
/save FILE       keep the conversation as Markdown; the same file again is replaced
/help            this list
/quit            end; so does Ctrl-D`

func newChat(e *env) *cobra.Command {
	var f speechFlags
	var system string
	c := &cobra.Command{
		Use:   "chat -t NAME",
		Short: "Talk with a twin",
		Long: `Chat is a conversation with a twin. Lines can be edited, and the arrow keys bring
earlier ones back. Ctrl-C ends an answer that is long enough, and clears a line that
is being typed. Commands begin with a slash:

` + chatHelp + `

Elsewhere than on a terminal each line is a message or a command, and those that
cannot be done are told of and passed over.

Exit status: 0; 1 failure; 3 some lines could not be done; 10 no such twin; 130
interrupted.`,
		Example: `  stroke chat -t writing
  echo "What do you think of hurry?" | stroke chat -t writing --no-adapter`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, args []string) error {
			v, err := f.open(c, e)
			if err != nil {
				return err
			}
			defer v.Close()
			t := &talk{v: v, f: &f, e: e}
			if system != "" {
				t.system(system)
			}
			return t.run(c.Context())
		},
	}
	f.add(c.Flags(), 400, twin.AnswerSampling())
	c.Flags().StringVar(&system, "system", "", "what the twin is told before the conversation")
	return c
}

// talk is a conversation going on.
type talk struct {
	v        *twin.Voice
	f        *speechFlags
	e        *env
	messages []twin.Message
	strength float64         // while the adapter is off
	edited   bool            // by a person at a terminal
	saved    map[string]bool // files that the conversation was kept in
}

// lines reads a person's lines: with editing on a terminal, where what is written is
// shown on one that can move in a line, and as they come elsewhere. The end of the conversation is io.EOF. What is told goes to out.
func (t *talk) lines() (read func(context.Context) (string, error), out io.Writer) {
	in, isFile := t.e.in.(*os.File)
	if isFile && term.IsTerminal(in) && term.IsTerminal(t.e.out) && os.Getenv("TERM") != "dumb" && !t.e.json {
		t.edited = true
		k := &keys{in: in}
		screen := xterm.NewTerminal(struct {
			io.Reader
			io.Writer
		}{k, t.e.out}, "> ")
		cleared := false
		k.interrupt = func() {
			cleared = true
			fmt.Fprintln(screen, "stroke: Ctrl-D or /quit ends the conversation")
		}
		return func(context.Context) (string, error) {
			// Raw only while a line is read, so that Ctrl-C reaches an answer.
			state, err := xterm.MakeRaw(int(in.Fd()))
			if err != nil {
				return "", err
			}
			defer xterm.Restore(int(in.Fd()), state)
			if w, h := term.Size(t.e.out); w > 0 {
				screen.SetSize(w, h)
			}
			// A paste is one message, however many lines it has: it waits for
			// Enter.
			screen.SetBracketedPasteMode(true)
			defer screen.SetBracketedPasteMode(false)
			var pasted []string
			for {
				line, err := screen.ReadLine()
				if cleared {
					pasted, cleared = nil, false
				}
				if err == nil {
					return strings.Join(append(pasted, line), "\n"), nil
				}
				if !errors.Is(err, xterm.ErrPasteIndicator) {
					return "", err
				}
				pasted = append(pasted, line)
			}
		}, t.e.out
	}
	out = t.e.out
	if t.e.json {
		out = t.e.err // answers alone are JSON
	}
	s := bufio.NewScanner(t.e.in)
	s.Buffer(nil, 1<<20)
	next := func() (string, error) {
		if s.Scan() {
			return s.Text(), nil
		}
		if err := s.Err(); err != nil {
			return "", err
		}
		return "", io.EOF
	}
	return func(ctx context.Context) (string, error) { return await(ctx, next) }, out
}

func (t *talk) run(ctx context.Context) error {
	read, out := t.lines()
	defer t.e.interrupt.Store(nil)
	lines, failed := 0, 0
	for {
		done, err := t.turn(ctx, read, out)
		switch {
		case done && err == nil && failed > 0 && !t.edited:
			return undone(lines, failed)
		case done:
			return err
		}
		lines++
		if err == nil {
			continue
		}
		// A conversation outlives what cannot be done in it.
		if ctx.Err() != nil || !t.edited && stroke.CodeOf(err) != stroke.CodeInput {
			return err
		}
		failed++
		if !t.edited {
			t.e.printer().Fail(err)
			continue
		}
		fmt.Fprintln(out, "stroke: "+err.Error())
		if h := stroke.HintOf(err); h != "" {
			fmt.Fprintln(out, "stroke: hint: "+h)
		}
	}
}

// undone is the error of a conversation in which some lines, each told of, could not be
// done.
func undone(lines, failed int) error {
	code := stroke.CodePartial
	if failed == lines {
		code = stroke.CodeFailure
	}
	return &stroke.Error{Code: code, Msg: fmt.Sprintf("%d of %d lines could not be done", failed, lines), Hint: "see what is said of each"}
}

// turn reads a line and does what it asks for; done is the end of the
// conversation. On a terminal Ctrl-C ends the turn alone, and that from before
// the line is read until the next turn has its own: in between it must not reach
// the program.
func (t *talk) turn(ctx context.Context, read func(context.Context) (string, error), out io.Writer) (done bool, err error) {
	turn, stop := t.interruptible(ctx)
	defer func() { stop() }()
	line, err := read(ctx)
	if turn.Err() != nil { // it was ended before there was anything to answer
		stop()
		turn, stop = t.interruptible(ctx)
	}
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	if err != nil {
		return true, fmt.Errorf("chat: %w", err)
	}
	line = strings.TrimSpace(line)
	switch {
	case line == "":
		return false, nil
	case line == "/quit" || line == "/exit":
		return true, nil
	case strings.HasPrefix(line, "/"):
		return false, t.command(turn, line, out)
	}
	return false, t.say(turn, t.messages, line, out)
}

// interruptible gives a context that Ctrl-C ends, on a terminal.
func (t *talk) interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(ctx)
	if t.edited {
		t.e.interrupt.Store(&stop)
	}
	return ctx, stop
}

// say adds a message to what was said before and answers it. Where it cannot be
// answered, the conversation stays as it is.
func (t *talk) say(ctx context.Context, before []twin.Message, message string, out io.Writer) error {
	was := t.messages
	t.messages = append(slices.Clone(before), twin.Message{Role: "user", Content: message})
	err := t.answer(ctx, out)
	if err != nil {
		t.messages = was
	}
	return err
}

// answer writes the twin's answer to the last message. What is there of one that
// is ended on a terminal stays.
func (t *talk) answer(ctx context.Context, out io.Writer) error {
	var all strings.Builder
	reason, err := t.v.Chat(ctx, t.messages, &t.f.speech, func(s string) error {
		all.WriteString(s)
		if t.e.json {
			return nil
		}
		_, err := io.WriteString(out, s)
		return err
	})
	if err != nil && !(t.edited && ctx.Err() != nil) {
		return err
	}
	if err != nil {
		fmt.Fprint(out, " …")
	}
	t.messages = append(t.messages, twin.Message{Role: "assistant", Content: strings.TrimSpace(all.String())})
	if t.e.json {
		return printJSON(t.e, newWritten(t.v, all.String(), reason, t.f.speech.Sampling.Seed), false)
	}
	_, err = io.WriteString(out, "\n\n")
	return err
}

func (t *talk) system(text string) {
	if len(t.messages) > 0 && t.messages[0].Role == "system" {
		t.messages[0].Content = text
		return
	}
	t.messages = append([]twin.Message{{Role: "system", Content: text}}, t.messages...)
}

// last is what was said in the last exchange, and the conversation before it.
func (t *talk) last() (said string, before []twin.Message, ok bool) {
	n := len(t.messages)
	for n > 0 && t.messages[n-1].Role == "assistant" {
		n--
	}
	if n == 0 || t.messages[n-1].Role != "user" {
		return "", nil, false
	}
	return t.messages[n-1].Content, t.messages[:n-1], true
}

var errNothing = &stroke.Error{Code: stroke.CodeInput, Msg: "nothing has been said yet", Hint: "write something first"}

func (t *talk) command(ctx context.Context, line string, out io.Writer) error {
	name, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	s := &t.f.speech
	switch name {
	case "/help":
		fmt.Fprintln(out, chatHelp)
	case "/undo":
		_, before, ok := t.last()
		if !ok {
			return errNothing
		}
		t.messages = before
		fmt.Fprintln(out, "taken back")
	case "/retry", "/edit":
		said, before, ok := t.last()
		if !ok {
			return errNothing
		}
		if name == "/edit" {
			if rest == "" {
				return &stroke.Error{Code: stroke.CodeInput, Msg: "/edit takes the new message", Hint: "for example: /edit What do you think of tea?"}
			}
			said = rest
		}
		s.Sampling.Seed++
		return t.say(ctx, before, said, out)
	case "/system":
		t.system(rest)
	case "/adapter":
		switch rest {
		case "off":
			if s.Strength != 0 {
				t.strength, s.Strength = s.Strength, 0
			}
		case "on":
			if s.Strength == 0 {
				s.Strength = t.strength
				if s.Strength == 0 {
					s.Strength = 1
				}
			}
		default:
			return &stroke.Error{Code: stroke.CodeInput, Msg: "/adapter takes on or off", Hint: "for example: /adapter off"}
		}
		fmt.Fprintln(out, "adapter "+rest)
	case "/strength":
		v, err := strconv.ParseFloat(rest, 64)
		q := *s
		q.Strength = v
		if err != nil || q.Validate() != nil {
			return &stroke.Error{Code: stroke.CodeInput, Msg: "/strength takes a number from -4 to 4", Hint: "for example: /strength 1.5"}
		}
		*s = q
		fmt.Fprintf(out, "strength %g\n", v)
	case "/save":
		return t.save(rest, out)
	default:
		return &stroke.Error{Code: stroke.CodeInput, Msg: "there is no command " + name, Hint: "/help lists them"}
	}
	return nil
}

func (t *talk) save(path string, out io.Writer) error {
	if path == "" {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "/save takes a file", Hint: "for example: /save talk.md"}
	}
	var b strings.Builder
	b.WriteString(corpus.Mark + "\n\n")
	for _, m := range t.messages {
		fmt.Fprintf(&b, "**%s**\n\n%s\n\n", m.Role, m.Content)
	}
	err := t.keep(path, []byte(b.String()))
	if errors.Is(err, fs.ErrExist) {
		return &stroke.Error{Code: stroke.CodeInput, Msg: path + " is there already", Hint: "name a file that does not exist yet"}
	}
	if err != nil {
		return &stroke.Error{Code: stroke.CodeFailure, Msg: "cannot save the conversation", Err: err, Hint: "make room, or name a file in a folder that can be written"}
	}
	fmt.Fprintln(out, "saved in "+path)
	return nil
}

// keep writes a file that is not there yet, or that it wrote before, whole or not at
// all.
func (t *talk) keep(path string, b []byte) error {
	whole, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(whole); err == nil && !t.saved[whole] {
		return fs.ErrExist
	}
	f, err := os.CreateTemp(filepath.Dir(whole), ".stroke-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), whole); err != nil {
		return err
	}
	if t.saved == nil {
		t.saved = map[string]bool{}
	}
	t.saved[whole] = true
	return nil
}
