package corpus

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	stroke "github.com/getstroke/stroke"
)

var noon = time.Date(2024, 3, 5, 12, 0, 0, 0, time.UTC)

// piece makes a document of n words in paragraphs of about sixty.
func document(seed string, n int) stroke.Document {
	var paras []string
	for i := 0; n > 0; i++ {
		k := min(n, 60)
		paras = append(paras, prose(fmt.Sprintf("%s.%d.", seed, i), k))
		n -= k
	}
	text := strings.Join(paras, "\n\n")
	return stroke.Document{Hash: stroke.HashText(text), Source: seed + ".md", Text: text, Words: countWords(text)}
}

func assign(t *testing.T, l *Ledger, docs []stroke.Document, o AssignOptions) []stroke.Document {
	t.Helper()
	if o.Now.IsZero() {
		o.Now = noon
	}
	out, err := Assign(l, docs, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// shares is the share of the documents' words that is withheld, that of the
// withheld words that is for the judge, and the documents by role.
func shares(l *Ledger, docs []stroke.Document) (withheld, judge float64, n map[stroke.Role]int) {
	words := map[stroke.Role]int{}
	n = map[stroke.Role]int{}
	for _, d := range docs {
		r := l.Role(d.Hash)
		words[r] += d.Words
		n[r]++
	}
	w := float64(words[stroke.RoleSelect] + words[stroke.RoleJudge])
	return w / (w + float64(words[stroke.RoleTrain])), float64(words[stroke.RoleJudge]) / w, n
}

// TestRolesHold holds, for random collections that grow and shrink: a role once
// given stays, every document has one, the share withheld is near a fifth, and
// the order in which documents come changes nothing.
func TestRolesHold(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for trial := range 10 {
		var docs []stroke.Document
		for i := range 15 + r.IntN(60) {
			docs = append(docs, document(fmt.Sprintf("t%d-%d", trial, i), 150+r.IntN(600)))
		}
		texts := map[string]string{}
		l := &Ledger{}
		roles := map[string]stroke.Role{}
		for step := range 4 {
			for _, d := range docs {
				texts[d.Hash] = d.Text
			}
			o := AssignOptions{Text: func(h string) (string, bool) { s, ok := texts[h]; return s, ok }}
			again := &Ledger{Entries: slices.Clone(l.Entries)}
			out := assign(t, l, docs, o)
			shuffled := slices.Clone(docs)
			r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			assign(t, again, shuffled, o)
			for _, d := range out {
				role := l.Role(d.Hash)
				if role == "" {
					t.Fatalf("%s has no role", d.Source)
				}
				if old, ok := roles[d.Hash]; ok && old != role {
					t.Fatalf("%s was %s and is %s", d.Source, old, role)
				}
				if again.Role(d.Hash) != role {
					t.Fatalf("%s is %s, and %s in another order", d.Source, role, again.Role(d.Hash))
				}
				roles[d.Hash] = role
			}
			withheld, judge, n := shares(l, out)
			if n[stroke.RoleSelect] < 1 || n[stroke.RoleJudge] < 2 {
				t.Fatalf("roles %v", n)
			}
			if step == 0 && (withheld < 0.14 || withheld > 0.28) {
				t.Errorf("%.3f of %d documents' words withheld", withheld, len(out))
			}
			if step == 0 && len(out) > 40 && (judge < 0.5 || judge > 0.85) {
				t.Errorf("%.3f of the withheld words for the judge", judge)
			}
			// Some go, some come.
			r.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
			docs = docs[:len(docs)-r.IntN(4)]
			for i := range r.IntN(20) {
				docs = append(docs, document(fmt.Sprintf("t%d-s%d-%d", trial, step, i), 150+r.IntN(600)))
			}
		}
	}
}

// TestClustersStayTogether holds that near duplicates share a role, whether
// they come together or one after the other, and after the first is gone.
func TestClustersStayTogether(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for trial := range 20 {
		var docs []stroke.Document
		for i := range 20 {
			docs = append(docs, document(fmt.Sprintf("c%d-%d", trial, i), 200+r.IntN(300)))
		}
		edit := func(d stroke.Document, tail string) stroke.Document {
			e := d
			e.Text = strings.Replace(d.Text, "0.3 ", "changed ", 1) + "\n\n" + prose(tail, 30)
			e.Hash, e.Words, e.Source = stroke.HashText(e.Text), countWords(e.Text), "edited-"+tail+"-"+d.Source
			return e
		}
		texts := map[string]string{}
		together := slices.Clone(docs)
		for i, d := range docs[:8] {
			together = append(together, edit(d, fmt.Sprint("a", i)))
		}
		for _, d := range together {
			texts[d.Hash] = d.Text
		}
		l := &Ledger{}
		assign(t, l, together, AssignOptions{})
		for i, d := range docs[:8] {
			e, _ := l.Entry(d.Hash)
			f, _ := l.Entry(together[20+i].Hash)
			if e.Role != f.Role || e.Cluster == "" || e.Cluster != f.Cluster {
				t.Fatalf("near duplicates: %s of %.8s, %s of %.8s", e.Role, e.Cluster, f.Role, f.Cluster)
			}
		}
		// Later every document comes back changed, and what was there is gone.
		var later []stroke.Document
		for i, d := range docs {
			later = append(later, edit(d, fmt.Sprint("b", i)))
		}
		assign(t, l, later, AssignOptions{Text: func(h string) (string, bool) { s, ok := texts[h]; return s, ok }})
		for i, d := range docs {
			e, _ := l.Entry(d.Hash)
			f, _ := l.Entry(later[i].Hash)
			if e.Role != f.Role || e.Cluster != f.Cluster || !strings.Contains(f.Why, "near duplicate") {
				t.Fatalf("changed later: %+v, %+v", e, f)
			}
		}
	}
}

// TestClustersOfAReading holds that two kept documents that both resemble a
// dropped one share a role.
func TestClustersOfAReading(t *testing.T) {
	var docs []stroke.Document
	clusters := map[string]string{}
	for i := range 30 {
		d := document(fmt.Sprintf("d%d", i), 300)
		docs = append(docs, d)
		if i >= 24 {
			clusters[d.Hash] = docs[24+(i-24)/2*2].Hash
		}
	}
	l := &Ledger{}
	assign(t, l, docs, AssignOptions{Clusters: clusters})
	for i := 24; i < 30; i += 2 {
		if a, b := l.Role(docs[i].Hash), l.Role(docs[i+1].Hash); a != b {
			t.Errorf("one cluster is %s and %s", a, b)
		}
	}
}

func TestCut(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		var paras []string
		for i := range 1 + r.IntN(80) {
			n := 5 + r.IntN(120)
			if r.IntN(15) == 0 {
				n = 1500 // a paragraph longer than a block
			}
			paras = append(paras, prose(fmt.Sprintf("p%d-%d.", r.IntN(1e6), i), n))
		}
		text := strings.Join(paras, "\n\n")
		d := stroke.Document{Hash: stroke.HashText(text), Source: "a.md", Text: text, Words: countWords(text)}
		bs := Cut(d)
		var words []string
		at := 0
		for i, b := range bs {
			if b.Index != i+1 || b.Parent != d.Hash {
				t.Fatalf("block %d says %d of %.8s", i, b.Index, b.Parent)
			}
			n := b.Document.Words
			if n > BlockMax || n < BlockMin && i < len(bs)-1 && len(bs) > 2 && n < BlockMin/2 {
				t.Errorf("block %d of %d has %d words", i+1, len(bs), n)
			}
			// Every block lies in the document as it is, behind the one before.
			j := strings.Index(text[at:], b.Document.Text)
			if j < 0 {
				t.Fatalf("block %d is not in the document", i+1)
			}
			at += j + len(b.Document.Text)
			words = append(words, strings.Fields(b.Document.Text)...)
		}
		if !slices.Equal(words, strings.Fields(text)) {
			t.Fatal("the blocks joined are not the document")
		}
	}
	if bs := Cut(document("short", 500)); len(bs) != 1 || bs[0].Document.Hash != bs[0].Parent {
		t.Errorf("a short document gave %d blocks", len(bs))
	}
}

// TestFewDocumentsAreCut follows one long file: cut, withheld in blocks with
// known neighbours, the same again, and after a change in its middle.
func TestFewDocumentsAreCut(t *testing.T) {
	book := document("book", 12_000)
	l := &Ledger{}
	out := assign(t, l, []stroke.Document{book}, AssignOptions{})
	if len(out) < 20 {
		t.Fatalf("%d blocks", len(out))
	}
	withheld, _, n := shares(l, out)
	if withheld < 0.15 || withheld > 0.27 || n[stroke.RoleSelect] < 1 || n[stroke.RoleJudge] < 2 {
		t.Errorf("%.3f withheld, %v", withheld, n)
	}
	for i, d := range out {
		var want []string
		if i > 0 {
			want = append(want, out[i-1].Hash)
		}
		if i < len(out)-1 {
			want = append(want, out[i+1].Hash)
		}
		got := l.Neighbours(d.Hash)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("neighbours of block %d: %.8s, want %.8s", i+1, got, want)
		}
		if d.Source != fmt.Sprintf("book.md#%d", i+1) {
			t.Errorf("source %q", d.Source)
		}
	}
	if ns := l.Neighbours(stroke.HashText("unknown")); ns != nil {
		t.Errorf("neighbours of an unknown document: %v", ns)
	}

	before := slices.Clone(l.Entries)
	again := assign(t, l, []stroke.Document{book}, AssignOptions{})
	if !reflect.DeepEqual(before, l.Entries) || len(again) != len(out) {
		t.Error("the same file again changed the ledger")
	}
	// More documents come: what was cut stays cut.
	docs := []stroke.Document{book}
	for i := range 30 {
		docs = append(docs, document(fmt.Sprintf("more%d", i), 700))
	}
	many := assign(t, l, docs, AssignOptions{})
	if len(many) != len(out)+30 {
		t.Errorf("%d documents, want %d blocks and 30 documents", len(many), len(out))
	}

	texts := map[string]string{}
	for _, d := range many {
		texts[d.Hash] = d.Text
	}
	mid := strings.Index(book.Text, "\n\nbook.100.")
	changed := book
	changed.Text = book.Text[:mid] + "\n\n" + prose("inserted", 100) + book.Text[mid:]
	changed.Hash, changed.Words = stroke.HashText(changed.Text), countWords(changed.Text)
	docs[0] = changed
	next := assign(t, l, docs, AssignOptions{Text: func(h string) (string, bool) { s, ok := texts[h]; return s, ok }})
	same := 0
	for _, d := range next {
		if _, ok := texts[d.Hash]; ok {
			same++
		}
		// No block trained on holds a third of one that was withheld.
		if l.Role(d.Hash) == stroke.RoleTrain {
			for _, e := range before {
				if e.Role != stroke.RoleTrain && containment(shingles(d.Text), shingles(texts[e.Hash])) >= overlap {
					t.Errorf("%s is for training and holds much of a block that is for %s", d.Source, e.Role)
				}
			}
		}
	}
	if same < len(next)-6 {
		t.Errorf("a change in one place left %d of %d documents as they were", same, len(next))
	}
}

func TestLittleText(t *testing.T) {
	for _, words := range []int{0, 80, LeastWords - 1} {
		_, err := Assign(&Ledger{}, []stroke.Document{document("a", words)}, AssignOptions{})
		if stroke.CodeOf(err) != stroke.CodeInput || !strings.Contains(stroke.HintOf(err), "examples") || !strings.Contains(err.Error(), fmt.Sprint(LeastWords)) {
			t.Errorf("%d words: %v, %q", words, err, stroke.HintOf(err))
		}
	}
	for _, shape := range [][]int{{600}, {660}, {1000}, {2000}, {300, 300}, {200, 200, 200}, {150, 150, 150, 150}, {5000, 100, 100}, {3000, 3000}} {
		var docs []stroke.Document
		for i, n := range shape {
			docs = append(docs, document(fmt.Sprintf("s%d-%d", len(shape), i), n))
		}
		l := &Ledger{}
		out := assign(t, l, docs, AssignOptions{})
		_, _, n := shares(l, out)
		if n[stroke.RoleTrain] < 1 || n[stroke.RoleSelect] < 1 || n[stroke.RoleJudge] < 2 {
			t.Errorf("%v: %d pieces, %v", shape, len(out), n)
		}
	}
	// Many words that cannot be parted.
	one := stroke.Document{Text: strings.TrimSpace(strings.Repeat("word ", 700))}
	one.Hash, one.Words = stroke.HashText(one.Text), 700
	l := &Ledger{}
	if _, err := Assign(l, []stroke.Document{one}, AssignOptions{}); stroke.CodeOf(err) != stroke.CodeInput || len(l.Entries) != 0 {
		t.Errorf("700 times one word: %v, %d entries", err, len(l.Entries))
	}
}

// TestRolesThatAreMissing says what is wanting where what judged is gone and what was
// trained on keeps its role.
func TestRolesThatAreMissing(t *testing.T) {
	var docs, left []stroke.Document
	for i := range 20 {
		docs = append(docs, document(fmt.Sprintf("m%d", i), 300))
	}
	l := &Ledger{}
	for _, d := range assign(t, l, docs, AssignOptions{}) {
		if l.Role(d.Hash) != stroke.RoleJudge {
			left = append(left, d)
		}
	}
	_, err := Assign(l, left, AssignOptions{})
	if stroke.CodeOf(err) != stroke.CodeInput || !strings.Contains(err.Error(), "0 to judge by") || stroke.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
}

func TestLedgerFile(t *testing.T) {
	l := &Ledger{}
	assign(t, l, []stroke.Document{document("book", 9000)}, AssignOptions{})
	l.Entries[1].Title = "A <walk> & \"more\""
	var b bytes.Buffer
	if err := WriteLedger(&b, l); err != nil {
		t.Fatal(err)
	}
	got, err := ReadLedger(bytes.NewReader(b.Bytes()))
	if err != nil || !reflect.DeepEqual(got, l) {
		t.Fatalf("what was written is not what is read: %v", err)
	}

	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	lines[1] = lines[1][:40]
	lines[3] = strings.Replace(lines[3], `"role":"`, `"role":"x`, 1)
	lines[5] += strings.Repeat(" ", maxLedgerLine)
	lines = append(lines, strings.NewReplacer(`"role":"train"`, `"role":"judge"`, `"role":"judge"`, `"role":"train"`).Replace(lines[0]))
	got, err = ReadLedger(strings.NewReader(strings.Join(lines, "\n")))
	var d *Damage
	if !errors.As(err, &d) || !slices.Equal(d.Lines, []int{2, 4, 6, len(lines)}) {
		t.Fatalf("damaged lines: %v", err)
	}
	if len(got.Entries) != len(l.Entries)-3 || d.Sound != len(got.Entries) || stroke.HintOf(err) == "" {
		t.Errorf("%d entries of %d, %v", len(got.Entries), len(l.Entries), err)
	}
	if got.Role(l.Entries[0].Hash) != l.Entries[0].Role {
		t.Error("a later line changed a role")
	}
}

// TestEntry demands that entries which were appended, or came by [Assign], are found,
// and of several with one hash the first.
func TestEntry(t *testing.T) {
	l := &Ledger{}
	find := func(hash string, want int) {
		t.Helper()
		if got := l.find(hash); got != want {
			t.Errorf("%.12s is the entry %d, not %d", hash, got, want)
		}
	}
	find("a", -1)
	l.Entries = append(l.Entries, Entry{Hash: "a"}, Entry{Hash: "b"}, Entry{Hash: "a"})
	find("a", 0)
	find("b", 1)
	l.Entries = append(l.Entries, Entry{Hash: "c"})
	find("c", 3)
	find("d", -1)
	for _, d := range assign(t, l, []stroke.Document{document("book", 3000)}, AssignOptions{}) {
		if e, ok := l.Entry(d.Hash); !ok || e.Words != d.Words {
			t.Errorf("%s is found as %+v, %v", d.Source, e, ok)
		}
	}
	find("b", 1)
}

// TestManyEntries demands that each of many documents is found without a look at all
// the others.
func TestManyEntries(t *testing.T) {
	l := &Ledger{}
	for i := range 100_000 {
		l.Entries = append(l.Entries, Entry{Hash: fmt.Sprintf("%064x", i), Role: stroke.RoleTrain})
	}
	begun := time.Now()
	for i := range l.Entries {
		if l.Role(l.Entries[i].Hash) != stroke.RoleTrain {
			t.Fatalf("the entry %d is not found", i)
		}
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("to find each of %d entries took %v", len(l.Entries), took)
	}
}

func TestTable(t *testing.T) {
	r := read(t, map[string]string{"book.md": document("book", 9000).Text, "a.md": document("a", 200).Text, "x.pdf": "%PDF", "q.md": "> " + prose("q", 50) + "\n\n" + document("q", 100).Text})
	l := &Ledger{}
	assign(t, l, r.Documents, AssignOptions{Clusters: r.Clusters})
	gone := document("gone", 300)
	l.Entries = append(l.Entries, Entry{Hash: gone.Hash, Source: "gone.md", Role: stroke.RoleJudge, Words: 300, Why: "drawn by lot"})
	rows := Table(r, l)
	var sources []string
	for _, row := range rows {
		sources = append(sources, row.Source)
		switch row.Source {
		case "x.pdf":
			if row.Role != "" || row.Hint == "" {
				t.Errorf("%+v", row)
			}
		case "gone.md":
			if !row.Gone {
				t.Errorf("%+v", row)
			}
		}
		if row.Why == "" {
			t.Errorf("no reason: %+v", row)
		}
	}
	if sources[0] != "a.md" || sources[1] != "book.md#1" || sources[2] != "book.md#2" || sources[len(sources)-1] != "x.pdf" {
		t.Errorf("order %v", sources)
	}
	if i := slices.Index(sources, "book.md#10"); i < 0 || sources[i-1] != "book.md#9" {
		t.Errorf("blocks are not in the order of their numbers: %v", sources)
	}
	var here []stroke.Document
	for _, e := range l.Entries {
		if e.Source != "gone.md" {
			here = append(here, stroke.Document{Hash: e.Hash})
		}
	}
	l.Here(here)
	rows = Table(nil, l)
	if len(rows) != len(l.Entries) {
		t.Errorf("%d rows of a ledger of %d", len(rows), len(l.Entries))
	}
	for _, row := range rows {
		if row.Gone != (row.Source == "gone.md") {
			t.Errorf("%+v", row)
		}
	}
}

// TestMissing holds that words are missing where neither a document nor a near duplicate
// of it is there, and that those known to be gone, or kept nowhere, do not count.
func TestMissing(t *testing.T) {
	texts := map[string]string{}
	l := &Ledger{}
	var docs []stroke.Document
	for i, name := range []string{"here", "edited", "block", "absent", "gone", "lost"} {
		words := make([]string, 100)
		for j := range words {
			words[j] = fmt.Sprintf("%s%d", name, j)
		}
		text := strings.Join(words, " ")
		h := stroke.HashText(text)
		l.Entries = append(l.Entries, Entry{Hash: h, Role: stroke.RoleTrain, Words: 100 + i, Gone: name == "gone"})
		if name != "lost" {
			texts[h] = text
		}
		switch name {
		case "edited":
			text = strings.Replace(text, "edited50", "changed", 1)
		case "block":
			text += " and much more that stands behind it in the file"
		case "absent", "gone", "lost":
			continue
		}
		docs = append(docs, stroke.Document{Hash: stroke.HashText(text), Text: text})
	}
	text := func(h string) (string, bool) { t, ok := texts[h]; return t, ok }
	if missing, known := l.Missing(docs, text); missing != 103 || known != 100+101+102+103 {
		t.Errorf("%d words of %d are missing", missing, known)
	}
	var asked []stroke.Document
	for _, e := range l.Entries {
		asked = append(asked, stroke.Document{Hash: e.Hash, Text: texts[e.Hash]})
	}
	var found []string
	for _, d := range NearDuplicates(asked, docs) {
		found = append(found, strings.TrimRight(strings.Fields(d.Text)[0], "0"))
	}
	if want := []string{"here", "edited", "block"}; !slices.Equal(found, want) {
		t.Errorf("%q are there, want %q", found, want)
	}
}
