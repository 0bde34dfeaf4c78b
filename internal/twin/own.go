package twin

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// What in a folder is a twin's, and what is somebody else's.

// halfWritten begins the names of files and folders that are being written; digits
// follow.
const halfWritten = ".write-"

var (
	documentName    = regexp.MustCompile(`^[0-9a-f]{64}\.txt$`)
	halfWrittenName = regexp.MustCompile(`^\.write-[0-9]+$`)
)

// ownReadmeLine is by what a twin's README is known; many folders have another.
const ownReadmeLine = "This folder is a twin made by Stroke"

// Others gives what lies in a twin's folder, or in one that is to be a twin's, and no
// twin puts there, as paths below it. A folder that is not there has none.
func Others(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // what else is wrong is found when something is written
	}
	// Some names of a twin's are anybody's: they are the twin's beside a list of documents,
	// and beside the manifest, which a deletion that is broken off leaves.
	listed := isTwin(dir) || isFile(filepath.Join(dir, ledgerFile)) || isFile(filepath.Join(dir, examplesFile))
	var out []string
	for _, e := range entries {
		name, own := e.Name(), false
		switch name {
		case manifestFile, ledgerFile, examplesFile, lockFile, lockFile + ".json":
			own = e.Type().IsRegular()
		case runDir, asideDir, blindDir, compareDir:
			own = e.IsDir() && listed
		case readmeFile:
			b, err := os.ReadFile(filepath.Join(dir, name))
			own = err == nil && bytes.Contains(b, []byte(ownReadmeLine))
		case documentsDir, versionsDir:
			if own = e.IsDir(); own {
				out = append(out, othersIn(dir, name)...)
			}
		default:
			own = halfWrittenName.MatchString(name)
		}
		if !own {
			out = append(out, name)
		}
	}
	return out
}

// othersIn is [Others] for the folder of documents or of versions.
func othersIn(dir, sub string) []string {
	entries, err := os.ReadDir(filepath.Join(dir, sub))
	if err != nil {
		return []string{sub}
	}
	var out []string
	for _, e := range entries {
		own := e.IsDir() && goodID(e.Name())
		if sub == documentsDir {
			own = e.Type().IsRegular() && documentName.MatchString(e.Name())
		}
		if !own && !halfWrittenName.MatchString(e.Name()) {
			out = append(out, filepath.Join(sub, e.Name()))
		}
	}
	return out
}

func isFile(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}

// removeTwin deletes all of a twin but the lock while that is held, and then the
// rest, since Windows deletes no file that is open. The manifest goes last: until then
// the twin can be named, and deleting it tried again. What is not the twin's stays, and
// the folders that hold it.
func removeTwin(dir string, unlock func()) error {
	left := Others(dir)
	held := func(name string) bool {
		return slices.ContainsFunc(left, func(l string) bool { return strings.HasPrefix(l, name+string(filepath.Separator)) })
	}
	var remove func(sub string) error
	remove = func(sub string) error {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil {
			return err
		}
		for _, e := range entries {
			name := filepath.Join(sub, e.Name())
			switch {
			case name == lockFile || name == lockFile+".json" || name == manifestFile || slices.Contains(left, name):
				continue
			case held(name):
				err = remove(name)
			default:
				err = os.RemoveAll(filepath.Join(dir, name))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := remove(""); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(dir, manifestFile)); err != nil {
		return err
	}
	unlock()
	if err := os.Remove(filepath.Join(dir, lockFile)); err != nil || len(left) > 0 {
		return err
	}
	return os.Remove(dir)
}

// sweep deletes what processes that were killed had half written.
func (f *Folder) sweep() {
	for _, in := range []string{"", documentsDir, versionsDir, runDir, blindDir} {
		entries, err := os.ReadDir(filepath.Join(f.Dir, in))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if halfWrittenName.MatchString(e.Name()) {
				os.RemoveAll(filepath.Join(f.Dir, in, e.Name()))
			}
		}
	}
}
