import { afterEach, describe, expect, it } from 'vitest';

import type { ReplaysOptions } from '../../../src/backup/replay/replays.ts';
import { ReplayPace } from '../../../src/backup/replay/replay-pace.ts';
import { sleep } from '../../../src/core/clock.ts';
import { DatabaseError } from '../../../src/core/errors.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import { batchesOf } from '../../support/batches.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { until } from '../../support/until.ts';
import { FakeOracle } from './fake-oracle.ts';
import { DOWN } from './running-backups.ts';
import { createLife, numbered, type Life } from './running-replay.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const lives: Life[] = [];

afterEach(async () => {
  for (const { backups, replay } of lives.splice(0)) {
    await replay.stop();
    await backups.stop();
  }
});

async function start(options: Partial<ReplaysOptions>, oracle = new FakeOracle()): Promise<Life> {
  const life = createLife(await temporaryDirectory(), nodeFileSystem, oracle, options);
  await life.backups.start();
  lives.push(life);
  return life;
}

/** Virtual time goes on until no file is left. */
function untilReplayed({ backups, clock }: Life): Promise<boolean> {
  return until('all is replayed', async () => {
    await clock.advance(1000);
    return backups.files().length === 0;
  });
}

describe('the batches of a replay', () => {
  it('are larger, as more wait than one has', async () => {
    const oracle = new FakeOracle();
    const life = await start({ batches: { batchSize: 2, maxBatchSize: 8, intervalMs: 500 } }, oracle);
    await life.backups.lane().backUp(numbered(1, 20), DOWN);
    await life.backups.lane().endOutage();
    life.replay.start();
    await untilReplayed(life);
    expect(oracle.numbers()).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(oracle.writes).toBe(4); // of 2, 4, 8 and 6
  });

  it.each([
    { live: 'is written', isLiveBusy: true, beganAtMs: [0, 200, 400, 600] },
    { live: 'asks for nothing', isLiveBusy: false, beganAtMs: [0, 100, 200, 300] },
  ])('leave half of the time to live data that $live', async ({ beganAtMs, isLiveBusy }) => {
    const oracle = new FakeOracle();
    const began: number[] = [];
    const session: ReplaysOptions['session'] = (stream) => {
      const real = oracle.session(stream);
      return {
        ...real,
        write: async (...args) => {
          began.push(life.clock.monotonic());
          await sleep(life.clock, 100, new AbortController().signal);
          return real.write(...args);
        },
      };
    };
    const life = await start({ session, isLiveBusy: () => isLiveBusy }, oracle);
    await life.backups.lane().backUp(numbered(1, 8), DOWN);
    await life.backups.lane().endOutage();
    life.replay.start();
    await until('all is replayed', async () => {
      await life.clock.advance(10);
      return life.backups.files().length === 0;
    });
    expect(began.map((atMs) => atMs - began[0]!)).toEqual(beganAtMs);
  });

  it.each([
    { when: 'never', atBegin: false, atEnd: false, restMs: 0 },
    { when: 'as it begins', atBegin: true, atEnd: false, restMs: 30 },
    { when: 'as it ends', atBegin: false, atEnd: true, restMs: 30 },
  ])('rest $restMs ms after one of 30 ms, where a live one is at hand $when', async (row) => {
    let isLiveBusy = row.atBegin;
    const clock = new FakeClock();
    const pace = new ReplayPace(batchesOf(2), () => isLiveBusy, clock);
    const { signal } = new AbortController();
    await pace.rest(signal);
    const startedMs = clock.monotonic();
    await clock.advance(30);
    isLiveBusy = row.atEnd;
    pace.taken(2, startedMs);
    let restedMs: number | undefined;
    void pace.rest(signal).then(() => (restedMs = clock.monotonic() - startedMs - 30));
    await clock.advance(0);
    await until('the end of the rest', async () => {
      if (restedMs === undefined) await clock.advance(1);
      return restedMs !== undefined;
    });
    expect(restedMs).toBe(row.restMs);
  });

  it('are small again where large ones fail, whatever small files came before', async () => {
    const oracle = new FakeOracle();
    const sizes: number[] = [];
    const slow = new DatabaseError('connection', 'DPI-1067', 'call timeout', { outcomeUnknown: true });
    const session: ReplaysOptions['session'] = (stream) => {
      const real = oracle.session(stream);
      return {
        ...real,
        write: (values, move, beforeCommit) => {
          sizes.push(values.length);
          return values.length > 6 ? Promise.reject(slow) : real.write(values, move, beforeCommit);
        },
      };
    };
    const life = await start({ batches: { batchSize: 2, maxBatchSize: 16, intervalMs: 500 }, session }, oracle);
    const { backups, replay } = life;
    for (let i = 1; i <= 4; i += 1) {
      await backups.lane().backUp(numbered(i, 1), DOWN);
      await backups.lane().endOutage();
    }
    await backups.lane().backUp(numbered(100, 40), DOWN);
    await backups.lane().endOutage();
    replay.start();
    await untilReplayed(life);
    expect(oracle.numbers()).toHaveLength(44);
    expect(sizes.slice(0, 7)).toEqual([1, 1, 1, 1, 2, 4, 8]);
    expect(sizes.filter((size) => size > 6)).toHaveLength(1);
  });
});
