"""Makes a toy model of each architecture and the dumps that the golden test reads.

    python make.py            (torch 2.15.0, transformers 5.23.0, peft 0.21.2)

Each folder is named as Hugging Face's model_type and holds:

    config.json, model.safetensors   as save_pretrained writes them, f32
    lora/                            PEFT adapter: r 4, alpha 8, all seven linears, A and B random
    variants/*/config.json           other settings for the same weights; "older" says the same with the keys
                                     of transformers 4
    dump.json, dump.safetensors      what PyTorch computes in f64, rounded once at the end to f32

dump.json holds the sequences, the recipe and the scalars. In dump.safetensors
are logits/N of sequence N with the adapter, none/logits of the longest without
it, VARIANT/logits of the longest under other settings with the adapter,
grad/NAME and final/NAME: the adapter's gradients and its weights after ten steps.
"""

import json
import math
import os
import shutil

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.gemma3 import modeling_gemma3 as gemma3
from transformers.models.mistral import modeling_mistral as mistral
from transformers.models.qwen2 import modeling_qwen2 as qwen2
from transformers.models.qwen3 import modeling_qwen3 as qwen3
from transformers.models.smollm3 import modeling_smollm3 as smollm3

HERE = os.path.dirname(os.path.abspath(__file__))
torch.set_num_threads(1)
VOCAB = 64
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


# transformers computes RMSNorm and the RoPE table in f32 whatever the dtype of
# the model. A reference in f64 has to do them in f64 as well; for a model in f32
# these functions are what transformers does.
def norm_forward(self, x):
    return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))


def gemma_norm_forward(self, x):
    return self._norm(x) * (1.0 + self.weight)


def table(x, position_ids, inv_freq, scaling):
    angle = position_ids[..., None].to(x.dtype) * inv_freq.to(x.dtype)
    angle = torch.cat((angle, angle), dim=-1)
    return angle.cos() * scaling, angle.sin() * scaling


def rope_forward(self, x, position_ids):
    return table(x, position_ids, self.inv_freq, self.attention_scaling)


def gemma_rope_forward(self, x, position_ids, layer_type):
    return table(x, position_ids, getattr(self, f"{layer_type}_inv_freq"),
                 getattr(self, f"{layer_type}_attention_scaling"))


for module, prefix in ((qwen2, "Qwen2"), (qwen3, "Qwen3"), (smollm3, "SmolLM3"), (mistral, "Mistral")):
    getattr(module, prefix + "RMSNorm").forward = norm_forward
    getattr(module, prefix + "RotaryEmbedding").forward = rope_forward
gemma3.Gemma3RMSNorm.forward = gemma_norm_forward
gemma3.Gemma3RotaryEmbedding.forward = gemma_rope_forward


def rope(theta, **scaling):
    return {"rope_theta": theta, "rope_type": "default", **scaling}


COMMON = dict(
    vocab_size=VOCAB, hidden_size=32, intermediate_size=24, num_hidden_layers=3, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
    pad_token_id=0, tie_word_embeddings=False, rope_parameters=rope(10000.0),
)


def older(c):
    """config.json with the keys of transformers 4, which most folders have."""
    r = c.pop("rope_parameters")
    if "full_attention" in r:
        full = r["full_attention"]
        c["rope_theta"], c["rope_local_base_freq"] = full.pop("rope_theta"), r["sliding_attention"]["rope_theta"]
    else:
        full = r
        c["rope_theta"] = r.pop("rope_theta")
    c["rope_scaling"] = None if full["rope_type"] == "default" else full
    c["torch_dtype"] = c.pop("dtype")
    c["transformers_version"] = "4.52.0"
    c.pop("layer_types", None)
    return c


# model_type: settings, and variants as functions of config.json. A head is 8
# wide throughout: in qwen3 and gemma3 that is not hidden_size / heads.
MODELS = {
    "qwen2": (dict(), {
        "sliding": lambda c: c | dict(use_sliding_window=True, sliding_window=8, max_window_layers=1,
                                      layer_types=["full_attention", "sliding_attention", "sliding_attention"]),
        "sliding-older": lambda c: older(c) | dict(use_sliding_window=True, sliding_window=8, max_window_layers=1),
        "yarn": lambda c: c | dict(rope_parameters=rope(10000.0) | dict(
            rope_type="yarn", factor=4.0, original_max_position_embeddings=16)),
    }),
    "qwen3": (dict(num_attention_heads=8, head_dim=8, tie_word_embeddings=True), {
        "older": older,
    }),
    "gemma3_text": (dict(
        num_hidden_layers=6, num_attention_heads=2, num_key_value_heads=1, head_dim=8, query_pre_attn_scalar=12,
        sliding_window=8, tie_word_embeddings=True, hidden_activation="gelu_pytorch_tanh",
        rope_parameters={"full_attention": dict(rope_type="linear", rope_theta=10000.0, factor=4.0),
                         "sliding_attention": dict(rope_type="default", rope_theta=500.0)}), {
        "older": lambda c: older(c) | dict(sliding_window_pattern=6),
        "mixed": lambda c: c | dict(layer_types=["full_attention", "sliding_attention"] * 3),
    }),
    "smollm3": (dict(num_hidden_layers=4, tie_word_embeddings=True, rope_parameters=rope(50000.0)), {
        "nope": lambda c: c | dict(no_rope_layers=[1, 0, 0, 1]),
        "sliding-older": lambda c: older(c) | dict(use_sliding_window=True, sliding_window=8, no_rope_layers=None,
                                                   no_rope_layer_interval=2),
    }),
    "mistral": (dict(head_dim=8, sliding_window=8), {
        "full": lambda c: c | dict(sliding_window=None),
        "older": older,
    }),
}


def write_json(path, value):
    with open(path, "w") as f:
        json.dump(value, f, indent=1, sort_keys=True)
        f.write("\n")


class Maker:
    def __init__(self, name, settings, variants):
        self.name, self.settings, self.variants = name, settings, variants
        self.rng = np.random.Generator(np.random.PCG64(list(name.encode())))
        self.out = {}

    def normal(self, shape, scale, mean=0.0):
        return torch.from_numpy(self.rng.standard_normal(tuple(shape)) * scale + mean)

    def fill(self, model):
        """Random weights: N(0, 0.25) embeddings, N(0, 0.2) linears and biases, norms near 1."""
        one = 0.0 if self.name == "gemma3_text" else 1.0  # Gemma's norms are kept less one
        with torch.no_grad():
            for name, p in sorted(model.named_parameters()):
                if "norm" in name:
                    p.copy_(self.normal(p.shape, 0.15, one))
                elif "embed_tokens" in name:
                    p.copy_(self.normal(p.shape, 0.25))
                else:
                    p.copy_(self.normal(p.shape, 0.2))

    def make(self):
        os.chdir(HERE)
        shutil.rmtree(self.name, ignore_errors=True)
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(self.name, **COMMON | self.settings))
        self.fill(model)
        model.to(torch.float32).save_pretrained(self.name)
        os.chdir(self.name)
        os.remove("generation_config.json")
        for variant, change in self.variants.items():
            os.makedirs(os.path.join("variants", variant))
            with open("config.json") as f:
                c = json.load(f)
            write_json(os.path.join("variants", variant, "config.json"), change(c))
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(".", dtype=torch.float32), LoraConfig(
            r=4, lora_alpha=8, target_modules=LINEARS, task_type="CAUSAL_LM"))
        with torch.no_grad():
            for name, p in sorted(model.named_parameters()):
                if "lora_" in name:
                    p.copy_(self.normal(p.shape, 0.1))
        model.save_pretrained("lora")
        os.remove("lora/README.md")
        with open("lora/adapter_config.json") as f:
            c = json.load(f)
        c["target_modules"].sort()  # a set in PEFT: its order changes from run to run
        write_json("lora/adapter_config.json", c)

    def load(self, config=".", adapter="lora"):
        model = AutoModelForCausalLM.from_pretrained(
            ".", config=AutoConfig.from_pretrained(config), dtype=torch.float64, attn_implementation="sdpa")
        if adapter:
            model = PeftModel.from_pretrained(model, adapter, is_trainable=True, autocast_adapter_dtype=False)
            model = model.to(torch.float64)
        assert all(p.dtype == torch.float64 for p in model.parameters())
        return model.eval()

    def sequence(self, length, share):
        ids = [1] + [int(i) for i in self.rng.integers(3, VOCAB, length - 1)]
        return {"ids": ids, "mask": [0] + [int(u < share) for u in self.rng.random(length - 1)]}

    def keep(self, name, t):
        self.out[name.replace(".default.", ".")] = t.detach().to(torch.float32).contiguous().clone()

    def dump(self):
        seqs = [self.sequence(1, 0.0), self.sequence(12, 0.8), self.sequence(40, 0.6)]
        micro = [[self.sequence(int(n), 0.7) for n in self.rng.integers(2, 24, 2)] for _ in range(RECIPE["steps"])]
        assert all(any(any(q["mask"]) for q in pair) for pair in micro)
        model = self.load()
        with torch.no_grad():
            for i, s in enumerate(seqs):
                self.keep(f"logits/{i}", logits_of(model, s["ids"]))
            self.keep("none/logits", logits_of(self.load(adapter=None), seqs[2]["ids"]))
            for variant in self.variants:
                logits = logits_of(self.load(f"variants/{variant}"), seqs[2]["ids"])
                assert torch.equal(logits, logits_of(model, seqs[2]["ids"])) == (variant == "older"), variant
                if variant != "older":
                    self.keep(f"{variant}/logits", logits)
        loss = batch_loss(model, seqs)
        loss.backward()
        for name, p in model.named_parameters():
            if p.requires_grad:
                self.keep(f"grad/{name}", p.grad)
        worst = check_by_differences(model, seqs)
        train = self.train(micro)
        save_file(self.out, "dump.safetensors", metadata={"format": "pt"})
        write_json("dump.json", dict(
            sequences=seqs, micro_batches=micro, recipe=RECIPE, lr=[schedule(s) for s in range(RECIPE["steps"])],
            loss=loss.item(), variants=sorted(self.variants), difference_check=worst, **train))

    def train(self, micro):
        model = self.load()
        params = [p for p in model.parameters() if p.requires_grad]
        opt = torch.optim.AdamW(params, lr=RECIPE["lr"], betas=(RECIPE["beta1"], RECIPE["beta2"]),
                                eps=RECIPE["eps"], weight_decay=RECIPE["weight_decay"])
        losses, norms = [], []
        for s, seqs in enumerate(micro):
            loss = batch_loss(model, seqs)
            loss.backward()
            losses.append(loss.item())
            norms.append(torch.nn.utils.clip_grad_norm_(params, RECIPE["max_norm"]).item())
            for g in opt.param_groups:
                g["lr"] = schedule(s)
            opt.step()
            opt.zero_grad()
        with torch.no_grad():
            final = batch_loss(model, [q for seqs in micro for q in seqs]).item()
        for name, p in model.named_parameters():
            if p.requires_grad:
                self.keep(f"final/{name}", p)
        return dict(losses=losses, norms=norms, final_loss=final)


# Step s uses micro_batches[s]; the gradient of its mean loss is clipped to
# max_norm (g *= min(1, max_norm/(norm+1e-6)), norm over all parameters together)
# before AdamW. norms are those before clipping; final_loss is the mean over all
# counted positions of all micro-batches after the last step.
RECIPE = dict(steps=10, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, max_norm=2.0, warmup=3)


def schedule(s):
    lr, w, n = RECIPE["lr"], RECIPE["warmup"], RECIPE["steps"]
    if s < w:
        return lr * (s + 1) / w
    return lr * 0.5 * (1 + math.cos(math.pi * (s - w) / (n - w)))


def logits_of(model, ids):
    return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]


def batch_loss(model, seqs):
    """Mean of -log p(ids[t] | ids[:t]) over the t with mask[t] of all sequences together."""
    total, count = 0.0, sum(sum(s["mask"]) for s in seqs)
    for s in seqs:
        if any(s["mask"]):
            logp = torch.log_softmax(logits_of(model, s["ids"])[:-1], dim=-1)
            nll = -logp[torch.arange(len(s["ids"]) - 1), torch.tensor(s["ids"][1:])]
            total = total + (nll * torch.tensor(s["mask"][1:], dtype=nll.dtype)).sum()
    return total / count


def check_by_differences(model, seqs):
    """The gradients that model holds against central differences of the loss."""
    worst = 0.0
    for _, p in model.named_parameters():
        if not p.requires_grad:
            continue
        flat, i = p.data.view(-1), p.numel() // 3
        v, h = flat[i].item(), 1e-5
        with torch.no_grad():
            flat[i] = v + h
            up = batch_loss(model, seqs).item()
            flat[i] = v - h
            down = batch_loss(model, seqs).item()
            flat[i] = v
        worst = max(worst, abs((up - down) / (2 * h) - p.grad.view(-1)[i].item()))
    assert worst < 1e-8, worst
    return worst


for name, (settings, variants) in MODELS.items():
    m = Maker(name, settings, variants)
    m.make()
    m.dump()
