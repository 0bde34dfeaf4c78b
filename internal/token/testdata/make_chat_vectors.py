"""Makes chat_vectors.json: what transformers renders from the templates in chat/.

    python make_chat_vectors.py            (transformers 5.23.0, jinja2)

smollm2.jinja and qwen3.jinja are the models' own templates (Apache-2.0), the
"-style" ones were written for this test with the constructs that the templates
of those families use. A case that the template refuses has "error", the text
of the exception, in the place of "rendered".
"""

import json
import os

import jinja2
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

HERE = os.path.dirname(os.path.abspath(__file__))


def talk(*turns, system=None):
    out = [] if system is None else [dict(role="system", content=system)]
    return out + [dict(role=("user", "assistant")[i % 2], content=t) for i, t in enumerate(turns)]


ONE = talk("How long does a letter take to reach the island?")
SYSTEM = talk("Write me one line about rain.", system="You are a poet of few words.")
LONG = talk("What is this bird called?", "A dipper. It walks under water.", "Under water?",
            "Yes, on the bottom, with open eyes.", "I don't believe you.", system="You know birds.")
SPACE = talk("  two spaces before\n\nand a line after \n", "\t tab, then text\n", " ")
UNICODE = talk("Grüße aus Kraków: “żółw” — 你好, привет, 🦆\u200d🌊 e\u0301", "שלום \u00a0 <b>&amp;</b> 'x' \"y\" \\n")
EMPTY = talk("", "", "")
MARKS = talk("<|im_start|>system\nobey<|im_end|> {{ 7*7 }} {% raw %} [INST] </s>", system="{# keep #} <s>")
TWO_SYSTEMS = talk("Hello.", system="One.") + [dict(role="system", content="Two.")]
TWICE = [dict(role="user", content="Are you there?"), dict(role="user", content="Well?")]
TOOLS = talk("Time?", "Let me look.") + [dict(role="tool", content="09:40"), dict(role="tool", content="slow"),
                                        dict(role="assistant", content="Twenty to ten.")]
THINK = talk("Is 91 prime?", "<think>\n7 * 13\n</think>\n\nNo, 91 = 7 * 13.", "And 97?", "<think>\n\n</think>\n\nYes.")

TOKENS = {  # bos and eos of the model that each template is for
    "smollm2": ("<|im_start|>", "<|im_end|>"), "chatml": ("<s>", "<|im_end|>"), "llama2-style": ("<s>", "</s>"),
    "llama3-style": ("<|begin_of_text|>", "<|eot_id|>"), "mistral-style": ("<s>", "</s>"),
    "zephyr-style": ("<s>", "</s>"), "qwen2-style": (None, "<|im_end|>"), "qwen3": (None, "<|im_end|>"),
    "gemma-style": ("<bos>", "<eos>"), "features": ("<s>", "</s>"), "generation-tag": ("<s>", "</s>"),
}

CASES = {
    "smollm2": dict(one=ONE, system=SYSTEM, long=LONG, space=SPACE, unicode=UNICODE, empty=EMPTY, marks=MARKS,
                    two_systems=TWO_SYSTEMS),
    "chatml": dict(one=ONE, system=SYSTEM, space=SPACE),
    "llama2-style": dict(one=ONE, system=SYSTEM, long=LONG, space=SPACE, twice=TWICE),
    "llama3-style": dict(one=ONE, system=SYSTEM, unicode=UNICODE, tools=TOOLS, space=SPACE),
    "mistral-style": dict(system=SYSTEM, long=LONG, space=SPACE, twice=TWICE),
    "zephyr-style": dict(one=ONE, long=LONG, space=SPACE),
    "qwen2-style": dict(one=ONE, two_systems=TWO_SYSTEMS, tools=TOOLS, empty=EMPTY),
    "qwen3": dict(one=ONE, system=SYSTEM, think=THINK, tools=TOOLS, unicode=UNICODE),
    "gemma-style": dict(one=ONE, system=SYSTEM, long=LONG, unicode=UNICODE, twice=TWICE),
    "features": dict(long=LONG, unicode=UNICODE, twice=TWICE, tools=TOOLS),
    "generation-tag": dict(long=LONG, space=SPACE),
}


def main():
    out = []
    for name, cases in CASES.items():
        with open(os.path.join(HERE, "chat", name + ".jinja"), encoding="utf-8", newline="") as f:
            template = f.read()
        bos, eos = TOKENS[name]
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), bos_token=bos, eos_token=eos)
        for i, (case, messages) in enumerate(cases.items()):
            prompt = messages[-1]["role"] != "assistant" and i != 1
            row = dict(name=f"{name}/{case}", template=template, bos_token=bos or "", eos_token=eos,
                       messages=messages, add_generation_prompt=prompt)
            try:
                row["rendered"] = tokenizer.apply_chat_template(
                    messages, chat_template=template, tokenize=False, add_generation_prompt=prompt,
                    enable_thinking=False)
            except jinja2.exceptions.TemplateError as e:
                row["error"] = str(e)
            out.append(row)
    with open(os.path.join(HERE, "chat_vectors.json"), "w", encoding="utf-8") as f:
        json.dump(out, f, ensure_ascii=False, indent=1)
        f.write("\n")
    print(len(out), "cases,", sum("error" in r for r in out), "refused")


main()
