package genre

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/library"
)

const good = `name = "notes"
for = "notes"
licence = "MIT"
[[source]]
folder = "a"
files = ["*.md"]
words = 10
terms = "MIT"
attribution = "nobody"
`

func TestParseRecipe(t *testing.T) {
	r, err := ParseRecipe("x", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if r.Rank != 4 || r.Alpha != 8 || r.Rate != 1e-3 || r.Epochs != 2 || r.Sources[0].Origin != "a" || r.Asks() != 10 {
		t.Errorf("%+v", r)
	}
	for name, c := range map[string]struct{ old, now, want string }{
		"no TOML":         {`name = "notes"`, `name = `, "expected value"},
		"unknown key":     {`terms`, `term`, "source.term, which is not known"},
		"no terms":        {`terms = "MIT"`, ``, "does not say its terms"},
		"nobody's":        {`attribution = "nobody"`, ``, "does not say whom it is by"},
		"out of the data": {`folder = "a"`, `folder = "../a"`, "no path below the data folder"},
		"absolute":        {`folder = "a"`, `folder = "/a"`, "no path below the data folder"},
		"bad pattern":     {`*.md`, `[`, `pattern "[" cannot be read`},
		"bad name":        {`"notes"`, `"../notes"`, "cannot be a genre's name"},
		"reserved name":   {`"notes"`, `"auto"`, "cannot be a genre's name"},
		"large rank":      {`licence`, "rank = 4096\nlicence", "its rank is 4096"},
		"no licence":      {`licence = "MIT"`, ``, "under which licence"},
		"negative skip":   {`words = 10`, `skip = -1`, "passes over -1"},
		"from nothing":    {`licence`, "start = \"auto\"\nlicence", "what it starts from"},
		"from itself":     {`licence`, "start = \"notes\"\nlicence", "starts from itself"},
		"negative words":  {`words = 10`, `words = -1`, "takes -1"},
		"no source":       {good[strings.Index(good, "[[source]]"):], ``, "has 0 sources"},
	} {
		_, err := ParseRecipe("x", []byte(strings.Replace(good, c.old, c.now, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if stroke.CodeOf(err) != stroke.CodeInput || stroke.HintOf(err) == "" {
			t.Errorf("%s: code %s, hint %q", name, stroke.CodeOf(err), stroke.HintOf(err))
		}
	}
}

// TestLibrary holds the program's own recipes and genres to what is promised of
// them: every source has its terms and its hash, and no genre is too large.
func TestLibrary(t *testing.T) {
	recipes, err := Recipes()
	if err != nil {
		t.Fatal(err)
	}
	if len(recipes) < 6 {
		t.Fatalf("%d recipes", len(recipes))
	}
	for _, r := range recipes {
		for _, s := range r.Sources {
			if len(s.SHA256) != 64 || s.Words == 0 {
				t.Errorf("recipe %s, source %s: hash %q, %d words", r.Name, s.Origin, s.SHA256, s.Words)
			}
		}
	}
	var all int64
	for _, g := range Open(t.TempDir()).List("", func(path string, err error) { t.Errorf("%s: %v", path, err) }) {
		if _, _, err := g.Adapter(); err != nil {
			t.Errorf("%s: %v", g.Path, err)
		}
		if g.Start != nil {
			start, err := Open(t.TempDir()).Find(g.Base.Name, g.Start.Name)
			if err != nil || start.SHA256() != g.Start.SHA256 {
				t.Errorf("%s went on from a genre %s that is not there: %v", g.Path, g.Start.Name, err)
			}
		}
		var size int64
		err := fs.WalkDir(g.fsys, ".", func(_ string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				info, e := d.Info()
				if e != nil {
					return e
				}
				size += info.Size()
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if size > 2_500_000 {
			t.Errorf("%s has %d bytes", g.Path, size)
		}
		all += size
		// What is shown of a genre is what lies beside it for people.
		b, err := read(g.fsys, ReadmeFile, mostCard)
		if err != nil || string(b) != g.Readme() {
			t.Errorf("%s: its %s is not that of its card, %v", g.Path, ReadmeFile, err)
		}
	}
	if all > 20_000_000 {
		t.Errorf("the library has %d bytes", all)
	}
	if _, err := fs.Stat(library.Files, library.Recipes); err != nil {
		t.Error(err)
	}
}

func documents(n, words int) []stroke.Document {
	var out []stroke.Document
	for i := range n {
		text := fmt.Sprintf("document %d", i)
		out = append(out, stroke.Document{Hash: stroke.HashText(text), Text: text, Words: words})
	}
	return out
}

// TestPick takes the same documents in whatever order they come.
func TestPick(t *testing.T) {
	docs := documents(50, 10)
	got := Pick(docs, 0, 95)
	if len(got) != 10 {
		t.Fatalf("%d documents for 95 words", len(got))
	}
	for i, j := 0, len(docs)-1; i < j; i, j = i+1, j-1 {
		docs[i], docs[j] = docs[j], docs[i]
	}
	for i, d := range Pick(docs, 0, 95) {
		if d.Hash != got[i].Hash {
			t.Fatalf("document %d is %s, and was %s", i, d.Hash, got[i].Hash)
		}
	}
	// What is passed over is what another recipe takes.
	if rest := Pick(docs, 95, 95); len(rest) != 10 || rest[0].Hash != byHash(docs)[10].Hash {
		t.Errorf("%d documents after the first ten", len(rest))
	}
	if n := len(Pick(docs, 1e6, 10)); n != 0 {
		t.Errorf("%d documents after all", n)
	}
	if n := len(Pick(docs, 0, 0)); n != 50 {
		t.Errorf("%d of all documents", n)
	}
	if n := len(Pick(docs, 0, 1e6)); n != 50 {
		t.Errorf("%d documents where there are too few words", n)
	}
}

func TestWithhold(t *testing.T) {
	for n, want := range map[int][3]int{4: {2, 1, 1}, 7: {3, 2, 2}, 19: {14, 2, 3}, 40: {36, 2, 2}, 100: {90, 5, 5}} {
		train, choose, judge, err := Withhold(documents(n, 10))
		if err != nil {
			t.Fatal(err)
		}
		if got := [3]int{len(train), len(choose), len(judge)}; got != want {
			t.Errorf("%d documents: %v, want %v", n, got, want)
		}
		seen := map[string]bool{}
		for _, d := range append(append(train, choose...), judge...) {
			if seen[d.Hash] {
				t.Errorf("%d documents: one has two roles", n)
			}
			seen[d.Hash] = true
		}
	}
	if _, _, _, err := Withhold(documents(3, 10)); err == nil {
		t.Error("three documents are enough")
	}
}

func TestKey(t *testing.T) {
	for base, want := range map[string]string{"smollm2-135m-instruct": "smollm2-135m-instruct", "/a/b/Toy Base.Q4_1.gguf": "toy-base.q4_1", `C:\x\toy.gguf`: "toy", "toy.gguf": "toy", "/a/my.model": "my.model",
		"eurollm-1.7b-instruct": "eurollm-1.7b-instruct", "/": "base", "/recipes": "base", "/a/..": "base",
		"/a/Toy Base/": "toy-base", `C:\x\toy\`: "toy", "X.GGUF": "x", "foo.gguf.gguf": "foo", "foo.gguf-.GGUF": "foo", "a/.gguf": "gguf"} {
		if got := Key(base); got != want || Key(got) != got || strings.ContainsAny(got, `/\`) {
			t.Errorf("%q: %q, want %q, and the key of that is %q", base, got, want, Key(got))
		}
	}
}

// put writes a genre's folder.
func put(t *testing.T, dir string, card, config, weights string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{CardFile: card, ConfigFile: config, WeightsFile: weights} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	card := func(name, base string) string {
		return fmt.Sprintf(`{"schema":1,"name":%q,"base":{"name":%q},"files":{%q:%q,%q:%q}}`, name, base, ConfigFile, Hash([]byte("c")), WeightsFile, Hash([]byte("w")))
	}
	put(t, filepath.Join(dir, "toy", "a"), card("a", "toy"), "c", "w")
	put(t, filepath.Join(dir, "other", "b"), card("b", "other"), "c", "w")
	put(t, filepath.Join(dir, "toy", "damaged"), card("damaged", "toy"), "c", "x")
	put(t, filepath.Join(dir, "toy", "newer"), strings.Replace(card("newer", "toy"), `:1,`, `:2,`, 1), "c", "w")
	put(t, filepath.Join(dir, "toy", "moved"), card("another", "toy"), "c", "w")
	l := Open(dir)
	g, err := l.Find("/x/toy.gguf", "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.Adapter(); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		base, want string
	}{
		"b":      {"toy", "is not for the base toy: it is there for other"},
		"newer":  {"toy", "its schema is 2"},
		"moved":  {"toy", "is of the genre another"},
		"nobody": {"toy", `there is no genre "nobody"`},
		"../a":   {"toy", "cannot be a genre's name"},
		"auto":   {"toy", "cannot be a genre's name"},
	} {
		if _, err := l.Find(c.base, name); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if g := l.WithSum("/x/toy.gguf", "a", Hash([]byte("w"))); g == nil || g.Name != "a" {
		t.Errorf("by its hash: %+v", g)
	}
	if g := l.WithSum("toy", "a", Hash([]byte("x"))); g != nil {
		t.Errorf("by another hash: %+v", g)
	}
	if g, err := l.Find("", "b"); err != nil || g.Base.Name != "other" {
		t.Errorf("without a base: %v", err)
	}
	if g, err = l.Find("toy", "damaged"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.Adapter(); err == nil || !strings.Contains(err.Error(), WeightsFile+" is not what it was") {
		t.Errorf("damaged weights: %v", err)
	}
	if err := l.Remove(g); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(g.Path); !os.IsNotExist(err) {
		t.Errorf("its folder: %v", err)
	}
}

func TestSum(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a"), "card", "config", "weights")
	s := Source{Folder: "a", Files: []string{"*.json"}}
	if err := s.Sum(dir); err != nil {
		t.Fatal(err)
	}
	// As the documented command prints it.
	want := Hash([]byte(Hash([]byte("config")) + "  a/" + ConfigFile + "\n" + Hash([]byte("card")) + "  a/" + CardFile + "\n"))
	if s.SHA256 != want || s.Count != 2 {
		t.Errorf("%s of %d files, want %s", s.SHA256, s.Count, want)
	}
	if err := s.Sum(dir); err != nil {
		t.Errorf("the same files again: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a", CardFile), []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Sum(dir); err == nil || !strings.Contains(err.Error(), "is not what the recipe was made for") {
		t.Errorf("another file: %v", err)
	}
	if err := s.Sum(t.TempDir()); stroke.CodeOf(err) != stroke.CodeNotFound {
		t.Errorf("no files: %v", err)
	}
}

func zipped(t *testing.T, files ...[2]string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		x, err := w.Create(f[0])
		if err == nil {
			_, err = x.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarred(t *testing.T, kind byte, files ...[2]string) []byte {
	var b bytes.Buffer
	g := gzip.NewWriter(&b)
	w := tar.NewWriter(g)
	for _, f := range files {
		h := &tar.Header{Name: f[0], Typeflag: kind, Mode: 0o600, Size: int64(len(f[1]))}
		if kind == tar.TypeSymlink {
			h.Linkname, h.Size = f[1], 0
		}
		err := w.WriteHeader(h)
		if err == nil && h.Size > 0 {
			_, err = w.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFetch takes two files out of whatever it is given, and leaves nothing
// anywhere else.
func TestFetch(t *testing.T) {
	c, w := [2]string{"../../x/" + ConfigFile, "c"}, [2]string{"/etc/" + WeightsFile, "w"}
	folder := t.TempDir()
	put(t, folder, "card", "c", "w")
	linked := t.TempDir()
	if err := os.WriteFile(filepath.Join(linked, WeightsFile), []byte("w"), 0o600); err != nil {
		t.Fatal(err)
	}
	many := [][2]string{c, w}
	for i := range mostEntries {
		many = append(many, [2]string{fmt.Sprint(i), ""})
	}
	long := slices.Clone(many)
	for i := range long[2:] {
		long[2+i][0] += strings.Repeat("x", mostDirectory/mostEntries)
	}
	for name, x := range map[string]struct {
		bytes []byte
		want  string
	}{
		"many.zip":    {zipped(t, many...), "has 10002 files"},
		"long.zip":    {zipped(t, long...), "directory is larger than the 4 MB"},
		"a.zip":       {zipped(t, c, w, [2]string{"../../evil", "x"}), ""},
		"a.tar.gz":    {tarred(t, tar.TypeReg, c, w, [2]string{"../../evil", "x"}), ""},
		"twice.zip":   {zipped(t, c, w, w), "twice"},
		"half.zip":    {zipped(t, c), "neither " + WeightsFile},
		"other.zip":   {zipped(t, w), "no " + ConfigFile},
		"links.tgz":   {tarred(t, tar.TypeSymlink, [2]string{ConfigFile, "/etc/passwd"}, [2]string{WeightsFile, "/etc/passwd"}), "no " + ConfigFile},
		"short.zip":   {[]byte("PK"), "too short"},
		"damaged.zip": {[]byte("PK\x03\x04 and no more"), "damaged"},
		"damaged.tgz": {[]byte("\x1f\x8b and no more of it"), "damaged"},
		"text.txt":    {[]byte("not an archive"), "neither a folder nor"},
		"config.zip":  {zipped(t, [2]string{ConfigFile, strings.Repeat(" ", mostConfig+1)}, w), "larger than"},
	} {
		root := t.TempDir()
		into := filepath.Join(root, "a", "b", "c")
		file := filepath.Join(root, name)
		if err := os.MkdirAll(into, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, x.bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		err := Fetch(context.Background(), file, into)
		if x.want != "" {
			if err == nil || !strings.Contains(err.Error(), x.want) || stroke.HintOf(err) == "" {
				t.Errorf("%s: %v, want %q and a hint", name, err, x.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var all []string
		fs.WalkDir(os.DirFS(root), ".", func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				all = append(all, p)
			}
			return err
		})
		if want := "a/b/c/" + ConfigFile + " a/b/c/" + WeightsFile + " " + name; strings.Join(all, " ") != want {
			t.Errorf("%s: there are %s, want %s", name, all, want)
		}
	}
	if err := Fetch(context.Background(), folder, t.TempDir()); err != nil {
		t.Errorf("a folder: %v", err)
	}
	if err := Fetch(context.Background(), filepath.Join(folder, WeightsFile), t.TempDir()); err != nil {
		t.Errorf("the weights in a folder: %v", err)
	}
	compact := t.TempDir()
	for name, text := range map[string]string{ConfigFile: "c", CompactFile: "w", "evil": "x"} {
		if err := os.WriteFile(filepath.Join(compact, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, from := range []string{compact, filepath.Join(compact, CompactFile)} {
		into := t.TempDir()
		if err := Fetch(context.Background(), from, into); err != nil {
			t.Errorf("weights in whole numbers: %v", err)
		}
		if entries, err := os.ReadDir(into); err != nil || len(entries) != 2 {
			t.Errorf("weights in whole numbers: %d files, %v", len(entries), err)
		}
	}
	if err := Fetch(context.Background(), linked, t.TempDir()); err == nil || !strings.Contains(err.Error(), "it has no "+ConfigFile) {
		t.Errorf("a folder with half: %v", err)
	}
	if err := Fetch(context.Background(), filepath.Join(folder, "none"), t.TempDir()); stroke.CodeOf(err) != stroke.CodeNotFound {
		t.Errorf("nothing: %v", err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("%s is asked for in %q", r.URL.Path, got)
		}
		switch r.URL.Path {
		case "/x/" + WeightsFile:
			w.Write([]byte("w"))
		case "/x/" + ConfigFile:
			w.Write([]byte("c"))
		case "/a.zip":
			w.Write(zipped(t, [2]string{ConfigFile, "c"}, [2]string{WeightsFile, "w"}))
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	for _, at := range []string{"/a.zip", "/x/" + WeightsFile + "?download=true"} {
		into := t.TempDir()
		if err := Fetch(context.Background(), s.URL+at, into); err != nil {
			t.Errorf("%s: %v", at, err)
		}
		if entries, err := os.ReadDir(into); err != nil || len(entries) != 2 {
			t.Errorf("%s: %d files, %v", at, len(entries), err)
		}
	}
	if err := Fetch(context.Background(), s.URL+"/none.zip", t.TempDir()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("nothing at an address: %v", err)
	}
}

// TestCard writes a card for people that keeps within its tables.
func TestCard(t *testing.T) {
	c := Card{Name: "notes", For: "notes", Licence: "MIT", Base: Base{Name: "toy"}, Recipe: &Recipe{Rank: 4}, Epoch: 2,
		Documents: 8, Words: 900,
		Sources: []Source{{Origin: "a|b\nc", Terms: "MIT", Attribution: "nobody", Documents: 12}}, Samples: []Sample{{"It rained", "one\ntwo", "three"}}, Limits: []string{"English"}}
	s := c.Markdown(&Measured{Schema: 1, On: []MeasuredOn{{Text: "a|b", Kind: "notes", Writer: true, Tokens: 9, Gain: Gain{0.5, 0.4, 0.6}, OverProse: &Gain{0.1, -0.05, 0.2}, Best: "notes"},
		{Text: "letters", Kind: "letters", Tokens: 9, Gain: Gain{-0.25, -0.3, -0.2}, Best: "prose"}, {Text: "c, d", Kind: "notes", Writer: true, Words: 500, Share: 0.25, Tokens: 9}}})
	for _, want := range []string{"license: mit\n", "base_model: toy\n", `| a\|b c | MIT |`, "> one\n> two\n", "the second was taken", "Nothing was measured.", "900 words of 8 documents were trained on; 4 of 12 documents were withheld.", `| a\|b, a writer | notes | 9 | +0.500 (+0.400 to +0.600) | +0.100 (-0.050 to +0.200) | notes |`, "| letters, withheld | letters | 9 | -0.250 (-0.300 to -0.200) | | prose |", "| 500 | c, d | 25 % | 9 |", "- English\n"} {
		if !strings.Contains(s, want) {
			t.Errorf("%q is not in\n%s", want, s)
		}
	}
}

// TestCards holds that the cards for people in the program's library say what the others
// say.
func TestCards(t *testing.T) {
	list := Open(t.TempDir()).List("", func(path string, err error) { t.Errorf("%s: %v", path, err) })
	if len(list) == 0 {
		t.Error("there are no genres")
	}
	for _, g := range list {
		if b, err := library.Files.ReadFile(g.key + "/" + g.Name + "/" + ReadmeFile); err != nil || string(b) != g.Readme() {
			t.Errorf("the card of %s for %s is another, %v", g.Name, g.Base.Name, err)
		}
	}
}

func TestPublic(t *testing.T) {
	for from, want := range map[string]string{"https://me:secret@example.org/a.zip?token=x#y": "https://example.org/a.zip", "a/b?c": "a/b?c", `C:\a`: `C:\a`} {
		if got := Public(from); got != want {
			t.Errorf("%s: %s, want %s", from, got, want)
		}
	}
	err := Fetch(context.Background(), "http://me:secret@127.0.0.1:1/a.zip?token=hidden", t.TempDir())
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "hidden") || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("what is said of an address: %v", err)
	}
}

// FuzzParseRecipe looks for bytes that are taken for a recipe and break one of the
// bounds that everything after rests on.
func FuzzParseRecipe(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("name = 1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRecipe("x", b)
		if err != nil {
			return
		}
		if CheckName(r.Name) != nil || r.Rank < 1 || !(r.Alpha > 0) || len(r.Sources) == 0 {
			t.Errorf("%+v", r)
		}
		for _, s := range r.Sources {
			if !filepath.IsLocal(filepath.FromSlash(s.Folder)) || s.Terms == "" {
				t.Errorf("%+v", s)
			}
		}
	})
}

// FuzzUnpack looks for an archive that leaves anything but the two files.
func FuzzUnpack(f *testing.F) {
	c, w := [2]string{"../" + ConfigFile, "c"}, [2]string{"a/" + WeightsFile, "w"}
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("\x1f\x8b"))
	var z bytes.Buffer
	x := zip.NewWriter(&z)
	for _, file := range [][2]string{c, w} {
		if y, err := x.Create(file[0]); err == nil {
			y.Write([]byte(file[1]))
		}
	}
	x.Close()
	f.Add(z.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		root := t.TempDir()
		file, into := filepath.Join(root, "archive"), filepath.Join(root, "into")
		if os.WriteFile(file, b, 0o600) != nil || os.Mkdir(into, 0o700) != nil {
			t.Fatal("no room")
		}
		err := unpack(file, into)
		for dir, most := range map[string]int{root: 2, into: 2} {
			entries, e := os.ReadDir(dir)
			if e != nil || len(entries) > most {
				t.Errorf("%d entries in %s, %v", len(entries), dir, e)
			}
			for _, x := range entries {
				if dir == into && wanted[x.Name()] == 0 {
					t.Errorf("it left %s", x.Name())
				}
			}
			if err == nil && dir == into && len(entries) != 2 {
				t.Errorf("no error, and %d files", len(entries))
			}
		}
	})
}
