"""Makes the dump that training of a model's own weights is compared with.

    python make.py            (torch 2.15.0, transformers 5.23.0)

The models are those of ../tiny and ../arch. Everything is computed in f64 and
rounded once at the end. dump.json holds for each case what was run: the folder
below .., the names of the weights that train, the optimizer, the batches, the
losses and norms of ten steps, the loss after them, and for every weight how far
it moved (the norm of the difference). dump.safetensors holds the gradients
FOLDER/grad/NAME of all weights for the mean loss of "sequences"; those of
tiny/base and tiny/tied are in ../tiny/dump.safetensors.
"""

import json
import math
import os

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM
from transformers.models.gemma3 import modeling_gemma3 as gemma3
from transformers.models.llama import modeling_llama as llama
from transformers.models.qwen3 import modeling_qwen3 as qwen3

os.chdir(os.path.dirname(os.path.abspath(__file__)))
torch.set_num_threads(1)
rng = np.random.Generator(np.random.PCG64(20260801))
VOCAB = 64


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
    return table(x, position_ids, self.original_inv_freq, self.attention_scaling)


def gemma_rope_forward(self, x, position_ids, layer_type):
    return table(x, position_ids, getattr(self, f"{layer_type}_inv_freq"),
                 getattr(self, f"{layer_type}_attention_scaling"))


for module, prefix in ((llama, "Llama"), (qwen3, "Qwen3")):
    getattr(module, prefix + "RMSNorm").forward = norm_forward
    getattr(module, prefix + "RotaryEmbedding").forward = rope_forward
gemma3.Gemma3RMSNorm.forward = gemma_norm_forward
gemma3.Gemma3RotaryEmbedding.forward = gemma_rope_forward

RECIPE = dict(steps=10, accumulate=2, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, max_norm=1.5, warmup=3)

# name: folder, optimizer, rate, layers and modules that train (None: everything)
CASES = {
    "full": ("tiny/base", "adamw", 3e-3, None, None),
    "partial": ("tiny/base", "adamw", 3e-3, [1, 2], ["q_proj", "down_proj", "norm"]),
    "outside": ("tiny/base", "adamw", 3e-3, None, ["norm", "lm_head"]),
    "tied": ("tiny/tied", "adamw", 3e-3, None, None),
    "embedding": ("tiny/tied", "adamw", 3e-3, None, ["embed_tokens"]),
    "bias": ("tiny/bias", "adamw", 3e-3, None, None),
    "gemma": ("arch/gemma3_text", "adamw", 3e-3, None, None),
    "qwen": ("arch/qwen3", "adamw", 3e-3, None, None),
    "factored": ("tiny/base", "adafactor", 3e-2, None, None),
    "factored gemma": ("arch/gemma3_text", "adafactor", 3e-2, None, None),
}
EPS1 = float(torch.finfo(torch.float32).eps)  # torch takes that of the weights' type, here f64's


def load(folder):
    model = AutoModelForCausalLM.from_pretrained(os.path.join("..", folder), dtype=torch.float64,
                                                 attn_implementation="sdpa")
    assert all(p.dtype == torch.float64 for p in model.parameters())
    return model.eval()


def trains(name, layers, modules):
    if layers is None and modules is None:
        return True
    parts = name.split(".")
    layer = int(parts[2]) if parts[1] == "layers" else -1
    module = "norm" if "norm" in name else parts[-2]
    if layers is not None and layer not in layers:
        return False
    return modules is None or module in modules


def loss_sum(model, ids, mask):
    logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
    nll = -torch.log_softmax(logits[:-1], dim=-1)[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]
    return (nll * torch.tensor(mask[1:], dtype=nll.dtype)).sum()


def batch_loss(model, seqs, count=None):
    """Mean of -log p(ids[t] | ids[:t]) over the t with mask[t], or their sum by count."""
    count = count or sum(sum(s["mask"]) for s in seqs)
    return sum(loss_sum(model, s["ids"], s["mask"]) for s in seqs if any(s["mask"])) / count


def sequence(length, share):
    ids = [1] + [int(i) for i in rng.integers(3, VOCAB, length - 1)]
    return {"ids": ids, "mask": [0] + [int(u < share) for u in rng.random(length - 1)]}


def schedule(rate, s):
    w, n = RECIPE["warmup"], RECIPE["steps"]
    return rate * (s + 1) / w if s < w else rate * 0.5 * (1 + math.cos(math.pi * (s - w) / (n - w)))


def train(folder, optimizer, rate, layers, modules, micro):
    model = load(folder)
    params = {}
    for name, p in model.named_parameters():
        p.requires_grad_(trains(name, layers, modules))
        if p.requires_grad:
            params[name] = p
    before = {name: p.detach().clone() for name, p in params.items()}
    if optimizer == "adamw":
        opt = torch.optim.AdamW(params.values(), lr=rate, betas=(RECIPE["beta1"], RECIPE["beta2"]),
                                eps=RECIPE["eps"], weight_decay=RECIPE["weight_decay"])
    else:
        opt = torch.optim.Adafactor(params.values(), lr=rate, eps=(EPS1, 1e-3), weight_decay=RECIPE["weight_decay"])
    losses, norms = [], []
    for s in range(RECIPE["steps"]):
        pair = micro[s * RECIPE["accumulate"]:(s + 1) * RECIPE["accumulate"]]
        count = sum(sum(q["mask"]) for seqs in pair for q in seqs)
        total = 0.0
        for seqs in pair:
            loss = batch_loss(model, seqs, count)
            loss.backward()
            total += loss.item()
        losses.append(total)
        norms.append(torch.nn.utils.clip_grad_norm_(params.values(), RECIPE["max_norm"]).item())
        for g in opt.param_groups:
            g["lr"] = schedule(rate, s)
        opt.step()
        opt.zero_grad()
    with torch.no_grad():
        final = batch_loss(model, [q for seqs in micro for q in seqs]).item()
    moved = {name: (p.detach() - before[name]).norm().item() for name, p in params.items()}
    return dict(folder=folder, optimizer=optimizer, layers=layers, modules=modules,
                lr=[schedule(rate, s) for s in range(RECIPE["steps"])], losses=losses, norms=norms,
                final_loss=final, moved=moved)


def main():
    seqs = [sequence(1, 0.0), sequence(23, 0.6), sequence(12, 0.8)]
    micro = [[sequence(int(n), 0.7) for n in rng.integers(2, 24, 2)] for _ in range(20)]
    assert all(any(any(q["mask"]) for q in pair) for pair in micro)
    out, losses = {}, {}
    for folder in ("tiny/bias", "arch/gemma3_text", "arch/qwen3"):
        model = load(folder)
        loss = batch_loss(model, seqs)
        loss.backward()
        losses[folder] = loss.item()
        for name, p in model.named_parameters():
            out[f"{folder}/grad/{name}"] = p.grad.to(torch.float32).contiguous().clone()
    save_file(out, "dump.safetensors", metadata={"format": "pt"})
    info = dict(sequences=seqs, micro_batches=micro, losses=losses, recipe=RECIPE,
                cases={name: train(*case, micro) for name, case in CASES.items()})
    with open("dump.json", "w") as f:
        json.dump(info, f, indent=1, sort_keys=True)
        f.write("\n")


main()
