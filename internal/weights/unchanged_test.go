package weights

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestUnchanged replaces files of a model, and writes to them, while it is open.
func TestUnchanged(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(path string) error
		in      bool
		changed bool
	}{
		"nothing": {change: func(string) error { return nil }},
		"read":    {change: func(path string) error { _, err := os.ReadFile(path); return err }},
		"another file": {change: func(path string) error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := os.WriteFile(path+".new", b, 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		}, changed: true},
		"removed": {change: os.Remove, changed: true},
		"later":   {change: func(path string) error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)) }, in: true, changed: true},
		"longer": {change: func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.Write([]byte{0})
			return errors.Join(err, f.Close())
		}, in: true, changed: true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.gguf")
			if err := os.WriteFile(path, ggufBytes(t), 0o600); err != nil {
				t.Fatal(err)
			}
			src, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			if err := c.change(path); err != nil {
				t.Skip("this system does not let a mapped file be changed: ", err)
			}
			var replaced *ReplacedError
			if err := src.Unchanged(); errors.As(err, &replaced) != c.changed || c.changed && (replaced.Path != path || replaced.InPlace != c.in) {
				t.Errorf("%v", err)
			}
		})
	}
	dir := t.TempDir()
	for _, name := range []string{"config.json", "model.safetensors"} {
		b, err := os.ReadFile(filepath.Join("..", "testkit", "testdata", "tiny", "base", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if err := src.Unchanged(); err != nil {
		t.Error(err)
	}
	if err := os.Chtimes(filepath.Join(dir, "model.safetensors"), time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	var replaced *ReplacedError
	if err := src.Unchanged(); !errors.As(err, &replaced) || !replaced.InPlace {
		t.Errorf("a folder's file was written to: %v", err)
	}
}
