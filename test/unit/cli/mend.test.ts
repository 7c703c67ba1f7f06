import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BackupFolder } from '../../../src/backup/files/folder.ts';
import { findBackup } from '../../../src/backup/files/scan.ts';
import { isSameNumber, readMended } from '../../../src/cli/mend/mended-csv.ts';
import { exportLines, mendedColumns, mendedLines, type Mending } from '../../../src/cli/mend/mending.ts';
import { MessageMending } from '../../../src/cli/mend/mending-messages.ts';
import { RowMending } from '../../../src/cli/mend/mending-rows.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import type { TriedMessage } from '../../../src/core/tried-message.ts';
import { checkRows } from '../../../src/writer/row-check.ts';

let folder: BackupFolder;

beforeEach(async () => {
  folder = new BackupFolder(await mkdtemp(join(tmpdir(), 'mend-')), nodeFileSystem);
});

afterEach(async () => {
  await rm(folder.directory, { recursive: true });
});

const REJECTED = 'rejected_20251102_143000.csv';
const UNDECODABLE = 'undecodable_20251102_143000.csv';
const HEADER =
  'tag_name,tag_value,timestamp,quality,insertion_attempt_time,tag_text,plc_code,tag_address,received_at,journal,' +
  'message_no,value_no,details,destination,error_code,error_message\r\n';
const TIME = '2025-11-02T14:30:25.123Z';

function row(tag: string, value: string, text: string, place: string, why = 'TEXT_TOO_LONG,too long'): string {
  return `PLC01.${tag},${value},${TIME},GOOD,${TIME},${text},PLC01,${tag},${TIME},j1,${place},,,${why}\r\n`;
}

const ROWS = [row('D0', '1.2345678901234567', '', '7,0'), row('D1', '', "'=1+1", '7,1'), row('D2', '3', '', '8,0')];

const rows = (): Mending =>
  new RowMending((values) => checkRows(values, { maxTextBytes: 20, valueType: 'binary_double', hasTextColumn: true }));

function messages(): Mending {
  return new MessageMending((topic, payload): TriedMessage => {
    const isJson = payload.toString().startsWith('{');
    const about = { topic, bytes: payload.length, rowCount: 0, rejectedCount: 0, rows: [] };
    const subscription = topic.startsWith('plc/') ? { index: 0, topic: 'plc/#', format: 'polling' } : null;
    if (isJson && subscription !== null) return { ...about, subscription, outcome: 'rows' };
    return { ...about, subscription, outcome: 'undecodable', reason: { code: 'INVALID_JSON', message: 'not JSON' } };
  });
}

async function fileOf(name: string, text: string) {
  await writeFile(folder.path(name), text);
  return (await findBackup(folder, name))!;
}

async function exported(name: string, text: string, mending: Mending): Promise<string> {
  const lines: string[] = [];
  for await (const line of exportLines(folder, await fileOf(name, text), mending)) lines.push(line);
  return lines.join('');
}

/** The file's new text, what was counted, or what is wrong. */
async function mend(name: string, text: string, mending: Mending, mended: string) {
  const count = { changed: 0, dropped: 0, rows: 0 };
  const needed = mendedColumns(mending).filter((column) => !mending.reasons.includes(column));
  const lines: string[] = [];
  try {
    const rowsOf = readMended(Buffer.from(mended), needed);
    for await (const line of mendedLines(folder, await fileOf(name, text), mending, rowsOf, count)) lines.push(line);
  } catch (error) {
    return { problem: (error as Error).message, count, text: '' };
  }
  return { problem: '', count, text: lines.join('') };
}

describe('rejected rows for a person', () => {
  const TEXT = HEADER + ROWS.join('');

  it('come without what tells them apart, and with why they are there', async () => {
    const out = await exported(REJECTED, TEXT, rows());
    const [header, first, second] = out.split('\r\n');
    expect(header).toBe(
      '\u{FEFF}row,drop,tag_name,tag_value,tag_text,timestamp,quality,plc_code,tag_address,details,error_code,error_message',
    );
    expect(first).toMatch(/^r1_[0-9a-f]{8},,PLC01\.D0,1\.2345678901234567,,/);
    expect(second).toMatch(/^r2_[0-9a-f]{8},,PLC01\.D1,,'=1\+1,2025-11-02T14:30:25\.123Z,GOOD,PLC01,D1,,TEXT_TOO_LONG/);
  });

  it('taken back as they are change nothing, to the last byte', async () => {
    const out = await exported(REJECTED, TEXT, rows());
    const back = await mend(REJECTED, TEXT, rows(), out);
    expect(back).toEqual({ problem: '', count: { changed: 0, dropped: 0, rows: 3 }, text: TEXT });
  });

  it('keep their numbers, whatever is changed, left out, sorted or dropped', async () => {
    const out = await exported(REJECTED, TEXT, rows());
    const [header, first, second, third] = out.split('\r\n');
    const mended = [
      header,
      third!.replace(',,PLC01', ',drop,PLC01'),
      first!.replace('1.2345678901234567', '12.5').replace('GOOD', '"a, b"'),
    ];
    expect(second).toContain('r2_');
    const back = await mend(REJECTED, TEXT, rows(), mended.join('\n'));
    expect(back.count).toEqual({ changed: 1, dropped: 1, rows: 2 });
    expect(back.text).toBe(
      HEADER + ROWS[0]!.replace('1.2345678901234567', '12.5').replace('GOOD', '"a, b"') + ROWS[1]!,
    );
  });

  it('stay as they were where a spreadsheet has only lost digits, line ends or the form of a time', async () => {
    const text = HEADER + row('D0', '1.2345678901234567', '"a\r\nb"', '7,0');
    const out = await exported(REJECTED, text, rows());
    const saved = out
      .replace('1.2345678901234567', '1.23456789')
      .replace('a\r\nb', 'a\nb')
      .replace(TIME, '2025-11-02T15:30:25.123+01:00');
    expect(await mend(REJECTED, text, rows(), saved)).toMatchObject({ count: { changed: 0 }, text });
  });

  it('of one place that a crash has written twice are one', async () => {
    const text = TEXT + ROWS[2]!;
    const out = await exported(REJECTED, text, rows());
    expect(out.match(/^r\d_/gm)).toHaveLength(3);
    const back = await mend(REJECTED, text, rows(), out.replace(',3,', ',4,'));
    expect(back.text).toBe(HEADER + ROWS[0]! + ROWS[1]! + ROWS[2]!.replace(',3,', ',4,'));
  });

  const some: readonly [string, (out: string) => string, string][] = [
    [
      'a number',
      (out) => out.replace(',3,', ',"3,5",'),
      'line 4, column tag_value: not a number: "3,5"; allowed is a num',
    ],
    ['a time', (out) => out.replace(TIME, '02.11.2025 14:30'), 'line 2, column timestamp: not an ISO 8601 time with a'],
    [
      'an empty name',
      (out) => out.replace('PLC01.D1', ''),
      'line 3, column tag_name: "": allowed is a text that is not',
    ],
    [
      'a text that is still too long',
      (out) => out.replace("'=1+1", 'y'.repeat(30)),
      `line 3, column tag_text: "${'y'.repeat(30)}": allowed is a text that the column takes, or nothing for NULL (TEXT_TOO`,
    ],
    ['a row of another file', (out) => out.replace('r1_', 'r9_'), 'column row: "r9_'],
    ['a row of its own', (out) => out.replace(/r3_\w+/, ''), 'line 4, column row: empty: a row of your own'],
    ['a row twice', (out) => out + out.split('\r\n')[1]!, 'line 5, column row: r1_'],
    ['another word', (out) => out.replace(/(r3_\w+),/, '$1,no'), 'line 4, column drop: "no": allowed is drop'],
    ['semicolons', (out) => out.replaceAll(',', ';'), 'line 1: its columns are separated by semicolons: save it as'],
    [
      'a missing column',
      (out) => out.replace('quality', 'qualty'),
      'line 1, column quality: the column is missing; need',
    ],
  ];
  it.each(some)('are refused whole with %s, and told where', async (_what, change, problem) => {
    const out = await exported(REJECTED, TEXT, rows());
    const back = await mend(REJECTED, TEXT, rows(), change(out));
    expect(back.problem).toContain(problem);
  });

  it('are refused with all that is wrong at once', async () => {
    const out = await exported(REJECTED, TEXT, rows());
    const { problem } = await mend(REJECTED, TEXT, rows(), out.replaceAll(TIME, 'soon'));
    expect(problem.split('\n').map((line) => line.slice(0, 24))).toEqual([
      'line 2, column timestamp',
      'line 3, column timestamp',
      'line 4, column timestamp',
    ]);
  });

  it('of a file of one own are mended there', async () => {
    const own = `tag_name,tag_value,timestamp,quality\r\nPLC01.D0,1,${TIME},GOOD\r\n`;
    await expect(exported('rejected_20251102_143000.csv', own, rows())).rejects.toThrow('mend it in the file itself');
  });
});

describe('a number that a spreadsheet has saved', () => {
  it.each([
    ['3.14159265358979', '3.141592654', true],
    ['12345678901234567890', '1.23457E+19', true],
    ['0.1', '0.10', true],
    ['', '', true],
    ['12.4999', '12.5', false],
    ['1.2345678901234567', '1.2345', false],
    ['3', '', false],
    ['', '0', false],
    ['3', 'three', false],
  ])('%j as %j is the same: %s', (before, after, isSame) => {
    expect(isSameNumber(before, after)).toBe(isSame);
  });
});

describe('undecodable messages for a person', () => {
  const HEAD = 'topic,payload_base64,reason_code,reason_message,received_at,message_no,payload_bytes,journal\r\n';
  const message = (payload: string | Buffer, number: number, topic = 'plc/1/tags'): string => {
    const bytes = Buffer.from(payload);
    return `${topic},${bytes.toString('base64')},INVALID_JSON,not JSON,${TIME},${number},${bytes.length},j1\r\n`;
  };
  const BINARY = Buffer.from([0, 255, 1]);
  const TEXT = HEAD + message('a":\n1}', 1) + message(BINARY, 2) + message('=x'.repeat(20_000), 3);

  it('come as text, what is none as base64, and what no cell holds not at all', async () => {
    const out = await exported(UNDECODABLE, TEXT, messages());
    expect(out).toContain(`,,plc/1/tags,"a"":\n1}",,${TIME},6,INVALID_JSON,not JSON\r\n`);
    expect(out).toContain(`,,plc/1/tags,,AP8B,${TIME},3,`);
    expect(out).toContain(`,,plc/1/tags,,,${TIME},40000,`);
    expect(await mend(UNDECODABLE, TEXT, messages(), out)).toMatchObject({
      count: { changed: 0, rows: 3 },
      text: TEXT,
    });
  });

  it('keep number, journal and time of receipt with another payload or topic', async () => {
    const out = await exported(UNDECODABLE, TEXT, messages());
    const mended = out.replace('"a"":\n1}"', '"{""a"":1}"').replace(',AP8B,', ',e30=,');
    const back = await mend(UNDECODABLE, TEXT, messages(), mended);
    expect(back.count).toEqual({ changed: 2, dropped: 0, rows: 3 });
    expect(back.text).toBe(HEAD + message('{"a":1}', 1) + message('{}', 2) + message('=x'.repeat(20_000), 3));
  });

  const wrong: readonly [string, (out: string) => string, string][] = [
    [
      'what still is none',
      (out) => out.replace('a"":', 'b"":'),
      'column payload: "b\\":\\n1}": allowed is what its sub',
    ],
    [
      'both payloads',
      (out) => out.replace(',AP8B,', 'x,AP8B,'),
      'column payload_base64: "AP8B": allowed is nothing, as',
    ],
    ['no base64', (out) => out.replace(',AP8B,', ',AP8,'), 'column payload_base64: "AP8": allowed is base64'],
    [
      'a filter',
      (out) => out.replace('plc/1/tags', 'plc/#'),
      'column topic: "plc/#": allowed is the topic of one mess',
    ],
    [
      'a topic of none',
      (out) => out.replace('plc/1/tags', 'x/1'),
      'column topic: "x/1": allowed is the topic of a sub',
    ],
  ];
  it.each(wrong)('are refused with %s', async (_what, change, problem) => {
    const out = await exported(UNDECODABLE, TEXT, messages());
    expect((await mend(UNDECODABLE, TEXT, messages(), change(out))).problem).toContain(problem);
  });
});
