package twin

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
)

// TestVersionOfLater holds that a version of a later program is said to be one,
// and that those beside it still work.
func TestVersionOfLater(t *testing.T) {
	f := toyTwin(t)
	first := put(t, f, 10, true)
	b := []byte(`{"schema": 2, "twin": "me"}`)
	id := hashID(b)
	dir := filepath.Join(f.Dir, versionsDir, id)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, versionFile), b, 0o600); err != nil {
		t.Fatal(err)
	}
	f.Versions = append(f.Versions, id)
	_, err := f.Version(id)
	code(t, err, stroke.CodeInput)
	if !strings.Contains(err.Error(), "its schema is 2") || !strings.Contains(stroke.HintOf(err), "newer stroke") {
		t.Errorf("%v (%s)", err, stroke.HintOf(err))
	}
	if _, err := f.Version(first.ID); err != nil {
		t.Error(err)
	}
}

// FuzzVersion holds that whatever the bytes, a version that is accepted is sound
// and comes back from what is written of it.
func FuzzVersion(f *testing.F) {
	v := &Version{Schema: schema, Twin: "me", Recipe: DefaultRecipe(1000), Parent: "0123456789ab"}
	b, err := json.Marshal(v)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"schema": 1, "parent": "../../elsewhere"}`))
	f.Add([]byte(`{"schema": 1, "recipe": {"prompt": {"tokens": -5}}}`))
	f.Add([]byte(`{"schema": 1, "recipe": {"options": {"lora": {"targets": ["head"]}}}}`))
	f.Add([]byte(`{"schema": 1, "heldout": {"base": 1e999}}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v := &Version{}
		if parseVersion(b, v) != nil {
			return
		}
		if v.Schema != schema || v.Parent != "" && !goodID(v.Parent) || v.Recipe.Prompt.Tokens < 0 || v.Recipe.Prompt.Each < 0 {
			t.Fatalf("accepted: %+v", v)
		}
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		again := &Version{}
		if err := parseVersion(out, again); err != nil {
			t.Fatal(err)
		}
		twice, err := json.Marshal(again)
		if err != nil || !reflect.DeepEqual(out, twice) {
			t.Fatalf("%s\n%s\n%v", out, twice, err)
		}
	})
}
