package testkit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"

	"github.com/getstroke/stroke/internal/base"
	"github.com/getstroke/stroke/internal/testkit"
)

func TestBase(t *testing.T) {
	data, err := os.ReadFile(testkit.Base(t))
	if err != nil {
		t.Fatal(err)
	}
	e, err := base.Find(testkit.BaseName)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != e.SHA256 {
		t.Errorf("the base that tests use has SHA-256 %s, the catalog says %s", got, e.SHA256)
	}
}

func TestShared(t *testing.T) {
	p := testkit.Shared(t, "models", "stories260K")
	if info, err := os.Stat(p); err != nil || !info.IsDir() {
		t.Errorf("%s: %v", p, err)
	}
}
