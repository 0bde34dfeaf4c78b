"""Speed of llama.cpp on a GGUF: one JSON line.

    python llama_cpp_speed.py FILE.gguf [--prefill 512] [--decode 64] [--repeat 4] [--threads 2]

Prefill is one evaluation of a prompt, decode one token after another behind a
single one; tokens_per_second has the best and the median of the repetitions.
"system" names the instruction sets that the library was built with.
"""

import argparse
import json
import statistics
import time

import llama_cpp


def rates(tokens, seconds):
    return dict(best=round(tokens / min(seconds), 1), median=round(tokens / statistics.median(seconds), 1))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("gguf")
    ap.add_argument("--prefill", type=int, default=512)
    ap.add_argument("--decode", type=int, default=64)
    ap.add_argument("--repeat", type=int, default=4)
    ap.add_argument("--threads", type=int, default=2)
    a = ap.parse_args()
    model = llama_cpp.Llama(a.gguf, n_ctx=max(a.prefill, a.decode) + 64, n_batch=a.prefill, n_ubatch=a.prefill,
                            n_threads=a.threads, n_threads_batch=a.threads, verbose=False)
    ids = [1000 + i % 10000 for i in range(max(a.prefill, a.decode))]

    prefill, decode = [], []
    for _ in range(a.repeat):
        model.reset()
        start = time.perf_counter()
        model.eval(ids[:a.prefill])
        prefill.append(time.perf_counter() - start)
    for _ in range(a.repeat):
        model.reset()
        model.eval([1000])
        start = time.perf_counter()
        for i in ids[:a.decode]:
            model.eval([i])
        decode.append(time.perf_counter() - start)
    print(json.dumps(dict(
        peer="llama.cpp", threads=a.threads, prefill=a.prefill, decode=a.decode,
        tokens_per_second=dict(prefill=rates(a.prefill, prefill), decode=rates(a.decode, decode)),
        system=llama_cpp.llama_print_system_info().decode().strip(), llama_cpp_python=llama_cpp.__version__)))


main()
