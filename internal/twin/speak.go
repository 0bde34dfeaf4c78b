package twin

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/token"
)

// Voice is a twin that writes: its base, what its live version learnt and its
// passages. It serves one caller at a time.
type Voice struct {
	Folder  *Folder
	Version *Version // nil where no version is live: the base with passages serves

	b        *baseModel
	learnt   *learnt // nil for nothing
	passages *passages
	keep     bool   // see VoiceOptions
	kept     string // the file whose tokens the engine read last, or wrote because of it

	options  engine.Options
	engine   *engine.Engine
	strength float64 // that the engine's model has; of an adapter the rows have it
	genre    struct {
		strength float64
		adapter  *lora.Adapter // with its genre at that strength; nil while none was asked for
	}
	done func() // gives that model's memory back
	tell Emit   // takes a word on a strength of nothing, once; nil for nobody
}

// VoiceOptions say how a twin is opened.
type VoiceOptions struct {
	Base      string // another base than the version's
	NoAdapter bool   // a version that is damaged is no error: the base and the passages serve
	Keep      bool   // what is computed of the passages before a text is kept below Home, for the next time
	Exact     bool   // write in float32 throughout, also where something faster is proven
}

// OpenVoice opens a twin by its name, or "name@version".
func OpenVoice(ctx context.Context, name string, o VoiceOptions, emit Emit) (*Voice, error) {
	if emit == nil {
		emit = func(stroke.Event) {}
	}
	f, v, err := OpenVersion(name, false)
	if err != nil && (f == nil || !o.NoAdapter) {
		return nil, err
	}
	if err != nil {
		emit(stroke.NoteEvent{Text: "left out: " + err.Error()})
	}
	voice := &Voice{Folder: f, Version: v, keep: o.Keep}
	if !o.NoAdapter {
		voice.tell = emit
	}
	of := f.Base
	if v != nil {
		of = v.Base.Name
	}
	if of == "" && o.Base == "" {
		return nil, f.without("base")
	}
	if voice.b, err = f.openBase(ctx, of, o.Base, emit, openToWrite); err != nil {
		return nil, err
	}
	prompt := DefaultRecipe(0).Prompt
	if v != nil {
		prompt = v.Recipe.Prompt
		voice.learnt, err = f.learnt(v, voice.b)
		if err != nil && !o.NoAdapter {
			voice.b.close()
			return nil, err
		}
		if err != nil {
			emit(stroke.NoteEvent{Text: "left out: " + err.Error()})
		}
	}
	ledger, err := f.Known()
	if err != nil {
		emit(stroke.NoteEvent{Text: err.Error()})
		if ledger == nil {
			ledger = &corpus.Ledger{}
		}
	}
	voice.passages = newPassages(f.Documents(ledger, stroke.RoleTrain), ledger, voice.b, prompt)
	voice.options = voice.learnt.serving(engine.Options{Streams: 4, Pad: max(voice.learnt.pad(), 16), Memory: 512 << 20}, o.Exact)
	if _, err = voice.serve(1); err != nil {
		voice.learnt.close()
		voice.b.close()
		return nil, err
	}
	return voice, nil
}

// serve starts the engine that writes at a strength, unless it is there, and
// gives the adapters that rows need. An adapter's strength goes with the rows;
// weights of the base at another strength are another model, and those that there are
// go before they take memory. After an error the next call starts anew.
func (v *Voice) serve(strength float64) ([]lora.Applied, error) {
	if v.learnt != nil && v.learnt.tuned != nil && v.engine != nil {
		if strength == v.strength {
			return nil, nil
		}
		if err := v.stop(); err != nil {
			return nil, err
		}
	}
	m, use, done, err := v.learnt.at(v.b.model, float32(strength))
	if err != nil {
		return nil, err
	}
	if v.engine != nil {
		return use, nil
	}
	e, err := v.b.start(m, v.options)
	if err != nil {
		done()
		return nil, err
	}
	v.engine, v.strength, v.done = e, strength, done
	return use, nil
}

// stop ends the engine that there is.
func (v *Voice) stop() error {
	if v.engine == nil {
		return nil
	}
	err := v.engine.Close()
	v.done()
	v.engine, v.kept = nil, ""
	return err
}

// Known is the list of documents whose passages stand before what the twin
// writes: the ledger, or for a twin of passages alone the list that it has in its
// place, also where a training that was stopped has left a ledger. With an error come
// the entries that are sound.
func (f *Folder) Known() (*corpus.Ledger, error) {
	if isFile(filepath.Join(f.Dir, examplesFile)) {
		return f.readLedger(examplesFile)
	}
	return f.Ledger()
}

// cutVersion parts NAME@VERSION; a folder's path may have an @ of its own.
func cutVersion(name string) (twin, id string, given bool) {
	i := strings.LastIndex(name, "@")
	if i < 0 || strings.ContainsAny(name[i:], `/\`) || isTwin(name) {
		return name, "", false
	}
	return name[:i], name[i+1:], true
}

// OpenVersion opens a twin and a version of it: that behind the @ of the name,
// or the newest, or with live false and no @ the one that serves, nil where none
// does.
func OpenVersion(name string, newest bool) (*Folder, *Version, error) {
	name, id, given := cutVersion(name)
	dir, err := Find(name)
	if err != nil {
		return nil, nil, err
	}
	f, err := Open(dir)
	if err != nil {
		return nil, nil, err
	}
	if !given && !newest {
		if f.Live == "" {
			return f, nil, nil
		}
		id = f.Live
	}
	v, err := f.Version(id)
	return f, v, err
}

// Close gives the memory back.
func (v *Voice) Close() error {
	err := v.stop()
	if e := v.learnt.close(); err == nil {
		err = e
	}
	v.b.close()
	return err
}

// Speech is what a twin is asked to write, and how.
type Speech struct {
	Sampling engine.Sampling
	Max      int
	Strength float64 // of what was learnt; 0 leaves it out
	// Genre multiplies the strength of the genre that a version stands on as a
	// layer; nil leaves it as it was in training.
	Genre    *float64
	Passages bool // the writer's passages stand before
}

// Validate says what is out of range.
func (s *Speech) Validate() error {
	err := s.Sampling.Validate()
	switch {
	case err != nil:
	case s.Max < 1 || s.Max > 1<<20:
		err = fmt.Errorf("%d tokens: ask for at least 1", s.Max)
	case s.Genre != nil && !(*s.Genre >= -4 && *s.Genre <= 4):
		err = fmt.Errorf("a genre's strength of %g: it must be from -4 to 4", *s.Genre)
	case !(s.Strength >= -4 && s.Strength <= 4):
		err = fmt.Errorf("a strength of %g: it must be from -4 to 4", s.Strength)
	}
	if err != nil {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "this cannot be asked for", Err: err, Hint: "give what is in range, or leave the flag out"}
	}
	return nil
}

// ready has the engine there that writes what is asked for, and gives the adapters
// that rows need.
func (v *Voice) ready(s *Speech) ([]lora.Applied, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if v.learnt == nil && s.Strength != 1 && v.tell != nil {
		v.tell(stroke.NoteEvent{Text: v.noStrength()})
		v.tell = nil
	}
	use, err := v.serve(s.Strength)
	if err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	return v.withGenre(use, s.Genre)
}

// noStrength says that a strength changes nothing of what the base writes alone.
func (v *Voice) noStrength() string {
	text := "the base writes without an adapter here, so its strength changes nothing"
	if n := v.Folder.Newest; n != "" {
		text += fmt.Sprintf("; -t %s has one", onLine(cmp.Or(v.Folder.elsewhere(), v.Folder.Name)+"@"+n))
	}
	return text
}

// speak goes on with ids, after the writer's passages where they are asked for, none
// of them of the documents in barred.
func (v *Voice) speak(ctx context.Context, s *Speech, query string, barred map[string]bool, ids []int32, text func(string) error) (engine.Reason, error) {
	use, err := v.ready(s)
	if err != nil {
		return "", err
	}
	room := v.engine.Context() - len(ids) - 1
	if room < 1 {
		return "", &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the text has %d tokens and the base has room for %d", len(ids), v.engine.Context()-1),
			Hint: "give less text, or part of it at a time"}
	}
	prompt, breaks := []int32{v.b.first}, 0
	if s.Passages {
		prompt = append(prompt, v.passages.find(query, barred, room-min(s.Max, room/2))...)
		breaks = v.passages.prompt.breaks()
	}
	before := prompt
	recalled := s.Genre != nil || v.recall(ctx, before, use)
	prompt = append(prompt, ids...)
	d := v.b.tok.NewDecoder()
	r, err := v.engine.Generate(ctx, engine.Request{Prompt: prompt, Adapters: use, Sampling: s.Sampling, Max: s.Max, Stop: v.b.tok.Ending(breaks), Lookup: true},
		func(id int32) error {
			if t := d.Next(id); t != "" {
				return text(t)
			}
			return nil
		})
	if err != nil {
		return r.Reason, interrupted(err, "write", "")
	}
	if t := d.Flush(); t != "" {
		if err := text(t); err != nil {
			return r.Reason, err
		}
	}
	if !recalled {
		v.remember(ctx, before, use)
	}
	return r.Reason, nil
}

// Write goes on with an opening in the writer's voice; text takes what is
// written as it comes, the opening not included.
func (v *Voice) Write(ctx context.Context, opening string, s *Speech, text func(string) error) (engine.Reason, error) {
	return v.speak(ctx, s, opening, v.passages.holding(opening), v.b.tok.Encode(opening), text)
}

// Message is a turn of a conversation.
type Message = token.Message

// Chat answers the last of a conversation's messages.
func (v *Voice) Chat(ctx context.Context, messages []Message, s *Speech, text func(string) error) (engine.Reason, error) {
	return v.answer(ctx, messages, nil, s, text)
}

// answer is [Voice.Chat] without passages of the documents in barred.
func (v *Voice) answer(ctx context.Context, messages []Message, barred map[string]bool, s *Speech, text func(string) error) (engine.Reason, error) {
	query := ""
	for _, m := range messages {
		if m.Role == "user" {
			query = m.Content
		}
	}
	if _, err := v.ready(s); err != nil {
		return "", err
	}
	for {
		ids, err := v.b.ask(messages)
		if err != nil {
			return "", fmt.Errorf("chat: %w", err)
		}
		// A conversation that has outgrown the context loses its oldest turns. However
		// long an answer may be, half of the context is for what was said.
		if len(ids)+min(s.Max, v.engine.Context()/2)+1 < v.engine.Context() || len(messages) <= 2 {
			return v.speak(ctx, s, query, barred, ids, text)
		}
		keep := 0
		if messages[0].Role == "system" {
			keep = 1
		}
		messages = append(append([]Message(nil), messages[:keep]...), messages[min(keep+2, len(messages)-1):]...)
	}
}

// paragraph lets what serves now write, from the first words of a piece that judges:
// the new version, or the base. Where an older version goes on serving nothing is
// written. A failure here costs nothing of the run and is told in a note.
func (r *run) paragraph(ctx context.Context, v *Version, l *learnt) {
	if len(r.judge) == 0 || !v.Verdict.Live && r.f.Live != "" {
		return
	}
	r.passages.prompt = v.Recipe.Prompt
	voice := &Voice{Folder: r.f, Version: v, b: r.b, learnt: l, passages: r.passages,
		options: l.serving(engine.Options{Streams: 1, Context: min(2048, r.b.model.Context), Pad: l.pad(), Memory: 256 << 20}, r.o.Exact)}
	defer voice.stop()
	strength := 1.0
	if !v.Verdict.Live {
		strength = 0
	}
	opening, _ := head(r.judge[0].Text, 12)
	var out strings.Builder
	s := &Speech{Sampling: DefaultSampling(), Max: 120, Strength: strength, Passages: true}
	s.Sampling.Seed = r.recipe.Options.Seed
	if _, err := voice.Write(ctx, opening, s, func(t string) error { out.WriteString(t); return nil }); err != nil {
		r.emit(stroke.NoteEvent{Text: "no paragraph: " + err.Error()})
		return
	}
	r.emit(stroke.ParagraphEvent{Opening: opening, Text: wholeSentences(out.String())})
}

// wholeSentences drops what follows the last end of a sentence.
func wholeSentences(s string) string {
	if i := strings.LastIndexAny(s, ".!?"); i > len(s)/3 {
		return s[:i+1]
	}
	return s
}

// DefaultSampling is how text that goes on from an opening is drawn where nobody says
// otherwise: docs/LOG.md has what else was tried.
func DefaultSampling() engine.Sampling {
	return engine.Sampling{Temperature: 1, TopP: 0.95, MinP: 0.05, Repeat: 1.05, Seed: 1}
}

// AnswerSampling is how answers are drawn: in a chat, and of what is to be rewritten,
// which is to keep what it says.
func AnswerSampling() engine.Sampling {
	s := DefaultSampling()
	s.Temperature = 0.8
	return s
}
