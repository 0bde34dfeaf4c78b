//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/testkit"
)

// place is a folder with pieces to train on and a home for twins.
type place struct {
	t       *testing.T
	dir     string
	base    string
	method  []string // flags of what is trained
	weights bool     // of the base, and no adapter
}

func newPlace(t *testing.T, base string) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir(), base: base, method: []string{"--rank", "2"}}
	if err := os.Mkdir(filepath.Join(p.dir, "few"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mice.txt", "foghorn.md", "boiler.md"} {
		b, err := os.ReadFile(filepath.Join(testkit.Root(t), "examples", "notebook", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(p.dir, "few", name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// train is the command line of a small run, with more arguments behind.
func (p *place) train(more ...string) *exec.Cmd {
	c := exec.Command("stroke", slices.Concat([]string{"train", "few", "--base", p.base, "--epochs", "4", "--tokens-per-step", "300",
		"--no-cross-fit", "--checkpoint-every", "1ms", "--json"}, p.method, more)...)
	c.Dir = p.dir
	c.Env = append(os.Environ(), "STROKE_HOME="+filepath.Join(p.dir, "home"), "HOME="+p.dir, "TMPDIR="+p.dir, "HF_HUB_OFFLINE=1")
	return c
}

// event is what the tests here look at.
type event struct {
	Event   string
	Step    int
	Resumed int    `json:"resumed_step"`
	Version string `json:"version"`
	Hint    string
	HeldOut stroke.HeldOut `json:"heldout"`
	Epoch   int
}

// until runs a command until stop says so of one of its events, and then sends
// it the signals given, nil to let it end. It gives the events, what it wrote
// to the error stream and its exit status, -1 where a signal ended it.
func (p *place) until(c *exec.Cmd, stop func(event) bool, signals ...os.Signal) (events []event, stderr string, status int) {
	p.t.Helper()
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		p.t.Fatal(err)
	}
	sent := false
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Event == "" {
			p.t.Errorf("on stdout with --json: %q", lines.Text())
			continue
		}
		events = append(events, e)
		if !sent && stop != nil && stop(e) {
			sent = true
			for _, s := range signals {
				if err := c.Process.Signal(s); err != nil {
					p.t.Fatal(err)
				}
			}
		}
	}
	c.Wait()
	if stop != nil && !sent {
		p.t.Fatalf("the run ended with %+v before it could be stopped: %s", last(events), errs.String())
	}
	return events, errs.String(), c.ProcessState.ExitCode()
}

// learnt is the file of what a version learnt.
func (p *place) learnt(version string) []byte {
	p.t.Helper()
	name := filepath.Join("adapter", "adapter_model.safetensors")
	if p.weights {
		name = "weights.safetensors"
	}
	b, err := os.ReadFile(filepath.Join(p.dir, "home", "twins", "few", "versions", version, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

func last(events []event) event {
	if len(events) == 0 {
		return event{}
	}
	return events[len(events)-1]
}

func at(name string, step int) func(event) bool {
	return func(e event) bool { return e.Event == name && e.Step >= step }
}

// moment is when a run is killed.
type moment struct {
	when func(event) bool
	name string
}

// moments are before the first checkpoint, between the score of an epoch and its
// checkpoint, on the way, and while the verdict is found.
var moments = []moment{
	{func(e event) bool { return e.Event == "forecast" }, "before the first step"},
	{func(e event) bool { return e.Event == "select" && e.Epoch == 1 }, "at the end of an epoch"},
	{at("checkpoint", 1), onTheWay},
	{at("score", 0), "in the verdict"},
}

// onTheWay is the moment at which a run is interrupted and its checkpoint damaged too.
const onTheWay = "after a checkpoint"

// TestExactRuns kills a run and goes on with it, on the real base and on the genre that
// it chooses; the adapter that it comes to is that of an undisturbed run, to the byte,
// and so are its figures.
func TestExactRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("trains twice on the real base")
	}
	p := newPlace(t, testkit.Base(t))
	p.killed(newPlace(t, p.base), moment{at("checkpoint", 3), "on the real base"})
}

// TestExactMethods does the same by each method, on a toy that is large enough for a
// step to be interrupted, at several moments, and interrupts runs between them.
func TestExactMethods(t *testing.T) {
	base := testkit.Toy(t, testkit.ToyShape{Hidden: 128, FFN: 512, Layers: 6})
	for name, method := range map[string][]string{
		"lora":    {"--rank", "2"},
		"full":    {"--method", "full"},
		"partial": {"--method", "partial", "--layers", "2-5", "--modules", "q_proj,down_proj,norm", "--optimizer", "adafactor"},
	} {
		t.Run(name, func(t *testing.T) {
			p, calm := newPlace(t, base), newPlace(t, base)
			for _, x := range []*place{p, calm} {
				x.method, x.weights = method, name != "lora"
			}
			p.killed(calm, moments...)
		})
	}
}

// killed compares the run of p, killed at some moments, with that of calm.
func (p *place) killed(calm *place, at ...moment) {
	t := p.t
	t.Helper()
	events, stderr, status := calm.until(calm.train(), nil)
	want := last(events)
	if status != 0 || want.Event != "done" || want.HeldOut.Tokens == 0 {
		t.Fatalf("the undisturbed run ended with %d and %+v\n%s", status, want, stderr)
	}

	done := 0
	for _, k := range at {
		events, stderr, status := p.until(p.train("--resume"), k.when, syscall.SIGKILL)
		if status != -1 {
			t.Fatalf("killed %s, the run ended with %d: %s", k.name, status, stderr)
		}
		for _, e := range events {
			if e.Event == "forecast" && e.Resumed < done {
				t.Errorf("killed %s: it goes on after step %d, and %d were kept", k.name, e.Resumed, done)
			}
			if e.Event == "checkpoint" {
				done = e.Step
			}
		}
		if k.name == onTheWay {
			p.damagedCheckpoint()
			done = p.interrupted(done)
		}
	}
	events, stderr, status = p.until(p.train("--resume"), nil)
	got := last(events)
	if status != 0 || got.Event != "done" {
		t.Fatalf("the run that goes on ended with %d and %+v\n%s", status, got, stderr)
	}
	if !bytes.Equal(p.learnt(got.Version), calm.learnt(want.Version)) {
		t.Error("what the disturbed run learnt has other bytes than that of the undisturbed one")
	}
	if got.HeldOut != want.HeldOut {
		t.Errorf("the figures are %+v, and undisturbed %+v", got.HeldOut, want.HeldOut)
	}
	left, err := filepath.Glob(filepath.Join(p.dir, "home", "twins", "few", "*", ".write-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("files half written are left: %v %v", left, err)
	}
}

// damagedCheckpoint alters the checkpoint and finds that said; then it puts the
// checkpoint back.
func (p *place) damagedCheckpoint() {
	p.t.Helper()
	path := filepath.Join(p.dir, "home", "twins", "few", "run", "checkpoint.safetensors")
	was, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, bad := range [][]byte{was[:len(was)/2], append(append([]byte(nil), was[:len(was)-5]...), 1, 2, 3, 4, 5), nil} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			p.t.Fatal(err)
		}
		events, _, status := p.until(p.train("--resume"), nil)
		if e := last(events); status != 1 || e.Event != "error" || !strings.Contains(e.Hint, "without --resume") {
			p.t.Errorf("a damaged checkpoint of %d bytes: the run ended with %d and %+v", len(bad), status, e)
		}
	}
	if err := os.WriteFile(path, was, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// interrupted stops the run with Ctrl-C a step further on, and gives the steps
// that are kept.
func (p *place) interrupted(done int) int {
	p.t.Helper()
	var busy []event
	var code int
	events, stderr, status := p.until(p.train("--resume"), func(e event) bool {
		if !at("step", done+1)(e) {
			return false
		}
		busy, _, code = p.until(p.train("--resume"), nil)
		return true
	}, os.Interrupt)
	if e := last(busy); code != 11 || e.Event != "error" {
		p.t.Errorf("a second run of the same twin ended with %d and %+v", code, e)
	}
	e := last(events)
	if status != 130 || e.Event != "error" || !strings.Contains(e.Hint, "--resume") {
		p.t.Fatalf("interrupted, the run ended with %d and %+v\n%s", status, e, stderr)
	}
	for _, e := range events {
		if e.Event == "checkpoint" {
			done = e.Step
		}
	}

	// Twice at once: the program ends without ado, and what was kept is kept.
	// Of two signals at the same moment one may be lost, so more are sent.
	_, stderr, status = p.until(p.train("--resume"), at("step", done+1), os.Interrupt, syscall.SIGTERM, os.Interrupt, syscall.SIGTERM)
	if status != 130 {
		p.t.Errorf("interrupted twice, the run ended with %d: %s", status, stderr)
	}
	return done
}
