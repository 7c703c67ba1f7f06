#!/usr/bin/env bash
# Eclipse mosquitto 2.0.11 (Debian 12): a shared subscription goes on serving a member that is away, and forgets its share with its session.
#
# Behaviour: two clients of a group, both with a session of an hour; one is cut off. Of 100 messages that come then, the broker
# keeps 50 for the one that is away; the other one, connected and idle, gets 50. When the session of the first one ends, by its expiry, its
# 50 are gone, acknowledged to the publisher, and so is what it had received and not acknowledged.
# One would guess: that a group is served by those who are there, and that a dead member's messages go to the others: what was under way to it MAY go
# to another at once, and SHOULD when its session has ended [MQTT 5, section 4.8.2, of QoS 1]. With HiveMQ and Artemis it is so.
# For users: two bridges on mosquitto share the load; one does not stand in for the other. The share of a dead one waits until
# it is back under its client id, or is lost when its session expires.
source "$(dirname "$0")/lib/setup.sh"
need mosquitto node
mosquitto -h | head -n 1 || true
PORT=$(free_port)
printf '%s\n' "listener $PORT 127.0.0.1" 'allow_anonymous true' 'max_queued_messages 0' >"$WORK/mosquitto.conf"
start mosquitto -c "$WORK/mosquitto.conf"
wait_for_port "$PORT"
observe "$PORT" <<'JS'
const plc = await RawClient.connect(port, 'plc', { clean: true });

async function cutOffOne(expirySeconds) {
  const group = `after-${expirySeconds}`;
  const options = { version: 5, expirySeconds };
  let first = await RawClient.connect(port, `${group}-first`, options);
  const second = await RawClient.connect(port, `${group}-second`, options);
  for (const member of [first, second]) await member.subscribe(`$share/plant/${group}/#`);
  second.acknowledgesAtOnce = true;
  for (let i = 0; i < 20; i += 1) await plc.publish(`${group}/tags`, `before ${i}`);
  await untilQuiet(() => first.received.length + second.received.length, 300);
  const unacknowledged = first.received.map(({ payload }) => payload);
  await first.reset();
  const codes = [];
  for (let i = 0; i < 100; i += 1) codes.push(await plc.publish(`${group}/tags`, `after ${i}`));
  await untilQuiet(() => second.received.length, 5000);
  const other = second.received.filter(({ payload }) => payload.startsWith('after')).length;
  first = await RawClient.connect(port, `${group}-first`, options);
  first.acknowledgesAtOnce = true;
  await untilQuiet(() => first.received.length + second.received.length);
  const arrived = new Set([...first.received, ...second.received].map(({ payload }) => payload));
  const lost = Array.from({ length: 100 }, (_, i) => `after ${i}`).filter((payload) => !arrived.has(payload)).length;
  const lostUnacknowledged = unacknowledged.filter((payload) => !arrived.has(payload)).length;
  await first.disconnect();
  await second.disconnect();
  return { acknowledged: codes.filter((code) => code === 0).length, other, lost, unacknowledged: unacknowledged.length, lostUnacknowledged };
}

const kept = await cutOffOne(3600);
see(`session of an hour: the other one got ${kept.other} of ${kept.acknowledged} while the first was away`, kept.other === 50);
see(`  back again, the first one gets the rest: ${kept.lost} lost`, kept.lost === 0);
const ended = await cutOffOne(2);
see(`session of 2 s, away for 5 s: ${ended.lost} of ${ended.acknowledged} acknowledged messages reached nobody`, ended.lost === 50);
see(`  and ${ended.lostUnacknowledged} of the ${ended.unacknowledged} that it had not acknowledged`, ended.lostUnacknowledged === 10);
JS
