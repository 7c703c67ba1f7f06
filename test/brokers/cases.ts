import { setTimeout as wait } from 'node:timers/promises';

import { BareClient } from './bare-client.ts';
import type { Cell } from './cell.ts';
import type { RealBroker } from './broker.ts';
import { PAYLOAD_KINDS, type PayloadKind } from './payloads.ts';

/** What a case found beside the counts; a sentence each. */
export type Notes = readonly string[];

/** A case whose verdict is the count of rows. */
export interface Case {
  readonly name: string;
  /** As in the table of docs/brokers.md, in the long form. */
  readonly title: string;
  readonly payloads: readonly PayloadKind[];
  readonly bridges?: number;
  readonly qos?: 2;
  /** What the subscription is behind. */
  readonly prefix?: string;
  readonly mqtt?: Readonly<Record<string, unknown>>;
  /** Restarts the broker, so that nothing else can go on meanwhile. */
  readonly isAlone?: true;
  /** Rows that a member of a shared subscription writes twice are what the protocol leaves no way to know. */
  readonly mayDouble?: true;
  readonly appliesTo?: (broker: RealBroker) => boolean;
  readonly run: (cell: Cell) => Promise<Notes>;
}

const STOP_MS = 10_000;

const keepsOverRestarts = ({ isPersistent }: RealBroker): boolean => isPersistent;

export const CASES: readonly Case[] = [
  {
    name: 'once',
    title: '20,000 values at full speed',
    payloads: ['time'],
    run: async (cell) => {
      await cell.bridge.start();
      await cell.during(20_000, 0, 0, () => Promise.resolve());
      return [];
    },
  },
  {
    name: 'kill',
    title: '`kill -9` of the bridge, four times',
    payloads: PAYLOAD_KINDS,
    run: async (cell) => {
      await cell.bridge.start();
      await cell.during(6000, 600, cell.times(4), () => cell.killAndRestart(cell.member));
      return [];
    },
  },
  {
    name: 'reset',
    title: 'connection reset, five times',
    payloads: PAYLOAD_KINDS,
    run: async (cell) => {
      await cell.bridge.start();
      await cell.during(13_000, 1000, cell.times(5), () => cell.resetConnection(cell.member));
      return [];
    },
  },
  {
    name: 'lost-acks',
    title: 'acknowledgements lost for 2 s, then reset, twice',
    payloads: PAYLOAD_KINDS,
    run: async (cell) => {
      await cell.bridge.start();
      await cell.during(6000, 500, 2, async () => {
        cell.proxy.swallowAcks(true);
        await wait(2000);
        cell.proxy.reset();
        cell.proxy.swallowAcks(false);
      });
      return [];
    },
  },
  {
    name: 'lost-messages',
    title: 'what the broker sends lost for 1.5 s, then reset, three times',
    payloads: PAYLOAD_KINDS,
    run: async (cell) => {
      await cell.bridge.start();
      await cell.during(3000, 200, cell.times(3), async () => {
        cell.proxy.swallowDeliveries(true);
        await wait(1500);
        cell.proxy.reset();
        cell.proxy.swallowDeliveries(false);
      });
      return [];
    },
  },
  {
    name: 'stop',
    title: 'the bridge stopped for 10 s, keep alive 5 s',
    payloads: PAYLOAD_KINDS,
    mqtt: { keepaliveSeconds: 5 },
    run: async (cell) => {
      await cell.bridge.start();
      await cell.during(8000, 500, 1, async () => {
        cell.bridge.signal('SIGSTOP');
        await wait(STOP_MS);
        cell.bridge.signal('SIGCONT');
      });
      return [];
    },
  },
  {
    name: 'qos2',
    title: 'QoS 2: `kill -9` and reset, four times each',
    payloads: ['equal', 'time'],
    qos: 2,
    run: async (cell) => {
      await cell.bridge.start();
      await cell.during(8000, 500, 2 * cell.times(4), async (i) => {
        if (i % 2 === 0) await cell.killAndRestart(cell.member);
        else await cell.resetConnection(cell.member);
      });
      return [];
    },
  },
  {
    name: 'share',
    title: '`$share`: two bridges, one killed twice',
    payloads: ['time'],
    bridges: 2,
    prefix: '$share/plant/',
    mayDouble: true,
    run: async (cell) => {
      for (const { bridge } of cell.members) await bridge.start();
      await cell.during(20_000, 1000, 2, () => cell.killAndRestart(cell.member));
      return [];
    },
  },
  {
    name: 'restart',
    title: 'broker restarted in order under way',
    payloads: PAYLOAD_KINDS,
    isAlone: true,
    appliesTo: keepsOverRestarts,
    run: async (cell) => {
      await cell.bridge.start();
      const before = await witness(cell);
      await cell.during(15_000, 500, 1, () => cell.broker.restart());
      await before.client.closed;
      return [await before.report()];
    },
  },
  {
    name: 'restart-queued',
    title: 'broker restarted with 3,000 queued for an absent bridge',
    payloads: ['time'],
    isAlone: true,
    appliesTo: keepsOverRestarts,
    run: async (cell) => {
      await cell.bridge.start();
      await cell.bridge.stop();
      const before = await witness(cell);
      await before.client.reset();
      await cell.during(3000, 0, 0, () => Promise.resolve());
      await cell.broker.restart();
      await cell.bridge.start();
      return [await before.report()];
    },
  },
];

const WITNESS_PATIENCE_MS = 8000;
const SHORT_WITNESS_PATIENCE_MS = 2500;

/**
 * A bare client with a session of its own to the same topics, which acknowledges at once: what it does not get over a
 * restart either, the broker has lost. It is connected until the broker goes, or until the test resets it, and comes
 * back when the report is asked for.
 */
async function witness(cell: Cell): Promise<{ readonly client: BareClient; report(): Promise<string> }> {
  const seen = new Set<string>();
  let count = 0;
  const options = {
    port: cell.broker.port,
    protocol: 4,
    clientId: `${cell.options.root}-witness`,
    isClean: false,
    onMessage: ({ payload }: { readonly payload: Buffer }): boolean => {
      count += 1;
      seen.add(payload.toString());
      return true;
    },
  } as const;
  const client = await BareClient.connect(options);
  await client.subscribe(cell.payloads.subscription, 1);
  return {
    client,
    report: async () => {
      const again = await BareClient.connect(options);
      for (let last = -1; last !== count;) {
        last = count;
        await wait(cell.isShort ? SHORT_WITNESS_PATIENCE_MS : WITNESS_PATIENCE_MS);
      }
      await again.disconnect();
      const got = cell.payloads.kind === 'time' ? seen.size : count;
      const present = again.isSessionPresent ? 'kept' : 'gone';
      const { owed, maybe } = cell.publisher;
      const more = maybe.size === 0 ? '' : ` and at most ${maybe.size} more`;
      return `bare client beside it: session ${present}, ${got} of ${owed.size}${more} messages`;
    },
  };
}
