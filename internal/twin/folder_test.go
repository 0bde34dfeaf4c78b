package twin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

var toyShape = lora.Shape{Layers: 2,
	In:  [lora.Modules]int{8, 8, 8, 8, 8, 8, 12},
	Out: [lora.Modules]int{8, 4, 4, 8, 12, 12, 8}}

func toyTwin(t *testing.T) *Folder {
	t.Helper()
	f, err := create(filepath.Join(t.TempDir(), "twin"), "me")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// put publishes a version made at the given second.
func put(t *testing.T, f *Folder, second int, live bool) *Version {
	t.Helper()
	a := lora.New(toyShape, lora.Options{Rank: 2, Alpha: 4}, uint64(second), nil)
	v := &Version{Schema: schema, Twin: f.Name, Parent: f.Newest, Created: time.Unix(int64(second), 0).UTC(),
		Base: BaseRef{Name: "toy"}, Recipe: DefaultRecipe(100), Verdict: verdict.Verdict{Live: live, Unit: "blocks"}}
	var size int64
	err := f.publish(v, &learnt{adapter: a}, func(n int64) error { size = n; return nil })
	if err != nil {
		t.Fatal(err)
	}
	if size <= 0 {
		t.Fatalf("an adapter of %d bytes", size)
	}
	return v
}

func code(t *testing.T, err error, want stroke.Code) {
	t.Helper()
	if err == nil || stroke.CodeOf(err) != want {
		t.Fatalf("got %v, want an error of kind %s", err, want)
	}
}

// TestPublish holds that versions are found again with their parents, also from
// a copy elsewhere, and that what was altered is noticed.
func TestPublish(t *testing.T) {
	f := toyTwin(t)
	first, second := put(t, f, 10, true), put(t, f, 20, false)
	if second.Parent != first.ID || f.Live != first.ID || f.Newest != second.ID {
		t.Fatalf("parent %s, live %s, newest %s of %s and %s", second.Parent, f.Live, f.Newest, first.ID, second.ID)
	}
	dir := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.CopyFS(dir, os.DirFS(f.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(f.Dir); err != nil {
		t.Fatal(err)
	}
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.Version("")
	if err != nil || v.ID != second.ID || v.Parent != first.ID {
		t.Fatalf("%v, %v", v, err)
	}
	if _, err := c.Adapter(v, toyShape); err != nil {
		t.Fatal(err)
	}
	other := toyShape
	other.In[lora.DownProj] = 16
	_, err = c.Adapter(v, other)
	code(t, err, stroke.CodeInput)
	if !strings.Contains(stroke.HintOf(err), "--base toy") {
		t.Errorf("the hint is %q", stroke.HintOf(err))
	}
	_, err = c.Version("0123456789ab")
	code(t, err, stroke.CodeNotFound)
	_, err = c.Version("../../etc")
	code(t, err, stroke.CodeNotFound)

	for _, file := range []string{adapterDir + "/" + lora.WeightsFile, adapterDir + "/" + lora.ConfigFile, versionFile} {
		path := filepath.Join(dir, versionsDir, second.ID, filepath.FromSlash(file))
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		altered := bytes.Clone(whole)
		altered[len(altered)/2] ^= 1
		if err := os.WriteFile(path, altered, 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := c.Version(second.ID)
		if err == nil {
			_, err = c.Adapter(v, toyShape)
		}
		code(t, err, stroke.CodeFailure)
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPublishLegible holds that nothing is written of a version that could not be read
// again, and that what is written is read.
func TestPublishLegible(t *testing.T) {
	f := toyTwin(t)
	v := Version{Schema: schema, Twin: f.Name, Base: BaseRef{Name: "toy"}, Recipe: DefaultRecipe(100)}
	l := &learnt{adapter: lora.New(toyShape, lora.Options{Rank: 2, Alpha: 4}, 1, nil)}
	below := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("%064x", i))
		}
		return list
	}
	for what, spoil := range map[string]func(v *Version){
		"passages":  func(v *Version) { v.Recipe.Prompt.Each = -1 },
		"documents": func(v *Version) { v.Below = below(250_000) },
	} {
		bad := v
		spoil(&bad)
		code(t, bad.legible(foundRoom), stroke.CodeInput) // before it is trained
		err := f.publish(&bad, l, func(int64) error { t.Errorf("%s: it is about to be published", what); return nil })
		if code(t, err, stroke.CodeInput); stroke.HintOf(err) == "" {
			t.Errorf("%s: %v has no hint", what, err)
		}
		if left, err := os.ReadDir(filepath.Join(f.Dir, versionsDir)); err != nil || len(left) > 0 {
			t.Errorf("%s: %d folders are written, %v", what, len(left), err)
		}
	}
	for n := 232_880; n < 233_100; n += 25 {
		many := v
		many.Below = below(n)
		if f.publish(&many, l, func(int64) error { return nil }) != nil {
			break
		}
		if _, err := f.Version(many.ID); err != nil {
			t.Fatalf("with %d documents: %v", n, err)
		}
	}
	r := DefaultRecipe(100)
	r.Prompt.Each = -1
	code(t, r.Validate(), stroke.CodeInput)
}

// TestLostManifest holds that a manifest that is gone or damaged is made again
// from the versions, and that one of a later program is left alone.
func TestLostManifest(t *testing.T) {
	f := toyTwin(t)
	first, second := put(t, f, 10, true), put(t, f, 20, false)
	third := put(t, f, 30, false)
	want := f.Manifest
	path := filepath.Join(f.Dir, manifestFile)
	if err := os.WriteFile(filepath.Join(f.Dir, versionsDir, third.ID, versionFile), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	want.Versions, want.Newest = []string{first.ID, second.ID}, second.ID
	for _, damage := range []func() error{
		func() error { return os.Remove(path) },
		func() error { return os.WriteFile(path, []byte(`{"schema": 1, "name":`), 0o600) },
		func() error { return os.WriteFile(path, nil, 0o600) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		o := Options{To: f.Dir, Name: "me"}
		g, err := o.folder()
		if err != nil {
			t.Fatal(err)
		}
		_, unlock, err := o.take(g, "test")
		if err != nil {
			t.Fatal(err)
		}
		unlock()
		if g, err = Open(f.Dir); err != nil {
			t.Fatal(err)
		}
		g.Created = want.Created
		if !reflect.DeepEqual(g.Manifest, want) {
			t.Errorf("got %+v, want %+v", g.Manifest, want)
		}
	}
	later := []byte(`{"schema": 2, "name": "me", "something": "new"}`)
	if err := os.WriteFile(path, later, 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{To: f.Dir, Name: "me"}
	_, err := o.folder()
	code(t, err, stroke.CodeInput)
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, later) {
		t.Errorf("the manifest of a later program became %q (%v)", b, err)
	}
}

// TestOtherName refuses a twin's folder where another name is given for it.
func TestOtherName(t *testing.T) {
	f := toyTwin(t)
	for name, ok := range map[string]bool{"": true, "me": true, "you": false} {
		o := Options{Source: "writing", To: f.Dir, Name: name}
		if _, err := o.folder(); ok && err != nil {
			t.Errorf("as %q: %v", name, err)
		} else if !ok {
			code(t, err, stroke.CodeInput)
		}
	}
}

// TestDamagedLedger holds that the sound entries still serve, and that training
// does not go on without the others.
func TestDamagedLedger(t *testing.T) {
	f := toyTwin(t)
	d := stroke.Document{Hash: stroke.HashText("The bell."), Source: "a.txt", Text: "The bell.", Words: 2}
	if err := f.keep([]stroke.Document{d}); err != nil {
		t.Fatal(err)
	}
	l := &corpus.Ledger{Entries: []corpus.Entry{{Hash: d.Hash, Source: d.Source, Role: stroke.RoleTrain, Words: 2, Date: "2026-01-02T03:04:05Z", Why: "x"}}}
	if err := f.saveLedger(ledgerFile, l); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(f.Dir, ledgerFile)
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(file, "{\"hash\": \n"); err != nil {
		t.Fatal(err)
	}
	file.Close()
	got, err := f.Known()
	code(t, err, stroke.CodeFailure)
	if hint := stroke.HintOf(err); !strings.Contains(hint, "mend or remove line 2 of it") {
		t.Errorf("which line is damaged is not said: %q", hint)
	}
	if docs := f.Documents(got, stroke.RoleTrain); len(docs) != 1 || docs[0].Text != d.Text {
		t.Errorf("the sound documents are %v", docs)
	}
	_, _, err = f.assign(&corpus.Reading{}, func(stroke.Event) {})
	code(t, err, stroke.CodeFailure)

	// A text that is not what its name says is passed over.
	if err := os.WriteFile(f.documentPath(d.Hash), []byte("The bull."), 0o600); err != nil {
		t.Fatal(err)
	}
	if docs := f.Documents(got, stroke.RoleTrain); len(docs) != 0 {
		t.Errorf("an altered text is used: %v", docs)
	}
	if err := f.keep([]stroke.Document{d}); err != nil {
		t.Fatal(err)
	}
	if docs := f.Documents(got, stroke.RoleTrain); len(docs) != 1 || docs[0].Text != d.Text {
		t.Errorf("the text is not written again: %v", docs)
	}
}

// TestExamplesLedger holds that the list of a twin without training serves until a
// training drops it, and that none of its documents has a role by it.
func TestExamplesLedger(t *testing.T) {
	f := toyTwin(t)
	entry := corpus.Entry{Hash: stroke.HashText("a"), Role: stroke.RoleTrain, Words: 1, Date: "2026-01-02T03:04:05Z"}
	if err := f.saveLedger(examplesFile, &corpus.Ledger{Entries: []corpus.Entry{entry}}); err != nil {
		t.Fatal(err)
	}
	if l, err := f.Known(); err != nil || len(l.Entries) != 1 {
		t.Fatalf("%v, %v", l, err)
	}
	if l, err := f.Ledger(); err != nil || len(l.Entries) != 0 {
		t.Fatalf("the ledger has %v (%v)", l, err)
	}
	entry.Hash, entry.Role = stroke.HashText("b"), stroke.RoleJudge
	if err := f.saveLedger(ledgerFile, &corpus.Ledger{Entries: []corpus.Entry{entry}}); err != nil {
		t.Fatal(err)
	}
	if l, err := f.Known(); err != nil || l.Role(stroke.HashText("a")) != stroke.RoleTrain || l.Role(entry.Hash) != "" {
		t.Fatalf("beside the ledger of a training that was stopped: %v, %v", l, err)
	}
	for range 2 {
		if err := f.forgetExamples(); err != nil {
			t.Fatal(err)
		}
	}
	if l, err := f.Known(); err != nil || l.Role(entry.Hash) != stroke.RoleJudge {
		t.Fatalf("%v, %v", l, err)
	}
}

// TestLock holds that a second process learns who holds a twin.
func TestLock(t *testing.T) {
	f := toyTwin(t)
	unlock, err := f.lock("train")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.lock("train")
	code(t, err, stroke.CodeBusy)
	if want := fmt.Sprintf("process %d on ", os.Getpid()); !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "to train") {
		t.Errorf("%q does not say who", err)
	}
	code(t, Remove(f.Dir), stroke.CodeBusy)
	unlock()
	if err := Remove(f.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// TestBusyBeforeFetch holds that a twin in use is told of before a base is looked
// for, and that a dry run needs none of the catalog.
func TestBusyBeforeFetch(t *testing.T) {
	f := toyTwin(t)
	unlock, err := f.lock("train")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	o := Options{Source: writing(t, filepath.Join(t.TempDir(), "notebook"), func(int) bool { return true }), Name: f.Name, To: f.Dir,
		NoCrossFit: true}
	for _, o.ExamplesOnly = range []bool{false, true} {
		o.DryRun, o.Base = false, filepath.Join(t.TempDir(), "absent.gguf")
		code(t, Train(context.Background(), o, func(stroke.Event) {}), stroke.CodeBusy)
		o.DryRun, o.Base = true, "smollm2-135m-instruct"
		if err := Train(context.Background(), o, func(stroke.Event) {}); err != nil {
			t.Errorf("a dry run: %v", err)
		}
	}
}

// TestWriteWhole holds that a write that fails leaves what was there, and nothing
// else.
func TestWriteWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := writeFile(path, []byte("before")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	err := writeWith(path, func(w io.Writer) error {
		if _, err := io.WriteString(w, "half of what"); err != nil {
			return err
		}
		return full
	})
	if code(t, err, stroke.CodeFailure); !errors.Is(err, full) || stroke.HintOf(err) == "" {
		t.Errorf("%v, hint %q", err, stroke.HintOf(err))
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "before" {
		t.Errorf("the file became %q (%v)", b, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"me", "Writing 2", "a.b-c_d", "élan", "日記", "हिन्दी", "E\u0301crits"} {
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b", `a\b`, "a@b", " a", "a.", "x\n", strings.Repeat("a", 65), strings.Repeat("日", 64), "\u0301"} {
		if CheckName(name) == nil {
			t.Errorf("%q is taken for a name", name)
		}
	}
}

// TestNameOf makes names of what folders are called.
func TestNameOf(t *testing.T) {
	for called, want := range map[string]string{
		"Anna's texts": "Annas texts", "My Novel (2024)": "My Novel 2024", ".drafts": "drafts", "Mine tekster – æøå 日本": "Mine tekster - æøå 日本",
		"me": "me", "(!)": "twin", "a.": "a", strings.Repeat("日", 80): strings.Repeat("日", 60), strings.Repeat("a b", 40): strings.Repeat("a b", 21) + "a",
	} {
		got := NameOf(filepath.Join("there", called))
		if err := CheckName(got); got != want || err != nil {
			t.Errorf("of %q the name is %q (%v), and not %q", called, got, err, want)
		}
	}
}

// TestGone holds that text which is no longer among the files stands nowhere but in the
// ledger: not in prompts, and not among what is measured.
func TestGone(t *testing.T) {
	dir := writing(t, t.TempDir(), func(int) bool { return true })
	o := options(t, dir)
	f, _ := trained(t, o)
	l, err := f.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	var files []string // of text that is trained on
	for _, e := range l.Entries {
		if name := fileOf(e.Source); e.Role == stroke.RoleTrain && !slices.Contains(files, name) {
			files = append(files, name)
		}
	}
	edited := filepath.Join(dir, files[0])
	b, err := os.ReadFile(edited)
	if err == nil {
		err = os.WriteFile(edited, append(b, "\n\nAnd the ferry came back with nobody on board but the dog, who had been asleep.\n"...), 0o600)
	}
	if err == nil {
		err = os.Remove(filepath.Join(dir, files[1]))
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := corpus.Read(context.Background(), dir, corpus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, v := trained(t, o)
	if l, err = f.Ledger(); err != nil {
		t.Fatal(err)
	}
	whole := ""
	for _, d := range r.Documents {
		whole += d.Text + "\n\n"
	}
	n := 0
	for _, role := range []stroke.Role{stroke.RoleTrain, stroke.RoleSelect, stroke.RoleJudge} {
		docs := f.Documents(l, role)
		if len(docs) != v.Documents[string(role)] {
			t.Errorf("%d documents of the role %s, and the version had %d", len(docs), role, v.Documents[string(role)])
		}
		for _, d := range docs {
			n++
			if !strings.Contains(whole, d.Text) {
				t.Errorf("%s, of the role %s, is not among the files", d.Source, role)
			}
		}
	}
	if n == 0 || n == len(l.Entries) {
		t.Errorf("%d documents of a ledger of %d", n, len(l.Entries))
	}
}

// TestOtherFiles holds that a twin is not emptied by training its name on other files:
// nobody to ask and no yes refuses, no leaves all as it was, and so does a run that is
// stopped; one that ends leaves the new files alone.
func TestOtherFiles(t *testing.T) {
	dir := writing(t, t.TempDir(), func(i int) bool { return i < 13 })
	o := options(t, dir)
	f, _ := trained(t, o)
	serving := func() (names []string) {
		t.Helper()
		l, err := f.Known()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Documents(l, stroke.RoleTrain) {
			names = append(names, d.Source)
		}
		return names
	}
	before := serving()
	writing(t, dir, func(i int) bool { return i >= 11 })
	silent := func(stroke.Event) {}
	err := Train(context.Background(), o, silent)
	if code(t, err, stroke.CodeInput); !strings.Contains(stroke.HintOf(err), "--name") {
		t.Errorf("the hint is %q", stroke.HintOf(err))
	}
	dry := o
	dry.DryRun = true
	if err := Train(context.Background(), dry, silent); err != nil {
		t.Errorf("a dry run: %v", err)
	}
	asked := ""
	o.Ask = func(_ context.Context, q string) (bool, error) { asked = q; return false, nil }
	if code(t, Train(context.Background(), o, silent), stroke.CodeInterrupted); asked == "" {
		t.Error("nobody was asked")
	}
	if got := serving(); !slices.Equal(got, before) {
		t.Errorf("before a run %v serve, before %v", got, before)
	}
	o.Ask, o.Yes = nil, true
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	err = Train(ctx, o, func(e stroke.Event) {
		if _, ok := e.(stroke.StepEvent); ok {
			stop()
		}
	})
	code(t, err, stroke.CodeInterrupted)
	got := serving()
	for _, name := range before {
		if !slices.Contains(got, name) {
			t.Errorf("%s serves no longer after a run that was stopped", name)
		}
	}
	f, _ = trained(t, o)
	r, err := corpus.Read(context.Background(), dir, corpus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range serving() {
		if !slices.ContainsFunc(r.Documents, func(d stroke.Document) bool { return fileOf(d.Source) == fileOf(name) }) {
			t.Errorf("%s serves, and is gone", name)
		}
	}
	// What is there by then is asked about no more.
	o.Yes = false
	trained(t, o)
}

// FuzzManifest holds that whatever the bytes, a manifest that is accepted names
// only versions that lie in its folder, and is read again the same.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"schema": 1, "name": "me", "created": "2026-01-02T03:04:05Z", "live": "0123456789ab", "newest": "0123456789ab", "versions": ["0123456789ab"], "base": "x"}`))
	f.Add([]byte(`{"schema": 1, "name": "me", "live": "../../../etc"}`))
	f.Add([]byte(`{"schema": 99}`))
	f.Add([]byte(`{"schema": 1, "name": "me", "versions": [null, ""]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Manifest
		if parseManifest(b, &m) != nil {
			return
		}
		if CheckName(m.Name) != nil {
			t.Fatalf("the name %q", m.Name)
		}
		for _, id := range append([]string{m.Live, m.Newest}, m.Versions...) {
			if id != "" && (len(id) != 12 || filepath.Base(id) != id) {
				t.Fatalf("the version %q", id)
			}
		}
		again, err := json.Marshal(&m)
		if err != nil {
			t.Fatal(err)
		}
		var n Manifest
		if err := parseManifest(again, &n); err != nil || !reflect.DeepEqual(m, n) {
			t.Fatalf("%+v became %+v (%v)", m, n, err)
		}
	})
}

// TestUnreadableManifest holds that a twin whose manifest cannot be read is not said to be
// none.
func TestUnreadableManifest(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir)
	code(t, err, stroke.CodeNotFound)
	if err := os.Mkdir(filepath.Join(dir, manifestFile), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir)
	if code(t, err, stroke.CodeFailure); !strings.Contains(err.Error(), "cannot be read") || stroke.HintOf(err) == "" {
		t.Errorf("it says %v, %q", err, stroke.HintOf(err))
	}
}
