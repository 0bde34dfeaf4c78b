package prose

import "strings"

// functionWords are the closed classes of English, in the order in which they
// are features, and the commonest adverbs that carry manner and not matter.
var functionWords = strings.Fields(`
a an the this that these those
i me my mine myself we us our ours ourselves you your yours yourself yourselves
he him his himself she her hers herself it its itself they them their theirs themselves one oneself
who whom whose which what whatever whoever whichever
and or but nor so yet for because since although though while whereas unless until till if whether than as lest once
of in on at by to from with without into onto upon about above below under over between among amongst through
throughout during before after against toward towards within beyond behind beside besides near off out up down across
along around round per via despite except like unlike
am is are was were be been being isn't aren't wasn't weren't
have has had having haven't hasn't hadn't do does did doing done don't doesn't didn't
can could may might must shall should will would ought need dare can't cannot couldn't mightn't mustn't shan't
shouldn't won't wouldn't
i'm i've i'd i'll you're you've you'd you'll he's he'd he'll she's she'd she'll it's it'd it'll we're we've we'd we'll
they're they've they'd they'll that's there's here's what's who's let's
not no none never neither nothing nobody nowhere
all any both each every either some somebody someone something anybody anyone anything everybody everyone everything
few fewer little less least many more most much several such other others another same own enough
when where why how whenever wherever however therefore thus hence moreover furthermore otherwise nevertheless
nonetheless instead rather indeed perhaps maybe possibly probably certainly surely really actually simply just only
even also too very quite almost nearly still already again always often sometimes usually ever now then here there
thence hither thither whence away back forth together apart soon later later ago yes oh ah well
shall thee thou thy ye hath doth upon etc via`)

var functionIndex = func() map[string]int {
	unique := functionWords[:0]
	m := map[string]int{}
	for _, w := range functionWords {
		if _, ok := m[w]; !ok {
			m[w] = len(unique)
			unique = append(unique, w)
		}
	}
	functionWords = unique
	return m
}()

// FunctionWords is the number of function words.
func FunctionWords() int { return len(functionWords) }

// Content reports whether a word, as [Lower] gives it, carries matter: it is no
// function word and has at least three letters.
func Content(lower string) bool {
	_, function := functionIndex[lower]
	return !function && len(lower) >= 3
}

// Stem cuts the commonest endings from a word in lower case, so that "walks",
// "walked" and "walking" are one. It is crude and meant for comparing contents.
func Stem(lower string) string {
	w := strings.TrimSuffix(lower, "'s")
	for _, cut := range []struct{ end, put string }{
		{"ations", "ate"}, {"ation", "ate"}, {"iness", "y"}, {"ness", ""}, {"ments", ""}, {"ment", ""},
		{"ingly", ""}, {"edly", ""}, {"ily", "y"}, {"ly", ""}, {"ings", ""}, {"ing", ""},
		{"ies", "y"}, {"ied", "y"}, {"ed", ""}, {"es", ""}, {"s", ""},
	} {
		if stem, ok := strings.CutSuffix(w, cut.end); ok && len(stem) >= 3 && !(cut.end == "s" && strings.HasSuffix(stem, "s")) {
			w = stem + cut.put
			break
		}
	}
	if n := len(w); n > 3 && w[n-1] == w[n-2] && w[n-1] != 's' && w[n-1] != 'l' {
		w = w[:n-1]
	}
	if len(w) > 3 {
		w = strings.TrimSuffix(w, "e")
	}
	return w
}

// FunctionWordAt is the function word of a number.
func FunctionWordAt(i int) string { return functionWords[i] }
