"""Makes the vectors of the real base, from its GGUF by transformers in f32.

    python make.py HF_FOLDER [FILE.gguf]

HF_FOLDER is what bench/peers/gguf_to_hf.py writes from
SmolLM2-135M-Instruct.Q4_1.gguf: the dequantized weights in f32, so that the
difference to an engine that reads the GGUF is arithmetic alone. With FILE.gguf
the same text is also scored by llama.cpp (llama-cpp-python), twice: on the file
as it is, where llama.cpp rounds activations to 8 bits before it multiplies, and
on the same weights widened to F32 with an F32 KV cache, where it does not.
text.txt is prose written for this test. (torch 2.15.0, transformers 5.23.0, llama-cpp-python 0.3.36)

vectors.json: logprobs in nats; logprob[t] is log p(ids[t+1] | ids[:t+1]) over
the first 512 tokens, raw, without a token in front; top holds at sixteen
positions the 64 likeliest next tokens with their logprobs; greedy the most
likely continuation of 64 tokens of each prompt, with the smallest margin in
nats by which a chosen token was ahead of the second.
"""

import argparse
import json
import os
import tempfile

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

try:  # for the figures of llama.cpp alone
    import gguf
    import llama_cpp
except ImportError:
    gguf = llama_cpp = None

HERE = os.path.dirname(os.path.abspath(__file__))
TOKENS = 512
GREEDY = 64
POSITIONS = [0, 1, 2, 7, 31, 32, 63, 64, 127, 128, 200, 255, 256, 384, 500, 511]
PROMPTS = [
    "The harbour was quiet that morning,",
    "Three things to remember when you bake bread:\n\n1.",
    "Dear Anna,\n\nThank you for your letter of the 14th. I",
    "def is_prime(n):\n    ",
]
QUESTION = [{"role": "user", "content": "Why do the leaves of a maple turn red in autumn?"}]


def chat_prompt(tokenizer):
    return tokenizer.apply_chat_template(QUESTION, tokenize=False, add_generation_prompt=True)


def greedy(model, ids):
    """Appends the likeliest token GREEDY times; stop tokens are tokens like any other."""
    ids, new, margin = list(ids), [], float("inf")
    out = model(input_ids=torch.tensor([ids]), use_cache=True)
    for _ in range(GREEDY):
        top = torch.log_softmax(out.logits[0, -1].double(), -1).topk(2)
        margin = min(margin, (top.values[0] - top.values[1]).item())
        new.append(top.indices[0].item())
        out = model(input_ids=torch.tensor([[new[-1]]]), past_key_values=out.past_key_values, use_cache=True)
    return new, margin


def widen(path, out):
    """Writes the GGUF at path to out with every tensor dequantized to F32."""
    reader = gguf.GGUFReader(path)
    writer = gguf.GGUFWriter(out, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        value = int(gguf.LlamaFileType.ALL_F32) if name == "general.file_type" else field.contents()
        sub = field.types[1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, value, field.types[0], sub_type=sub)
    for t in reader.tensors:
        writer.add_tensor(t.name, gguf.dequantize(t.data, t.tensor_type).astype("float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def llama_cpp_logprobs(path, ids, cache):
    """log-probabilities [T, vocab] by llama.cpp; cache is the GGML type of K and V."""
    model = llama_cpp.Llama(path, n_ctx=1024, n_batch=512, n_ubatch=512, n_threads=2, n_threads_batch=2,
                            logits_all=True, type_k=cache, type_v=cache, verbose=False)
    model.eval(ids)
    return torch.log_softmax(torch.from_numpy(model.scores[:len(ids)].copy()).double(), -1)


def llama_cpp_figures(path, logp, ids, text):
    vocab = llama_cpp.Llama(path, vocab_only=True, verbose=False)
    assert vocab.tokenize(text.encode(), add_bos=False)[:len(ids)] == ids
    with tempfile.TemporaryDirectory() as d:
        wide = os.path.join(d, "f32.gguf")
        widen(path, wide)
        return dict(
            version=llama_cpp.__version__,
            as_it_is=compare(logp, llama_cpp_logprobs(path, ids, llama_cpp.GGML_TYPE_F16), ids),
            widened_to_f32=compare(logp, llama_cpp_logprobs(wide, ids, llama_cpp.GGML_TYPE_F32), ids))


def compare(ours, theirs, ids):
    nxt = torch.tensor(ids[1:])
    rows = torch.arange(len(ids) - 1)
    d = (ours[rows, nxt] - theirs[rows, nxt]).abs()
    full = (ours - theirs).abs()
    return dict(max_abs_next_token=d.max().item(), mean_abs_next_token=d.mean().item(),
                max_abs_any_token=full.max().item(),
                nats_per_token=dict(transformers=-ours[rows, nxt].mean().item(),
                                    llama_cpp=-theirs[rows, nxt].mean().item()),
                same_argmax=(ours.argmax(-1) == theirs.argmax(-1)).sum().item(), positions=len(ids))


@torch.no_grad()
def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder")
    ap.add_argument("gguf", nargs="?")
    a = ap.parse_args()
    if a.gguf and llama_cpp is None:
        ap.error("FILE.gguf needs the packages gguf and llama-cpp-python")
    torch.set_num_threads(2)
    tokenizer = AutoTokenizer.from_pretrained(a.folder)
    model = AutoModelForCausalLM.from_pretrained(a.folder, dtype=torch.float32, attn_implementation="eager")
    model.eval()
    path = os.path.join(HERE, "vectors.json")
    before = json.load(open(path)) if os.path.exists(path) else {}

    text = open(os.path.join(HERE, "text.txt"), encoding="utf-8").read()
    full = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert len(full) >= TOKENS + 1 and tokenizer.decode(full) == text, len(full)
    ids = full[:TOKENS]
    logp = torch.log_softmax(model(input_ids=torch.tensor([full[:TOKENS]])).logits[0].double(), -1)
    nxt = torch.tensor(full[1:TOKENS + 1])
    top = []
    for p in POSITIONS:
        t = logp[p].topk(64)
        top.append(dict(position=p, ids=t.indices.tolist(), logprobs=[round(v, 7) for v in t.values.tolist()]))
    runs = []
    for prompt in PROMPTS + [chat_prompt(tokenizer)]:
        x = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        new, margin = greedy(model, x)
        runs.append(dict(prompt=prompt, prompt_ids=x, ids=new, text=tokenizer.decode(new), min_margin=round(margin, 6)))
    out = dict(
        base="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        text_ids=full, tokens=TOKENS,
        logprob=[round(v, 7) for v in logp[torch.arange(TOKENS), nxt].tolist()],
        top=top, greedy=runs,
        chat=dict(messages=QUESTION, add_generation_prompt=True, rendered=chat_prompt(tokenizer)))
    if a.gguf:
        out["llama_cpp"] = llama_cpp_figures(a.gguf, logp, ids, text)
    elif "llama_cpp" in before:
        out["llama_cpp"] = before["llama_cpp"]
    with open(path, "w", encoding="utf-8") as f:
        json.dump(out, f, ensure_ascii=False, separators=(",", ":"))
        f.write("\n")
    print(json.dumps({k: out[k] for k in ("chat", "llama_cpp") if k in out}, indent=1))
    for r in runs:
        print(r["min_margin"], repr(r["text"]))


main()
