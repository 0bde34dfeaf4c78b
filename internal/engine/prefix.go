package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
)

// Prefix is the beginning of texts, such as a system prompt and examples, whose
// keys and values are kept in a file (docs/formats/prefix.md).
type Prefix struct {
	Tokens   []int32
	Adapters []lora.Applied
	// Base and Adapter tell the weights that the tokens go through from others, whose
	// files are not used. They stand in the file as they are.
	Base, Adapter string
}

// PrefixError says why a prefix's file is not used: it is damaged, or of another
// prefix, base, adapter, kernel or program. Reading the prefix anew and saving it
// puts a good one in its place.
type PrefixError struct {
	Path string
	Why  string
}

// Error names the file and what is wrong with it.
func (e *PrefixError) Error() string { return e.Path + ": " + e.Why }

// The file begins with the magic, the version of the format and the length of
// the header, and ends with a checksum of all before.
const (
	prefixMagic   = "strokekv"
	prefixVersion = 2
	prefixFixed   = 16 // bytes before the header
	prefixAlign   = 64 // bytes to which header, tokens and pages are padded
	maxHeader     = 1 << 16
	readersMost   = 4 // that read pages of a file at once
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is what a prefix's file says of itself.
type header struct {
	Base     string    `json:"base"`
	Adapter  string    `json:"adapter"`
	Strength []float32 `json:"strength"`
	Kernel   string    `json:"kernel"`
	KV       string    `json:"kv"`
	Layers   int       `json:"layers"`
	KVHeads  int       `json:"kv_heads"`
	HeadSize int       `json:"head_size"`
	PageLen  int       `json:"page_len"`
	Tokens   int       `json:"tokens"`
}

func (e *Engine) header(p *Prefix) header {
	h := header{Base: p.Base, Adapter: p.Adapter, Kernel: e.opt.arithmetic(), KV: e.opt.KV.String(), Layers: e.m.Layers,
		KVHeads: e.m.KVHeads, HeadSize: e.m.HeadSize, PageLen: model.PageLen, Tokens: len(p.Tokens)}
	for _, a := range p.Adapters {
		h.Strength = append(h.Strength, a.Strength)
	}
	return h
}

// begin is the file up to its pages.
func (e *Engine) begin(p *Prefix) ([]byte, error) {
	h, err := json.Marshal(e.header(p))
	if err != nil {
		return nil, err
	}
	b := append([]byte(nil), prefixMagic...)
	b = binary.LittleEndian.AppendUint32(b, prefixVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(h)))
	b = padded(append(b, h...))
	for _, t := range p.Tokens {
		b = binary.LittleEndian.AppendUint32(b, uint32(t))
	}
	return padded(b), nil
}

func padded(b []byte) []byte {
	return append(b, make([]byte, -len(b)&(prefixAlign-1))...)
}

// bytesOf is a page as it lies in memory.
func bytesOf(g model.Page) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(g))), 4*len(g))
}

// SavePrefix reads the tokens of p, where the engine does not know them yet, and
// writes their keys and values to a file, in whose place nothing half-written
// ever stands.
func (e *Engine) SavePrefix(ctx context.Context, path string, p Prefix) error {
	if len(p.Tokens) < partLeast {
		return fmt.Errorf("save a prefix: of fewer than %d tokens nothing is kept", partLeast)
	}
	g := &carried{leave: true}
	_, err := e.generate(ctx, Request{Prompt: p.Tokens, Adapters: p.Adapters, Max: 1}, nil, g)
	if err == nil {
		err = e.writePrefix(path, &p, g.pages)
	}
	for k := len(g.pages) - 1; k >= 0; k-- {
		e.pool.release(g.pages[k])
	}
	if len(g.pages) > 0 {
		e.holders.leave()
	}
	if err != nil {
		return fmt.Errorf("save a prefix: %w", err)
	}
	return nil
}

func (e *Engine) writePrefix(path string, p *Prefix, pages []*page) (err error) {
	b, err := e.begin(p)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	sum := crc32.New(castagnoli)
	w := io.MultiWriter(f, sum)
	if _, err = w.Write(b); err != nil {
		return err
	}
	for k, g := range pages {
		data := g.data
		if n := len(p.Tokens) - k*model.PageLen; n < model.PageLen {
			// Behind the prefix the page may have another text.
			data = make(model.Page, len(g.data))
			e.m.CopyPage(data, g.data, n, e.opt.KV)
		}
		if _, err = w.Write(bytesOf(data)); err != nil {
			return err
		}
	}
	if _, err = f.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32())); err != nil {
		return err
	}
	// It need not survive a crash: what is cut short then is noticed when it is read.
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// LoadPrefix reads the keys and values of p from a file that SavePrefix wrote, so
// that requests which begin with its tokens find them until their room is needed, and
// returns for how many tokens: fewer than four on the last page are not found. Its
// checksum is compared, and its header and tokens with those that p has here; of the
// keys and values the last position is computed again, and a file in which it has other
// bits is not used. Those before it are not computed: that they were made by the same
// weights follows from Base and Adapter alone.
//
// A *PrefixError says why a file is not used; the error of one which is not there
// wraps fs.ErrNotExist, that of one which cannot be read is the system's, and where
// memory is short it is a *BudgetError.
func (e *Engine) LoadPrefix(ctx context.Context, path string, p Prefix) (int, error) {
	n, err := e.loadPrefix(ctx, path, &p)
	if err != nil {
		return 0, fmt.Errorf("load a prefix: %w", err)
	}
	return n, nil
}

func (e *Engine) loadPrefix(ctx context.Context, path string, p *Prefix) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	bad := func(why string) error { return &PrefixError{Path: path, Why: why} }
	// unread is the error of a read: why where the file has ended, else the system's.
	unread := func(err error, why string) error {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return bad(why)
		}
		return err
	}
	fixed := make([]byte, prefixFixed)
	if _, err := io.ReadFull(f, fixed); err != nil {
		return 0, unread(err, "this is no saved prefix")
	}
	if string(fixed[:8]) != prefixMagic {
		return 0, bad("this is no saved prefix")
	}
	if v := binary.LittleEndian.Uint32(fixed[8:]); v != prefixVersion {
		return 0, bad(fmt.Sprintf("its format has version %d where this program knows %d", v, prefixVersion))
	}
	size := binary.LittleEndian.Uint32(fixed[12:])
	raw := make([]byte, min(size, maxHeader))
	var h header
	if _, err := io.ReadFull(f, raw); err != nil {
		return 0, unread(err, "its header is damaged")
	}
	if size > maxHeader || json.Unmarshal(raw, &h) != nil {
		return 0, bad("its header is damaged")
	}
	if h.Tokens != len(p.Tokens) {
		return 0, bad(fmt.Sprintf("it has %d tokens where the prefix has %d", h.Tokens, len(p.Tokens)))
	}
	// What is wanted is known to the byte; the file either begins so or is another's.
	want, err := e.begin(p)
	if err != nil {
		return 0, err
	}
	got := make([]byte, len(want))
	copy(got[copy(got, fixed):], raw)
	if _, err := io.ReadFull(f, got[min(len(got), prefixFixed+len(raw)):]); err != nil {
		return 0, unread(err, "it is cut short")
	}
	if !bytes.Equal(got, want) {
		return 0, bad("it is of another base, adapter, kernel, type of keys or text")
	}
	if err := e.check(&Request{Prompt: p.Tokens, Adapters: p.Adapters, Max: 1}); err != nil {
		return 0, err
	}
	e.holders.enter()
	defer e.holders.leave()
	pages, err := e.pool.takeAll(nil, pagesFor(h.Tokens))
	if err == errShort {
		return 0, e.shortOf("a prefix", pagesFor(h.Tokens), e.budget.inReach())
	}
	if err != nil {
		return 0, err
	}
	sum, err := readPages(f, int64(len(got)), pages, crc32.Checksum(got, castagnoli))
	if err != nil {
		err = unread(err, "it is cut short")
	} else {
		rest := make([]byte, 5)
		n, end := f.ReadAt(rest, int64(len(got))+int64(len(pages))*e.pageSize())
		switch {
		case end != nil && end != io.EOF:
			err = end
		case n != 4 || binary.LittleEndian.Uint32(rest) != sum:
			err = bad("its checksum is wrong: it is damaged")
		}
	}
	if err != nil {
		for _, g := range pages {
			e.pool.release(g)
		}
		return 0, err
	}
	known := h.Tokens
	if part := known % model.PageLen; part < partLeast {
		known -= part
	}
	return known, e.adopt(ctx, path, p, pages)
}

// pageSize is a page in a file, in bytes.
func (e *Engine) pageSize() int64 { return 4 * int64(e.m.PageSize(e.opt.KV)) }

// readPages fills pages from at on in a file and carries the checksum of what lies
// before on over them. Several are read at once, since most of the time goes to
// memory that is written for the first time, and summed up in their order meanwhile.
func readPages(f io.ReaderAt, at int64, pages []*page, sum uint32) (uint32, error) {
	read := make([]chan error, len(pages))
	for k := range read {
		read[k] = make(chan error, 1)
	}
	var next atomic.Int64
	var readers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), readersMost) {
		readers.Go(func() {
			for k := int(next.Add(1)) - 1; k < len(pages); k = int(next.Add(1)) - 1 {
				b := bytesOf(pages[k].data)
				n, err := f.ReadAt(b, at+int64(k)*int64(len(b)))
				if n == len(b) {
					err = nil // the file may end with the page
				}
				read[k] <- err
			}
		})
	}
	defer readers.Wait() // before anybody gives the pages back
	for k, g := range pages {
		if err := <-read[k]; err != nil {
			next.Store(int64(len(pages)))
			return 0, err
		}
		sum = crc32.Update(sum, castagnoli, bytesOf(g.data))
	}
	return sum, nil
}

// adopt makes loaded pages known, once their last position has been computed
// again to the same bits.
func (e *Engine) adopt(ctx context.Context, path string, p *Prefix, pages []*page) error {
	g := &carried{pages: pages, was: append([]byte(nil), bytesOf(pages[len(pages)-1].data)...)}
	_, err := e.generate(ctx, Request{Prompt: p.Tokens, Adapters: p.Adapters, Max: 1}, nil, g)
	if !g.taken {
		for _, x := range pages {
			e.pool.release(x)
		}
	}
	if err == nil && !g.same {
		err = &PrefixError{Path: path, Why: "its numbers are not those that this program computes"}
	}
	return err
}

// carried are pages that a stream leaves to its caller at its end, or brings with
// it, filled for all of its prompt. It computes the last position of the latter
// again, and they become known at its end where that changed nothing.
type carried struct {
	leave bool
	pages []*page
	was   []byte // the last page that is brought
	taken bool   // those that were brought are the stream's now
	same  bool
}

// brings says whether a stream brings pages with it.
func (s *stream) brings() bool { return s.carried != nil && !s.carried.leave }

// settle does at the end of a stream, before its pages are given back, what its
// caller wants of them.
func (e *Engine) settle(s *stream) {
	c := s.carried
	if c.leave {
		e.holders.enter()
		for _, g := range s.pages[:pagesFor(len(s.Prompt))] {
			e.pool.hold(g)
			c.pages = append(c.pages, g)
		}
		return
	}
	c.same = bytes.Equal(c.was, bytesOf(c.pages[len(c.pages)-1].data))
	for k := range e.common(s) / model.PageLen {
		e.share(s, k, model.PageLen)
	}
}
