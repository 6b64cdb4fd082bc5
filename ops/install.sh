#!/usr/bin/env bash
#
# Installs the package that this file stands in. INSTALL.md beside it has the steps around it.
#
#   install.sh [--java HOME] [--isolate CPUS] [--root DIR]   the first time, and again: it mends what is not as it was
#   install.sh --upgrade [--java HOME] [--root DIR]          puts this version beside the others, and makes it the
#                                                            current one
#   install.sh --roll-back [--root DIR]                      makes the version before the current one again
#
#   --java HOME     the Java of the services; without it the one in /etc/tiercel/environment, JAVA_HOME, the package's
#                   own runtime, or the java in PATH
#   --isolate CPUS  also installs the kernel command line that sets these cores apart, as in 2-7; it needs update-grub
#                   and a restart of the machine
#   --root DIR      installs below DIR and touches nothing else: no user, no owners, no service is told
#
# A version is a folder of its own below /opt/tiercel, and what runs is /opt/tiercel/current, a link that is replaced in
# one step. Nothing here starts, stops or restarts a service, changes a setting of the running kernel, writes over a
# configuration, or removes a version. Exit codes: 0 done, 2 bad arguments, 3 the environment failed.

set -euo pipefail
umask 022

readonly USER_NAME=tiercel
readonly package=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  printf 'install: %s\n' "$*" >&2
  exit 3
}

bad_arguments() {
  printf 'install: %s (see the head of %s)\n' "$*" "${BASH_SOURCE[0]}" >&2
  exit 2
}

say() {
  printf 'install: %s\n' "$*"
}

# Makes a folder with a mode, and an owner where the whole machine is meant; mends both where it is there.
folder() {
  local mode=$1 owner=$2 path=$3
  install -d -m "$mode" "$root$path"
  owned "$owner" "$path"
}

owned() {
  if [ -z "$root" ]; then
    chown "$1" "$2"
  fi
}

# A file of ours, which is replaced; what somebody wants otherwise goes into a drop-in beside it.
our_file() {
  local source=$1 path=$2
  if ! cmp -s "$source" "$root$path"; then
    install -D -m 0644 "$source" "$root$path"
    say "$root$path written"
  fi
}

# A file of the operator's: written once.
their_file() {
  local mode=$1 owner=$2 source=$3 path=$4
  if [ ! -e "$root$path" ]; then
    install -D -m "$mode" "$source" "$root$path"
    owned "$owner" "$path"
    say "$root$path written: look at it before you start"
  fi
}

make_user() {
  if [ -n "$root" ]; then
    say "with --root there is no user $USER_NAME, and everything belongs to whoever runs this"
    return
  fi
  if ! getent passwd "$USER_NAME" >/dev/null; then
    useradd --system --user-group --home-dir /var/lib/tiercel --no-create-home --shell /usr/sbin/nologin "$USER_NAME"
    say "user $USER_NAME made"
  fi
}

# Copied beside, tried, and then put in place in one step: half a version has no name.
put_version() {
  if [ -e "$versions/$version" ]; then
    [ "$(cat "$versions/$version/VERSION" 2>/dev/null)" = "$version" ] || fail "$versions/$version is another thing"
    say "$versions/$version is there"
    return
  fi
  part=$versions/.part-$$
  cp -R --preserve=mode,timestamps "$package" "$part"
  chmod -R go-w "$part"
  # The archive of loaded classes holds paths, so it is made where it will be read, not here: a file is in its way.
  rm -rf "$part/tools/target/tiercel/cds"
  : >"$part/tools/target/tiercel/cds"
  try "$part" "$version"
  rm -f "$part/tools/target/tiercel/cds"
  mv -T "$part" "$versions/$version"
  JAVA_HOME=$(java_in "$versions/$version") TIERCEL_NO_BUILD=1 "$versions/$version/tools/tiercel" --version \
    >/dev/null 2>&1 || true
  say "$versions/$version installed"
}

target_of() {
  readlink "$versions/$1" 2>/dev/null || true
}

point() {
  local name=$1 target=$2
  ln -sfn "$target" "$versions/.$name-$$"
  mv -T "$versions/.$name-$$" "$versions/$name"
}

switch_to() {
  local next=$1 before
  before=$(target_of current)
  if [ "$before" = "$next" ]; then
    say "current=$next already"
    return
  fi
  [ -z "$before" ] || point previous "$before"
  point current "$next"
  say "current=$next previous=${before:-none}"
}

install_environment() {
  local file=$work/environment
  sed "s|@JAVA_HOME@|$java_of_services|" "$package/ops/etc/environment" >"$file"
  their_file 0644 root:root "$file" /etc/tiercel/environment
  grep -qxF "JAVA_HOME=$java_of_services" "$root/etc/tiercel/environment" ||
    say "$root/etc/tiercel/environment names another Java than $java_of_services, which was tried"
}

install_host_files() {
  our_file "$package/ops/host/60-tiercel.conf" /etc/sysctl.d/60-tiercel.conf
  if [ -n "$isolate" ]; then
    sed "s|@CPUS@|$isolate|g" "$package/ops/host/60-tiercel.cfg" >"$work/60-tiercel.cfg"
    our_file "$work/60-tiercel.cfg" /etc/default/grub.d/60-tiercel.cfg
  fi
}

install_all() {
  make_user
  folder 0755 root:root /opt/tiercel
  folder 0755 root:root /etc/tiercel
  folder 0700 "$USER_NAME:$USER_NAME" /etc/tiercel/keys
  folder 0700 "$USER_NAME:$USER_NAME" /var/lib/tiercel
  put_version
  install_environment
  their_file 0640 "root:$USER_NAME" "$package/ops/etc/tiercel.yaml" /etc/tiercel/tiercel.yaml
  local unit
  for unit in "$package"/ops/systemd/*.service; do
    our_file "$unit" "/etc/systemd/system/${unit##*/}"
  done
  install_host_files
  mkdir -p "$root/usr/local/bin"
  ln -sfn /opt/tiercel/current/tools/tiercel "$root/usr/local/bin/tiercel"
  if [ -z "$root" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
  fi
}

# Where the services' Java is once a folder's version is the current one.
java_in() {
  local folder=$1
  case $java_of_services in
    /opt/tiercel/current/*) printf '%s' "$folder/${java_of_services#/opt/tiercel/current/}" ;;
    *) printf '%s' "$java_of_services" ;;
  esac
}

read_environment() {
  if [ -r "$root/etc/tiercel/environment" ]; then
    sed -n 's/^JAVA_HOME=//p' "$root/etc/tiercel/environment"
  fi
}

find_java() {
  java_of_services=$java
  [ -n "$java_of_services" ] || java_of_services=$(read_environment)
  [ -n "$java_of_services" ] || java_of_services=${JAVA_HOME:-}
  if [ -z "$java_of_services" ] && [ -x "$package/jre/bin/java" ]; then
    java_of_services=/opt/tiercel/current/jre
  fi
  if [ -z "$java_of_services" ]; then
    local found
    found=$(command -v java) || fail "no Java: give --java HOME, or install one (Debian: openjdk-17-jre-headless)"
    java_of_services=$(cd -P "$(dirname "$(readlink -f "$found")")/.." && pwd)
  fi
}

# Ends everything if a folder's version does not run as the services would.
try() {
  local folder=$1 name=$2
  java=$(java_in "$folder")
  [ -x "$java/bin/java" ] || fail "version=$name finds no java in $java_of_services (--java, or JAVA_HOME in" \
    "/etc/tiercel/environment): nothing is changed"
  JAVA_HOME=$java TIERCEL_NO_BUILD=1 "$folder/tools/tiercel" --version >/dev/null ||
    fail "version=$name does not run with java=$java: nothing is changed"
}

root=
java=
isolate=
action=install
while [ $# -gt 0 ]; do
  case $1 in
    --root | --java | --isolate) [ $# -gt 1 ] && [ -n "$2" ] || bad_arguments "$1 needs a value" ;;
  esac
  case $1 in
    --root) root=$2 && shift ;;
    --java) java=$2 && shift ;;
    --isolate) isolate=$2 && shift ;;
    --upgrade) action=upgrade ;;
    --roll-back) action=roll-back ;;
    *) bad_arguments "unknown argument $1" ;;
  esac
  shift
done
[[ -z $isolate || $isolate =~ ^[0-9]+([-,][0-9]+)*$ ]] || bad_arguments "--isolate $isolate is no list of cores"
if [ -n "$root" ]; then
  [ -d "$root" ] || bad_arguments "--root $root is no folder"
  root=$(cd -P "$root" && pwd)
  [ "$root" != / ] || root=
fi
[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || fail "must be root, or be given --root DIR"
readonly root isolate action
readonly versions=$root/opt/tiercel
part=
work=$(mktemp -d)
trap 'rm -rf "$work" ${part:+"$part"}' EXIT

if [ "$action" = roll-back ]; then
  before=$(target_of previous)
  [ -n "$before" ] || fail "there is no version before $(target_of current)"
  [ -d "$versions/$before" ] || fail "previous=$before has been removed"
  find_java
  try "$versions/$before" "$before"
  switch_to "$before"
  say "next: systemctl restart tiercel"
  exit 0
fi

[ -f "$package/VERSION" ] || fail "$package is no package: make one with tools/package.sh"
readonly version=$(cat "$package/VERSION")
[[ $version =~ ^[A-Za-z0-9][A-Za-z0-9._+-]*$ ]] || fail "VERSION=$version"
now=$(target_of current)
if [ "$action" = upgrade ]; then
  [ -n "$now" ] || fail "nothing is installed in $versions: without --upgrade first"
elif [ -n "$now" ] && [ "$now" != "$version" ]; then
  fail "current=$now: install.sh --upgrade puts version=$version in its place"
fi
find_java
install_all
switch_to "$version"
if [ "$action" = upgrade ]; then
  say "next: systemctl restart tiercel, and to go back: $versions/current/ops/install.sh --roll-back"
else
  say "next: /etc/tiercel/tiercel.yaml, sysctl --system, tiercel ops doctor, systemctl enable --now tiercel"
fi
