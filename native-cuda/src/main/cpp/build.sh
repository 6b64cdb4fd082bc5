#!/usr/bin/env bash
#
# Compiles the CPU kernels, and the host side of the CUDA kernels, into a static library: build.sh OUTPUT_DIRECTORY
# [FLAG...]. What is newer than its sources stays.
# Each instruction set has a file of its own, and only that file is compiled for it: the others run anywhere.

set -euo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly output=$1
shift
readonly cxx=${CXX:-g++}
# No fused multiply-add, ever: the results would not be those of the specification.
readonly flags=(-std=c++17 -O3 -fPIC -pthread -fvisibility=hidden -ffp-contract=off -fno-math-errno -Wall -Wextra -Wno-psabi -I "$here" "$@")

sources=(memory team lstm transformer tiercel_cpu kernels_portable ../cuda/tiercel_cuda)
if [ "$(uname -m)" = x86_64 ]; then
  sources+=(kernels_avx2 kernels_avx512)
fi

flags_of() {
  case $1 in
    kernels_avx2) echo "-mavx2 -Wno-ignored-attributes" ;;
    # GCC 12 finds its own intrinsics uninitialised.
    kernels_avx512) echo "-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -Wno-ignored-attributes -Wno-uninitialized -Wno-maybe-uninitialized" ;;
  esac
}

mkdir -p "$output"
library=$output/libtiercel_kernels.a
if [ -f "$library" ] && [ -z "$(find "$here" "$here/../cuda" -newer "$library" -print -quit)" ]; then
  exit 0
fi
objects=()
running=()
for source in "${sources[@]}"; do
  # shellcheck disable=SC2046 # several flags in one word
  "$cxx" "${flags[@]}" $(flags_of "$source") -c "$here/$source.cpp" -o "$output/${source##*/}.o" &
  running+=($!)
  objects+=("$output/${source##*/}.o")
done
for job in "${running[@]}"; do
  wait "$job"
done
rm -f "$library"
ar rcs "$library" "${objects[@]}"
