import { afterEach, describe, expect, it } from 'vitest';

import type { ReplaysOptions } from '../../../src/backup/replay/replays.ts';
import { DatabaseError } from '../../../src/core/errors.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
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
