package base

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	stroke "github.com/getstroke/stroke"
)

// Progress tells how far the fetching or the hashing of a base is. Total is 0
// where nobody stated it; while an installer fetches a package it is the size
// of the file inside.
type Progress struct {
	Source string // the source, or the file
	Done   int64  // bytes
	Total  int64  // bytes
}

func report(progress func(Progress), source string, done, total int64) {
	if progress != nil {
		progress(Progress{Source: source, Done: done, Total: total})
	}
}

// settle gives a file that is whole its name, so that after a power failure
// either name holds the whole file.
func settle(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// copier copies with a limit, progress and an ear to its context.
type copier struct {
	ctx      context.Context
	progress func(done int64) // bytes so far; called ten times a second at most, and at the end
	alive    func()           // called after each read
}

const copyChunk = 256 << 10 // bytes

// errTooLong is the error of a source that holds more than it should.
var errTooLong = errors.New("more bytes than expected")

// copy moves bytes from r to w and stops with an error beyond limit bytes
// (none where negative). It counts what was written, the error's part too.
func (c copier) copy(w io.Writer, r io.Reader, limit int64) (int64, error) {
	buf := make([]byte, copyChunk)
	var done int64
	var last time.Time
	for {
		if c.ctx.Err() != nil {
			return done, context.Cause(c.ctx)
		}
		n, rerr := r.Read(buf)
		if c.alive != nil {
			c.alive()
		}
		if limit >= 0 && done+int64(n) > limit {
			return done, errTooLong
		}
		if n > 0 {
			m, werr := w.Write(buf[:n])
			done += int64(m)
			if werr != nil {
				return done, writeError{werr}
			}
		}
		if c.progress != nil && (rerr != nil || time.Since(last) > 100*time.Millisecond) {
			c.progress(done)
			last = time.Now()
		}
		if rerr == io.EOF {
			return done, nil
		}
		if rerr != nil {
			return done, rerr
		}
	}
}

// writeError is an error of this machine's disk, not of the source.
type writeError struct{ error }

func (e writeError) Unwrap() error { return e.error }

// hashFile gives the SHA-256 of a file in lower-case hex.
func hashFile(ctx context.Context, path string, progress func(done int64)) (string, error) {
	return digest(ctx, path, sha256.New(), progress)
}

// hashGit gives the name that git gives to a file's content, which the hub
// states for files that are not in its large file store.
func hashGit(ctx context.Context, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", info.Size())
	return digest(ctx, path, h, nil)
}

func digest(ctx context.Context, path string, h hash.Hash, progress func(int64)) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := (copier{ctx: ctx, progress: progress}).copy(h, f, -1); err != nil {
		return "", fmt.Errorf("hash %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// checkMagic refuses a file that is named as GGUF and is something else, like
// a page that says that one must log in.
func checkMagic(path, name string) error {
	if filepath.Ext(name) != ".gguf" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var magic [4]byte
	if _, err := io.ReadFull(f, magic[:]); err != nil || string(magic[:]) != "GGUF" {
		return fmt.Errorf("%s is not a GGUF file: it begins with %q", name, magic)
	}
	return nil
}

// diskError makes an error of this machine's disk one for people.
func (s *Store) diskError(what, path string, err error) error {
	var e *stroke.Error
	if errors.As(err, &e) {
		return err
	}
	out := &stroke.Error{Code: stroke.CodeFailure, Msg: what + " " + path, Err: err}
	switch {
	case isFull(err):
		out.Msg, out.Err = "the disk that holds "+filepath.Dir(path)+" is full", err
		out.Hint = "make room there, or set STROKE_HOME and HF_HOME to folders on another disk"
	case isReadOnly(err):
		out.Hint = "set STROKE_HOME and HF_HOME to folders that you can write to"
	}
	return out
}
