package twin

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/twin/verdict"
)

// What a twin's folder holds. Paths in it are relative: a folder that is copied
// elsewhere works.
//
//	twin.json            the manifest: name, schema, which version is live
//	README.md            for people
//	ledger.jsonl         every document ever seen, with its role
//	examples.jsonl       in place of the ledger, while the twin has passages alone
//	documents/HASH.txt   the documents' texts, by their hash
//	versions/ID/         version.json, and the adapter as a PEFT folder or the
//	                     weights that were trained; what the folds of one that
//	                     was cross-fitted showed; ID is the beginning of
//	                     version.json's hash
//	run/                 the training at hand: checkpoint and epochs
//	stopped/             one that was stopped, while another takes its place
//	blind/ID.json        the blind test of a version: texts and answers
//	compare/             methods side by side, and what that was made from
const (
	manifestFile = corpus.TwinFile
	readmeFile   = "README.md"
	ledgerFile   = "ledger.jsonl"
	examplesFile = "examples.jsonl"
	documentsDir = "documents"
	versionsDir  = "versions"
	versionFile  = "version.json"
	adapterDir   = "adapter"
	weightsFile  = "weights.safetensors"
	runDir       = "run"
	schema       = 1
)

// Manifest is twin.json.
type Manifest struct {
	Schema   int       `json:"schema"`
	Name     string    `json:"name"`
	Created  time.Time `json:"created"`
	Live     string    `json:"live"`     // version that serves; empty: base with examples
	Newest   string    `json:"newest"`   // last version trained
	Versions []string  `json:"versions"` // all, oldest first
	Base     string    `json:"base"`     // name or path of the base of the newest version
}

// Version is version.json.
type Version struct {
	Schema       int               `json:"schema"`
	Twin         string            `json:"twin"`
	Parent       string            `json:"parent"` // version before it; empty for the first
	Created      time.Time         `json:"created"`
	Base         BaseRef           `json:"base"`
	Recipe       Recipe            `json:"recipe"`
	Kernel       string            `json:"kernel"`
	Documents    map[string]int    `json:"documents"` // number by role
	Words        int               `json:"words"`
	TrainTokens  int               `json:"train_tokens"`
	Epoch        int               `json:"epoch"` // chosen on select documents
	Seconds      float64           `json:"seconds"`
	TokensPerSec float64           `json:"tokens_per_second"`
	Adapter      map[string]string `json:"adapter,omitempty"` // SHA-256 of each file of the adapter
	Weights      map[string]string `json:"weights,omitempty"` // SHA-256 of the file of weights, where the base's own were trained
	HeldOut      verdict.Figures   `json:"heldout"`
	Verdict      verdict.Verdict   `json:"verdict"`
	Folds        string            `json:"folds,omitempty"`        // SHA-256 of folds.json, where it was cross-fitted
	Below        []string          `json:"learnt_below,omitempty"` // hashes of documents that the adapter which it began at had learnt, where that is a twin's or a genre made from the writer's text, and of judge documents alike to these

	ID    string     `json:"-"`
	folds *foldsKept // to be written
}

// BaseRef says which base a version belongs to.
type BaseRef struct {
	Name         string `json:"name"`
	Architecture string `json:"architecture"`
	Bytes        int64  `json:"bytes"`
	Sample       string `json:"sample,omitempty"` // of its numbers, and of its header or the files beside them; versions of earlier programs have none
}

// same says whether two of them are one base, wherever that lies.
func (r BaseRef) same(o BaseRef) bool {
	return r.Architecture == o.Architecture && r.Bytes == o.Bytes && (r.Sample == o.Sample || r.Sample == "" || o.Sample == "")
}

// Folder is a twin's folder.
type Folder struct {
	Dir string
	Manifest
}

// Open reads a twin's manifest.
func Open(dir string) (*Folder, error) {
	path := filepath.Join(dir, manifestFile)
	b, err := readAtMost(path, mostManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &stroke.Error{Code: stroke.CodeNotFound, Msg: "there is no twin in " + dir, Err: err, Hint: "stroke twins lists those there are"}
	}
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeFailure, Msg: "the manifest " + path + " cannot be read", Err: err, Hint: "see whether you may read it and its disk is sound, or put it back from a copy"}
	}
	f := &Folder{Dir: dir}
	err = parseManifest(b, &f.Manifest)
	if newer := (*newerSchemaError)(nil); errors.As(err, &newer) {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "the manifest " + path + " cannot be read", Hint: "use a newer stroke; the twin is untouched", Err: err}
	}
	if err != nil {
		what := "its documents are untouched"
		if ids := versionIDs(dir); len(ids) > 0 {
			what = "its documents and its versions (" + strings.Join(ids, ", ") + ") are untouched"
		}
		return nil, &stroke.Error{Code: stroke.CodeFailure, Msg: "the manifest " + path + " is damaged",
			Hint: what + "; put the file back from a copy, or run stroke train again with the same folder and name, which makes a new one out of them", Err: &damagedManifestError{err}}
	}
	return f, nil
}

// damagedManifestError is of a manifest that is beyond reading, and can be made
// again from what lies beside it.
type damagedManifestError struct{ err error }

func (e *damagedManifestError) Error() string { return e.err.Error() }

func (e *damagedManifestError) Unwrap() error { return e.err }

// newerSchemaError is of a manifest that a later program wrote.
type newerSchemaError struct{ schema int }

func (e *newerSchemaError) Error() string {
	return fmt.Sprintf("its schema is %d, and this program knows %d", e.schema, schema)
}

// The most bytes that are read of a manifest and of a version's.
const (
	mostManifest = 16 << 20
	mostVersion  = 16 << 20
)

// readAtMost reads a file that must not be larger than most bytes.
func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("it is larger than %d bytes", most)
	}
	return b, err
}

func parseManifest(b []byte, m *Manifest) error {
	if err := json.Unmarshal(b, m); err != nil {
		return err
	}
	switch {
	case m.Schema > schema:
		return &newerSchemaError{m.Schema}
	case m.Schema != schema:
		return fmt.Errorf("its schema is %d", m.Schema)
	}
	if CheckName(m.Name) != nil {
		return fmt.Errorf("its name is %q", m.Name)
	}
	for _, id := range append([]string{m.Live, m.Newest}, m.Versions...) {
		if id != "" && !goodID(id) {
			return fmt.Errorf("it names a version %q", id)
		}
	}
	return nil
}

func goodID(id string) bool {
	return len(id) == 12 && strings.Trim(id, "0123456789abcdef") == ""
}

func versionIDs(dir string) []string {
	var ids []string
	entries, err := os.ReadDir(filepath.Join(dir, versionsDir))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if goodID(e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	return ids
}

// create makes a new twin's folder.
func create(dir, name string) (*Folder, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	f := &Folder{Dir: dir, Manifest: Manifest{Schema: schema, Name: name, Created: time.Now().UTC().Truncate(time.Second), Versions: []string{}}}
	for _, d := range []string{documentsDir, versionsDir} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, writeError(dir, err)
		}
	}
	f.recover()
	if err := f.save(); err != nil {
		return nil, err
	}
	return f, nil
}

// recover finds the versions of a twin whose manifest was lost: those that are
// whole, in the order in which they were made.
func (f *Folder) recover() {
	var found []*Version
	f.Versions = versionIDs(f.Dir)
	for _, id := range f.Versions {
		if v, err := f.Version(id); err == nil {
			found = append(found, v)
		}
	}
	slices.SortStableFunc(found, func(a, b *Version) int { return a.Created.Compare(b.Created) })
	f.Versions = []string{}
	for _, v := range found {
		f.Versions = append(f.Versions, v.ID)
		f.Newest, f.Base = v.ID, v.Base.Name
		if v.Verdict.Live {
			f.Live = v.ID
		}
	}
}

// save writes the manifest and the README.
func (f *Folder) save() error {
	b, err := json.MarshalIndent(&f.Manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if err := writeFile(filepath.Join(f.Dir, manifestFile), append(b, '\n')); err != nil {
		return err
	}
	return writeFile(filepath.Join(f.Dir, readmeFile), []byte(f.readme()))
}

func (f *Folder) readme() string {
	serves := "No version is live: the base model with your own passages in its prompt serves."
	if f.Live != "" {
		serves = "The version " + f.Live + " is live."
	}
	return fmt.Sprintf(`# %s

%s: what makes a language model write as you do, and the writing it was made from. It is yours; copy it, keep it, delete it.

%s

| what | where |
| --- | --- |
| what the twin is and which version serves | %s |
| every document that was ever read, and what it is used for | %s |
| their texts | %s/ |
| the versions, each with its figures and its adapter in PEFT's format, or its weights | %s/ |

    stroke write -t "%[8]s" "An opening"
    stroke show -t "%[8]s"
`, f.Name, ownReadmeLine, serves, manifestFile, ledgerFile, documentsDir, versionsDir, cmp.Or(f.elsewhere(), f.Name))
}

// writeFile writes a file whole or not at all: beside its place, synced, then
// renamed.
func writeFile(path string, b []byte) error {
	return writeWith(path, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

func writeWith(path string, fill func(io.Writer) error) error {
	err := putFile(path, func(tmp *os.File) error {
		if err := fill(tmp); err != nil {
			return err
		}
		return tmp.Sync()
	})
	if err == nil {
		syncDir(filepath.Dir(path))
	}
	return err
}

// putFile writes a file beside its place and renames it, so that whoever reads it finds
// it whole; it lasts once it is synced.
func putFile(path string, fill func(*os.File) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), halfWritten+"*")
	if err != nil {
		return writeError(path, err)
	}
	err = fill(tmp)
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return writeError(path, err)
	}
	return nil
}

// syncDir makes a rename last; systems that cannot sync a folder need not.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

func writeError(path string, err error) error {
	hint := "see whether the disk is full and " + filepath.Dir(path) + " can be written; what was there before is untouched"
	if errors.Is(err, fs.ErrPermission) {
		hint = "choose a place that can be written, with --to DIR or STROKE_HOME"
	}
	return &stroke.Error{Code: stroke.CodeFailure, Msg: "cannot write " + path, Hint: hint, Err: err}
}

// Ledger reads the ledger; a twin without one has an empty one. With the error
// of a damaged one come the entries that are sound.
func (f *Folder) Ledger() (*corpus.Ledger, error) { return f.readLedger(ledgerFile) }

func (f *Folder) readLedger(name string) (*corpus.Ledger, error) {
	path := filepath.Join(f.Dir, name)
	r, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &corpus.Ledger{}, nil
	}
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeFailure, Msg: "the ledger cannot be read", Err: err,
			Hint: "see whether " + f.Dir + " is a folder that can be read, or choose another place with --to DIR or STROKE_HOME"}
	}
	defer r.Close()
	l, err := corpus.ReadLedger(r)
	if damage := (*corpus.Damage)(nil); errors.As(err, &damage) {
		return l, &stroke.Error{Code: stroke.CodeFailure, Msg: fmt.Sprintf("the ledger %s is damaged; %d documents in it are sound", path, damage.Sound), Err: damage,
			Hint: "writing and chatting go on with the passages of those; to train or score, put the file back from a copy, since the roles of documents are in it, or " + stroke.HintOf(err)}
	}
	if err != nil {
		return nil, &stroke.Error{Code: stroke.CodeFailure, Msg: "the ledger " + path + " cannot be read", Err: err,
			Hint: "see whether its disk is sound, or put the file back from a copy"}
	}
	return l, nil
}

func (f *Folder) saveLedger(name string, l *corpus.Ledger) error {
	return writeWith(filepath.Join(f.Dir, name), func(w io.Writer) error { return corpus.WriteLedger(w, l) })
}

// keep stores the texts of documents. They are many and small: their folder is synced
// once, and one that a failing machine took is known by its hash and stored anew.
func (f *Folder) keep(docs []stroke.Document) error {
	for _, d := range docs {
		if _, ok := f.Text(d.Hash); ok {
			continue
		}
		err := putFile(f.documentPath(d.Hash), func(tmp *os.File) error {
			_, err := tmp.WriteString(d.Text)
			return err
		})
		if err != nil {
			return err
		}
	}
	syncDir(filepath.Join(f.Dir, documentsDir))
	return nil
}

func (f *Folder) documentPath(hash string) string {
	return filepath.Join(f.Dir, documentsDir, hash+".txt")
}

// Text gives a document's text, checked against its hash.
func (f *Folder) Text(hash string) (string, bool) {
	b, err := os.ReadFile(f.documentPath(hash))
	if err != nil || stroke.HashText(string(b)) != hash {
		return "", false
	}
	return string(b), true
}

// Documents gives the documents of a role that are kept and not gone, in the ledger's
// order.
func (f *Folder) Documents(l *corpus.Ledger, role stroke.Role) []stroke.Document {
	var out []stroke.Document
	for _, e := range l.Entries {
		if e.Role != role || e.Gone {
			continue
		}
		if text, ok := f.Text(e.Hash); ok {
			out = append(out, stroke.Document{Hash: e.Hash, Source: e.Source, Title: e.Title, Text: text, Words: e.Words})
		}
	}
	return out
}

// Version reads a version; an empty id means the newest.
func (f *Folder) Version(id string) (*Version, error) {
	if id == "" {
		id = f.Newest
	}
	if id == "" || len(f.Versions) == 0 {
		return nil, f.without("version")
	}
	if !slices.Contains(f.Versions, id) || !goodID(id) {
		return nil, &stroke.Error{Code: stroke.CodeNotFound, Msg: fmt.Sprintf("the twin %s has no version %q", f.Name, id), Hint: "it has: " + strings.Join(f.Versions, ", ")}
	}
	return f.readVersion(id)
}

func (f *Folder) readVersion(id string) (*Version, error) {
	b, err := readAtMost(filepath.Join(f.Dir, versionsDir, id, versionFile), mostVersion)
	if err != nil {
		return nil, damagedVersion(f, id, err)
	}
	if hashID(b) != id {
		return nil, damagedVersion(f, id, errors.New("its manifest is not what it was"))
	}
	v := &Version{ID: id}
	err = parseVersion(b, v)
	if newer := (*newerSchemaError)(nil); errors.As(err, &newer) {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the version %s of %s cannot be read", id, f.Name), Hint: "use a newer stroke, or another version as NAME@VERSION", Err: err}
	}
	if err != nil {
		return nil, damagedVersion(f, id, err)
	}
	return v, nil
}

func parseVersion(b []byte, v *Version) error {
	if err := json.Unmarshal(b, v); err != nil {
		return err
	}
	switch p := v.Recipe.Prompt; {
	case v.Schema > schema:
		return &newerSchemaError{v.Schema}
	case v.Schema != schema:
		return fmt.Errorf("its schema is %d", v.Schema)
	case v.Parent != "" && !goodID(v.Parent):
		return fmt.Errorf("its parent is %q", v.Parent)
	case p.Tokens < 0 || p.Each < 0:
		return fmt.Errorf("its passages have %d tokens, of %d each", p.Tokens, p.Each)
	}
	return nil
}

func damagedVersion(f *Folder, id string, err error) error {
	return &stroke.Error{Code: stroke.CodeFailure, Msg: fmt.Sprintf("the version %s of %s is damaged", id, f.Name),
		Hint: "another version works as NAME@VERSION, and the base with your passages as --no-adapter; train again to make a new one", Err: err}
}

func hashID(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])[:12]
}

// Adapter reads the adapter of a version for a base of the given shape.
func (f *Folder) Adapter(v *Version, shape lora.Shape) (*lora.Adapter, error) {
	if len(v.Weights) > 0 {
		return nil, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the version %s of %s has weights of its base and no adapter", v.ID, f.Name),
			Hint: "name a version with an adapter as NAME@VERSION"}
	}
	dir := filepath.Join(f.Dir, versionsDir, v.ID, adapterDir)
	for _, name := range []string{lora.ConfigFile, lora.WeightsFile} {
		want := v.Adapter[name]
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, damagedVersion(f, v.ID, err)
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want {
			return nil, damagedVersion(f, v.ID, fmt.Errorf("%s is not what it was", name))
		}
	}
	file, err := lora.ReadDir(dir)
	if err != nil {
		return nil, damagedVersion(f, v.ID, err)
	}
	a, err := file.Adapter(shape)
	if err != nil {
		return nil, otherBase(f, v, err)
	}
	return a, nil
}

// publish writes a version and makes it the newest, and live where its verdict
// says so. A file of weights is closed and moved to its place. before runs when
// all is written and nothing is there yet; size is that of what was learnt, in
// bytes.
func (f *Folder) publish(v *Version, l *learnt, before func(size int64) error) error {
	if err := v.legible(hashesRoom); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Join(f.Dir, versionsDir), halfWritten+"*")
	if err != nil {
		return writeError(f.Dir, err)
	}
	defer os.RemoveAll(tmp)
	var size int64
	if l.adapter != nil {
		size, err = v.putAdapter(filepath.Join(tmp, adapterDir), l.adapter)
	} else {
		size, err = v.putWeights(tmp, l)
	}
	if err == nil {
		err = v.putFolds(tmp)
	}
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("publish version: %w", err)
	}
	b = append(b, '\n')
	v.ID = hashID(b)
	if err := writeFile(filepath.Join(tmp, versionFile), b); err != nil {
		return err
	}
	syncDir(tmp)
	if err := before(size); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(f.Dir, versionsDir, v.ID)); err != nil {
		return writeError(filepath.Join(f.Dir, versionsDir, v.ID), err)
	}
	syncDir(filepath.Join(f.Dir, versionsDir))
	return f.list(v)
}

// What may still come into version.json, in bytes.
const (
	hashesRoom = 4 << 10  // hashes of a version's files
	foundRoom  = 64 << 10 // those, and all that is found out in training
)

// legible says why a version could not be read again if it was written with so many
// bytes more.
func (v *Version) legible(room int) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("publish version: %w", err)
	}
	if n := len(v.Below); len(b) > mostVersion-room {
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the version cannot be kept: with the %d documents that what it started from had learnt, its description would be larger than %d bytes", n, mostVersion),
			Hint: "train from the base, without --on, or from an adapter that has learnt fewer documents"}
	}
	if err := parseVersion(b, &Version{}); err != nil {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "the version cannot be kept: no program could read it again", Err: err,
			Hint: "train with another recipe: stroke train --show-recipe FOLDER prints the one that is used by default"}
	}
	return nil
}

// serving says what serves where a new version does not.
func (f *Folder) serving() string {
	if f.Live != "" {
		return "the version " + f.Live + " goes on serving"
	}
	return "the base with your passages serves"
}

// list takes a version whose folder is there into the manifest.
func (f *Folder) list(v *Version) error {
	f.Versions = append(f.Versions, v.ID)
	f.Newest, f.Base = v.ID, v.Base.Name
	if v.Verdict.Live {
		f.Live = v.ID
	}
	return f.save()
}

// adopt gives a version that was published, and lists it where the run was
// killed between the two; nil where it was never published.
func (f *Folder) adopt(id string) (*Version, error) {
	if !goodID(id) {
		return nil, nil
	}
	if _, err := os.Stat(filepath.Join(f.Dir, versionsDir, id)); err != nil {
		return nil, nil
	}
	v, err := f.readVersion(id)
	if err != nil {
		return nil, nil
	}
	if !slices.Contains(f.Versions, id) {
		return v, f.list(v)
	}
	return v, nil
}
