package twin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/eval"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/op"
	"github.com/getstroke/stroke/internal/tensor"
)

// genreCard is a card with its folder being made.
type genreCard struct{ genre.Card }

// putAdapter writes the adapter's files, in whole numbers or in F16, and enters
// their hashes.
func (c *genreCard) putAdapter(dir string, a *lora.Adapter, compact bool) error {
	name, other := genre.WeightsFile, genre.CompactFile
	write := func() error { return lora.WriteDir(dir, a.File(), tensor.F16) }
	if compact {
		name, other = other, name
		write = func() error { return lora.WriteCompact(dir, a.File()) }
	}
	if err := os.Remove(filepath.Join(dir, other)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return writeError(dir, err)
	}
	err := write()
	if errors.Is(err, tensor.ErrRange) {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter has numbers that are too large for F16", Err: err, Hint: "choose another adapter"}
	}
	if err != nil {
		return writeError(dir, err)
	}
	c.Files, c.Bytes = map[string]string{}, 0
	for _, name := range []string{genre.ConfigFile, name} {
		sum, n, err := hashFile(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("write genre: %w", err)
		}
		c.Files[name] = sum
		c.Bytes += n
	}
	return nil
}

// put moves the adapter's files out of dir to the genre's folder at to, with the
// card. The folder is whole or not there; one that is there is replaced with force alone.
func (c *genreCard) put(dir, to string, force bool) error {
	parent := filepath.Dir(to)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return writeError(to, err)
	}
	sweepLeft(parent, halfWrittenName)
	tmp, err := os.MkdirTemp(parent, halfWritten+"*")
	if err != nil {
		return writeError(to, err)
	}
	defer os.RemoveAll(tmp)
	b, err := json.MarshalIndent(&c.Card, "", "  ")
	if err != nil {
		return fmt.Errorf("write genre: %w", err)
	}
	files := map[string][]byte{genre.CardFile: append(b, '\n'), genre.ReadmeFile: []byte(c.Markdown(nil))}
	for name := range c.Files {
		if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("write genre: %w", err)
		}
	}
	for name, b := range files {
		if err := writeFile(filepath.Join(tmp, name), b); err != nil {
			return err
		}
		if err := os.Chmod(filepath.Join(tmp, name), 0o644); err != nil {
			return writeError(to, err)
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return writeError(to, err)
	}
	err = genre.Place(tmp, to, force)
	if said := (*stroke.Error)(nil); errors.As(err, &said) {
		return err
	}
	if err != nil {
		return writeError(to, err)
	}
	syncDir(parent)
	for name := range c.Files {
		os.Remove(filepath.Join(dir, name))
	}
	return nil
}

// GenreExported is what the export of a genre wrote.
type GenreExported struct {
	Genre string `json:"genre"`
	Base  string `json:"base"`
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"` // of the adapter's files
}

// ExportGenre writes the adapter of a genre as PEFT has it, in F16, into a folder
// that is not there yet. Its numbers are those of the genre to the bit.
func ExportGenre(name, baseName, to string) (*GenreExported, error) {
	l, err := Library()
	if err != nil {
		return nil, err
	}
	g, err := l.Find(baseName, name)
	if err != nil {
		return nil, err
	}
	config, tensors, err := g.Adapter()
	if err != nil {
		return nil, err
	}
	file, err := lora.Read(g.Path, config, tensors)
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeFailure, Msg: "the genre " + name + " cannot be used", Err: err, Hint: "make it or add it again"}
	}
	to = filepath.Clean(to) // beside a name with a slash at its end would be in it
	if _, err := os.Lstat(to); err == nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: to + " is there already", Hint: "name a folder that is not there yet"}
	}
	tmp, err := os.MkdirTemp(filepath.Dir(to), halfWritten+"*")
	if err != nil {
		return nil, writeError(to, err)
	}
	defer os.RemoveAll(tmp)
	e := &GenreExported{Genre: g.Name, Base: g.Base.Name, Path: to}
	if err := lora.WriteDir(tmp, file, tensor.F16); err != nil {
		return nil, writeError(to, err)
	}
	card := g.Card // of what is written here
	card.Files = map[string]string{}
	for _, name := range []string{lora.ConfigFile, lora.WeightsFile} {
		sum, n, err := hashFile(filepath.Join(tmp, name))
		if err != nil {
			return nil, fmt.Errorf("export the genre: %w", err)
		}
		card.Files[name] = sum
		e.Bytes += n
	}
	card.Bytes = e.Bytes
	if err := writeFile(filepath.Join(tmp, genre.ReadmeFile), []byte(card.Markdown(g.Measured))); err != nil {
		return nil, err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return nil, writeError(to, err)
	}
	if err := os.Rename(tmp, to); err != nil {
		return nil, writeError(to, err)
	}
	syncDir(filepath.Dir(to))
	return e, nil
}

// AddOptions are what the adding of somebody else's adapter is asked for.
type AddOptions struct {
	From    string // a folder, an archive, or the address of one
	Name    string // of the genre; that of the folder or archive where empty
	Base    string // that it is for; the one that the adapter names where empty
	For     string // what it is for
	Licence string // that it was given under
	Force   bool
}

// mostScale bounds what an adapter's product is multiplied by; adapters that
// work have 1 or 2, those with rsLoRA and a high rank some 30.
const mostScale = 64

// AddGenre takes somebody else's adapter into the user's library. Nothing in it
// is trusted: its config and weights alone are taken and written anew, in F16 or, where they
// came so, in whole numbers, and what is written is checked.
func AddGenre(ctx context.Context, o AddOptions, emit Emit) (*genre.Genre, error) {
	if emit == nil {
		emit = func(stroke.Event) {}
	}
	from := genre.Public(o.From)
	name := o.Name
	if name == "" {
		parts := strings.Split(filepath.ToSlash(strings.TrimRight(from, `/\`)), "/")
		if n := len(parts); n > 1 && parts[n-1] == lora.WeightsFile {
			parts = parts[:n-1] // every adapter's file has that name
		}
		last := parts[len(parts)-1]
		for _, end := range []string{".zip", ".tar.gz", ".tgz"} {
			last = strings.TrimSuffix(last, end)
		}
		name = strings.ToLower(last)
	}
	if err := genre.CheckName(name); err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: err.Error(), Hint: "name it: --name NAME"}
	}
	if dir := twinOf(o.From); dir != "" {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter at " + from + " is what the twin in " + dir + " has learnt of its writer, and no genre",
			Hint: "go on from it: stroke train FOLDER --on DIR"}
	}
	l, err := Library()
	if err != nil {
		return nil, err
	}
	work := l.Work("add", name)
	if err := os.MkdirAll(filepath.Dir(work), 0o700); err != nil {
		return nil, writeError(work, err)
	}
	sweepLeft(filepath.Dir(work), addingName)
	dir, err := os.MkdirTemp(filepath.Dir(work), name+"-*")
	if err != nil {
		return nil, writeError(work, err)
	}
	defer os.RemoveAll(dir)
	if err := genre.Fetch(ctx, o.From, dir); err != nil {
		return nil, err
	}
	_, err = os.Lstat(filepath.Join(dir, genre.WeightsFile))
	compact := errors.Is(err, os.ErrNotExist)
	file, err := lora.ReadDir(dir)
	if bad := (*lora.ReadError)(nil); errors.As(err, &bad) {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter at " + from + " cannot be used: " + bad.Msg, Hint: bad.Hint()}
	}
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter at " + from + " cannot be read", Err: err, Hint: "name the folder of a LoRA adapter as PEFT saves it, or an archive of one"}
	}
	baseName, err := o.base(&file.Config)
	if err != nil {
		return nil, err
	}
	store, err := base.NewStore()
	if err != nil {
		return nil, err
	}
	b, err := OpenBase(ctx, store, baseName, "", "", emit)
	if err != nil {
		return nil, err
	}
	defer b.close()
	to := l.Dir(b.name, name)
	if err := genre.Taken(to, o.Force); err != nil {
		return nil, err
	}
	a, err := b.fit(file)
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter at " + from + " does not fit the base " + b.name, Err: err,
			Hint: "name the base it was trained on: --base NAME"}
	}
	card := &genreCard{genre.Card{Schema: 1, Name: name, For: o.For, Licence: o.Licence, Rank: file.Config.Rank, Added: from,
		Limits: []string{"Somebody else made it: what text is in it, and whether it may be given away, is for you to know."}}}
	if card.For == "" {
		card.For = "whatever its maker made it for"
	}
	if card.Licence == "" {
		card.Licence = "other"
		emit(stroke.NoteEvent{Text: "its licence is not said: --licence names the one that it was given under"})
	}
	if card.Base, err = b.baseOf(); err != nil {
		return nil, fmt.Errorf("name the base: %w", err)
	}
	a.Base = card.Base.Public()
	if err := card.putAdapter(dir, a, compact); err != nil {
		return nil, err
	}
	if file, err = lora.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("check the adapter: %w", err)
	}
	if a, err = b.fit(file); err != nil {
		return nil, fmt.Errorf("check the adapter: %w", err)
	}
	if err := b.sound(ctx, a, from, emit); err != nil {
		return nil, err
	}
	if err := card.put(dir, to, o.Force); err != nil {
		return nil, err
	}
	return l.Find(b.name, name)
}

// base is the base that an adapter is added for.
func (o *AddOptions) base(c *lora.Config) (string, error) {
	if o.Base != "" {
		return o.Base, nil
	}
	for _, e := range base.Catalog() {
		if c.BaseModel != "" && (strings.EqualFold(e.Model, c.BaseModel) || strings.EqualFold(e.Name, c.BaseModel)) {
			return e.Name, nil
		}
	}
	from := genre.Public(o.From)
	msg := "the adapter at " + from + " does not say which base it is for"
	if c.BaseModel != "" {
		msg = fmt.Sprintf("the adapter at %s is for the base %.100q, which the catalog does not have", from, c.BaseModel)
	}
	return "", &stroke.Error{Code: stroke.CodeInput, Msg: msg, Hint: "name it: --base NAME, or --base PATH of its file"}
}

// soundText is what an adapter must give numbers for.
const soundText = "It had rained since the morning, and nobody in the house had said so. The cat went from one window to the next, as if the weather might be another at the back, and then lay down on the newspaper that was being read."

// sound says why an adapter cannot be used although it has the right shape: what
// it computes is not a number, or its scale is beyond all use.
func (b *baseModel) sound(ctx context.Context, a *lora.Adapter, from string, emit Emit) error {
	var bad error
	a.Each(func(l int, m lora.Module, p *op.Pair) {
		if s := math.Abs(float64(p.Scale)); bad == nil && !(s <= mostScale) {
			bad = fmt.Errorf("its alpha multiplies %s in layer %d by %.3g, and at most %d is of any use", m, l, s, mostScale)
		}
	})
	if bad != nil {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter at " + from + " cannot be used", Err: bad, Hint: "choose another adapter"}
	}
	s, err := eval.NewScorer(b.model, 256, a.Pad(), false)
	if err != nil {
		return err
	}
	defer s.Close()
	pieces := []eval.Piece{{Context: []int32{b.first}, Tokens: b.tok.Encode(soundText)}}
	var nats [2]float64
	for i, use := range [][]lora.Applied{nil, {{Adapter: a, Strength: 1}}} {
		losses, err := s.Score(ctx, pieces, use, nil)
		if err != nil {
			return interrupted(err, "check the adapter", "nothing was added")
		}
		nats[i] = eval.Pool(losses).PerToken()
	}
	if math.IsNaN(nats[1]) || math.IsInf(nats[1], 0) {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter at " + from + " cannot be used: with it the base computes what is no number", Hint: "choose another adapter"}
	}
	if worse := nats[1] - nats[0]; worse > 1 {
		emit(stroke.NoteEvent{Text: fmt.Sprintf("with this adapter the base predicts plain English prose worse, by %.1f nats a token: it may be for something else", worse)})
	}
	return nil
}
