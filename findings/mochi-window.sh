#!/usr/bin/env bash
# mochi-mqtt v2.7.9 (Go): what had to wait for Receive Maximum gives no quota back, and DUP stands on what was never sent.
#
# Behaviour: with a Receive Maximum of 10 and each message acknowledged at once, a few dozens of 1,000 published ones come, and then none. A session
# that is resumed gets everything that was queued for it at once, far over Receive Maximum, all of it with DUP, though none of it was ever sent.
# One would guess: that each PUBACK makes room for one more [MQTT 5, section 4.9]; at most Receive Maximum unacknowledged [MQTT-3.3.4-9]; and DUP 0 on the
# first attempt to send [MQTT 5, section 3.3.1.1].
# For users: a subscriber falls silent though it is connected and acknowledges all; and DUP says nothing about whether a message was here before.
source "$(dirname "$0")/lib/setup.sh"
need node go
cp -r "$LIB/mochi" "$WORK/src"
(cd "$WORK/src" && CGO_ENABLED=0 nice go build -mod=mod -o "$WORK/broker" .)
PORT=$(free_port)
start "$WORK/broker" "$PORT"
wait_for_port "$PORT"
grep -o 'mochi-mqtt/server/v2 v.*' "$LIB/mochi/go.mod"
observe "$PORT" <<'JS'
const plc = await RawClient.connect(port, 'plc', { clean: true });
const client = await RawClient.connect(port, 'client', { version: 5, receiveMaximum: 10 });
client.acknowledgesAtOnce = true;
await client.subscribe('queue');
await Promise.all(Array.from({ length: 1000 }, (_, i) => plc.publish('queue', i)));
await untilQuiet(() => client.received.length, 4000);
const first = client.received.length;
see(`Receive Maximum 10, each message acknowledged at once: ${first} of 1,000 come, then none`, first < 500 && !client.isClosed);
const other = await RawClient.connect(port, 'other', { version: 5, receiveMaximum: 10 });
await other.subscribe('later');
await other.disconnect();
for (let i = 0; i < 200; i += 1) await plc.publish('later', i);
const resumed = await RawClient.connect(port, 'other', { version: 5, receiveMaximum: 10 });
await untilQuiet(() => resumed.received.length, 2000);
const dups = resumed.received.filter(({ dup }) => dup).length;
see(`resumed with Receive Maximum 10, no PUBACK: ${resumed.received.length} of 200 come at once`, resumed.received.length > 10);
see(`  ${dups} of them with DUP, none was ever sent before`, dups === resumed.received.length);
JS
