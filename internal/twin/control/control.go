// Package control keeps controls: small adapters of other writers, made by the
// recipe of a twin from as many words and on the same start. What a twin gains
// above them is what it gains for being its writer's; docs/LIKENESS.md says how.
// bench/gate makes those that come with the program. By prints of its text a control, or
// a genre, is known to be made from a writer's own.
package control

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"
)

// files are BASE/NAME-WORDS/, read from the program's own file when they are asked
// for and not before.
//
//go:embed all:files
var files embed.FS

// The files of a control.
const (
	CardFile    = "card.json"
	ConfigFile  = "adapter_config.json"
	WeightsFile = "adapter_int8.safetensors" // docs/formats/compact.md
)

// Card says whose a control is and how it was made.
type Card struct {
	Schema int    `json:"schema"` // 1
	Name   string `json:"name"`   // of the writer
	Words  int    `json:"words"`  // that it was made from, those to choose an epoch by among them
	// Writer, Origin and Terms say whose text it is, where it comes from and by what
	// terms it and what is made from it may be given away.
	Writer string `json:"writer"`
	Origin string `json:"origin"`
	Terms  string `json:"terms"`

	Base        string          `json:"base"`  // name in the catalog
	Start       string          `json:"start"` // genre that it was trained on as a layer; its adapter does not hold it
	StartSHA256 string          `json:"start_sha256"`
	Recipe      json.RawMessage `json:"recipe"`
	TrainedRank int             `json:"trained_rank"` // the recipe's; the adapter is the nearest of a smaller rank
	Epoch       int             `json:"epoch"`        // that select documents chose
	Tokens      int             `json:"train_tokens"`
	Kernel      string          `json:"kernel"`
	Arithmetic  string          `json:"arithmetic"`
	Prints      []string        `json:"prints"` // of the text, as Prints gives them, in hexadecimal
}

// Control is a control that is here.
type Control struct {
	Card
	at string // its folder among the program's files
	in fs.FS
}

// Adapter gives the bytes of its adapter's files.
func (c *Control) Adapter() (config, tensors []byte, err error) {
	if config, err = fs.ReadFile(c.in, path.Join(c.at, ConfigFile)); err == nil {
		tensors, err = fs.ReadFile(c.in, path.Join(c.at, WeightsFile))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the control %s: %w", c.Name, err)
	}
	return config, tensors, nil
}

// For gives the controls of a base whose number of words is nearest to words, one
// of each writer, by name; none for a base that has none. key is the base's name
// in the catalog.
func For(key string, words int) ([]Control, error) { return from(files, key, words) }

func from(in fs.FS, key string, words int) ([]Control, error) {
	root := path.Join("files", key)
	entries, err := fs.ReadDir(in, root)
	if errors.Is(err, fs.ErrNotExist) || key == "" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the controls: %w", err)
	}
	nearest := map[string]Control{}
	far := func(c Control) float64 {
		return math.Abs(math.Log(float64(max(c.Words, 1)) / float64(max(words, 1))))
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		c := Control{at: path.Join(root, e.Name()), in: in}
		b, err := fs.ReadFile(in, path.Join(c.at, CardFile))
		if err == nil {
			err = json.Unmarshal(b, &c.Card)
		}
		if err == nil && (c.Schema != 1 || c.Base != key || c.Name == "") {
			err = errors.New("its card is not one of this base")
		}
		if err != nil {
			return nil, fmt.Errorf("read the control %s: %w", e.Name(), err)
		}
		if was, ok := nearest[c.Name]; !ok || far(c) < far(was) {
			nearest[c.Name] = c
		}
	}
	out := make([]Control, 0, len(nearest))
	for _, c := range nearest {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Control) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
