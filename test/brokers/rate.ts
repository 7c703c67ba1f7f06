import { join } from 'node:path';

import { connect as connectClient } from 'mqtt';

import { startStandinProcess, type StandinProcess } from '../support/standin-process.ts';
import { until } from '../support/until.ts';
import { BareClient } from './bare-client.ts';
import { BridgeMember } from './bridge-member.ts';
import type { OtherCase, Place } from './matrix.ts';
import { payloadsOf } from './payloads.ts';
import { Publisher } from './publisher.ts';

/**
 * By broker: so many that they take seconds; of a fast one more, as a bridge that has just started is not at its speed
 * yet.
 */
const MESSAGES: Readonly<Record<string, number>> = { mosquitto: 200_000, aedes: 60_000, artemis: 60_000, mochi: 8000 };
const OTHERS_MESSAGES = 20_000;
/** Fewer are over before they can be measured. */
const FEWEST = 8000;
const ROUNDS = 3;
/** The first messages are for warming up. */
const WARM_SHARE = 0.25;
const TIMEOUT_MS = 600_000;
const ASK_EVERY_MS = 20;
/** The bridge's default. */
const RECEIVE_MAXIMUM = 1000;

/**
 * Messages a second of one tag each out of the broker's queue, in turns, the medians of which count: the bridge, with
 * its disk and a database; a client of the library that the bridge uses, which acknowledges at once; and a client that
 * does nothing but read packets and answer, which shows what the broker can do.
 */
export const rate: OtherCase = {
  name: 'rate',
  title: 'messages/s of the bridge beside a bare client',
  isAlone: true,
  run: async (place) => {
    const standin = await startStandinProcess();
    try {
      const rates = { bridge: [] as number[], library: [] as number[], bytes: [] as number[] };
      for (let round = 0; round < (place.scale < 1 ? 1 : ROUNDS); round += 1) {
        const roundPlace = { ...place, root: `${place.root}r${round}` };
        rates.bridge.push(await bridgeRate(roundPlace, standin));
        rates.library.push(await bareRate({ ...roundPlace, root: `${roundPlace.root}l` }, connectLibrary));
        rates.bytes.push(await bareRate({ ...roundPlace, root: `${roundPlace.root}b` }, connectBytes));
      }
      const [bridge, library, bytes] = [median(rates.bridge), median(rates.library), median(rates.bytes)];
      const text =
        `bridge ${figure(bridge)}/s; bare client ${figure(library)}/s, ratio ${(bridge / library).toFixed(2)}; ` +
        `reading bytes alone ${figure(bytes)}/s`;
      return { isGood: true, text };
    } finally {
      standin.child.kill('SIGTERM');
    }
  },
};

function messagesOf({ scale, broker }: Place): number {
  return Math.max(FEWEST, Math.round((MESSAGES[broker.broker.name] ?? OTHERS_MESSAGES) * Math.min(1, scale)));
}

async function publishAll(place: Place): Promise<void> {
  const payloads = payloadsOf('time', place.root);
  const publisher = new Publisher(place.broker.port, `${place.root}-publisher`, payloads);
  await publisher.publish(messagesOf(place), 0);
  await publisher.stop();
}

async function bridgeRate(place: Place, { connectString }: StandinProcess): Promise<number> {
  const { broker, protocol, root, directory } = place;
  const payloads = payloadsOf('time', root);
  const id = `${root}-bridge`;
  const mqtt = { subscriptions: [{ topic: payloads.subscription, ...payloads.reading }] };
  const standin = { connectString };
  const bridge = new BridgeMember({ id, directory: join(directory, id), url: broker.url, protocol, standin, mqtt });
  try {
    await bridge.start();
    await bridge.stop();
    await publishAll(place);
    await bridge.start();
    const received = async (): Promise<number> => (await bridge.status())?.counters.messagesReceived ?? 0;
    return await rateOf(received, messagesOf(place));
  } finally {
    await bridge.kill();
    await forget(place, id);
  }
}

/** A connection of a kept session that subscribes, or goes on, and calls `onMessage` for each message. */
type Connect = (place: Place, clientId: string, onMessage: () => void) => Promise<{ end(): Promise<void> }>;

const connectBytes: Connect = async ({ broker: { port }, protocol, root }, clientId, onMessage) => {
  const client = await BareClient.connect({
    port,
    protocol,
    clientId,
    isClean: false,
    receiveMaximum: RECEIVE_MAXIMUM,
    onMessage: () => {
      onMessage();
      return true;
    },
  });
  if (!client.isSessionPresent) await client.subscribe(payloadsOf('time', root).subscription, 1);
  return { end: () => client.disconnect() };
};

const connectLibrary: Connect = async ({ broker: { url }, protocol, root }, clientId, onMessage) => {
  const forFive = { properties: { receiveMaximum: RECEIVE_MAXIMUM, sessionExpiryInterval: 3600 } };
  const options = { clientId, clean: false, protocolVersion: protocol, reconnectPeriod: 0, manualConnect: true };
  const client = connectClient(url, { ...options, ...(protocol === 5 ? forFive : {}) });
  client.on('message', onMessage);
  client.on('error', () => {});
  const connected = new Promise<boolean>((resolve) => {
    client.once('connect', ({ sessionPresent }) => resolve(sessionPresent));
  });
  client.connect();
  if (!(await connected)) await client.subscribeAsync(payloadsOf('time', root).subscription, { qos: 1 });
  return { end: () => client.endAsync() };
};

async function bareRate(place: Place, connect: Connect): Promise<number> {
  const clientId = `${place.root}-bare`;
  const messages = messagesOf(place);
  const warm = Math.round(messages * WARM_SHARE);
  let received = 0;
  let [warmAtMs, endAtMs] = [0, 0];
  const onMessage = (): void => {
    received += 1;
    if (received === warm) warmAtMs = performance.now();
    if (received === messages) endAtMs = performance.now();
  };
  const first = await connect(place, clientId, onMessage);
  await first.end();
  await publishAll(place);
  const client = await connect(place, clientId, onMessage);
  try {
    await until('all messages', () => received >= messages, TIMEOUT_MS, ASK_EVERY_MS);
    return ((messages - warm) * 1000) / (endAtMs - warmAtMs);
  } finally {
    await client.end();
    await forget(place, clientId);
  }
}

/** From the end of the warming up to the last one, as the bridge's status has it. */
async function rateOf(received: () => Promise<number>, messages: number): Promise<number> {
  const warm = await until(
    'the first messages',
    async () => {
      const count = await received();
      return count >= messages * WARM_SHARE ? { count, atMs: performance.now() } : undefined;
    },
    TIMEOUT_MS,
    1,
  );
  await until('all messages', async () => (await received()) >= messages, TIMEOUT_MS, ASK_EVERY_MS);
  return ((messages - warm.count) * 1000) / (performance.now() - warm.atMs);
}

async function forget({ broker, protocol }: Place, clientId: string): Promise<void> {
  const client = await BareClient.connect({ port: broker.port, protocol, clientId });
  await client.disconnect();
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function figure(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
