"""Writes quantize_reference.json: the error with which ggml quantizes the rows
that quantize_test.go makes, per format and kind of row.

    python quantize_reference.py > quantize_reference.json

needs numpy and llama-cpp-python 0.3.36, whose shared library holds ggml.
"""

import ctypes
import glob
import json
import os

import llama_cpp
import numpy as np

ROWS, COLS = 64, 512
FORMATS = {"Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q8_0": 8, "Q4_K": 12, "Q6_K": 14}
MASK = (1 << 64) - 1


def splitmix(state):
    """Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def bell(bits):
    """Four numbers of 16 bits, added: near a normal distribution, exact in f32."""
    return (sum(bits >> s & 0xFFFF for s in (0, 16, 32, 48)) - 2 * 65535) / 65536


def rows(kind):
    rng = splitmix(len(kind))
    out = np.empty(ROWS * COLS, np.float32)
    for i in range(ROWS * COLS):
        x = np.float32(bell(next(rng)))
        if kind == "tails":
            x = np.float32(x * x) * x
        elif kind == "outliers" and i % 97 == 0:
            x = x * np.float32(16)
        elif kind == "positive":
            x = abs(x)
        elif kind == "shifted":
            x = x * np.float32(0.25) + np.float32(3)
        elif kind == "uneven":
            x = x * np.float32(2.0 ** -(i // 16 % 8))
        out[i] = x * np.float32(0.0625)
    return out.reshape(ROWS, COLS)


def main():
    lib = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(llama_cpp.__file__), "lib", "libggml-base.so"))[0])
    floats = ctypes.POINTER(ctypes.c_float)
    lib.ggml_quantize_chunk.restype = ctypes.c_size_t
    lib.ggml_quantize_chunk.argtypes = [ctypes.c_int, floats, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [floats]

    class Traits(ctypes.Structure):
        _fields_ = [("name", ctypes.c_char_p), ("block", ctypes.c_int64), ("interleave", ctypes.c_int64), ("size", ctypes.c_size_t),
                    ("quantized", ctypes.c_bool), ("to_float", ctypes.CFUNCTYPE(None, ctypes.c_void_p, floats, ctypes.c_int64))]

    lib.ggml_get_type_traits.restype = ctypes.POINTER(Traits)
    lib.ggml_row_size.restype = ctypes.c_size_t
    lib.ggml_row_size.argtypes = [ctypes.c_int, ctypes.c_int64]
    errors = {}
    for kind in ("bell", "tails", "outliers", "positive", "shifted", "uneven"):
        x = rows(kind)
        for name, number in FORMATS.items():
            packed = ctypes.create_string_buffer(lib.ggml_row_size(number, COLS) * ROWS)
            lib.ggml_quantize_chunk(number, x.ctypes.data_as(floats), packed, 0, ROWS, COLS, None)
            y = np.empty_like(x)
            lib.ggml_get_type_traits(number).contents.to_float(packed, y.ctypes.data_as(floats), x.size)
            error = np.sqrt(np.mean((y.astype(np.float64) - x) ** 2) / np.mean(x.astype(np.float64) ** 2))
            errors.setdefault(kind, {})[name] = float(f"{error:.6g}")
    print(json.dumps({"llama-cpp-python": llama_cpp.__version__, "relative_rms": errors}, indent=1))


main()
