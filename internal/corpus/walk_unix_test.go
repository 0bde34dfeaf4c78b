//go:build linux || darwin

package corpus

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestIgnorePipe waits for nobody to write to a pipe that has the name of an ignore file,
// and says of an ignore file that cannot be opened that it leaves nothing out.
func TestIgnorePipe(t *testing.T) {
	dir := write(t, map[string]string{"own.md": prose("own", 40), ".gitignore": "own.md\n"})
	if err := syscall.Mkfifo(filepath.Join(dir, ".strokeignore"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, ".gitignore"), 0); err != nil {
		t.Fatal(err)
	}
	done := make(chan *Reading)
	go func() {
		r, _ := Read(t.Context(), dir, Options{})
		done <- r
	}()
	select {
	case r := <-done:
		if os.Getuid() != 0 && (len(r.Documents) != 1 || len(r.Notes) != 1 || r.Notes[0].Source != ".gitignore") {
			t.Errorf("read are %v, notes %v", r.Documents, r.Notes)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits")
	}
}
