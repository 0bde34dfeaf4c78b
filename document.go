package stroke

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Role says what a document may be used for. A document keeps its role for
// the life of its twin.
type Role string

// The three roles. Whatever is chosen is chosen on RoleSelect; RoleJudge is
// seen by the verdict alone.
const (
	RoleTrain  Role = "train"
	RoleSelect Role = "select"
	RoleJudge  Role = "judge"
)

// Document is one piece by the writer, cleaned: paragraphs, punctuation,
// capitals and spelling are exactly the writer's.
type Document struct {
	Hash   string    // SHA-256 of Text, lower-case hex; the document's identity
	Source string    // the file it came from, relative to the folder given, with "#2" behind it for the second document of a file
	Title  string    // empty where the file gives none
	Text   string    // UTF-8, "\n" line ends, paragraphs parted by an empty line, no trailing blank
	Words  int       // number of words in Text: white-space separated, or as package word reckons them in scripts without spaces
	Date   time.Time // zero where unknown
}

// HashText is the identity of a text: its SHA-256 in lower-case hex.
func HashText(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}
