package corpus

import (
	"path"
	"regexp"
	"strings"
)

// format is how a file is read.
type format int

const (
	formatNone format = iota
	formatMarkdown
	formatText
	formatHTML
	formatDOCX
	formatEPUB
)

// fileKind is what a name says of a file.
type fileKind struct {
	format format
	name   string // of the kind, where it is read
	bulk   string // source of the line under which many such files are counted
	reason string // where it is not read
	hint   string
}

var readKinds = map[string]fileKind{
	"md": {format: formatMarkdown, name: "Markdown"}, "markdown": {format: formatMarkdown, name: "Markdown"},
	"mdown": {format: formatMarkdown, name: "Markdown"}, "mkd": {format: formatMarkdown, name: "Markdown"},
	"mdx": {format: formatMarkdown, name: "Markdown"}, "dj": {format: formatMarkdown, name: "Markdown"},
	"djot": {format: formatMarkdown, name: "Markdown"},
	"txt":  {format: formatText, name: "plain text"}, "text": {format: formatText, name: "plain text"},
	"html": {format: formatHTML, name: "HTML"}, "htm": {format: formatHTML, name: "HTML"}, "xhtml": {format: formatHTML, name: "HTML"},
	"docx": {format: formatDOCX, name: "DOCX"}, "epub": {format: formatEPUB, name: "EPUB"},
}

const (
	hintChat   = "chat exports are not read yet: copy your own messages into a .txt file, a blank line between them"
	hintPandoc = "save it as Markdown, for instance: pandoc FILE -t markdown -o FILE.md"
)

var unreadKinds = map[string]fileKind{
	"pdf":   {reason: "PDF is not read yet", hint: "save it as text: pdftotext FILE.pdf FILE.txt, or open it in a word processor and save as .docx"},
	"odt":   {reason: "ODT is not read yet", hint: "open it in LibreOffice and save as .docx, or: soffice --convert-to docx FILE.odt"},
	"rtf":   {reason: "RTF is not read yet", hint: "open it in a word processor and save as .docx, or: soffice --convert-to docx FILE.rtf"},
	"doc":   {reason: "the old Word format is not read", hint: "open it in a word processor and save as .docx"},
	"pages": {reason: "Pages documents are not read", hint: "in Pages: File, Export To, Word"},
	"mobi":  {reason: "MOBI is not read", hint: "convert it to EPUB, for instance with Calibre"},
	"azw3":  {reason: "Kindle files are not read", hint: "convert it to EPUB, for instance with Calibre"},
	"tex":   {reason: "TeX is not read yet", hint: hintPandoc},
	"rst":   {reason: "reStructuredText is not read yet", hint: hintPandoc},
	"org":   {reason: "Org is not read yet", hint: hintPandoc},
	"adoc":  {reason: "AsciiDoc is not read yet", hint: "save it as HTML: asciidoctor FILE.adoc"},
	"zip":   {reason: "an archive or a chat export", hint: "unpack it and name the folder; " + hintChat},
	"mbox":  {reason: "mailboxes are not read yet", hint: "save your own letters as .txt files"},
	"eml":   {reason: "mails are not read yet", hint: "save your own letters as .txt files"},
}

// bulkKinds are never prose; all files of an extension make one line.
var bulkKinds = func() map[string]string {
	m := map[string]string{}
	for reason, exts := range map[string]string{
		"images":               "png jpg jpeg gif webp svg bmp tif tiff ico heic avif psd",
		"sound and video":      "mp3 wav ogg flac m4a mp4 mov webm mkv avi",
		"fonts":                "ttf otf woff woff2 eot",
		"program code":         "go py js mjs ts tsx jsx c h cc cpp hpp rs java kt rb php sh bash zsh ps1 lua swift zig nix sql css scss less vue svelte el vim r jl pl ipynb wasm",
		"data or settings":     "json jsonl yaml yml toml ini cfg conf csv tsv xml lock mod sum db sqlite parquet plist geojson ics vcf bib",
		"archives or programs": "gz tgz bz2 xz zst 7z rar tar exe dll so dylib bin iso dmg jar class o a pyc gguf safetensors",
		"spreadsheets, slides": "xls xlsx ods ppt pptx odp key numbers",
	} {
		for _, e := range strings.Fields(exts) {
			m[e] = reason
		}
	}
	return m
}()

// Mark is the first line of what Stroke writes as Markdown, and in the head of its pages
// the name of the generator: what a twin said is not its writer's.
const (
	Mark     = "<!-- " + MarkName + " -->"
	MarkName = "written by stroke"
)

// errOwn is of a file that bears the mark.
var errOwn = &unreadable{reason: MarkName, hint: "if the words are yours, take the line that says so out of it"}

// marked reports whether a text begins with the mark.
func marked(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), Mark) }

var legalName = regexp.MustCompile(`(?i)^((licen[cs]e|copying|copyright)([._-].*)?|(notice|authors|contributors|code[_-]of[_-]conduct|changelog|security)(\.[a-z]+)?)$`)

// chatName is what Telegram, Instagram, Facebook, Discord, WhatsApp and the
// rest call the files that they export.
var chatName = regexp.MustCompile(`(?i)^(result|messages?([_-]?\d+)?|conversations?|.*(chat|discord|telegram|instagram|whatsapp|slack|signal|messenger).*)\.(jsonl?|zip)$|^message_\d+\.html$|^_chat\.txt$|^whatsapp chat .*\.txt$`)

// kindOf says by its name how a file is read, or why it is not.
func kindOf(name string) fileKind {
	base := path.Base(name)
	if legalName.MatchString(base) {
		return fileKind{reason: "a licence or a file about a project, not the writer's prose"}
	}
	if chatName.MatchString(base) {
		return fileKind{reason: "a chat export", hint: hintChat}
	}
	ext := strings.ToLower(strings.TrimPrefix(path.Ext(base), "."))
	if ext == "" {
		return fileKind{format: formatText, name: "plain text"}
	}
	if k, ok := readKinds[ext]; ok {
		return k
	}
	if k, ok := unreadKinds[ext]; ok {
		return k
	}
	if reason, ok := bulkKinds[ext]; ok {
		return fileKind{bulk: "*." + ext, reason: reason}
	}
	return fileKind{reason: "." + ext + " is not a kind of file that is read", hint: "rename it to .txt if it is plain text"}
}
