package corpus

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	stroke "github.com/getstroke/stroke"
)

func TestLook(t *testing.T) {
	l := &Ledger{}
	names := []string{}
	for i, words := range []int{100, 200, 300} {
		h := stroke.HashText(strings.Repeat("a", i+1))
		names = append(names, h)
		l.Entries = append(l.Entries, Entry{Hash: h, Role: stroke.RoleJudge, Words: words, Date: "2026-01-02T03:04:05Z", Why: "test"})
	}
	look := func(name string, want int, hashes ...string) {
		t.Helper()
		if got := l.Look(hashes, name); got != want {
			t.Errorf("it is verdict %d, and not %d", got, want)
		}
	}
	const a, b, c = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"
	look(a, 1, names...)
	l.Judged(names[:2], a)
	look(a, 1, names...) // the same again
	look(b, 2, names[:2]...)
	look(b, 2, names...) // half of the words were judged by
	l.Judged(names[:2], a)
	l.Judged(names[:2], b)
	look(c, 3, names...)
	look(b, 2, names...)
	look(c, 1, names[2])
	look(c, 3, names[0])
	look(c, 1)
	look(c, 1, "unknown")
	l.Judged(names[:1], c)
	look("dddddddddddd", 3, names...) // the first alone has been judged by oftener

	var file bytes.Buffer
	if err := WriteLedger(&file, l); err != nil {
		t.Fatal(err)
	}
	back, err := ReadLedger(bytes.NewReader(file.Bytes()))
	if err != nil || !reflect.DeepEqual(back.Entries, l.Entries) {
		t.Errorf("%+v is read as %+v: %v", l.Entries, back.Entries, err)
	}
	if _, err := ReadLedger(strings.NewReader(strings.Replace(file.String(), a, "../"+a, 1))); err == nil {
		t.Error("a verdict of no such name is no error")
	}
}
