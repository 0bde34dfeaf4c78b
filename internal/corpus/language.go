package corpus

import (
	"cmp"
	"strings"
	"unicode"
)

// commonWords are the commonest words of the languages told apart, those that
// only a few of them share.
var commonWords = func() map[string][]string {
	m := map[string][]string{}
	for lang, words := range map[string]string{
		"en": "the of and to that was with his for had not which from but this they were have she would there their been when who what about you is it in my we can will your are be has if how",
		"de": "der die und das nicht ist ich mit sich ein eine auf dem auch als für war den von wie noch aber nach oder wenn sie es zu",
		"fr": "le la les et des une dans qui que pas est pour vous avec sur ce plus mais il elle au nous était cette du en je",
		"es": "el la los las y que en una por con para no lo se como más pero su del era muy yo cuando esta también fue",
		"it": "il la che di e non per una sono con come ma più era anche della del gli nel si mi questo quando lo ho alla",
		"pt": "o os as que não uma com para mais mas como foi ele ela seu sua muito são dos das pelo isso você está em na no",
		"nl": "de het een en van niet dat ik zijn is te met op voor maar ook er aan hij was als om bij naar wat nog",
		"sv": "och att det som en är på jag av för inte med han den var till ett har men sig om så från när hade",
		"da": "og at det er en af jeg ikke til på der de som med han den var for har men et sig hun så fra blev",
		"no": "og det er en jeg ikke til på som med han den var for har men et seg hun så fra ble av å om",
		"fi": "ja on ei että se oli hän niin kuin mutta ovat minä myös tai kun ole sen joka mitä sitä nyt",
		"pl": "i w nie się na że z do to jest jak ale po co tak za od jego przez był tylko czy już",
		"cs": "a se na je že to v s z do ale jako za tak by jsem byl který po jeho když už nebo",
		"ro": "și în de la nu că o cu pe să mai un din este care pentru sunt dar ca fost era am",
		"hu": "a az és hogy nem is egy meg de volt csak ez ha már mint még el van azt",
		"tr": "ve bir bu da için de ne çok ama daha gibi ben o kadar sonra olarak var değil her",
		"id": "yang dan di itu dengan untuk tidak dari dalam akan pada juga ke karena saya ada ini orang",
		"vi": "và của là có không được người cho một trong với các những đã này khi cũng như tôi",
		"ru": "и в не на что с он как это но по его из за все она так было я то же бы",
		"uk": "і в не на що з він як це але до його та за він було я від про які",
		"bg": "и на да се не в с че от за по е си са това но като той беше",
	} {
		for w := range strings.FieldsSeq(words) {
			m[w] = append(m[w], lang)
		}
	}
	return m
}()

// languageNames are those that [Language] gives.
var languageNames = map[string]string{
	"ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
	"es": "Spanish", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian",
	"it": "Italian", "ja": "Japanese", "ka": "Georgian", "ko": "Korean", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese",
	"ro": "Romanian", "ru": "Russian", "sv": "Swedish", "ta": "Tamil", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}

// LanguageName is the name of a language, its code where that is not known.
func LanguageName(iso639 string) string { return cmp.Or(languageNames[iso639], iso639) }

// scripts are those that one language writes, as far as a base model goes.
var scripts = []struct {
	lang  string
	table *unicode.RangeTable
}{
	{"ja", unicode.Hiragana}, {"ja", unicode.Katakana}, {"zh", unicode.Han}, {"ko", unicode.Hangul}, {"ar", unicode.Arabic},
	{"he", unicode.Hebrew}, {"el", unicode.Greek}, {"hi", unicode.Devanagari}, {"th", unicode.Thai}, {"bn", unicode.Bengali},
	{"ta", unicode.Tamil}, {"ka", unicode.Georgian}, {"hy", unicode.Armenian},
}

// languageSample bounds what is looked at, in bytes.
const languageSample = 64 << 10

// Language tells the language of a text by its commonest words, or by its
// script where one language alone writes it. The confidence, 0 to 1, is the
// share of the telling words that are that language's, held down where there
// are few; the language is "" where nothing tells.
func Language(text string) (iso639 string, confidence float64) {
	text = text[:min(len(text), languageSample)]
	letters, latin := 0, 0
	byScript := map[string]int{}
	for _, r := range text {
		if !unicode.IsLetter(r) {
			continue
		}
		letters++
		if unicode.Is(unicode.Latin, r) || unicode.Is(unicode.Cyrillic, r) {
			latin++
			continue
		}
		for _, s := range scripts {
			if unicode.Is(s.table, r) {
				byScript[s.lang]++
				break
			}
		}
	}
	if letters == 0 {
		return "", 0
	}
	if latin*2 < letters {
		// Japanese writes most of its words' stems with Han letters.
		if byScript["ja"]*10 > byScript["zh"] {
			byScript["ja"] += byScript["zh"]
			byScript["zh"] = 0
		}
		best := mostOf(byScript)
		return best, float64(byScript[best]) / float64(letters)
	}
	hits, words := map[string]int{}, 0
	telling := 0
	for w := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		words++
		langs := commonWords[w]
		if len(langs) == 0 {
			continue
		}
		telling++
		for _, l := range langs {
			hits[l]++
		}
	}
	best := mostOf(hits)
	if best == "" || telling*20 < words {
		return "", 0
	}
	return best, float64(hits[best]) / float64(telling) * min(1, float64(telling)/10)
}

// mostOf is the key with the greatest count, of equals the first in order.
func mostOf(m map[string]int) string {
	best := ""
	for k, n := range m {
		if n > 0 && (best == "" || n > m[best] || n == m[best] && k < best) {
			best = k
		}
	}
	return best
}
