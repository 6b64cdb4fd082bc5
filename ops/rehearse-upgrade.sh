#!/usr/bin/env bash
#
# Goes through INSTALL.md's upgrade and roll-back with a real appliance under load, below a temporary folder:
#
#   rehearse-upgrade.sh OLD NEW      two unpacked packages of tools/package.sh
#
# The old version is installed and serves; the new one is installed while it serves, and takes over at a restart; it is
# killed (kill -9), and the old one goes on with the same journal. Nothing that was sent may be unanswered, each start
# must find what was answered before, bit for bit, and at the end the whole journal must replay by both versions. Exit
# code 0 only if all of it holds. It starts an appliance and ends it, listens nowhere, and leaves nothing behind.

set -euo pipefail

readonly sources=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly RATE=200
readonly SECONDS_OF_LOAD=2
readonly START_SECONDS=120

fail() {
  printf 'rehearse: %s\n' "$*" >&2
  [ ! -f "$root/serve.log" ] || tail -n 20 "$root/serve.log" >&2
  exit 1
}

step() {
  printf '\n== %s\n' "$*"
}

run() {
  printf '$ %s\n' "$*"
  "$@"
}

[ $# -eq 2 ] && [ -f "$1/VERSION" ] && [ -f "$2/VERSION" ] || {
  printf 'usage: rehearse-upgrade.sh OLD NEW\n' >&2
  exit 2
}
readonly old=$1 new=$2
root=$(mktemp -d)
readonly root aeron=/dev/shm/tiercel-rehearsal-$$
readonly tiercel=$root/opt/tiercel/current/tools/tiercel
export TIERCEL_NO_BUILD=1
pid=
finish() {
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  rm -rf "$root" "$aeron"
}
trap finish EXIT

# As the unit does it.
start() {
  printf '$ systemctl start tiercel   (here: %s serve)\n' "${tiercel#"$root"}"
  "$tiercel" serve --config "$root/etc/tiercel/tiercel.yaml" >"$root/serve.log" 2>&1 &
  pid=$!
  local waited=0
  until grep -q '^ready' "$root/serve.log"; do
    kill -0 "$pid" 2>/dev/null || fail "the appliance ended before it was ready"
    [ "$waited" -lt $((START_SECONDS * 10)) ] || fail "the appliance was not ready in $START_SECONDS s"
    waited=$((waited + 1))
    sleep 0.1
  done
  grep -E '^(tiercel |recovered:|open to others:)' "$root/serve.log" || true
  grep -q "^tiercel .* commit $1\$" "$root/serve.log" || fail "not version $1 runs"
  [ "$answered" -eq 0 ] || grep -q "^recovered:.* next-sequence=$answered " "$root/serve.log" ||
    fail "not all $answered answers were found again"
}

# As a version does that is rolled back in a hurry.
crash() {
  printf '$ kill -9 %s\n' "$pid"
  kill -9 "$pid"
  wait "$pid" 2>/dev/null || true
  pid=
}

stop() {
  printf '$ systemctl stop tiercel\n'
  kill "$pid"
  wait "$pid" || [ $? -eq 143 ] || fail "the appliance did not end in order"
  pid=
  grep '^stopped:' "$root/serve.log"
  grep -q '^stopped:.* drained=true' "$root/serve.log" || fail "not drained"
}

# Exits 1 itself if a request is not answered.
load() {
  "$tiercel" load --aeron-dir "$aeron" --principal desk-7 --key "$root/desk-7.key" --rate "$RATE" \
    --duration "${SECONDS_OF_LOAD}s" >"$root/load.log" 2>&1 || { cat "$root/load.log" >&2; fail "load"; }
  grep -E '^answered=' "$root/load.log"
  grep -qE "^answered=$((RATE * SECONDS_OF_LOAD)) .*rejected=0 lost=0 " "$root/load.log" || fail "not all was answered"
  answered=$((answered + RATE * SECONDS_OF_LOAD))
}

commit_of() {
  sed 's/.*SNAPSHOT-//; s/^[0-9.]*-//' "$1/VERSION"
}

answered=0
step "install $(cat "$old/VERSION")"
run "$old/ops/install.sh" --root "$root"
run "$tiercel" ops key desk-7 --keys "$root/etc/tiercel/keys" --client "$root/desk-7.key"
cat >"$root/etc/tiercel/tiercel.yaml" <<CONFIGURATION
name: rehearsal
layout: compact
idle: backoff
aeron:
  directory: $aeron
journal:
  directory: $root/var/lib/tiercel/journal
  block-size: 16m
  populate-ahead: 1m
access:
  keys: $root/etc/tiercel/keys
models:
  - alias: flow
    bundle: $sources/tools/src/main/resources/io/tiercel/tools/models/bitstamp-int8.safetensors
CONFIGURATION
start "$(commit_of "$old")"
load

step "upgrade to $(cat "$new/VERSION"), while the old one serves"
run "$new/ops/install.sh" --upgrade --root "$root"
load
stop
start "$(commit_of "$new")"
load

step "roll back to $(cat "$old/VERSION"), after the new one has died"
crash
run "$root/opt/tiercel/current/ops/install.sh" --roll-back --root "$root"
start "$(commit_of "$old")"
load
stop

step "the journal of all of it, by both versions"
for package in "$old" "$new"; do
  run "$package/tools/tiercel" replay verify --journal "$root/var/lib/tiercel/journal" | tee "$root/verify.log"
  grep -q "$answered of $answered .*identical" "$root/verify.log" || fail "not all $answered answers replay"
done
printf '\nrehearse: %s answers over an upgrade and a roll-back, none lost, all identical\n' "$answered"
