package lora

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Config is what adapter_config.json says, as PEFT 0.21 writes it. Fields that
// Stroke has no use for are kept and written again; those that change what an
// adapter does and are not supported are refused.
type Config struct {
	BaseModel string // empty for null
	Rank      int    // of the linears that rank_pattern does not name
	Alpha     float64
	RSLoRA    bool
	Dropout   float64
	Targets   []string // module names or ends of their paths, sorted

	// TargetPattern is target_modules where that is one text, a regular expression
	// or all-linear, and not a list.
	TargetPattern string

	ranks, alphas []pattern // rank_pattern and alpha_pattern, in their order
	raw           map[string]json.RawMessage
}

// MaxAlpha is the largest alpha, either way, that an adapter may have, and MaxRank
// the largest rank.
const (
	MaxAlpha = 1e6
	MaxRank  = 4096
)

// Bounds on what an adapter may claim.
const (
	maxPatterns = 1 << 16
	maxRegexps  = 64
	maxKey      = 1000 // bytes
)

// NewConfig is the config of an adapter made with o on the named base.
func NewConfig(o Options, base string) Config {
	c := Config{BaseModel: base, Rank: o.Rank, Alpha: o.Alpha, RSLoRA: o.RSLoRA}
	// .05 in float32 is .05 in the file, and not .05000000074505806.
	c.Dropout, _ = strconv.ParseFloat(strconv.FormatFloat(float64(o.Dropout), 'g', -1, 32), 64)
	targets := o.Targets
	if len(targets) == 0 {
		targets = AllModules()
	}
	for _, m := range targets {
		c.Targets = append(c.Targets, m.String())
	}
	slices.Sort(c.Targets)
	return c
}

// fit makes the config say what the pairs are, for a base of the given number of
// layers: ranks and alphas that differ from the usual go into the patterns, and
// where not every layer has a linear, each pair is a target by its path.
func (c *Config) fit(pairs []Pair, layers int) {
	ranks, alphas := map[string]int{}, map[string]float64{}
	count := map[string]int{}
	var paths []string
	for i := range pairs {
		p := &pairs[i]
		path := strings.TrimPrefix(place{p.Layer, module(p.Module)}.path(), "model.")
		paths = append(paths, path)
		count[p.Module]++
		if p.Rank != c.Rank {
			ranks[path] = p.Rank
		}
		if (Options{Rank: p.Rank, Alpha: c.Alpha, RSLoRA: c.RSLoRA}).Scale() != p.Scale {
			per := float64(p.Rank)
			if c.RSLoRA {
				per = math.Sqrt(per)
			}
			alphas[path] = float64(p.Scale) * per
		}
	}
	c.Targets = nil
	for name := range count {
		c.Targets = append(c.Targets, name)
	}
	for _, n := range count {
		if n != layers {
			c.Targets = paths
		}
	}
	slices.Sort(c.Targets)
	c.setPatterns(ranks, alphas)
}

func (c *Config) setPatterns(ranks map[string]int, alphas map[string]float64) {
	// Numbers and names of modules are always JSON.
	r, _ := json.Marshal(ranks)
	a, _ := json.Marshal(alphas)
	c.raw = map[string]json.RawMessage{"rank_pattern": r, "alpha_pattern": a}
	c.ranks, c.alphas = nil, nil
	for k, v := range ranks {
		c.ranks = append(c.ranks, pattern{key: k, value: float64(v)})
	}
	for k, v := range alphas {
		c.alphas = append(c.alphas, pattern{key: k, value: v})
	}
}

// defaults are the fields that PEFT writes for a plain LoRA adapter and that
// every version of it knows: of one that it does not know it warns.
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
	m["r"], m["lora_alpha"], m["use_rslora"], m["lora_dropout"] = c.Rank, c.Alpha, c.RSLoRA, c.Dropout
	m["base_model_name_or_path"], m["target_modules"] = nil, nil
	if c.BaseModel != "" {
		m["base_model_name_or_path"] = c.BaseModel
	}
	if c.TargetPattern != "" {
		m["target_modules"] = c.TargetPattern
	} else if c.Targets != nil {
		m["target_modules"] = c.Targets
	}
	return json.Marshal(m)
}

// unsupported are the fields of PEFT that, when set, make an adapter something
// other than low-rank pairs beside linears.
var unsupported = []struct{ field, name string }{
	{"use_dora", "DoRA"}, {"use_qalora", "QALoRA"}, {"use_bdlora", "BD-LoRA"}, {"lora_bias", "biases"},
	{"fan_in_fan_out", "transposed weights"}, {"modules_to_save", "whole modules replaced"},
	{"trainable_token_indices", "trained tokens"}, {"target_parameters", "adapted parameters"},
	{"alora_invocation_tokens", "aLoRA"}, {"layer_replication", "replicated layers"}, {"megatron_config", "Megatron"},
	{"arrow_config", "Arrow"}, {"kasa_config", "KaSA"}, {"monteclora_config", "MonteCLoRA"},
}

// plainStarts are the values of init_lora_weights after which the base is as it
// was; PiSSA, OLoRA, CorDA, LoftQ and others take their start out of the base.
var plainStarts = []string{"", "true", "false", "null", `"gaussian"`, `"eva"`, `"orthogonal"`}

// UnmarshalJSON reads a config and refuses what Stroke cannot do, by its name.
func (c *Config) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	next := Config{Alpha: 8, raw: raw} // PEFT's default
	var kind, bias string
	var targets any
	for _, x := range []struct {
		field string
		into  any
	}{
		{"peft_type", &kind}, {"r", &next.Rank}, {"lora_alpha", &next.Alpha}, {"use_rslora", &next.RSLoRA}, {"lora_dropout", &next.Dropout},
		{"base_model_name_or_path", &next.BaseModel}, {"bias", &bias}, {"target_modules", &targets},
	} {
		if v, ok := raw[x.field]; ok {
			if err := json.Unmarshal(v, x.into); err != nil {
				return fmt.Errorf("its %s cannot be read: %w", x.field, err)
			}
		}
	}
	if kind != "LORA" {
		return fmt.Errorf("it is of the type %q, and only LORA can be read", kind)
	}
	if err := next.bounds(); err != nil {
		return err
	}
	if bias != "" && bias != "none" {
		return fmt.Errorf("it has biases (bias is %q), which is not supported", bias)
	}
	for _, x := range unsupported {
		if isSet(raw[x.field]) {
			return fmt.Errorf("it has %s (%s), which is not supported", x.name, x.field)
		}
	}
	for field, v := range raw {
		if strings.HasPrefix(field, "use_") && field != "use_rslora" && isSet(v) {
			return fmt.Errorf("it has %s, which is not known", field)
		}
	}
	if start := string(raw["init_lora_weights"]); !slices.Contains(plainStarts, start) {
		return fmt.Errorf("its start was taken out of the base (init_lora_weights is %s), which is not supported: PEFT can convert it when it saves", start)
	}
	switch t := targets.(type) {
	case nil:
	case string:
		next.TargetPattern = t
	case []any:
		next.Targets = make([]string, 0, len(t))
		for _, x := range t {
			s, ok := x.(string)
			if !ok {
				return errors.New("its target_modules are no names")
			}
			next.Targets = append(next.Targets, s)
		}
		slices.Sort(next.Targets)
	default:
		return errors.New("its target_modules are no names")
	}
	var err error
	if next.ranks, err = patterns(raw["rank_pattern"]); err != nil {
		return fmt.Errorf("its rank_pattern: %w", err)
	}
	if next.alphas, err = patterns(raw["alpha_pattern"]); err != nil {
		return fmt.Errorf("its alpha_pattern: %w", err)
	}
	*c = next
	return nil
}

// bounds says with an error which number of the config no adapter may have.
func (c *Config) bounds() error {
	switch {
	case c.Rank < 1 || c.Rank > MaxRank:
		return fmt.Errorf("its rank is %d, and it must be from 1 to %d", c.Rank, MaxRank)
	case !(math.Abs(c.Alpha) <= MaxAlpha):
		return fmt.Errorf("its alpha is %g, and it must be from %g to %g", c.Alpha, -MaxAlpha, MaxAlpha)
	case !(c.Dropout >= 0 && c.Dropout < 1):
		return fmt.Errorf("its dropout is %g, and it must be at least 0 and below 1", c.Dropout)
	}
	return nil
}

// layerPath is a part of the path of a linear that says of which layer it is.
var layerPath = regexp.MustCompile(`(^|\.)layers\.[0-9]+\.`)

// NamesLayers says whether the config names the layers that it is of, so that others are
// left alone and not missing: by layers_to_transform, or by paths as targets.
func (c *Config) NamesLayers() bool {
	switch string(c.raw["layers_to_transform"]) {
	case "", "null", "[]":
		return slices.ContainsFunc(c.Targets, layerPath.MatchString)
	}
	return true
}

// isSet says whether a JSON value is something: not null, false, zero or empty.
func isSet(v json.RawMessage) bool {
	switch string(v) {
	case "", "null", "false", "0", "0.0", `""`:
		return false
	}
	var b bytes.Buffer
	return json.Compact(&b, v) != nil || b.String() != "[]" && b.String() != "{}"
}

// pattern is an entry of rank_pattern or alpha_pattern: the end of the path of a
// linear, as a regular expression.
type pattern struct {
	key   string
	re    *regexp.Regexp // nil where key has nothing of an expression but dots
	value float64
}

// patterns reads a JSON object in its order, which PEFT follows: the first entry
// that matches holds.
func patterns(v json.RawMessage) ([]pattern, error) {
	var values map[string]float64
	if err := json.Unmarshal(v, &values); len(v) > 0 && err != nil {
		return nil, err
	}
	if len(values) > maxPatterns {
		return nil, fmt.Errorf("it has %d entries", len(values))
	}
	if len(values) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(v))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var list []pattern
	regexps := 0
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		p := pattern{}
		p.key, _ = t.(string)
		if err := d.Decode(&p.value); err != nil {
			return nil, err
		}
		if len(p.key) > maxKey {
			return nil, fmt.Errorf("it has an expression of %d bytes", len(p.key))
		}
		if strings.ContainsAny(p.key, `\+*?()|[]{}^$`) {
			if regexps++; regexps > maxRegexps {
				return nil, fmt.Errorf("it has more than %d regular expressions", maxRegexps)
			}
			if p.re, err = regexp.Compile(`^(?:.*\.)?(?:` + p.key + `)$`); err != nil {
				return nil, fmt.Errorf("the expression %q cannot be read: %w", p.key, err)
			}
		}
		list = append(list, p)
	}
	return list, nil
}

// match says whether the pattern names the linear at path.
func (p *pattern) match(path string) bool {
	if p.re != nil {
		return p.re.MatchString(path)
	}
	at := len(path) - len(p.key)
	if at < 0 || at > 0 && path[at-1] != '.' {
		return false
	}
	for i := range len(p.key) {
		if p.key[i] != '.' && p.key[i] != path[at+i] {
			return false
		}
	}
	return true
}

// at is the rank and the alpha of a linear.
func (c *Config) at(p place) (rank, alpha float64) {
	path := p.path()
	find := func(list []pattern, usual float64) float64 {
		for i := range list {
			if list[i].match(path) {
				return list[i].value
			}
		}
		return usual
	}
	return find(c.ranks, float64(c.Rank)), find(c.alphas, c.Alpha)
}

// targeted says whether target_modules, where it is a list, names the linear.
func (c *Config) targeted(p place) bool {
	if c.Targets == nil {
		return true
	}
	path := p.path()
	for _, t := range c.Targets {
		if path == t || strings.HasSuffix(path, "."+t) {
			return true
		}
	}
	return false
}

// check says with an error why a pair is not what the config says, and gives
// the pair's scale.
func (c *Config) check(p *Pair) (scale float32, err error) {
	at := place{p.Layer, module(p.Module)}
	rank, alpha := c.at(at)
	if rank != float64(p.Rank) {
		return 0, fmt.Errorf("%s in layer %d has rank %d where the config says %g", p.Module, p.Layer, p.Rank, rank)
	}
	if !(math.Abs(alpha) <= MaxAlpha) {
		return 0, fmt.Errorf("the alpha of %s in layer %d is %g, and it must be from %g to %g", p.Module, p.Layer, alpha, -MaxAlpha, MaxAlpha)
	}
	if !c.targeted(at) {
		return 0, fmt.Errorf("it has weights for %s in layer %d, which its target_modules do not name", p.Module, p.Layer)
	}
	return Options{Rank: p.Rank, Alpha: alpha, RSLoRA: c.RSLoRA}.Scale(), nil
}

// place is a linear of a layer.
type place struct {
	layer  int
	module Module
}

// path is the linear's name in a Hugging Face model.
func (p place) path() string {
	block := "mlp"
	if p.module <= OProj {
		block = "self_attn"
	}
	return fmt.Sprintf("model.layers.%d.%s.%s", p.layer, block, p.module)
}

// module is the module of a name that is known to be one.
func module(name string) Module {
	m, err := ParseModule(name)
	if err != nil {
		panic("lora: " + err.Error())
	}
	return m
}
