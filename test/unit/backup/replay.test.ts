import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';

import type { ReplaysOptions } from '../../../src/backup/replay/replays.ts';
import { DatabaseError } from '../../../src/core/errors.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import { TagValues } from '../../../src/core/tag-values.ts';
import { until } from '../../support/until.ts';
import { FakeOracle, plain } from './fake-oracle.ts';
import { DOWN, FIRST_FILE, JOURNAL, numbersIn, REFUSED } from './running-backups.ts';
import { createLife, numbered, type Life } from './running-replay.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { batchesOf } from '../../support/batches.ts';

const lives: Life[] = [];

afterEach(async () => {
  for (const { backups, clock, replay } of lives.splice(0)) {
    await replay.stop();
    await backups.stop();
    if (clock.pendingTimers > 0) throw new Error('a timer outlives the replay');
  }
});

async function start(options: Partial<ReplaysOptions> & { dir?: string; oracle?: FakeOracle } = {}) {
  const { dir = await temporaryDirectory(), oracle = new FakeOracle(), ...rest } = options;
  const life = createLife(dir, nodeFileSystem, oracle, rest);
  await life.backups.start();
  lives.push(life);
  return { ...life, dir, oracle };
}

/** Virtual time goes on until the condition holds. */
function within(life: Life, what: string, condition: () => boolean | Promise<boolean>): Promise<true> {
  return until(what, async () => {
    await life.clock.advance(1000);
    return condition();
  });
}

const isEmpty = (life: Life) => () => life.backups.files().length === 0;

function lost(): DatabaseError {
  return new DatabaseError('connection', 'NJS-500', 'connection lost', { outcomeUnknown: true });
}

describe('replay', () => {
  it('writes sealed backups, oldest first, deletes them and forgets their ledger rows', async () => {
    const life = await start();
    const { backups, counters, dir, oracle, replay, steps } = life;
    await backups.lane().backUp(numbered(1, 3), DOWN);
    await backups.lane().endOutage();
    await backups.lane().backUp(numbered(4, 3), DOWN);
    await backups.lane().endOutage();
    replay.start();
    await within(life, 'the directory is empty', async () => (await readdir(dir)).length === 0);
    expect(oracle.numbers()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(counters.valuesReplayed).toBe(6);
    expect(oracle.ledger.size).toBe(0);
    expect(backups.files()).toEqual([]);
    expect(steps).toEqual(
      'backed-up sealed backed-up sealed replayed replayed file-deleted replayed replayed file-deleted'.split(' '),
    );
  });

  it('begins, or leaves backups alone, as it is told while it runs', async () => {
    const life = await start({ enabled: false });
    const { backups, clock, oracle, replay } = life;
    await backups.lane().backUp(numbered(1, 3), DOWN);
    await backups.lane().endOutage();
    replay.start();
    await clock.advance(120_000);
    expect(oracle.numbers()).toEqual([]);
    replay.tune({ enabled: true, batches: batchesOf(3) });
    await within(life, 'the file is gone', isEmpty(life));
    expect(oracle.numbers()).toEqual([1, 2, 3]);
    expect(life.steps.filter((step) => step === 'replayed')).toHaveLength(1);
    replay.tune({ enabled: false, batches: batchesOf(3) });
    await backups.lane().backUp(numbered(4, 3), DOWN);
    await backups.lane().endOutage();
    await clock.advance(120_000);
    expect(oracle.numbers()).toEqual([1, 2, 3]);
  });

  it('shows its progress, and leaves open, rejected and undecodable files alone', async () => {
    const life = await start();
    const { backups, oracle, replay } = life;
    await backups.lane().backUp(numbered(1, 5), DOWN);
    await backups.lane().endOutage();
    await backups.lane().backUp(numbered(6, 1), DOWN);
    await backups.lane().reject(numbered(7, 1), [{ index: 0, reason: REFUSED }]);
    await backups.seal('rejected_20251102_143000.csv');
    const seen: unknown[] = [];
    backups.onChange((name) => seen.push([name, backups.file(name)?.replayedRows]));
    replay.start();
    await within(life, 'the first file is gone', () => backups.file(FIRST_FILE) === undefined);
    expect(seen).toEqual([0, 2, 4, 5, undefined].map((rows) => [FIRST_FILE, rows]));
    expect(oracle.numbers()).toEqual([1, 2, 3, 4, 5]);
    expect(backups.files()).toHaveLength(2);
  });

  it('waits while Oracle is down, and after an error, and counts what an unanswered commit wrote', async () => {
    let isUp = false;
    const life = await start({ isOracleUp: () => isUp });
    const { backups, counters, oracle, replay } = life;
    let errors = 0;
    oracle.before = (call) => {
      if (call !== 'committed' || errors > 0) return;
      errors += 1;
      throw lost();
    };
    await backups.lane().backUp(numbered(1, 5), DOWN);
    await backups.lane().endOutage();
    replay.start();
    await life.clock.advance(60_000);
    expect(oracle.writes).toBe(0);
    isUp = true;
    replay.wake();
    await until('the error', () => errors === 1);
    expect(oracle.writes).toBe(1);
    await life.clock.advance(2000);
    expect(oracle.writes).toBe(1);
    await within(life, 'all is replayed', isEmpty(life));
    expect(oracle.numbers()).toEqual([1, 2, 3, 4, 5]);
    expect(counters.valuesReplayed).toBe(5);
  });

  it.each([
    ['is discarded', async ({ backups }: Life) => backups.discard(backups.files()[0]!.name)],
    ['is left alone from now on', async ({ replay }: Life) => replay.tune({ enabled: false, batches: batchesOf(2) })],
  ])('does nothing more about a file that was refused and %s', async (_what, end) => {
    const life = await start();
    const { backups, clock, oracle, replay } = life;
    oracle.before = (call) => {
      if (call === 'write') throw new DatabaseError('refused', 'ORA-07777', 'in no list');
    };
    await backups.lane().backUp(numbered(1, 3), DOWN);
    await backups.lane().endOutage();
    replay.start();
    await within(
      life,
      'it is refused and waits',
      () => life.log.messages('warn').length > 0 && clock.pendingTimers > 0,
    );
    await end(life);
    await clock.advance(3_600_000);
    await within(life, 'nothing is left to wait for', () => clock.pendingTimers === 0);
    expect(oracle.rows).toEqual([]);
  });

  it('leaves half of the time to live data', async () => {
    const life = await start({ isLiveBusy: () => true });
    const { backups, clock, oracle, replay } = life;
    oracle.before = (call) =>
      call === 'write' ? new Promise((resolve) => void clock.setTimer(300, resolve)) : undefined;
    await backups.lane().backUp(numbered(1, 4), DOWN);
    await backups.lane().endOutage();
    replay.start();
    await until('the first write', async () => {
      await clock.advance(0);
      return clock.pendingTimers > 1;
    });
    await clock.advance(300);
    await until('the first batch', async () => {
      await clock.advance(0);
      return oracle.writes === 1;
    });
    await clock.advance(590);
    expect(oracle.writes).toBe(1);
    await within(life, 'all is replayed', isEmpty(life));
    expect(oracle.writes).toBe(2);
  });

  it.each(['refusedTag', 'poisonTag'] as const)('puts rows that are refused (%s) into a rejected file', async (how) => {
    const life = await start({ batches: batchesOf(4) });
    const { backups, counters, dir, oracle, replay } = life;
    oracle[how] = 'PLC01.D2';
    const values = numbered(1, 6);
    values.numbers[4] = Number.POSITIVE_INFINITY;
    await backups.lane().backUp(values, DOWN);
    await backups.lane().endOutage();
    replay.start();
    await within(life, 'the backup is gone', () => backups.file(FIRST_FILE) === undefined);
    expect(oracle.numbers()).toEqual([1, 2, 4, 6]);
    expect(counters.valuesReplayed).toBe(4);
    const [{ name } = { name: '' }] = backups.files();
    await backups.seal(name);
    expect((await numbersIn(dir, name)).sort((a, b) => a - b)).toEqual([3, Number.POSITIVE_INFINITY]);
    expect(await readFile(join(dir, name), 'utf8')).toContain(`,${JOURNAL},3,0,`);
  });

  it('passes over what the skip stamp says is in Oracle', async () => {
    const life = await start();
    const { backups, oracle, replay } = life;
    await backups.lane().backUp(numbered(1, 3), DOWN);
    await backups.lane().backUp(numbered(4, 2), DOWN);
    await backups.lane().stampSkip({ messageNo: 3, valueNo: 0 });
    await backups.lane().endOutage();
    replay.start();
    await within(life, 'all is replayed', isEmpty(life));
    expect(oracle.numbers()).toEqual([4, 5]);
  });

  it('reads the ledger again when someone else moved it', async () => {
    const life = await start();
    const { backups, oracle, replay } = life;
    await backups.lane().backUp(numbered(1, 4), DOWN);
    await backups.lane().endOutage();
    let isMoved = false;
    oracle.before = (call) => {
      if (call !== 'write' || isMoved) return;
      isMoved = true;
      for (const stream of oracle.ledger.keys()) oracle.ledger.set(stream, { messageNo: 3, valueNo: 0 });
    };
    replay.start();
    await within(life, 'all is replayed', isEmpty(life));
    expect(oracle.numbers()).toEqual([4]);
  });

  it('is the inverse of backing up, for any value', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', '"', 'a\r\nb', ',', ' ', '\uFEFF', 'NULL', 'RUN\0', '␀0'),
      fc.string({ unit: fc.constantFrom("'", '=', '+', '-', '@', '\t', '\r', '1'), minLength: 1, maxLength: 4 }),
    );
    const row = fc.record({
      name: text,
      number: fc.double({ noDefaultInfinity: true }),
      text: fc.option(text),
      timeMs: fc.integer({ min: -6e13, max: 2.5e14 }),
      quality: text,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 12 }), async (rows) => {
        const life = await start();
        const values = new TagValues(rows.length);
        for (const { name, number, text: words, timeMs, quality } of rows) {
          values.push({ name, plcCode: 'P', address: 'A' }, number, words, timeMs, quality);
        }
        values.stamp(7, 0);
        const expected = plain(values);
        await life.backups.lane().backUp(values, DOWN);
        await life.backups.lane().endOutage();
        life.replay.start();
        await within(life, 'all is replayed', isEmpty(life));
        expect(life.oracle.rows).toEqual(expected);
      }),
      { numRuns: 60, endOnFailure: true },
    );
  }, 60_000);
});

describe('a file that a person has changed', () => {
  async function written(): Promise<string> {
    const { backups, dir } = await start({ enabled: false });
    await backups.lane().backUp(numbered(1, 4), DOWN);
    await backups.lane().endOutage();
    await backups.stop();
    return dir;
  }

  async function changed(change: (lines: string[]) => string): Promise<number[]> {
    const dir = await written();
    const path = join(dir, FIRST_FILE);
    await writeFile(path, change((await readFile(path, 'utf8')).trimEnd().split('\r\n')));
    const life = await start({ dir });
    life.replay.start();
    await within(life, 'all is replayed', isEmpty(life));
    return life.oracle.numbers();
  }

  it.each<[string, (lines: string[]) => string, number[]]>([
    ['with a value mended', (lines) => lines.join('\r\n').replace('D1,2,', 'D1,22,'), [1, 22, 3, 4]],
    ['with a line deleted', (lines) => lines.toSpliced(2, 1).join('\r\n'), [1, 3, 4]],
    ['with LF line ends and a byte order mark', (lines) => `\uFEFF${lines.join('\n')}`, [1, 2, 3, 4]],
    ['out of order', ([head, ...rows]) => [head, ...rows.reverse()].join('\n'), [1, 2, 3, 4]],
    ['with a tail that is there twice', (lines) => [...lines, ...lines.slice(3)].join('\n'), [1, 2, 3, 4]],
    [
      'with other column order',
      (lines) => lines.map((line) => line.split(',').reverse().join(',')).join('\n'),
      [1, 2, 3, 4],
    ],
    [
      'of an older version, without the journal',
      (lines) => lines.map((line) => line.split(',').toSpliced(9, 1).join(',')).join('\n'),
      [1, 2, 3, 4],
    ],
  ])('%s is replayed as it says', async (_what, change, expected) => {
    expect(await changed(change)).toEqual(expected);
  });

  it('between two parts of its replay goes on where it was', async () => {
    const dir = await written();
    const oracle = new FakeOracle();
    oracle.before = (call) => {
      if (call === 'committed') throw lost();
    };
    const first = await start({ dir, oracle });
    first.replay.start();
    await until('the first batch', () => oracle.writes === 1);
    await first.replay.stop();
    await first.backups.stop();
    oracle.before = () => {};
    const path = join(dir, FIRST_FILE);
    const lines = (await readFile(path, 'utf8')).split('\r\n');
    await writeFile(path, lines.toSpliced(1, 1).join('\r\n'));
    const life = await start({ dir, oracle });
    life.replay.start();
    await within(life, 'all is replayed', isEmpty(life));
    expect(oracle.numbers()).toEqual([1, 2, 3, 4]);
  });

  it('so that it cannot be read is left, with its problem, and another is replayed', async () => {
    const dir = await written();
    const path = join(dir, FIRST_FILE);
    await copyFile(path, join(dir, 'backup_20251102_143001.csv'));
    await writeFile(path, (await readFile(path, 'utf8')).replace('D1,2,', 'D1,two,'));
    const life = await start({ dir });
    life.replay.start();
    await within(life, 'the other is replayed', () => life.backups.files().length === 1);
    expect(life.backups.files()).toMatchObject([
      { name: FIRST_FILE, problem: expect.stringContaining('line 3') as string },
    ]);
    expect(life.oracle.numbers()).toEqual([1, 2, 3, 4]);
  });
});

describe('a request', () => {
  it('replays rejected rows, and those that are refused again go to a new file', async () => {
    const life = await start({ enabled: false });
    const { backups, dir, oracle, replay } = life;
    oracle.refusedTag = 'PLC01.D1';
    const rejected = 'rejected_20251102_143000.csv';
    await backups.lane().reject(
      numbered(1, 3),
      [0, 1, 2].map((index) => ({ index, reason: REFUSED })),
    );
    replay.start();
    await life.clock.advance(60_000);
    expect(oracle.writes).toBe(0);
    await replay.request(rejected);
    await within(life, 'it is done', () => replay.requestState(rejected)?.state === 'done');
    expect(oracle.numbers()).toEqual([1, 3]);
    const [left] = backups.files();
    expect(left).toMatchObject({ kind: 'rejected', rows: 1, reason: { code: 'ORA-12899' } });
    expect(left?.name).not.toBe(rejected);
    await backups.seal(left!.name);
    expect(await numbersIn(dir, left!.name)).toEqual([2]);
  });

  it("replays a person's own file, whose rows have no places, and only then", async () => {
    const dir = await temporaryDirectory();
    const text = 'tag_name,tag_value,timestamp,quality\nA,1,2025-11-02T14:30:00Z,GOOD\nA,1,2025-11-02T14:30:00Z,GOOD\n';
    await writeFile(join(dir, 'own.csv'), text);
    const life = await start({ dir });
    life.replay.start();
    await life.clock.advance(120_000);
    expect(life.oracle.writes).toBe(0);
    await life.replay.request('own.csv');
    await within(life, 'it is done', isEmpty(life));
    expect(life.oracle.numbers()).toEqual([1, 1]);
  });

  it('is refused for what is not there, and for messages as long as they may come again', async () => {
    const { backups, replay } = await start({ messagesRefusal: () => 'the bridge was cut off' });
    await expect(replay.request('../x.csv')).rejects.toThrow('no such backup file');
    await backups.addUndecodable(
      { number: 1, topic: 't', payload: Buffer.from('x'), receivedAtMs: 0 },
      { code: 'JSON', message: '' },
    );
    await expect(replay.request(backups.files()[0]!.name)).rejects.toThrow('.csv: the bridge was cut off');
  });

  it('says why it fails', async () => {
    const life = await start();
    await writeFile(join(life.dir, 'own.csv'), 'tag_name\nA\n');
    life.replay.start();
    await life.replay.request('own.csv');
    await until('it failed', () => life.replay.requestState('own.csv')?.state === 'failed');
    expect(life.replay.requestState('own.csv')?.problem).toContain('column tag_value: the column is missing');
  });
});
