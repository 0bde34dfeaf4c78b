package lines

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestLines cuts a file within its last line, as a kill does: what is whole is
// read, and what is added stands behind that.
func TestLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lines")
	for i := range 3 {
		if err := Append(path, i); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b[:len(b)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	read := func() []int {
		t.Helper()
		got, err := Read[int]([]string{path}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := read(); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("of a file that was cut %v are read", got)
	}
	if err := Append(path, 7); err != nil {
		t.Fatal(err)
	}
	if got := read(); !slices.Equal(got, []int{0, 1, 7}) {
		t.Errorf("behind a line that was cut %v are read", got)
	}
	odd := errors.New("odd")
	if _, err := Read([]string{path}, func(n *int) error {
		if *n == 7 {
			return odd
		}
		return nil
	}); !errors.Is(err, odd) {
		t.Errorf("a line that is refused: %v", err)
	}
}
