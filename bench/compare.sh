#!/usr/bin/env bash
# Runs Stroke and its peers on the same work in turn, and prints one line of JSON
# a measurement, with what README's table of figures has among them: first both held
# to AVX2, then each with what the machine has.
#
#     bench/compare.sh FILE.gguf [ROUNDS] > RESULTS.jsonl
#
# FILE.gguf is SmolLM2-135M-Instruct in Q4_1; it is also measured in Q8_0 and Q4_0,
# as stroke quantize writes it. Peers are named by variables, and a peer that is not
# is left out; peers/README.md says how to make them:
#
#     PYTHON           Python with PEFT, and llama-cpp-python if that is built for AVX2
#     HF               folder that peers/gguf_to_hf.py makes of FILE.gguf, for PEFT
#     LLAMA            program of peers/llama_cpp_decode.c
#     LLAMA_LIBS       folder of llama.cpp's libraries, for LLAMA
#     LLAMA_LIBS_AVX2  the same with no code but that for Haswell
#
# REPEATS is how often stroke bench measures each thing.
set -euo pipefail
if [[ $# -lt 1 || $# -gt 2 || ! -f $1 ]]; then
  echo "usage: [PYTHON=… HF=…] [LLAMA=… LLAMA_LIBS=… LLAMA_LIBS_AVX2=…] $0 FILE.gguf [ROUNDS] > RESULTS.jsonl" >&2
  exit 1
fi
gguf=$(realpath "$1") rounds=${2:-3}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$here/.." && go build -o "$work/stroke" ./cmd/stroke)

stroke() { # stroke bench with these arguments
  "${as[@]}" "$work/stroke" bench "$@" ${REPEATS:+--repeats "$REPEATS"} --json
}
peer() { # a program of others, whose warnings are shown where it fails
  "${as[@]}" "$@" 2>"$work/said" || { cat "$work/said" >&2; exit 1; }
}
peft() { if [[ -n ${PYTHON-} && -n ${HF-} ]]; then peer "$PYTHON" "$here/peers/peft_speed.py" "$HF" "$@"; fi; }
llama() { # FILE FOLDER
  if [[ -n ${LLAMA-} && -n $2 ]]; then peer "$LLAMA" "$1" "$2"; fi
}
texts() { # reads and writes: FOLDER of llama.cpp's libraries
  for file in "$gguf" "$work/q8_0.gguf" "$work/q4_0.gguf"; do
    stroke prefill --base "$file"
    stroke decode --base "$file"
    llama "$file" "$1"
  done
  stroke prefill --adapter --base "$gguf"
  stroke decode --adapter --base "$gguf"
  stroke streams --base "$gguf"
  stroke first --base "$gguf"
}

avx2=(env STROKE_KERNEL=avx2 ATEN_CPU_CAPABILITY=avx2 DNNL_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2) # PyTorch's own code, oneDNN's and MKL's
all=(env)

echo "# $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2- | sed 's/^ *//'), $(nproc) cores, $(go version), commit $(git -C "$here" rev-parse --short HEAD), $(date -u +%F)"
for to in q8_0 q4_0; do
  "$work/stroke" quantize "$gguf" --to $to --no-loss --quiet -o "$work/$to.gguf" >"$work/said"
done
"${all[@]}" "$work/stroke" bench peak --json
"${avx2[@]}" "$work/stroke" bench peak --json
for ((i = 0; i < rounds; i++)); do
  as=("${avx2[@]}")
  stroke train --shape 1x512 --base "$gguf"
  peft
  stroke train --shape 1x512 --memory 260M --base "$gguf"
  stroke train --shape 4x256 --base "$gguf"
  peft --batch 4 --length 256
  stroke train --method full --base "$gguf"
  peft --full
  texts "${LLAMA_LIBS_AVX2-}"
  if [[ -n ${PYTHON-} ]] && "$PYTHON" -c 'import llama_cpp' 2>/dev/null; then
    peer "$PYTHON" "$here/peers/llama_cpp_speed.py" "$gguf"
  fi

  as=("${all[@]}")
  stroke train --shape 1x512 --base "$gguf"
  peft
  peft --dtype bf16
  stroke train --shape 1x512 --memory 260M --base "$gguf"
  stroke train --shape 1x512 --exact --base "$gguf"
  stroke train --shape 4x256 --base "$gguf"
  peft --batch 4 --length 256 --dtype bf16
  stroke train --method full --arithmetic bf16 --base "$gguf"
  peft --full --dtype bf16
  stroke train --method full --base "$gguf"
  stroke train --method full --optimizer adafactor --base "$gguf"
  peft --full
  texts "${LLAMA_LIBS-}"
done
