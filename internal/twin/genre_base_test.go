package twin

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/getstroke/stroke/internal/genre"
)

// TestHashBase hashes a folder of files and one of links to them, as a hub's cache
// has it, alike, and as sha256sum prints it.
func TestHashBase(t *testing.T) {
	blobs, snapshot, plain := t.TempDir(), t.TempDir(), t.TempDir()
	want := ""
	for _, name := range []string{"config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"} {
		text := []byte("the bytes of " + name)
		want += genre.Hash(text) + "  " + name + "\n"
		for _, file := range []string{filepath.Join(blobs, genre.Hash(text)), filepath.Join(plain, name)} {
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(filepath.Join(blobs, genre.Hash(text)), filepath.Join(snapshot, name)); err != nil {
			t.Skip("links are not allowed here: ", err)
		}
	}
	for _, dir := range []string{plain, snapshot} {
		if err := os.Mkdir(filepath.Join(dir, "onnx.json"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "README.md"), []byte("no part of it"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := hashBase(dir); err != nil || got != genre.Hash([]byte(want)) {
			t.Errorf("%s, want %s: %v", got, genre.Hash([]byte(want)), err)
		}
	}
	if got, err := hashBase(filepath.Join(snapshot, "config.json")); err != nil || got != genre.Hash([]byte("the bytes of config.json")) {
		t.Errorf("of a file: %s, %v", got, err)
	}
	if _, err := hashBase(filepath.Join(snapshot, "nothing")); err == nil {
		t.Error("of nothing there is a hash")
	}
}

// TestGenreOfNamedBase adds a genre for a base whose file has an odd name, and opens it.
func TestGenreOfNamedBase(t *testing.T) {
	t.Setenv("STROKE_HOME", t.TempDir())
	toy, err := os.ReadFile(toyFile(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "Toy.gguf.GGUF")
	if err := os.WriteFile(path, toy, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := openBase(path, path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	added(t, path, "fine", loud(b, 2, 0.01, 9))
	l, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	if g, err := l.Find(path, "fine"); err != nil || g.Base.Name != "toy" {
		t.Errorf("%+v, %v", g, err)
	}
}
