"""Whether genre and writer as two adapters and as one give the same logits in PEFT: JSON on stdout.

    python peft_joined.py HF_FOLDER GENRE_FOLDER JOINED_FOLDER IDS.json

GENRE_FOLDER is what `stroke genre export` wrote, JOINED_FOLDER the adapter of a
version that stands on it as a layer (versions/ID/adapter): in each of its pairs
the genre's rows come first, then the writer's. IDS.json is a list of token ids.

The writer's rows are cut out of the joined adapter and loaded as an adapter of
their own beside the genre; both are active together, as PEFT stacks them. The
logits of this stack and of the joined adapter are compared in float32 and, to
part what rounding does from what is not the same, in float64. The figures are
the largest difference, and in float32 also its share of the largest logit.
"""

import argparse
import json
import os
import sys
import tempfile

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file


def writers_part(joined, genre, out):
    """Writes the rows of joined that are not the genre's as an adapter of scale 1."""
    with open(os.path.join(joined, "adapter_config.json")) as f:
        config = json.load(f)
    with open(os.path.join(genre, "adapter_config.json")) as f:
        below = json.load(f)["r"]
    rank = config["r"] - below
    if rank < 1 or config["rank_pattern"] or config["lora_alpha"] != config["r"]:
        sys.exit(f"not a joined adapter on a genre of rank {below}: {config['r']}, {config['lora_alpha']}, {config['rank_pattern']}")
    tensors = {}
    for name, t in load_file(os.path.join(joined, "adapter_model.safetensors")).items():
        tensors[name] = (t[below:] if name.endswith("lora_A.weight") else t[:, below:]).contiguous()
    config["r"] = config["lora_alpha"] = rank
    with open(os.path.join(out, "adapter_config.json"), "w") as f:
        json.dump(config, f)
    save_file(tensors, os.path.join(out, "adapter_model.safetensors"), {"format": "pt"})
    return below, rank


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("base")
    ap.add_argument("genre")
    ap.add_argument("joined")
    ap.add_argument("ids")
    ap.add_argument("--strength", type=float, default=1.0, help="that the genre has in the version")
    ap.add_argument("--threads", type=int, default=2)
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    with open(a.ids) as f:
        ids = torch.tensor([json.load(f)])
    model = transformers.AutoModelForCausalLM.from_pretrained(a.base, dtype=torch.float32, attn_implementation="sdpa")
    with tempfile.TemporaryDirectory() as own, torch.no_grad():
        below, rank = writers_part(a.joined, a.genre, own)
        model = peft.PeftModel.from_pretrained(model, a.genre, adapter_name="genre")
        model.load_adapter(own, "writer")
        model.load_adapter(a.joined, "joined")
        figures = {}
        for dtype in (torch.float32, torch.float64):
            model = model.to(dtype).eval()
            out = {}
            for name, use in (("base", None), ("genre", ["genre"]), ("stack", ["genre", "writer"]), ("joined", ["joined"])):
                if use is None:
                    with model.disable_adapter():
                        out[name] = model(input_ids=ids, use_cache=False).logits.double()
                    continue
                model.base_model.set_adapter(use)
                for m in model.modules():
                    if isinstance(m, peft.tuners.lora.LoraLayer) and "genre" in m.scaling:
                        m.set_scale("genre", a.strength)
                out[name] = model(input_ids=ids, use_cache=False).logits.double()
            for x, y in (("stack", "joined"), ("genre", "joined"), ("base", "joined")):
                figures[f"{x}_{y}_{str(dtype)[6:]}"] = (out[x] - out[y]).abs().max().item()
            largest = out["joined"].abs().max().item()

    print(json.dumps(dict(
        peft=peft.__version__, torch=torch.__version__, transformers=transformers.__version__, tokens=ids.shape[1],
        genre_rank=below, writer_rank=rank, largest_logit=largest,
        stack_joined_relative=figures["stack_joined_float32"] / largest, **figures)))


if __name__ == "__main__":
    main()
