package corpus

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestChats leaves chats and conversations out, and none of what only looks a little
// like them.
func TestChats(t *testing.T) {
	own := prose("own", 60)
	turns := func(a, b string) string {
		return a + "\n\n" + prose("asked", 20) + "\n\n" + b + "\n\n" + prose("told", 90) + "\n\n" + a + "\n\n" + prose("again", 9) + "\n\n" + b + "\n\n" + prose("more", 60)
	}
	page := func(body string) string {
		return "<html><head><title>x</title></head><body><p>" + strings.ReplaceAll(body, "\n\n", "</p><p>") + "</p></body></html>"
	}
	// messages are of one who writes much and one who writes little.
	messages := func(stamp string) string {
		s := ""
		for i := range 12 {
			s += fmt.Sprintf(stamp, i, "anna") + prose(fmt.Sprint("anna", i), 20) + "\n" + prose(fmt.Sprint("then", i), 20) + "\n\n" + fmt.Sprintf(stamp, i, "bert_the_2nd") + "so\n\n"
		}
		return s
	}
	discord := strings.Repeat("=", 62) + "\nGuild: Ponds\nChannel: general / frost\n" + strings.Repeat("=", 62) + "\n\n"
	entries := func(stamp string) string {
		s := ""
		for i := range 30 {
			s += fmt.Sprintf(stamp, i%28+1, i) + prose(fmt.Sprint("day", i), 30) + "\n\n"
		}
		return s
	}
	// days has a weekday behind each time, and two lines below it.
	days := func(stamp string) string {
		s := ""
		for i := range 28 {
			s += fmt.Sprintf(stamp, i+1, time.Weekday(i%7)) + prose(fmt.Sprint("day", i), 20) + "\n" + prose(fmt.Sprint("late", i), 20) + "\n\n"
		}
		return s
	}
	entry := "Apr 19, 2023 9:00:00 AM\n"
	for name, in := range map[string]string{
		"whatsapp.md":        "[31.12.23, 18:05:09] Anna: Hello there\n[31.12.23, 18:06:10] Bert: Hello\n[31.12.23, 18:07:11] Anna: So\n",
		"messages/+1555.txt": "Apr 19, 2023  9:00:00 AM (Read by Anna after 1 minute)\nMe\n" + own + "\n\nApr 19, 2023  9:02:00\u202fAM\nAnna\n" + own + "\n\n" + entry + "Me\n" + own,
		"discord.txt":        discord + messages("[12/31/2023 6:%02d PM] %s\n"),
		"old discord.txt":    discord + messages("[31-Dec-23 06:%02d PM] %s\n"),
		"qq.txt":             messages("2023-12-31 18:05:%02d %s(1234567)\n"),
		"bare.txt":           strings.ReplaceAll(messages("2023-12-31 18:05:%02d %s\n"), "\nthen", " then"),
		"irc.txt":            messages("[2023-12-31 18:05:%02d] <%s> "),
		"short irc.txt":      "[2023-12-31 18:05:09] <bob> pretty good\n[2023-12-31 18:05:19] <amy> so\n",
		"weechat.txt":        messages("2023-12-31 18:05:%02d\t%s\t"),
		"amy.txt":            strings.Repeat("2023-12-31 18:05:09\tamy\tpretty: good, or so they say of it where I come from\n2023-12-31 18:05:19\t@pmt\tyes\n", 3),
		"long messages.txt":  messages("31.12.23, 18:%02d - %s: well\n"),
		"message_1.html":     page(own),
		"saved.md":           turns("**user**", "**assistant**"),
		"headings.md":        turns("## User", "## Assistant"),
		"copied.txt":         turns("You said:", "ChatGPT said:"),
		"inline.md":          turns("**Human:** please", "**Claude**: here"),
		"front.md":           "---\ntitle: On frost\n---\n\n# On frost\n\n" + turns("### Prompt", "### GPT-4o"),
		"page.html":          page(turns("You said:", "ChatGPT said:")),
	} {
		if r, err := Read(t.Context(), write(t, map[string]string{name: in}), Options{MinWords: 1}); err == nil || len(r.Left) != 1 || r.Left[0].Reason != "a chat export" || r.Left[0].Hint == "" {
			t.Errorf("%s: read are %+v, left out %+v, %v", name, r.Documents, r.Left, err)
		}
	}
	for name, in := range map[string]string{
		"times.md":     "2024-03-05 09:30\n\n" + own + "\n\n2024-03-06 10:00:15 pm\n\n" + own,
		"diary.txt":    entry + "Paris\n" + own + "\n\n" + entry + "London\n" + own + "\n\n" + entry + "Paris\n" + own,
		"jrnl.txt":     entries("[2024-03-%02d 18:%02d] I walked down to the sea, and "),
		"stamped.txt":  entries("2024-03-%02d 18:%02d I walked down to the sea, and "),
		"titles.txt":   strings.ReplaceAll(entries("[2024-03-%02d 18:05] Walk the %dth.\n"), "\n\n", "\n"),
		"weekdays.txt": days("2023-01-%02d 21:15 %s\n"),
		"in marks.txt": days("[2023-01-%02d 21:15] %s\n"),
		"a colon.md":   strings.ReplaceAll(days("2023-01-%02d 21:15 %s: "), "\n", " so.\n"),
		"morning.txt":  strings.ReplaceAll(days("2023-01-%02d 21:15 %s\n"), "day\n", " pages\n"),
		"places.txt":   entries("2024-03-%02d 18:%02d, Paris\n"),
		"talk.md":      turns("Me: well", "Claude: well"),
		"interview.md": turns("**Anna**", "**Bert**"),
		"article.md":   prose("article", 120) + "\n\n" + turns("**User:** so", "**Assistant:** so"),
		"opening.md":   prose("intro", 20) + "\n\n" + turns("You said:", "ChatGPT said:") + "\n\n" + prose("essay", 400),
		"prompt.md":    prose("intro", 20) + "\n\n```\n" + strings.Repeat("User: so\nAssistant: so\n", 2) + "```\n\n" + own,
		"places.md":    "2024-03-05 09:30, Paris\n\n" + own + "\n\n2024-03-06 10:00, London\n\n" + own,
		"manual.md":    "## User\n\n" + own + "\n\n## Model\n\n" + own + "\n\nUsers: " + own + "\n\nYou should: " + own,
	} {
		if r := read(t, map[string]string{name: in}); len(r.Documents) == 0 {
			t.Errorf("%s: left out %+v", name, r.Left)
		}
	}
}
