#!/usr/bin/env bash
# Moquette 0.17 (Maven Central): a new message takes the packet id of one that is not acknowledged yet, which is then never delivered again.
#
# Behaviour: packet ids begin at 1 on each connection. What a kept session has in flight from an earlier connection waits for a timer of some five
# seconds, under its old id; a new message that gets this id before takes its place in the table of what is in flight. The old one is gone.
# One would guess: that an id in use is not given to another message [MQTT-2.3.1-2], and that what was not acknowledged comes again [MQTT-4.4.0-1].
# For users: QoS 1 loses what was under way when a connection breaks, wherever messages come fast. Nothing on the wire tells the subscriber; where the
# payloads are equal, nothing tells it afterwards either.
source "$(dirname "$0")/lib/setup.sh"
source "$LIB/moquette.sh"
need node
PORT=$(free_port)
start_moquette "$PORT"
observe "$PORT" <<'JS'
const plc = await RawClient.connect(port, 'plc', { clean: true });
const before = await RawClient.connect(port, 'client');
await before.subscribe('queue');
for (let i = 0; i < 5; i += 1) await plc.publish('queue', `old ${i}`);
await until(() => before.received.length >= 5);
see(`5 messages under the ids ${before.received.map(({ id }) => id)}, not acknowledged; the connection breaks`, before.received.length === 5);
before.reset();
const after = await RawClient.connect(port, 'client');
for (let i = 0; i < 5; i += 1) await plc.publish('queue', `new ${i}`);
await until(() => after.received.length >= 5);
const ids = after.received.map(({ id }) => id);
see(`after the reconnect 5 new ones under the ids ${ids}`, ids.join() === before.received.map(({ id }) => id).join());
for (const { id } of after.received) after.acknowledge(id);
const isBack = await until(() => after.received.some(({ payload }) => String(payload).startsWith('old')), 30_000);
see(`within 30 s of the old five ${isBack ? 'some' : 'none'} came again`, !isBack);
JS
