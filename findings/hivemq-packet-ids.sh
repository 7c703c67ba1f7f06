#!/usr/bin/env bash
# HiveMQ CE 2025.5 (Maven Central): 50 packet ids for a subscriber, and batches that wait for their last PUBACK.
#
# Behaviour: with a Receive Maximum of 1,000, 300 queued messages come under the packet ids 1 to 50 only, never more than 50 at once. When 49 of the 50
# are acknowledged, nothing more comes; the 50th acknowledgement brings the next 50, under the same ids.
# One would guess: up to 1,000 in flight, the next message for each PUBACK, and an id that is long out of use before it comes again: Receive
# Maximum is the client's to say [MQTT 5, section 3.1.2.11.3], and ids may be any from 1 to 65,535 [section 2.2.1].
# For users: whoever takes "DUP, and the packet id of a message of before" for a repetition loses equal payloads on this broker. And a message that is
# acknowledged late holds back all others, whatever Receive Maximum.
source "$(dirname "$0")/lib/setup.sh"
source "$LIB/hivemq.sh"
need node
PORT=$(free_port)
start_hivemq "$PORT"
observe "$PORT" <<'JS'
const plc = await RawClient.connect(port, 'plc', { clean: true });
const client = await RawClient.connect(port, 'client', { version: 5, receiveMaximum: 1000 });
await client.subscribe('queue');
await client.disconnect();
for (let i = 0; i < 300; i += 1) await plc.publish('queue', i);
const resumed = await RawClient.connect(port, 'client', { version: 5, receiveMaximum: 1000 });
const count = () => resumed.received.length;
await untilQuiet(count, 3000);
const first = count();
const firstIds = resumed.received.map(({ id }) => id).sort((a, b) => a - b);
see(`Receive Maximum 1,000, 300 queued: ${first} come, under the ids ${firstIds[0]} to ${firstIds.at(-1)}`, first === 50 && firstIds.at(-1) === 50);
for (const { id } of resumed.received.slice(0, 49)) resumed.acknowledge(id);
await untilQuiet(count, 3000);
see(`49 of them are acknowledged: ${count() - first} more come`, count() === first);
resumed.acknowledge(resumed.received[49].id);
await untilQuiet(count);
const next = resumed.received.slice(first);
const isSame = next.every(({ id }) => firstIds.includes(id));
see(`the last one is acknowledged: ${next.length} more come, under ${isSame ? 'the same ids' : 'other ids'}`, next.length === 50 && isSame);
resumed.acknowledgesAtOnce = true;
for (const { id } of next) resumed.acknowledge(id);
await until(() => count() === 300);
const highest = Math.max(...resumed.received.map(({ id }) => id));
see(`the highest id of all ${count()} messages: ${highest}`, count() === 300 && highest === 50);
JS
