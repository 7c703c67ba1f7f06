#!/usr/bin/env bash
# RabbitMQ 3.10.8 with rabbitmq_mqtt (Debian 12): a dot is a level, wildcards bring no retained messages, and $share is granted as a topic.
#
# Behaviour: plant/+/tags gets plant/PLC01/tags and not plant/PLC.01/tags, which arrives with plant/# as plant/PLC/01/tags. A retained message comes for
# a SUBSCRIBE of its exact topic and not for one with a wildcard. $share/group/plant/# is granted at QoS 1 and gets nothing.
# One would guess: that a dot is a character and topics arrive as they were published [MQTT-4.7.3-4]; that retained messages come for each subscription
# that matches [MQTT-3.3.1-6]; and that $share works, as many brokers know it in 3.1.1 too, or is refused: to 3.1.1 it is a topic like any other.
# For users: a PLC with a dot in its name is lost in silence; what is retained must be asked for by name; and a subscription that is granted may be worth
# nothing: try it with a message.
source "$(dirname "$0")/lib/setup.sh"
source "$LIB/rabbitmq.sh"
need node
PORT=$(free_port)
start_rabbitmq "$PORT"
observe "$PORT" <<'JS'
const plc = await RawClient.connect(port, 'plc', { clean: true });
let number = 0;
async function got(filter, publish) {
  number += 1;
  const client = await RawClient.connect(port, `client-${number}`, { clean: true });
  client.acknowledgesAtOnce = true;
  const granted = await client.subscribe(filter);
  await publish();
  await untilQuiet(() => client.received.length);
  await client.disconnect();
  return { granted, topics: client.received.map(({ topic }) => topic) };
}
const both = async () => {
  for (const topic of ['plant/PLC01/tags', 'plant/PLC.01/tags']) await plc.publish(topic, 'x');
};
const plus = await got('plant/+/tags', both);
see(`plant/+/tags gets: ${plus.topics.join('  ')}`, plus.topics.join() === 'plant/PLC01/tags');
const all = await got('plant/#', both);
see(`plant/# gets: ${all.topics.join('  ')}`, all.topics.includes('plant/PLC/01/tags') && !all.topics.includes('plant/PLC.01/tags'));
await plc.publish('notices/one', 'x', { retain: true });
const exact = await got('notices/one', async () => {});
const wild = await got('notices/#', async () => {});
see(`retained: ${exact.topics.length} for notices/one, ${wild.topics.length} for notices/#`, exact.topics.length === 1 && wild.topics.length === 0);
const shared = await got('$share/group/plant/#', both);
see(`$share/group/plant/# is granted with ${shared.granted} and gets ${shared.topics.length} of 2`, shared.granted === 1 && shared.topics.length === 0);
JS
