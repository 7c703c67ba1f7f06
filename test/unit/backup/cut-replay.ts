import type { LossyDisk } from '../../support/lossy-filesystem.ts';
import { until } from '../../support/until.ts';
import type { FakeOracle } from './fake-oracle.ts';
import { createLife, type Life } from './running-replay.ts';
import { batchesOf } from '../../support/batches.ts';

export const DIR = '/backup';

/** What outlives a process. */
export interface World {
  readonly disk: LossyDisk;
  readonly oracle: FakeOracle;
}

/** What one process does. */
export interface Deeds {
  readonly options?: Parameters<typeof createLife>[3];
  /** Called when the backups have started. */
  readonly start: (life: Life) => Promise<void> | void;
  /** Whether nothing is left to do; asked once `start` is over. */
  readonly isDone: (life: Life) => boolean;
}

/**
 * One process, until all is done, or until it dies at the given disk or database operation, counted from 1; 0: at none.
 * `die` is what becomes of the disk then. True: it came to its end.
 */
export async function live({ disk, oracle }: World, diesAt: number, die: () => void, deeds: Deeds): Promise<boolean> {
  let operations = 0;
  let isDead = false;
  const tick = (): Promise<void> | undefined => {
    if (isDead) return new Promise(() => {});
    operations += 1;
    if (operations !== diesAt) return undefined;
    isDead = true;
    die();
    return new Promise(() => {});
  };
  disk.before = tick;
  oracle.before = tick;
  const life = createLife(DIR, disk.mount(), oracle, { batches: batchesOf(3), ...deeds.options });
  let isStarted = false;
  const start = async (): Promise<void> => {
    await life.backups.start();
    await deeds.start(life);
    isStarted = true;
  };
  void start();
  await until('the process is done or dead', async () => {
    await life.clock.advance(2000);
    return isDead || (isStarted && deeds.isDone(life) && oracle.ledger.size === 0);
  });
  if (isDead) return false;
  disk.before = () => {};
  oracle.before = () => {};
  await stop(life);
  return true;
}

/** Ends a process in order. */
export async function stop({ backups, replay }: Life): Promise<void> {
  await replay.stop();
  await backups.stop();
}
