package corpus

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"

	stroke "github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/word"
)

// Near duplicates are found by containment: the share of the shorter text's
// five-word shingles that the longer one has too. Broder's resemblance, which
// MinHash estimates, misses a draft of half the length, containment does not.
// Candidates share one of the shingles kept by sampling on their hash (as in
// Broder's modulo sketches); what is said of a candidate is exact.
const (
	shingleWords  = 5
	nearDuplicate = 0.7 // containment from which two texts are near duplicates
	sampleOneIn   = 4
	smallText     = 128 // shingles, below which all are kept: a sample of few can miss what they share
	commonShingle = 64  // of the texts that have a shingle so many, the first, are looked at
)

// shingles are the hashes of a text's five-word runs, each once, in order. A
// text of fewer words is one shingle. Case and punctuation do not count.
func shingles(text string) []uint64 {
	text = strings.ToLower(text)
	var words []string
	for lo, hi := range word.All(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’'
	}) {
		words = append(words, text[lo:hi])
	}
	var out []uint64
	for i := 0; i == 0 || i+shingleWords <= len(words); i++ {
		out = append(out, hashWords(words[i:min(i+shingleWords, len(words))]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hashWords is FNV-1a with a final mix, the same in every run.
func hashWords(words []string) uint64 {
	h := uint64(14695981039346656037)
	for _, w := range words {
		for i := range len(w) {
			h = (h ^ uint64(w[i])) * 1099511628211
		}
		h = (h ^ ' ') * 1099511628211
	}
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

// common counts the members of two ordered sets that are in both.
func common(a, b []uint64) int {
	n := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			n, i, j = n+1, i+1, j+1
		}
	}
	return n
}

// containment is the share of the smaller set that is in the other.
func containment(a, b []uint64) float64 {
	return float64(common(a, b)) / float64(max(min(len(a), len(b)), 1))
}

// resemblance finds, among texts, those that share much with another.
type resemblance struct {
	sets   [][]uint64
	sample map[uint64][]int32
}

func newResemblance() *resemblance { return &resemblance{sample: map[uint64][]int32{}} }

// add takes a text in by its shingles, and gives its number.
func (r *resemblance) add(set []uint64) int {
	id := len(r.sets)
	r.sets = append(r.sets, set)
	for _, h := range set {
		if h%sampleOneIn == 0 || len(set) < smallText {
			r.sample[h] = append(r.sample[h], int32(id))
		}
	}
	return id
}

// near gives the texts whose containment with text id is at least least, in
// the order in which they were added.
func (r *resemblance) near(id int, least float64) []int {
	return slices.DeleteFunc(r.like(r.sets[id], least), func(other int) bool { return other == id })
}

// like is near for the shingles of a text that is not among them.
func (r *resemblance) like(set []uint64, least float64) []int {
	seen := map[int]bool{}
	for _, h := range set {
		// Of a formula that many texts have, the first of them tell as much as all.
		ids := r.sample[h]
		for _, other := range ids[:min(len(ids), commonShingle)] {
			seen[int(other)] = true
		}
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(seen)), func(other int) bool {
		return containment(set, r.sets[other]) < least
	})
}

// duplicate is a document that is not kept, and the one kept in its place.
type duplicate struct {
	doc, of stroke.Document
	same    bool // the very same text
}

// dropDuplicates keeps, of documents that are near duplicates, the longest,
// of equally long ones the newest, and of equal texts that with the shorter path, or else
// the older. Clusters are closed over what was dropped:
// two kept documents that both resemble a dropped one are of one cluster.
func dropDuplicates(docs []stroke.Document) (kept []stroke.Document, dropped []duplicate, clusters map[string]string) {
	docs = slices.Clone(docs)
	order := make([]int, len(docs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		x, y := docs[a], docs[b]
		return cmp.Or(y.Words-x.Words, y.Date.Compare(x.Date), strings.Compare(x.Hash, y.Hash), strings.Compare(x.Source, y.Source))
	})
	// By rank, so that the first of very many that are alike are those to be kept.
	r := newResemblance()
	for _, i := range order {
		r.add(shingles(docs[i].Text))
	}
	u := newUnion(len(docs))
	byHash := map[string]int{}
	gone := make([]bool, len(docs))
	type place struct{ doc, of int }
	var lost []place
	for rank, i := range order {
		if first, ok := byHash[docs[i].Hash]; ok {
			gone[i] = true
			u.join(i, first)
			if original(docs[i], docs[first]) {
				docs[i], docs[first] = docs[first], docs[i]
			}
			lost = append(lost, place{i, first})
			continue
		}
		byHash[docs[i].Hash] = i
		best := -1
		for _, other := range r.near(rank, nearDuplicate) {
			j := order[other]
			u.join(i, j)
			if best < 0 && other < rank && !gone[j] {
				best = j
			}
		}
		if best >= 0 {
			gone[i] = true
			lost = append(lost, place{i, best})
		}
	}
	for _, l := range lost {
		dropped = append(dropped, duplicate{doc: docs[l.doc], of: docs[l.of], same: docs[l.doc].Hash == docs[l.of].Hash})
	}
	least := map[int]string{} // the smallest hash of each set stands for it
	size := map[int]int{}
	for i, d := range docs {
		root := u.find(i)
		size[root]++
		if h, ok := least[root]; !ok || d.Hash < h {
			least[root] = d.Hash
		}
	}
	clusters = map[string]string{}
	for i, d := range docs {
		if root := u.find(i); size[root] > 1 {
			clusters[d.Hash] = least[root]
		}
		if !gone[i] {
			kept = append(kept, d)
		}
	}
	return kept, dropped, clusters
}

// original says that of two equal texts a is the one that the other is a copy of.
func original(a, b stroke.Document) bool {
	return cmp.Or(len(a.Source)-len(b.Source), a.Date.Compare(b.Date), strings.Compare(a.Source, b.Source)) < 0
}

// union is a disjoint-set forest.
type union []int

func newUnion(n int) union {
	u := make(union, n)
	for i := range u {
		u[i] = i
	}
	return u
}

func (u union) find(i int) int {
	for u[i] != i {
		u[i] = u[u[i]]
		i = u[i]
	}
	return i
}

func (u union) join(a, b int) {
	a, b = u.find(a), u.find(b)
	u[max(a, b)] = min(a, b)
}
