package token

// symbol is a stretch of a word that is being merged, in a list linked by
// index.
type symbol struct {
	id         int32 // None for a character that the vocabulary lacks
	prev, next int32 // -1 at the ends
	start, end int32 // bytes of the word; start == end once merged into its left neighbour
}

// candidate is a pair of neighbours that may be merged: the symbol at pos and
// the one after it, into token id.
type candidate struct {
	key uint64 // rank, then position: the least is merged first
	id  int32
}

func (c candidate) pos() int32 { return int32(uint32(c.key)) }

// merger merges the symbols of one word after another. Its memory is kept
// between words; it is not safe for use by several goroutines.
//
// The order is that of the reference implementations: the pair of the least
// rank first, of several such the leftmost, kept in a heap, so that a word of
// n symbols costs n log n however long it is.
type merger struct {
	symbols []symbol
	heap    []candidate
}

// reset makes room for a new word.
func (m *merger) reset() {
	m.symbols, m.heap = m.symbols[:0], m.heap[:0]
}

// add puts a symbol after those added so far.
func (m *merger) add(id int32, start, end int) {
	n := int32(len(m.symbols))
	m.symbols = append(m.symbols, symbol{id: id, prev: n - 1, next: n + 1, start: int32(start), end: int32(end)})
}

// run merges until nothing can be merged. pair says what two neighbours
// become and at what rank.
func (m *merger) run(pair func(a, b *symbol) (rank uint32, id int32, ok bool)) {
	if len(m.symbols) == 0 {
		return
	}
	m.symbols[len(m.symbols)-1].next = -1
	for i := range len(m.symbols) - 1 {
		m.consider(int32(i), pair)
	}
	for len(m.heap) > 0 {
		c := m.pop()
		a := &m.symbols[c.pos()]
		if a.start == a.end || a.next < 0 {
			continue
		}
		b := &m.symbols[a.next]
		// A candidate is stale when either side has been merged since. The
		// reference asks whether the two still make the same token.
		if _, id, ok := pair(a, b); !ok || id != c.id {
			continue
		}
		a.id, a.end = c.id, b.end
		b.start = b.end
		a.next = b.next
		if b.next >= 0 {
			m.symbols[b.next].prev = c.pos()
			m.consider(c.pos(), pair)
		}
		if a.prev >= 0 {
			m.consider(a.prev, pair)
		}
	}
}

// consider puts the pair that begins at pos on the heap, if it can be merged.
func (m *merger) consider(pos int32, pair func(a, b *symbol) (uint32, int32, bool)) {
	a := &m.symbols[pos]
	if rank, id, ok := pair(a, &m.symbols[a.next]); ok {
		m.push(candidate{key: uint64(rank)<<32 | uint64(uint32(pos)), id: id})
	}
}

func (m *merger) push(c candidate) {
	h := append(m.heap, c)
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 2
		if h[up].key <= c.key {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = c
	m.heap = h
}

func (m *merger) pop() candidate {
	h := m.heap
	top, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	m.heap = h
	if len(h) == 0 {
		return top
	}
	i := 0
	for {
		down := 2*i + 1
		if down >= len(h) {
			break
		}
		if down+1 < len(h) && h[down+1].key < h[down].key {
			down++
		}
		if last.key <= h[down].key {
			break
		}
		h[i] = h[down]
		i = down
	}
	h[i] = last
	return top
}

// wordCache remembers the ids of words, so that a word of a language is
// merged once and looked up ever after.
type wordCache struct {
	at  map[string]span
	ids []int32
}

type span struct{ start, end int32 }

const (
	cachedWords   = 1 << 15 // words kept; then the cache starts anew
	cachedWordLen = 48      // bytes; longer words are seldom seen twice
)

func (c *wordCache) get(word string) ([]int32, bool) {
	s, ok := c.at[word]
	if !ok {
		return nil, false
	}
	return c.ids[s.start:s.end], true
}

func (c *wordCache) put(word string, ids []int32) {
	if len(word) > cachedWordLen {
		return
	}
	if c.at == nil || len(c.at) >= cachedWords {
		c.at, c.ids = make(map[string]span, 1024), c.ids[:0]
	}
	start := len(c.ids)
	c.ids = append(c.ids, ids...)
	// The clone keeps the cache from holding the whole text that the word is
	// a part of.
	c.at[string([]byte(word))] = span{int32(start), int32(len(c.ids))}
}
