#!/usr/bin/env bash
#
# Compiles the CUDA driver for tests: build_driver.sh OUTPUT_DIRECTORY JAVA_HOME makes libcuda.so.1, which has that name
# inside too, so that whoever looks for a library of the name finds the one that is loaded. What is newer than its
# sources stays.

set -euo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly library=$1/libcuda.so.1
readonly java=$2
readonly main=$here/../../main
readonly cpp=$here/../cpp

if [ -f "$library" ] && [ -z "$(find "$here" "$cpp" "$main/cpp" "$main/cuda" -newer "$library" -print -quit)" ]; then
  exit 0
fi
"${CXX:-g++}" -std=c++17 -O2 -shared -fPIC -fvisibility=hidden -ffp-contract=off -Wall -Wextra -Werror \
  -Wl,-soname,libcuda.so.1 -I "$main/cpp" -I "$main/cuda" -I "$cpp" -I "$java/include" -I "$java/include/linux" \
  "$here/test_driver.cpp" "$cpp/emulation.cpp" -o "$library.new" -pthread
mv "$library.new" "$library"
