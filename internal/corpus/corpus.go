// Package corpus turns a writer's files into documents: it walks a folder,
// reads Markdown, plain text, HTML, DOCX and EPUB, takes away what the writer
// did not write (markup, code, tables, quotations of others, licences), splits
// books and journals into their pieces, clusters near duplicates, and gives
// every document a role that it keeps in a ledger.
//
// What a file holds is never trusted: sizes, depth and the unpacked size of
// archives are bounded, and one file that cannot be read is a line in the
// table of what was left out, never the end of the others.
package corpus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	stroke "github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/word"
)

// Options are the limits of a [Read]. A zero field takes its default.
type Options struct {
	MinWords      int   // a piece with fewer words is left out; 25
	MaxTextBytes  int64 // largest text, Markdown or HTML file; 32 MiB
	MaxZipBytes   int64 // largest DOCX or EPUB file as it lies on the disk; 128 MiB
	MaxTotalBytes int64 // most bytes read in all, and a quarter of what DOCX and EPUB may unpack to; 1 GiB
	MaxFiles      int   // most files looked at; 100,000

	Looked func(files int) // is told, while a folder is read, how many files were looked at; may be nil
}

// unpackedShare is how many times MaxTotalBytes archives may unpack to.
const unpackedShare = 4

func (o Options) filled() Options {
	o.MinWords = cmp.Or(o.MinWords, 25)
	o.MaxTextBytes = cmp.Or(o.MaxTextBytes, 32<<20)
	o.MaxZipBytes = cmp.Or(o.MaxZipBytes, 128<<20)
	o.MaxTotalBytes = cmp.Or(o.MaxTotalBytes, 1<<30)
	o.MaxFiles = cmp.Or(o.MaxFiles, 100_000)
	return o
}

// Reading is what a folder or a file gave.
type Reading struct {
	Documents []stroke.Document // ordered by source; no two are near duplicates
	Left      []LeftOut         // ordered by source
	Notes     []Note            // what a writer should know of files that were read
	Kinds     []Kind            // ordered by words, most first

	// Clusters gives, for each document that has near duplicates among what
	// was read, the hash that stands for its cluster. Two documents kept can
	// share one: both resemble a third that was not kept.
	Clusters map[string]string
}

// LeftOut is a file, or a part of one, that is not among the documents.
type LeftOut struct {
	Source string `json:"source"`          // as in a document; a pattern like "*.png" where Files > 1
	Reason string `json:"reason"`          // lower case, no full stop
	Hint   string `json:"hint,omitempty"`  // what to do to have it read; may be empty
	Words  int    `json:"words,omitempty"` // words left out, 0 where they cannot be counted
	Files  int    `json:"files,omitempty"` // files this line stands for; 0 and 1 mean one
	Part   bool   `json:"part,omitempty"`  // the rest of the file was read
}

// Note is a remark on a file that was read.
type Note struct {
	Source string `json:"source"`
	Text   string `json:"text"`
}

// Kind counts what one kind of file gave: documents and words without the near
// duplicates that were left out.
type Kind struct {
	Name      string `json:"name"` // "Markdown", "plain text", "HTML", "DOCX", "EPUB"
	Files     int    `json:"files"`
	Documents int    `json:"documents"`
	Words     int    `json:"words"`
}

// Words is the number of words in all documents.
func (r *Reading) Words() int {
	n := 0
	for _, d := range r.Documents {
		n += d.Words
	}
	return n
}

// Language is the language of most of the documents' words, with the share
// of the words looked at that are in it.
func (r *Reading) Language() (iso639 string, share float64) {
	words := r.Languages()
	total, best := 0, ""
	for lang, n := range words {
		total += n
		if best == "" || n > words[best] || n == words[best] && lang < best {
			best = lang
		}
	}
	if total == 0 {
		return "", 0
	}
	return best, float64(words[best]) / float64(total)
}

// Languages counts the words of the documents by their language, "" where nobody
// can tell.
func (r *Reading) Languages() map[string]int {
	words := map[string]int{}
	for _, d := range r.Documents {
		lang, _ := Language(d.Text)
		words[lang] += d.Words
	}
	return words
}

// piece is one document of a file before it has an identity.
type piece struct {
	title string
	date  time.Time
	text  string
}

// reader gathers a Reading.
type reader struct {
	o        Options
	root     *os.Root
	out      *Reading
	bytes    int64
	unpacked int64 // bytes of archives beyond those that they have packed
	kinds    map[string]*Kind
	bulk     map[string]*LeftOut // lines that stand for many files, by source
}

const hintReadable = "see whether you may read it, and whether its path is right"

// Read reads the folder or file at path. Where nothing readable is found the
// Reading, with what was left out and why, comes together with an error of
// code input; a missing path is an error of code not_found.
func Read(ctx context.Context, path string, o Options) (*Reading, error) {
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &stroke.Error{Code: stroke.CodeNotFound, Msg: fmt.Sprintf("there is no file or folder %q", path),
				Hint: "name the folder that holds the writing, such as ~/writing"}
		}
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("%q cannot be looked at", path), Err: err, Hint: hintReadable}
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("%q is neither a file nor a folder", path), Hint: "name the folder that holds the writing, or a file of it"}
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", path, err)
	}
	dir, name := real, "."
	if !info.IsDir() {
		dir, name = filepath.Split(real)
		dir = cmp.Or(dir, ".")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the folder %q cannot be opened", dir), Err: err, Hint: hintReadable}
	}
	defer root.Close()

	r := &reader{o: o.filled(), root: root, out: &Reading{}, kinds: map[string]*Kind{}, bulk: map[string]*LeftOut{}}
	if info.IsDir() && r.isTwin(".") {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("%q is the folder of a twin", path),
			Hint: "name the folder that holds your own files: here are copies of them, and what a twin wrote"}
	}
	if info.IsDir() {
		err = r.walk(ctx)
	} else {
		r.file(name, info)
	}
	if err != nil {
		return nil, err
	}
	r.finish()
	if len(r.out.Documents) == 0 {
		e := &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("no writing was found in %q", path),
			Hint: "put text, Markdown, HTML, DOCX or EPUB files there"}
		if n := len(r.out.Left); n > 0 {
			e.Msg += "; what is there was left out, the first because: " + r.out.Left[0].Source + ": " + r.out.Left[0].Reason
			e.Hint = cmp.Or(r.out.Left[0].Hint, r.out.nothingHint(), e.Hint)
		}
		return r.out, e
	}
	return r.out, nil
}

// nothingHint says what to do where all that could be read was left out.
func (r *Reading) nothingHint() string {
	short := 0
	for _, l := range r.Left {
		if strings.HasPrefix(l.Reason, reasonShort) {
			short++
		}
	}
	switch {
	case r.Quoted() > 0:
		return "quotations are left out, since others wrote them: add writing of your own, or take the marks of quotations away where the words are yours"
	case short > 1:
		return "put the short pieces together in one file, with blank lines between them"
	case short > 0:
		return "add more writing"
	}
	return ""
}

// finish clusters near duplicates and puts everything in order.
func (r *reader) finish() {
	out := r.out
	var dropped []duplicate
	out.Documents, dropped, out.Clusters = dropDuplicates(out.Documents)
	for _, d := range dropped {
		reason := "near duplicate of " + d.of.Source
		if d.same {
			reason = "the same text as " + d.of.Source
		}
		out.Left = append(out.Left, LeftOut{Source: d.doc.Source, Reason: reason, Words: d.doc.Words})
		file, _ := sourceParts(d.doc.Source)
		if k := r.kinds[kindOf(file).name]; k != nil {
			k.Documents--
			k.Words -= d.doc.Words
		}
	}
	for _, l := range r.bulk {
		out.Left = append(out.Left, *l)
	}
	slices.SortStableFunc(out.Left, func(a, b LeftOut) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Reason, b.Reason))
	})
	for _, k := range r.kinds {
		out.Kinds = append(out.Kinds, *k)
	}
	slices.SortFunc(out.Kinds, func(a, b Kind) int {
		return cmp.Or(b.Words-a.Words, strings.Compare(a.Name, b.Name))
	})
}

func (r *reader) leave(l LeftOut) { r.out.Left = append(r.out.Left, l) }

func (r *reader) note(source, format string, args ...any) {
	r.out.Notes = append(r.out.Notes, Note{Source: source, Text: fmt.Sprintf(format, args...)})
}

// leaveBulk counts a file under a line that stands for many.
func (r *reader) leaveBulk(source, reason, hint string) {
	l := r.bulk[source]
	if l == nil {
		l = &LeftOut{Source: source, Reason: reason, Hint: hint}
		r.bulk[source] = l
	}
	l.Files++
}

// file reads one file, by its slash-separated name under the root.
func (r *reader) file(name string, info fs.FileInfo) {
	k := kindOf(name)
	if k.format == formatNone {
		if k.bulk != "" {
			r.leaveBulk(k.bulk, k.reason, k.hint)
		} else {
			r.leave(LeftOut{Source: name, Reason: k.reason, Hint: k.hint})
		}
		return
	}
	limit := r.o.MaxTextBytes
	archived := k.format == formatDOCX || k.format == formatEPUB
	if archived {
		limit = r.o.MaxZipBytes
	}
	size := info.Size()
	if size > limit {
		r.leave(LeftOut{Source: name, Reason: fmt.Sprintf("too large: %d MiB, where at most %d are read", size>>20, limit>>20),
			Hint: "split it into smaller files"})
		return
	}
	if r.bytes+size > r.o.MaxTotalBytes {
		r.leave(LeftOut{Source: name, Reason: fmt.Sprintf("beyond the %d MiB that are read in all", r.o.MaxTotalBytes>>20),
			Hint: "name a smaller folder"})
		return
	}
	if archived && r.unpacked/unpackedShare >= r.o.MaxTotalBytes {
		r.leave(LeftOut{Source: name, Reason: fmt.Sprintf("beyond the %d MiB that DOCX and EPUB unpack to in all", r.o.MaxTotalBytes>>20*unpackedShare),
			Hint: "name a smaller folder"})
		return
	}
	if size == 0 {
		r.leave(LeftOut{Source: name, Reason: "an empty file"})
		return
	}
	data, err := r.load(name, limit)
	if err != nil {
		r.leave(LeftOut{Source: name, Reason: "cannot be read: " + plainCause(err)})
		return
	}
	r.bytes += int64(len(data))

	src, err := parse(k.format, name, data)
	if src != nil {
		r.unpacked += max(0, src.unpacked-int64(len(data)))
	}
	if err != nil {
		l := LeftOut{Source: name, Reason: err.Error()}
		var u *unreadable
		if errors.As(err, &u) {
			l.Hint = u.hint
		}
		r.leave(l)
		return
	}
	pieces, left := split(src, r.o.MinWords)
	left = append(left, src.left...)
	for _, n := range src.notes {
		r.note(name, "%s", n)
	}
	for _, l := range left {
		l.Source = name
		l.Part = len(pieces) > 0
		r.leave(l)
	}
	if len(pieces) == 0 {
		if len(left) == 0 {
			r.leave(LeftOut{Source: name, Reason: "no text in it"})
		}
		return
	}
	kind := r.kinds[k.name]
	if kind == nil {
		kind = &Kind{Name: k.name}
		r.kinds[k.name] = kind
	}
	kind.Files++
	for i, p := range pieces {
		d := stroke.Document{Hash: stroke.HashText(p.text), Source: name, Title: p.title, Text: p.text,
			Words: countWords(p.text), Date: p.date}
		if i > 0 {
			d.Source = fmt.Sprintf("%s#%d", name, i+1)
		}
		kind.Documents++
		kind.Words += d.Words
		r.out.Documents = append(r.out.Documents, d)
	}
}

func (r *reader) load(name string, limit int64) ([]byte, error) {
	f, err := r.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// The size was looked at before; the file may have grown since.
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errors.New("it grew while it was read")
	}
	return data, err
}

// unreadable is why one file could not be read, in words for its writer.
type unreadable struct {
	reason, hint string
	err          error
}

func (u *unreadable) Error() string {
	if u.err == nil {
		return u.reason
	}
	return u.reason + ": " + u.err.Error()
}

func (u *unreadable) Unwrap() error { return u.err }

// parse reads one file by its format. The parsers under it are other people's
// and see bytes from anywhere, so that a panic in one of them is taken for
// what it is: this file cannot be read. The source of an archive that is refused
// says what it unpacked to.
func parse(f format, name string, data []byte) (src *source, err error) {
	defer func() {
		if p := recover(); p != nil {
			src, err = nil, &unreadable{reason: fmt.Sprintf("damaged: its parser gave up (%v)", p)}
		}
	}()
	switch f {
	case formatMarkdown:
		src, err = readMarkdown(name, data)
	case formatText:
		src, err = readText(data)
	case formatHTML:
		src, err = readHTML(data)
	case formatDOCX:
		src, err = readDOCX(data)
	case formatEPUB:
		src, err = readEPUB(data)
	default:
		err = fmt.Errorf("unknown format %d", f)
	}
	if err != nil {
		return src, err
	}
	if src.date.IsZero() {
		src.date = dateOfName(name)
	}
	src.post = f == formatMarkdown && !src.date.IsZero()
	return src, nil
}

// plainCause is an error without the operation and the path before it.
func plainCause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

func countWords(s string) int { return word.Count(s) }
