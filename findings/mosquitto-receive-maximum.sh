#!/usr/bin/env bash
# Eclipse mosquitto 2.0.11 (Debian 12): exceeds the client's Receive Maximum once messages are queued for it.
#
# Behaviour: a client of MQTT 5 that announced a Receive Maximum of 10 gets 10, acknowledges 5 of them, and then has 55 unacknowledged: each
# PUBACK brings up to 10 more. In 3.1.1, with max_inflight_messages 10, the same.
# One would guess: 10, always [MQTT 5, section 3.3.4: the server "MUST NOT send more than Receive Maximum QoS 1 and QoS 2 PUBLISH packets for which
# it has not received PUBACK", MQTT-3.3.4-9].
# For users: a client that makes room for as many as it asked for has too little. Only not reading the socket holds this broker back.
source "$(dirname "$0")/lib/setup.sh"
need mosquitto node
mosquitto -h | head -n 1 || true
PORT=$(free_port)
printf '%s\n' "listener $PORT 127.0.0.1" 'allow_anonymous true' 'max_queued_messages 0' 'max_inflight_messages 10' >"$WORK/mosquitto.conf"
start mosquitto -c "$WORK/mosquitto.conf"
wait_for_port "$PORT"
observe "$PORT" <<'JS'
const plc = await RawClient.connect(port, 'plc', { clean: true });
for (const version of [5, 4]) {
  const client = await RawClient.connect(port, `client-${version}`, { version, receiveMaximum: 10 });
  await client.subscribe(`queue-${version}`);
  for (let i = 0; i < 200; i += 1) await plc.publish(`queue-${version}`, i);
  await untilQuiet(() => client.received.length);
  const first = client.received.length;
  for (const { id } of client.received.slice(0, 5)) client.acknowledge(id);
  await untilQuiet(() => client.received.length);
  const unacknowledged = client.received.length - 5;
  const name = version === 5 ? 'MQTT 5, Receive Maximum 10' : 'MQTT 3.1.1, max_inflight_messages 10';
  see(`${name}: ${first} come, 5 are acknowledged, then ${unacknowledged} are unacknowledged`, first === 10 && unacknowledged > 10);
}
JS
