package corpus

import (
	"regexp"
	"strings"
)

// Chats and conversations hold the words of others beside the writer's, and are told
// by the lines that their messages begin with.

var errChat = &unreadable{reason: "a chat export", hint: hintChat}

// chatLine is how the messages of exported chats begin: WhatsApp's
// "[31.12.23, 18:05:09] Name:" and "12/31/23, 6:05 PM - Name:", Signal's and
// Telegram's likewise. A time alone heads an entry of a diary.
var chatLine = regexp.MustCompile(`(?i)^[\x{200e}\x{202a}]?\[?(\d{1,4}[./-]\d{1,2}[./-]\d{1,4}),?\s+(at )?\d{1,2}[:.]\d{2}(:\d{2})?[\s\x{a0}\x{202f}]*([ap]\.?m\.?)?`)

// looksLikeChat reports whether a text is made of messages.
func looksLikeChat(text string) bool {
	return messagesInLines(text) || messagesUnderTimes(text) || turnsOfTwo(text)
}

// messagesInLines reports whether most of the first lines begin as messages of
// a chat do.
func messagesInLines(text string) bool {
	lines, hits := 0, 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		lines++
		if m := chatLine.FindString(line); m != "" && m != line {
			hits++
		}
		if lines == 60 {
			break
		}
	}
	return hits >= 2 && hits*2 >= lines
}

// timeLine stands above each message in what imessage-exporter writes, and above it
// whose it is: "Me" for the one who exports.
// https://github.com/ReagentX/imessage-exporter
var timeLine = regexp.MustCompile(`^[A-Z][a-z]{2} \d{1,2}, \d{4},?[\s\x{a0}\x{202f}]+\d{1,2}:\d{2}(:\d{2})?[\s\x{a0}\x{202f}]*[AP]M\b`)

func messagesUnderTimes(text string) bool {
	me, others, under := 0, 0, false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case !under:
		case line == "Me":
			me++
		default:
			others++
		}
		under = timeLine.MatchString(line)
	}
	return me >= 1 && others >= 1 && me+others >= 3
}

// turnLine is how programs head a turn of a conversation with a model: whose it is in a
// heading, in bold or before a colon.
var turnLine = regexp.MustCompile(`(?i)^(#{1,6}\s+|[*_]{1,3})?(user|human|you|me|prompt|assistant|chatgpt|gpt-[\w.]+|claude|gemini|copilot|model)(\s+said)?\s*([*_]*:?[*_]*)\s*(\S?)`)

// mostBefore is the share of the words before the first turn from which on a text has a
// conversation in it and is none.
const mostBefore = 0.25

// turnsOfTwo reports whether a text is a conversation between a person and a model.
func turnsOfTwo(text string) bool {
	person, model := 0, 0
	before, all := 0, 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		all += countWords(line)
		m := turnLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		mark, said, colon, more := m[1] != "", m[3] != "", strings.Contains(m[4], ":"), m[5] != ""
		if !colon && (!mark || more) {
			continue
		}
		if person+model == 0 {
			before = all
		}
		switch name := strings.ToLower(m[2]); name {
		case "you", "me":
			if said || !more { // else it may be of a dialogue between people
				person++
			}
		case "user", "human", "prompt":
			person++
		default:
			model++
		}
	}
	return person >= 2 && model >= 2 && float64(before) <= mostBefore*float64(all)
}
