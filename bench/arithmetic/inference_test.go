package main

import "testing"

// TestDir keeps twins apart that were made otherwise, and samples of other lengths.
func TestDir(t *testing.T) {
	was := reader{home: "home", base: "b", words: 5000, trained: "f32"}
	seen := map[string]string{was.dir("lynch", 1): "nothing"}
	for name, change := range map[string]func(*reader){
		"base": func(in *reader) { in.base = "c" }, "words": func(in *reader) { in.words = 500 },
		"arithmetic": func(in *reader) { in.trained = "bf16" }, "genre": func(in *reader) { in.genre = "none" },
	} {
		in := was
		change(&in)
		dir := in.dir("lynch", 1)
		if other := seen[dir]; other != "" {
			t.Errorf("with another %s and with another %s it is %s", name, other, dir)
		}
		seen[dir] = name
		if (in.folder("lynch") == was.folder("lynch")) != (in.words == was.words) {
			t.Errorf("with another %s the sample is in %s, and was in %s", name, in.folder("lynch"), was.folder("lynch"))
		}
	}
	if was.dir("lynch", 1) == was.dir("lynch", 2) || was.dir("lynch", 1) == was.dir("wodehouse", 1) {
		t.Error("seeds or writers have one folder")
	}
}
