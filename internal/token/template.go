package token

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/getstroke/stroke/internal/token/jinja"
)

// Message is one turn of a conversation.
type Message struct {
	Role    string // system, user or assistant
	Content string
}

// ChatML is the template of models that bring none: each turn between
// <|im_start|> with the role and <|im_end|>, on lines of their own.
const ChatML = `{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}` +
	`{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`

// renderTime bounds one rendering. Templates in use take under a millisecond.
const renderTime = 5 * time.Second

// Template is a chat template. It is safe for use by several goroutines.
type Template struct {
	t        *jinja.Template
	bos, eos string
	now      func() time.Time
}

// ParseTemplate reads the Jinja source of a chat template; where it is empty,
// the template is [ChatML]. bos and eos are the tokens that it calls
// bos_token and eos_token, empty where the model has none.
func ParseTemplate(src, bos, eos string) (*Template, error) {
	if src == "" {
		src = ChatML
	}
	t, err := jinja.Parse(src)
	if err != nil {
		return nil, fmt.Errorf("read chat template: %w", err)
	}
	return &Template{t: t, bos: bos, eos: eos, now: time.Now}, nil
}

// Template reads the chat template that came with the vocabulary.
func (t *Tokenizer) Template() (*Template, error) {
	return ParseTemplate(t.vocab.ChatTemplate, t.Token(t.vocab.BOS), t.Token(t.vocab.EOS))
}

// Render writes a conversation as the model was trained to read it, and with
// addGenerationPrompt the beginning of the assistant's next turn. The text is
// for [Tokenizer.EncodeSpecial], or where [Tokenizer.Quoted] gave the messages for
// [Tokenizer.EncodeQuoted]; it holds BOS where the template writes it.
//
// The template sees what transformers shows it: messages, tools and documents
// (none), add_generation_prompt, bos_token, eos_token, raise_exception and
// strftime_now. enable_thinking is false: templates of models that think before they
// answer then have them answer at once. It runs under jinja's limits and for five seconds at most;
// past either the error is a *jinja.LimitError. Where the template refuses
// the conversation, it is a *jinja.RaisedError.
func (t *Template) Render(messages []Message, addGenerationPrompt bool) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), renderTime)
	defer cancel()
	turns := make([]jinja.Object, len(messages))
	for i, m := range messages {
		turns[i] = jinja.Object{{Name: "role", Value: m.Role}, {Name: "content", Value: m.Content}}
	}
	vars := jinja.Object{
		{Name: "messages", Value: turns},
		{Name: "tools", Value: nil},
		{Name: "documents", Value: nil},
		{Name: "add_generation_prompt", Value: addGenerationPrompt},
		{Name: "enable_thinking", Value: false},
		{Name: "strftime_now", Value: func(format string) (string, error) { return strftime(t.now(), format) }},
	}
	// A token that a model lacks is undefined to the template, not empty.
	if t.bos != "" {
		vars = append(vars, jinja.Field{Name: "bos_token", Value: t.bos})
	}
	if t.eos != "" {
		vars = append(vars, jinja.Field{Name: "eos_token", Value: t.eos})
	}
	out, err := t.t.Render(ctx, vars, jinja.Limits{})
	if err != nil {
		return "", fmt.Errorf("render chat template: %w", err)
	}
	return out, nil
}

// strftime writes a time by C's directives, in English.
func strftime(t time.Time, format string) (string, error) {
	if len(format) > 1024 {
		return "", fmt.Errorf("a date format of %d bytes", len(format))
	}
	layouts := map[byte]string{
		'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM", 'B': "January",
		'b': "Jan", 'h': "Jan", 'A': "Monday", 'a': "Mon", 'F': "2006-01-02", 'T': "15:04:05", 'R': "15:04", 'D': "01/02/06",
		'j': "002", 'e': "_2", 'x': "01/02/06", 'X': "15:04:05", 'c': "Mon Jan _2 15:04:05 2006",
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		trim := format[i] == '-' && i+1 < len(format)
		if trim {
			i++
		}
		s := ""
		switch c := format[i]; c {
		case '%':
			s = "%"
		case 'n':
			s = "\n"
		case 't':
			s = "\t"
		case 'w':
			s = strconv.Itoa(int(t.Weekday()))
		case 'f':
			s = fmt.Sprintf("%06d", t.Nanosecond()/1000)
		case 'Z', 'z': // strftime_now of transformers knows no time zone
		default:
			layout, ok := layouts[c]
			if !ok {
				return "", fmt.Errorf("the date format %%%c is not known here", c)
			}
			s = t.Format(layout)
		}
		if trim && len(s) > 1 {
			s = strings.TrimLeft(s[:len(s)-1], "0 ") + s[len(s)-1:]
		}
		b.WriteString(s)
	}
	return b.String(), nil
}
