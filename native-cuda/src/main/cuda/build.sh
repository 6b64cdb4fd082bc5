#!/usr/bin/env bash
#
# Compiles the CUDA kernels: build.sh OUTPUT_FILE makes one fat binary, with machine code for the generations of GPUs
# that this nvcc knows and PTX for the driver to compile for any other; what is newer than its sources stays.
# build.sh OUTPUT_FILE TARGET makes PTX for one target (80, 90a, ...), to be looked at.

set -euo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly output=$1
readonly nvcc=${NVCC:-nvcc}
# No fused multiply-add, and IEEE division with denormals: the results would not be those of the specification.
readonly flags=(-std=c++17 -O3 -fmad=false -prec-div=true -prec-sqrt=true -ftz=false -I "$here/../cpp")

mkdir -p "$(dirname "$output")"
if [ "$#" -gt 1 ]; then
  exec "$nvcc" "${flags[@]}" -ptx -arch "compute_$2" -o "$output" "$here/kernels.cu"
fi
if [ -f "$output" ] && [ -z "$(find "$here" "$here/../cpp" -newer "$output" -print -quit)" ]; then
  exit 0
fi
known=$("$nvcc" --list-gpu-code)
targets=(-gencode arch=compute_80,code=compute_80)
for target in 80 89 90a 100 120; do
  # What is for one generation alone, as 90a, is not in every version's list.
  if grep -qx "sm_${target%a}" <<<"$known"; then
    targets+=(-gencode "arch=compute_$target,code=sm_$target")
  fi
done
"$nvcc" "${flags[@]}" "${targets[@]}" --threads 2 -fatbin -o "$output" "$here/kernels.cu"
