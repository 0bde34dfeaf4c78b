// Package testkit gives tests what they share: the real base model, and the
// data that lies beside the repository. It is imported by tests alone.
package testkit

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/getstroke/stroke/internal/base"
)

// BaseName is the catalog's name of the base that tests use.
const BaseName = "smollm2-135m-instruct"

var pulled = sync.OnceValues(func() (string, error) {
	store, err := base.NewStore()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	found, err := store.Pull(ctx, BaseName, base.PullOptions{})
	return found.Path, err
})

// Base gives the path of the GGUF file of smollm2-135m-instruct: the file that
// STROKE_TEST_BASE names where it is there, otherwise the one in Stroke's own
// cache, which is fetched into it once. Where no source of it answers, the test
// is skipped; with CI=true it fails.
func Base(t testing.TB) string {
	t.Helper()
	if p := os.Getenv("STROKE_TEST_BASE"); p != "" {
		if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
			return p
		}
	}
	p, err := pulled()
	switch {
	case err == nil:
		return p
	case !errors.Is(err, base.ErrUnreachable):
		t.Fatalf("base model: %v", err)
	case os.Getenv("CI") == "true":
		t.Fatalf("CI=true, and the base model is not here: %v", err)
	}
	t.Skipf("needs the base model, which is not here and cannot be fetched without a network: %v", err)
	return ""
}

// Root gives the folder of the module that the test runs in.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod in any folder above the test")
		}
		dir = up
	}
}

// Shared gives the path of a file or folder of the data that lies beside the
// repository, ../shared/data. Where it is not there the test is skipped.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	p := filepath.Join(append([]string{Root(t), "..", "shared", "data"}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("needs the data beside the repository: %v", err)
	}
	return p
}
