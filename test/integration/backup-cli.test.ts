import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Backups } from '../../src/backup/backups.ts';
import { BackupFolder } from '../../src/backup/files/folder.ts';
import { runCli } from '../../src/cli/cli.ts';
import { nodeFileSystem } from '../../src/core/node-filesystem.ts';
import { noStep } from '../../src/core/steps.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import { valuesOf } from '../support/values.ts';

const SEALED = 'backup_20251102_143000.csv';
const OPEN = 'rejected_20251102_143000.csv';
const DOWN = { code: 'ORA-12514', message: 'service is not registered' };

let dir = '';
let backups: Backups;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'backup-cli-'));
  const clock = new FakeClock();
  const log = new RecordingLogger();
  backups = new Backups({
    folder: new BackupFolder(dir, nodeFileSystem),
    maxRowsPerFile: 1000,
    journalId: () => 'journal00001',
    onStep: noStep,
    clock,
    log,
  });
  await backups.start();
});

afterEach(async () => {
  await backups.stop();
  await rm(dir, { recursive: true });
});

interface Outcome {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

async function bridge(...argv: readonly string[]): Promise<Outcome> {
  let out = '';
  let err = '';
  const exitCode = await runCli(['backups', ...argv, '--set', `backup.dir=${dir}`], {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    env: {},
  });
  return { exitCode, out, err };
}

/** One sealed backup file and an open file of rejected rows, as beside a running bridge. */
async function fill(): Promise<void> {
  await backups.lane().backUp(valuesOf(12.5, 'RUN\u001B[31m', null), DOWN);
  await backups.lane().endOutage();
  await backups.lane().reject(valuesOf(1), [{ index: 0, reason: { code: 'ORA-00001', message: 'unique' } }]);
}

describe('backups list', () => {
  it('says so when there is nothing', async () => {
    expect(await bridge('list')).toEqual({ exitCode: 0, out: `No backup files in ${dir}.\n`, err: '' });
  });

  it('shows a line for each file and leaves open files as they are', async () => {
    await fill();
    const before = await readFile(join(dir, `${OPEN}.open`));
    const { exitCode, out } = await bridge('list');
    expect(exitCode).toBe(0);
    const lines = out.split('\n');
    expect(lines[0]).toMatch(/^FILE +KIND +STATE +ROWS +SIZE +AGE +REASON$/);
    expect(lines[1]).toMatch(
      /^backup_20251102_143000\.csv +backup +sealed +3 +\d+ B +\d+ d +ORA-12514 service is not reg/,
    );
    expect(lines[2]).toMatch(/^rejected_20251102_143000\.csv +rejected +open +1 +\d+ B +\d+ d +ORA-00001 unique$/);
    expect(await readFile(join(dir, `${OPEN}.open`))).toEqual(before);
  });

  it('shows the destinations where there are several, and what to do about one that is gone', async () => {
    await backups.lane('gone').backUp(valuesOf(1), DOWN);
    await backups.lane('gone').endOutage();
    await fill();
    const { out } = await bridge('list');
    expect(out).toMatch(/^FILE +KIND +STATE +ROWS +SIZE +AGE +DESTINATION +REASON\n/);
    const hint = 'its destination gone is not in oracle.destinations: put it back, or backups replay FILE --to NAME';
    expect(out).toMatch(
      new RegExp(`^${SEALED.replace('.', String.raw`\.`)} +backup +sealed +1 .* gone +${hint}$`, 'm'),
    );
    expect(out).toMatch(/^rejected_.* default +ORA-00001 unique$/m);
    expect((await bridge('show', SEALED)).out).toContain(`hint            ${hint}\n`);
  });

  it('prints names alone, for a shell to complete', async () => {
    expect((await bridge('list', '--names')).out).toBe('');
    await fill();
    await copyFile(join(dir, SEALED), join(dir, 'a copy.csv'));
    expect((await bridge('list', '--names')).out.split('\n').toSorted()).toEqual(['', 'a copy.csv', SEALED, OPEN]);
  });

  it('prints the same facts as JSON', async () => {
    await fill();
    const { out } = await bridge('list', '--json');
    expect(JSON.parse(out)).toMatchObject([
      { file: SEALED, kind: 'backup', state: 'sealed', rows: 3, createdAt: '2025-11-02T14:30:00.000Z', reason: DOWN },
      { file: OPEN, kind: 'rejected', state: 'open', rows: 1 },
    ]);
  });
});

describe('backups show', () => {
  it('prints the facts and the first rows, and lets no value steer the terminal', async () => {
    await fill();
    const { exitCode, out } = await bridge('show', SEALED);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^rows +3$/m);
    expect(out).toMatch(/^row 1 of 3\n {2}tag_name +PLC01\.D0\n {2}tag_value +12\.5$/m);
    expect(out).toContain('RUN\\u{1b}[31m');
    expect(out).not.toContain('\u001B');
  });

  it('prints rows as JSON, NULL as null', async () => {
    await fill();
    const { out } = await bridge('show', SEALED, '--json');
    const shown = JSON.parse(out) as { firstRows: unknown[] };
    expect(shown.firstRows[2]).toMatchObject({ tag_name: 'PLC01.D2', tag_value: null, tag_text: null });
  });

  it('shows what can be read of an open file and of a broken one', async () => {
    await fill();
    expect((await bridge('show', OPEN)).out).toContain('ORA-00001');
    const content = await readFile(join(dir, SEALED), 'utf8');
    await writeFile(join(dir, 'broken.csv'), `${content}x,y\r\n`);
    const { exitCode, out } = await bridge('show', 'broken.csv');
    expect(exitCode).toBe(0);
    expect(out).toContain('line 5: 2 fields instead of 16');
    expect(out).toContain('row 3 of 3');
  });
});

describe('why rows and messages are there', () => {
  const LONG = `value too large for column "BRIDGE"."TAG_DATA"."TAG_TEXT" (actual: 5000, maximum: 4000) ${'x'.repeat(90)}`;
  const reasons = [
    { code: 'ORA-12899', message: LONG },
    { code: 'ORA-01438', message: 'ORA-01438: value larger than specified precision' },
    { code: 'ORA-12899', message: LONG },
  ];

  async function reject(): Promise<string> {
    await backups.lane().reject(
      valuesOf(1, 2, 3),
      reasons.map((reason, index) => ({ index, reason })),
    );
    await backups.lane().seal('rejected');
    return OPEN;
  }

  async function setAside(...payloads: readonly (string | Buffer)[]): Promise<string> {
    for (const [i, payload] of payloads.entries()) {
      const message = { number: i + 1, topic: 'plc/PLC01/tags', payload: Buffer.from(payload), receivedAtMs: i };
      await backups.addUndecodable(message, { code: 'INVALID_JSON', message: 'not JSON' });
    }
    return 'undecodable_20251102_143000.csv';
  }

  it('is counted by the code in the list', async () => {
    const file = await reject();
    expect((await bridge('list')).out).toMatch(/^rejected_.* sealed +3 .* 2 × ORA-12899, 1 × ORA-01438$/m);
    const [facts] = JSON.parse((await bridge('list', '--json')).out) as object[];
    expect(facts).toMatchObject({
      file,
      reasons: [
        { code: 'ORA-12899', message: LONG, rows: 2 },
        { code: 'ORA-01438', message: 'ORA-01438: value larger than specified precision', rows: 1 },
      ],
    });
  });

  it('is shown whole, of the file and of each row', async () => {
    const file = await reject();
    const { out } = await bridge('show', file);
    expect(out).toContain(`reasons         2 rows  ORA-12899 ${LONG}\n                 1 row  ORA-01438: value larger`);
    expect(out.split(`error_message           ${LONG}\n`)).toHaveLength(3);
    expect(out).toContain('createdAt       2025-11-02 14:30:00 UTC\n');
    expect((await bridge('show', file, '--rows', '1')).out.match(/^row \d of 3$/gm)).toEqual(['row 1 of 3']);
    expect((await bridge('show', file, '--rows', '0')).err).toContain('--rows: must be a whole number from 1, not "0"');
  });

  it('shows a payload as text, line by line, and what is none in hexadecimal', async () => {
    const binary = Buffer.from([0, 1, 2, 0xff]);
    const file = await setAside('{"a":1,\n "b":\u001B2}', '{"a":1,\r\n "ü":2}', binary, '', 'y'.repeat(5000));
    const { out } = await bridge('show', file);
    // Of what could steer the terminal nothing is shown as text.
    expect(out).toMatch(
      /payload +binary, 16 bytes, in hexadecimal:\n +7b 22 61 22 3a 31 2c 0a 20 22 62 22 3a 1b 32 7d\n/,
    );
    expect(out).toMatch(/^ {2}payload {9}\{"a":1,\n {18} "ü":2\}$/m);
    expect(out).toMatch(/^ {2}payload {9}binary, 4 bytes, in hexadecimal:\n {18}00 01 02 ff$/m);
    expect(out).toMatch(/^ {2}payload {9}empty$/m);
    expect(out).toMatch(/^ {2}payload {9}y{4000}\n {18}… \(all 5,000 bytes: --payload 5\)$/m);
    const shown = JSON.parse((await bridge('show', file, '--json')).out) as { firstRows: { payload: string | null }[] };
    expect(shown.firstRows.map(({ payload }) => payload?.slice(0, 8))).toEqual([
      undefined,
      '{"a":1,\r',
      undefined,
      '',
      'yyyyyyyy',
    ]);
  });

  it('gives a payload byte by byte', async () => {
    const file = await setAside('{"a":1}', '{"ü":2}\n');
    expect(await bridge('show', file, '--payload', '2')).toEqual({ exitCode: 0, out: '{"ü":2}\n', err: '' });
    expect(await bridge('show', file, '--payload', '3')).toMatchObject({
      exitCode: 64,
      err: expect.stringContaining('it has 2 messages, and none of number 3') as string,
    });
    expect(await bridge('show', await reject(), '--payload', '1')).toMatchObject({
      exitCode: 64,
      err: expect.stringContaining('it has rows, and no messages') as string,
    });
  });
});

describe('backups discard', () => {
  it('is refused off a terminal unless it is said to be meant', async () => {
    await fill();
    expect(await bridge('discard', SEALED)).toMatchObject({
      exitCode: 64,
      err: expect.stringContaining('--yes') as string,
    });
    expect(await readdir(dir)).toContain(SEALED);
    expect(await bridge('discard', SEALED, '--yes')).toMatchObject({ exitCode: 0, out: `${SEALED} was discarded.\n` });
    expect(await readdir(dir)).toEqual([`${OPEN}.open`]);
    await backups.rescan();
    expect(backups.pending('backup').files).toBe(0);
  });

  it('takes sealed files of the directory and nothing else', async () => {
    await fill();
    const outside = join(dir, '..', 'outside.csv');
    for (const name of ['../outside.csv', outside, `${OPEN}.open`, OPEN, 'nowhere.csv', '.', '']) {
      const { exitCode } = await bridge('discard', name, '--yes');
      expect([name, exitCode]).toEqual([name, 74]);
    }
    expect(await readdir(dir)).toEqual([SEALED, `${SEALED}.skip`, `${OPEN}.open`]);
  });
});

describe('backups', () => {
  it.each([
    [['replay', '../x.csv'], 'not the name of a file'],
    [['shred'], 'not shred'],
    [['show'], 'takes one file'],
    [['list', 'x.csv'], 'takes no file'],
    [['constructor'], 'not constructor'],
  ])('answers %j with how it is used', async (argv, message) => {
    expect(await bridge(...argv)).toMatchObject({ exitCode: 64, err: expect.stringContaining(message) as string });
  });
});
