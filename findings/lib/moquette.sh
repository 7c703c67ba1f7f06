# Sourced after setup.sh: start_moquette PORT.
# shellcheck shell=bash
MOQUETTE_VERSION=0.17

start_moquette() {
  maven io.moquette:moquette-broker "$MOQUETTE_VERSION"
  mkdir -p "$WORK/classes" "$WORK/data"
  nice javac -cp "$WORK/lib/*" -d "$WORK/classes" "$LIB/Moquette.java"
  printf '%s\n' "port $1" 'host 127.0.0.1' 'allow_anonymous true' 'telemetry_enabled false' 'persistence_enabled false' "data_path $WORK/data" >"$WORK/moquette.conf"
  start java -Xmx512m -XX:+UseSerialGC -cp "$WORK/lib/*:$WORK/classes" Moquette "$WORK/moquette.conf"
  wait_for_port "$1"
  echo "Moquette $MOQUETTE_VERSION"
}
