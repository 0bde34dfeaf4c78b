"""Variants of LoRA on little text, with PEFT itself: a line of JSON a run.

    python peft_variants.py HF_FOLDER NAME=TEXTS… [--words 2000] [--held-out 1000] [--seeds 1,2]
                            [--variants lora,dora,pissa:2e-4] [--rate 1e-3] [--epochs 3] [--threads 1]

TEXTS is a folder of a writer's Markdown. Its files, in an order that has nothing
to do with their names, give the text to train on, up to so many words, cut at a
paragraph; files after that give the text held out. What is trained on is cut
into stretches of 256 tokens, of which four make a step. All variants of a seed
see the same steps in the same order: rank 16, alpha 32, seven linears, AdamW, a
gradient norm of at most 1, and a rate that rises over a twentieth of the steps
and then falls to nothing (a variant's own rate stands behind its name). Variants:

    lora       A random, B zero (arXiv:2106.09685)
    rslora     scaled by alpha/sqrt(rank) (arXiv:2312.03732)
    loraplus4  the rate of B four times that of A (arXiv:2402.12354); loraplus16
    dora       size and direction of each output's weights apart (arXiv:2402.09353)
    pissa      A and B start as the principal components of the weights, which are
               taken out of these (arXiv:2404.02948)

Losses are nats per token of the text held out, in f32, over stretches of 256.
"""

import argparse
import json
import math
import pathlib
import re
import time
import zlib

import peft
import torch
import transformers

LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
LENGTH, PER_STEP, RANK = 256, 4, 16


def paragraphs(path):
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\A(---|\+\+\+)\n.*?\n\1\n", "", text, flags=re.S)
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    return [p.strip() for p in text.split("\n\n") if p.strip()]


def split(folder, words, held):
    """The text of so many words to train on, and that of other files held out."""
    files = sorted(pathlib.Path(folder).rglob("*.md"), key=lambda p: zlib.crc32(p.relative_to(folder).as_posix().encode()))
    parts, left = [[], []], [words, held]
    at = 0
    for f in files:
        for p in paragraphs(f):
            if left[at] <= 0:
                break
            parts[at].append(p)
            left[at] -= len(p.split())
        if left[at] <= 0:
            at += 1
        if at == 2:
            return ["\n\n".join(p) for p in parts]
    raise SystemExit(f"{folder} has too little text")


def cut(tokens):
    return [tokens[i:i + LENGTH] for i in range(0, len(tokens) - 1, LENGTH) if len(tokens[i:i + LENGTH]) > 1]


def nats(model, stretches):
    model.eval()
    total = count = 0
    with torch.no_grad():
        for s in stretches:
            ids = torch.tensor([s])
            total += model(input_ids=ids, labels=ids, use_cache=False).loss.item() * (len(s) - 1)
            count += len(s) - 1
    return total / count, count


def build(base, variant, seed):
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="sdpa")
    model = peft.get_peft_model(model, peft.LoraConfig(
        r=RANK, lora_alpha=2 * RANK, target_modules=LINEARS, task_type="CAUSAL_LM", use_dora=variant == "dora",
        use_rslora=variant == "rslora", init_lora_weights="pissa_niter_4" if variant == "pissa" else True))
    ratio = int(variant.removeprefix("loraplus")) if variant.startswith("loraplus") else 1
    return model, ratio


def train(model, ratio, rate, stretches, epochs, seed):
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    groups = [dict(params=[p for n, p in named if "lora_B" not in n], times=1),
              dict(params=[p for n, p in named if "lora_B" in n], times=ratio)]
    opt = torch.optim.AdamW(groups, lr=rate, weight_decay=0)
    order = torch.Generator().manual_seed(seed)
    steps = []
    for _ in range(epochs):
        p = torch.randperm(len(stretches), generator=order).tolist()
        steps += [[stretches[i] for i in p[k:k + PER_STEP]] for k in range(0, len(p), PER_STEP)]
    warm = math.ceil(len(steps) / 20)
    model.train()
    for n, step in enumerate(steps):
        share = (n + 1) / warm if n < warm else (len(steps) - n) / max(len(steps) - warm, 1)
        scored = sum(len(s) - 1 for s in step)
        for s in step:
            ids = torch.tensor([s])
            (model(input_ids=ids, labels=ids, use_cache=False).loss * (len(s) - 1) / scored).backward()
        torch.nn.utils.clip_grad_norm_([p for _, p in named], 1.0)
        for g in opt.param_groups:
            g["lr"] = rate * share * g["times"]
        opt.step()
        opt.zero_grad()
    return len(steps)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("base")
    ap.add_argument("writers", nargs="+", metavar="NAME=TEXTS")
    ap.add_argument("--words", type=int, default=2000)
    ap.add_argument("--held-out", type=int, default=1000)
    ap.add_argument("--seeds", default="1,2")
    ap.add_argument("--variants", default="lora,rslora,loraplus4,loraplus16,dora,pissa:2e-4")
    ap.add_argument("--rate", type=float, default=1e-3)
    ap.add_argument("--epochs", type=int, default=3)
    ap.add_argument("--threads", type=int, default=1)
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    tok = transformers.AutoTokenizer.from_pretrained(a.base)
    texts = {}
    for w in a.writers:
        name, folder = w.split("=", 1)
        texts[name] = [cut(tok(t)["input_ids"]) for t in split(folder, a.words, a.held_out)]
    for seed in map(int, a.seeds.split(",")):
        for name, (seen, held) in texts.items():
            for variant in a.variants.split(","):
                variant, _, rate = variant.partition(":")
                rate = float(rate or a.rate)
                began = time.time()
                model, ratio = build(a.base, variant, seed)
                bare = None
                if variant == "lora":  # pissa takes weights out of the base, so there it is not bare
                    with model.disable_adapter():
                        bare = round(nats(model, held)[0], 4)
                steps = train(model, ratio, rate, seen, a.epochs, seed)
                loss, count = nats(model, held)
                print(json.dumps(dict(
                    peer="peft", variant=variant, rate=rate, writer=name, words=a.words, seed=seed, steps=steps,
                    trained_tokens=sum(map(len, seen)) * a.epochs, held_out_tokens=count, base=bare, held_out=round(loss, 4),
                    seconds=round(time.time() - began),
                    torch=torch.__version__, transformers=transformers.__version__, peft=peft.__version__)), flush=True)


main()
