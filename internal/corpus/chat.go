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

// looksLikeChat reports whether a text is made of messages; plain is of a file of plain
// text, where a line is one.
func looksLikeChat(text string, plain bool) bool {
	return messagesInLines(text, plain) || messagesUnderTimes(text) || turnsOfTwo(text)
}

// senderBehind reports whether a name and a colon stand behind the time of a message.
func senderBehind(s string) bool {
	i := strings.Index(s, ": ")
	return i > 0 && i <= mostSender
}

const mostSender = 60 // bytes of a sender's name, with what stands before it

// messagesInLines reports whether most of the first lines begin as messages of
// a chat do. In files that are no plain text a sender must be named (not loose): the
// entries of a diary have a time and a place, and a paragraph is one line.
func messagesInLines(text string, loose bool) bool {
	lines, hits := 0, 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		lines++
		if m := chatLine.FindString(line); m != "" && m != line && (loose || senderBehind(line[len(m):])) {
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

// Shares of the words before the first turn and behind the last from which on a text has
// a conversation in it and is none.
const mostBefore, mostAfter = 0.25, 0.5

// turnsOfTwo reports whether a text is a conversation between a person and a model.
func turnsOfTwo(text string) bool {
	person, model := 0, 0
	before, last, all := 0, 0, 0
	fenced := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		all += countWords(line)
		if strings.HasPrefix(line, "```") || strings.HasPrefix(line, "~~~") {
			fenced = !fenced
		}
		m := turnLine.FindStringSubmatch(line)
		if m == nil || fenced {
			continue
		}
		mark, said, colon, more := m[1] != "", m[3] != "", strings.Contains(m[4], ":"), m[5] != ""
		if !colon && (!mark || more) {
			continue
		}
		if person+model == 0 {
			before = all
		}
		last = all
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
	return person >= 2 && model >= 2 && float64(before) <= mostBefore*float64(all) && float64(all-last) <= mostAfter*float64(all)
}
