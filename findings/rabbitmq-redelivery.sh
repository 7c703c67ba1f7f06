#!/usr/bin/env bash
# RabbitMQ 3.10.8 with rabbitmq_mqtt (Debian 12): what is sent again has DUP and a new packet id, counted from 1 on each connection.
#
# Behaviour: 20 messages, of which the client acknowledges the first 5; the connection is cut and the session resumed. The unacknowledged ones come
# with DUP under the ids 1, 2, 3 …: under ids that were acknowledged before, and each under the id that another message had. Never more than 10 at
# once (mqtt.prefetch).
# One would guess: DUP and the original packet identifier go together [MQTT 3.1.1, section 4.4, MQTT-4.4.0-1], so that an id with DUP names the message
# that was sent under it before.
# For users: "DUP, and the id of a message that is stored" finds the wrong message here; where payloads are equal, a new one is taken for the old one.
source "$(dirname "$0")/lib/setup.sh"
source "$LIB/rabbitmq.sh"
need node
PORT=$(free_port)
start_rabbitmq "$PORT"
observe "$PORT" <<'JS'
const plc = await RawClient.connect(port, 'plc', { clean: true });
const client = await RawClient.connect(port, 'client');
await client.subscribe('queue');
for (let i = 0; i < 20; i += 1) await plc.publish('queue', i);
await untilQuiet(() => client.received.length);
const show = (messages) => messages.map(({ id, payload, dup }) => `${payload} as ${id}${dup ? ' DUP' : ''}`).join(', ');
const before = client.received.slice();
see(`without a PUBACK ${before.length} come: ${show(before)}`, before.length === 10 && before.every(({ id }, i) => id === i + 1));
for (const { id } of before.slice(0, 5)) client.acknowledge(id);
await untilQuiet(() => client.received.length);
const sent = new Map(client.received.map(({ id, payload }) => [payload, id]));
await client.reset();
const resumed = await RawClient.connect(port, 'client');
await untilQuiet(() => resumed.received.length);
const again = resumed.received;
see(`resumed, session present ${resumed.sessionPresent}: ${show(again)}`, again.length === 10 && again.every(({ id, dup }, i) => dup && id === i + 1));
const other = again.filter(({ id, payload }) => sent.get(payload) !== id).length;
see(`of these ${again.length} with DUP, ${other} have another id than before`, other === again.length);
JS
