#!/usr/bin/env bash
# Moquette 0.17 (Maven Central): sends unacknowledged messages again on the living connection, and retained messages without the retain bit.
#
# Behaviour: a client that does not acknowledge gets each message again after some seconds, with DUP, on the same connection, and after another few
# seconds again. A subscription brings the retained message with a retain bit of 0, as if it were new.
# One would guess: that a message comes again after a reconnect only [MQTT 3.1.1, section 4.4 requires it there, and a TCP connection loses nothing];
# and that what was retained before a SUBSCRIBE has the retain bit [MQTT-3.3.1-8].
# For users: an acknowledgement that is late by seconds doubles the message, unless the receiver compares within a connection too. What looks at the
# retain bit to tell old from new takes old messages for new ones.
source "$(dirname "$0")/lib/setup.sh"
source "$LIB/moquette.sh"
need node
PORT=$(free_port)
start_moquette "$PORT"
observe "$PORT" <<'JS'
const plc = await RawClient.connect(port, 'plc', { clean: true });
const client = await RawClient.connect(port, 'client');
await client.subscribe('queue');
for (let i = 0; i < 5; i += 1) await plc.publish('queue', i);
await until(() => client.received.length >= 5);
const first = client.received.slice(0, 5);
const startMs = performance.now();
const isRepeated = await until(() => client.received.length >= 15, 60_000);
const seconds = Math.round((performance.now() - startMs) / 1000);
const again = client.received.slice(5, 15);
const isSame = again.every(({ id, dup }, i) => dup && id === first[i % 5].id);
see(`5 messages, not acknowledged: within ${seconds} s ${again.length} more on the same connection, with DUP and the same ids: ${isSame}`, isRepeated && isSame && !client.isClosed);
await plc.publish('notices/one', 'x', { retain: true });
const late = await RawClient.connect(port, 'late', { clean: true });
await late.subscribe('notices/one');
await untilQuiet(() => late.received.length);
see(`a retained message comes ${late.received.length} time, with the retain bit ${late.received[0]?.retain ? 1 : 0}`, late.received.length === 1 && !late.received[0].retain);
JS
