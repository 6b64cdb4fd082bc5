#!/usr/bin/env bash
#
# Fuzzes one target for as long as it is told to: tools/fuzz.sh TARGET SECONDS [ARGUMENT OF LIBFUZZER]...
#
#   JAVA_HOME  the JDK to use, 17 or later; without it, the java in PATH
#
# Goes on from what earlier runs have reached (tools/target/fuzz/TARGET/corpus) and from the committed inputs. Says how
# many inputs were tried, and where a finding was put. Exit codes: 0 nothing found, 1 a finding, 2 bad arguments, 3 the
# build or the fuzzer failed.

set -euo pipefail

readonly TARGETS='frame, safetensors, bundle, config, queue-file, description or gguf'

if [ $# -lt 2 ] || ! [[ $2 =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: tools/fuzz.sh TARGET SECONDS [ARGUMENT]..., where TARGET is $TARGETS" >&2
  exit 2
fi
target=$1
seconds=$2
shift 2
case ", ${TARGETS/ or /, }," in
  *", $target,"*) ;;
  *) echo "target=$target is none of $TARGETS" >&2; exit 2 ;;
esac

cd -P "$(dirname "${BASH_SOURCE[0]}")/.."
work=tools/target/fuzz/$target
log=$work/fuzz.log
mkdir -p "$work"

echo "fuzz: building; log=$work/build.log"
if ! mvn -q -B -pl tools -am -DskipTests package dependency:build-classpath -Dmdep.includeScope=test \
    -Dmdep.outputFile=target/fuzz.classpath >"$work/build.log" 2>&1 </dev/null; then
  cat "$work/build.log" >&2
  exit 3
fi

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
flags=(@tools/target/tiercel/jvm.options -Xmx1g -XX:+UseSerialGC -XX:-UsePerfData -XX:+IgnoreUnrecognizedVMOptions
  --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED -XX:+EnableDynamicAgentLoading
  -Dagrona.disable.bounds.checks=false -Dorg.slf4j.simpleLogger.defaultLogLevel=warn)
memory=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")" tiercel-fuzz.XXXXXX)
trap 'rm -rf "$memory"' EXIT

echo "fuzz: $target for $seconds s; log=$log"
result=0
"$java" "${flags[@]}" "-Djava.io.tmpdir=$memory" \
  -cp "tools/target/classes:tools/target/test-classes:$(cat tools/target/fuzz.classpath)" \
  io.tiercel.tools.system.FuzzRun . "$target" "-max_total_time=$seconds" "$@" >"$log" 2>&1 </dev/null || result=$?

tried=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
reached=$(sed -n 's/^#[0-9]*.*cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
found=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
echo "fuzz: $target: ${tried:-0} inputs tried, ${reached:-0} edges reached"
if [ -n "$found" ]; then
  sed -n '/^== Java Exception/,/^DEDUP_TOKEN/p; /ERROR: libFuzzer/p' "$log"
  echo "fuzz: found; input=$found"
  exit 1
fi
if [ "$result" -ne 0 ]; then
  tail -n 20 "$log" >&2
  echo "fuzz: not run to the end: exit code $result; log=$log" >&2
  exit 3
fi
