package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/testkit"
)

// shell is a folder to run commands in, with a home of its own.
type shell struct {
	t   *testing.T
	dir string
	env []string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	dir := t.TempDir()
	return &shell{t: t, dir: dir, env: append(os.Environ(), "STROKE_HOME="+filepath.Join(dir, "home"), "HOME="+dir, "XDG_CACHE_HOME="+filepath.Join(dir, "cache"),
		"HF_HOME="+filepath.Join(dir, "hf"), "TMPDIR="+dir, "HF_HUB_OFFLINE=1", "NOTEBOOK="+filepath.Join(testkit.Root(t), "examples", "notebook"))}
}

func (s *shell) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir, c.Env = s.dir, s.env
	return c
}

// run runs stroke and gives what it wrote and its exit status.
func (s *shell) run(args ...string) (stdout, stderr string, status int) {
	s.t.Helper()
	c := s.command("stroke", args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil && c.ProcessState == nil {
		s.t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// fails runs stroke with --json and holds that it ends with an error of a kind,
// in one sentence that says what, and with a hint that says what to do.
func (s *shell) fails(code stroke.Code, says, hint string, args ...string) {
	s.t.Helper()
	out, _, status := s.run(append(args, "--json")...)
	var e stroke.ErrorEvent
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &e); err != nil {
		s.t.Errorf("stroke %s: the last line is %q", strings.Join(args, " "), lines[len(lines)-1])
		return
	}
	if e.Code != code || status != code.ExitStatus() || !regexp.MustCompile(says).MatchString(e.Message) || !regexp.MustCompile(hint).MatchString(e.Hint) || strings.Contains(e.Message, "\n") {
		s.t.Errorf("stroke %s: ended with %d, %s, %q and the hint %q; %q and %q were to be said", strings.Join(args, " "), status, e.Code, e.Message, e.Hint, says, hint)
	}
}

func (s *shell) write(name string, b []byte) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// TestUnusableBases trains on bases that cannot be used.
func TestUnusableBases(t *testing.T) {
	s := newShell(t)
	notebook := filepath.Join(testkit.Root(t), "examples", "notebook")
	toy := func(shape testkit.ToyShape) []byte {
		b, err := os.ReadFile(testkit.Toy(t, shape))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := toy(testkit.ToyShape{})
	s.write("foo.gguf", toy(testkit.ToyShape{Architecture: "foo"}))
	s.fails(stroke.CodeInput, `the base .*foo\.gguf.*cannot be used.*"?foo"?`, ".", "train", notebook, "--base", "foo.gguf")
	s.write("more.gguf", toy(testkit.ToyShape{MoreTokens: 9}))
	s.fails(stroke.CodeInput, "tokenizer of .* has [0-9]+ tokens and the model [0-9]+: they do not belong together", ".", "train", notebook, "--base", "more.gguf")

	// The type of a tensor stands behind its name, dimensions and shape.
	kind := bytes.Index(good, []byte("token_embd.weight")) + len("token_embd.weight") + 4 + 2*8
	if binary.LittleEndian.Uint32(good[kind:]) != 0 {
		t.Fatal("the type of token_embd.weight is not where it was looked for")
	}
	odd := bytes.Clone(good)
	binary.LittleEndian.PutUint32(odd[kind:], 23)
	s.write("iq.gguf", odd)
	s.fails(stroke.CodeInput, "IQ4_XS|type 23", ".", "train", notebook, "--base", "iq.gguf")

	for _, n := range []int{0, 3, 20, 200, kind, len(good) / 2, len(good) - 100} {
		s.write("short.gguf", good[:n])
		s.fails(stroke.CodeInput, `the base .*short\.gguf.*cannot be used`, ".", "train", notebook, "--base", "short.gguf")
	}
	altered := bytes.Clone(good)
	for i := range 16 {
		altered[8+i] ^= 0x55 // how many tensors and entries there are
	}
	s.write("altered.gguf", altered)
	s.fails(stroke.CodeInput, `the base .*altered\.gguf.*cannot be used`, ".", "train", notebook, "--base", "altered.gguf")
	// What claims to be a base of the catalog must have its hash.
	s.write("SmolLM2-135M-Instruct.Q4_1.gguf", good)
	s.fails(stroke.CodeFailure, "SHA-256|hash|bytes", ".", "base", "pull", "smollm2-135m-instruct", "--from", filepath.Join(s.dir, "SmolLM2-135M-Instruct.Q4_1.gguf"))
	if left, _ := filepath.Glob(filepath.Join(s.dir, "home", "twins", "*", "versions", "*")); len(left) > 0 {
		t.Errorf("versions were made: %v", left)
	}
}

// TestNoNetwork asks for a base where there is neither the base nor a network:
// it is given up within seconds.
func TestNoNetwork(t *testing.T) {
	s := newShell(t)
	closed := "http://127.0.0.1:1"
	s.env = append(s.env, "HF_HUB_OFFLINE=", "HTTPS_PROXY="+closed, "HTTP_PROXY="+closed, "https_proxy="+closed, "http_proxy="+closed, "NO_PROXY=", "no_proxy=",
		"HF_ENDPOINT="+closed, "PIP_INDEX_URL="+closed+"/simple", "UV_INDEX_URL="+closed+"/simple", "UV_DEFAULT_INDEX="+closed+"/simple", "PIP_CONFIG_FILE="+os.DevNull)
	notebook := filepath.Join(testkit.Root(t), "examples", "notebook")
	for _, base := range []string{"smollm2-135m-instruct", "auto"} {
		begin := time.Now()
		s.fails(stroke.CodeFailure, ".", "network|--from|--base|online", "train", notebook, "--base", base)
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("--base %s: it took %s to give up", base, took)
		}
	}
}

// TestLeftOut reads files of kinds that are not read: each is listed with how
// its text can be had.
func TestLeftOut(t *testing.T) {
	s := newShell(t)
	s.write("in/report.pdf", []byte("%PDF-1.4"))
	s.write("in/letter.odt", []byte("PK"))
	s.write("in/memo.rtf", []byte(`{\rtf1}`))
	s.write("in/WhatsApp Chat with M.txt", []byte("12/31/23, 6:05 PM - M: hello\n12/31/23, 6:06 PM - N: hello\n"))
	s.write("in/result.json", []byte("{}"))
	s.write("in/broken.docx", []byte("this is no docx"))
	s.write("in/picture.png", []byte("\x89PNG"))
	s.write("in/blob.txt", bytes.Repeat([]byte{0, 1, 2, 0xff}, 500))
	s.write("in/latin.txt", []byte("Caf\xe9 and na\xefve, so that the note is read all the same, as someone wrote it long ago and in another place, where nobody had heard of it.\n"))
	huge := s.write("in/huge.txt", nil)
	if err := os.Truncate(huge, 1<<30); err != nil {
		t.Fatal(err)
	}
	out, _, status := s.run("train", "in", "--dry-run", "--json")
	if status != 1 {
		t.Errorf("with nearly nothing to read it ended with %d", status)
	}
	got := map[string]stroke.LeftOutEvent{}
	note := false
	for l := range strings.Lines(out) {
		var e struct {
			Event string
			stroke.LeftOutEvent
			Text string
		}
		if err := json.Unmarshal([]byte(l), &e); err != nil {
			t.Errorf("on stdout with --json: %q", l)
		}
		if e.Event == "left_out" {
			got[e.Source] = e.LeftOutEvent
		}
		note = note || e.Event == "note" && strings.Contains(e.Text, "latin.txt")
	}
	for source, want := range map[string]struct{ reason, hint string }{
		"report.pdf":               {"PDF", "pdftotext"},
		"letter.odt":               {"ODT", "docx"},
		"memo.rtf":                 {"RTF", "docx"},
		"WhatsApp Chat with M.txt": {"chat", "txt"},
		"result.json":              {"chat", "txt"},
		"broken.docx":              {".", ""},
		"blob.txt":                 {".", ""},
		"huge.txt":                 {"too large", "."},
	} {
		e, ok := got[source]
		if !ok || !regexp.MustCompile(want.reason).MatchString(e.Reason) || !regexp.MustCompile(want.hint).MatchString(e.Hint) {
			t.Errorf("%s: %+v", source, e)
		}
	}
	if _, left := got["latin.txt"]; left || !note {
		t.Error("a text that is not UTF-8 is not read with a note")
	}
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]|\x1b[=>]")

// TestFortyColumns runs the commands on a terminal of 40 columns: nothing that
// they write is wider, but for single words such as paths, which a terminal
// breaks and copies better.
func TestFortyColumns(t *testing.T) {
	if _, err := exec.LookPath("script"); err != nil || runtime.GOOS != "linux" {
		t.Skip("needs script(1) as util-linux has it, for a terminal")
	}
	s := newShell(t)
	s.write("in/report.pdf", []byte("%PDF-1.4"))
	toy := testkit.Toy(t, testkit.ToyShape{})
	if err := os.Rename(toy, filepath.Join(s.dir, "toy.gguf")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(s.dir, "in"), os.DirFS(filepath.Join(testkit.Root(t), "examples", "notebook"))); err != nil {
		t.Fatal(err)
	}
	for i, line := range []string{
		"stroke train in --name me --base ./toy.gguf --epochs 1 --rank 2",
		"stroke write -t me --max-tokens 3 --no-adapter Rain",
		"stroke version",
		"stroke train in --name me --base ./toy.gguf --dry-run",
		"stroke show -t me",
		"stroke twins",
		"stroke corpus -t me",
		"stroke score -t me in/mice.txt in/glue.md",
		"stroke base list",
		"stroke base show smollm2-135m-instruct",
		"stroke genre list",
		"stroke recipe list",
		"stroke version --help",
		"stroke train nowhere",
		"stroke train in --rate 7",
		"stroke show -t nobody",
	} {
		c := s.command("script", "-qec", "stty cols 40 rows 24; "+line, os.DevNull)
		c.Stdin = strings.NewReader("")
		out, _ := c.CombinedOutput() // its status is that of the command, or not, by the system
		if len(out) == 0 || i == 0 && !bytes.Contains(out, []byte("write with it")) {
			t.Errorf("%s: it wrote %q", line, out)
		}
		for _, l := range strings.FieldsFunc(escapes.ReplaceAllString(string(out), ""), func(r rune) bool { return r == '\n' || r == '\r' }) {
			if l = strings.TrimRight(l, " "); utf8.RuneCountInString(l) > 40 && strings.Contains(l, " ") {
				t.Errorf("%s: %d columns in %q", line, utf8.RuneCountInString(l), l)
			}
		}
	}
}
