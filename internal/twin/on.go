package twin

import (
	"path/filepath"
	"slices"

	"github.com/getstroke/stroke"
)

// sawJudge says whether the adapter in the folder on, where that is one of a twin's
// version, was trained on or chosen by documents that judge now: one that was
// cross-fitted has learnt all of its twin's text.
func sawJudge(on string, judge []stroke.Document) bool {
	abs, err := filepath.Abs(on)
	if err != nil {
		return false
	}
	version := filepath.Dir(abs)
	dir := filepath.Dir(filepath.Dir(version))
	if filepath.Base(filepath.Dir(version)) != versionsDir || !isTwin(dir) {
		return false
	}
	f, err := Open(dir)
	if err != nil {
		return false
	}
	v, err := f.Version(filepath.Base(version))
	if err != nil {
		return false
	}
	l, err := f.Ledger()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(judge, func(d stroke.Document) bool {
		e, known := l.Entry(d.Hash)
		return known && (v.Verdict.Folds > 0 || e.Role != stroke.RoleJudge)
	})
}
