#!/usr/bin/env bash
# aedes 1.2.0 (npm): a subscription that authorizeSubscribe cuts down to a lower QoS is granted, by SUBACK, at the QoS that was asked for.
#
# Behaviour: authorizeSubscribe may give back the subscription with another QoS, and messages are delivered at that; SUBACK says the one of SUBSCRIBE.
# One would guess: that SUBACK names what the subscription got [MQTT 3.1.1 section 3.9.3], as brokers with a limit of their own do (mosquitto's max_qos).
# For users: a subscriber that looks at SUBACK, as it should, believes in QoS 1 and gets QoS 0: what is under way when its connection ends is lost.
source "$(dirname "$0")/lib/setup.sh"
need node npm
cd "$WORK"
npm install --silent --no-audit --no-fund --prefix . aedes@1.2.0 mqtt@5.16.0 >/dev/null
cat >granted.mjs <<'JS'
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';

const aedes = await Aedes.createBroker({
  authorizeSubscribe: (_client, subscription, done) => done(null, { ...subscription, qos: 0 }),
});
const server = createServer(aedes.handle);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.address().port}`);
const [granted] = await client.subscribeAsync('plant/#', { qos: 1 });
const arrived = once(client, 'message');
await client.publishAsync('plant/line1', '1', { qos: 1 });
const [, , packet] = await arrived;
console.log(`  asked for QoS 1, cut down to 0; SUBACK says ${granted.qos}; a message of QoS 1 arrives at ${packet.qos}`);
await client.endAsync(true);
aedes.close();
server.close();
process.exit(granted.qos === 1 && packet.qos === 0 ? 0 : 1);
JS
node granted.mjs
