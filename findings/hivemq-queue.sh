#!/usr/bin/env bash
# HiveMQ CE 2025.5 (Maven Central), as it comes: keeps 1,000 messages for a session and throws away the new ones, after PUBACK.
#
# Behaviour: 3,000 messages of QoS 1 for a persistent session whose client is away are all acknowledged with reason code 0. When the client is
# back it gets the first 1,000; the other 2,000 are gone.
# One would guess: that a PUBACK with 0 ("the message is accepted", MQTT 5 section 3.4.2.1) of a broker with persistence means that
# the subscriber will have it; or, if something must go, a reason code that says so (0x97, quota exceeded) and the oldest first.
# For users: a bridge that is away for 1,000 messages loses what follows. Set mqtt/queued-messages/max-queue-size in config.xml; `strategy` says which go.
source "$(dirname "$0")/lib/setup.sh"
source "$LIB/hivemq.sh"
need node
PORT=$(free_port)
start_hivemq "$PORT"
observe "$PORT" <<'JS'
const plc = await RawClient.connect(port, 'plc', { version: 5, clean: true, expirySeconds: 0 });
const client = await RawClient.connect(port, 'client', { version: 5 });
await client.subscribe('queue');
await client.disconnect();
let accepted = 0;
for (let i = 0; i < 3000; i += 1) accepted += (await plc.publish('queue', i)) === 0 ? 1 : 0;
see(`published ${accepted} with a PUBACK of reason code 0 while the subscriber is away`, accepted === 3000);
const resumed = await RawClient.connect(port, 'client', { version: 5 });
resumed.acknowledgesAtOnce = true;
await untilQuiet(() => resumed.received.length, 5000);
const payloads = resumed.received.map(({ payload }) => Number(payload));
see(`back, session present ${resumed.sessionPresent}: ${payloads.length} come, ${payloads[0]} to ${payloads.at(-1)}`, payloads.length === 1000 && payloads.at(-1) === 999);
JS
