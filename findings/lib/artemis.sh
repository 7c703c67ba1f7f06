# Sourced after setup.sh: start_artemis PORT.
# shellcheck shell=bash
ARTEMIS_VERSION=2.40.0

start_artemis() {
  maven org.apache.activemq:apache-artemis "$ARTEMIS_VERSION" \
    '<classifier>bin</classifier><type>zip</type><exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>'
  (cd "$WORK" && jar xf "lib/apache-artemis-$ARTEMIS_VERSION-bin.zip")
  # `jar` does not keep the right to execute.
  chmod +x "$WORK/apache-artemis-$ARTEMIS_VERSION/bin/artemis"
  nice "$WORK/apache-artemis-$ARTEMIS_VERSION/bin/artemis" create "$WORK/instance" --user admin --password admin --allow-anonymous \
    --no-web --no-amqp-acceptor --no-hornetq-acceptor --no-stomp-acceptor --no-autotune --host 127.0.0.1 --default-port 0 >/dev/null
  sed -i -E "s#(<acceptor name=\"mqtt\">tcp://[^:]+:)[0-9]+#\1$1#" "$WORK/instance/etc/broker.xml"
  start env JAVA_ARGS='-Xmx1g -XX:+UseSerialGC' "$WORK/instance/bin/artemis" run
  wait_for_port "$1"
  echo "ActiveMQ Artemis $ARTEMIS_VERSION"
}
