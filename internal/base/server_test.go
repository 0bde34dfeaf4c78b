package base

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testRepo   = "writers/Tiny-GGUF"
	testCommit = "0123456789abcdef0123456789abcdef01234567"
)

// hubServer answers as the hub does: the files of one repository at one
// commit, the large ones by a redirect to a store on another host.
type hubServer struct {
	*httptest.Server
	store *httptest.Server

	mu     sync.Mutex
	files  map[string][]byte
	small  map[string]bool // kept by git itself, not in the large file store
	lies   map[string]string
	served int64          // bytes of file content sent
	gets   []string       // the Range headers of content requests
	cuts   []int          // lengths after which the next content answers break off
	stall  chan struct{}  // content answers stop half way until it is closed
	slow   time.Duration  // between pieces of content
	status map[string]int // instead of an answer for a file
	token  string         // Authorization that the hub saw last
	leaked bool           // the store saw an Authorization
	deaf   int            // the content request, from 1, whose Range is passed over
	plain  bool           // a mirror that does not pass on the hub's own headers
}

func newHub(t testing.TB, files map[string][]byte) *hubServer {
	h := &hubServer{files: files, small: map[string]bool{}, lies: map[string]string{}, status: map[string]int{}}
	h.store = httptest.NewServer(http.HandlerFunc(h.content))
	h.Server = httptest.NewServer(http.HandlerFunc(h.hub))
	t.Cleanup(h.Server.Close)
	t.Cleanup(h.store.Close)
	return h
}

func (h *hubServer) hub(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.token = r.Header.Get("Authorization")
	h.mu.Unlock()
	if rest, ok := strings.CutPrefix(r.URL.Path, "/api/models/"+testRepo+"/tree/"); ok && (rest == "main" || rest == testCommit) {
		h.tree(w)
		return
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/"+testRepo+"/resolve/")
	rev, name, _ := strings.Cut(rest, "/")
	if old, moved := strings.CutPrefix(r.URL.Path, "/writers/Old-GGUF/"); moved {
		w.Header().Set("Location", "/"+testRepo+"/"+old)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	data, have := h.files[name]
	if code := h.status[name]; code != 0 {
		w.WriteHeader(code)
		return
	}
	if !ok || !have || rev != "main" && rev != testCommit {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("X-Repo-Commit", testCommit)
	if h.small[name] {
		w.Header().Set("ETag", `"`+gitHash(data)+`"`)
		h.content(w, r)
		return
	}
	if !h.plain {
		w.Header().Set("X-Linked-Etag", `"`+h.stated(name)+`"`)
		w.Header().Set("X-Linked-Size", strconv.Itoa(len(data)))
	} else if r.Method == http.MethodHead {
		w.Header().Set("ETag", `"not-a-hash"`)
		return
	}
	w.Header().Set("Location", h.store.URL+"/"+name)
	w.WriteHeader(http.StatusFound)
}

// stated is the hash that the hub gives for a file.
func (h *hubServer) stated(name string) string {
	if lie := h.lies[name]; lie != "" {
		return lie
	}
	return sha(h.files[name])
}

func (h *hubServer) tree(w http.ResponseWriter) {
	var out []map[string]any
	for name, data := range h.files {
		line := map[string]any{"type": "file", "path": name, "size": len(data), "oid": gitHash(data)}
		if !h.small[name] {
			line["lfs"] = map[string]any{"oid": h.stated(name), "size": len(data)}
		}
		out = append(out, line)
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (h *hubServer) content(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	data := h.files[name]
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		return
	}
	h.mu.Lock()
	if r.Host == strings.TrimPrefix(h.store.URL, "http://") {
		h.leaked = h.leaked || r.Header.Get("Authorization") != ""
	}
	h.gets = append(h.gets, r.Header.Get("Range"))
	out := &meter{ResponseWriter: w, hub: h, cut: -1, slow: h.slow, stall: h.stall, half: len(data) / 2}
	if len(h.cuts) > 0 {
		out.cut, h.cuts = h.cuts[0], h.cuts[1:]
	}
	if len(h.gets) == h.deaf {
		r.Header.Del("Range")
	}
	h.mu.Unlock()
	http.ServeContent(out, r, name, time.Time{}, bytes.NewReader(data))
}

// meter counts what is sent, and breaks off where it is told to.
type meter struct {
	http.ResponseWriter
	hub   *hubServer
	cut   int
	sent  int
	half  int
	slow  time.Duration
	stall chan struct{}
}

func (m *meter) Write(p []byte) (int, error) {
	if m.cut >= 0 && m.sent+len(p) > m.cut {
		n, _ := m.ResponseWriter.Write(p[:m.cut-m.sent])
		m.hub.count(n)
		m.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	if m.stall != nil && m.sent+len(p) > m.half {
		m.ResponseWriter.(http.Flusher).Flush()
		<-m.stall
	}
	if m.slow > 0 {
		m.ResponseWriter.(http.Flusher).Flush()
		time.Sleep(m.slow)
	}
	n, err := m.ResponseWriter.Write(p)
	m.sent += n
	m.hub.count(n)
	return n, err
}

func (h *hubServer) count(n int) {
	h.mu.Lock()
	h.served += int64(n)
	h.mu.Unlock()
}

// set changes how the hub behaves while it runs.
func (h *hubServer) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// sent is how many bytes of content went out.
func (h *hubServer) sent() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.served
}

// asked gives the Range headers of the content requests.
func (h *hubServer) asked() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.gets)
}

func sha(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func gitHash(data []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(data))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// model makes bytes that begin as a GGUF file does.
func model(size int) []byte {
	data := make([]byte, size)
	rng := rand.NewChaCha8([32]byte{byte(size), 7})
	_, _ = rng.Read(data)
	copy(data, "GGUF")
	return data
}

// testEntry is a catalog entry for a model on the test's hub.
func testEntry(data []byte, pinned bool, more ...Source) Entry {
	e := Entry{
		Name: "tiny", File: "tiny.gguf", Size: int64(len(data)),
		Sources: append([]Source{{Kind: Hub, Repo: testRepo, Rev: "main", File: "tiny.gguf"}}, more...),
		Shape:   Shape{Hidden: 8, Layers: 1, Heads: 1, KVHeads: 1, FFN: 8, Vocab: 8},
	}
	if pinned {
		e.SHA256 = sha(data)
	}
	return e
}

// newTestStore gives a store in folders of its own that is quick to give up.
func newTestStore(t testing.TB, endpoint string, entries ...Entry) *Store {
	dir := t.TempDir()
	return &Store{
		Dir:     filepath.Join(dir, "bases"),
		Hub:     HubConfig{Endpoint: endpoint, Cache: filepath.Join(dir, "hub")},
		Index:   IndexConfig{URL: "http://127.0.0.1:1/simple"},
		Catalog: entries,
		patience: patience{
			connect: 500 * time.Millisecond, stall: 500 * time.Millisecond, pause: 5 * time.Millisecond, forget: time.Minute,
			installerQuiet: 2 * time.Second,
		},
	}
}

// again gives a second store on the same folders, as another process has it.
func (s *Store) again() *Store {
	return &Store{Dir: s.Dir, Hub: s.Hub, Index: s.Index, Catalog: s.Catalog, patience: s.patience}
}

// leftovers names the files under a folder that are not whole.
func leftovers(t testing.TB, dirs ...string) (names []string) {
	t.Helper()
	for _, dir := range dirs {
		_ = filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.Contains(d.Name(), ".incomplete") {
				names = append(names, p)
			}
			return nil
		})
	}
	return names
}
