#!/usr/bin/env bash
#
# The long run of the simulation: the appliance on a fake clock, with everything that can go wrong going wrong.
#
#   tools/simulate.sh --seed N                            one seed, with its trace
#   tools/simulate.sh [--first N] [--seeds N] [--minutes N]    many, until one does not hold
#
# Its code is among the appliance's tests; this builds them and runs them on their class path. The Java is Maven's.

set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."

readonly CLASS_PATH=$PWD/appliance/target/simulation.classpath

mvn -B -q -pl appliance -am test-compile dependency:build-classpath -Dmdep.includeScope=test \
  -Dmdep.outputFile="$CLASS_PATH" >&2

property() {
  sed -n "s:.*<tiercel\\.jvm\\.$1>\\(.*\\)</tiercel\\.jvm\\.$1>.*:\\1:p" pom.xml | head -n 1
}

# shellcheck disable=SC2046 # several options in one property
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" $(property opens) $(property quiet) -Xmx1g -XX:+UseSerialGC \
  -Dagrona.disable.bounds.checks=false -Dorg.slf4j.simpleLogger.defaultLogLevel=off \
  -cp "appliance/target/test-classes:appliance/target/classes:$(cat "$CLASS_PATH")" \
  io.tiercel.appliance.SimulationMain "$@"
