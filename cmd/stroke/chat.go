package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	xterm "golang.org/x/term"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/twin"
)

const chatHelp = `/undo            take the last exchange back
/retry           answer the last message again, with the next seed
/edit TEXT       put TEXT in place of your last message and answer it
/system TEXT     what the twin is told before the conversation
/adapter on|off  with and without what it learnt of you
/strength N      of the adapter
/save FILE       keep the conversation as Markdown
/help            this list
/quit            end; so does Ctrl-D`

func newChat(e *env) *cobra.Command {
	var f speechFlags
	var system string
	c := &cobra.Command{
		Use:   "chat -t NAME",
		Short: "Talk with a twin",
		Long: `Chat is a conversation with a twin. Lines can be edited, and the arrow keys bring
earlier ones back. Ctrl-C ends an answer that is long enough. Commands begin with
a slash:

` + chatHelp + `

Exit status: 0; 1 failure; 10 no such twin; 130 interrupted.`,
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
	strength float64 // while the adapter is off
	edited   bool    // by a person at a terminal
}

// lines reads a person's lines: with editing on a terminal, as they come
// elsewhere. The end of the conversation is io.EOF. What is told goes to out.
func (t *talk) lines() (read func() (string, error), out io.Writer) {
	in, isFile := t.e.in.(*os.File)
	if isFile && xterm.IsTerminal(int(in.Fd())) && !t.e.json {
		t.edited = true
		screen := xterm.NewTerminal(struct {
			io.Reader
			io.Writer
		}{in, t.e.out}, "> ")
		return func() (string, error) {
			// Raw only while a line is read, so that Ctrl-C reaches an answer.
			state, err := xterm.MakeRaw(int(in.Fd()))
			if err != nil {
				return "", err
			}
			defer xterm.Restore(int(in.Fd()), state)
			if w, h, err := xterm.GetSize(int(in.Fd())); err == nil {
				screen.SetSize(w, h)
			}
			// A paste is one message, however many lines it has: it waits for
			// Enter.
			screen.SetBracketedPasteMode(true)
			defer screen.SetBracketedPasteMode(false)
			var pasted []string
			for {
				line, err := screen.ReadLine()
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
	return func() (string, error) {
		if s.Scan() {
			return s.Text(), nil
		}
		if err := s.Err(); err != nil {
			return "", err
		}
		return "", io.EOF
	}, out
}

func (t *talk) run(ctx context.Context) error {
	read, out := t.lines()
	for {
		done, err := t.turn(ctx, read, out)
		if done {
			return err
		}
		if err == nil {
			continue
		}
		// A conversation outlives what cannot be done in it.
		if ctx.Err() != nil || !t.edited && stroke.CodeOf(err) != stroke.CodeInput {
			return err
		}
		fmt.Fprintln(out, "stroke: "+err.Error())
		if h := stroke.HintOf(err); h != "" {
			fmt.Fprintln(out, "stroke: hint: "+h)
		}
	}
}

// turn reads a line and does what it asks for; done is the end of the
// conversation. On a terminal Ctrl-C ends the turn alone, and that from before
// the line is read: between the line and its answer it must not reach the
// program.
func (t *talk) turn(ctx context.Context, read func() (string, error), out io.Writer) (done bool, err error) {
	turn := ctx
	if t.edited {
		var stop context.CancelFunc
		turn, stop = context.WithCancel(ctx)
		defer stop()
		t.e.interrupt.Store(&stop)
		defer t.e.interrupt.Store(nil)
	}
	line, err := read()
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
	return false, t.say(turn, line, out)
}

// say adds a message and answers it. One that cannot be answered is taken back.
func (t *talk) say(ctx context.Context, message string, out io.Writer) error {
	t.messages = append(t.messages, twin.Message{Role: "user", Content: message})
	err := t.answer(ctx, out)
	if err != nil {
		t.undo()
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

// undo takes the last exchange back and gives what was said in it.
func (t *talk) undo() (said string, ok bool) {
	n := len(t.messages)
	for n > 0 && t.messages[n-1].Role == "assistant" {
		n--
	}
	if n == 0 || t.messages[n-1].Role != "user" {
		return "", false
	}
	said = t.messages[n-1].Content
	t.messages = t.messages[:n-1]
	return said, true
}

var errNothing = &stroke.Error{Code: stroke.CodeInput, Msg: "there is nothing to take back", Hint: "write something first"}

func (t *talk) command(ctx context.Context, line string, out io.Writer) error {
	name, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	s := &t.f.speech
	switch name {
	case "/help":
		fmt.Fprintln(out, chatHelp)
	case "/undo":
		if _, ok := t.undo(); !ok {
			return errNothing
		}
		fmt.Fprintln(out, "taken back")
	case "/retry", "/edit":
		last, ok := t.undo()
		if !ok {
			return errNothing
		}
		if name == "/edit" {
			if rest == "" {
				return &stroke.Error{Code: stroke.CodeInput, Msg: "/edit takes the new message", Hint: "for example: /edit What do you think of tea?"}
			}
			last = rest
		}
		s.Sampling.Seed++
		return t.say(ctx, last, out)
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
			return &stroke.Error{Code: stroke.CodeInput, Msg: "/adapter takes on or off"}
		}
		fmt.Fprintln(out, "adapter "+rest)
	case "/strength":
		v, err := strconv.ParseFloat(rest, 64)
		q := *s
		q.Strength = v
		if err != nil || q.Validate() != nil {
			return &stroke.Error{Code: stroke.CodeInput, Msg: "/strength takes a number from -4 to 4"}
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
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return &stroke.Error{Code: stroke.CodeFailure, Msg: "cannot save the conversation", Err: err, Hint: "name a file that does not exist yet, in a folder that can be written"}
	}
	_, err = io.WriteString(f, b.String())
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(path) // half of it would be in the way of the next try
		return &stroke.Error{Code: stroke.CodeFailure, Msg: "cannot save the conversation", Err: err, Hint: "make room, or name a file elsewhere"}
	}
	fmt.Fprintln(out, "saved in "+path)
	return nil
}
