import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Backups } from '../../../src/backup/backups.ts';
import { headerLine, ROW_COLUMNS } from '../../../src/backup/csv/row-format.ts';
import { readBackupRows } from '../../../src/backup/csv/row-reader.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import { ORIGIN } from '../../../src/core/place.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { FakeOracle } from './fake-oracle.ts';
import { FaultyFileSystem } from './faulty-filesystem.ts';
import { DOWN, JOURNAL, numbersIn, REFUSED, startBackups } from './running-backups.ts';
import { createLife, numbered } from './running-replay.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const DIR = '/backup';
const LANES = ['default', 'alarms', 'energy'];
type Lane = (typeof LANES)[number];

const place = (messageNo: number): { messageNo: number; valueNo: number } => ({ messageNo, valueNo: 0 });

async function destinationsIn(dir: string, name: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { destinations } of readBackupRows(nodeFileSystem, join(dir, name))) found.push(...destinations);
  return found;
}

describe('the backups of several destinations', () => {
  it('are files of their own, also when they are begun in one instant', async () => {
    const { backups, dir } = await startBackups();
    await Promise.all(LANES.map((lane, i) => backups.lane(lane).backUp(numbered(i * 10 + 1, 2), DOWN)));
    await Promise.all(LANES.map((lane) => backups.lane(lane).endOutage()));
    expect(backups.files()).toHaveLength(3);
    expect(
      backups
        .files()
        .map(({ destination }) => destination)
        .sort(),
    ).toEqual([...LANES].sort());
    for (const { destination, name } of backups.files()) {
      const from = LANES.indexOf(destination) * 10 + 1;
      expect(await numbersIn(dir, name)).toEqual([from, from + 1]);
      expect(await destinationsIn(dir, name)).toEqual([destination, destination]);
      expect(backups.facts(name)).toMatchObject({ destination });
    }
  });

  it('are counted for the destination that their rows go to, messages for none', async () => {
    const { backups } = await startBackups();
    expect(backups.pendingByDestination().size).toBe(0);
    for (const [i, lane] of LANES.entries()) {
      await backups.lane(lane).backUp(numbered(i * 10 + 1, i + 1), DOWN);
      await backups.lane(lane).endOutage();
    }
    const energy = backups.files().find(({ destination }) => destination === 'energy')!;
    await backups.redirect(energy.name, 'alarms');
    expect(backups.pendingByDestination()).toEqual(
      new Map([
        ['alarms', { backup: { files: 2, rows: 5 } }],
        ['default', { backup: { files: 1, rows: 1 } }],
      ]),
    );
  });

  it('give the same lane for the same name, of whatever destination', async () => {
    const { backups } = await startBackups();
    expect(backups.lane('gone')).toBe(backups.lane('gone'));
    expect(backups.lane()).toBe(backups.lane('default'));
  });

  it('leave the column empty for the default', async () => {
    const { backups, dir } = await startBackups();
    await backups.lane().backUp(numbered(7, 1), DOWN);
    await backups.lane().endOutage();
    const [header, row] = (await readFile(backups.path(backups.files()[0]!.name), 'utf8')).split('\r\n');
    expect(row!.split(',')[header!.split(',').indexOf('destination')]).toBe('');
    expect(await destinationsIn(dir, backups.files()[0]!.name)).toEqual(['default']);
  });

  it('are known by their first row before a start is through, and later ones when they are found', async () => {
    const dir = await temporaryDirectory();
    const columns = ROW_COLUMNS.filter((column) => column !== 'destination');
    const old = (number: number): string =>
      `A,${number},2025-11-02T14:30:25.123Z,GOOD,,,P,A,2025-11-02T14:30:25.123Z,${JOURNAL},${number},0,X,\r\n`;
    await writeFile(join(dir, 'backup_20251102_100000.csv'), headerLine(columns) + old(1));
    const own = (destination: string): string =>
      `tag_name,tag_value,timestamp,quality,Destination\nA,1,2025-11-02T14:30:25.123Z,GOOD,${destination}`;
    await writeFile(join(dir, 'own.csv'), own('alarms'));
    const { backups } = await startBackups({ dir });
    const known = (): string[] => backups.files().map(({ destination, name }) => `${name} ${destination}`);
    expect(known()).toEqual(['own.csv alarms', 'backup_20251102_100000.csv default']);
    await writeFile(join(dir, 'another.csv'), own('energy'));
    await backups.rescan();
    expect(known()).toContain('another.csv energy');
  });

  it('are not another destination’s all at once: what of them is in Oracle is known by the first', async () => {
    const { backups: before, dir } = await startBackups();
    await before.lane('alarms').backUp(numbered(1, 2), DOWN);
    await before.stop();
    const { backups } = await startBackups({ dir });
    const { name } = backups.files()[0]!;
    const text = await readFile(join(dir, name), 'utf8');
    await writeFile(join(dir, name), text.replaceAll(',alarms,', ',x,'));
    await backups.rescan();
    expect(backups.file(name)).toMatchObject({ destination: 'alarms' });
    expect(backups.file(name)?.problem).toContain('replay it with --to x');
    await writeFile(join(dir, name), text);
    await backups.rescan();
    expect(backups.file(name)).toMatchObject({ destination: 'alarms', problem: undefined });
  });

  it.each([
    ['while the bridge starts', true],
    ['when they are found', false],
  ])('stay their destination’s when the disk does not give them %s', async (_when, areThereBefore) => {
    const { backups: before, dir } = await startBackups();
    await before.lane('alarms').backUp(numbered(1, 2), DOWN);
    await before.stop();
    const { name } = before.files()[0]!;
    const elsewhere = join(await temporaryDirectory(), name);
    const disk = new FaultyFileSystem();
    let reads = 0;
    disk.beforeRead = () => {
      reads += 1;
      // At the start the first read says whose the file is.
      const isRefused = areThereBefore ? reads > 1 : true;
      return isRefused ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })) : Promise.resolve();
    };
    if (!areThereBefore) await rename(join(dir, name), elsewhere);
    const { backups } = await startBackups({ dir, disk });
    if (!areThereBefore) {
      await rename(elsewhere, join(dir, name));
      await backups.rescan();
    }
    expect(backups.file(name)?.problem).toContain('EIO');
    disk.beforeRead = () => Promise.resolve();
    await backups.rescan();
    expect(backups.file(name)).toMatchObject({ destination: 'alarms', rows: 2, problem: undefined });
  });

  interface Step {
    readonly lane: Lane;
    readonly does: 'back up' | 'reject' | 'hold' | 'end outage' | 'read ledger' | 'unknown' | 'certain' | 'restart';
  }

  it('know of each lane what they would know if it were the only one', async () => {
    const step: fc.Arbitrary<Step> = fc.record({
      lane: fc.constantFrom(...LANES),
      does: fc.constantFrom(
        'back up',
        'back up',
        'reject',
        'hold',
        'end outage',
        'read ledger',
        'unknown',
        'certain',
        'restart',
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const together = await knowledgeAfter(steps, LANES);
        for (const lane of LANES) {
          const alone = await knowledgeAfter(
            steps.map((each) => (each.lane === lane || each.does === 'restart' ? each : { ...each, lane: '' })),
            [lane],
          );
          expect(together[lane]).toEqual(alone[lane]);
        }
      }),
      { numRuns: 60 },
    );
  });

  interface Knowledge {
    readonly lastPlace: unknown;
    readonly setApart: string[];
    /** Of each backup, oldest first: its rows, and its stamp. */
    readonly files: unknown[];
  }

  async function knowledgeAfter(steps: readonly Step[], lanes: readonly Lane[]): Promise<Record<Lane, Knowledge>> {
    const disk = new LossyDisk(seededRandom(1)).mount();
    const start = async (): Promise<Backups> => {
      const { backups } = createLife(DIR, disk, new FakeOracle());
      await backups.start();
      return backups;
    };
    let backups = await start();
    let messageNo = 0;
    for (const { does, lane } of steps) {
      messageNo += 1;
      if (does === 'restart') {
        await backups.stop();
        backups = await start();
        continue;
      }
      if (lane === '') continue;
      const files = backups.lane(lane);
      const values = numbered(messageNo, 1);
      if (does === 'back up') await files.backUp(values, DOWN);
      else if (does === 'reject') await files.reject(values, [{ index: 0, reason: REFUSED }]);
      else if (does === 'hold') await files.reject(values, [{ index: 0, reason: REFUSED, isHeld: true }]);
      else if (does === 'end outage') await files.endOutage();
      else if (does === 'read ledger') await files.stampSkip(place(Math.max(0, messageNo - 2)));
      else if (does === 'unknown') files.outcomeUnknown();
      else files.outcomeCertain();
    }
    const knowledge: Record<Lane, Knowledge> = {};
    for (const lane of lanes) {
      const files = backups.lane(lane);
      await files.endOutage();
      const own = backups.files().filter(({ destination, kind }) => destination === lane && kind === 'backup');
      const rows = await Promise.all(own.map(async ({ name }) => numbersIn(DIR, name, disk)));
      const stamps = await Promise.all(own.map(({ name }) => files.skipStamp(name)));
      knowledge[lane] = {
        lastPlace: await files.lastPlace(JOURNAL),
        setApart: [...(await files.recall(JOURNAL, ORIGIN))].sort(),
        files: rows.map((numbers, i) => ({ numbers, stamp: stamps[i] })).sort((a, b) => a.numbers[0]! - b.numbers[0]!),
      };
    }
    await backups.stop();
    return knowledge;
  }
});
