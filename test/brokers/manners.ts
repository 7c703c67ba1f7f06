import { setTimeout as wait } from 'node:timers/promises';

import { until } from '../support/until.ts';
import { BareClient } from './bare-client.ts';
import type { OtherCase, Place } from './matrix.ts';
import type { Published } from './packets.ts';

const MESSAGES = 200;
const RECEIVE_MAXIMUM = 50;
const QUIET_MS = 1500;
/** Moquette sends again with a timer of five seconds. */
const REDELIVERY_MS = 8000;

/** What a bare client sees, so that what the broker does itself stands beside what becomes of it. */
export const manners: OtherCase = {
  name: 'manners',
  title: 'what a bare client sees',
  run: async (place) => {
    const sentences = [await redelivery(place), await shared(place), await dots(place)];
    return { isGood: true, text: sentences.join('; ') };
  },
};

/** Nothing is acknowledged, the connection is reset, the session goes on: what comes again, and how. */
async function redelivery({ broker: { port }, protocol, root }: Place): Promise<string> {
  const topic = `${root}/redelivery`;
  const clientId = `${root}-session`;
  let received: Published[] = [];
  const connect = (receiveMaximum: number): Promise<BareClient> =>
    BareClient.connect({
      port,
      protocol,
      clientId,
      isClean: false,
      receiveMaximum,
      onMessage: (message) => {
        received.push(message);
        return false;
      },
    });
  const subscriber = await connect(RECEIVE_MAXIMUM);
  await subscriber.subscribe(topic, 1);
  await subscriber.disconnect();
  // While it is away, so that the broker has as much to send at once as it likes.
  await publishAll(port, `${root}-publisher`, topic);
  const first = await connect(RECEIVE_MAXIMUM);
  await until('the window to be full', () => received.length >= RECEIVE_MAXIMUM, REDELIVERY_MS).catch(() => {});
  await wait(QUIET_MS);
  const before = received;
  await first.reset();
  received = [];
  const second = await connect(PACKET_IDS_ALL);
  await until('the redelivery', () => received.length >= before.length, REDELIVERY_MS).catch(() => {});
  await wait(QUIET_MS);
  await second.reset();
  await forget(port, protocol, clientId);
  if (!second.isSessionPresent) return `unacknowledged ${before.length}, session gone after a reset`;
  const number = ({ payload }: Published): string => payload.toString();
  const idOf = new Map(before.map((message) => [number(message), message.packetId]));
  const again = received.filter((message) => idOf.has(number(message)));
  const sameIds = again.filter((message) => idOf.get(number(message)) === message.packetId).length;
  const withDup = again.filter(({ isDuplicate }) => isDuplicate).length;
  const inOrder = again.every((message, i) => i === 0 || Number(number(again[i - 1]!)) <= Number(number(message)));
  return (
    `${idOf.size} unacknowledged at a reset (Receive Maximum ${RECEIVE_MAXIMUM}), ${new Set(again.map(number)).size} of them come again: ` +
    `${withDup} with DUP, ${sameIds} under the same packet id, ${inOrder ? 'in order' : 'not in order'}`
  );
}

const PACKET_IDS_ALL = 65_535;

async function publishAll(port: number, clientId: string, topic: string): Promise<void> {
  const publisher = await BareClient.connect({ port, protocol: 4, clientId });
  await Promise.all(Array.from({ length: MESSAGES }, (_, i) => publisher.publish(topic, String(i))));
  await publisher.disconnect();
}

async function forget(port: number, protocol: 4 | 5, clientId: string): Promise<void> {
  const client = await BareClient.connect({ port, protocol, clientId });
  await client.disconnect();
}

async function countOf(place: Place, filter: string, topic: string): Promise<{ granted: number; got: number }> {
  const { port } = place.broker;
  let got = 0;
  const onMessage = (): boolean => {
    got += 1;
    return true;
  };
  const clientId = `${place.root}-asker`;
  const client = await BareClient.connect({ port, protocol: place.protocol, clientId, onMessage });
  const granted = await client.subscribe(filter, 1);
  await publishAll(port, `${place.root}-publisher`, topic);
  await until('all', () => got >= MESSAGES, QUIET_MS).catch(() => {});
  await client.disconnect();
  return { granted, got };
}

async function shared(place: Place): Promise<string> {
  const topic = `${place.root}/shared`;
  const { granted, got } = await countOf(place, `$share/plant/${topic}`, topic);
  return `\`$share\`: granted ${granted}, ${got} of ${MESSAGES} messages`;
}

async function dots(place: Place): Promise<string> {
  const { got } = await countOf(place, `${place.root}/+/tags`, `${place.root}/A.B/tags`);
  return got >= MESSAGES ? '`+` takes in `A.B`' : `\`+\` does not take in \`A.B\` (${got} of ${MESSAGES})`;
}
