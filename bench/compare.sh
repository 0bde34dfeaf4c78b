#!/usr/bin/env bash
# Runs Stroke and its peers on the same work in turn, and prints one line of JSON
# a measurement. See bench/README.md for what the arguments are made with.
#
#     bench/compare.sh PYTHON HF_FOLDER FILE.gguf [ROUNDS]
set -euo pipefail
python=$1 hf=$2 gguf=$3 rounds=${4:-3}
here=$(cd "$(dirname "$0")" && pwd)
stroke=$(mktemp -d)/stroke
(cd "$here/.." && go build -o "$stroke" ./cmd/stroke)

echo "# $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2- | sed 's/^ *//'), $(nproc) cores, $(go version), commit $(git -C "$here" rev-parse --short HEAD)"
"$stroke" bench peak --json
STROKE_KERNEL=avx2 "$stroke" bench peak --json
narrow() { # both sides held to AVX2: PyTorch's own code, oneDNN's and MKL's
  STROKE_KERNEL=avx2 ATEN_CPU_CAPABILITY=avx2 DNNL_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 "$@"
}
for ((i = 0; i < rounds; i++)); do
  narrow "$stroke" bench train --shape 1x512 --base "$gguf" --json
  narrow "$python" "$here/peers/peft_speed.py" "$hf" 2>/dev/null
  narrow "$stroke" bench train --shape 4x256 --base "$gguf" --json
  narrow "$python" "$here/peers/peft_speed.py" "$hf" --batch 4 --length 256 2>/dev/null
  narrow "$stroke" bench train --method full --base "$gguf" --json
  narrow "$python" "$here/peers/peft_speed.py" "$hf" --full 2>/dev/null
  for what in prefill decode; do
    narrow "$stroke" bench $what --base "$gguf" --json
    narrow "$stroke" bench $what --base "$gguf" --adapter --json
  done
  "$python" "$here/peers/llama_cpp_speed.py" "$gguf" 2>/dev/null
  "$stroke" bench train --shape 1x512 --base "$gguf" --json
  "$python" "$here/peers/peft_speed.py" "$hf" 2>/dev/null
  "$python" "$here/peers/peft_speed.py" "$hf" --dtype bf16 2>/dev/null
  "$stroke" bench train --method full --arithmetic bf16 --base "$gguf" --json
  "$stroke" bench train --method full --base "$gguf" --json
  "$stroke" bench train --method full --optimizer adafactor --base "$gguf" --json
  "$python" "$here/peers/peft_speed.py" "$hf" --full 2>/dev/null
  "$python" "$here/peers/peft_speed.py" "$hf" --full --dtype bf16 2>/dev/null
  for what in prefill decode; do
    "$stroke" bench $what --base "$gguf" --json
    "$stroke" bench $what --base "$gguf" --adapter --json
  done
done
