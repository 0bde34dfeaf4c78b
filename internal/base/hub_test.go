package base

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	stroke "github.com/getstroke/stroke"
)

func mustPull(t *testing.T, s *Store, name string, opt PullOptions) Found {
	t.Helper()
	found, err := s.Pull(t.Context(), name, opt)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestPullFromHub(t *testing.T) {
	data := model(3<<20 + 17)
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	s := newTestStore(t, hub.URL, testEntry(data, true))
	s.Hub.Token = "secret"
	if _, err := s.Locate(t.Context(), "tiny"); stroke.CodeOf(err) != stroke.CodeNotFound || !strings.Contains(stroke.HintOf(err), "stroke base pull tiny") {
		t.Errorf("before: %v, hint %q", err, stroke.HintOf(err))
	}
	var last Progress
	found := mustPull(t, s, "TINY", PullOptions{Progress: func(p Progress) { last = p }})
	if got, err := os.ReadFile(found.Path); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the file differs: %v", err)
	}
	if found.Where != InHub || found.SHA256 != sha(data) || found.Size != int64(len(data)) || found.Entry.Name != "tiny" {
		t.Errorf("found %+v", found)
	}
	if want := (Progress{Source: testEntry(data, true).Sources[0].String(), Done: int64(len(data)), Total: int64(len(data))}); last != want {
		t.Errorf("last progress %+v, want %+v", last, want)
	}
	if hub.token != "Bearer secret" || hub.leaked {
		t.Errorf("the hub saw %q; sent on to its store: %v", hub.token, hub.leaked)
	}

	// The layout that huggingface_hub writes.
	repo := filepath.Join(s.Hub.Cache, "models--writers--Tiny-GGUF")
	if ref, err := os.ReadFile(filepath.Join(repo, "refs", "main")); err != nil || string(ref) != testCommit {
		t.Errorf("refs/main holds %q: %v", ref, err)
	}
	snapshot := filepath.Join(repo, "snapshots", testCommit, "tiny.gguf")
	if found.Path != snapshot {
		t.Errorf("path %s, want %s", found.Path, snapshot)
	}
	if runtime.GOOS != "windows" {
		if link, err := os.Readlink(snapshot); err != nil || link != "../../blobs/"+sha(data) {
			t.Errorf("the snapshot links to %q: %v", link, err)
		}
	}

	served := hub.sent()
	again := mustPull(t, s.again(), "tiny", PullOptions{})
	if hub.sent() != served || again.Path != found.Path {
		t.Errorf("fetched again")
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Path != found.Path || list[0].SHA256 != found.SHA256 {
		t.Errorf("list %+v: %v", list, err)
	}
}

// What huggingface_hub or llama.cpp fetched is found without a network, with
// nothing of Stroke's own there.
func TestFoundInCacheOfAnother(t *testing.T) {
	data := model(100_000)
	for _, rev := range []string{"main", testCommit, strings.Repeat("9", 40)} { // the last: the same file at another commit
		t.Run(rev, func(t *testing.T) {
			e := testEntry(data, true)
			e.Sources[0].Rev = rev
			s := newTestStore(t, "http://127.0.0.1:1", e)
			repo := filepath.Join(s.Hub.Cache, "models--writers--Tiny-GGUF")
			write(t, filepath.Join(repo, "refs", "main"), []byte(testCommit))
			write(t, filepath.Join(repo, "snapshots", testCommit, "tiny.gguf"), data)
			found, err := s.Locate(t.Context(), "tiny")
			if err != nil || found.SHA256 != sha(data) || found.Where != InHub || found.Checked.IsZero() {
				t.Fatalf("%+v: %v", found, err)
			}
			if rec, err := s.readRecord("tiny"); err != nil || rec.Ours {
				t.Errorf("record %+v: %v", rec, err)
			}
			if _, err := s.Remove(t.Context(), "tiny", nil); stroke.CodeOf(err) != stroke.CodePartial {
				t.Errorf("remove: %v", err)
			}
			if _, err := os.Stat(found.Path); err != nil {
				t.Errorf("another program's file was removed: %v", err)
			}
		})
	}
}

func TestCacheThatLies(t *testing.T) {
	data := model(1000)
	other := bytes.Clone(data)
	other[500] ^= 1
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	s := newTestStore(t, hub.URL, testEntry(data, true))
	repo := filepath.Join(s.Hub.Cache, "models--writers--Tiny-GGUF")
	write(t, filepath.Join(repo, "refs", "main"), []byte(testCommit))
	write(t, filepath.Join(repo, "snapshots", testCommit, "tiny.gguf"), other)
	if _, err := s.Locate(t.Context(), "tiny"); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a file of the right size and the wrong bytes was taken: %v", err)
	}
	found := mustPull(t, s, "tiny", PullOptions{})
	if got, _ := os.ReadFile(found.Path); !bytes.Equal(got, data) {
		t.Error("not replaced")
	}
	write(t, filepath.Join(repo, "refs", "evil"), []byte("../../../etc"))
	if _, err := s.Hub.commitOf(Source{Kind: Hub, Repo: testRepo, Rev: "evil"}); err == nil {
		t.Error("a ref that is no commit was taken")
	}
}

func TestResume(t *testing.T) {
	data := model(2 << 20)
	for _, c := range []struct {
		name  string
		cuts  []int
		deaf  int
		part  []byte // what an earlier process left
		gets  []string
		bytes int64 // served at most
	}{
		{"broken off twice", []int{700_000, 300_000}, 0, nil, []string{"", "bytes=700000-", "bytes=1000000-"}, 2 << 20},
		{"sent from its first byte and broken off earlier", []int{700_000, 300_000}, 2, nil, []string{"", "bytes=700000-", "bytes=300000-"}, 3 << 20},
		{"left by a killed process", nil, 0, data[:1<<20], []string{"bytes=1048576-"}, 1 << 20},
		{"whole but not yet named", nil, 0, data, nil, 0},
		{"left with wrong bytes", nil, 0, make([]byte, 1<<20), []string{"bytes=1048576-", ""}, 3 << 20},
		{"left too long", nil, 0, make([]byte, 3<<20), []string{""}, 2 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			hub := newHub(t, map[string][]byte{"tiny.gguf": data})
			hub.cuts, hub.deaf = c.cuts, c.deaf
			s := newTestStore(t, hub.URL, testEntry(data, true))
			if c.part != nil {
				write(t, filepath.Join(s.Hub.Cache, "models--writers--Tiny-GGUF", "blobs", sha(data)+".incomplete"), c.part)
			}
			found := mustPull(t, s, "tiny", PullOptions{})
			if got, _ := os.ReadFile(found.Path); !bytes.Equal(got, data) {
				t.Error("the file differs")
			}
			if !slices.Equal(hub.asked(), c.gets) {
				t.Errorf("asked for %q, want %q", hub.asked(), c.gets)
			}
			if hub.sent() > c.bytes {
				t.Errorf("%d bytes were sent, %d are enough", hub.sent(), c.bytes)
			}
			if left := leftovers(t, s.Dir, s.Hub.Cache); left != nil {
				t.Errorf("left over: %v", left)
			}
		})
	}
}

func TestBreaksOffForever(t *testing.T) {
	data := model(1 << 20)
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	hub.cuts = []int{100, 0, 0, 0, 0, 0, 0, 0}
	s := newTestStore(t, hub.URL, testEntry(data, true))
	_, err := s.Pull(t.Context(), "tiny", PullOptions{})
	if !errors.Is(err, ErrUnreachable) || len(hub.asked()) > maxTries+1 {
		t.Errorf("after %d requests: %v", len(hub.asked()), err)
	}
	if _, err := s.Locate(t.Context(), "tiny"); stroke.CodeOf(err) != stroke.CodeNotFound {
		t.Errorf("half a file was taken: %v", err)
	}
	hub.cuts = nil
	mustPull(t, s, "tiny", PullOptions{})
	if got := hub.asked()[len(hub.asked())-1]; got != "bytes=100-" {
		t.Errorf("the next run asked for %q", got)
	}
}

func TestStall(t *testing.T) {
	data := model(1 << 20)
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	stall := make(chan struct{})
	hub.stall = stall
	s := newTestStore(t, hub.URL, testEntry(data, true))
	go func() {
		for { // once half has come, the next answers flow
			hub.mu.Lock()
			if hub.served > 0 {
				hub.stall = nil
				hub.mu.Unlock()
				return
			}
			hub.mu.Unlock()
			time.Sleep(time.Millisecond)
		}
	}()
	defer close(stall)
	found := mustPull(t, s, "tiny", PullOptions{})
	if got, _ := os.ReadFile(found.Path); !bytes.Equal(got, data) {
		t.Error("the file differs")
	}
	if len(hub.asked()) != 2 || hub.asked()[1] == "" {
		t.Errorf("asked for %q", hub.asked())
	}
}

func TestWrongBytes(t *testing.T) {
	data := model(200_000)
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	wrong := strings.Repeat("ab", 32)
	hub.lies["tiny.gguf"] = wrong
	t.Run("pinned", func(t *testing.T) {
		s := newTestStore(t, hub.URL, testEntry(data, true))
		_, err := s.Pull(t.Context(), "tiny", PullOptions{})
		if err == nil || !strings.Contains(err.Error(), "the catalog names") || errors.Is(err, ErrUnreachable) {
			t.Errorf("%v", err)
		}
		if hub.sent() != 0 {
			t.Error("fetched what the hub says is another file")
		}
	})
	t.Run("unpinned", func(t *testing.T) {
		s := newTestStore(t, hub.URL, testEntry(data, false))
		_, err := s.Pull(t.Context(), "tiny", PullOptions{})
		if err == nil || !strings.Contains(err.Error(), wrong+" expected") {
			t.Errorf("%v", err)
		}
		if left := leftovers(t, s.Dir, s.Hub.Cache); left != nil {
			t.Errorf("wrong bytes stay to be resumed: %v", left)
		}
		if _, err := s.Locate(t.Context(), "tiny"); stroke.CodeOf(err) != stroke.CodeNotFound {
			t.Errorf("%v", err)
		}
	})
	t.Run("a page instead of a model", func(t *testing.T) {
		page := []byte("<html>log in</html>")
		hub := newHub(t, map[string][]byte{"tiny.gguf": page})
		s := newTestStore(t, hub.URL, testEntry(page, false))
		if _, err := s.Pull(t.Context(), "tiny", PullOptions{}); err == nil || !strings.Contains(err.Error(), "not a GGUF file") {
			t.Errorf("%v", err)
		}
	})
}

// An unpinned entry is pinned at its first fetch to the hash that the hub
// states, and keeps it.
func TestPinnedAtFirstFetch(t *testing.T) {
	data := model(5000)
	for _, plain := range []bool{false, true} {
		hub := newHub(t, map[string][]byte{"tiny.gguf": data})
		hub.plain = plain
		e := testEntry(data, false)
		e.Size = 4999 // as published, which is not exact
		s := newTestStore(t, hub.URL, e)
		found := mustPull(t, s, "tiny", PullOptions{})
		rec, err := s.readRecord("tiny")
		if err != nil || rec.Files[0].SHA256 != sha(data) || rec.Pinned != "hub" || found.Size != 5000 {
			t.Errorf("mirror %v: record %+v, found %+v: %v", plain, rec, found, err)
		}
		blob, err := filepath.EvalSymlinks(found.Path)
		if err != nil {
			t.Fatal(err)
		}
		other := bytes.Clone(data)
		other[4000] ^= 4
		write(t, blob, other)
		if _, err := s.Locate(t.Context(), "tiny"); err == nil || stroke.CodeOf(err) != stroke.CodeFailure {
			t.Errorf("mirror %v: another file under the same name was taken: %v", plain, err)
		}
	}
}

// The token goes nowhere but to the hub, and not in the clear.
func TestTokenStays(t *testing.T) {
	for to, want := range map[string]bool{
		"https://hub.example/other": true, "http://hub.example/other": false,
		"https://hub.example:8443/other": false, "https://store.example/other": false,
	} {
		first, err := http.NewRequest(http.MethodGet, "https://hub.example/file", nil)
		if err != nil {
			t.Fatal(err)
		}
		next, err := http.NewRequest(http.MethodGet, to, nil)
		if err != nil {
			t.Fatal(err)
		}
		next.Header.Set("Authorization", "Bearer secret")
		c := new(Store).client(func(*http.Request) bool { return true })
		if err := c.CheckRedirect(next, []*http.Request{first}); err != nil {
			t.Fatal(err)
		}
		if got := next.Header.Get("Authorization") != ""; got != want {
			t.Errorf("sent on to %s: %v", to, got)
		}
	}
	// A hub that is asked in the clear may send on to itself in TLS.
	clear, tls := &url.URL{Scheme: "http", Host: "hub"}, &url.URL{Scheme: "https", Host: "hub"}
	if !within(clear, tls) || within(tls, clear) || !within(clear, clear) {
		t.Error("from http to https, or back")
	}
}

// An unpinned base stays what it was when it was first fetched, whatever the hub or the
// cache has under its name since, until another is asked for.
func TestHeld(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("snapshots are no links on Windows")
	}
	data, other := model(5000), model(6000)
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	s := newTestStore(t, hub.URL, testEntry(data, false))
	found := mustPull(t, s, "tiny", PullOptions{})
	refused := func(what string) {
		t.Helper()
		if got, err := s.Locate(t.Context(), "tiny"); err == nil {
			t.Errorf("%s: located %s with SHA-256 %s", what, got.Path, got.SHA256)
		}
		_, err := s.Pull(t.Context(), "tiny", PullOptions{})
		if err == nil || !strings.Contains(err.Error(), sha(data)) || !strings.Contains(stroke.HintOf(err), "--from hub:"+testRepo+"@"+testCommit+"/tiny.gguf") {
			t.Errorf("%s: %v (%s)", what, err, stroke.HintOf(err))
		}
	}
	hub.files["tiny.gguf"] = other
	if err := os.Remove(found.Path); err != nil {
		t.Fatal(err)
	}
	refused("another on the hub")
	if len(hub.asked()) != 1 {
		t.Error("what is refused was fetched")
	}
	for _, linked := range []bool{true, false} {
		commit := strings.Repeat("f", 40)
		p := filepath.Join(s.Hub.snapshotDir(testRepo, commit), "tiny.gguf")
		os.Remove(p)
		write(t, p, other)
		if linked {
			blob := filepath.Join(s.Hub.repoDir(testRepo), "blobs", sha(other))
			if err := errors.Join(os.Rename(p, blob), os.Symlink(blob, p)); err != nil {
				t.Fatal(err)
			}
		}
		write(t, filepath.Join(s.Hub.repoDir(testRepo), "refs", "main"), []byte(commit))
		refused("another in the cache")
	}
	if got := mustPull(t, s, "tiny", PullOptions{From: "hub:" + testRepo + "/tiny.gguf"}); got.SHA256 != sha(other) {
		t.Errorf("asked for: %+v", got)
	}
	if got := mustPull(t, s, "tiny", PullOptions{}); got.SHA256 != sha(other) {
		t.Errorf("from then on: %+v", got)
	}
}

// What a local base is does not change either when it is copied again.
func TestHeldFolder(t *testing.T) {
	s := newTestStore(t, "http://127.0.0.1:1")
	dir := t.TempDir()
	for _, name := range []string{"config.json", "model.safetensors"} {
		write(t, filepath.Join(dir, name), []byte(name))
	}
	found := mustPull(t, s, "mine", PullOptions{From: dir})
	write(t, filepath.Join(dir, "config.json"), []byte("another"))
	if err := os.Remove(filepath.Join(found.Path, "config.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pull(t.Context(), "mine", PullOptions{}); err == nil || !strings.Contains(stroke.HintOf(err), "--from dir:") {
		t.Errorf("%v (%s)", err, stroke.HintOf(err))
	}
	mustPull(t, s, "mine", PullOptions{From: dir})
}

func TestRefusals(t *testing.T) {
	data := model(100)
	for _, c := range []struct {
		status int
		repo   string
		want   string
	}{
		{0, "writers/None-GGUF", "the hub has no writers/None-GGUF@main/tiny.gguf"},
		{401, testRepo, "set HF_TOKEN"},
		{403, testRepo, "set HF_TOKEN"},
		{500, testRepo, "500"},
		{503, testRepo, "503"},
	} {
		hub := newHub(t, map[string][]byte{"tiny.gguf": data})
		hub.status["tiny.gguf"] = c.status
		e := testEntry(data, true)
		e.Sources[0].Repo = c.repo
		s := newTestStore(t, hub.URL, e)
		_, err := s.Pull(t.Context(), "tiny", PullOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || stroke.HintOf(err) == "" {
			t.Errorf("%d: %v, hint %q", c.status, err, stroke.HintOf(err))
		}
		if got := errors.Is(err, ErrUnreachable); got != (c.status == 503) {
			t.Errorf("%d: unreachable %v", c.status, got)
		}
	}
}

func TestRenamedRepository(t *testing.T) {
	data := model(100)
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	e := testEntry(data, true)
	e.Sources[0].Repo = "writers/Old-GGUF"
	mustPull(t, newTestStore(t, hub.URL, e), "tiny", PullOptions{})
}

// A hub that takes the connection and says nothing is given up within its
// patience, the next source is tried, one line is said, and it is not waited
// for a second time.
func TestSilentHub(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	data := model(1000)
	file := filepath.Join(t.TempDir(), "tiny.gguf")
	write(t, file, data)
	s := newTestStore(t, "http://"+l.Addr().String(), testEntry(data, true, Source{Kind: File, Path: file}))
	var said []string
	start := time.Now()
	found := mustPull(t, s, "tiny", PullOptions{Say: func(line string) { said = append(said, line) }})
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("given up after %s", took)
	}
	if len(said) != 1 || !strings.Contains(said[0], "does not answer") || !strings.Contains(said[0], "trying file:") || strings.Contains(said[0], "\n") {
		t.Errorf("said %q", said)
	}
	if found.Where != InStroke {
		t.Errorf("%+v", found)
	}
	s.patience.connect = time.Hour
	if _, err := s.Probe(t.Context(), "tiny"); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Pull(ctx, "tiny", PullOptions{From: "hub:" + testRepo + "@main/tiny.gguf"}); stroke.CodeOf(err) != stroke.CodeInterrupted {
		t.Errorf("cancelled: %v", err)
	}
}

func TestOffline(t *testing.T) {
	data := model(1000)
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	s := newTestStore(t, hub.URL, testEntry(data, true))
	s.Hub.Offline = true
	_, err := s.Pull(t.Context(), "tiny", PullOptions{})
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "HF_HUB_OFFLINE") || !strings.Contains(stroke.HintOf(err), "--from FILE") {
		t.Errorf("%v, hint %q", err, stroke.HintOf(err))
	}
	if _, err := s.Probe(t.Context(), "tiny"); !errors.Is(err, ErrUnreachable) {
		t.Errorf("probe: %v", err)
	}
	if hub.token != "" || hub.asked() != nil {
		t.Error("the hub was asked")
	}
}

func TestHubFolder(t *testing.T) {
	files := map[string][]byte{
		"config.json": []byte(`{"model_type":"llama"}`), "tokenizer.json": []byte(`{}`), "README.md": []byte("# no"),
		"model.safetensors": bytes.Repeat([]byte("w"), 90_000), "consolidated.safetensors": []byte("x"),
	}
	hub := newHub(t, files)
	hub.small["config.json"], hub.small["README.md"] = true, true
	s := newTestStore(t, hub.URL)
	found := mustPull(t, s, "", PullOptions{From: "hub:" + testRepo})
	if found.Entry.Name != "tiny-gguf" || filepath.Base(found.Path) != testCommit || found.Size != 90_000+22+2 {
		t.Errorf("%+v", found)
	}
	for _, name := range []string{"config.json", "tokenizer.json", "model.safetensors"} {
		if got, err := os.ReadFile(filepath.Join(found.Path, name)); err != nil || !bytes.Equal(got, files[name]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if names, _ := os.ReadDir(found.Path); len(names) != 3 {
		t.Errorf("%v", names)
	}
	located, err := s.again().Locate(t.Context(), "tiny-gguf")
	if err != nil || located.SHA256 != found.SHA256 {
		t.Errorf("%+v: %v", located, err)
	}
	if _, err := s.Remove(t.Context(), "tiny-gguf", nil); err != nil {
		t.Error(err)
	}
	if _, err := s.Locate(t.Context(), "tiny-gguf"); stroke.CodeOf(err) != stroke.CodeNotFound {
		t.Errorf("%v", err)
	}
}

func TestHubPicksTheOnlyModel(t *testing.T) {
	data := model(300)
	hub := newHub(t, map[string][]byte{"only.gguf": data, "README.md": nil})
	s := newTestStore(t, hub.URL)
	if found := mustPull(t, s, "mine", PullOptions{From: "hub:" + testRepo + "@main"}); filepath.Base(found.Path) != "only.gguf" {
		t.Errorf("%+v", found)
	}
	hub.files["other.gguf"] = data
	if _, err := s.Pull(t.Context(), "mine", PullOptions{From: "hub:" + testRepo + "@main"}); err == nil || !strings.Contains(err.Error(), "name one") {
		t.Errorf("%v", err)
	}
}

// Only what Stroke put there is removed, and a blob that another snapshot
// links to stays.
func TestRemoveFromHubCache(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("snapshots are no links on Windows")
	}
	data := model(3000)
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	for _, shared := range []bool{false, true} {
		s := newTestStore(t, hub.URL, testEntry(data, true))
		found := mustPull(t, s, "tiny", PullOptions{})
		blob, err := filepath.EvalSymlinks(found.Path)
		if err != nil {
			t.Fatal(err)
		}
		if shared {
			other := filepath.Join(filepath.Dir(filepath.Dir(found.Path)), strings.Repeat("f", 40))
			if err := os.MkdirAll(other, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(blob, filepath.Join(other, "tiny.gguf")); err != nil {
				t.Fatal(err)
			}
		}
		removed, err := s.Remove(t.Context(), "tiny", nil)
		if shared != (stroke.CodeOf(err) == stroke.CodePartial) || !shared && err != nil {
			t.Fatal(err)
		}
		_, gone := os.Stat(blob)
		if shared != (gone == nil) || (removed.Bytes == 0) != shared {
			t.Errorf("shared %v: %+v, blob: %v", shared, removed, gone)
		}
		if _, err := os.Lstat(found.Path); err == nil {
			t.Error("our own snapshot stays")
		}
		if _, err := s.Locate(t.Context(), "tiny"); shared != (err == nil) {
			t.Errorf("shared %v: %v", shared, err)
		}
	}
}

// What was in the cache before stays, and what another base is.
func TestRemoveLeavesOthers(t *testing.T) {
	hub := newHub(t, map[string][]byte{"config.json": []byte("{}"), "model.safetensors": model(4000)})
	s := newTestStore(t, hub.URL)
	at := func(name string) bool {
		_, err := os.Stat(filepath.Join(s.Hub.snapshotDir(testRepo, testCommit), name))
		return err == nil
	}
	remove := func(name string, partial bool) {
		t.Helper()
		if _, err := s.Remove(t.Context(), name, nil); partial != (stroke.CodeOf(err) == stroke.CodePartial) || !partial && err != nil {
			t.Errorf("remove %s: %v", name, err)
		}
		if _, err := s.Locate(t.Context(), name); stroke.CodeOf(err) != stroke.CodeNotFound {
			t.Errorf("%s is still here: %v", name, err)
		}
	}
	// Another program fetched the one small file.
	write(t, filepath.Join(s.Hub.repoDir(testRepo), "blobs", sha([]byte("{}"))), []byte("{}"))
	hub.small["config.json"] = false
	mustPull(t, s, "one", PullOptions{From: "hub:" + testRepo})
	mustPull(t, s, "one", PullOptions{From: "hub:" + testRepo})
	remove("one", true)
	if !at("config.json") || at("model.safetensors") {
		t.Errorf("here are the other's file: %v, our own: %v", at("config.json"), at("model.safetensors"))
	}
	// Two bases are the same files.
	mustPull(t, s, "one", PullOptions{From: "hub:" + testRepo})
	mustPull(t, s, "two", PullOptions{From: "hub:" + testRepo})
	remove("one", true)
	if _, err := s.Verify(t.Context(), "two", nil); err != nil {
		t.Error(err)
	}
	remove("two", true)
	if !at("config.json") || !at("model.safetensors") {
		t.Error("files that were in the cache before the second base are gone")
	}
}

func TestProbe(t *testing.T) {
	data := model(6 << 20)
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	s := newTestStore(t, hub.URL, testEntry(data, true))
	reach, err := s.Probe(t.Context(), "tiny")
	if err != nil || reach.Size != int64(len(data)) || reach.BytesPerSecond <= 0 || reach.Seconds() <= 0 {
		t.Errorf("%+v: %v", reach, err)
	}
	if hub.sent() > probeBytes {
		t.Errorf("%d bytes to measure", hub.sent())
	}
}

func TestEnvironment(t *testing.T) {
	for _, v := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HF_ENDPOINT", "HF_TOKEN",
		"HF_HUB_OFFLINE", "STROKE_HOME", "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"} {
		t.Setenv(v, "")
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	check := func(what string, get func(*Store) string, want string) {
		t.Helper()
		s, err := NewStore()
		if err != nil {
			t.Fatal(err)
		}
		if got := get(s); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	cache := func(s *Store) string { return s.Hub.Cache }
	check("default cache", cache, filepath.Join(home, ".cache", "huggingface", "hub"))
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "xdg"))
	check("XDG_CACHE_HOME", cache, filepath.Join(home, "xdg", "huggingface", "hub"))
	t.Setenv("HF_HOME", "~/hf")
	check("HF_HOME", cache, filepath.Join(home, "hf", "hub"))
	t.Setenv("HF_HUB_CACHE", filepath.Join(home, "direct"))
	check("HF_HUB_CACHE", cache, filepath.Join(home, "direct"))
	check("default endpoint", func(s *Store) string { return s.Hub.Endpoint }, "https://huggingface.co")
	t.Setenv("HF_ENDPOINT", "http://mirror.test/")
	check("HF_ENDPOINT", func(s *Store) string { return s.Hub.Endpoint }, "http://mirror.test")
	t.Setenv("HF_TOKEN", "t")
	check("HF_TOKEN", func(s *Store) string { return s.Hub.Token }, "t")
	t.Setenv("STROKE_HOME", filepath.Join(home, "s"))
	check("STROKE_HOME", func(s *Store) string { return s.Dir }, filepath.Join(home, "s", "bases"))
	t.Setenv("HF_HUB_OFFLINE", "True")
	if s, err := NewStore(); err != nil || !s.Hub.Offline {
		t.Errorf("HF_HUB_OFFLINE: %v", err)
	}
}

func TestTooLong(t *testing.T) {
	data := model(1000)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		for range 10 {
			_, _ = w.Write(data)
			w.(http.Flusher).Flush()
		}
	}))
	defer srv.Close()
	s := newTestStore(t, srv.URL)
	_, err := s.download(t.Context(), transfer{url: srv.URL, path: filepath.Join(t.TempDir(), "x.incomplete"), size: 1000})
	if err == nil || !strings.Contains(err.Error(), "more than 1000 bytes") {
		t.Errorf("%v", err)
	}
}

func write(t testing.TB, p string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(p), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
