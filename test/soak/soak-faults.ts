import { setTimeout as wait } from 'node:timers/promises';

import type { RunningBroker } from '../brokers/broker.ts';
import type { BridgeChild } from '../crash/bridge-child.ts';
import type { Chance } from '../crash/chance.ts';
import type { FaultRule } from '../support/standin/faults.ts';
import type { Standin } from '../support/standin/standin.ts';
import type { SmallDisk } from './small-disk.ts';
import type { SteadyPublisher } from './steady-publisher.ts';
import { untilOrStuck } from './until-or-stuck.ts';

export interface SoakSurroundings {
  readonly broker: RunningBroker;
  readonly standin: Standin;
  readonly publisher: SteadyPublisher;
  readonly disk: SmallDisk;
  readonly bridge: BridgeChild;
}

/** What goes wrong for about so long; it is over when its promise resolves. */
type SoakFault = (surroundings: SoakSurroundings, durationMs: number) => Promise<void>;

const SLOW_MS = 400;

/**
 * A broker that is killed forgets what it had not written: so it is killed when it has nothing, and is given something
 * again once the bridge hears it.
 */
async function brokerKilled({ bridge, broker, publisher }: SoakSurroundings, durationMs: number): Promise<void> {
  publisher.isHeld = true;
  try {
    await untilAllHasArrived({ bridge, publisher });
    await broker.crash(() => wait(durationMs));
    await untilHeard(publisher);
  } finally {
    publisher.isHeld = false;
  }
}

/** Nothing new comes meanwhile: all that the broker has acknowledged is the bridge's, and it has said so. */
export async function untilAllHasArrived({
  bridge,
  publisher,
}: Pick<SoakSurroundings, 'bridge' | 'publisher'>): Promise<void> {
  const { ledger } = publisher;
  const untilSo = (what: string, condition: () => boolean | Promise<boolean>): Promise<void> =>
    untilOrStuck(what, condition, () => ledger.found + publisher.acknowledged);
  let last: number | undefined;
  await untilSo('a last value to be published', () => (last ??= publisher.publishOne()) !== undefined);
  await untilSo('the last value', () => publisher.unacknowledged === 0 && ledger.hasArrived(last!));
  await untilSo('the acknowledgements', async () => (await bridge.status())?.mqtt.unackedMessages === 0);
}

/** A message that is published until one comes through owes nothing to anybody. */
async function untilHeard(publisher: SteadyPublisher): Promise<void> {
  const asked: number[] = [];
  const isHeard = (): boolean => {
    const number = publisher.publishOne(false);
    if (number !== undefined) asked.push(number);
    return asked.some((each) => publisher.ledger.hasArrived(each));
  };
  await untilOrStuck('the bridge to hear the broker again', isHeard, () => publisher.ledger.found);
}

function ofDatabase(...rules: readonly FaultRule[]): SoakFault {
  return async ({ standin }, durationMs) => {
    const handles = rules.map((rule) => standin.faults.add({ times: Infinity, ...rule }));
    await wait(durationMs);
    for (const handle of handles) handle.clear();
  };
}

const FAULTS: Readonly<Record<string, SoakFault>> = {
  'broker killed': brokerKilled,
  'broker restarted': async ({ broker }) => {
    await broker.restart();
  },
  'broker paused': async ({ broker }, durationMs) => {
    broker.suspend();
    await wait(durationMs);
    broker.resume();
  },
  'database away': async ({ standin }, durationMs) => {
    standin.close();
    standin.kill();
    await wait(durationMs);
    await standin.open();
  },
  'database silent': async ({ standin }, durationMs) => {
    standin.blackHole(true);
    await wait(durationMs);
    standin.blackHole(false);
  },
  'database slow': ofDatabase({ on: ['execute', 'commit'], delayMs: SLOW_MS }),
  'no room in the tablespace': ofDatabase({ on: 'execute', sql: 'INSERT', error: 1653 }),
  'deadlocks and cut commits': ofDatabase(
    { on: 'execute', sql: 'INSERT', nth: 2, times: 1, error: 60 },
    { on: 'commit', nth: 4, times: 1, reset: 'after' },
    { on: 'commit', nth: 7, times: 1, reset: 'before' },
    { on: 'commit', nth: 10, times: 1, late: { outcome: 'commit', afterMs: 1500 } },
    { on: 'commit', nth: 13, times: 1, hang: true },
  ),
  'sessions killed': async ({ standin }) => {
    standin.killSessions();
  },
  'disk full': async ({ bridge, disk }, durationMs) => {
    await disk.fill(bridge.pid);
    await wait(durationMs);
    await disk.free(bridge.pid);
  },
  'disk full while the database is away': async (surroundings, durationMs) => {
    const { disk, bridge, standin } = surroundings;
    standin.close();
    standin.kill();
    await wait(durationMs / 3);
    await disk.fill(bridge.pid);
    await wait(durationMs / 3);
    await standin.open();
    await wait(durationMs / 3);
    await disk.free(bridge.pid);
  },
};

export interface PlannedFault {
  readonly name: string;
  readonly run: SoakFault;
  readonly durationMs: number;
  /** From the end of the one before. */
  readonly restMs: number;
}

/**
 * The faults of a run, without end, each kind once a round and in another order in each. Under half of the time is
 * theirs, so that medians are those of a bridge that is well. A broker that keeps nothing over a restart has none in
 * order.
 */
export function* plannedFaults(chance: Chance, everyMs: number, isPersistent: boolean): Generator<PlannedFault> {
  const names = Object.keys(FAULTS).filter((name) => isPersistent || name !== 'broker restarted');
  for (;;) {
    const rest = [...names];
    while (rest.length > 0) {
      const [name] = rest.splice(chance.between(0, rest.length - 1), 1);
      const durationMs = Math.round((everyMs * chance.between(5, 45)) / 100);
      yield { name: name!, run: FAULTS[name!]!, durationMs, restMs: everyMs - durationMs };
    }
  }
}
