"""Writes a GGUF as a Hugging Face folder in f32, for the peers that read no GGUF.

    python gguf_to_hf.py FILE.gguf OUT

The weights are the dequantized ones, so both sides compute with the same numbers.
transformers reads a GGUF's vocabulary and not its pre-tokenizer: for a file
that says "smollm" the digits are split one by one here, as llama.cpp does.
"""

import argparse
import os

import torch
from gguf import GGUFReader
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM


def pre_tokenizer_name(path):
    field = GGUFReader(path).fields.get("tokenizer.ggml.pre")
    return field.contents() if field else ""


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("gguf")
    ap.add_argument("out")
    a = ap.parse_args()
    folder, name = os.path.split(os.path.abspath(a.gguf))

    loaded = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
    config = loaded.config.to_dict()
    config.pop("quantization_config", None)
    model = LlamaForCausalLM(LlamaConfig(**config))
    missing, unexpected = model.load_state_dict(loaded.state_dict(), strict=False)
    if unexpected or [m for m in missing if m != "lm_head.weight"]:
        raise SystemExit(f"weights do not fit: missing {missing}, unexpected {unexpected}")
    model.tie_weights()
    model.save_pretrained(a.out)

    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    if pre_tokenizer_name(a.gguf) == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ])
    tokenizer.save_pretrained(a.out)


main()
