package twin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/getstroke/stroke"
)

// Home is where twins are kept: STROKE_HOME, or by the platform's convention
// $XDG_DATA_HOME/stroke or ~/.local/share/stroke, ~/Library/Application
// Support/Stroke on a Mac, %LOCALAPPDATA%\Stroke on Windows.
func Home() (string, error) {
	if h := os.Getenv("STROKE_HOME"); h != "" {
		return filepath.Abs(h)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", &stroke.Error{Code: stroke.CodeFailure, Msg: "there is no home directory to keep twins in", Hint: "set STROKE_HOME to a folder", Err: err}
	}
	switch runtime.GOOS {
	case "darwin", "ios":
		return filepath.Join(home, "Library", "Application Support", "Stroke"), nil
	case "windows":
		if d := os.Getenv("LOCALAPPDATA"); d != "" {
			return filepath.Join(d, "Stroke"), nil
		}
		return filepath.Join(home, "AppData", "Local", "Stroke"), nil
	}
	if d := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "stroke"), nil
	}
	return filepath.Join(home, ".local", "share", "stroke"), nil
}

var goodName = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]{0,63}$`)

// mostName is the longest name of a folder in bytes that a twin may have: file systems
// allow 255, and some is put behind it while it is made.
const mostName = 180

const mostRunes = 64

// CheckName says what is wrong with a twin's name.
func CheckName(name string) error {
	if !goodName.MatchString(name) || strings.HasSuffix(name, ".") || len(name) > mostName {
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("%q cannot be a twin's name", name),
			Hint: "use up to 64 letters, digits, spaces, dots, hyphens (-) and underscores, beginning with a letter or digit: --name NAME"}
	}
	return nil
}

// NameOf is the name that a twin of a folder or file gets: that of the folder, less
// what a name cannot have.
func NameOf(path string) string {
	name := calledOf(path)
	if CheckName(name) == nil {
		return name
	}
	name = strings.Map(func(c rune) rune {
		switch {
		case strings.ContainsRune("'’‘`´\"“”„", c):
			return -1
		case unicode.Is(unicode.Pd, c):
			return '-'
		case unicode.In(c, unicode.L, unicode.M, unicode.N) || strings.ContainsRune("._-", c):
			return c
		}
		return ' '
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	name = strings.TrimLeftFunc(name, func(c rune) bool { return !unicode.In(c, unicode.L, unicode.N) })
	for utf8.RuneCountInString(name) > mostRunes || len(name) > mostName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	if name = strings.TrimRight(name, " ."); name == "" {
		return "twin"
	}
	return name
}

// calledOf is what a folder or a file is called, without the file's ending.
func calledOf(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	base := filepath.Base(abs)
	if info, err := os.Stat(abs); err == nil && !info.IsDir() {
		base = strings.TrimSuffix(base, filepath.Ext(base))
	}
	return norm.NFC.String(base)
}

// Find is the folder of a twin: a path where the name has a separator or is a
// twin's folder, otherwise a name in the home.
func Find(name string) (string, error) {
	if strings.ContainsAny(name, `/\`) || isTwin(name) {
		if !isTwin(name) {
			return "", notFound(name)
		}
		return name, nil
	}
	home, err := Home()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(home, "twins", norm.NFC.String(name))
	if !isTwin(dir) {
		return "", notFound(name)
	}
	return dir, nil
}

// twinFor is the twin whose roles the documents of a folder or file keep: the one that is
// named or, where none is, that of the folder; nil where it has none.
func twinFor(source, name string) (*Folder, error) {
	if name != "" {
		dir, err := Find(name)
		if err != nil {
			return nil, err
		}
		return Open(dir)
	}
	name = NameOf(source)
	if err := CheckName(name); err != nil {
		return nil, err
	}
	home, err := Home()
	if err != nil {
		return nil, err
	}
	if dir := filepath.Join(home, "twins", name); isTwin(dir) {
		return Open(dir)
	}
	return nil, nil
}

// FindToRemove is [Find] for what cannot be undone: it gives an absolute path, and an error
// where both a twin in the home and a folder here have the name.
func FindToRemove(name string) (string, error) {
	dir, err := Find(name)
	if err != nil {
		return "", err
	}
	here, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", dir, err)
	}
	if strings.ContainsAny(name, `/\`) || dir != name {
		return here, nil
	}
	home, err := Home()
	if err != nil {
		return here, nil
	}
	there := filepath.Join(home, "twins", norm.NFC.String(name))
	a, errA := os.Stat(here)
	b, errB := os.Stat(there)
	if isTwin(there) && errA == nil && errB == nil && !os.SameFile(a, b) {
		return "", &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("two twins can be meant by %q: that in %s and that in %s", name, here, there),
			Hint: "name the folder: -t " + onLine(here) + " or -t " + onLine(there)}
	}
	return here, nil
}

// elsewhere is the twin's folder where the twin is not found by its name.
func (f *Folder) elsewhere() string {
	dir, err := filepath.Abs(f.Dir)
	if err != nil {
		return f.Dir
	}
	if home, err := Home(); err == nil && dir == filepath.Join(home, "twins", norm.NFC.String(f.Name)) {
		return ""
	}
	return dir
}

func isTwin(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, manifestFile))
	return err == nil && info.Mode().IsRegular()
}

// onLine is a name as it stands in a command line.
func onLine(name string) string {
	if strings.Contains(name, " ") {
		return strconv.Quote(name)
	}
	return name
}

func notFound(name string) error {
	hint := "train one: stroke train FOLDER --name " + onLine(name)
	if strings.ContainsAny(name, `/\`) {
		hint = "train one there: stroke train FOLDER --to " + onLine(name)
	}
	if names, err := List(); err == nil && len(names) > 0 {
		var have []string
		for _, d := range names {
			have = append(have, filepath.Base(d))
		}
		hint = "there are: " + strings.Join(have, ", ")
	}
	return &stroke.Error{Code: stroke.CodeNotFound, Msg: fmt.Sprintf("there is no twin %q", name), Hint: hint}
}

// List gives the folders of the twins in the home, by name.
func List() ([]string, error) {
	home, err := Home()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(home, "twins"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeFailure, Msg: "the twins cannot be listed", Hint: "see whether " + home + " can be read", Err: err}
	}
	var dirs []string
	for _, e := range entries {
		if d := filepath.Join(home, "twins", e.Name()); isTwin(d) {
			dirs = append(dirs, d)
		}
	}
	sort.Strings(dirs)
	return dirs, nil
}

// Remove deletes a twin's folder, and the trainings of comparisons of its text that were
// stopped, unless another process works on one of them. What is not the twin's stays, and
// the folder with it: [Others] names it, and [SharedComparisons] the trainings that stay.
func Remove(dir string) error {
	f := &Folder{Dir: dir, Manifest: Manifest{Name: filepath.Base(dir)}}
	unlock, err := f.lock("delete it")
	if err != nil {
		return err
	}
	defer unlock()
	works, unlockAll, err := f.lockComparisons()
	if err != nil {
		return err
	}
	err = forgetPrefixes()
	for _, dir := range works {
		err = errors.Join(err, clearWork(dir))
	}
	unlockAll() // Windows deletes no file that is open
	if err == nil {
		err = removeTwin(dir, unlock)
	}
	if err != nil {
		return &stroke.Error{Code: stroke.CodeFailure, Msg: "the twin in " + dir + " could not be deleted whole", Err: err, Hint: "see whether the folder can be written, and try again"}
	}
	return nil
}
