package base

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	stroke "github.com/getstroke/stroke"
)

// TestMain lets the test binary be a second process that fetches a base.
func TestMain(m *testing.M) {
	if spec := os.Getenv("STROKE_TEST_PULL"); spec != "" {
		os.Exit(pullProcess(spec))
	}
	os.Exit(m.Run())
}

// process is what a second process is told to do.
type process struct {
	Dir, Cache, Endpoint string
	Size                 int64
	SHA256               string
}

func pullProcess(spec string) int {
	var p process
	if err := json.Unmarshal([]byte(spec), &p); err != nil {
		fmt.Println(err)
		return 2
	}
	e := testEntry(nil, false)
	e.Size, e.SHA256 = p.Size, p.SHA256
	s := &Store{Dir: p.Dir, Hub: HubConfig{Endpoint: p.Endpoint, Cache: p.Cache}, Catalog: []Entry{e}}
	found, err := s.Pull(context.Background(), "tiny", PullOptions{})
	if err != nil {
		fmt.Printf("%v\nhint: %s\n", err, stroke.HintOf(err))
		return stroke.CodeOf(err).ExitStatus()
	}
	fmt.Println(found.Path)
	return 0
}

func (s *Store) process(t *testing.T) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	spec, err := json.Marshal(process{s.Dir, s.Hub.Cache, s.Hub.Endpoint, s.Catalog[0].Size, s.Catalog[0].SHA256})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "STROKE_TEST_PULL="+string(spec))
	return cmd
}

// Processes and goroutines that want the same base at the same time fetch it
// once.
func TestFetchedOnce(t *testing.T) {
	data := model(1 << 20)
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	hub.set(func() { hub.slow = 5 * time.Millisecond })
	s := newTestStore(t, hub.URL, testEntry(data, true))
	var wg sync.WaitGroup
	waited := make(chan string, 16)
	for range 3 {
		cmd := s.process(t)
		wg.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("process: %v: %s", err, out)
			}
		})
	}
	for range 3 {
		wg.Go(func() {
			found, err := s.again().Pull(t.Context(), "tiny", PullOptions{Say: func(line string) { waited <- line }})
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := os.ReadFile(found.Path); err != nil || !bytes.Equal(got, data) {
				t.Errorf("the file differs: %v", err)
			}
		})
	}
	wg.Wait()
	if len(hub.asked()) != 1 || hub.sent() != int64(len(data)) {
		t.Errorf("%d requests, %d bytes sent for a file of %d", len(hub.asked()), hub.sent(), len(data))
	}
	close(waited)
	for line := range waited {
		if !strings.Contains(line, "waiting") {
			t.Errorf("said %q", line)
		}
	}
}

// A process that is killed leaves nothing that is taken for whole, nor a lock;
// the next goes on where it was.
func TestKilled(t *testing.T) {
	data := model(1 << 20)
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	hub.set(func() { hub.stall = make(chan struct{}) })
	s := newTestStore(t, hub.URL, testEntry(data, true))
	cmd := s.process(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	part := filepath.Join(s.Hub.Cache, "models--writers--Tiny-GGUF", "blobs", sha(data)+".incomplete")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if info, err := os.Stat(part); err == nil && info.Size() > 100_000 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing came")
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if _, err := s.Locate(t.Context(), "tiny"); stroke.CodeOf(err) != stroke.CodeNotFound {
		t.Errorf("half a file was taken: %v", err)
	}
	hub.set(func() {
		close(hub.stall)
		hub.stall, hub.gets = nil, nil
	})
	found := mustPull(t, s, "tiny", PullOptions{})
	if got, _ := os.ReadFile(found.Path); !bytes.Equal(got, data) {
		t.Error("the file differs")
	}
	if len(hub.asked()) != 1 || hub.asked()[0] == "" {
		t.Errorf("asked for %q", hub.asked())
	}
}

func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /dev/full")
	}
	data := model(300_000)
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	s := newTestStore(t, hub.URL, testEntry(data, true, Source{Kind: File, Path: "/nowhere"}))
	part := filepath.Join(s.Hub.Cache, "models--writers--Tiny-GGUF", "blobs", sha(data)+".incomplete")
	if err := os.MkdirAll(filepath.Dir(part), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/full", part); err != nil {
		t.Fatal(err)
	}
	_, err := s.Pull(t.Context(), "tiny", PullOptions{})
	if !isFull(err) || !strings.Contains(err.Error(), "is full") || !strings.Contains(stroke.HintOf(err), "make room") {
		t.Errorf("%v, hint %q", err, stroke.HintOf(err))
	}
	if strings.Count(err.Error(), "no space left") != 1 {
		t.Errorf("not one clear sentence: %v", err)
	}
	if _, err := s.Locate(t.Context(), "tiny"); stroke.CodeOf(err) != stroke.CodeNotFound {
		t.Errorf("%v", err)
	}
}

// A home that cannot be written: what is here is used, what is not says where
// it could be put.
func TestReadOnlyHome(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("folders have no write bit on Windows")
	}
	data := model(1000)
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	open, err := os.MkdirTemp("", "stroke-base-*") // t.TempDir lies in folders that only its owner enters
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = filepath.WalkDir(open, func(p string, d fs.DirEntry, err error) error { return os.Chmod(p, 0o777) })
		_ = os.RemoveAll(open)
	})
	run := func(s *Store) (string, error) {
		cmd := s.process(t)
		exe := filepath.Join(open, "pull")
		bin, err := os.ReadFile(cmd.Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(exe, bin, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd.Path, cmd.Dir = exe, "/"
		for _, dir := range []string{s.Dir, s.Hub.Cache} {
			if err := os.MkdirAll(dir, 0o777); err != nil {
				t.Fatal(err)
			}
		}
		mode := func(m os.FileMode) {
			_ = filepath.WalkDir(open, func(p string, d fs.DirEntry, err error) error {
				if d.IsDir() {
					return os.Chmod(p, m)
				}
				return nil
			})
		}
		mode(0o555)
		defer mode(0o755)
		asNobody(cmd)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	s := newTestStore(t, hub.URL, testEntry(data, true))
	s.Dir, s.Hub.Cache = filepath.Join(open, "bases"), filepath.Join(open, "hub")
	out, err := run(s)
	if err == nil || !strings.Contains(out, "permission denied") || !strings.Contains(out, "set STROKE_HOME and HF_HOME") {
		t.Errorf("nothing here: %v: %s", err, out)
	}
	write(t, filepath.Join(s.Hub.Cache, "models--writers--Tiny-GGUF", "refs", "main"), []byte(testCommit))
	write(t, filepath.Join(s.Hub.Cache, "models--writers--Tiny-GGUF", "snapshots", testCommit, "tiny.gguf"), data)
	if out, err = run(s); err != nil {
		t.Errorf("a base that is here: %v: %s", err, out)
	}
}

func TestFromFile(t *testing.T) {
	data := model(50_000)
	dir := t.TempDir()
	file := filepath.Join(dir, "Some Model.GGUF")
	write(t, file, data)
	s := newTestStore(t, "http://127.0.0.1:1", testEntry(data, true))
	found := mustPull(t, s, "", PullOptions{From: file})
	if found.Entry.Name != "some-model" || found.Where != InStroke || filepath.Base(found.Path) != "Some Model.gguf" {
		t.Errorf("%+v", found)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := s.again().Locate(t.Context(), "some-model"); err != nil {
		t.Errorf("not a copy: %v", err)
	}
	if d, err := s.Show("some-model"); err != nil || d.Found == nil || d.Entry.File != "Some Model.gguf" {
		t.Errorf("%+v: %v", d, err)
	}

	hidden := filepath.Join(dir, ".gguf")
	write(t, hidden, data)
	if found := mustPull(t, s, "mine", PullOptions{From: hidden}); filepath.Base(found.Path) != "model.gguf" {
		t.Errorf("%+v", found)
	}

	// The catalog's own name takes its own bytes alone, under its own file name.
	write(t, file, data)
	if found := mustPull(t, s, "tiny", PullOptions{From: "file:" + file}); filepath.Base(found.Path) != "tiny.gguf" {
		t.Errorf("%+v", found)
	}
	for what, wrong := range map[string][]byte{"another file": model(50_001), "an altered one": append(bytes.Clone(data[:49_999]), data[49_999]^1)} {
		write(t, file, wrong)
		if _, err := s.Pull(t.Context(), "tiny", PullOptions{From: file}); err == nil {
			t.Errorf("%s was taken", what)
		}
		if _, err := s.Locate(t.Context(), "tiny"); err != nil {
			t.Errorf("%s cost the good one: %v", what, err)
		}
	}
	for text, want := range map[string]string{
		"notes.txt": "not a GGUF file by its name", "page.gguf": "not a GGUF file: it begins",
	} {
		write(t, filepath.Join(dir, text), []byte("dear diary"))
		if _, err := s.Pull(t.Context(), "x", PullOptions{From: filepath.Join(dir, text)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if left := leftovers(t, s.Dir); left != nil {
		t.Errorf("left over: %v", left)
	}
	if _, err := s.Pull(t.Context(), "tiny", PullOptions{From: filepath.Join(dir, "none")}); stroke.CodeOf(err) != stroke.CodeNotFound {
		t.Errorf("%v", err)
	}
	if _, err := s.Pull(t.Context(), "../evil", PullOptions{From: file}); stroke.CodeOf(err) != stroke.CodeInput {
		t.Errorf("%v", err)
	}
	if removed, err := s.Remove(t.Context(), "tiny", nil); err != nil || removed.Bytes != 50_000 {
		t.Errorf("%+v: %v", removed, err)
	}
	if _, err := s.Remove(t.Context(), "tiny", nil); stroke.CodeOf(err) != stroke.CodeNotFound {
		t.Errorf("%v", err)
	}
}

func TestFromDir(t *testing.T) {
	data := model(9000)
	s := newTestStore(t, "http://127.0.0.1:1", testEntry(data, true))
	dir := filepath.Join(t.TempDir(), "My.Model")
	write(t, filepath.Join(dir, "tiny.gguf"), data)
	write(t, filepath.Join(dir, "other.gguf"), model(10))
	mustPull(t, s, "tiny", PullOptions{From: dir})

	dir = filepath.Join(t.TempDir(), "My.Model")
	for _, name := range []string{"config.json", "tokenizer.json", "model.safetensors", "training.log"} {
		write(t, filepath.Join(dir, name), []byte(name))
	}
	found := mustPull(t, s, "", PullOptions{From: dir})
	if found.Entry.Name != "my.model" || found.Path != filepath.Join(s.Dir, "my.model") {
		t.Errorf("%+v", found)
	}
	if _, err := os.Stat(filepath.Join(found.Path, "training.log")); err == nil {
		t.Error("copied what is no part of a model")
	}
	if _, err := s.Verify(t.Context(), "my.model", nil); err != nil {
		t.Error(err)
	}
	write(t, filepath.Join(found.Path, "config.json"), []byte("config.jso!"))
	if _, err := s.Locate(t.Context(), "my.model"); err == nil {
		t.Error("an altered file was taken")
	}
	mustPull(t, s, "my.model", PullOptions{}) // from where it came
	if _, err := s.Pull(t.Context(), "tiny", PullOptions{From: dir}); err == nil || !strings.Contains(err.Error(), "does not hold") {
		t.Errorf("%v", err)
	}
	if _, err := s.Pull(t.Context(), "x", PullOptions{From: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "neither a GGUF file nor") {
		t.Errorf("%v", err)
	}
}

// What a base was before is gone when it is fetched from another place.
func TestFromAnotherDir(t *testing.T) {
	s := newTestStore(t, "http://127.0.0.1:1")
	folder := func(names ...string) string {
		dir := t.TempDir()
		for _, name := range append(names, "config.json") {
			write(t, filepath.Join(dir, name), []byte(name+" in "+dir))
		}
		return dir
	}
	here := func(want ...string) {
		t.Helper()
		entries, err := os.ReadDir(s.baseDir("mine"))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, d := range entries {
			names = append(names, d.Name())
		}
		if !slices.Equal(names, want) {
			t.Errorf("%v are here, not %v", names, want)
		}
		if _, err := s.Verify(t.Context(), "mine", nil); err != nil {
			t.Error(err)
		}
	}
	mustPull(t, s, "mine", PullOptions{From: folder("model.safetensors", "generation_config.json")})
	here("base.json", "config.json", "generation_config.json", "model.safetensors")
	mustPull(t, s, "mine", PullOptions{From: folder("model-1-of-2.safetensors", "model-2-of-2.safetensors", "model.safetensors.index.json")})
	here("base.json", "config.json", "model-1-of-2.safetensors", "model-2-of-2.safetensors", "model.safetensors.index.json")
	one := filepath.Join(t.TempDir(), "one.gguf")
	write(t, one, model(2000))
	mustPull(t, s, "mine", PullOptions{From: one})
	here("base.json", "one.gguf")
	hub := newHub(t, map[string][]byte{"tiny.gguf": model(3000)})
	s.Hub.Endpoint = hub.URL
	mustPull(t, s, "mine", PullOptions{From: "hub:" + testRepo})
	here("base.json")
}

func TestDamage(t *testing.T) {
	data := model(20_000)
	file := filepath.Join(t.TempDir(), "tiny.gguf")
	write(t, file, data)
	e := testEntry(data, true)
	e.Sources = []Source{{Kind: File, Path: file}}
	damages := map[string]func(p string){
		"truncated": func(p string) { write(t, p, data[:10_000]) },
		"altered": func(p string) {
			bad := bytes.Clone(data)
			bad[9999] ^= 1
			write(t, p, bad)
		},
		"lost": func(p string) { _ = os.Remove(p) },
		"record lost": func(p string) {
			_ = os.Remove(filepath.Join(filepath.Dir(p), recordName))
		},
		"record damaged": func(p string) { write(t, filepath.Join(filepath.Dir(p), recordName), []byte("{")) },
	}
	for what, damage := range damages {
		t.Run(what, func(t *testing.T) {
			s := newTestStore(t, "http://127.0.0.1:1", e)
			found := mustPull(t, s, "tiny", PullOptions{})
			damage(found.Path)
			_, err := s.Locate(t.Context(), "tiny")
			switch {
			case strings.HasPrefix(what, "record"): // the hash in the catalog vouches for the file
				if err != nil {
					t.Errorf("%v", err)
				}
			case what == "lost":
				if stroke.CodeOf(err) != stroke.CodeNotFound {
					t.Errorf("%v", err)
				}
			default:
				if stroke.CodeOf(err) != stroke.CodeFailure || !strings.Contains(err.Error(), "damaged") || !strings.Contains(stroke.HintOf(err), "stroke base pull tiny") {
					t.Errorf("%v, hint %q", err, stroke.HintOf(err))
				}
			}
			mustPull(t, s, "tiny", PullOptions{})
			if got, _ := os.ReadFile(found.Path); !bytes.Equal(got, data) {
				t.Error("not fetched again")
			}
			if rec, err := s.readRecord("tiny"); err != nil || rec.Files[0].SHA256 != sha(data) {
				t.Errorf("%+v: %v", rec, err)
			}
		})
	}
}

// A bit that turned without the file's time changing is found by Verify, and
// the next pull repairs it.
func TestVerify(t *testing.T) {
	data := model(20_000)
	hub := newHub(t, map[string][]byte{"tiny.gguf": data})
	s := newTestStore(t, hub.URL, testEntry(data, true))
	found := mustPull(t, s, "tiny", PullOptions{})
	var last Progress
	if _, err := s.Verify(t.Context(), "tiny", func(p Progress) { last = p }); err != nil || last.Done != 20_000 || last.Total != 20_000 {
		t.Errorf("%+v: %v", last, err)
	}
	info, err := os.Stat(found.Path)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := filepath.EvalSymlinks(found.Path)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(data)
	bad[77] ^= 1
	write(t, blob, bad)
	if err := os.Chtimes(blob, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Locate(t.Context(), "tiny"); err != nil {
		t.Fatalf("the test turned more than a bit: %v", err)
	}
	if _, err := s.Verify(t.Context(), "tiny", nil); err == nil || !strings.Contains(err.Error(), "SHA-256") || !strings.Contains(stroke.HintOf(err), "stroke base pull tiny") {
		t.Errorf("%v, hint %q", err, stroke.HintOf(err))
	}
	mustPull(t, s, "tiny", PullOptions{})
	if _, err := s.Verify(t.Context(), "tiny", nil); err != nil {
		t.Errorf("not repaired: %v", err)
	}
	if _, err := s.Verify(t.Context(), "nobody", nil); stroke.CodeOf(err) != stroke.CodeNotFound {
		t.Errorf("%v", err)
	}
}

func TestInterruptedWait(t *testing.T) {
	data := model(100)
	s := newTestStore(t, "http://127.0.0.1:1", testEntry(data, true))
	unlock, err := s.lock(t.Context(), "tiny", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	said := 0
	_, err = s.Pull(ctx, "tiny", PullOptions{Say: func(string) { said++ }})
	if stroke.CodeOf(err) != stroke.CodeInterrupted || said != 1 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("said %d lines: %v", said, err)
	}
}
