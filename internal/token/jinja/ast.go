package jinja

// Statements. A body is a list of them, run in order.
type (
	textStmt   struct{ text string }
	outputStmt struct{ e expr }
	ifStmt     struct {
		conds  []expr // one for each body; a last body without is the else
		bodies [][]stmt
	}
	forStmt struct {
		target    expr // *nameExpr or *tupleExpr of targets
		iter      expr
		cond      expr // nil: none
		body      []stmt
		otherwise []stmt
		recursive bool
	}
	setStmt struct {
		target expr // *nameExpr, *tupleExpr or *attrExpr on a namespace
		value  expr // nil: the body's text
		body   []stmt
		filter []filterCall
	}
	macroStmt struct {
		name     string // empty for the body of a call block
		params   []string
		defaults []expr // of the last params
		body     []stmt
	}
	callStmt struct {
		call  *callExpr
		macro *macroStmt
	}
	filterStmt struct {
		filters []filterCall
		body    []stmt
	}
	withStmt struct {
		targets []expr
		values  []expr
		body    []stmt
	}
	scopeStmt    struct{ body []stmt } // generation
	breakStmt    struct{}
	continueStmt struct{}
)

type stmt interface {
	run(in *interp, s *scope) (flow, error)
}

// flow says how a statement ended.
type flow uint8

const (
	goOn flow = iota
	doBreak
	doContinue
)

// Expressions.
type (
	constExpr struct{ v any }
	nameExpr  struct{ name string }
	listExpr  struct{ items []expr }
	tupleExpr struct{ items []expr }
	dictExpr  struct{ keys, values []expr }
	attrExpr  struct {
		of   expr
		name string
	}
	itemExpr struct {
		of, key expr
	}
	sliceExpr struct {
		of               expr
		start, stop, gap expr // nil where left out
	}
	callExpr struct {
		fn     expr
		args   []expr
		names  []string
		kwargs []expr // by names
		line   int
	}
	filterCall struct {
		name string
		args *callExpr // fn is nil
	}
	filterExpr struct {
		of   expr
		call filterCall
	}
	testExpr struct {
		of     expr
		name   string
		args   *callExpr
		negate bool
	}
	unaryExpr struct {
		op string // "-", "+", "not"
		of expr
	}
	binaryExpr struct {
		op          string
		left, right expr
		line        int
	}
	compareExpr struct {
		first expr
		ops   []string
		rest  []expr
	}
	concatExpr struct{ parts []expr }
	condExpr   struct{ cond, yes, no expr } // no may be nil
)

type expr interface {
	eval(in *interp, s *scope) (any, error)
}
