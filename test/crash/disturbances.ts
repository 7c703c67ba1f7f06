import { setTimeout as wait } from 'node:timers/promises';

import type { RunningMosquitto } from '../support/mosquitto.ts';
import type { FaultRule } from '../support/standin/faults.ts';
import type { Standin } from '../support/standin/standin.ts';
import type { Chance } from './chance.ts';
import type { LoadPublisher } from './load-publisher.ts';

interface DatabaseSurroundings {
  readonly standin: Standin;
  readonly chance: Chance;
  /** Resolves when the bridge of this cycle has started, or has ended before. */
  readonly bridgeIsUp: () => Promise<void>;
}

export interface Surroundings extends DatabaseSurroundings {
  readonly broker: RunningMosquitto;
  readonly publisher: LoadPublisher;
}

/** What goes wrong besides the crash: begins with the cycle, is over when its promise resolves. */
type Disturbance<S> = (surroundings: S) => Promise<void>;

/** The n-th commit from now on. */
function atCommit(rule: (chance: Chance) => FaultRule): Disturbance<DatabaseSurroundings> {
  return ({ standin, chance }) => {
    standin.faults.add({ on: 'commit', nth: chance.between(1, 12), ...rule(chance) });
    return Promise.resolve();
  };
}

function takeAway(standin: Standin): void {
  standin.close();
  standin.kill();
}

/** From the start of the bridge on, so that it can't read the ledger. */
async function absence({ standin, chance, bridgeIsUp }: DatabaseSurroundings): Promise<void> {
  takeAway(standin);
  await bridgeIsUp();
  await wait(chance.between(50, 500));
  await standin.open();
}

/** While it writes. */
async function outage({ standin, chance, bridgeIsUp }: DatabaseSurroundings): Promise<void> {
  await bridgeIsUp();
  await wait(chance.between(0, 200));
  takeAway(standin);
  await wait(chance.between(50, 500));
  await standin.open();
}

async function brokerRestart({ broker, publisher, chance, bridgeIsUp }: Surroundings): Promise<void> {
  await bridgeIsUp();
  await wait(chance.between(0, 400));
  await broker.restart();
  await publisher.connect();
}

/** Of the database alone. */
export const DATABASE_DISTURBANCES = {
  none: () => Promise.resolve(),
  'commit cut before': atCommit(() => ({ reset: 'before' })),
  'commit cut after': atCommit(() => ({ reset: 'after' })),
  'late commit': atCommit((chance) => ({ late: { outcome: 'commit', afterMs: chance.between(50, 2500) } })),
  'late rollback': atCommit((chance) => ({ late: { outcome: 'rollback', afterMs: chance.between(50, 2500) } })),
  'call hangs': atCommit(() => ({ hang: true })),
  'answer hangs': atCommit(() => ({ hang: true, when: 'after' })),
  'ledger update cut': ({ standin, chance }) => {
    standin.faults.add({
      on: 'execute',
      sql: 'UPDATE',
      nth: chance.between(1, 6),
      reset: chance.pick(['before', 'after']),
    });
    return Promise.resolve();
  },
  'sessions killed': async ({ standin, chance }) => {
    await wait(chance.between(100, 900));
    standin.killSessions();
  },
  'database outage': outage,
  'database absent at the start': absence,
  'outages end with a cut commit': async (surroundings) => {
    const { standin, chance } = surroundings;
    for (let i = 0; i < 3; i += 1) {
      await outage(surroundings);
      standin.faults.add({ on: 'commit', reset: chance.pick(['before', 'after']) });
    }
  },
  'outage begins with a late commit': async (surroundings) => {
    const { standin, chance, bridgeIsUp } = surroundings;
    await bridgeIsUp();
    standin.faults.add({ on: 'commit', late: { outcome: chance.pick(['commit', 'rollback']), afterMs: 600 } });
    await wait(chance.between(0, 300));
    standin.close();
    await wait(chance.between(50, 500));
    await standin.open();
  },
  'outage and commits cut': async (surroundings) => {
    const { standin } = surroundings;
    standin.faults.add({ on: 'commit', nth: 3, times: 1, reset: 'after' });
    standin.faults.add({ on: 'commit', nth: 6, times: 1, reset: 'before' });
    await outage(surroundings);
  },
} satisfies Record<string, Disturbance<DatabaseSurroundings>>;

export const DISTURBANCES = {
  ...DATABASE_DISTURBANCES,
  'broker restart': brokerRestart,
  'outage and broker restart': async (surroundings) => {
    await Promise.all([outage(surroundings), brokerRestart(surroundings)]);
  },
} satisfies Record<string, Disturbance<Surroundings>>;
export type DisturbanceName = keyof typeof DISTURBANCES;
