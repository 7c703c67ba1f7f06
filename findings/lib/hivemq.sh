# Sourced after setup.sh: start_hivemq PORT [CONFIG], with a part of config.xml.
# shellcheck shell=bash
HIVEMQ_VERSION=2025.5

start_hivemq() {
  maven com.hivemq:hivemq-community-edition-embedded "$HIVEMQ_VERSION"
  mkdir -p "$WORK/conf" "$WORK/data" "$WORK/extensions" "$WORK/classes"
  nice javac -cp "$WORK/lib/*" -d "$WORK/classes" "$LIB/HiveMq.java"
  cat >"$WORK/conf/config.xml" <<XML
<hivemq>
  <listeners><tcp-listener><port>$1</port><bind-address>127.0.0.1</bind-address></tcp-listener></listeners>
  ${2:-}
  <anonymous-usage-statistics><enabled>false</enabled></anonymous-usage-statistics>
</hivemq>
XML
  start java -Xmx1g -XX:+UseSerialGC \
    --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.nio=ALL-UNNAMED \
    --add-opens=java.base/sun.nio.ch=ALL-UNNAMED --add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED \
    --add-exports=java.base/jdk.internal.misc=ALL-UNNAMED -cp "$WORK/lib/*:$WORK/classes" HiveMq "$WORK"
  wait_for_port "$1"
  echo "HiveMQ CE $HIVEMQ_VERSION"
}
