package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestDump holds that what fails leaves no file, so that the same command can be given
// again, and that one that was there before stays.
func TestDump(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.jsonl")
	d := &dump{path: path}
	if err := d.write(1); err != nil {
		t.Fatal(err)
	}
	stopped := errors.New("stopped")
	if err := d.close(stopped); err != stopped {
		t.Errorf("ended with %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what failed left a file: %v", err)
	}
	d = &dump{path: path}
	for i := range 2 {
		if err := d.write(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.close(nil); err != nil {
		t.Error(err)
	}
	again := &dump{path: path}
	if again.free() == nil || again.write(2) == nil || again.close(stopped) != stopped {
		t.Error("a file that is there is written over")
	}
	if b, err := os.ReadFile(path); string(b) != "0\n1\n" || err != nil {
		t.Errorf("the file holds %q, %v", b, err)
	}
}
