package corpus

import (
	"github.com/yuin/goldmark/ast"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	gmtext "github.com/yuin/goldmark/text"
)

// looseNotes counts the words of the footnotes that nothing refers to. A reader of the
// page never sees them, and what comes after it takes them out of the tree.
type looseNotes struct{}

// looseNoteWords has the count in the context of the parser.
var looseNoteWords = parser.NewContextKey()

// Transform implements parser.ASTTransformer.
func (looseNotes) Transform(doc *ast.Document, r gmtext.Reader, pc parser.Context) {
	w := mdWalker{md: r.Source(), src: &source{}}
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if f, ok := n.(*east.Footnote); ok && entering && f.Index < 0 {
			w.children(f)
		}
		if n.Type() == ast.TypeInline {
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	pc.Set(looseNoteWords, countWords(textLines(w.src.blocks)))
}
