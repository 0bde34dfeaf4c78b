package twin

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/getstroke/stroke/internal/engine"
	"github.com/getstroke/stroke/internal/lora"
)

const (
	// prefixesDir is the folder below Home with what the base computed of the
	// passages before the texts asked for last: asked again for the same opening, a
	// twin begins to write at once.
	prefixesDir = "prefixes"
	// prefixesKept is how many there are at the most; one of 1,400 tokens takes 33
	// MB with a base of 135 million weights.
	prefixesKept = 3
	// prefixLeast is how many tokens are worth it.
	prefixLeast = 256
)

// prefix names the tokens before a text, and the file for what was computed of
// them; ok is false where none is kept.
func (v *Voice) prefix(tokens []int32, use []lora.Applied) (path string, p engine.Prefix, ok bool) {
	if !v.keep || len(tokens) < prefixLeast || v.learnt != nil && v.learnt.tuned != nil {
		return "", p, false
	}
	home, err := Home()
	if err != nil {
		return "", p, false
	}
	source := v.b.model.Source.Path
	info, err := os.Stat(source)
	if err != nil {
		return "", p, false
	}
	o := &v.options
	base := sha256.Sum256(fmt.Appendf(nil, "%s, %d bytes of %d", source, info.Size(), info.ModTime().UnixNano())) // no path stands in the file
	p = engine.Prefix{Tokens: tokens, Adapters: use, Base: hex.EncodeToString(base[:])}
	key := fmt.Appendf(nil, "%s %s %s %s", p.Base, o.Arithmetic, o.Reading, o.KV)
	if len(use) > 0 {
		p.Adapter = v.Version.ID
		key = binary.LittleEndian.AppendUint32(append(key, p.Adapter...), math.Float32bits(use[0].Strength))
	}
	for _, t := range tokens {
		key = binary.LittleEndian.AppendUint32(key, uint32(t))
	}
	sum := sha256.Sum256(key)
	return filepath.Join(home, prefixesDir, hex.EncodeToString(sum[:12])), p, true
}

// recall loads what was kept of the tokens before a text. A file that cannot be
// used is as good as none: it will be written anew.
func (v *Voice) recall(ctx context.Context, tokens []int32, use []lora.Applied) bool {
	path, p, ok := v.prefix(tokens, use)
	if !ok || path == v.kept {
		return ok // they are in the engine's pages still
	}
	if _, err := v.engine.LoadPrefix(ctx, path, p); err != nil {
		return false
	}
	v.kept = path
	now := time.Now()
	return os.Chtimes(path, now, now) == nil
}

// remember keeps what was computed of the tokens before a text, and no more than
// prefixesKept of such files. Where it cannot, only time is lost.
func (v *Voice) remember(ctx context.Context, tokens []int32, use []lora.Applied) {
	path, p, ok := v.prefix(tokens, use)
	if !ok || path == v.kept || os.MkdirAll(filepath.Dir(path), 0o700) != nil || v.engine.SavePrefix(ctx, path, p) != nil {
		return
	}
	v.kept = path
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	type file struct {
		path string
		used time.Time
	}
	var files []file
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			files = append(files, file{filepath.Join(filepath.Dir(path), e.Name()), info.ModTime()})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return b.used.Compare(a.used) })
	for _, f := range files[min(prefixesKept, len(files)):] {
		os.Remove(f.path)
	}
}

// forgetPrefixes deletes all that was kept: the passages of a twin that is
// deleted can be read from it.
func forgetPrefixes() error {
	home, err := Home()
	if err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(home, prefixesDir))
}
