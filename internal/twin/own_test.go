package twin

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
)

// fill writes files below dir, each with its own path in it.
func fill(t *testing.T, dir string, paths ...string) {
	t.Helper()
	for _, p := range paths {
		to := filepath.Join(dir, filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, []byte(p), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestVacantByContent holds that a folder of the writer's own is no place for a twin,
// also where its names are those that a twin's has.
func TestVacantByContent(t *testing.T) {
	hash := stroke.HashText("a")
	for name, c := range map[string]struct {
		files []string
		free  bool
	}{
		"nothing":          {nil, true},
		"chapters":         {[]string{"documents/one.md"}, false},
		"drafts":           {[]string{"versions/first.txt"}, false},
		"a run":            {[]string{"run/times.txt"}, false},
		"blind":            {[]string{"blind/notes.md"}, false},
		"compare":          {[]string{"compare/notes.md"}, false},
		"a readme":         {[]string{"README.md", "documents/" + hash + ".txt"}, false},
		"a file documents": {[]string{"documents"}, false},
		"half written":     {[]string{".write-ups/mine.md"}, false},
		"a twin's texts":   {[]string{"documents/" + hash + ".txt", "documents/.write-123", "versions/0123456789ab/version.json", ".write-7"}, true},
		"a lost manifest":  {[]string{"ledger.jsonl", "documents/" + hash + ".txt", "run/base", "blind/x.json", "compare/x"}, true},
		"text among texts": {[]string{"ledger.jsonl", "documents/" + hash + ".txt", "documents/letter.txt"}, false},
		"passages alone":   {[]string{"examples.jsonl", "run/base"}, true},
	} {
		dir := t.TempDir()
		fill(t, dir, c.files...)
		err := vacant(dir)
		if (err == nil) != c.free {
			t.Errorf("%s: %v", name, err)
		}
		if !c.free {
			code(t, err, stroke.CodeInput)
		}
	}
}

// TestRemoveLeavesOthers holds that a twin which is deleted takes nothing along that
// others put among its files.
func TestRemoveLeavesOthers(t *testing.T) {
	f := toyTwin(t)
	put(t, f, 10, true)
	d := stroke.Document{Hash: stroke.HashText("The bell."), Text: "The bell.", Words: 2}
	if err := f.keep([]stroke.Document{d}); err != nil {
		t.Fatal(err)
	}
	if err := f.saveLedger(ledgerFile, &corpus.Ledger{}); err != nil {
		t.Fatal(err)
	}
	theirs := []string{"documents/one.md", "letter.txt", "versions/draft/two.md"}
	fill(t, f.Dir, append([]string{"run/base", "blind/x.json"}, theirs...)...)
	var want []string
	for _, p := range []string{"documents/one.md", "letter.txt", "versions/draft"} {
		want = append(want, filepath.FromSlash(p))
	}
	if got := Others(f.Dir); !slices.Equal(got, want) {
		t.Errorf("others are %v", got)
	}
	if err := Remove(f.Dir); err != nil {
		t.Fatal(err)
	}
	var left []string
	err := filepath.WalkDir(f.Dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			left = append(left, filepath.ToSlash(strings.TrimPrefix(path, f.Dir+string(filepath.Separator))))
		}
		return err
	})
	if err != nil || !slices.Equal(left, theirs) {
		t.Errorf("left are %v, %v", left, err)
	}
	f = toyTwin(t)
	put(t, f, 10, true)
	if err := Remove(f.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.Dir); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// TestRemoveBrokenOff deletes what a deletion that was broken off has left of a twin: a
// run that was stopped beside the manifest, and no list of documents.
func TestRemoveBrokenOff(t *testing.T) {
	f := toyTwin(t)
	fill(t, f.Dir, "run/checkpoint.safetensors", "stopped/checkpoint.safetensors")
	if _, err := os.Stat(filepath.Join(f.Dir, ledgerFile)); !os.IsNotExist(err) {
		t.Fatalf("there is a ledger: %v", err)
	}
	if err := Remove(f.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.Dir); !os.IsNotExist(err) {
		t.Errorf("the folder is still there, with %v: %v", Others(f.Dir), err)
	}
}

// TestRemoveBesideCompare leaves a file of the user's own that is called as the folder of
// comparisons is.
func TestRemoveBesideCompare(t *testing.T) {
	f := toyTwin(t)
	put(t, f, 10, true)
	fill(t, f.Dir, compareDir)
	if err := Remove(f.Dir); err != nil {
		t.Fatal(err)
	}
	if left := Others(f.Dir); !slices.Equal(left, []string{compareDir}) || isTwin(f.Dir) {
		t.Errorf("left are %v", left)
	}
}

// TestRemoveComparisons holds that with a twin go the trainings of its text that a
// comparison left, and those of no other, and that nothing is deleted while one runs.
func TestRemoveComparisons(t *testing.T) {
	home := t.TempDir()
	t.Setenv("STROKE_HOME", home)
	enter := func(dir string, texts ...string) {
		t.Helper()
		f, err := create(dir, "me")
		if err != nil {
			t.Fatal(err)
		}
		l := &corpus.Ledger{}
		for _, text := range texts {
			d := stroke.Document{Hash: stroke.HashText(text), Text: text, Words: 2}
			l.Entries = append(l.Entries, corpus.Entry{Hash: d.Hash, Source: "it", Role: stroke.RoleTrain, Date: "2026-01-01T00:00:00Z", Words: 2, Why: "it"})
			err = errors.Join(err, f.keep([]stroke.Document{d}))
		}
		if err := errors.Join(err, f.saveLedger(ledgerFile, l)); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(home, "twins", "me")
	work := func(key string) string { return filepath.Join(home, compareDir, workDir, key) }
	enter(dir, "The bell.", "The gate.", "In both.")
	enter(filepath.Join(home, "twins", "other"), "In both.", "The sea.")
	enter(filepath.Join(work("mine"), "lora-1"), "The gate.")
	enter(filepath.Join(work("mine"), "lora-2"), "The bell.", "The gate.")
	enter(filepath.Join(work("mine"), "lora-3"), "The bell.", "The gate.", "The rain, which was added.")
	enter(filepath.Join(work("theirs"), "lora-1"), "Another.")
	// The other twin's, one of either, and one of text that no twin has beside it.
	enter(filepath.Join(work("others"), "lora-1"), "In both.", "The sea.")
	enter(filepath.Join(work("either"), "lora-1"), "In both.")
	enter(filepath.Join(work("more"), "lora-1"), "The bell.", "The rain.")
	shared := []string{work("either"), work("more"), work("others")}
	if got := SharedComparisons(dir); !slices.Equal(got, shared) {
		t.Errorf("shared are %v", got)
	}
	loose := filepath.Join(home, compareDir, "work-0123456789ab")
	enter(filepath.Join(loose, "lora-1"), "The bell.")
	fill(t, dir, "compare/comparison.json")
	for _, running := range []string{filepath.Join(dir, compareDir), work("mine"), loose} {
		unlock, err := lockFolder(running, "compare methods", errors.New)
		if err != nil {
			t.Fatal(err)
		}
		code(t, Remove(dir), stroke.CodeBusy)
		unlock()
		if !isTwin(dir) || !isTwin(filepath.Join(work("mine"), "lora-2")) {
			t.Fatal("something is deleted while a comparison runs")
		}
	}
	for _, running := range append(shared, work("theirs")) {
		unlock, err := lockFolder(running, "compare methods", errors.New)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
	}
	if err := Remove(dir); err != nil {
		t.Fatal(err)
	}
	// Another process may be about to take the lock of a folder of trainings.
	for path, stays := range map[string]bool{dir: false, filepath.Join(work("theirs"), "lora-1"): true,
		filepath.Join(work("others"), "lora-1"): true, filepath.Join(work("either"), "lora-1"): true, filepath.Join(work("more"), "lora-1"): true,
		filepath.Join(work("mine"), "lora-1"): false, filepath.Join(work("mine"), "lora-2"): false, filepath.Join(work("mine"), lockFile): true,
		filepath.Join(loose, "lora-1"): false, filepath.Join(loose, lockFile): true} {
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s: %v", path, err)
		}
	}
}
