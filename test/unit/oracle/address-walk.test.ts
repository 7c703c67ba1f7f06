import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { planWalk, type Walk } from '../../../src/oracle/address-walk.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** How many addresses the names have; others are unknown. */
const RECORDS: Readonly<Record<string, number>> = { one: 1, other: 1, scan: 3 };

function walk(connectString: string, namesDir = ''): Promise<Walk> {
  const countRecords = (host: string): Promise<number> => {
    const count = RECORDS[host];
    return count === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(count);
  };
  return planWalk({ connectString, attemptMs: 10_000, namesDir, clock: new FakeClock(), countRecords });
}

const address = (host: string): string => `(ADDRESS=(PROTOCOL=tcp)(HOST=${host})(PORT=1521))`;
const DATA = '(CONNECT_DATA=(SERVICE_NAME=x))';

describe('planWalk', () => {
  it.each<[string, number, number]>([
    ['one:1521/x', 1, 10],
    ['10.0.0.1:1521/x', 1, 10],
    ['scan/x', 3, 30],
    ['nobody/x', 1, 10],
    ['tcps://one,other:1522/x', 2, 20],
    ['[::1]:1521,[fe80::2]:1522/x', 2, 20],
    ['one,scan;other:1600/x?connect_timeout=4', 5, 20],
    ['one,other/x?retry_count=2&retry_delay=3', 6, 66],
    ['one,scan/x?failover=off', 3, 30],
    [`(DESCRIPTION=${address('one')}${address('scan')}${DATA})`, 4, 40],
    [`(description = (address_list = ${address('one')} ${address('other')}) ${DATA} )`, 2, 20],
    [`(DESCRIPTION=(RETRY_COUNT=20)(RETRY_DELAY=3)(CONNECT_TIMEOUT=60)${address('one')}${DATA})`, 21, 1320],
    [`(DESCRIPTION=(FAILOVER=off)${address('one')}${address('other')}${DATA})`, 1, 10],
    [`(DESCRIPTION=(SOURCE_ROUTE=on)${address('one')}${address('other')}${DATA})`, 1, 10],
    [
      `(DESCRIPTION_LIST=(DESCRIPTION=(RETRY_COUNT=1)${address('one')}${DATA})(DESCRIPTION=${address('scan')}${DATA}))`,
      8,
      80,
    ],
    ['ALIAS', 16, 160],
    ['(DESCRIPTION=(ADDRESS=', 1, 10],
  ])('gives %s its attempts and the time for them', async (text, attempts, seconds) => {
    expect(await walk(text)).toMatchObject({ attempts, deadlineMs: seconds * 1000 });
  });

  it.each<[string, string]>([
    ['one,other:1522/x', 'one,other:1522/x?load_balance=off'],
    ['tcps://one:1,other/x?sdu=8192', 'tcps://one:1,other/x?sdu=8192&load_balance=off'],
    ['one,other:1;scan/x', 'one,other:1,scan:1521/x?load_balance=off'],
    ['one,other/x?load_balance=on', 'one,other/x?load_balance=on'],
    ['one:1521/x', 'one:1521/x'],
    [
      `( DESCRIPTION_LIST = (DESCRIPTION=${address('one')}${DATA}))`,
      `(DESCRIPTION_LIST=(LOAD_BALANCE=OFF) (DESCRIPTION=${address('one')}${DATA}))`,
    ],
    [
      `(DESCRIPTION_LIST=(LOAD_BALANCE=on)(DESCRIPTION=${address('one')}${DATA}))`,
      `(DESCRIPTION_LIST=(LOAD_BALANCE=on)(DESCRIPTION=${address('one')}${DATA}))`,
    ],
    [`(DESCRIPTION=\n  ${address('one')}\n  ${DATA}\n)`, `(DESCRIPTION=${address('one')}${DATA})`],
  ])('keeps the order of %s unless it says otherwise', async (text, expected) => {
    expect((await walk(text)).connectString).toBe(expected);
  });

  it('reads a name from tnsnames.ora, whatever is wrong with the other entries', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'names-'));
    const file = [
      '# names',
      'BROKEN = (DESCRIPTION=(ADDRESS=(HOST=',
      `PLANT, plant.world =`,
      `  (DESCRIPTION = ${address('one')} # the first`,
      `    ${address('other')}`,
      `    ${DATA}`,
      '  )',
      'EASY = one,other/x',
    ];
    await writeFile(join(directory, 'tnsnames.ora'), file.join('\r\n'));
    const found = await walk('Plant.World', directory);
    expect(found).toMatchObject({ attempts: 2, deadlineMs: 20_000 });
    expect(found.connectString).toContain('(HOST=other)');
    expect((await walk('easy', directory)).connectString).toBe('one,other/x?load_balance=off');
    for (const name of ['broken', 'absent']) expect((await walk(name, directory)).connectString).toBe(name);
    await rm(directory, { recursive: true });
  });
});
