package twin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/getstroke/stroke"
)

// comparisons are the folders of trainings by comparisons that were stopped and hold
// documents of the twin. It is an error where one of them, or one that writes its tables
// into the twin's folder, is running.
func (f *Folder) comparisons() ([]string, error) {
	home, err := Home()
	if err != nil {
		return nil, err
	}
	var works []string
	of := f.hashes()
	in := filepath.Join(home, compareDir, workDir)
	for _, work := range subfolders(in) {
		for _, training := range subfolders(filepath.Join(in, work)) {
			dir := filepath.Join(in, work)
			if anyIn((&Folder{Dir: filepath.Join(dir, training)}).hashes(), of) {
				works = append(works, dir)
				break
			}
		}
	}
	for _, dir := range append([]string{filepath.Join(f.Dir, compareDir)}, works...) {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		unlock, err := lockFolder(dir, "delete it", func(who string) error {
			return &stroke.Error{Code: stroke.CodeBusy, Msg: fmt.Sprintf("a comparison of text of the twin %s is running: %s", f.Name, who), Hint: "wait until it is done, or stop it"}
		})
		if err != nil {
			return nil, err
		}
		unlock() // Windows deletes no file that is open
	}
	return works, nil
}

// hashes are those of the documents that a twin's ledgers have, as far as they can be
// read.
func (f *Folder) hashes() map[string]bool {
	out := map[string]bool{}
	for _, name := range []string{ledgerFile, examplesFile} {
		if l, _ := f.readLedger(name); l != nil {
			for _, e := range l.Entries {
				out[e.Hash] = true
			}
		}
	}
	return out
}

func anyIn(a, b map[string]bool) bool {
	for x := range a {
		if b[x] {
			return true
		}
	}
	return false
}

// subfolders are the names of the folders in a folder; none where it is not there.
func subfolders(dir string) []string {
	entries, _ := os.ReadDir(dir)
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	return out
}
