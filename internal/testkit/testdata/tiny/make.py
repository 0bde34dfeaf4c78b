"""Makes the toy models and the dump that the numeric tests compare with.

    python make.py            (torch 2.15.0, transformers 5.23.0, peft 0.21.2)

Everything comes from one seed. The folders are written by save_pretrained:

    base/     f32, untied head, 4 heads on 2 KV heads of 8; config.json as transformers 5 writes it
    tied/     bf16, tied head; config.json with the older keys rope_theta and torch_dtype
    bias/     f16 in three shards, attention and MLP biases, 4 heads on 1 KV head of 12
    rope/*/   only a config.json: the weights of base/ under another RoPE scaling
    lora/     PEFT adapter for base/: r 4, alpha 8, all seven linears, A and B random
    rslora/   PEFT adapter for base/: r 3, alpha 6, rank-stabilised, q_proj and v_proj

dump.json says what was run (token ids, masks, recipe) and holds the scalars;
dump.safetensors holds the tensors, all as F32. Names begin with the arithmetic:
f64/ is a run in double precision, rounded once at the end (6e-8 relative), f32/
is what PyTorch gives in single precision.
"""

import json
import math
import os
import shutil

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.models.llama import modeling_llama as llama

os.chdir(os.path.dirname(os.path.abspath(__file__)))
torch.set_num_threads(1)
rng = np.random.Generator(np.random.PCG64(20240607))
VOCAB = 96
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


# transformers computes RMSNorm and the RoPE table in f32 whatever the dtype of
# the model. A reference in f64 has to do them in f64 as well; for a model in
# f32 these two functions are what transformers does.
def norm_forward(self, x):
    return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))


def rope_forward(self, x, position_ids):
    angle = position_ids[..., None].to(x.dtype) * self.original_inv_freq.to(x.dtype)
    angle = torch.cat((angle, angle), dim=-1)
    return angle.cos() * self.attention_scaling, angle.sin() * self.attention_scaling


llama.LlamaRMSNorm.forward = norm_forward
llama.LlamaRotaryEmbedding.forward = rope_forward


def normal(shape, scale, mean=0.0):
    return torch.from_numpy(rng.standard_normal(tuple(shape)) * scale + mean)


def fill(model):
    """Random weights: N(0, 0.25) embeddings, N(0, 0.15) linears, norms near 1."""
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            if "norm" in name:
                p.copy_(normal(p.shape, 0.15, 1.0))
            elif "embed_tokens" in name:
                p.copy_(normal(p.shape, 0.25))
            else:
                p.copy_(normal(p.shape, 0.15))


def config(**kw):
    c = dict(
        vocab_size=VOCAB, hidden_size=32, intermediate_size=88, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128,
        rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        attn_implementation="sdpa",
    )
    c.update(kw)
    return LlamaConfig(**c)


def write_json(path, value):
    with open(path, "w") as f:
        json.dump(value, f, indent=1, sort_keys=True)
        f.write("\n")


def make_model(folder, dtype, cfg, **save):
    shutil.rmtree(folder, ignore_errors=True)
    model = LlamaForCausalLM(cfg)
    fill(model)
    model.to(dtype).save_pretrained(folder, **save)


def older_config(folder, scaling=None):
    """Rewrites config.json with the keys that most folders on the hub have."""
    path = os.path.join(folder, "config.json")
    c = json.load(open(path))
    rope = c.pop("rope_parameters")
    c["rope_theta"] = rope.pop("rope_theta")
    c["rope_scaling"] = scaling
    c["torch_dtype"] = c.pop("dtype")
    c["transformers_version"] = "4.46.0"
    write_json(path, c)


def make_models():
    make_model("base", torch.float32, config())
    make_model("tied", torch.bfloat16, config(tie_word_embeddings=True))
    older_config("tied")
    make_model("bias", torch.float16, config(attention_bias=True, mlp_bias=True, head_dim=12,
                                             num_key_value_heads=1), max_shard_size="40KB")
    for folder, r, alpha, targets, rs in (("lora", 4, 8, LINEARS, False),
                                          ("rslora", 3, 6, ["q_proj", "v_proj"], True)):
        shutil.rmtree(folder, ignore_errors=True)
        model = get_peft_model(LlamaForCausalLM.from_pretrained("base", dtype=torch.float32), LoraConfig(
            r=r, lora_alpha=alpha, target_modules=targets, use_rslora=rs, task_type="CAUSAL_LM"))
        with torch.no_grad():
            for name, p in sorted(model.named_parameters()):
                if "lora_" in name:
                    p.copy_(normal(p.shape, 0.1))
        model.save_pretrained(folder)
        os.remove(os.path.join(folder, "README.md"))
        path = os.path.join(folder, "adapter_config.json")
        c = json.load(open(path))
        c["target_modules"].sort()  # a set in PEFT: its order changes from run to run
        with open(path, "w") as f:
            json.dump(c, f, indent=2, sort_keys=True)


# Low numbers of original positions, so that scaling shows within 64 positions.
# "older" folders say rope_theta and rope_scaling, the others rope_parameters.
ROPES = {
    "linear": dict(older=True, theta=10000.0, factor=4.0, type="linear"),
    "llama3": dict(older=True, theta=10000.0, rope_type="llama3", factor=8.0, low_freq_factor=1.0,
                   high_freq_factor=4.0, original_max_position_embeddings=16),
    "llama3-wide": dict(older=False, theta=500.0, rope_type="llama3", factor=32.0, low_freq_factor=1.0,
                        high_freq_factor=4.0, original_max_position_embeddings=48),
    "yarn": dict(older=False, theta=100.0, rope_type="yarn", factor=4.0, beta_fast=4.0, beta_slow=1.0,
                 original_max_position_embeddings=32),
    "yarn-default-betas": dict(older=True, theta=10000.0, rope_type="yarn", factor=4.0,
                               original_max_position_embeddings=32),
    "yarn-mscale": dict(older=False, theta=100.0, rope_type="yarn", factor=4.0, beta_fast=4.0, beta_slow=1.0,
                        original_max_position_embeddings=32, mscale=1.2, mscale_all_dim=0.7, truncate=False),
    "yarn-attention-factor": dict(older=True, theta=100.0, rope_type="yarn", factor=2.0, beta_fast=8.0,
                                  beta_slow=1.0, original_max_position_embeddings=64, attention_factor=0.9),
}


def make_ropes():
    shutil.rmtree("rope", ignore_errors=True)
    for name, r in ROPES.items():
        r = dict(r)
        older, theta = r.pop("older"), r.pop("theta")
        folder = os.path.join("rope", name)
        os.makedirs(folder)
        c = json.load(open("base/config.json"))
        c["rope_parameters"] = {"rope_theta": theta}
        if not older:
            c["rope_parameters"].update(r)
        write_json(os.path.join(folder, "config.json"), c)
        if older:
            older_config(folder, r)


def load(folder, dtype, adapter=None, strength=1.0, weights=None):
    """The model in dtype; weights names the folder of the weights if not folder."""
    cfg = LlamaConfig.from_pretrained(folder)
    model = LlamaForCausalLM.from_pretrained(weights or folder, config=cfg, dtype=dtype, attn_implementation="sdpa")
    if adapter:
        model = PeftModel.from_pretrained(model, adapter, is_trainable=True, autocast_adapter_dtype=False).to(dtype)
        for m in model.modules():
            if hasattr(m, "scaling") and isinstance(m.scaling, dict):
                m.scaling = {k: v * strength for k, v in m.scaling.items()}
    assert all(p.dtype == dtype for p in model.parameters())
    return model


def plain(model):
    """The LlamaForCausalLM inside a PeftModel, or the model itself."""
    return model.get_base_model() if isinstance(model, PeftModel) else model


def logits_of(model, ids):
    return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]


def loss_sum(model, ids, mask):
    """Sum of -log p(ids[t] | ids[:t]) over the t with mask[t]; mask[0] is never set."""
    if not any(mask):
        return None
    logp = torch.log_softmax(logits_of(model, ids)[:-1], dim=-1)
    nll = -logp[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]
    return (nll * torch.tensor(mask[1:], dtype=nll.dtype)).sum()


def batch_loss(model, seqs):
    """Mean over all masked positions of all sequences together."""
    count = sum(sum(s["mask"]) for s in seqs)
    return sum(l for l in (loss_sum(model, s["ids"], s["mask"]) for s in seqs) if l is not None) / count


def sequence(length, share):
    ids = [1] + [int(i) for i in rng.integers(3, VOCAB, length - 1)]
    mask = [0] + [int(u < share) for u in rng.random(length - 1)]
    return {"ids": ids, "mask": mask}


out = {}


def keep(name, t):
    out[name] = t.detach().to(torch.float32).contiguous().clone()


def dump_forward(prefix, model, seqs, hidden):
    layers, inner = [], plain(model).model
    hooks = []
    if hidden:
        for i, layer in enumerate(inner.layers):
            hooks.append(layer.register_forward_hook(lambda m, a, o, i=i: layers.append((f"layer.{i}", o))))
        hooks.append(inner.norm.register_forward_hook(lambda m, a, o: layers.append(("norm", o))))
    with torch.no_grad():
        for i, s in enumerate(seqs):
            layers.clear()
            keep(f"{prefix}/s{i}/logits", logits_of(model, s["ids"]))
            for name, o in layers:
                keep(f"{prefix}/s{i}/{name}", (o[0] if isinstance(o, tuple) else o)[0])
    for h in hooks:
        h.remove()


def adapter_name(name):
    """As adapter_model.safetensors calls it."""
    return name.replace(".default.", ".")


def dump_gradients(prefix, model, seqs):
    loss = batch_loss(model, seqs)
    loss.backward()
    for name, p in model.named_parameters():
        if p.requires_grad:
            keep(f"{prefix}/grad/{adapter_name(name)}", p.grad)
    return loss.item()


def check_by_differences(seqs):
    """The f64 gradients against central differences of the f64 loss."""
    model = load("base", torch.float64, "lora")
    batch_loss(model, seqs).backward()
    worst = 0.0
    for name, p in model.named_parameters():
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
    assert worst < 1e-9, worst
    return worst


RECIPE = dict(steps=10, accumulate=2, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01,
              max_norm=1.9, warmup=3, adapter="lora", base="base")


def schedule(s):
    lr, w, n = RECIPE["lr"], RECIPE["warmup"], RECIPE["steps"]
    if s < w:
        return lr * (s + 1) / w
    return lr * 0.5 * (1 + math.cos(math.pi * (s - w) / (n - w)))


def dump_training(prec, dtype, micro):
    model = load("base", dtype, "lora")
    params = [p for p in model.parameters() if p.requires_grad]
    opt = torch.optim.AdamW(params, lr=RECIPE["lr"], betas=(RECIPE["beta1"], RECIPE["beta2"]),
                            eps=RECIPE["eps"], weight_decay=RECIPE["weight_decay"])
    losses, norms = [], []
    for s in range(RECIPE["steps"]):
        pair = micro[s * RECIPE["accumulate"]:(s + 1) * RECIPE["accumulate"]]
        count = sum(sum(q["mask"]) for seqs in pair for q in seqs)
        total = 0.0
        for seqs in pair:
            loss = batch_loss(model, seqs) * sum(sum(q["mask"]) for q in seqs) / count
            loss.backward()
            total += loss.item()
        losses.append(total)
        norms.append(torch.nn.utils.clip_grad_norm_(params, RECIPE["max_norm"]).item())
        for g in opt.param_groups:
            g["lr"] = schedule(s)
        opt.step()
        opt.zero_grad()
    with torch.no_grad():
        final = batch_loss(model, [q for seqs in micro for q in seqs]).item()
    for name, p in model.named_parameters():
        if p.requires_grad:
            keep(f"{prec}/train/final/{adapter_name(name)}", p)
    return dict(losses=losses, norms=norms, final_loss=final)


def main():
    make_models()
    make_ropes()
    seqs = [sequence(1, 0.0), sequence(23, 0.6), sequence(12, 0.8)]
    long = sequence(64, 0.0)
    micro = [[sequence(int(n), 0.7) for n in rng.integers(2, 24, 2)] for _ in range(20)]
    assert all(any(q["mask"]) for pair in micro for q in pair)
    info = dict(
        about="mask[t] = 1 where -log p(ids[t] | ids[:t]) counts; a loss is the mean over all counted positions "
              "of all sequences of the batch; each sequence runs alone, without padding",
        sequences=seqs, long=long, losses={}, strengths={"lora@0.5": 0.5})
    for prec, dtype in (("f64", torch.float64), ("f32", torch.float32)):
        for name, adapter, strength, hidden in (("none", None, 1.0, True), ("lora", "lora", 1.0, True),
                                                ("rslora", "rslora", 1.0, False), ("lora@0.5", "lora", 0.5, False)):
            model = load("base", dtype, adapter, strength)
            dump_forward(f"{prec}/base/{name}", model, seqs, hidden)
            if name in ("lora", "rslora") or (prec == "f64" and name == "none"):
                info["losses"][f"{prec}/base/{name}"] = dump_gradients(f"{prec}/base/{name}", model, seqs)
        info[f"train_{prec}"] = dump_training(prec, dtype, micro)
    for folder in ("tied", "bias"):
        model = load(folder, torch.float64)
        dump_forward(f"f64/{folder}/none", model, seqs, folder == "bias")
        if folder == "tied":
            info["losses"]["f64/tied/none"] = dump_gradients("f64/tied/none", model, seqs)
    for name in ROPES:
        model = load(os.path.join("rope", name), torch.float64, weights="base")
        dump_forward(f"f64/rope/{name}", model, [long], False)
        info.setdefault("rope", {})[name] = dict(
            inv_freq=model.model.rotary_emb.original_inv_freq.tolist(),
            attention_scaling=model.model.rotary_emb.attention_scaling)
    dump_forward("f64/rope/default", load("base", torch.float64), [long], False)
    info["train"] = dict(
        recipe=RECIPE, micro_batches=micro, lr=[schedule(s) for s in range(RECIPE["steps"])],
        schedule="lr(s) = lr*(s+1)/warmup for s < warmup, else lr*0.5*(1+cos(pi*(s-warmup)/(steps-warmup))), s from 0",
        step="step s uses micro_batches[2s] and [2s+1]; its loss is the mean over all counted positions of both; the "
             "gradient of that loss is clipped (g *= min(1, max_norm/(norm+1e-6)), norm over all parameters "
             "together), then AdamW: p -= lr*weight_decay*p; m, v with bias correction; "
             "p -= lr * mhat / (sqrt(vhat) + eps)",
        losses="losses[s] is the loss of step s before its update, norms[s] the norm before clipping, final_loss "
               "the mean over all counted positions of all micro-batches after the last step")
    info["difference_check"] = check_by_differences(seqs)
    save_file(out, "dump.safetensors", metadata={"format": "pt"})
    write_json("dump.json", info)


main()
