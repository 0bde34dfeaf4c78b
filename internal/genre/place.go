package genre

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"github.com/getstroke/stroke"
)

// own are the files of a genre's folder. By the last it is known: it goes last.
var own = []string{ConfigFile, WeightsFile, CompactFile, MeasuredFile, ReadmeFile, CardFile}

// asideMark begins the name under which a genre's folder lies while another takes its
// place; behind it is the genre's.
const asideMark = ".old-"

func aside(to string) string { return filepath.Join(filepath.Dir(to), asideMark+filepath.Base(to)) }

// lockFile lies beside the genres of a base, for who places one there or restores it.
const lockFile = ".lock"

// alone runs f while no other process runs another in the folder of a base's genres.
func alone(parent string, f func() error) error {
	l := flock.New(filepath.Join(parent, lockFile))
	if err := l.Lock(); err != nil {
		return fmt.Errorf("lock genres: %w", err)
	}
	defer l.Unlock()
	return f()
}

// Taken says that a genre's folder at to is there and may not be replaced.
func Taken(to string, force bool) error {
	restore(to)
	return taken(to, force)
}

func taken(to string, force bool) error {
	info, err := os.Lstat(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return &stroke.Error{Code: stroke.CodeFailure, Msg: "it cannot be seen whether there is a genre in " + to, Err: err}
	case !info.IsDir():
		return &stroke.Error{Code: stroke.CodeInput, Msg: to + " is no folder", Hint: "move it away, or choose another name"}
	case !force:
		return &stroke.Error{Code: stroke.CodeInput, Msg: "there is a genre in " + to + " already", Hint: "replace it with --force, or choose another name or folder"}
	}
	return nil
}

// Place moves the whole folder made, which lies beside it, to a genre's place. One that
// is there is replaced with force alone; what others put there stays.
func Place(made, to string, force bool) error {
	return alone(filepath.Dir(to), func() error { return place(made, to, force) })
}

func place(made, to string, force bool) error {
	restoreAlone(to)
	if err := taken(to, force); err != nil {
		return err
	}
	// A folder cannot be renamed over another.
	old := aside(to)
	err := os.Rename(to, old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("place genre: %w", err)
	}
	there := err == nil
	if err := os.Rename(made, to); err != nil {
		if there {
			err = errors.Join(err, os.Rename(old, to))
		}
		return fmt.Errorf("place genre: %w", err)
	}
	if there {
		restoreAlone(to)
	}
	return nil
}

// restore ends a replacement at to that was broken off: where no genre is there, that
// which was is put back; where one is, what others had put beside the old one comes to it.
// What cannot be moved stays where it is.
func restore(to string) {
	if !isGenre(aside(to)) {
		return
	}
	// Where no lock can be had nothing can be moved.
	alone(filepath.Dir(to), func() error {
		restoreAlone(to)
		return nil
	})
}

// isGenre says whether a folder has a genre's card.
func isGenre(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, CardFile))
	return err == nil
}

// restoreAlone is restore for who has the lock.
func restoreAlone(to string) {
	old := aside(to)
	entries, err := os.ReadDir(old)
	if err != nil {
		return
	}
	if !isGenre(old) {
		return // it is nobody's genre
	}
	if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
		os.Rename(old, to)
		return
	}
	if !isGenre(to) {
		return
	}
	for _, e := range entries {
		from, into := filepath.Join(old, e.Name()), filepath.Join(to, e.Name())
		if slices.Contains(own, e.Name()) {
			continue
		}
		if _, err := os.Lstat(into); errors.Is(err, fs.ErrNotExist) {
			os.Rename(from, into)
		}
	}
	for _, name := range own {
		os.Remove(filepath.Join(old, name))
	}
	os.Remove(old)
}

// restoreAll is restore of all genres in a library's folder.
func restoreAll(dir string) {
	for _, key := range folders(os.DirFS(dir), ".") {
		entries, err := os.ReadDir(filepath.Join(dir, key))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if name, ok := strings.CutPrefix(e.Name(), asideMark); ok {
				restore(filepath.Join(dir, key, name))
			}
		}
	}
}
