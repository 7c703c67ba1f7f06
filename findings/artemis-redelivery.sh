#!/usr/bin/env bash
# ActiveMQ Artemis 2.40.0 (Maven Central): what is sent again has a new packet id and no DUP; and what was in flight when the connection broke counts
# against Receive Maximum for as long as the broker runs.
#
# Behaviour: 10 messages unacknowledged, the connection cut, the session resumed: in 3.1.1 the 10 come again under other ids, as if for the first
# time. In MQTT 5 with the same Receive Maximum of 10 nothing comes, however often one connects; with 13, three come, and with 1,000 all.
# One would guess: DUP set [MQTT-3.3.1-1] and the original packet identifiers [MQTT-4.4.0-1]; and the send quota counted anew: it "is not preserved
# across Network Connections" [MQTT 5, section 4.9].
# For users: repetitions can't be told by DUP and id. And after some lost connections, with the same Receive Maximum, a subscriber is connected, has its
# session, and receives nothing more, without an error on either side.
source "$(dirname "$0")/lib/setup.sh"
source "$LIB/artemis.sh"
need node
PORT=$(free_port)
start_artemis "$PORT"
observe "$PORT" <<'JS'
const plc = await RawClient.connect(port, 'plc', { clean: true });

/** Connects, acknowledges nothing, and cuts the connection; what came. */
async function takeAndCut(clientId, options) {
  const client = await RawClient.connect(port, clientId, options);
  await untilQuiet(() => client.received.length, 2500);
  await client.reset();
  return client;
}

for (const [clientId, version] of [['v4', 4], ['v5', 5]]) {
  const client = await RawClient.connect(port, clientId, { version });
  await client.subscribe(`queue-${clientId}`);
  await client.disconnect();
}
for (let i = 0; i < 10; i += 1) await plc.publish('queue-v4', i);
const first = (await takeAndCut('v4', { version: 4 })).received;
const again = (await takeAndCut('v4', { version: 4 })).received;
const ids = (messages) => messages.map(({ id }) => id).join(' ');
see(`MQTT 3.1.1: ${first.length} come under the ids ${ids(first)}`, first.length === 10);
see(`  again: ${again.length} come under the ids ${ids(again)}`, again.length === 10 && !again.some(({ id }) => first.some((one) => one.id === id)));
see(`  with DUP: ${again.filter(({ dup }) => dup).length}`, again.every(({ dup }) => !dup));

for (let i = 0; i < 100; i += 1) await plc.publish('queue-v5', i);
for (const [receiveMaximum, expected] of [[10, 10], [10, 0], [10, 0], [13, 3]]) {
  const { received, sessionPresent } = await takeAndCut('v5', { version: 5, receiveMaximum });
  see(`MQTT 5, Receive Maximum ${receiveMaximum}, session present ${sessionPresent}: ${received.length} come`, received.length === expected);
}
const { received } = await takeAndCut('v5', { version: 5, receiveMaximum: 1000 });
see(`MQTT 5, Receive Maximum 1000: ${received.length} come, all`, received.length === 100);
JS
