// Package lines keeps results as JSON lines, a file that a killed benchmark goes
// on with.
package lines

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Read reads the lines of files, in order. A last line without its end, which a
// kill leaves, is passed over. The error names a line that is no JSON for T, or one
// that check, which may be nil, refuses.
func Read[T any](paths []string, check func(*T) error) ([]T, error) {
	var out []T
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("read lines: %w", err)
		}
		defer f.Close()
		r := bufio.NewReader(f)
		for n := 1; ; n++ {
			b, err := r.ReadBytes('\n')
			if errors.Is(err, io.EOF) {
				break
			}
			var l T
			if err == nil {
				err = json.Unmarshal(b, &l)
			}
			if err == nil && check != nil {
				err = check(&l)
			}
			if err != nil {
				return nil, fmt.Errorf("read lines: line %d of %s: %w", n, path, err)
			}
			out = append(out, l)
		}
	}
	return out, nil
}

// Append adds v as a line to the file at path, which need not be there. One that a
// kill left without its end is cut off first.
func Append(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("append a line: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("append a line: %w", err)
	}
	old, err := io.ReadAll(f)
	if err == nil {
		end := int64(bytes.LastIndexByte(old, '\n') + 1)
		if err = f.Truncate(end); err == nil {
			_, err = f.WriteAt(append(b, '\n'), end)
		}
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("append a line: %w", err)
	}
	return nil
}
