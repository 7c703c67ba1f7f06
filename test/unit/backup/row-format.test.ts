import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CsvParser } from '../../../src/backup/csv/csv.ts';
import {
  encodeBatch,
  encodeRejected,
  encodeUndecodable,
  headerLine,
  ROW_COLUMNS,
  shortReason,
  UNDECODABLE_COLUMNS,
} from '../../../src/backup/csv/row-format.ts';
import { readBackupRows, type BackupRows } from '../../../src/backup/csv/row-reader.ts';
import { scanFile } from '../../../src/backup/files/scan.ts';
import { withMicroseconds } from '../../../src/core/microseconds.ts';
import { DEFAULT_DESTINATION } from '../../../src/core/destination.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import { TagValues } from '../../../src/core/tag-values.ts';
import { originOf, type Origin, type ValueDetails } from '../../../src/core/value-details.ts';
import { RECEIVED_AT_MS, valuesOf } from '../../support/values.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const REASON = { code: 'ORA-03113', message: 'end-of-file on communication channel' };
const ATTEMPTED_AT_MS = Date.UTC(2025, 10, 2, 14, 31);
const ORIGIN = { journal: 'journal00001', destination: DEFAULT_DESTINATION, attemptedAtMs: ATTEMPTED_AT_MS };

async function readText(text: string | Buffer, maxRows?: () => number): Promise<BackupRows[]> {
  const path = join(await temporaryDirectory(), 'file.csv');
  await writeFile(path, text);
  const batches: BackupRows[] = [];
  for await (const rows of readBackupRows(nodeFileSystem, path, maxRows)) batches.push(rows);
  return batches;
}

function withHeader(rows: Buffer): Buffer {
  return Buffer.concat([Buffer.from(headerLine(ROW_COLUMNS)), rows]);
}

interface PlainRow {
  readonly tag: TagValues['tags'][number];
  readonly number: number;
  readonly text: string | null;
  readonly timeMs: number;
  readonly quality: string;
  readonly messageNo: number;
  readonly valueNo: number;
  readonly receivedAtMs: number;
  readonly origin?: Origin;
  readonly details?: ValueDetails;
}

function plainRows(values: TagValues): PlainRow[] {
  return Array.from({ length: values.length }, (_, i) => ({
    tag: values.tags[i]!,
    number: values.numbers[i]!,
    text: values.texts[i]!,
    timeMs: values.timesMs[i]!,
    quality: values.qualities[i]!,
    messageNo: values.messageNos[i]!,
    valueNo: values.valueNos[i]!,
    receivedAtMs: values.receivedAtMs[i]!,
    ...given('origin', values.origins?.[i]),
    ...given('details', values.details?.[i]),
  }));
}

function given<K extends string, T>(key: K, value: T | null | undefined): Partial<Record<K, T>> {
  return value === null || value === undefined ? {} : ({ [key]: value } as Record<K, T>);
}

function tagValues(rows: readonly PlainRow[]): TagValues {
  const values = new TagValues(0);
  for (const [i, row] of rows.entries()) {
    values.describe(row.details ?? null);
    values.push(row.tag, row.number, row.text, row.timeMs, row.quality);
    if (row.origin !== undefined) values.setOrigin(i, row.origin);
    values.messageNos[i] = row.messageNo;
    values.valueNos[i] = row.valueNo;
    values.receivedAtMs[i] = row.receivedAtMs;
  }
  return values;
}

describe('the rows of a backup file', () => {
  it('stand in the columns that the interface names', () => {
    const values = valuesOf(12.5, 'RUN', null);
    expect(headerLine(ROW_COLUMNS)).toBe(
      'tag_name,tag_value,timestamp,quality,insertion_attempt_time,tag_text,plc_code,tag_address,received_at,' +
        'journal,message_no,value_no,details,destination,error_code,error_message\r\n',
    );
    const [first, second, third] = encodeBatch(values, REASON, ORIGIN).toString().split('\r\n');
    const ending = ',ORA-03113,end-of-file on communication channel';
    expect(first).toBe(
      'PLC01.D0,12.5,2025-11-02T14:30:25.123Z,GOOD,2025-11-02T14:31:00.000Z,,PLC01,D0,2025-11-02T14:30:25.123Z,journal00001,1,0,,' +
        ending,
    );
    expect(second).toContain(',2025-11-02T14:31:00.000Z,RUN,PLC01,');
    expect(third).toMatch(/^PLC01\.D2,,2025/);
  });

  it('are read back as they were, to the last bit and character', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', ' ', 'x') }),
      fc.constantFrom('', '12', 'NULL', '😀', '\uFEFF'),
      fc.string({ unit: fc.constantFrom("'", '=', '+', '-', '@', '\t', '\r', '1'), minLength: 1, maxLength: 4 }),
    );
    const oneLine = text.map((any) => shortReason({ code: '', message: any }).message);
    const time = fc.oneof(
      fc.constant(Number.NaN),
      fc.integer({ min: -8.64e15, max: 8.64e15 }),
      fc.integer({ min: 1.7e12, max: 1.8e12 }),
      fc
        .record({ wholeMs: fc.integer({ min: -(2 ** 43) + 1, max: 2 ** 43 - 1 }), us: fc.nat(999) })
        .map(({ us, wholeMs }) => withMicroseconds(wholeMs, us)),
    );
    const origin = fc
      .record({ topic: text, retained: fc.boolean() })
      .map((each) => originOf(each.topic, each.retained));
    const field = fc.oneof(
      text,
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
      time.filter((timeMs) => !Number.isNaN(timeMs)),
      fc.constant(null),
    );
    const qualityCode = fc.oneof(fc.constant(Number.NaN), fc.integer());
    const details: fc.Arbitrary<ValueDetails> = fc
      .record({ qualityCode, fields: fc.option(fc.array(fc.tuple(text, field), { maxLength: 3 }), { nil: undefined }) })
      .filter((each) => each.fields !== undefined || !Number.isNaN(each.qualityCode))
      .map((each) => ({ qualityCode: each.qualityCode, fields: each.fields && new Map(each.fields) }));
    const row: fc.Arbitrary<PlainRow> = fc.record<PlainRow>(
      {
        tag: fc.record({ plcCode: text, address: text, name: text }),
        number: fc.oneof(fc.double(), fc.constantFrom(-0, Infinity, -Infinity, Number.NaN, 5e-324, -1e21, 2 ** 53)),
        text: fc.option(text),
        timeMs: time,
        quality: text,
        messageNo: fc.maxSafeNat(),
        valueNo: fc.nat(0xffff_ffff),
        receivedAtMs: time,
        origin,
        details,
      },
      { requiredKeys: ['tag', 'number', 'text', 'timeMs', 'quality', 'messageNo', 'valueNo', 'receivedAtMs'] },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 20 }),
        oneLine,
        oneLine,
        async (rows, code, message) => {
          const values = tagValues(rows);
          const batches = await readText(withHeader(encodeBatch(values, { code, message }, ORIGIN)), () => 7);
          expect(batches.flatMap((read) => plainRows(read.values))).toEqual(rows);
          expect(batches.flatMap(({ reasons }) => reasons)).toEqual(rows.map(() => ({ code, message })));
          const rejected = rows.map((_, index) => ({ index, reason: { code: String(index), message } }));
          const again = await readText(withHeader(encodeRejected(values, rejected, ORIGIN)), () => 7);
          expect(again.flatMap((read) => plainRows(read.values))).toEqual(rows);
          expect(again.flatMap(({ reasons }) => reasons)).toEqual(rejected.map(({ reason }) => reason));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('are harmless to a spreadsheet, but for the numbers', async () => {
    const tag = { plcCode: '=A1', address: '@b', name: '=cmd|x' };
    const values = new TagValues(1);
    values.push(tag, -12.5, '+1', RECEIVED_AT_MS, '-GOOD');
    values.stamp(1, RECEIVED_AT_MS);
    const reason = { code: '=1', message: '-5 is too small' };
    const lines = encodeRejected(values, [{ index: 0, reason }], ORIGIN).toString();
    expect(lines).toBe(
      "'=cmd|x,-12.5,2025-11-02T14:30:25.123Z,'-GOOD,2025-11-02T14:31:00.000Z,'+1,'=A1,'@b,2025-11-02T14:30:25.123Z," +
        "journal00001,1,0,,,'=1,'-5 is too small\r\n",
    );
    const [rows] = await readText(withHeader(Buffer.from(lines)));
    expect(rows!.values.tags[0]).toEqual(tag);
    expect(rows!.reasons).toEqual([reason]);
  });

  it('are read back where their texts are long, too', async () => {
    const texts = Array.from({ length: 12 }, (_, i) => `${i}${'=ä"'.repeat(100_000)}`);
    const [rows] = await readText(withHeader(encodeBatch(valuesOf(...texts), REASON, ORIGIN)));
    expect(rows!.values.texts.slice(0, texts.length)).toEqual(texts);
  });

  it('keep a time that no calendar holds', async () => {
    const values = valuesOf(1, 2);
    values.timesMs.set([1e300, -8.64e15 - 2]);
    const [rows] = await readText(withHeader(encodeBatch(values, REASON, ORIGIN)));
    expect([...rows!.values.timesMs.subarray(0, 2)]).toEqual([1e300, -8.64e15 - 2]);
  });

  it('carry each its own reason when they were rejected', async () => {
    const rejected = [
      { index: 2, reason: { code: 'ORA-12899', message: 'value too large\nHelp: https://docs' } },
      { index: 0, reason: { code: 'ORA-00001', message: `unique constraint ${'x'.repeat(300)}` } },
    ];
    const [rows] = await readText(withHeader(encodeRejected(valuesOf(1, 2, 'abc'), rejected, ORIGIN)));
    expect(plainRows(rows!.values).map(({ tag }) => tag.address)).toEqual(['D2', 'D0']);
    expect(rows!.reasons[0]).toEqual({ code: 'ORA-12899', message: 'value too large' });
    expect(rows!.reasons[1]!.message).toHaveLength(200);
    expect(rows!.attemptedAtMs).toEqual([ATTEMPTED_AT_MS, ATTEMPTED_AT_MS]);
  });

  it('are found by the names of reordered and additional columns', async () => {
    const [rows] = await readText(
      '\uFEFFremark,MESSAGE_NO,value_no,tag_name,plc_code,tag_address,tag_text,tag_value,timestamp,received_at,quality\n' +
        'seen,7,1,n,P,A,,1.5E+3,2025-11-02T15:30:00+01:00,,GOOD',
    );
    expect(plainRows(rows!.values)).toEqual([
      {
        tag: { name: 'n', plcCode: 'P', address: 'A' },
        number: 1500,
        text: null,
        timeMs: Date.UTC(2025, 10, 2, 14, 30),
        quality: 'GOOD',
        messageNo: 7,
        valueNo: 1,
        receivedAtMs: Number.NaN,
      },
    ]);
  });

  it.each([
    ['a number', 'tag_value', 1, '1,5', 'line 3, column tag_value: not a number: "1,5"'],
    ['a time', 'timestamp', 2, '02.11.2025', 'line 3, column timestamp: not an ISO 8601 time'],
    ['a message number', 'message_no', 10, '-1', 'line 3, column message_no: not a whole number'],
  ])('name line and column where %s is not one', async (_what, _column, place, field, message) => {
    const line = encodeBatch(valuesOf(1), REASON, ORIGIN).toString();
    const fields = line.split(',');
    fields[place] = `"${field}"`;
    await expect(readText(withHeader(Buffer.from(line + fields.join(','))))).rejects.toThrow(message);
  });

  it('are refused when a column is missing or a line has too few fields', async () => {
    await expect(readText('tag_name,tag_value\r\nx,1\r\n')).rejects.toThrow(
      'line 1, column timestamp: the column is missing',
    );
    await expect(readText(withHeader(Buffer.from('x,1\r\n')))).rejects.toThrow('line 2: 2 fields instead of 16');
    await expect(readText('')).rejects.toThrow('the header line is missing');
  });
});

describe('an undecodable message', () => {
  it('stands with its payload in base64', () => {
    const message = {
      number: 9,
      topic: 'plc/"a",b/tags',
      payload: Buffer.from([0, 255, 10]),
      receivedAtMs: ATTEMPTED_AT_MS,
    };
    const bytes = Buffer.concat(encodeUndecodable(message, { code: 'JSON', message: 'not JSON' }, 'abcdefghjkmn'));
    const [record] = new CsvParser().push(bytes);
    expect(record!.fields).toEqual([
      'plc/"a",b/tags',
      'AP8K',
      'JSON',
      'not JSON',
      '2025-11-02T14:31:00.000Z',
      '9',
      '3',
      'abcdefghjkmn',
    ]);
  });
});

describe('an undecodable message with a hostile topic', () => {
  it('is no formula', async () => {
    const message = { number: 9, topic: '=cmd|x', payload: Buffer.from('{'), receivedAtMs: ATTEMPTED_AT_MS };
    const reason = { code: 'NO_ROUTE', message: '=cmd|x is subscribed by nothing' };
    const bytes = Buffer.concat(encodeUndecodable(message, reason, 'abcdefghjkmn'));
    const [record] = new CsvParser().push(bytes);
    expect(record!.fields.slice(0, 4)).toEqual(["'=cmd|x", 'ew==', 'NO_ROUTE', "'=cmd|x is subscribed by nothing"]);
    const path = join(await temporaryDirectory(), 'undecodable_20251102_143100.csv');
    await writeFile(path, Buffer.concat([Buffer.from(headerLine(UNDECODABLE_COLUMNS)), bytes]));
    const { info } = await scanFile(nodeFileSystem, path, 'undecodable_20251102_143100.csv', 'sealed');
    expect(info).toMatchObject({ kind: 'undecodable', rows: 1, reason });
  });
});

describe('a reason', () => {
  it('is cut between characters, not within one', () => {
    const message = `${'x'.repeat(199)}😀`;
    expect(shortReason({ code: 'C', message }).message).toBe('x'.repeat(199));
  });
});
