"""Speed of a LoRA training step in PyTorch with PEFT: one JSON line.

    python peft_speed.py HF_FOLDER [--dtype f32|bf16] [--bf16-adapter] [--fused] [--batch 1] [--length 512]
                         [--rank 16] [--checkpointing | --full] [--steps 6] [--threads 2]

A step is forward, backward and AdamW on random tokens, with all seven linears
as targets (--full trains the whole model instead). The first step is warm-up
and does not count. tokens_per_second has the best and the median of the rest.

PEFT keeps the weights of an adapter in float32, also on a base in bf16, so that
each linear goes from one to the other; --bf16-adapter keeps them in bf16. --fused
has AdamW pass over each weight once. Which is fastest depends on the machine: a
peer's best is the best of them. With --full --dtype bf16 the weights that are
trained, their gradients and AdamW's moments are all in bf16, without a copy in
float32 that small steps add up in, as training that lasts would have: that
flatters the peer's memory and its speed.
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
    ap.add_argument("--bf16-adapter", action="store_true", help="keep the adapter in bf16 too; needs --dtype bf16")
    ap.add_argument("--fused", action="store_true", help="AdamW in one pass over each weight")
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
    if a.bf16_adapter and (a.full or a.dtype != "bf16"):
        ap.error("--bf16-adapter goes with --dtype bf16 and without --full")
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)

    model = transformers.AutoModelForCausalLM.from_pretrained(
        a.base, dtype={"f32": torch.float32, "bf16": torch.bfloat16}[a.dtype], attn_implementation="sdpa")
    if not a.full:
        model = peft.get_peft_model(model, peft.LoraConfig(
            r=a.rank, lora_alpha=2 * a.rank, target_modules=LINEARS, task_type="CAUSAL_LM"),
            autocast_adapter_dtype=not a.bf16_adapter)
    if a.checkpointing:
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
    model.train()
    params = [p for p in model.parameters() if p.requires_grad]
    opt = torch.optim.AdamW(params, lr=1e-4, fused=True if a.fused else None)
    ids = torch.randint(0, model.config.vocab_size, (a.batch, a.length))

    seconds = []
    for _ in range(a.steps):
        start = time.perf_counter()
        loss = model(input_ids=ids, labels=ids, use_cache=False).loss
        loss.backward()
        opt.step()
        opt.zero_grad()
        seconds.append(time.perf_counter() - start)
    tokens, seconds = a.batch * a.length, seconds[1:]
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps(dict(
        peer="peft", dtype=a.dtype, batch=a.batch, length=a.length, rank=None if a.full else a.rank,
        trained=str(params[0].dtype).removeprefix("torch."), fused=a.fused,
        checkpointing=a.checkpointing, threads=a.threads, trainable=sum(p.numel() for p in params),
        cpu=torch.backends.cpu.get_cpu_capability(),
        tokens_per_second=dict(best=round(tokens / min(seconds), 1), median=round(tokens / statistics.median(seconds), 1)),
        peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, loss=round(loss.item(), 4),
        torch=torch.__version__, transformers=transformers.__version__, peft=peft.__version__)))


main()
