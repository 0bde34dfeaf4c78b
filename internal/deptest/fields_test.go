package deptest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/getstroke/stroke/internal/testkit"
)

const (
	jsonPage  = "docs/CLI_JSON_OUTPUT.md"
	twinPage  = "docs/formats/twin.md"
	genrePage = "docs/formats/genre.md"
)

// described says in which section of which page the JSON fields of a struct are
// described.
var described = []struct {
	file, name    string
	page, section string
}{
	{"event.go", "HeldOut", jsonPage, "`done`"},
	{"event.go", "QuantizedWeights", jsonPage, "`quantized`"},
	{"event.go", "SpecificityFigures", jsonPage, "`verdict`"},
	{"cmd/stroke/speak.go", "written", jsonPage, "Text"},
	{"cmd/stroke/score.go", "scored", jsonPage, "Score"},
	{"cmd/stroke/score.go", "nats", jsonPage, "Score"},
	{"internal/twin/export.go", "Exported", jsonPage, "Export"},
	{"event.go", "GenreGain", jsonPage, "`genre`"},
	{"cmd/stroke/recipe.go", "listedRecipe", jsonPage, "Recipe list"},
	{"cmd/stroke/recipe.go", "shownRecipe", jsonPage, "Recipe show"},
	{"cmd/stroke/genre.go", "listedGenre", jsonPage, "Genre list"},
	{"cmd/stroke/genre.go", "shownGenre", jsonPage, "Genre show"},
	{"cmd/stroke/genre.go", "removedGenre", jsonPage, "Genre rm"},
	{"internal/twin/genre_voice.go", "Tried", jsonPage, "Genre try"},
	{"internal/twin/folder.go", "BaseRef", twinPage, "versions/ID/version.json"},
	{"internal/twin/genre.go", "Stage", twinPage, "The recipe"},
	{"internal/twin/genre.go", "StandsOn", twinPage, "The recipe"},
	{"internal/genre/card.go", "Card", genrePage, "card.json"},
	{"internal/genre/card.go", "Base", genrePage, "card.json"},
	{"internal/genre/card.go", "Figures", genrePage, "card.json"},
	{"internal/genre/card.go", "Gain", genrePage, "card.json"},
	{"internal/genre/card.go", "Sample", genrePage, "card.json"},
	{"internal/genre/recipe.go", "Recipe", genrePage, "Recipes"},
	{"internal/genre/recipe.go", "Source", genrePage, "Sources"},
	{"cmd/stroke/blind.go", "asked", jsonPage, "Blind pair"},
	{"internal/twin/blind.go", "BlindResult", jsonPage, "Blind result"},
	{"internal/twin/report/report.go", "Blind", jsonPage, "Blind result"},
	{"cmd/stroke/report.go", "reported", jsonPage, "Report"},
	{"internal/twin/report/report.go", "Report", jsonPage, "Report"},
	{"internal/twin/report/report.go", "Words", jsonPage, "Report"},
	{"internal/twin/report/report.go", "Unsaid", jsonPage, "Report"},
	{"internal/twin/report/report.go", "Blind", jsonPage, "Report"},
	{"internal/twin/report/lines.go", "Line", jsonPage, "Report lines"},
	{"internal/twin/report/report.go", "Prediction", jsonPage, "Report prediction"},
	{"internal/eval/prediction.go", "Prediction", jsonPage, "Report prediction"},
	{"internal/eval/prediction.go", "Gain", jsonPage, "Report prediction"},
	{"internal/eval/specificity.go", "Specificity", jsonPage, "Report specificity"},
	{"internal/eval/specificity.go", "ControlGain", jsonPage, "Report specificity"},
	{"internal/likeness/recognition_judge.go", "Recognition", jsonPage, "Report recognition"},
	{"internal/likeness/recognition_judge.go", "Accuracy", jsonPage, "Report recognition"},
	{"internal/likeness/recognition_judge.go", "Taken", jsonPage, "Report recognition"},
	{"internal/likeness/recognition.go", "Class", jsonPage, "Report recognition"},
	{"internal/twin/report/report.go", "Range", jsonPage, "Report range"},
	{"internal/likeness/range.go", "Range", jsonPage, "Report range"},
	{"internal/likeness/range.go", "Comparison", jsonPage, "Report range"},
	{"internal/likeness/range.go", "HabitDistance", jsonPage, "Report range"},
	{"internal/likeness/habit.go", "Habit", jsonPage, "Report range"},
	{"internal/likeness/habit.go", "Profile", jsonPage, "Report range"},
	{"internal/likeness/repeat.go", "Repetition", jsonPage, "Report range"},
	{"internal/likeness/leakage.go", "Leakage", jsonPage, "Report leakage"},
	{"internal/likeness/leakage.go", "Copying", jsonPage, "Report leakage"},
	{"internal/likeness/leakage.go", "Run", jsonPage, "Report leakage"},
	{"internal/likeness/leakage.go", "Leak", jsonPage, "Report leakage"},
	{"internal/twin/report/report.go", "Thought", jsonPage, "Report thought"},
	{"internal/eval/thought.go", "Thought", jsonPage, "Report thought"},
	{"internal/eval/forgetting.go", "Forgetting", jsonPage, "Report forgetting"},
	{"internal/likeness/rewrite.go", "Rewriting", jsonPage, "Report rewriting"},
	{"internal/twin/report/report.go", "Passages", jsonPage, "Report passages"},
	{"internal/twin/report/report.go", "Passage", jsonPage, "Report passages"},
	{"internal/twin/report/report.go", "Marked", jsonPage, "Report passages"},
	{"internal/likeness/mark.go", "Mark", jsonPage, "Report passages"},
	{"internal/twin/report/report.go", "Version", jsonPage, "Report versions"},
	{"event.go", "MethodForecast", jsonPage, "`methods`"},
	{"cmd/stroke/compare.go", "compared", jsonPage, "Comparison"},
	{"internal/twin/compare/compare.go", "Comparison", jsonPage, "Comparison"},
	{"internal/twin/compare/compare.go", "Machine", jsonPage, "Comparison"},
	{"internal/twin/compare/compare.go", "Words", jsonPage, "Comparison"},
	{"internal/twin/compare/compare.go", "Price", jsonPage, "Comparison"},
	{"internal/twin/compare/compare.go", "LeftOut", jsonPage, "Comparison"},
	{"internal/twin/compare/compare.go", "Part", jsonPage, "Comparison"},
	{"internal/twin/compare/compare.go", "Lost", jsonPage, "Comparison"},
	{"internal/twin/compare/compare.go", "Point", jsonPage, "Comparison"},
	{"internal/twin/compare/compare.go", "Method", jsonPage, "Comparison method"},
	{"internal/twin/compare/compare.go", "Tried", jsonPage, "Comparison method"},
	{"internal/twin/compare/compare.go", "Takes", jsonPage, "Comparison method"},
	{"internal/twin/compare/compare.go", "Leaves", jsonPage, "Comparison method"},
	{"internal/twin/compare/compare.go", "Serves", jsonPage, "Comparison method"},
	{"internal/twin/compare/compare.go", "Likeness", jsonPage, "Comparison method"},
	{"internal/twin/compare/compare.go", "Leakage", jsonPage, "Comparison method"},
	{"internal/corpus/table.go", "Row", jsonPage, "Corpus"},
	{"cmd/stroke/twins.go", "listed", jsonPage, "Twins"},
	{"cmd/stroke/base.go", "listedBase", jsonPage, "Base list"},
	{"internal/base/catalog.go", "Entry", jsonPage, "Base list"},
	{"internal/base/catalog.go", "Shape", jsonPage, "Base list"},
	{"internal/base/store.go", "Details", jsonPage, "Base show"},
	{"internal/base/store.go", "Found", jsonPage, "Base pull and base verify"},
	{"internal/base/store.go", "Removed", jsonPage, "Base rm"},
	{"internal/bench/bench.go", "Result", jsonPage, "Bench"},
	{"internal/twin/folder.go", "Manifest", twinPage, "twin.json"},
	{"internal/twin/folder.go", "Version", twinPage, "versions/ID/version.json"},
	{"internal/twin/folder.go", "BaseRef", twinPage, "versions/ID/version.json"},
	{"internal/twin/verdict/verdict.go", "Figures", twinPage, "versions/ID/version.json"},
	{"internal/twin/verdict/verdict.go", "Verdict", twinPage, "versions/ID/version.json"},
	{"internal/eval/bootstrap.go", "Interval", twinPage, "versions/ID/version.json"},
	{"internal/twin/blind.go", "blindFile", twinPage, "blind/ID.json"},
	{"internal/twin/blind.go", "BlindPair", twinPage, "blind/ID.json"},
	{"internal/twin/report.go", "keptMeasure", twinPage, "versions/ID/report/"},
	{"internal/corpus/ledger.go", "Entry", twinPage, "ledger.jsonl"},
	{"internal/twin/recipe.go", "Recipe", twinPage, "The recipe"},
	{"internal/twin/recipe.go", "Prompt", twinPage, "The recipe"},
	{"internal/train/options.go", "Options", twinPage, "The recipe"},
	{"internal/lora/adapter.go", "Options", twinPage, "The recipe"},
	{"internal/model/weight.go", "Selection", twinPage, "The recipe"},
	{"internal/twin/examples/examples.go", "Mix", twinPage, "The recipe"},
}

// TestEventsAreDescribed demands a section for each event of event.go, with a
// mention of each of its fields, and no section for an event that is none.
func TestEventsAreDescribed(t *testing.T) {
	root := testkit.Root(t)
	f := parse(t, root, "event.go")
	sections := sectionsOf(t, root, jsonPage)
	events := map[string]bool{}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Name.Name != "EventName" || fn.Recv == nil {
			continue
		}
		ret, ok := fn.Body.List[0].(*ast.ReturnStmt)
		if !ok {
			t.Fatalf("%s.EventName does more than return a name", receiver(fn.Recv.List[0].Type))
		}
		name, err := strconv.Unquote(ret.Results[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		events[name] = true
		demand(t, f, "event.go", receiver(fn.Recv.List[0].Type), jsonPage, "`"+name+"`", sections)
	}
	if len(events) < 15 {
		t.Fatalf("%d events were found in event.go", len(events))
	}
	for s := range sections {
		if name := strings.Trim(s, "`"); name != s && !events[name] {
			t.Errorf("%s describes an event %s, which event.go does not have", jsonPage, name)
		}
	}
}

// TestFieldsAreDescribed demands a mention of each JSON field of what commands
// print and of what a twin's folder holds.
func TestFieldsAreDescribed(t *testing.T) {
	root := testkit.Root(t)
	pages := map[string]map[string]string{jsonPage: sectionsOf(t, root, jsonPage), twinPage: sectionsOf(t, root, twinPage), genrePage: sectionsOf(t, root, genrePage)}
	for _, d := range described {
		demand(t, parse(t, root, d.file), d.file, d.name, d.page, d.section, pages[d.page])
	}
	for _, name := range []string{"version", "go", "platform", "kernel", "kernels", "workers"} {
		if !strings.Contains(pages[jsonPage]["Version"], "`"+name+"`") {
			t.Errorf("%s, section Version, does not mention %s", jsonPage, name)
		}
	}
}

func demand(t *testing.T, f *ast.File, file, name, page, section string, sections map[string]string) {
	t.Helper()
	text, ok := sections[section]
	if !ok {
		t.Errorf("%s has no section %s, for %s of %s", page, section, name, file)
		return
	}
	fields := jsonFields(f, name)
	if len(fields) == 0 {
		t.Errorf("%s has no struct %s with JSON fields", file, name)
	}
	for _, field := range fields {
		if !strings.Contains(text, "`"+field+"`") {
			t.Errorf("%s, section %s, does not mention the field %s of %s in %s", page, section, field, name, file)
		}
	}
}

func parse(t *testing.T, root, rel string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, filepath.FromSlash(rel)), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// jsonFields gives the names under which a struct's own exported fields are
// written.
func jsonFields(f *ast.File, name string) []string {
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.TypeSpec)
		if !ok || s.Name.Name != name {
			return true
		}
		st, ok := s.Type.(*ast.StructType)
		if !ok {
			return false
		}
		for _, field := range st.Fields.List {
			tag := ""
			if field.Tag != nil {
				tag, _ = strconv.Unquote(field.Tag.Value)
			}
			key, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
			for _, n := range field.Names {
				switch {
				case key == "-" || !n.IsExported():
				case key != "":
					out = append(out, key)
				default:
					out = append(out, n.Name)
				}
			}
		}
		return false
	})
	return out
}

var heading = regexp.MustCompile(`(?m)^#{1,4} (.+)$`)

// sectionsOf cuts a page at its headings.
func sectionsOf(t *testing.T, root, page string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	text, out := string(b), map[string]string{}
	at := heading.FindAllStringSubmatchIndex(text, -1)
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		out[text[m[2]:m[3]]] = text[m[1]:end]
	}
	return out
}
