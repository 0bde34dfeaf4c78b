"""Judges an adapter with PEFT itself, on documents given as token ids: JSON on stdout.

    python peft_judge.py HF_FOLDER ADAPTER_FOLDER DOCUMENTS.jsonl

Each line of DOCUMENTS is {"ids": [...], "score_from": n}: the document is run
whole and -log p(ids[t] | ids[:t]) counts for t >= max(n, 1). The figures are
nats per counted token, in f32, of the bare base and of base + adapter.

PeftModel.from_pretrained has to load the adapter without a word: every warning
is an error (exit 1), save deprecations of the libraries' own code. PEFT passes
over a tensor that it has no place for in silence, so the names in the file are
compared with the names that PEFT would write.
"""

import argparse
import json
import logging
import os
import sys
import warnings

import peft
import torch
import transformers
from safetensors import safe_open


class Strict(logging.Handler):
    """Turns what the libraries log as a warning into an error."""

    def emit(self, record):
        raise RuntimeError(f"{record.name} warned: {record.getMessage()}")


def load(base, adapter):
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="sdpa")
    strict = Strict(logging.WARNING)
    loggers = [logging.getLogger(n) for n in ("peft", "transformers", "py.warnings")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        for l in loggers:
            l.addHandler(strict)
        model = peft.PeftModel.from_pretrained(model, adapter)
        for l in loggers:
            l.removeHandler(strict)
    with safe_open(os.path.join(adapter, "adapter_model.safetensors"), "pt") as f:
        unknown = set(f.keys()) - set(peft.get_peft_model_state_dict(model))
    if unknown:
        sys.exit(f"PEFT has no place for {len(unknown)} tensors of the adapter, such as {min(unknown)}")
    return model.eval()


@torch.no_grad()
def nats(model, ids, first):
    logp = torch.log_softmax(model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, first - 1:-1], -1)
    return -logp.gather(1, torch.tensor(ids[first:])[:, None]).double().sum().item()


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("base")
    ap.add_argument("adapter")
    ap.add_argument("documents")
    ap.add_argument("--threads", type=int, default=2)
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    model = load(a.base, a.adapter)

    rows = []
    with open(a.documents, encoding="utf-8") as f:
        for line in filter(str.strip, f):
            doc = json.loads(line)
            ids, first = doc["ids"], max(doc.get("score_from", 0), 1)
            if first >= len(ids):
                sys.exit(f"document {len(rows)}: nothing to score: {len(ids)} ids, score_from {first}")
            with model.disable_adapter():
                base = nats(model, ids, first)
            rows.append(dict(tokens=len(ids) - first, base=base, adapter=nats(model, ids, first)))
    if not rows:
        sys.exit("no documents")
    tokens = sum(r["tokens"] for r in rows)
    print(json.dumps(dict(
        tokens=tokens,
        nats_per_token={k: sum(r[k] for r in rows) / tokens for k in ("base", "adapter")},
        documents=[dict(tokens=r["tokens"], base=r["base"] / r["tokens"], adapter=r["adapter"] / r["tokens"])
                   for r in rows],
        torch=torch.__version__, transformers=transformers.__version__, peft=peft.__version__)))


main()
