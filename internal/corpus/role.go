package corpus

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	stroke "github.com/getstroke/stroke"
)

// How documents are given roles.
const (
	withheldShare = 0.20 // share of all words that is withheld
	judgeShare    = 2.0 / 3
	fewDocuments  = 12 // below this, long documents are cut into blocks

	// LeastWords is the least text that a twin can be trained and judged on.
	// A verdict needs two judge documents, a choice one select document, and
	// training one at the very least. Of a withheld document the first 100
	// words are only asked with, never scored, so that one of fewer than 150
	// words says next to nothing. Four times 150 is 600.
	LeastWords = 600

	leastBlock = 150 // words of a block where text is little, and of a document worth withholding
	smallBlock = 120 // a block cut between paragraphs may fall short by so much
)

// Enough says whether words are enough to train on and to judge by.
func Enough(words int) error {
	if words >= LeastWords {
		return nil
	}
	return &stroke.Error{Code: stroke.CodeInput,
		Msg:  fmt.Sprintf("%d words are too few to train on and to judge by: the least is %d", words, LeastWords),
		Hint: "add more writing; with less, the base can still write with your own passages before it, as examples, untrained and unjudged"}
}

// AssignOptions is what [Assign] needs to know besides the documents.
type AssignOptions struct {
	Now      time.Time                                // date of the new entries; now where zero
	Clusters map[string]string                        // of the reading the documents come from
	Text     func(hash string) (text string, ok bool) // text of a document that the ledger knows; nil where none is kept
}

// Assign gives every document a role and enters it into the ledger. A role
// once given stays. New documents are taken in the order of their hashes, one
// that shares three tenths of its text with a known document has that one's role,
// new ones that do have one role; about a fifth of all words is withheld,
// two thirds of that for the judge, and at least one document is for select
// and two for the judge. Where there are fewer than twelve documents, or one
// is most of the text, long new documents are cut into blocks first.
//
// It returns the documents as the ledger knows them, blocks in place of those
// that were cut, in the order given. The ledger is changed only where there is
// no error; the error is that of [Enough], or of the same code where the text
// falls into too few pieces.
func Assign(l *Ledger, docs []stroke.Document, o AssignOptions) ([]stroke.Document, error) {
	total := 0
	for _, d := range docs {
		total += d.Words
	}
	if err := Enough(total); err != nil {
		return nil, err
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	a := &assignment{o: o, total: total, ledger: &Ledger{Entries: slices.Clone(l.Entries)},
		known: map[string]int{}, like: newResemblance(), sets: map[string][]uint64{}, owns: map[int][]uint64{}}
	for i, e := range l.Entries {
		a.known[e.Hash] = i
	}
	a.remember(docs)
	out, err := a.place(docs)
	if err != nil {
		return nil, err
	}
	l.Entries = a.ledger.Entries
	return out, nil
}

// assignment is the work of one Assign.
type assignment struct {
	o      AssignOptions
	total  int // words of all documents
	ledger *Ledger
	known  map[string]int // entries by hash

	like    *resemblance
	entries []int // entry of each text in like

	sets map[string][]uint64 // shingles of texts, by hash
	owns map[int][]uint64    // what own gave
}

// remember takes in the texts of the documents that the ledger knows.
func (a *assignment) remember(docs []stroke.Document) {
	here := map[string]string{}
	for _, d := range docs {
		here[d.Hash] = d.Text
	}
	for i, e := range a.ledger.Entries {
		text, ok := here[e.Hash]
		if !ok && a.o.Text != nil {
			text, ok = a.o.Text(e.Hash)
		}
		if ok {
			a.like.add(a.shingles(e.Hash, text))
			a.entries = append(a.entries, i)
		}
	}
}

// shingles are those of a text, worked out once.
func (a *assignment) shingles(hash, text string) []uint64 {
	s, ok := a.sets[hash]
	if !ok {
		s = shingles(text)
		a.sets[hash] = s
	}
	return s
}

// kin are the known entries that share much with a document.
func (a *assignment) kin(d stroke.Document, least float64) []int {
	var out []int
	for _, n := range a.like.like(a.shingles(d.Hash, d.Text), least) {
		out = append(out, a.entries[n])
	}
	return out
}

// place cuts what is to be cut, and gives roles.
func (a *assignment) place(docs []stroke.Document) ([]stroke.Document, error) {
	parents := map[string]bool{}
	for _, e := range a.ledger.Entries {
		if e.Parent != "" {
			parents[e.Parent] = true
		}
	}
	lo, hi := a.blockSize()
	few := a.few(docs)
	var out []stroke.Document
	blockOf := map[string]Block{}
	for _, d := range docs {
		_, known := a.known[d.Hash]
		switch {
		case known:
			out = append(out, d)
			continue
		case parents[d.Hash]:
			// It was cut before, perhaps by other sizes: its blocks are what
			// the ledger says, as far as the text gives them again.
			if bs, ok := a.recut(d); ok {
				for _, b := range bs {
					blockOf[b.Document.Hash] = b
					out = append(out, b.Document)
				}
				continue
			}
		case d.Words <= hi:
			out = append(out, d)
			continue
		case !few && !a.resemblesBlocks(d):
			out = append(out, d)
			continue
		}
		for _, b := range cut(d, lo, hi) {
			if b.Document.Hash != d.Hash {
				blockOf[b.Document.Hash] = b
			}
			out = append(out, b.Document)
		}
	}
	out = firstOfEach(out)
	if err := a.roles(out, blockOf); err != nil {
		return nil, err
	}
	return out, nil
}

// firstOfEach drops documents of equal text: a refrain can be two blocks.
func firstOfEach(docs []stroke.Document) []stroke.Document {
	seen := map[string]bool{}
	return slices.DeleteFunc(docs, func(d stroke.Document) bool {
		was := seen[d.Hash]
		seen[d.Hash] = true
		return was
	})
}

// blockSize is that of [Cut], less where the whole text is so short that three
// withheld blocks would be much more than a fifth of it.
func (a *assignment) blockSize() (lo, hi int) {
	const full = 15 * (BlockMin + BlockMax) / 2 // three blocks in fifteen are a fifth
	if a.total >= full {
		return BlockMin, BlockMax
	}
	size := min(max(a.total/15, leastBlock), (BlockMin+BlockMax)/2)
	return max(size*4/5, smallBlock), size * 6 / 5
}

// few reports fewer than twelve documents, or one that is most of the text.
func (a *assignment) few(docs []stroke.Document) bool {
	longest := 0
	for _, d := range docs {
		longest = max(longest, d.Words)
	}
	return len(docs) < fewDocuments || longest*2 > a.total
}

// resemblesBlocks reports whether a document holds blocks that the ledger
// knows: it is the next state of one that was cut.
func (a *assignment) resemblesBlocks(d stroke.Document) bool {
	for _, i := range a.kin(d, nearDuplicate) {
		if a.ledger.Entries[i].Parent != "" {
			return true
		}
	}
	return false
}

// recut cuts a document as the ledger remembers: into blocks of the hashes it
// knows. It fails where no sizes give them.
func (a *assignment) recut(d stroke.Document) ([]Block, bool) {
	want := map[string]bool{}
	for _, e := range a.ledger.Entries {
		if e.Parent == d.Hash {
			want[e.Hash] = true
		}
	}
	lo, hi := a.blockSize()
	sizes := [][2]int{{lo, hi}, {BlockMin, BlockMax}}
	// The sizes follow from the words there were in all, at least this document's.
	for size := leastBlock; size < (BlockMin+BlockMax)/2; size++ {
		sizes = append(sizes, [2]int{max(size*4/5, smallBlock), size * 6 / 5})
	}
	for _, s := range sizes {
		bs := cut(d, s[0], s[1])
		if slices.ContainsFunc(bs, func(b Block) bool { return !want[b.Document.Hash] }) {
			continue
		}
		return bs, true
	}
	return nil, false
}

// unit is one or more new documents that share a role.
type unit struct {
	docs  []stroke.Document
	words int
	key   string // least hash of its documents
	alike bool   // it is a cluster
}

// roles enters every document that the ledger does not know.
func (a *assignment) roles(docs []stroke.Document, blockOf map[string]Block) error {
	t := tallyRoles{}
	var fresh []stroke.Document
	for _, d := range docs {
		t.total += d.Words
		i, known := a.known[d.Hash]
		if !known {
			fresh = append(fresh, d)
			continue
		}
		e := &a.ledger.Entries[i]
		e.Source, e.Title = d.Source, d.Title
		if b, ok := blockOf[d.Hash]; ok {
			e.Parent, e.Index = b.Parent, b.Index
		}
		t.count(e.Role, d.Words)
	}
	enter := func(d stroke.Document, r stroke.Role, cluster, why string) {
		e := Entry{Hash: d.Hash, Source: d.Source, Title: d.Title, Role: r, Date: a.o.Now.UTC().Format(time.RFC3339),
			Words: d.Words, Cluster: cluster, Why: why}
		if b, ok := blockOf[d.Hash]; ok {
			e.Parent, e.Index = b.Parent, b.Index
		}
		a.known[d.Hash] = len(a.ledger.Entries)
		a.ledger.Entries = append(a.ledger.Entries, e)
	}

	var units []*unit
	for _, u := range a.units(fresh) {
		if like, kin := a.inherited(u); like != nil {
			r, cluster := like.Role, a.join(like, kin)
			why := "near duplicate of " + like.Source + ", which has this role"
			for _, d := range u.docs {
				enter(d, r, cluster, why)
				t.count(r, d.Words)
			}
			continue
		}
		units = append(units, u)
	}
	slices.SortFunc(units, func(x, y *unit) int { return strings.Compare(x.key, y.key) })
	chosen := t.choose(units)
	for _, u := range units {
		cluster, why := "", "drawn by lot"
		if u.alike {
			cluster, why = u.key, "drawn by lot, with its near duplicates"
		}
		for _, d := range u.docs {
			enter(d, chosen[u], cluster, why)
		}
	}
	if t.docs[stroke.RoleTrain] < 1 || t.docs[stroke.RoleSelect] < 1 || t.docs[stroke.RoleJudge] < 2 {
		if known := len(docs) - len(fresh); known > 0 && len(docs) >= 4 {
			return &stroke.Error{Code: stroke.CodeInput,
				Msg: fmt.Sprintf("of the %d pieces of the text %d keep a role that they once had, which leaves %d to train on, %d to choose by and %d to judge by: at least one, one and two are needed",
					len(docs), known, t.docs[stroke.RoleTrain], t.docs[stroke.RoleSelect], t.docs[stroke.RoleJudge]),
				Hint: "add a new piece or two; or train a twin of another name with --name"}
		}
		return &stroke.Error{Code: stroke.CodeInput,
			Msg: fmt.Sprintf("the text falls into %d pieces: too few to train on some, to choose by one and to judge by two", len(docs)),
			Hint: "add more writing, or part what there is into paragraphs by blank lines; " +
				"with less, the base can still write with your own passages before it, as examples"}
	}
	return nil
}

// units groups new documents that share much, or are of one cluster in the reading.
// Where most of the text is alike by that, as reports of one form are, near
// duplicates alone are of one unit.
func (a *assignment) units(fresh []stroke.Document) []*unit {
	units, all := a.alike(fresh, overlap), 0
	for _, u := range units {
		all += u.words
	}
	for _, u := range units {
		if len(u.docs) > 1 && u.words*2 > all {
			return a.alike(fresh, nearDuplicate)
		}
	}
	return units
}

// alike groups documents whose containment is at least least.
func (a *assignment) alike(fresh []stroke.Document, least float64) []*unit {
	u := newUnion(len(fresh))
	like := newResemblance()
	byCluster := map[string]int{}
	for i, d := range fresh {
		like.add(a.shingles(d.Hash, d.Text))
		if c := a.o.Clusters[d.Hash]; c != "" {
			if j, ok := byCluster[c]; ok {
				u.join(i, j)
			} else {
				byCluster[c] = i
			}
		}
	}
	for i := range fresh {
		for _, j := range like.near(i, least) {
			u.join(i, j)
		}
	}
	groups := map[int]*unit{}
	for i, d := range fresh {
		root := u.find(i)
		g := groups[root]
		if g == nil {
			g = &unit{key: d.Hash}
			groups[root] = g
		}
		g.docs = append(g.docs, d)
		g.words += d.Words
		g.key = min(g.key, d.Hash)
		g.alike = len(g.docs) > 1
	}
	var out []*unit
	for _, root := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, groups[root])
	}
	return out
}

// overlap is the containment from which texts share a role, and a new one takes
// that of a known one: less than makes a near duplicate, since training on a
// third of a judge document already flatters.
const overlap = 0.3

// own are the shingles of a known document, by its number in like, without those that
// two train documents which overlap it have. Where reports are of one form, what such
// documents share is the form, which is trained on whatever becomes of one more report.
func (a *assignment) own(n int) []uint64 {
	own, ok := a.owns[n]
	if ok {
		return own
	}
	trained := map[uint64]int{}
	for _, m := range a.like.near(n, overlap) {
		if a.ledger.Entries[a.entries[m]].Role == stroke.RoleTrain {
			for _, h := range a.like.sets[m] {
				trained[h]++
			}
		}
	}
	own = slices.DeleteFunc(slices.Clone(a.like.sets[n]), func(h uint64) bool { return trained[h] >= 2 })
	a.owns[n] = own
	return own
}

// inherited is the known document that passes its role on to a unit, and all that the
// unit has its text in common with, by their places: documents that it overlaps by more
// than a form, or is a near duplicate of. Judge goes before select, and select before
// train.
func (a *assignment) inherited(u *unit) (best *Entry, kin []int) {
	rank := map[stroke.Role]int{stroke.RoleTrain: 1, stroke.RoleSelect: 2, stroke.RoleJudge: 3}
	consider := func(i int) {
		kin = append(kin, i)
		if e := &a.ledger.Entries[i]; best == nil || rank[e.Role] > rank[best.Role] {
			best = e
		}
	}
	for _, d := range u.docs {
		if c := a.o.Clusters[d.Hash]; c != "" {
			for i, e := range a.ledger.Entries {
				if e.Cluster == c || e.Hash == c || a.o.Clusters[e.Hash] == c {
					consider(i)
				}
			}
		}
		set := a.shingles(d.Hash, d.Text)
		for _, n := range a.like.like(set, overlap) {
			least := overlap * float64(min(len(set), len(a.like.sets[n])))
			if float64(common(set, a.own(n))) >= least {
				consider(a.entries[n])
			}
		}
		for _, i := range a.kin(d, nearDuplicate) {
			consider(i)
		}
	}
	return best, kin
}

// join makes one cluster of e's and of those that the entries at the given places are in,
// but for what would make it more than half of the text. It gives the cluster's name,
// which is that of e's.
func (a *assignment) join(e *Entry, at []int) string {
	nameOf := func(e *Entry) string { return cmp.Or(e.Cluster, e.Hash) }
	name := nameOf(e)
	e.Cluster = name
	if !slices.ContainsFunc(at, func(i int) bool { return nameOf(&a.ledger.Entries[i]) != name }) {
		return name
	}
	words, all := map[string]int{}, 0
	for i := range a.ledger.Entries {
		if e := &a.ledger.Entries[i]; !e.Gone {
			words[nameOf(e)] += e.Words
			all += e.Words
		}
	}
	joined, sum := map[string]bool{}, words[name]
	for _, i := range at {
		if n := nameOf(&a.ledger.Entries[i]); n != name && !joined[n] && 2*(sum+words[n]) <= all {
			joined[n] = true
			sum += words[n]
		}
	}
	for i := range a.ledger.Entries {
		if e := &a.ledger.Entries[i]; joined[nameOf(e)] {
			e.Cluster = name
		}
	}
	return name
}

// tallyRoles counts documents and words by role.
type tallyRoles struct {
	total int // words of all documents, those without a role too
	words map[stroke.Role]int
	docs  map[stroke.Role]int
}

func (t *tallyRoles) count(r stroke.Role, words int) {
	if t.words == nil {
		t.words, t.docs = map[stroke.Role]int{}, map[stroke.Role]int{}
	}
	t.words[r] += words
	t.docs[r]++
}

func (t *tallyRoles) withheld() int { return t.words[stroke.RoleSelect] + t.words[stroke.RoleJudge] }

// lacking reports whether the least numbers of withheld documents are not met.
func (t *tallyRoles) lacking() bool {
	return t.docs[stroke.RoleSelect] < 1 || t.docs[stroke.RoleJudge] < 2
}

// next is the withheld role for a unit of so many words: what is lacking, else
// the one that brings the judge nearer to its share.
func (t *tallyRoles) next(words int) stroke.Role {
	switch {
	case t.docs[stroke.RoleJudge] < 1:
		return stroke.RoleJudge
	case t.docs[stroke.RoleSelect] < 1:
		return stroke.RoleSelect
	case t.docs[stroke.RoleJudge] < 2:
		return stroke.RoleJudge
	}
	judge, goal := float64(t.words[stroke.RoleJudge]), judgeShare*float64(t.withheld()+words)
	if math.Abs(judge+float64(words)-goal) <= math.Abs(judge-goal) {
		return stroke.RoleJudge
	}
	return stroke.RoleSelect
}

// choose gives roles to new units, which come in the order of their hashes: it
// withholds one after the other as long as that brings the withheld words
// nearer to their share, passing over those too long for what is left, and
// over those too short to score anything on where the others are most of the text.
func (t *tallyRoles) choose(units []*unit) map[*unit]stroke.Role {
	if t.words == nil {
		t.words, t.docs = map[stroke.Role]int{}, map[stroke.Role]int{}
	}
	roles := map[*unit]stroke.Role{}
	goal := withheldShare * float64(t.total)
	give := func(u *unit) {
		r := t.next(u.words)
		roles[u] = r
		t.words[r] += u.words
		t.docs[r]++ // near duplicates are one piece
	}
	all, long := 0, 0
	for _, u := range units {
		all += u.words
		if u.words >= leastBlock {
			long += u.words
		}
	}
	least := 0
	if long*2 >= all {
		least = leastBlock
	}
	for _, u := range units {
		if float64(t.withheld())+float64(u.words)/2 <= goal && float64(u.words) <= goal/2 && u.words >= least {
			give(u)
		}
	}
	// What is lacking is made up with the shortest that can be scored, as long
	// as one is left to train on.
	short := slices.Clone(units)
	slices.SortStableFunc(short, func(a, b *unit) int {
		if (a.words >= leastBlock) != (b.words >= leastBlock) {
			return cmp.Compare(b.words, a.words)
		}
		return cmp.Compare(a.words, b.words)
	})
	for _, u := range short {
		if !t.lacking() {
			break
		}
		if roles[u] == "" && (t.docs[stroke.RoleTrain] > 0 || len(units)-len(roles) > 1) {
			give(u)
		}
	}
	for _, u := range units {
		if roles[u] == "" {
			roles[u] = stroke.RoleTrain
			t.words[stroke.RoleTrain] += u.words
			t.docs[stroke.RoleTrain]++
		}
	}
	return roles
}
