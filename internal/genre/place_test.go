package genre

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getstroke/stroke"
)

// TestPlaceBeside replaces a genre while others open the library, each of whom may find it
// moved away and put it back.
func TestPlaceBeside(t *testing.T) {
	dir := t.TempDir()
	to, at := filepath.Join(dir, "toy", "a"), filepath.Join(dir, "toy", ".write-1")
	card := fmt.Sprintf(`{"schema":1,"name":"a","base":{"name":"toy"},"files":{%q:%q,%q:%q}}`, ConfigFile, Hash([]byte("c")), WeightsFile, Hash([]byte("w")))
	stop := make(chan struct{})
	var others sync.WaitGroup
	for range 2 {
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					Open(dir)
				}
			}
		})
	}
	for range 100 {
		put(t, at, card, "c", "w")
		if err := Place(at, to, true); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	others.Wait()
	if _, err := Open(dir).Find("toy", "a"); err != nil {
		t.Error(err)
	}
}

// TestPlace replaces a genre, keeps what is none of it, and puts back what a replacement
// that was broken off had moved away.
func TestPlace(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "toy", "a")
	card := func(text string) string {
		return fmt.Sprintf(`{"schema":1,"name":"a","for":%q,"base":{"name":"toy"},"files":{%q:%q,%q:%q}}`, text, ConfigFile, Hash([]byte("c")), WeightsFile, Hash([]byte("w")))
	}
	made := func(text string) string {
		at := filepath.Join(dir, "toy", ".write-1")
		put(t, at, card(text), "c", "w")
		return at
	}
	is := func(what, want string) {
		t.Helper()
		g, err := Open(dir).Find("toy", "a")
		if err != nil || g.For != want || g.Measured != nil {
			t.Errorf("%s: %v, %+v", what, err, g)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "toy", ".[^l]*")); err != nil || len(left) > 0 { // but the lock
			t.Errorf("%s: left behind: %v %v", what, left, err)
		}
	}
	if err := Place(made("first"), to, false); err != nil {
		t.Fatal(err)
	}
	is("a new one", "first")
	if err := Place(made("second"), to, false); stroke.CodeOf(err) != stroke.CodeInput || stroke.HintOf(err) == "" {
		t.Errorf("one that is there: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "toy", ".write-1")); err != nil {
		t.Fatal(err)
	}
	is("after that", "first")
	notes := filepath.Join(to, "my notes")
	if err := os.MkdirAll(notes, 0o700); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{filepath.Join(notes, "x"): "mine", filepath.Join(to, MeasuredFile): `{"schema":1}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Place(made("second"), to, true); err != nil {
		t.Fatal(err)
	}
	is("with force", "second")
	// What is no genre is left alone, whatever it is called.
	backup := filepath.Join(dir, "site", ".old-blog")
	for _, file := range []string{filepath.Join(backup, ReadmeFile), filepath.Join(backup, "post"), filepath.Join(dir, "site", "blog", "page")} {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	Open(dir)
	for _, file := range []string{ReadmeFile, "post"} {
		if _, err := os.Lstat(filepath.Join(backup, file)); err != nil {
			t.Errorf("of a folder that is no genre: %v", err)
		}
	}
	mine := func(what string) {
		t.Helper()
		if b, err := os.ReadFile(filepath.Join(notes, "x")); err != nil || string(b) != "mine" {
			t.Errorf("%s: what was none of the genre: %q, %v", what, b, err)
		}
	}
	mine("with force")
	if err := os.Rename(to, aside(to)); err != nil {
		t.Fatal(err)
	}
	is("broken off before the new one was there", "second")
	mine("broken off before")
	if err := os.Rename(to, aside(to)); err != nil {
		t.Fatal(err)
	}
	put(t, to, card("third"), "c", "w")
	is("broken off after", "third")
	mine("broken off after")
	file := filepath.Join(dir, "toy", "b")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Taken(file, true); stroke.CodeOf(err) != stroke.CodeInput {
		t.Errorf("a file in its place: %v", err)
	}
}

// TestCardIn takes what is called as a card and is none for nothing, and a damaged card for
// what it is.
func TestCardIn(t *testing.T) {
	card := fmt.Sprintf(`{"schema":1,"name":"a","base":{"name":"toy"},"files":{%q:"1",%q:"2"}}`, ConfigFile, WeightsFile)
	for what, c := range map[string]struct {
		text, name string
		ok         bool
	}{
		"a card":            {card, "a", true},
		"a card cut short":  {card[:30], "", false},
		"a card of nothing": {"", "", false},
		"a later card":      {strings.Replace(card, ":1,", ":9,", 1), "", false},
		"without its files": {`{"schema":1,"name":"a","base":{"name":"toy"}}`, "", false},
		"another's":         {`{"name": "a", "files": ["a.png"], "license": {"id": "mit"}}`, "", true},
		"another's schema":  {`{"schema": "https://example.com/card", "name": "a"}`, "", true},
		"a list":            {`["a"]`, "", true},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, CardFile), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := CardIn(dir); (err == nil) != c.ok || got.Name != c.name {
			t.Errorf("%s: %q, %v", what, got.Name, err)
		}
	}
	if got, err := CardIn(t.TempDir()); err != nil || got.Name != "" {
		t.Errorf("where there is none: %q, %v", got.Name, err)
	}
}
