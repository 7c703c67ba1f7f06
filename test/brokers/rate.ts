import { join } from 'node:path';

import { startStandinProcess, type StandinProcess } from '../support/standin-process.ts';
import { until } from '../support/until.ts';
import { BareClient } from './bare-client.ts';
import { BridgeMember } from './bridge-member.ts';
import type { OtherCase, Place } from './matrix.ts';
import { payloadsOf } from './payloads.ts';
import { Publisher } from './publisher.ts';

const MESSAGES = 20_000;
/** Fewer are over before they can be measured. */
const FEWEST = 10_000;
/** What mochi keeps for a session at most, less some. */
const MOCHI_MESSAGES = 8000;
const ROUNDS = 3;
/** The first messages are for warming up. */
const WARM_SHARE = 0.1;
const TIMEOUT_MS = 600_000;
const ASK_EVERY_MS = 20;
/** The bridge's default. */
const RECEIVE_MAXIMUM = 1000;

/**
 * Messages a second of one tag each out of the broker's queue: the bridge, with its disk and a database, beside a bare client that
 * acknowledges at once, in turns; the medians count.
 */
export const rate: OtherCase = {
  name: 'rate',
  title: 'messages/s of the bridge beside a bare client',
  isAlone: true,
  run: async (place) => {
    const standin = await startStandinProcess();
    try {
      const rates = { bridge: [] as number[], bare: [] as number[] };
      for (let round = 0; round < (place.scale < 1 ? 1 : ROUNDS); round += 1) {
        const roundPlace = { ...place, root: `${place.root}r${round}` };
        rates.bridge.push(await bridgeRate(roundPlace, standin));
        rates.bare.push(await bareRate(roundPlace));
      }
      const [bridge, bare] = [median(rates.bridge), median(rates.bare)];
      const text = `bridge ${figure(bridge)}/s, bare client ${figure(bare)}/s, ratio ${(bridge / bare).toFixed(2)}`;
      return { isGood: true, text };
    } finally {
      standin.child.kill('SIGTERM');
    }
  },
};

function messagesOf({ scale, broker }: Place): number {
  if (broker.broker.name === 'mochi') return MOCHI_MESSAGES;
  return Math.max(FEWEST, Math.round(MESSAGES * scale));
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

async function bareRate(place: Place): Promise<number> {
  const { broker, protocol, root } = place;
  const clientId = `${root}-bare`;
  let received = 0;
  const onMessage = (): boolean => {
    received += 1;
    return true;
  };
  const options = { port: broker.port, protocol, clientId, isClean: false, receiveMaximum: RECEIVE_MAXIMUM, onMessage };
  const first = await BareClient.connect(options);
  await first.subscribe(payloadsOf('time', root).subscription, 1);
  await first.disconnect();
  await publishAll(place);
  const client = await BareClient.connect(options);
  try {
    return await rateOf(() => Promise.resolve(received), messagesOf(place));
  } finally {
    await client.disconnect();
    await forget(place, clientId);
  }
}

/** From the end of the warming up to the last one. */
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
