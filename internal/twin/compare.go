package twin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/kernel"
	"github.com/getstroke/stroke/internal/likeness"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/twin/compare"
)

// CompareOptions say which methods are compared and how. Zero values take the
// defaults.
type CompareOptions struct {
	Source   string               // the writer's folder or file; the documents of the twin
	Name     string               // of the twin whose roles its documents keep; that of the folder, where there is one
	Base     string               // name in the catalog, path, or "auto"; the twin's
	From     string               // source to fetch the base from
	To       string               // folder of the results; that of the twin, or in the home
	Methods  []string             // to compare beside base and examples; all
	Settings map[compare.Name]int // tried of a method that chooses; of those not named as many as of "": 3
	Epochs   int                  // of each training; the recipe's
	Genre    string               // that adapters stand on, as in a recipe: auto
	Partial  model.Selection      // what partial fine-tuning trains; the upper third of the layers
	Controls []string             // folders of adapters by other writers
	Texts    int                  // that each method writes, for leakage: 6; below 0 none
	Curve    []int                // amounts of train text in words
	Price    *compare.Price
	Watts    float64 // that the machine draws, where it does not say itself
	Memory   int64   // bytes that a training may take
	Seed     uint64  // 1
	Afresh   bool    // what was measured before is measured again
	DryRun   bool    // stops behind the forecast
	Program  string  // that measures, for the table

	CheckpointEvery time.Duration
	Change          func(*Recipe) // of every training, behind all else
}

// mostSettings bounds the settings of a method.
const mostSettings = 5

// check fills in the defaults and says what cannot be asked for.
func (o *CompareOptions) check() error {
	bad := func(hint, format string, args ...any) error {
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf(format, args...), Hint: hint}
	}
	if o.Source == "" && o.Name == "" {
		return bad("stroke compare FOLDER, or -t NAME for a twin's own documents", "it is not said whose writing the methods are compared on")
	}
	var names []string
	for _, n := range compare.Names() {
		names = append(names, string(n))
	}
	for _, n := range o.Methods {
		if !slices.Contains(names, n) {
			return bad("there are: "+strings.Join(names, ", "), "there is no method %q", n)
		}
	}
	or := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	or(&o.Texts, 6)
	if o.Texts < 0 {
		o.Texts = 0
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Genre == "" {
		o.Genre = genre.Auto
	}
	adapters := o.wants(compare.LoRA) || o.wants(compare.LoRAExamples)
	for _, n := range append(compare.Names(), "") {
		k, ok := o.Settings[n]
		switch {
		case ok && n == compare.LoRAExamples:
			return bad("name lora for both: for example --settings lora=2", "lora+examples has as many settings as lora, and none of its own")
		case ok && n != "" && !n.Chooses():
			return bad("of examples, lora, partial and full there are: for example --settings 3,full=1", "there are no settings of %s", n)
		case ok && (k < 1 || k > mostSettings):
			return bad("for example --settings 3", "%d settings of %s: there can be from 1 to %d", k, cmp.Or(n, "each method"), mostSettings)
		case ok && n != "" && !o.wants(n) && !(n == compare.LoRA && adapters):
			return bad(fmt.Sprintf("leave them out, or compare the method as well: --methods %s", n), "there are settings of %s, and that method is not compared", n)
		}
	}
	switch {
	case !o.Partial.All() && !o.wants(compare.Partial):
		return bad("leave --layers and --modules out, or compare the method as well: --methods partial", "layers or modules are named, and the method partial, which would train them, is not compared")
	case o.Genre != genre.Auto && o.Genre != genre.None && !adapters:
		return bad("leave --genre out, or compare the method as well: --methods lora", "the genre %s is named, and no adapter is compared that could stand on it", o.Genre)
	case len(o.Controls) > 0 && !adapters:
		return bad("leave --control out, or compare the method as well: --methods lora", "adapters of other writers are named, and no adapter is compared that could be held against them")
	case o.Epochs < 0:
		return bad("for example --epochs 2", "%d epochs: there must be from 1 to 1000", o.Epochs)
	case o.Texts > 100:
		return bad("for example --texts 6", "%d texts of each method: there can be at most 100", o.Texts)
	case o.Watts < 0 || o.Watts > 1e5:
		return bad("give the power that a meter at the plug shows, for example --watts 45", "the machine cannot draw %g watts", o.Watts)
	case o.Price != nil && !(o.Price.KWh >= 0 && o.Price.KWh < 1e6):
		return bad("for example --price-kwh 0.30EUR", "a kilowatt-hour cannot cost %g", o.Price.KWh)
	}
	for _, n := range o.Curve {
		if n < leastCurve {
			return bad("for example --curve 500,1000,2000", "%d words are no amount to train on: the least is %d", n, leastCurve)
		}
	}
	slices.Sort(o.Curve)
	o.Curve = slices.Compact(o.Curve)
	return nil
}

// settings is how many settings of a method are tried: rates of what is trained, and
// as many amounts of passages where they stand in its prompt.
func (o *CompareOptions) settings(n compare.Name) int {
	if m := n.Trains(); m != "" {
		n = m
	}
	if k, ok := o.Settings[n]; ok {
		return k
	}
	return cmp.Or(o.Settings[""], 3)
}

// leastCurve is the least amount of train text of a curve, in words.
const leastCurve = 200

// wants says whether a method is compared. Base and examples always are: the
// others are held against them.
func (o *CompareOptions) wants(n compare.Name) bool {
	return n == compare.Base || n == compare.Examples || len(o.Methods) == 0 || slices.Contains(o.Methods, string(n))
}

// comparer compares methods on one writer's text.
type comparer struct {
	o        CompareOptions
	emit     Emit
	name     string // of the writer
	base     string // name or path
	ref      BaseRef
	licence  string
	layers   int // of the base
	ledger   *corpus.Ledger
	docs     []stroke.Document
	words    map[stroke.Role]int
	controls []namedAdapter

	keep string // folder of the results
	work string // folder of trainings, emptied at the end

	trainings map[compare.Name][]*training
	rows      []*methodRow
	points    []*curvePoint
	left      []compare.LeftOut
	repeat    map[compare.Name]*training // by forecast done a second time

	made    map[string][][]train.Example // while it is planned
	told    map[string]bool              // notes of trainings
	begun   time.Time
	planned float64 // seconds of what was to be done
	done    float64 // seconds of the forecast that are done
	parts   int
	part    int
}

// The files of a comparison.
const (
	compareDir      = "compare"
	comparisonFile  = "comparison.json"
	measuredDir     = "measured" // what the tables are made from, each part for itself
	workDir         = ".work"    // in the home, of trainings; no twin has that name
	comparisonTable = "comparison.md"
	comparisonPage  = "comparison.html"
)

// Compare measures methods on a writer's text, as far as they were not measured
// before, and gives what is known of them; dir is where the tables lie. Trainings
// are those of [Train], in folders of their own, which are removed at the end:
// no version reaches the writer's twin. What is finished is kept, and a training
// that is stopped goes on from its checkpoint. With DryRun it stops behind the
// forecast, and the comparison is nil.
func Compare(ctx context.Context, o CompareOptions, emit Emit) (r *compare.Comparison, dir string, err error) {
	if emit == nil {
		emit = func(stroke.Event) {}
	}
	if err := o.check(); err != nil {
		return nil, "", err
	}
	c := &comparer{o: o, emit: emit, trainings: map[compare.Name][]*training{}, repeat: map[compare.Name]*training{}, told: map[string]bool{}, made: map[string][][]train.Example{}}
	b, err := c.open(ctx)
	if err != nil {
		return nil, "", err
	}
	err = c.plan(b)
	b.close()
	if err == nil && o.DryRun {
		err = writable(c.keep)
	}
	if err != nil || o.DryRun {
		return nil, c.keep, err
	}
	unlock, err := c.lock()
	if err != nil {
		return nil, "", err
	}
	defer unlock()
	c.forget()
	if err := c.afresh(); err != nil {
		return nil, "", err
	}
	// Another process may have measured something before the lock.
	c.load()
	if err := c.run(ctx); err != nil {
		return nil, "", err
	}
	if r, err = c.collect(); err != nil {
		return nil, "", err
	}
	if err := c.write(r); err != nil {
		return nil, "", err
	}
	return r, c.keep, clearWork(c.work)
}

// open reads the documents, gives them their roles and opens the base.
func (c *comparer) open(ctx context.Context) (*baseModel, error) {
	own, err := c.twin()
	if err != nil {
		return nil, err
	}
	reading, err := c.read(ctx, own)
	if err != nil {
		return nil, err
	}
	ledger, known := &corpus.Ledger{}, func(string) (string, bool) { return "", false }
	if own != nil {
		if ledger, err = own.Ledger(); err != nil {
			return nil, err
		}
		known = own.Text
	}
	if c.docs, err = c.assign(ledger, reading, known); err != nil {
		return nil, err
	}
	c.ledger, c.words = ledger, wordsByRole(ledger, c.docs)
	o := &Options{Base: c.o.Base, From: c.o.From, Memory: c.o.Memory}
	if (o.Base == "" || o.Base == "auto") && own != nil && own.Base != "" {
		if err := own.baseThere(own.Base); err != nil {
			return nil, err
		}
		o.Base = own.Base
	}
	b, err := o.openBase(ctx, own, reading, c.words[stroke.RoleTrain], DefaultRecipe(c.words[stroke.RoleTrain]), func(e stroke.Event) {
		if e, ok := e.(stroke.BaseEvent); ok {
			c.licence = e.Licence
		}
		c.emit(e)
	})
	if err != nil {
		return nil, err
	}
	c.base, c.ref, c.layers = b.name, b.ref(), b.model.Layers
	if err := c.places(own); err != nil {
		b.close()
		return nil, err
	}
	p := &reporter{measured: &measured{b: b}}
	for _, dir := range c.o.Controls {
		a, err := p.adapterIn(dir)
		if err != nil {
			b.close()
			return nil, err
		}
		c.controls = append(c.controls, *a)
	}
	return b, nil
}

// twin finds the twin whose roles the documents keep, nil where there is none.
func (c *comparer) twin() (*Folder, error) {
	f, err := twinFor(c.o.Source, c.o.Name)
	if err != nil {
		return nil, err
	}
	if c.name = c.o.Name; c.name != "" {
		c.name = f.Name
	} else {
		c.name = NameOf(c.o.Source)
	}
	return f, nil
}

// read reads the source, or where there is none the documents of the twin.
func (c *comparer) read(ctx context.Context, own *Folder) (*corpus.Reading, error) {
	if c.o.Source != "" {
		return (&Options{Source: c.o.Source}).read(ctx, c.emit)
	}
	l, err := own.Ledger()
	if err != nil {
		return nil, err
	}
	r := &corpus.Reading{}
	for _, role := range []stroke.Role{stroke.RoleTrain, stroke.RoleSelect, stroke.RoleJudge} {
		r.Documents = append(r.Documents, own.Documents(l, role)...)
	}
	if len(r.Documents) == 0 && isFile(filepath.Join(own.Dir, examplesFile)) {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the twin " + own.Name + " has passages alone, and methods are compared on documents with roles", Hint: own.trainHint()}
	}
	if len(r.Documents) == 0 {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the twin " + own.Name + " has no documents that methods could be compared on",
			Hint: "name the folder of the writing as well: stroke compare FOLDER -t " + own.Name}
	}
	return r, nil
}

// assign gives the documents their roles and tells of them. The twin's own
// ledger, which l was read from, is left as it is; known gives texts that are in
// it.
func (c *comparer) assign(l *corpus.Ledger, r *corpus.Reading, known func(hash string) (string, bool)) ([]stroke.Document, error) {
	before := len(l.Entries)
	docs, err := corpus.Assign(l, r.Documents, corpus.AssignOptions{Clusters: r.Clusters, Text: known})
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeInput, Err: err, Hint: "add more writing: methods are compared on text that none of them has seen"}
	}
	w := wordsByRole(l, docs)
	c.emit(stroke.RolesEvent{Documents: len(docs), Train: w[stroke.RoleTrain], Select: w[stroke.RoleSelect], Judge: w[stroke.RoleJudge], New: len(l.Entries) - before})
	return docs, nil
}

// places finds where results are kept and trainings are done.
func (c *comparer) places(own *Folder) error {
	home, err := Home()
	if err != nil {
		return err
	}
	switch {
	case c.o.To != "":
		c.keep = c.o.To
		if c.o.Source != "" && inside(c.keep, c.o.Source) {
			return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("%s lies in the folder of the writing, %s, where the tables would be read as writing", c.keep, c.o.Source),
				Hint: "name a folder beside it: --to DIR"}
		}
	case own != nil:
		c.keep = filepath.Join(own.Dir, compareDir)
	default:
		c.keep = filepath.Join(home, compareDir, c.name)
	}
	key, err := json.Marshal(struct {
		Base      BaseRef
		Documents []string
		Kernel    string
	}{c.ref, hashes(c.docs), kernel.Name()})
	if err != nil {
		return fmt.Errorf("name the comparison: %w", err)
	}
	c.work = filepath.Join(home, compareDir, workDir, stroke.HashText(string(key))[:12])
	return nil
}

// lock makes the folders of the comparison and takes both: that of the trainings,
// which every comparison of the text has, and that of the tables.
func (c *comparer) lock() (unlock func(), err error) {
	take := func(dir, others string) (func(), error) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, writeError(dir, err)
		}
		return lockFolder(dir, "compare methods", func(who string) error {
			return &stroke.Error{Code: stroke.CodeBusy, Msg: "another comparison " + others + ": " + who, Hint: "wait until it is done, or stop it; what it has finished by then is kept"}
		})
	}
	work, err := take(c.work, "of this text is running")
	if err != nil {
		return nil, err
	}
	keep, err := take(c.keep, "writes its tables to "+c.keep)
	if err == nil {
		if err = os.MkdirAll(filepath.Join(c.keep, measuredDir), 0o700); err == nil {
			return func() { keep(); work() }, nil
		}
		keep()
		err = writeError(c.keep, err)
	}
	work()
	return nil, err
}

// afresh deletes what is to be measured again, so that without being asked again a
// comparison that is stopped goes on from what this one has measured.
func (c *comparer) afresh() error {
	if !c.o.Afresh {
		return nil
	}
	var parts []string
	for _, list := range c.trainings {
		for _, t := range list {
			parts = append(parts, c.partPath(t.part()), c.trainingDir(t))
		}
	}
	for _, r := range c.rows {
		parts = append(parts, c.partPath(r.id()))
	}
	for _, p := range c.points {
		parts = append(parts, c.partPath(p.id()))
		if p.training != nil {
			parts = append(parts, c.partPath(p.training.part()), c.trainingDir(p.training))
		}
	}
	for _, path := range parts {
		if err := os.RemoveAll(path); err != nil {
			return writeError(path, err)
		}
	}
	return nil
}

// clearWork deletes the trainings in a folder whose lock is held. The lock stays where it
// is: another process may be about to take it.
func clearWork(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return writeError(dir, err)
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return writeError(dir, err)
			}
		}
	}
	return nil
}

// abandoned is how old the trainings of a comparison are that nobody goes on
// with.
const abandoned = 7 * 24 * time.Hour

// looseWork are folders of trainings that lie beside results, as some versions of
// the program had them.
var looseWork = regexp.MustCompile(`^work-[0-9a-f]{12}$`)

// forget deletes what comparisons of other texts left behind that were stopped
// and not gone on with. Results are none of that, whatever their folder is called.
func (c *comparer) forget() {
	works := filepath.Dir(c.work)
	for _, parent := range []string{works, filepath.Dir(works)} {
		entries, err := os.ReadDir(parent)
		if err != nil {
			continue
		}
		for _, e := range entries {
			dir := filepath.Join(parent, e.Name())
			if dir == c.work || parent != works && !looseWork.MatchString(e.Name()) || time.Since(lastChange(dir)) < abandoned {
				continue
			}
			if _, err := os.Stat(filepath.Join(dir, measuredDir)); err == nil {
				continue
			}
			unlock, err := lockFolder(dir, "delete it", errors.New)
			if err != nil {
				continue
			}
			unlock() // Windows deletes no file that is open
			os.RemoveAll(dir)
		}
	}
}

// lastChange is when something in a folder was written last.
func lastChange(dir string) (last time.Time) {
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil {
			if info, err := e.Info(); err == nil && info.ModTime().After(last) {
				last = info.ModTime()
			}
		}
		return nil
	})
	return last
}

// inside says whether a path, which need not be there, lies in a folder.
func inside(path, folder string) bool {
	abs := func(p string) string {
		p, err := filepath.Abs(p)
		if err != nil {
			return ""
		}
		for at, rest := p, ""; ; at, rest = filepath.Dir(at), filepath.Join(filepath.Base(at), rest) {
			if real, err := filepath.EvalSymlinks(at); err == nil {
				return filepath.Join(real, rest)
			}
			if at == filepath.Dir(at) {
				return p
			}
		}
	}
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return false
	}
	rel, err := filepath.Rel(abs(folder), abs(path))
	return err == nil && filepath.IsLocal(rel)
}

func (c *comparer) role(r stroke.Role) []stroke.Document { return byRole(c.docs, c.ledger, r) }

// write keeps the comparison as JSON, as a table and as a page.
func (c *comparer) write(r *compare.Comparison) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("keep the comparison: %w", err)
	}
	page, err := r.HTML()
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{comparisonFile: append(b, '\n'), comparisonTable: []byte(r.Markdown()), comparisonPage: page} {
		if err := writeFile(filepath.Join(c.keep, name), text); err != nil {
			return err
		}
	}
	return nil
}

// collect puts together what was measured.
func (c *comparer) collect() (*compare.Comparison, error) {
	r := &compare.Comparison{Writer: c.name, Made: time.Now().UTC().Truncate(time.Second), Program: c.o.Program, Base: filepath.Base(c.base), Bytes: c.ref.Bytes, Licence: c.licence,
		Machine: compare.Machine{Processor: processorName(), System: runtime.GOOS + "/" + runtime.GOARCH, Kernel: kernel.Name(), Workers: kernel.Workers()},
		Words:   compare.Words{Train: c.words[stroke.RoleTrain], Select: c.words[stroke.RoleSelect], Judge: c.words[stroke.RoleJudge]},
		Texts:   c.o.Texts, Price: c.o.Price, Watts: c.o.Watts, LeftOut: c.left, Controls: []string{}, Lost: c.lost(), Parts: c.origins(), Methods: []compare.Method{}, Curve: []compare.Point{}}
	if r.LeftOut == nil {
		r.LeftOut = []compare.LeftOut{}
	}
	for _, a := range c.controls {
		r.Controls = append(r.Controls, a.name)
	}
	base, examples := &c.row(compare.Base).result, &c.row(compare.Examples).result
	r.Tokens, r.Loss = pooled(base.Plain)
	gains, unit := gainsOf(base.Groups, base.Plain, base.Plain)
	if r.OneDocument = cutFrom(c.ledger, c.role(stroke.RoleJudge)) == 1; r.OneDocument && unit == compare.Documents {
		unit = compare.DocumentParts
	}
	r.Units, r.Unit = len(gains), unit
	for _, p := range c.points {
		r.Curve = append(r.Curve, c.pointOf(p, base)...)
	}
	for _, row := range c.rows {
		m, err := c.methodOf(row, base, examples)
		if err != nil {
			return nil, err
		}
		r.Settings = max(r.Settings, m.Of(compare.Rate), m.Of(compare.Passages))
		if len(r.Curve) > 0 && row.name != compare.Base {
			r.Curve = append(r.Curve, compare.Point{Words: r.Words.Train, Name: row.name, Gain: m.Likeness.Gain, Over: m.Likeness.Over, Seconds: m.Takes.Seconds})
		}
		r.Methods = append(r.Methods, m)
	}
	for i := range r.Methods {
		name := r.Methods[i].Name
		if n := compare.Needs(r.Curve, name, c.lostAt(name.Trains())); n > 0 && name.Trains() != "" {
			r.Methods[i].Needs = &n
		}
	}
	return r, nil
}

// row is that of a method.
func (c *comparer) row(n compare.Name) *methodRow {
	for _, r := range c.rows {
		if r.name == n {
			return r
		}
	}
	panic("twin: there is no row of " + string(n))
}

// interrupted makes an error of a comparison's part one for a person.
func (c *comparer) interrupted(err error, n compare.Name) error {
	if errors.Is(err, context.Canceled) || stroke.CodeOf(err) == stroke.CodeInterrupted {
		hint := "what is measured is kept, and a training goes on from its checkpoint; the same command goes on"
		if c.o.Afresh {
			hint += " without --afresh"
		}
		return &stroke.Error{Code: stroke.CodeInterrupted, Msg: "stopped while it was to measure the method " + string(n), Hint: hint}
	}
	return fmt.Errorf("measure the method %s: %w", n, err)
}

// resampling is how intervals on text are made.
func (c *comparer) resampling() likeness.Resampling { return likeness.Resampling{Seed: c.o.Seed} }
