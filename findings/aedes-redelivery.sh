#!/usr/bin/env bash
# aedes 1.2.0 (npm): sends again without DUP, has no in-flight limit, and grants $share as a topic.
#
# Behaviour: 20 messages, not acknowledged, the connection cut, the session resumed: they come again under their packet ids and with DUP 0. All of 2,000
# queued messages come without one PUBACK. $share/group/plant/# is granted and gets nothing.
# One would guess: DUP on what was sent before [MQTT 3.1.1, MQTT-3.3.1-1], as the session is kept and the ids are right; and some window.
# For users: a repetition can be told by id and content only; the client alone limits what is under way.
source "$(dirname "$0")/lib/setup.sh"
need node npm
AEDES_VERSION=1.2.0
(cd "$WORK" && npm init -y >/dev/null && npm install --silent --no-audit --no-fund "aedes@$AEDES_VERSION")
cat >"$WORK/broker.mjs" <<'JS'
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
const broker = await Aedes.createBroker();
createServer(broker.handle).listen(Number(process.argv[2]), '127.0.0.1');
JS
PORT=$(free_port)
start node "$WORK/broker.mjs" "$PORT"
wait_for_port "$PORT"
echo "aedes $AEDES_VERSION"
observe "$PORT" <<'JS'
const plc = await RawClient.connect(port, 'plc', { clean: true });
const client = await RawClient.connect(port, 'client');
await client.subscribe('queue');
for (let i = 0; i < 20; i += 1) await plc.publish('queue', i);
await until(() => client.received.length === 20);
await client.reset();
const resumed = await RawClient.connect(port, 'client');
await untilQuiet(() => resumed.received.length);
const again = resumed.received;
const sameIds = again.filter(({ id, payload }) => client.received.some((one) => one.id === id && one.payload === payload)).length;
see(`resumed, session present ${resumed.sessionPresent}: ${again.length} come again, ${sameIds} under their ids, ${again.filter(({ dup }) => dup).length} with DUP`, again.length === 20 && sameIds === 20 && again.every(({ dup }) => !dup));
const idle = await RawClient.connect(port, 'idle');
await idle.subscribe('many');
for (let i = 0; i < 2000; i += 1) await plc.publish('many', i);
await untilQuiet(() => idle.received.length);
see(`without one PUBACK: ${idle.received.length} of 2,000 come`, idle.received.length === 2000);
const shared = await RawClient.connect(port, 'shared', { clean: true });
const granted = await shared.subscribe('$share/group/plant/#');
await plc.publish('plant/tags', 'x');
await untilQuiet(() => shared.received.length);
see(`$share/group/plant/# is granted with ${granted} and gets ${shared.received.length} of 1`, granted === 1 && shared.received.length === 0);
JS
