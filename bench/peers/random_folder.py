"""A small model with random weights, as a Hugging Face folder.

    python random_folder.py qwen3 TOKENIZER.json OUT

TYPE is a model_type of transformers. What is in the folder makes no sense as text,
but two programs that read it must agree on its logits.
"""

import argparse
import json
import pathlib
import shutil

import torch
import transformers


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("type")
    p.add_argument("tokenizer")
    p.add_argument("out", type=pathlib.Path)
    a = p.parse_args()
    words = json.load(open(a.tokenizer))
    vocab = 1 + max(list(words["model"]["vocab"].values()) + [t["id"] for t in words["added_tokens"]])
    shape = dict(vocab_size=(vocab + 63) // 64 * 64, hidden_size=256, intermediate_size=512, num_hidden_layers=6, num_attention_heads=4,
                 num_key_value_heads=2, head_dim=64, max_position_embeddings=2048, tie_word_embeddings=True,
                 bos_token_id=None, eos_token_id=None, pad_token_id=None)
    if a.type == "gemma3_text":
        shape.update(query_pre_attn_scalar=64, sliding_window=256)
    if a.type == "llama":
        shape.update(rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
                                      "high_freq_factor": 4.0, "original_max_position_embeddings": 1024})
    if a.type == "mistral":
        shape.update(sliding_window=None)
    if a.type == "smollm3":
        shape.pop("head_dim")
    torch.manual_seed(1)
    config = transformers.AutoConfig.for_model(a.type, **shape)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for name, w in model.named_parameters():
            if "norm" in name:
                w += 0.2 * torch.randn_like(w)
            elif w.dim() > 1:
                w.normal_(0, w.shape[1] ** -0.5)
            else:
                w.normal_(0, 0.1)
    model.save_pretrained(a.out)
    shutil.copy(a.tokenizer, a.out / "tokenizer.json")
    special = [t["content"] for t in words["added_tokens"] if t["special"]]
    ends = [t for t in special if t in ("<|endoftext|>", "<|end_of_text|>", "<eos>", "</s>", "<|im_end|>")]
    begins = [t for t in special if t in ("<|begin_of_text|>", "<bos>", "<s>")]
    says = {"eos_token": ends[0]} | ({"bos_token": begins[0], "add_bos_token": True} if begins else {})
    (a.out / "tokenizer_config.json").write_text(json.dumps(says))


main()
