package lora

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getstroke/stroke/internal/tensor"
	"github.com/getstroke/stroke/internal/weights"
)

// The files of a PEFT adapter.
const (
	ConfigFile  = "adapter_config.json"
	WeightsFile = "adapter_model.safetensors"
)

// Config is what adapter_config.json says, as PEFT 0.21 writes it. Fields that
// Stroke has no use for are kept and written again.
type Config struct {
	BaseModel string
	Rank      int
	Alpha     float64
	RSLoRA    bool
	Dropout   float64
	Targets   []string // module names, sorted

	ranks, alphas map[string]float64 // rank_pattern and alpha_pattern
	raw           map[string]any
}

// NewConfig is the config of an adapter made with o on the named base.
func NewConfig(o Options, base string) Config {
	c := Config{BaseModel: base, Rank: o.Rank, Alpha: o.Alpha, RSLoRA: o.RSLoRA, Dropout: float64(o.Dropout)}
	for _, m := range o.Targets {
		c.Targets = append(c.Targets, m.String())
	}
	slices.Sort(c.Targets)
	return c
}

// defaults are the fields that PEFT writes for a plain LoRA adapter.
func defaults() map[string]any {
	return map[string]any{
		"alpha_pattern": map[string]any{}, "auto_mapping": nil, "bias": "none", "fan_in_fan_out": false, "inference_mode": true,
		"init_lora_weights": true, "layers_pattern": nil, "layers_to_transform": nil, "modules_to_save": nil, "peft_type": "LORA",
		"rank_pattern": map[string]any{}, "revision": nil, "task_type": "CAUSAL_LM", "use_dora": false,
	}
}

// MarshalJSON writes the config with sorted keys.
func (c Config) MarshalJSON() ([]byte, error) {
	m := defaults()
	for k, v := range c.raw {
		m[k] = v
	}
	m["base_model_name_or_path"], m["r"], m["lora_alpha"] = c.BaseModel, c.Rank, c.Alpha
	m["use_rslora"], m["lora_dropout"], m["target_modules"] = c.RSLoRA, c.Dropout, c.Targets
	return json.Marshal(m)
}

// UnmarshalJSON reads a config and refuses what Stroke cannot do.
func (c *Config) UnmarshalJSON(b []byte) error {
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	var k struct {
		Type     string             `json:"peft_type"`
		Base     string             `json:"base_model_name_or_path"`
		Rank     int                `json:"r"`
		Alpha    *float64           `json:"lora_alpha"`
		RSLoRA   bool               `json:"use_rslora"`
		Dropout  float64            `json:"lora_dropout"`
		Targets  any                `json:"target_modules"`
		Ranks    map[string]float64 `json:"rank_pattern"`
		Alphas   map[string]float64 `json:"alpha_pattern"`
		Bias     string             `json:"bias"`
		DoRA     bool               `json:"use_dora"`
		LoraBias bool               `json:"lora_bias"`
		Fan      bool               `json:"fan_in_fan_out"`
		Save     []string           `json:"modules_to_save"`
		Tokens   any                `json:"trainable_token_indices"`
		Params   any                `json:"target_parameters"`
		ALoRA    any                `json:"alora_invocation_tokens"`
		QALoRA   bool               `json:"use_qalora"`
	}
	if err := json.Unmarshal(b, &k); err != nil {
		return err
	}
	for _, x := range []struct {
		bad  bool
		what string
	}{
		{k.Type != "LORA", fmt.Sprintf("it is of the type %q, and only LORA can be read", k.Type)},
		{k.Rank < 1 || k.Rank > maxRank, fmt.Sprintf("its rank is %d", k.Rank)},
		{k.Bias != "" && k.Bias != "none" || k.LoraBias, "it trains biases, which is not supported"},
		{k.DoRA, "it is a DoRA adapter, which is not supported"},
		{k.QALoRA, "it is a QALoRA adapter, which is not supported"},
		{k.Fan, "its factors are transposed (fan_in_fan_out), which is not supported"},
		{len(k.Save) > 0, fmt.Sprintf("it replaces whole modules (%v), which is not supported", k.Save)},
		{k.Tokens != nil || k.Params != nil || k.ALoRA != nil, "it trains more than linears, which is not supported"},
		{!(k.Dropout >= 0 && k.Dropout < 1), fmt.Sprintf("its dropout is %g", k.Dropout)},
	} {
		if x.bad {
			return errors.New(x.what)
		}
	}
	*c = Config{BaseModel: k.Base, Rank: k.Rank, RSLoRA: k.RSLoRA, Dropout: k.Dropout, ranks: k.Ranks, alphas: k.Alphas, raw: m, Alpha: 8}
	if k.Alpha != nil {
		c.Alpha = *k.Alpha
	}
	if !(math.Abs(c.Alpha) <= maxAlpha) {
		return fmt.Errorf("its alpha is %g", c.Alpha)
	}
	switch t := k.Targets.(type) {
	case nil:
	case string:
		c.Targets = []string{t}
	case []any:
		for _, x := range t {
			s, ok := x.(string)
			if !ok {
				return errors.New("its target_modules are no names")
			}
			c.Targets = append(c.Targets, s)
		}
		slices.Sort(c.Targets)
	default:
		return errors.New("its target_modules are no names")
	}
	return nil
}

// Bounds on what an adapter may claim.
const (
	maxRank  = 4096
	maxAlpha = 1e6
)

// Pair is a low-rank pair as PEFT keeps it.
type Pair struct {
	Layer         int
	Module        string // "q_proj" …
	Rank, In, Out int
	Scale         float32
	A             []float32 // [Rank, In]
	B             []float32 // [Out, Rank]
}

// File is an adapter as PEFT writes it.
type File struct {
	Config Config
	Pairs  []Pair // by layer, and in a layer in the order q, k, v, o, gate, up, down
}

// ReadError says why an adapter cannot be read.
type ReadError struct {
	Dir string
	Msg string
}

func (e *ReadError) Error() string { return "the adapter in " + e.Dir + " cannot be used: " + e.Msg }

// Hint says what can.
func (e *ReadError) Hint() string {
	return "use a LoRA adapter as PEFT saves it: adapter_config.json and adapter_model.safetensors, on the linears of a decoder"
}

var pairName = regexp.MustCompile(`^base_model\.model\.model\.layers\.([0-9]{1,4})\.(self_attn|mlp)\.([a-z_]+)\.lora_([AB])(?:\.default)?\.weight$`)

// ReadDir reads the adapter in dir. What it finds wrong is a ReadError.
func ReadDir(dir string) (*File, error) {
	bad := func(format string, args ...any) error {
		return &ReadError{Dir: dir, Msg: fmt.Sprintf(format, args...)}
	}
	b, err := os.ReadFile(filepath.Join(dir, ConfigFile))
	if err != nil {
		return nil, fmt.Errorf("read adapter: %w", err)
	}
	f := &File{}
	if err := json.Unmarshal(b, &f.Config); err != nil {
		return nil, bad("%v", err)
	}
	s, err := weights.OpenSafetensors(filepath.Join(dir, WeightsFile))
	if err != nil {
		return nil, fmt.Errorf("read adapter: %w", err)
	}
	defer s.Close()
	err = weights.Guard(func() error {
		f.Pairs, err = readPairs(&f.Config, s, bad)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

type place struct {
	layer  int
	module Module
}

func readPairs(c *Config, s *weights.Safetensors, bad func(string, ...any) error) ([]Pair, error) {
	halves := map[place][2]*weights.Tensor{}
	for _, name := range s.Names {
		t := s.Tensors[name]
		x := pairName.FindStringSubmatch(name)
		if x == nil {
			return nil, bad("it has the weight %q, for which there is no place", name)
		}
		layer, err := strconv.Atoi(x[1])
		if err != nil {
			return nil, bad("it has the weight %q, for which there is no place", name)
		}
		m, err := ParseModule(x[3])
		if err != nil || (x[2] == "self_attn") != (m <= OProj) {
			return nil, bad("it has the weight %q, for which there is no place", name)
		}
		if len(t.Shape) != 2 || t.Shape[0] == 0 || t.Shape[1] == 0 {
			return nil, bad("the weight %q has the shape %v", name, t.Shape)
		}
		h := halves[place{layer, m}]
		half := 0
		if x[4] == "B" {
			half = 1
		}
		if h[half] != nil {
			return nil, bad("the weight %q comes twice", name)
		}
		h[half] = &t
		halves[place{layer, m}] = h
	}
	if len(halves) == 0 {
		return nil, bad("it has no weights")
	}
	var places []place
	for p := range halves {
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b place) int {
		if a.layer != b.layer {
			return a.layer - b.layer
		}
		return int(a.module - b.module)
	})
	var pairs []Pair
	for _, p := range places {
		a, b := halves[p][0], halves[p][1]
		if a == nil || b == nil {
			return nil, bad("one half of %s in layer %d is missing", p.module, p.layer)
		}
		q := Pair{Layer: p.layer, Module: p.module.String(), Rank: a.Shape[0], In: a.Shape[1], Out: b.Shape[0]}
		if b.Shape[1] != q.Rank || q.Rank > maxRank {
			return nil, bad("the factors of %s in layer %d have the shapes %v and %v", p.module, p.layer, a.Shape, b.Shape)
		}
		rank, alpha := c.at(p)
		if rank != q.Rank {
			return nil, bad("%s in layer %d has rank %d where the config says %d", p.module, p.layer, q.Rank, rank)
		}
		q.Scale = Options{Rank: rank, Alpha: alpha, RSLoRA: c.RSLoRA}.Scale()
		for i, t := range []*weights.Tensor{a, b} {
			v := make([]float32, t.Elements())
			m := tensor.NewMatrix(t.Name, t.DType, 1, len(v), t.Data)
			m.WidenRow(v, 0)
			for _, x := range v {
				if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
					return nil, bad("a number of %s in layer %d is not finite", p.module, p.layer)
				}
			}
			if i == 0 {
				q.A = v
			} else {
				q.B = v
			}
		}
		pairs = append(pairs, q)
	}
	return pairs, nil
}

// at is the rank and alpha of a linear: the patterns name modules by the end of
// their path, as PEFT matches them.
func (c *Config) at(p place) (rank int, alpha float64) {
	block := "mlp"
	if p.module <= OProj {
		block = "self_attn"
	}
	path := fmt.Sprintf("model.layers.%d.%s.%s", p.layer, block, p.module)
	match := func(patterns map[string]float64, def float64) float64 {
		for k, v := range patterns {
			if path == k || strings.HasSuffix(path, "."+k) {
				return v
			}
		}
		return def
	}
	return int(match(c.ranks, float64(c.Rank))), match(c.alphas, c.Alpha)
}

// WriteDir writes the adapter into dir, which must exist, with weights of the
// given type: F16, BF16 or F32. Equal adapters give equal bytes, and what ReadDir
// reads is written again with the same bytes. Files are synced; a value that
// does not fit the type is an error that wraps tensor.ErrRange.
func WriteDir(dir string, f *File, t tensor.DType) error {
	config, err := json.MarshalIndent(f.Config, "", "  ")
	if err != nil {
		return fmt.Errorf("write adapter: %w", err)
	}
	var tensors []weights.Tensor
	for i := range f.Pairs {
		p := &f.Pairs[i]
		m, err := ParseModule(p.Module)
		if err != nil {
			return fmt.Errorf("write adapter: %w", err)
		}
		block := "mlp"
		if m <= OProj {
			block = "self_attn"
		}
		for _, half := range []struct {
			name  string
			shape []int
			data  []float32
		}{{"lora_A", []int{p.Rank, p.In}, p.A}, {"lora_B", []int{p.Out, p.Rank}, p.B}} {
			x := weights.Tensor{Name: fmt.Sprintf("base_model.model.model.layers.%d.%s.%s.%s.weight", p.Layer, block, p.Module, half.name),
				DType: t, Shape: half.shape, Data: make([]byte, t.RowBytes(len(half.data)))}
			if err := tensor.Narrow(x.Data, half.data, t); err != nil {
				return fmt.Errorf("write adapter: %s: %w", x.Name, err)
			}
			tensors = append(tensors, x)
		}
	}
	if err := writeFile(filepath.Join(dir, ConfigFile), func(w *os.File) error {
		_, err := w.Write(append(config, '\n'))
		return err
	}); err != nil {
		return fmt.Errorf("write adapter: %w", err)
	}
	if err := writeFile(filepath.Join(dir, WeightsFile), func(w *os.File) error {
		return weights.WriteSafetensors(w, tensors, map[string]string{"format": "pt"})
	}); err != nil {
		return fmt.Errorf("write adapter: %w", err)
	}
	return nil
}

// writeFile writes and syncs a file, and removes it where that fails.
func writeFile(path string, fill func(*os.File) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(path)
	}
	return err
}
