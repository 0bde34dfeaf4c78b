package twin

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/getstroke/stroke"
)

// SharedComparisons are the folders of trainings by comparisons that were stopped and hold
// documents of the twin in dir beside another twin's, or as many that are in no twin:
// [Remove] leaves them.
func SharedComparisons(dir string) []string {
	_, shared, err := (&Folder{Dir: dir}).comparisons()
	if err != nil {
		return nil // Remove says what is wrong
	}
	return shared
}

// lockComparisons takes the locks of the twin's tables and of the trainings of its text
// that comparisons left which were stopped; works are the folders of these. It is an error
// where one of them is running.
func (f *Folder) lockComparisons() (works []string, unlock func(), err error) {
	works, _, err = f.comparisons()
	if err != nil {
		return nil, nil, err
	}
	var unlocks []func()
	unlock = func() {
		for _, u := range unlocks {
			u()
		}
	}
	for _, dir := range append([]string{filepath.Join(f.Dir, compareDir)}, works...) {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
			continue // it has none, or something of that name is not its own
		}
		u, err := lockFolder(dir, "delete it", func(who string) error {
			return &stroke.Error{Code: stroke.CodeBusy, Msg: fmt.Sprintf("a comparison of text of the twin %s is running: %s", f.Name, who), Hint: "wait until it is done, or stop it"}
		})
		if err != nil {
			unlock()
			return nil, nil, err
		}
		unlocks = append(unlocks, u)
	}
	return works, unlock, nil
}

// comparisons are the folders of trainings by comparisons that were stopped and hold
// documents of the twin: own are those that hold none of another twin's and are the twin's
// for more than half, since a document that was changed is in no twin, and shared the rest.
func (f *Folder) comparisons() (own, shared []string, err error) {
	home, err := Home()
	if err != nil {
		return nil, nil, err
	}
	dirs, err := List()
	if err != nil {
		return nil, nil, err
	}
	of, others := f.hashes(), map[string]bool{}
	for _, dir := range dirs {
		if !sameFile(dir, f.Dir) {
			maps.Copy(others, (&Folder{Dir: dir}).hashes())
		}
	}
	for _, work := range workFolders(home) {
		held := map[string]bool{}
		for _, training := range subfolders(work) {
			maps.Copy(held, (&Folder{Dir: filepath.Join(work, training)}).hashes())
		}
		its, apart := 0, true
		for hash := range held {
			if of[hash] {
				its++
			}
			apart = apart && !others[hash]
		}
		switch {
		case apart && 2*its > len(held):
			own = append(own, work)
		case its > 0:
			shared = append(shared, work)
		}
	}
	return own, shared, nil
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// workFolders are the folders of trainings in the home, those of some versions of the
// program among them.
func workFolders(home string) []string {
	var out []string
	all := filepath.Join(home, compareDir)
	for _, name := range subfolders(filepath.Join(all, workDir)) {
		out = append(out, filepath.Join(all, workDir, name))
	}
	for _, name := range subfolders(all) {
		if _, err := os.Stat(filepath.Join(all, name, measuredDir)); err != nil && looseWork.MatchString(name) {
			out = append(out, filepath.Join(all, name))
		}
	}
	return out
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
