package weights

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestHold holds that weights are the same bytes at the same addresses, held and
// mapped again, and that what is held outlives a file that is cut short.
func TestHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.gguf")
	want := make([]byte, 2*leastHeld+12345)
	for i := range want {
		want[i] = byte(i * i >> 7)
	}
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := openMapping(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.close(); err != nil {
			t.Error(err)
		}
	})
	s := &Source{GGUF: &GGUF{mapping: m}}
	data := m.data
	if s.Size() != int64(len(want)) {
		t.Errorf("a size of %d", s.Size())
	}
	for _, step := range []func() error{s.Hold, s.Hold, func() error { s.Forget(); return nil }, s.Hold} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, want) {
			t.Fatal("the bytes are others")
		}
	}
	if !m.held {
		t.Skip("this system has no large pages to give")
	}
	if s.Held() != s.Size() {
		t.Errorf("%d bytes are held", s.Held())
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	s.Forget()
	if !bytes.Equal(data, want) {
		t.Error("the bytes are others when the file is cut short")
	}
	if r := (*ReplacedError)(nil); !errors.As(s.Unchanged(), &r) || r.InPlace {
		t.Errorf("of a file cut short whose bytes are held it says %v", s.Unchanged())
	}
}
