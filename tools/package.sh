#!/usr/bin/env bash
#
# Packs what is built into one folder or file that runs without the sources, without Maven and without a network:
#
#   package.sh [--without PATTERN] [--jre MODULES] OUTPUT
#
#   OUTPUT             a folder that is not there yet, or a file that ends in .tar.gz or .tar.xz with one folder in it
#   --without PATTERN  leaves out the libraries whose names begin with this (extended regular expression)
#   --jre MODULES      adds a runtime of JAVA_HOME with these modules, so that the other machine needs no Java
#
# ops/install.sh, in the package, installs it; ops/INSTALL.md, beside it, has every step.

set -euo pipefail

readonly root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  printf 'package: %s\n' "$*" >&2
  exit 3
}

usage() {
  printf 'usage: package.sh [--without PATTERN] [--jre MODULES] OUTPUT\n' >&2
  exit 2
}

without=
modules=
while [ $# -gt 1 ]; do
  case $1 in
    --without) without=$2 ;;
    --jre) modules=$2 ;;
    *) usage ;;
  esac
  shift 2
done
[ $# -eq 1 ] && [ -n "$1" ] && [ "${1#-}" = "$1" ] || usage
readonly output=$1
[ ! -e "$output" ] || fail "$output is there already"

# Of the build that is packed: two builds of one version are two versions to an installation.
version=$("$root/tools/tiercel" --version | sed -n '1s/^tiercel \([^ ]*\) commit \([^ ]*\)$/\1-\2/p')
[ -n "$version" ] || fail "tiercel --version does not say which"
readonly built=$root/tools/target/tiercel

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
readonly package=$work/tiercel-$version
mkdir -p "$package/tools/target/tiercel/lib" "$package/ops"
printf '%s\n' "$version" >"$package/VERSION"
cp -p "$root/LICENSE" "$package"
cp -p "$root/tools/tiercel" "$package/tools"
find "$built" -maxdepth 1 -type f ! -name '*.log' ! -name '*.lock' -exec cp -p {} "$package/tools/target/tiercel" \;
for file in "$built"/lib/*; do
  [ -n "$without" ] && [[ ${file##*/} =~ ^($without) ]] || cp -p "$file" "$package/tools/target/tiercel/lib"
done
cp -pR "$root"/ops/{install.sh,INSTALL.md,systemd,host,etc} "$package/ops"
if [ -n "$modules" ]; then
  readonly java_home=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
  [ -x "$java_home/bin/jlink" ] || fail "no jlink in $java_home: set JAVA_HOME to a JDK"
  "$java_home/bin/jlink" --add-modules "$modules" --strip-debug --no-header-files --no-man-pages --compress=2 \
    --output "$package/jre" 2>/dev/null || fail "jlink cannot make a runtime of $java_home"
fi
case $output in
  *.tar.gz | *.tar.xz) tar -C "$work" -caf "$output" "tiercel-$version" ;;
  *) mv "$package" "$output" ;;
esac
printf '%s: version %s\n' "$output" "$version"
