package base

import (
	"encoding/json"
	"path"
	"strings"
	"testing"
)

func FuzzParseSource(f *testing.F) {
	for _, text := range []string{"hub:a/b@main/c.gguf", "pypi:a==1/b.gguf", "hub:a/b@../x", "file:x", "hub:a/b@main/a/../../b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !strings.HasPrefix(text, "hub:") && !strings.HasPrefix(text, "pypi:") {
			return // a path, which is looked up
		}
		s, err := ParseSource(text)
		if err != nil {
			return
		}
		if again, err := ParseSource(s.String()); err != nil || again != s {
			t.Errorf("%q is %+v, and reads back as %+v: %v", text, s, again, err)
		}
		if p := path.Join("/cache", s.File); p != "/cache" && !strings.HasPrefix(p, "/cache/") {
			t.Errorf("%q leaves its folder: %s", text, p)
		}
		dir := HubConfig{Cache: "/cache"}.repoDir(s.Repo)
		if strings.Count(dir, "/") != 2 {
			t.Errorf("%q leaves the cache: %s", text, dir)
		}
	})
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(`{"schema":1,"name":"a","from":"hub:a/b@main/c.gguf","files":[{"name":"c.gguf","size":3}]}`))
	f.Add([]byte(`{"schema":1,"name":"../a","files":[{"name":"../../c.gguf","size":-3}]}`))
	f.Add([]byte(`{"schema":1,"name":"a","folder":true,"root":"/x","files":[{"name":"a/b","size":3},{"name":"a"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRecord(data)
		if err != nil {
			return
		}
		for _, file := range r.Files {
			if p := path.Join("/cache", file.Name); !strings.HasPrefix(p, "/cache/") {
				t.Errorf("%q leaves its folder", file.Name)
			}
		}
		out, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseRecord(out)
		if err != nil {
			t.Fatalf("%s does not read back: %v", out, err)
		}
		if again.sum() != r.sum() || again.Name != r.Name || len(again.Files) != len(r.Files) {
			t.Errorf("%+v reads back as %+v", r, again)
		}
	})
}

func FuzzParseTree(f *testing.F) {
	f.Add([]byte(`[{"type":"file","path":"a.gguf","oid":"00","size":3,"lfs":{"oid":"11","size":3}},{"type":"directory","path":"b"}]`))
	f.Add([]byte(`[{"type":"file","path":"../a.gguf","size":-1}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		page, err := parseTree(data)
		if err != nil {
			return
		}
		for _, e := range page {
			if p := path.Join("/cache", e.Path); !strings.HasPrefix(p, "/cache/") || e.Size < 0 {
				t.Errorf("%+v", e)
			}
		}
	})
}

func FuzzParseProject(f *testing.F) {
	f.Add([]byte(`{"files":[{"filename":"a_b-1.0-py3-none-any.whl","url":"x","hashes":{"sha256":"` + strings.Repeat("0", 64) + `"},"size":3}]}`))
	f.Add([]byte(`{"files":[{"filename":"a_b-1.0-../../py3-none-any.whl","url":"x"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := parseProject(data, "a-b", "1.0")
		if err != nil {
			return
		}
		if strings.ContainsAny(file.Filename, `/\`) || !isSHA256(file.Hashes["sha256"]) || file.Size < 0 {
			t.Errorf("%+v", file)
		}
	})
}

func FuzzHeaders(f *testing.F) {
	f.Add("bytes 5-9/10", `<https://x.test/y?cursor=a>; rel="next"`)
	f.Add("bytes 5-9/*", "<>;")
	f.Fuzz(func(t *testing.T, rng, link string) {
		if from, of, ok := parseRange(rng); ok && (from < 0 || of >= 0 && of <= from) {
			t.Errorf("%q: %d of %d", rng, from, of)
		}
		if next, ok := nextPage(link); ok && !strings.Contains(link, next) {
			t.Errorf("%q: %q", link, next)
		}
	})
}
