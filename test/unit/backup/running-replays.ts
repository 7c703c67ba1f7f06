import type { ReplaysOptions } from '../../../src/backup/replay/replays.ts';
import type { LedgerSession } from '../../../src/core/ledger-session.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { until } from '../../support/until.ts';
import { DIR } from './cut-replay.ts';
import { FakeOracle } from './fake-oracle.ts';
import { DOWN } from './running-backups.ts';
import { createLife, numbered, type Life } from './running-replay.ts';

export const DESTINATIONS = ['default', 'alarms', 'energy'];

/** A table each; the ledger of each stream is beside its rows, as a stream has one destination. */
export class Tables {
  readonly #tables = new Map<string, FakeOracle>();
  /** Names of streams, in the order of their first use, by destination. */
  readonly streams: string[] = [];

  of(destination: string): FakeOracle {
    let table = this.#tables.get(destination);
    if (table === undefined) {
      table = new FakeOracle();
      this.#tables.set(destination, table);
    }
    return table;
  }

  session(stream: string, destination: string): LedgerSession {
    const name = `${destination}: ${stream}`;
    if (!this.streams.includes(name)) this.streams.push(name);
    return this.of(destination).session(stream);
  }

  numbers(): Record<string, number[]> {
    return Object.fromEntries([...this.#tables].map(([name, table]) => [name, table.numbers()]));
  }
}

export interface Setup {
  readonly life: Life;
  readonly tables: Tables;
  readonly disk: LossyDisk;
}

export async function start(
  options: Partial<ReplaysOptions> = {},
  before?: Pick<Setup, 'disk' | 'tables'>,
): Promise<Setup> {
  const { disk, tables } = before ?? { disk: new LossyDisk(seededRandom(1)), tables: new Tables() };
  const life = createLife(DIR, disk.mount(), tables.of('default'), {
    destinations: DESTINATIONS,
    session: (stream, destination) => tables.session(stream, destination),
    ...options,
  });
  await life.backups.start();
  return { life, tables, disk };
}

export function within({ life }: Setup, what: string, condition: () => boolean): Promise<true> {
  return until(what, async () => {
    await life.clock.advance(1000);
    return condition();
  });
}

/** A backup of three rows for the destination; gives its name. */
export async function backUp({ life: { backups } }: Setup, destination: string, from: number): Promise<string> {
  const known = new Set(backups.files().map(({ name }) => name));
  await backups.lane(destination).backUp(numbered(from, 3), DOWN);
  await backups.lane(destination).endOutage();
  return backups.files().find(({ name }) => !known.has(name))!.name;
}
