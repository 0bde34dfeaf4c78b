package corpus

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	stroke "github.com/getstroke/stroke"
)

// Entry is what the ledger keeps of one document.
type Entry struct {
	Hash    string      `json:"hash"`              // of the document's text
	Source  string      `json:"source"`            // where it was last seen
	Title   string      `json:"title,omitempty"`   //
	Role    stroke.Role `json:"role"`              // given once, kept for good
	Date    string      `json:"date"`              // when it was added, RFC 3339
	Words   int         `json:"words"`             //
	Cluster string      `json:"cluster,omitempty"` // hash that stands for its near duplicates, empty where it has none
	Why     string      `json:"why"`               // why it has its role
	Parent  string      `json:"parent,omitempty"`  // of a block: hash of the whole document it was cut from
	Index   int         `json:"index,omitempty"`   // of a block: its place in the parent, from 1
	Gone    bool        `json:"gone,omitempty"`    // it was not among the files that the newest version was made from

	// Verdicts name what was judged by it, in that order: the beginnings of hashes of
	// what each training was asked for.
	Verdicts []string `json:"verdicts,omitempty"`
}

// Ledger is the memory of a twin's documents: which were ever seen, and the
// role each was given. Documents that are gone stay in it, so that one that
// comes back has the role it had. It must not be used by several goroutines at once,
// be it to ask alone.
type Ledger struct {
	Entries []Entry // in the order in which they were added; their hashes stay

	at     map[string]int // by hash, one more than the index of the first entry that has it
	looked int            // entries that are in at
}

// find is the index of an entry, -1 where there is none.
func (l *Ledger) find(hash string) int {
	if l.at == nil {
		l.at = make(map[string]int, len(l.Entries))
	}
	for ; l.looked < len(l.Entries); l.looked++ {
		if h := l.Entries[l.looked].Hash; l.at[h] == 0 {
			l.at[h] = l.looked + 1
		}
	}
	return l.at[hash] - 1
}

// Entry is the entry of a document.
func (l *Ledger) Entry(hash string) (Entry, bool) {
	if i := l.find(hash); i >= 0 {
		return l.Entries[i], true
	}
	return Entry{}, false
}

// Role is the role of a document, "" where the ledger does not know it.
func (l *Ledger) Role(hash string) stroke.Role {
	e, _ := l.Entry(hash)
	return e.Role
}

// Neighbours are the blocks directly before and behind a block in the document
// it was cut from: texts that a reader of the block could guess from, and that
// must therefore never be retrieved for it. A whole document has none.
func (l *Ledger) Neighbours(hash string) []string {
	return l.siblings(hash, func(blocks int) bool { return blocks == -1 || blocks == 1 })
}

// Siblings are all other blocks of the document that a block was cut from. A whole
// document has none.
func (l *Ledger) Siblings(hash string) []string {
	return l.siblings(hash, func(int) bool { return true })
}

// siblings are those that are so many blocks behind as is wanted.
func (l *Ledger) siblings(hash string, wanted func(blocks int) bool) []string {
	e, ok := l.Entry(hash)
	if !ok || e.Parent == "" {
		return nil
	}
	var out []string
	for i := range l.Entries {
		if o := &l.Entries[i]; o.Parent == e.Parent && o.Hash != hash && wanted(o.Index-e.Index) {
			out = append(out, o.Hash)
		}
	}
	return out
}

// Look is which verdict on the documents one of that name is, from 1. Where they
// were judged unequally often it is that of those which hold at least half of the
// words. One that was given before is none anew.
func (l *Ledger) Look(hashes []string, name string) int {
	words := map[int]int{} // by look
	all, most := 0, 1
	for _, h := range hashes {
		e, ok := l.Entry(h)
		if !ok {
			continue
		}
		look := slices.Index(e.Verdicts, name) + 1
		if look == 0 {
			look = len(e.Verdicts) + 1
		}
		words[look] += e.Words
		all += e.Words
		most = max(most, look)
	}
	for n := 0; most > 1; most-- {
		if n += words[most]; 2*n >= all {
			break
		}
	}
	return most
}

// Here marks as gone what is not among documents, and nothing else.
func (l *Ledger) Here(docs []stroke.Document) {
	here := make(map[string]bool, len(docs))
	for _, d := range docs {
		here[d.Hash] = true
	}
	for i := range l.Entries {
		l.Entries[i].Gone = !here[l.Entries[i].Hash]
	}
}

// Missing counts the words of the documents that are not gone, and of those among them
// that neither are among docs nor have a near duplicate there. text gives what is kept of
// a document; one of which nothing is kept is not counted.
func (l *Ledger) Missing(docs []stroke.Document, text func(hash string) (string, bool)) (missing, known int) {
	here := Among(docs)
	for _, e := range l.Entries {
		if e.Gone {
			continue
		}
		t, ok := text(e.Hash)
		if !ok {
			continue
		}
		known += e.Words
		if !here(e.Hash, t) {
			missing += e.Words
		}
	}
	return missing, known
}

// NearDuplicates are those of the documents that are among others or have a near duplicate
// there.
func NearDuplicates(docs, others []stroke.Document) []stroke.Document {
	here := Among(others)
	var out []stroke.Document
	for _, d := range docs {
		if here(d.Hash, d.Text) {
			out = append(out, d)
		}
	}
	return out
}

// Among says of a document whether it, or a near duplicate of it, is one of docs, which
// are read once for all that it is asked.
func Among(docs []stroke.Document) func(hash, text string) bool {
	here := make(map[string]bool, len(docs))
	like := newResemblance()
	for _, d := range docs {
		here[d.Hash] = true
		like.add(shingles(d.Text))
	}
	return func(hash, text string) bool {
		return here[hash] || len(like.like(shingles(text), nearDuplicate)) > 0
	}
}

// Judged enters into the documents' lists that they were judged by.
func (l *Ledger) Judged(hashes []string, name string) {
	for _, h := range hashes {
		if i := l.find(h); i >= 0 && !slices.Contains(l.Entries[i].Verdicts, name) {
			l.Entries[i].Verdicts = append(slices.Clip(l.Entries[i].Verdicts), name)
		}
	}
}

// Bounds on a ledger's file.
const (
	maxLedgerLine    = 256 << 10
	maxLedgerEntries = 2_000_000
)

var hexName = regexp.MustCompile(`^[0-9a-f]{12}$`)

var hexHash = regexp.MustCompile(`^[0-9a-f]{64}$`)

// check says what is wrong with an entry.
func (e *Entry) check() error {
	switch {
	case !hexHash.MatchString(e.Hash):
		return errors.New("its hash is not 64 hexadecimal digits")
	case e.Role != stroke.RoleTrain && e.Role != stroke.RoleSelect && e.Role != stroke.RoleJudge:
		return fmt.Errorf("its role is %q", e.Role)
	case e.Words < 0:
		return fmt.Errorf("its number of words is %d", e.Words)
	case e.Cluster != "" && !hexHash.MatchString(e.Cluster):
		return errors.New("its cluster is not a hash")
	case e.Parent != "" && !hexHash.MatchString(e.Parent):
		return errors.New("its parent is not a hash")
	case e.Index < 0 || (e.Index > 0) != (e.Parent != ""):
		return errors.New("its parent and its index do not go together")
	}
	for _, v := range e.Verdicts {
		if !hexName.MatchString(v) {
			return fmt.Errorf("it names a verdict %q", v)
		}
	}
	if _, err := time.Parse(time.RFC3339, e.Date); err != nil {
		return fmt.Errorf("its date is %q", e.Date)
	}
	return nil
}

// WriteLedger writes one JSON object a line, in the ledger's order.
func WriteLedger(w io.Writer, l *Ledger) error {
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	for i := range l.Entries {
		if err := enc.Encode(&l.Entries[i]); err != nil {
			return fmt.Errorf("write ledger: %w", err)
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write ledger: %w", err)
	}
	return nil
}

// Damage says which lines of a ledger could not be read. The ledger that
// comes with it holds all the others.
type Damage struct {
	Lines []int    // numbers of the damaged lines, from 1
	Why   []string // what is wrong with each
	Sound int      // entries that were read
}

// Error names the damaged lines.
func (d *Damage) Error() string {
	var b strings.Builder
	for i, n := range d.Lines {
		if i == 5 {
			fmt.Fprintf(&b, " and %d more", len(d.Lines)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "line %d: %s", n, d.Why[i])
	}
	return b.String()
}

// ReadLedger reads what [WriteLedger] wrote. Fields it does not know are passed
// over. Where lines are damaged it gives the entries of all others together
// with a stroke.Error around a [Damage].
func ReadLedger(r io.Reader) (*Ledger, error) {
	l := &Ledger{}
	d := &Damage{}
	seen := map[string]int{}
	in := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; n++ {
		line, tooLong, err := ledgerLine(in)
		if err != nil && err != io.EOF {
			return l, fmt.Errorf("read ledger: %w", err)
		}
		if len(bytes.TrimSpace(line)) > 0 || tooLong {
			e, why := ledgerEntry(line, tooLong)
			if why == "" {
				if i, ok := seen[e.Hash]; !ok {
					if len(l.Entries) == maxLedgerEntries {
						return l, fmt.Errorf("read ledger: more than %d entries", maxLedgerEntries)
					}
					seen[e.Hash] = len(l.Entries)
					l.Entries = append(l.Entries, e)
				} else if old := l.Entries[i]; old.Role != e.Role {
					why = fmt.Sprintf("it gives %.12s the role %s, which is %s by an earlier line", e.Hash, e.Role, old.Role)
				} else {
					l.Entries[i] = e // seen again elsewhere
				}
			}
			if why != "" {
				d.Lines = append(d.Lines, n)
				d.Why = append(d.Why, why)
			}
		}
		if err == io.EOF {
			break
		}
	}
	if len(d.Lines) == 0 {
		return l, nil
	}
	d.Sound = len(l.Entries)
	lines := make([]string, 0, 5)
	for i, n := range d.Lines {
		if i == 5 {
			lines = append(lines, "…")
			break
		}
		lines = append(lines, strconv.Itoa(n))
	}
	return l, &stroke.Error{Code: stroke.CodeFailure,
		Msg:  fmt.Sprintf("the ledger is damaged; %d other documents keep their roles", d.Sound),
		Hint: fmt.Sprintf("mend or remove line %s of it; a document whose line is gone is taken for new and gets a role again", strings.Join(lines, ", ")),
		Err:  d}
}

// ledgerLine reads one line, of which no more than the bound is kept.
func ledgerLine(in *bufio.Reader) (line []byte, tooLong bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) > maxLedgerLine {
			tooLong = true
		} else {
			line = append(line, part...)
		}
		if err != bufio.ErrBufferFull {
			return line, tooLong, err
		}
	}
}

func ledgerEntry(line []byte, tooLong bool) (e Entry, why string) {
	if tooLong {
		return e, "it is too long"
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return e, "it is not the JSON of an entry"
	}
	if err := e.check(); err != nil {
		return e, err.Error()
	}
	return e, ""
}
