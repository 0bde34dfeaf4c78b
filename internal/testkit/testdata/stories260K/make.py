"""Makes the greedy vector of stories260K (a toy Llama trained on short stories).

    python make.py FOLDER            (numpy; FOLDER holds stories260K.bin and tok512.bin)

stories260K.bin, format v0 of llama2.c, all little-endian:

    int32[7]  dim 64, hidden_dim 172, n_layers 5, n_heads 8, n_kv_heads 4, vocab_size 512, seq_len 512
              a negative vocab_size says that the head is not tied; the size is its absolute value
    float32   then, each matrix [out, in] with rows of in, one array for all layers:
              token_embedding [vocab, dim]
              attention norm  [layers, dim]
              wq [layers, n_heads*hd, dim]   wk [layers, n_kv_heads*hd, dim]
              wv [layers, n_kv_heads*hd, dim]   wo [layers, dim, n_heads*hd]          hd = dim/n_heads
              ffn norm        [layers, dim]
              w1 (gate) [layers, hidden, dim]   w2 (down) [layers, dim, hidden]   w3 (up) [layers, hidden, dim]
              final norm      [dim]
              cos and sin tables [seq_len, hd/2] each, no longer read: RoPE is computed, theta 10000
              head [vocab, dim], only where it is not tied

RoPE turns the pairs (2i, 2i+1) of a head (interleaved, the order that GGUF keeps
for llama; Hugging Face folders have (i, i+hd/2)). RMSNorm eps 1e-5; scores are
divided by sqrt(hd); query head h reads KV head h / (n_heads/n_kv_heads); the FFN
is w2(silu(w1 x) * w3 x); ids: 0 unknown, 1 BOS, 2 EOS, 3..258 the bytes <0x00>..<0xFF>.

tok512.bin: int32 max_token_length, then for each id float32 score, int32 length,
the bytes. A token right after BOS loses one leading space; BOS ends a story.

The prompt is BOS alone. greedy.json holds the most likely tokens until BOS comes
or 256 positions are used, their text, the logits of the first position and the
smallest margin between the two largest logits of a position. The same ids and text
come out in f64, in f32, and of run.c of llama2.c (-t 0.0 -n 256).
"""

import json
import os
import re
import struct
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
POSITIONS = 256


def read_model(path, dtype):
    raw = open(path, "rb").read()
    dim, hidden, layers, heads, kv, vocab, seq = struct.unpack_from("<7i", raw)
    tied, vocab, hd = vocab > 0, abs(vocab), dim // heads
    flat = np.frombuffer(raw, "<f4", offset=28).astype(dtype)
    at = 0

    def take(*shape):
        nonlocal at
        n = int(np.prod(shape))
        at += n
        return flat[at - n:at].reshape(shape)

    w = dict(embed=take(vocab, dim), anorm=take(layers, dim),
             wq=take(layers, heads * hd, dim), wk=take(layers, kv * hd, dim), wv=take(layers, kv * hd, dim),
             wo=take(layers, dim, heads * hd), fnorm=take(layers, dim),
             w1=take(layers, hidden, dim), w2=take(layers, dim, hidden), w3=take(layers, hidden, dim),
             norm=take(dim))
    take(2, seq, hd // 2)
    w["head"] = w["embed"] if tied else take(vocab, dim)
    assert at == len(flat), (at, len(flat))
    return w, heads, kv, hd


def read_vocab(path, size):
    raw, at, pieces = open(path, "rb").read(), 4, []
    for _ in range(size):
        _, n = struct.unpack_from("<fi", raw, at)
        pieces.append(raw[at + 8:at + 8 + n])
        at += 8 + n
    assert at == len(raw)
    return pieces


def rms(x, weight):
    return weight * (x / np.sqrt(np.mean(x * x, dtype=x.dtype) + x.dtype.type(1e-5)))


def rotate(x, pos, hd):
    """x [heads, hd]"""
    angle = (pos * 10000.0 ** (-np.arange(0, hd, 2) / hd)).astype(x.dtype)
    c, s, a, b = np.cos(angle), np.sin(angle), x[:, 0::2], x[:, 1::2]
    out = np.empty_like(x)
    out[:, 0::2], out[:, 1::2] = a * c - b * s, a * s + b * c
    return out


def generate(path, dtype):
    w, heads, kv, hd = read_model(path, dtype)
    cache = [([], []) for _ in w["anorm"]]
    token, ids, first, margin = 1, [], None, np.inf
    for pos in range(POSITIONS):
        x = w["embed"][token]
        for l, (ks, vs) in enumerate(cache):
            h = rms(x, w["anorm"][l])
            q = rotate((w["wq"][l] @ h).reshape(heads, hd), pos, hd)
            ks.append(rotate((w["wk"][l] @ h).reshape(kv, hd), pos, hd))
            vs.append((w["wv"][l] @ h).reshape(kv, hd))
            k, v, out = np.stack(ks, 1), np.stack(vs, 1), []
            for i in range(heads):
                s = k[i // (heads // kv)] @ q[i] / np.sqrt(dtype(hd))
                s = np.exp(s - s.max())
                out.append(s @ v[i // (heads // kv)] / s.sum())
            x = x + w["wo"][l] @ np.concatenate(out)
            h = rms(x, w["fnorm"][l])
            gate = w["w1"][l] @ h
            x = x + w["w2"][l] @ (gate / (1 + np.exp(-gate)) * (w["w3"][l] @ h))
        logits = w["head"] @ rms(x, w["norm"])
        assert logits.dtype == dtype
        if first is None:
            first = logits
        two = np.sort(logits)[-2:]
        margin = min(margin, float(two[1] - two[0]))
        token = int(np.argmax(logits))
        if token == 1:
            break
        ids.append(token)
    return ids, first, margin, len(w["embed"])


def text_of(ids, pieces):
    out, before = b"", 1
    for i in ids:
        piece = pieces[i]
        if before == 1 and piece[:1] == b" ":
            piece = piece[1:]
        byte = re.fullmatch(rb"<0x([0-9A-F]{2})>", piece)
        out += bytes([int(byte[1], 16)]) if byte else piece
        before = i
    return out.decode()


def main(folder):
    path = os.path.join(folder, "stories260K.bin")
    ids, first, margin, vocab = generate(path, np.float64)
    assert generate(path, np.float32)[0] == ids
    text = text_of(ids, read_vocab(os.path.join(folder, "tok512.bin"), vocab))
    with open(os.path.join(HERE, "greedy.json"), "w") as f:
        json.dump(dict(bos=1, ids=ids, text=text, min_margin=round(margin, 6),
                       first_logits=[round(float(v), 7) for v in first]), f, separators=(",", ":"))
        f.write("\n")
    print(len(ids), margin)
    print(text)


main(sys.argv[1])
