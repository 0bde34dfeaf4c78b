package corpus

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	stroke "github.com/getstroke/stroke"
)

// TestQuotations reads words of others in the forms in which files hold them.
func TestQuotations(t *testing.T) {
	own := prose("Own", 60)
	said := func(seed string) string { return "“" + prose(seed, 50) + ".”" }
	book := func(quote string) string {
		s := "# The Pond\n\n"
		for i := range 3 {
			s += fmt.Sprintf("## Chapter %d\n\n%s\n\n%s\n\n", i+1, prose(fmt.Sprint("Pond", i), 400), quote)
		}
		return s
	}
	for _, c := range []struct {
		name, file, in string
		gone, stays    []string
		note           bool
	}{
		{"behind the marks of a mail", "a.txt", own + "\n\nOn Tuesday Anna wrote:\n> " + prose("they", 30) + "\n>\n> " + prose("more", 30) + "\n" + prose("Answer", 30),
			[]string{"they1", "more1"}, []string{"Own1", "Answer1", "Anna wrote"}, false},
		{"one line of a mail", "a.txt", own + "\n\nOn Tuesday Anna wrote:\n>From " + prose("they", 12) + "\n\n" + own, []string{"they1"}, []string{"Own1", "Anna wrote"}, false},
		{"a line of a mail among others", "a.txt", own + "\n\n>" + prose("they", 12) + "\n>From " + prose("more", 12) + "\n\n" + own, []string{"they1", "more1"}, []string{"Own1"}, false},
		{"three deep", "a.txt", own + "\n\n>>> Could you bring the boots when you come on Tuesday?\n>>> It is wet there.\n\n" + own, []string{"boots"}, []string{"Own1"}, false},
		{"three deep before two", "a.txt", own + "\n\n>>> they(1)\n>> more(1)\n\n" + own, []string{"they", "more"}, []string{"Own1"}, false},
		{"a line that a mailbox has marked", "a.txt", own + "\n\nIt was late.\n>From there we went on.\n\n>From here on alone.\n\n" + own, nil, []string{"\nFrom there", "\nFrom here", "Own1"}, false},
		{"Python at its prompt", "a.txt", own + "\n\n>>> import pond\n>>> pond.deep(3)\n\n" + own, nil, []string{"Own1"}, false},
		{"in marks with a name on the next line", "a.txt", own + "\n\n" + said("they") + "\n-- Joseph Conrad, Youth\n\n" + own, []string{"they1", "Conrad"}, []string{"Own1"}, false},
		{"in marks with a name in a line of its own", "a.md", own + "\n\n" + said("they") + "\n\n— Joseph Conrad\n\n" + own, []string{"they1", "Conrad"}, []string{"Own1"}, false},
		{"of two paragraphs, the marks opened anew", "a.md", own + "\n\n" + strings.TrimSuffix(said("they"), "”") + "\n\n" + said("more") + "\n\n— Joseph Conrad\n\n" + own,
			[]string{"they1", "more1", "Conrad"}, []string{"Own1"}, false},
		{"set apart, the name below", "a.md", own + "\n\n> " + prose("they", 30) + "\n\n— Joseph Conrad\n\n" + own, []string{"they1", "Conrad"}, []string{"Own1"}, false},
		{"an epigraph", "a.md", "# Ponds\n\nThe mirror of the sky\n\n— William Blake\n\n" + own, []string{"mirror", "Blake"}, []string{"Own1"}, false},
		{"speech without a name", "a.md", own + "\n\n" + said("they") + "\n\n" + own, nil, []string{"they1", "Own1"}, false},
		{"speech behind a dash", "a.md", own + "\n\n" + said("they") + "\n\n— Come in, said he.\n\n" + own, nil, []string{"they1", "Come in"}, false},
		{"a chapter that opens with speech", "a.md", "# Un\n\nElle entra dans la salle.\n\n— Bonsoir…\n\n" + own, nil, []string{"Elle entra", "Bonsoir", "Own1"}, false},
		{"and with speech that is broken off", "a.md", "# Uno\n\nElla entró en la sala.\n\n—Buenas—\n\n" + own, nil, []string{"Ella entró", "Buenas", "Own1"}, false},
		{"and with speech that dots end", "a.md", "# Un\n\nElle entra dans la salle.\n\n—Bonsoir...\n\n" + own, nil, []string{"Elle entra", "Bonsoir", "Own1"}, false},
		{"and with speech in marks", "a.md", "# Un\n\nElle entra dans la salle.\n\n— Je suis là »\n\n" + own, nil, []string{"Elle entra", "Je suis", "Own1"}, false},
		{"an epigraph from a title", "a.md", "# Ponds\n\nThe mirror of the sky\n\n— William Blake, “Ponds of the North”\n\n" + own, []string{"mirror", "Blake"}, []string{"Own1"}, false},
		{"an epigraph from a title of few names", "a.md", "# Ponds\n\nThe mirror of the sky\n\n— Gabriel García Márquez, «Cien años de soledad»\n\n" + own, []string{"mirror", "Márquez"}, []string{"Own1"}, false},
		{"an epigraph from a title in marks apart", "a.md", "# Ponds\n\nThe mirror of the sky\n\n— Albert Camus, « L’Étranger »\n\n" + own, []string{"mirror", "Camus"}, []string{"Own1"}, false},
		{"an epigraph from a title in small letters", "a.md", "# Ponds\n\nThe mirror of the sky\n\n— Jane Austen, “the persuasion of others”\n\n" + own, []string{"mirror", "Austen"}, []string{"Own1"}, false},
		{"an epigraph that a stop ends", "a.md", "# Ponds\n\nThe mirror of the sky\n\n— Jane Austen, 1817 .\n\n" + own, []string{"mirror", "Austen"}, []string{"Own1"}, false},
		{"and with speech in marks of both sides", "a.md", "# Uno\n\nElla entró en la sala.\n\n— «Buenas noches tengan ustedes»\n\n" + own, nil, []string{"Ella entró", "Buenas", "Own1"}, false},
		{"a letter that its writer signs", "a.md", own + "\n\n— Anna", nil, []string{"Own1", "Anna"}, false},
		{"a list", "a.txt", "What I need for the ponds:\n- Boots\n- Milk\n- Good shoes\n\n" + own, nil, []string{"need", "Boots", "Good shoes", "Own1"}, false},
		{"items apart", "a.txt", "What I need for the ponds:\n\n- Boots\n\n- Milk\n\n" + own, nil, []string{"need", "Boots", "Milk", "Own1"}, false},
		{"a callout of a quotation", "a.md", own + "\n\n> [!quote]\n> " + prose("they", 30) + "\n>\n> " + prose("more", 30), []string{"they1", "more1"}, []string{"Own1"}, false},
		{"a folded callout with a title", "a.md", own + "\n\n> [!CITE]- Conrad\n> " + prose("they", 30), []string{"they1", "Conrad"}, []string{"Own1"}, false},
		{"a callout of a quotation in a book", "a.md", book("> [!Quote] Conrad\n> " + prose("they", 30)), []string{"they1"}, []string{"Pond01"}, false},
		{"a callout of the writer's own", "a.md", own + "\n\n> [!tip] Boots\n> " + prose("mine", 30), nil, []string{"mine1", "Boots", "Own1"}, false},
		{"a letter in a book", "a.md", book("> " + prose("letter", 100)), nil, []string{"letter1"}, true},
		{"a verse in a book", "a.md", book("> " + prose("verse", 8)), nil, []string{"verse1"}, false},
		{"a book that is mostly quotations", "a.md", book("> " + prose("they", 500)), []string{"they1"}, []string{"Pond01"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, map[string]string{c.file: c.in})
			var text strings.Builder
			for _, d := range r.Documents {
				text.WriteString(d.Text + "\n")
			}
			for _, w := range c.gone {
				if strings.Contains(text.String(), w) {
					t.Errorf("%q is in %q", w, text.String())
				}
			}
			for _, w := range c.stays {
				if !strings.Contains(text.String(), w) {
					t.Errorf("%q is not in %q; left out: %v", w, text.String(), r.Left)
				}
			}
			if (len(c.gone) > 0) != (r.Quoted() > 0) {
				t.Errorf("%d words are told of as quotations", r.Quoted())
			}
			if said := slices.ContainsFunc(r.Notes, func(n Note) bool { return strings.Contains(n.Text, "set as quotations") }); said != c.note {
				t.Errorf("notes: %v", r.Notes)
			}
		})
	}
}

// TestManyAttributions looks no further back for each of many names than a quotation goes.
func TestManyAttributions(t *testing.T) {
	var bs []block
	for range 20_000 {
		bs = append(bs, block{text: "so”"}, block{text: "— Blake"})
	}
	began := time.Now()
	cite(bs)
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
	if i := slices.IndexFunc(bs, func(b block) bool { return b.kind != blockPara }); i >= 0 {
		t.Errorf("block %d is cited", i)
	}
}

func TestInMarks(t *testing.T) {
	r := read(t, map[string]string{"a.md": prose("Own", 100) + "\n\n“" + prose("they", 50) + "”\n\n“Short,” said he.\n\n“" + prose("one", 25) + ",” said he, “" + prose("two", 25) + "”"})
	if got, want := r.InMarks(), 50.0/205; got != want {
		t.Errorf("%.3f of the words, want %.3f", got, want)
	}
}

// TestRealQuotations holds that little of what novelists wrote is taken for
// quotations of others, and that none writes mostly in marks.
func TestRealQuotations(t *testing.T) {
	for _, name := range []string{"conrad", "dickens", "wilde", "paine", "woolf"} {
		r, err := Read(t.Context(), shared(t, "reference", name), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if q := r.Quoted(); q*1000 > r.Words() || r.InMarks() > 0.3 {
			t.Errorf("%s: %d of %d words are quotations, %.2f are in marks", name, q, r.Words(), r.InMarks())
		}
	}
}

// TestVeryManyAlike keeps one of more near duplicates than are looked at for one
// shingle.
func TestVeryManyAlike(t *testing.T) {
	files := map[string]string{"other.md": prose("z", 300)}
	for i := range 3 * commonShingle {
		files[fmt.Sprintf("report%d.md", i)] = prose("x", 150) + " " + prose(fmt.Sprintf("day%dn", i), 20+i%9)
	}
	r := read(t, files)
	if len(r.Documents) != 2 {
		t.Errorf("%d documents are kept", len(r.Documents))
	}
}

// TestOverlapSharesARole gives documents that share less than near duplicates do,
// but more than may be trained on, one role.
func TestOverlapSharesARole(t *testing.T) {
	for trial := range 20 {
		var docs []stroke.Document
		add := func(text string) {
			docs = append(docs, stroke.Document{Hash: stroke.HashText(text), Source: fmt.Sprint(len(docs)), Text: text, Words: countWords(text)})
		}
		for i := range 12 {
			both := prose(fmt.Sprintf("both%d-%d-", trial, i), 150)
			add(both + "\n\n" + prose(fmt.Sprintf("one%d-%d-", trial, i), 150))
			add(both + "\n\n" + prose(fmt.Sprintf("two%d-%d-", trial, i), 150))
		}
		l := &Ledger{}
		assign(t, l, docs, AssignOptions{})
		for i := 0; i < len(docs); i += 2 {
			if a, b := l.Role(docs[i].Hash), l.Role(docs[i+1].Hash); a != b {
				t.Fatalf("documents that share half are %s and %s", a, b)
			}
		}
	}
}

// TestOverlapIsInherited gives new documents, each of which shares half of its text with
// two known ones, the role of one of them, the judge's first, and makes one cluster of
// the three.
func TestOverlapIsInherited(t *testing.T) {
	texts := map[string]string{}
	var docs []stroke.Document
	add := func(text string) stroke.Document {
		d := stroke.Document{Hash: stroke.HashText(text), Source: fmt.Sprint(len(docs)), Text: text, Words: countWords(text)}
		texts[d.Hash] = text
		docs = append(docs, d)
		return d
	}
	half := func(i, part int) string { return prose(fmt.Sprintf("d%d-%d-", i, part), 150) }
	var known []stroke.Document
	for i := range 30 {
		known = append(known, add(half(i, 0)+"\n\n"+half(i, 1)))
	}
	o := AssignOptions{Text: func(h string) (string, bool) { t, ok := texts[h]; return t, ok }}
	l := &Ledger{}
	assign(t, l, docs, o)
	roles := map[stroke.Role]bool{}
	var later []stroke.Document
	for i := 0; i < len(known); i += 2 {
		later = append(later, add(half(i, 0)+"\n\n"+half(i+1, 1)))
	}
	assign(t, l, docs, o)
	for i, d := range later {
		a, _ := l.Entry(known[2*i].Hash)
		b, _ := l.Entry(known[2*i+1].Hash)
		e, _ := l.Entry(d.Hash)
		want := a.Role
		if b.Role == stroke.RoleJudge || want == stroke.RoleTrain {
			want = b.Role
		}
		roles[want] = true
		if e.Role != want {
			t.Errorf("what shares half with texts of the roles %s and %s is of the role %s", a.Role, b.Role, e.Role)
		}
		if e.Cluster == "" || e.Cluster != a.Cluster || e.Cluster != b.Cluster {
			t.Errorf("what shares half with two texts is of the cluster %.8s, and they are of %.8s and %.8s", e.Cluster, a.Cluster, b.Cluster)
		}
	}
	if !roles[stroke.RoleTrain] || !roles[stroke.RoleJudge] {
		t.Fatalf("roles %v", roles)
	}
}

// TestIndexOfAll holds that a page with the beginnings of all texts, which shares three
// tenths with each, does not make one cluster of them.
func TestIndexOfAll(t *testing.T) {
	texts := map[string]string{}
	document := func(text string) stroke.Document {
		d := stroke.Document{Hash: stroke.HashText(text), Source: text[:8], Text: text, Words: countWords(text)}
		texts[d.Hash] = text
		return d
	}
	var docs []stroke.Document
	index := ""
	for i := range 12 {
		beginning := prose(fmt.Sprintf("b%d-", i), 110)
		index += beginning + "\n\n"
		docs = append(docs, document(beginning+"\n\n"+prose(fmt.Sprintf("r%d-", i), 190)))
	}
	o := AssignOptions{Text: func(h string) (string, bool) { t, ok := texts[h]; return t, ok }}
	l := &Ledger{}
	assign(t, l, docs, o)
	page := document(index)
	assign(t, l, append(docs, page), o)
	if e, _ := l.Entry(page.Hash); e.Role != stroke.RoleJudge || e.Cluster == "" {
		t.Errorf("the page is of the role %q and the cluster %.8s", e.Role, e.Cluster)
	}
	words, all := map[string]int{}, 0
	for _, e := range l.Entries {
		words[cmp.Or(e.Cluster, e.Hash)] += e.Words
		all += e.Words
	}
	for cluster, n := range words {
		if 4*n > 3*all { // half, and the page
			t.Errorf("of %d words %d are of the cluster %.8s", all, n, cluster)
		}
	}
}

// TestOfOneForm gives roles to reports that all share much, and to those of a month
// later; what withheld ones say of their own never gets into the train text.
func TestOfOneForm(t *testing.T) {
	form := prose("form", 80)
	texts := map[string]string{}
	report := func(own string) stroke.Document {
		text := form + "\n\n" + own
		h := stroke.HashText(text)
		texts[h] = text
		return stroke.Document{Hash: h, Source: h[:8], Text: text, Words: countWords(text)}
	}
	month := func(n int) (docs []stroke.Document) {
		for i := range 30 {
			docs = append(docs, report(prose(fmt.Sprintf("month%dday%dw", n, i), 120)))
		}
		return docs
	}
	l := &Ledger{}
	o := AssignOptions{Text: func(h string) (string, bool) { t, ok := texts[h]; return t, ok }}
	docs := month(0)
	for n := 1; n <= 3; n++ {
		assign(t, l, docs, o)
		words := map[stroke.Role]int{}
		for _, e := range l.Entries {
			words[e.Role] += e.Words
		}
		if words[stroke.RoleTrain] < 4000*n || words[stroke.RoleJudge] < 400*n || words[stroke.RoleSelect] < 200*n {
			t.Errorf("words by role after %d months: %v", n, words)
		}
		docs = append(docs, month(n)...)
	}
	held := map[string]stroke.Role{}
	for _, e := range l.Entries {
		if e.Role == stroke.RoleTrain {
			continue
		}
		own := strings.Fields(strings.TrimPrefix(texts[e.Hash], form))
		edited := append(slices.Clone(own), "and", "that", "was", "all")
		edited[60] = "changed"
		longer := prose("longer"+e.Hash, 70) + " " + strings.Join(own[:90], " ")
		for _, d := range []stroke.Document{report(strings.Join(edited, " ")), report(longer)} {
			held[d.Hash] = e.Role
			docs = append(docs, d)
		}
	}
	assign(t, l, docs, o)
	for h, role := range held {
		if got := l.Role(h); got == stroke.RoleTrain || role == stroke.RoleJudge && got != role {
			t.Errorf("what has much of a document of the role %s is of the role %s", role, got)
		}
	}
}
