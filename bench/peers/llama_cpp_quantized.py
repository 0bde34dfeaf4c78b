"""Loads files that stroke quantize wrote in llama.cpp, and compares what they say.

    stroke quantize BASE --to f16 -o f16.gguf --dump f16.jsonl
    stroke quantize BASE --to q4_k -o q4_k.gguf --dump q4_k.jsonl
    python llama_cpp_quantized.py f16.gguf q4_k.gguf …

The first file is the source that llama.cpp itself quantizes for comparison. For
each file one line of JSON: nats per token by Stroke and by llama.cpp on the same
ids, the mean and the largest difference of a token's nats, and whether llama.cpp's
tokenizer gives the same ids back.

llama.cpp rounds activations to eight bits before it multiplies them with quantized
weights, and Stroke does not; so files are compared as "wide" too, with their weights
as llama.cpp itself reads them written out in float32, where nothing is rounded.

"own" is llama.cpp's own file of that type: its nats, the root mean squared error of
all matrices, and the formats of weights where the two differ.
"""

import argparse
import ctypes
import json
import os
import pathlib
import tempfile

import gguf
import llama_cpp
import numpy as np

TYPES = {"q4_0": 2, "q4_1": 3, "q8_0": 7, "q4_k": 14, "q6_k": 18}


def stretches(path):
    return [json.loads(line) for line in open(path)]


def losses(path, lists):
    """Nats of each token after the first of each list of ids."""
    llm = llama_cpp.Llama(str(path), n_ctx=1024, n_batch=1024, logits_all=True, type_k=0, type_v=0, flash_attn=False, verbose=False)
    out = []
    for ids in lists:
        llm.reset()
        llm.eval(ids)
        logits = np.array(llm.scores[: len(ids) - 1], np.float64)
        top = logits.max(axis=1, keepdims=True)
        norm = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
        out.append(norm - logits[np.arange(len(ids) - 1), ids[1:]])
    again = []
    for ids in lists:
        text = llm.detokenize(ids, special=True)
        again.append(llm.tokenize(text, add_bos=False, special=True) == ids)
    llm.close()
    return np.concatenate(out), all(again)


def types(path):
    return {t.name: t.tensor_type.name for t in gguf.GGUFReader(path).tensors}


def converted(path, out, ftype):
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.nthread, params.allow_requantize = ftype, 2, True
    if llama_cpp.llama_model_quantize(path.encode(), out.encode(), ctypes.byref(params)) != 0:
        raise SystemExit(f"llama.cpp does not convert {path}")


def apart(ours, theirs):
    assert theirs.shape == ours.shape
    d = np.abs(theirs - ours)
    return {"nats": theirs.mean(), "mean_difference": d.mean(), "largest_difference": d.max()}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("files", nargs="+")
    args = p.parse_args()
    source = args.files[0]
    exact = {t.name: gguf.quants.dequantize(t.data, t.tensor_type) for t in gguf.GGUFReader(source).tensors}
    for path in args.files:
        dump = stretches(pathlib.Path(path).with_suffix(".jsonl"))
        ours = np.array([x for s in dump for x in s["result"]])
        lists = [s["ids"] for s in dump]
        name = pathlib.Path(path).stem.split(".")[-1]
        line = {"file": name, "bytes": os.path.getsize(path), "rms": rms(path, exact), "tokens": len(ours), "nats": ours.mean()}
        theirs, line["same_ids"] = losses(path, lists)
        line["llama_cpp"] = apart(ours, theirs)
        with tempfile.TemporaryDirectory() as tmp:
            wide, own = os.path.join(tmp, "wide.gguf"), os.path.join(tmp, "own.gguf")
            converted(path, wide, 0)
            line["llama_cpp_wide"] = apart(ours, losses(wide, lists)[0])
            if path != source:
                converted(source, own, TYPES[name])
                a, b = types(path), types(own)
                line["own"] = {"bytes": os.path.getsize(own), "rms": rms(own, exact), "nats": losses(own, lists)[0].mean(),
                               "other_formats": sorted({f"{a[n]} here, {b[n]} there" for n in a if a[n] != b[n]})}
        line["llama_cpp_python"] = llama_cpp.__version__
        print(json.dumps(short(line)), flush=True)


def short(v):
    if isinstance(v, dict):
        return {k: short(x) for k, x in v.items()}
    return float(f"{v:.6g}") if isinstance(v, float) else v


def rms(path, exact):
    """Root of the mean squared error of all matrices together."""
    total, count = 0.0, 0
    for t in gguf.GGUFReader(path).tensors:
        if len(t.shape) > 1:
            e = gguf.quants.dequantize(t.data, t.tensor_type) - exact[t.name]
            total += float((e.astype(np.float64) ** 2).sum())
            count += e.size
    return float(f"{(total / count) ** 0.5:.6g}")


main()
