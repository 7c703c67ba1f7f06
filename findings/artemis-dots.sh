#!/usr/bin/env bash
# ActiveMQ Artemis 2.40.0 (Maven Central): `+` does not match a level with a dot, and a backslash in a topic arrives as four.
#
# Behaviour: a subscription of plant/+/tags gets plant/PLC01/tags and not plant/PLC.01/tags; plant/# gets both. PUBACK comes for both.
# One would guess: that a dot is a character like any other: the slash separates levels and `+` takes any one of them [MQTT 5, sections 4.7.1.1
# and 4.7.1.3], and the server does not change or replace characters when it matches [MQTT-4.7.3-4].
# For users: a PLC or tag with a dot in its name is lost in silence; subscribe with `#`, or rename it.
source "$(dirname "$0")/lib/setup.sh"
source "$LIB/artemis.sh"
need node
PORT=$(free_port)
start_artemis "$PORT"
observe "$PORT" <<'JS'
const plc = await RawClient.connect(port, 'plc', { clean: true });
const topics = ['plant/PLC01/tags', 'plant/PLC.01/tags', 'plant/A\\B/tags'];
const seen = {};
for (const filter of ['plant/+/tags', 'plant/#']) {
  const client = await RawClient.connect(port, `client ${filter.length}`, { clean: true });
  client.acknowledgesAtOnce = true;
  const granted = await client.subscribe(filter);
  for (const topic of topics) await plc.publish(topic, topic);
  await untilQuiet(() => client.received.length, 2500);
  seen[filter] = client.received;
  const got = client.received.map(({ topic }) => topic).join('  ');
  console.log(`  ${filter} (granted ${granted}) gets: ${got}`);
  await client.disconnect();
}
const has = (filter, payload) => seen[filter].some((message) => message.payload === payload);
see('plant/+/tags gets plant/PLC01/tags', has('plant/+/tags', topics[0]));
see('plant/+/tags does not get plant/PLC.01/tags, for which a PUBACK came', !has('plant/+/tags', topics[1]));
see('plant/# gets it', has('plant/#', topics[1]));
const backslash = seen['plant/#'].find(({ payload }) => payload === topics[2])?.topic;
see(`plant/A\\B/tags arrives as ${backslash}`, backslash === 'plant/A\\\\\\\\B/tags');
JS
