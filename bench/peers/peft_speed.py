"""Speed of a LoRA training step in PyTorch with PEFT: one JSON line.

    python peft_speed.py HF_FOLDER [--dtype f32|bf16] [--batch 1] [--length 512] [--rank 16]
                         [--checkpointing | --full] [--steps 6] [--threads 2]

A step is forward, backward and AdamW on random tokens, with all seven linears
as targets (--full trains the whole model instead). The first step is warm-up
and does not count. tokens_per_second has the best and the median of the rest.
"""

import argparse
import json
import resource
import statistics
import sys
import time

import peft
import torch
import transformers

LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("base")
    ap.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    ap.add_argument("--batch", type=int, default=1)
    ap.add_argument("--length", type=int, default=512)
    ap.add_argument("--rank", type=int, default=16)
    ap.add_argument("--checkpointing", action="store_true")
    ap.add_argument("--full", action="store_true")
    ap.add_argument("--steps", type=int, default=6)
    ap.add_argument("--threads", type=int, default=2)
    a = ap.parse_args()
    if a.steps < 2:
        ap.error("--steps must be at least 2: the first does not count")
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)

    model = transformers.AutoModelForCausalLM.from_pretrained(
        a.base, dtype={"f32": torch.float32, "bf16": torch.bfloat16}[a.dtype], attn_implementation="sdpa")
    if not a.full:
        model = peft.get_peft_model(model, peft.LoraConfig(
            r=a.rank, lora_alpha=2 * a.rank, target_modules=LINEARS, task_type="CAUSAL_LM"))
    if a.checkpointing:
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
    model.train()
    params = [p for p in model.parameters() if p.requires_grad]
    opt = torch.optim.AdamW(params, lr=1e-4)
    ids = torch.randint(0, model.config.vocab_size, (a.batch, a.length))

    seconds = []
    for _ in range(a.steps):
        start = time.perf_counter()
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        opt.step()
        opt.zero_grad()
        seconds.append(time.perf_counter() - start)
    tokens, seconds = a.batch * a.length, seconds[1:]
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps(dict(
        peer="peft", dtype=a.dtype, batch=a.batch, length=a.length, rank=None if a.full else a.rank,
        checkpointing=a.checkpointing, threads=a.threads, trainable=sum(p.numel() for p in params),
        cpu=torch.backends.cpu.get_cpu_capability(),
        tokens_per_second=dict(best=round(tokens / min(seconds), 1), median=round(tokens / statistics.median(seconds), 1)),
        peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, loss=round(loss.item(), 4),
        torch=torch.__version__, transformers=transformers.__version__, peft=peft.__version__)))


main()
