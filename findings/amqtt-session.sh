#!/usr/bin/env bash
# amqtt 0.12.1 (PyPI): where anonymous clients are allowed nobody's session is kept; and what was unacknowledged never comes again.
#
# Behaviour: with allow_anonymous true, a client of 3.1.1 with clean session 0, user name or not, loses its session within a second or so of its connection:
# neither what was unacknowledged nor what came meanwhile is delivered. With allow_anonymous false and a user name the session and what came
# meanwhile are kept; the 10 that were unacknowledged do not come again there either.
# One would guess: that clean session 0 keeps the session of a client id [MQTT 3.1.1, section 3.1.2.4, MQTT-3.1.2-4 and 5]: who the client is does not come
# into it; and that unacknowledged messages come again [MQTT-4.4.0-1].
# For users: a test broker set up in the easy way loses whatever comes while the subscriber is away. Switch allow_anonymous off; QoS 1 stays at most once
# for what is under way.
source "$(dirname "$0")/lib/setup.sh"
need node python3
AMQTT_VERSION=0.12.1
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$WORK/site" "amqtt==$AMQTT_VERSION" 2>"$WORK/pip.log" ||
  { cat "$WORK/pip.log"; exit 1; }
echo "amqtt $AMQTT_VERSION"

# start_amqtt ALLOW_ANONYMOUS
start_amqtt() {
  PORT=$(free_port)
  cat >"$WORK/amqtt-$1.yaml" <<YAML
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:$PORT
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: $1
YAML
  start env PYTHONPATH="$WORK/site" python3 -c 'from amqtt.scripts.broker_script import main; main()' -c "$WORK/amqtt-$1.yaml"
  wait_for_port "$PORT"
}

for ANONYMOUS in true false; do
  start_amqtt "$ANONYMOUS"
  export ANONYMOUS
  observe "$PORT" <<'JS'
const isAllowed = process.env.ANONYMOUS === 'true';
const { setTimeout: wait } = await import('node:timers/promises');
const plc = await RawClient.connect(port, 'plc', { clean: true, username: 'plc' });
for (const awaySeconds of [0, 3]) {
  const clientId = `client-${awaySeconds}`;
  const client = await RawClient.connect(port, clientId, { username: 'bridge' });
  await client.subscribe(clientId);
  for (let i = 0; i < 10; i += 1) await plc.publish(clientId, `before ${i}`);
  await untilQuiet(() => client.received.length);
  await client.reset();
  await wait(awaySeconds * 1000);
  for (let i = 0; i < 10; i += 1) await plc.publish(clientId, `away ${i}`);
  const resumed = await RawClient.connect(port, clientId, { username: 'bridge' });
  await untilQuiet(() => resumed.received.length, 3000);
  const count = (word) => resumed.received.filter(({ payload }) => payload.startsWith(word)).length;
  const what = `session present ${resumed.sessionPresent}, unacknowledged ${count('before')} of 10, meanwhile ${count('away')} of 10`;
  const isSo = count('before') === 0 && (isAllowed ? count('away') === 0 : resumed.sessionPresent && count('away') === 10);
  see(`allow_anonymous ${isAllowed}, away for ${awaySeconds} s: ${what}`, isSo);
}
JS
done
