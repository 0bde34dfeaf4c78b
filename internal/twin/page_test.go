package twin

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/getstroke/stroke"
)

// TestWritePage holds that a page is written beside its place and renamed: what was
// read of the one before stays whole.
func TestWritePage(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "page.html"), filepath.Join(dir, "link.html")
	if err := WritePage(path, []byte("before")); err != nil {
		t.Fatal(err)
	}
	name := path
	if runtime.GOOS != "windows" {
		// There files that are open are not replaced, and links are for administrators.
		if err := os.Symlink("page.html", link); err != nil {
			t.Fatal(err)
		}
		name = link
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		open, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			old := make([]byte, 16)
			if n, _ := open.Read(old); string(old[:n]) != "before" {
				t.Errorf("the page that was open became %q", old[:n])
			}
			open.Close()
		}()
	}
	if err := WritePage(name, []byte("after")); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "after" {
		t.Errorf("the page is %q (%v)", b, err)
	}
	if runtime.GOOS != "windows" {
		if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("the link is %v (%v)", info, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("the mode is %v (%v)", info, err)
		}
	}
	err := WritePage(filepath.Join(dir, "no", "page.html"), nil)
	if code(t, err, stroke.CodeFailure); stroke.HintOf(err) == "" {
		t.Error("without a hint")
	}
}
