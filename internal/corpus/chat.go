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
// Telegram's likewise, Discord's "[12/31/2023 6:05 PM] name" on a line of its own. A time
// alone heads an entry of a diary.
var chatLine = regexp.MustCompile(`(?i)^[\x{200e}\x{202a}]?\[?(\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}-[a-z]{3}-\d{2,4}),?\s+(at )?\d{1,2}[:.]\d{2}(:\d{2})?[\s\x{a0}\x{202f}]*([ap]\.?m\.?)?`)

// looksLikeChat reports whether a text is made of messages; plain is of a file of plain
// text.
func looksLikeChat(text string, plain bool) bool {
	return messagesInLines(text, plain) || messagesUnderTimes(text) || turnsOfTwo(text)
}

const (
	mostSender  = 60 // bytes of a sender's name, with what stands before it
	mostSenders = 20 // who may write in a chat of plain text
	mostHead    = 8  // lines before the first message that are the head of an export
)

// sender is who is named behind the time of a message: before a colon, or alone on the
// line as Discord's and QQ's have it. A comma stands before the place of an entry.
func sender(s string) (name string, colon bool) {
	i := strings.Index(s, ": ")
	if colon = i > 0 && i <= mostSender; colon {
		s = s[:i]
	} else if i >= 0 || len(s) > mostSender || strings.HasPrefix(s, ",") {
		return "", false
	}
	return strings.Trim(s, " \t]~-\u200e\u202a"), colon
}

// messagesInLines reports whether most of the first lines begin as messages of
// a chat do, with a time and a sender. In plain text, where a message can have more lines
// than one, a third is enough if the same few senders come again and again; the titles
// that a diary has behind its times do not.
func messagesInLines(text string, plain bool) bool {
	lines, head, hits, named := 0, 0, 0, 0
	senders := map[string]int{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		lines++
		if m := chatLine.FindString(line); m != "" && m != line {
			name, colon := sender(line[len(m):])
			if colon {
				hits++
			}
			if name != "" {
				named++
				senders[name]++
			}
		}
		if len(senders) == 0 && head < mostHead {
			head++
		}
		if lines == 60 {
			break
		}
	}
	if hits >= 2 && hits*2 >= lines {
		return true
	}
	few := len(senders) >= 2 && len(senders) <= mostSenders && len(senders)*2 <= named
	return plain && few && named*3 >= lines-head
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
