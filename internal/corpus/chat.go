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
// Telegram's likewise, Discord's "[12/31/2023 6:05 PM] name" on a line of its own, that
// of programs for IRC "[2023-12-31 18:05:09] <name>". A time alone heads an entry of a
// diary.
var chatLine = regexp.MustCompile(`(?i)^[\x{200e}\x{202a}]?\[?(\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}-[a-z]{3}-\d{2,4}),?\s+(at )?\d{1,2}[:.]\d{2}(:\d{2})?[\s\x{a0}\x{202f}]*([ap]\.?m\b\.?)?`)

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

// nick is a name in angle brackets, or one that a tab closes as WeeChat has it.
var nick = regexp.MustCompile(`^[\]\s]*(?:<([^<>]+)>\s|([^\t]*[\pL\pN][^\t]*)\t)`)

// number stands behind a name in QQ's exports: an account or an address.
var number = regexp.MustCompile(`[(<](\d{5,}|\S+@\S+)[)>]$`)

// weekday is what diaries have behind a time, and no name.
var weekday = regexp.MustCompile(`(?i)^((mon|tues|wednes|thurs|fri|satur|sun)day|(mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend|` +
	`lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|mi[eé]rcoles|jueves|viernes|s[aá]bado|domingo|` +
	`luned[iì]|marted[iì]|mercoled[iì]|gioved[iì]|venerd[iì]|sabato|domenica|(segunda|ter[cç]a|quarta|quinta|sexta)-feira|` +
	`(maan|dins|woens|donder|vrij|zater|zon)dag|(mon|tue|wed|thu|fri|sat|sun)\.?$)($|[\s,.])`)

// sender is who is named behind the time of a message: before a colon, in angle brackets,
// in a field of its own or alone on the line as Discord's and QQ's have it. Marked is a
// name that does not stand bare. A comma stands before the place of an entry.
func sender(s string) (name string, marked, colon bool) {
	if m := nick.FindStringSubmatch(s); m != nil && len(m[0]) <= mostSender {
		name, marked, colon = m[1]+m[2], true, m[1] != ""
	} else {
		i := strings.Index(s, ": ")
		if colon = i > 0 && i <= mostSender; colon {
			s = s[:i]
		} else if i >= 0 || len(s) > mostSender || strings.HasPrefix(s, ",") {
			return "", false, false
		}
		name, marked = s, colon || number.MatchString(s)
	}
	if name = strings.Trim(name, " \t]~-\u200e\u202a"); weekday.MatchString(name) {
		return "", false, false
	}
	return name, marked, colon
}

// messagesInLines reports whether most of the first lines begin as messages of
// a chat do, with a time and a sender. In plain text, where a message can have more lines
// than one, the same few senders that come again and again are told by half of the lines,
// or a third where brackets or colons mark most; the titles that a diary has behind its
// times are not as few.
func messagesInLines(text string, plain bool) bool {
	lines, head, hits, named, sure := 0, 0, 0, 0, 0
	senders := map[string]int{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		lines++
		if m := chatLine.FindString(line); m != "" && m != line {
			name, marked, colon := sender(line[len(m):])
			if colon {
				hits++
			}
			if name != "" {
				named++
				senders[name]++
				if marked || strings.Contains(m, "[") {
					sure++
				}
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
	share := 2
	if sure*2 > named {
		share = 3
	}
	return plain && few && named*share >= lines-head
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
