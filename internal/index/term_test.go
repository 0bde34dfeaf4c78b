package index

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTermsUnspaced(t *testing.T) {
	for text, want := range map[string]string{
		"今天天气很好。":             "今天 天天 天气 气很 很好",
		"好，走！":                "好 走",
		"我在Google工作2年":        "我在 google 工作 2 年",
		"コーヒーを":               "コー ーヒ ヒー ーを",
		"ไม่มี":               "ไม่ ม่มี",
		"Ünïcode\u0301 don’t": "ünïcode\u0301 don't",
	} {
		if got := strings.Join(slices.Collect(Terms(text)), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for range Terms("我在Google工作2年") {
		break // and no panic
	}
}

// TestUnspaced finds passages of a text without spaces between words by a
// clause of one, and cuts them behind sentences.
func TestUnspaced(t *testing.T) {
	text := strings.Repeat("雨下了一整夜，屋顶漏水。", 30) + "「灯塔的光照不到这里！」老人放下渔网说。" + strings.Repeat("海面上什么也没有。", 30)
	d := document("海", text)
	ps := Passages(d, 80, 100)
	if len(ps) < 3 {
		t.Fatalf("%d passages", len(ps))
	}
	all := ""
	for i, p := range ps {
		if !strings.HasSuffix(p.Text, "。") || p.Words > 100 {
			t.Errorf("passage %d has %d words and ends %q", i, p.Words, p.Text[max(0, len(p.Text)-12):])
		}
		all += p.Text
	}
	if all != text {
		t.Error("the passages joined are not the text")
	}
	ix := New(ps)
	for _, h := range ix.Search("那座灯塔照着渔网", 1, SearchOptions{}) {
		if !strings.Contains(h.Passage.Text, "灯塔") {
			t.Errorf("found %q", h.Passage.Text)
		}
	}
	if hits := ix.Search("渔网和灯塔", 9, SearchOptions{}); len(hits) == 0 || len(hits) > 2 {
		t.Errorf("%d of %d passages found", len(hits), len(ps))
	}
	chosen := Choose(ix, "灯塔", 150, utf8.RuneCountInString, ChooseOptions{Each: 120})
	if len(chosen) == 0 || !strings.Contains(chosen[0].Text, "屋顶漏水。") || !strings.HasSuffix(chosen[0].Text, "。") || utf8.RuneCountInString(chosen[0].Text) > 120 {
		t.Errorf("chosen %+v", chosen)
	}
}
