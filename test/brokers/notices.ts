import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { startStandin } from '../support/standin/standin.ts';
import { createTables } from '../support/tag-table.ts';
import { until } from '../support/until.ts';
import { BareClient } from './bare-client.ts';
import { BridgeMember } from './bridge-member.ts';
import type { OtherCase, Place } from './matrix.ts';
import { payloadsOf } from './payloads.ts';

/** RabbitMQ makes a slash of each dot. */
const RECOVERY = /\/recovery\/([^/.]+)[./]csv$/;
const STEP_TIMEOUT_MS = 20_000;

/** What a subscriber that is always there has heard last, by topic; cleared topics are gone. */
class Watcher {
  readonly last = new Map<string, string>();
  readonly #client: BareClient;

  private constructor(client: BareClient) {
    this.#client = client;
  }

  static async start(port: number, clientId: string, topic: string): Promise<Watcher> {
    const last = new Map<string, string>();
    const client = await BareClient.connect({
      port,
      protocol: 4,
      clientId,
      onMessage: (message) => {
        if (message.payload.length === 0) last.delete(message.topic);
        else last.set(message.topic, message.payload.toString());
        return true;
      },
    });
    await client.subscribe(topic, 1);
    const watcher = new Watcher(client);
    for (const [key, value] of last) watcher.last.set(key, value);
    return Object.assign(watcher, { last });
  }

  notices(): string[] {
    return [...this.last.keys()].filter((topic) => RECOVERY.test(topic));
  }

  stop(): Promise<void> {
    return this.#client.disconnect();
  }
}

/** Each step is tried, whatever became of the one before. */
export const notices: OtherCase = {
  name: 'notices',
  title: 'notices retained, cleared, Last Will, stale one cleared',
  run: async (place) => {
    const failed: string[] = [];
    const step = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
      await until(what, holds, STEP_TIMEOUT_MS, 50).catch(() => failed.push(what));
    };
    await walkThrough(place, step);
    const text = failed.length === 0 ? 'all right' : `not: ${failed.join('; ')}`;
    return { isGood: failed.length === 0, text };
  },
};

type Step = (what: string, holds: () => boolean | Promise<boolean>) => Promise<void>;

async function walkThrough({ broker, protocol, root, directory }: Place, step: Step): Promise<void> {
  const { port } = broker;
  const payloads = payloadsOf('time', root);
  const standin = await startStandin({ log: () => {} });
  await createTables(standin);
  const id = `${root}-bridge`;
  const base = `mqtt-oracle-bridge/${id}`;
  const mqtt = { subscriptions: [{ topic: payloads.subscription, ...payloads.reading }] };
  const bridge = new BridgeMember({ id, directory: join(directory, id), url: broker.url, protocol, standin, mqtt });
  const watcher = await Watcher.start(port, `${root}-watcher`, `${base}/#`);
  const publisher = await BareClient.connect({ port, protocol: 4, clientId: `${root}-publisher` });
  const retained = async (topic: string): Promise<boolean> => {
    const asker = await Watcher.start(port, `${root}-asker`, topic);
    try {
      await until('a retained message', () => asker.last.size > 0, 1000).catch(() => {});
      return asker.last.size > 0;
    } finally {
      await asker.stop();
    }
  };
  const state = (wanted: string) => (): boolean => watcher.last.get(`${base}/state`)?.includes(wanted) === true;
  try {
    await bridge.start();
    await step('state online', state('online'));

    standin.close();
    standin.kill();
    await publisher.publish(payloads.topic(1), payloads.payload(1));
    await step('notice of a backup', () => watcher.notices().some((topic) => topic.includes('backup_')));
    const [backup = `${base}/none`] = watcher.notices();
    await step('retained', () => retained(backup));
    await standin.open();
    await step('cleared after replay', () => watcher.notices().length === 0);
    await step('nothing retained after it', async () => !(await retained(backup)));

    await publisher.publish(payloads.topic(2), '{ not JSON');
    await step('notice of an undecodable message', () => watcher.notices().length > 0);
    const [stale = `${base}/none`] = watcher.notices();
    await bridge.kill();
    await step('Last Will', state('offline'));
    await removeFiles(join(directory, id, 'backup'), `${RECOVERY.exec(stale)?.[1] ?? 'none'}.csv`);
    await bridge.start();
    // Another file may take its place: what was not settled when the bridge was killed is written once more.
    await step('stale one cleared at the start', () => !watcher.last.has(stale));
    await step('nothing retained of the stale one', async () => !(await retained(stale)));
  } finally {
    await bridge.kill();
    await publisher.disconnect();
    await watcher.stop();
    standin.stop();
  }
}

/** The file and what belongs to it: while it grows it has another ending. */
async function removeFiles(directory: string, name: string): Promise<void> {
  for (const file of await readdir(directory)) if (file.startsWith(name)) await rm(join(directory, file));
}
