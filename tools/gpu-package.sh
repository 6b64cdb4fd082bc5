#!/usr/bin/env bash
#
# Packs what `tiercel bench gpu` needs into one file for a machine that has nothing but a driver: gpu-package.sh FILE.tar.xz
# A runtime with the modules that it takes, the launcher, and the jars without the libraries of other commands. There:
#
#   tar xf FILE.tar.xz && tiercel-gpu/bench-gpu --json gpu.json

set -euo pipefail

readonly root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly MAX_BYTES=$((60 * 1000 * 1000))
# What `jdeps` names of these jars, and the processor's crypto provider for SHA-256 of bundles.
readonly MODULES=java.base,java.desktop,java.management,java.naming,java.sql,java.xml,jdk.management,jdk.unsupported,jdk.zipfs
# DuckDB, Arrow, plots, ONNX Runtime, llama.cpp, TensorRT: of commands that are not run there.
readonly OTHERS='libduckdb|duckdb|arrow-|jfreechart|batik|xmlgraphics|onnxruntime|llama-|tensorrt|cuda-[0-9]|flatbuffers'

fail() {
  printf 'gpu-package: %s\n' "$*" >&2
  exit 3
}

[ $# -eq 1 ] || { printf 'usage: gpu-package.sh FILE.tar.xz\n' >&2; exit 2; }
readonly output=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
readonly package=$work/tiercel-gpu
"$root/tools/package.sh" --without "$OTHERS" --jre "$MODULES" "$package"
cat >"$package/bench-gpu" <<'SCRIPT'
#!/usr/bin/env bash
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
JAVA_HOME=$here/jre TIERCEL_NO_BUILD=1 exec "$here/tools/tiercel" bench gpu "$@"
SCRIPT
chmod +x "$package/bench-gpu"
tar -C "$work" -cJf "$output" tiercel-gpu
readonly bytes=$(stat -c %s "$output")
[ "$bytes" -le "$MAX_BYTES" ] || fail "$output has $bytes bytes, more than $MAX_BYTES"
printf '%s: %s bytes\n' "$output" "$bytes"
