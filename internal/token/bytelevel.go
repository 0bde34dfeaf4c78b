package token

// Byte-level vocabularies write each byte as a printable character: those of
// Latin-1 that can be seen as themselves, the others from U+0100 on.
// https://github.com/openai/gpt-2/blob/master/src/encoder.py, bytes_to_unicode.
var (
	byteRunes  = makeByteRunes()
	runesBytes = invertByteRunes()
)

const lastByteRune = 0x143 // 0x100 and the 68 bytes that are not printable

func makeByteRunes() (t [256]rune) {
	next := rune(0x100)
	for b := range t {
		switch {
		case b >= '!' && b <= '~', b >= 0xa1 && b <= 0xac, b >= 0xae:
			t[b] = rune(b)
		default:
			t[b] = next
			next++
		}
	}
	return t
}

func invertByteRunes() (t [lastByteRune + 1]int16) {
	for i := range t {
		t[i] = -1
	}
	for b, r := range byteRunes {
		t[r] = int16(b)
	}
	return t
}

// appendBytes appends the bytes that a piece of a byte-level vocabulary
// stands for: itself, where some character of it stands for no byte.
func appendBytes(dst []byte, piece string) []byte {
	start := len(dst)
	for _, r := range piece {
		if r > lastByteRune || runesBytes[r] < 0 {
			return append(dst[:start], piece...)
		}
		dst = append(dst, byte(runesBytes[r]))
	}
	return dst
}

// byteValue reads a token written <0x41>.
func byteValue(token string) (byte, bool) {
	if len(token) != 6 || token[:3] != "<0x" || token[5] != '>' {
		return 0, false
	}
	var b byte
	for _, c := range []byte(token[3:5]) {
		switch {
		case c >= '0' && c <= '9':
			b = b<<4 | (c - '0')
		case c >= 'A' && c <= 'F':
			b = b<<4 | (c - 'A' + 10)
		case c >= 'a' && c <= 'f':
			b = b<<4 | (c - 'a' + 10)
		default:
			return 0, false
		}
	}
	return b, true
}
