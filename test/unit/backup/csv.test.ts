import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  csvField,
  CsvParser,
  csvText,
  textOfField,
  type CsvField,
  type CsvRecord,
} from '../../../src/backup/csv/csv.ts';

const field = fc.oneof(
  fc.constant(null),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', ' ', 'a', '€', '😀', '\uFEFF', '\0') }),
);

function encode(records: readonly CsvField[][], lineEnd = '\r\n'): Buffer {
  return Buffer.from(records.map((fields) => fields.map(csvField).join(',') + lineEnd).join(''));
}

function parse(bytes: Buffer, chunkBytes = bytes.length): CsvRecord[] {
  const parser = new CsvParser();
  const records: CsvRecord[] = [];
  for (let at = 0; at < bytes.length; at += Math.max(1, chunkBytes)) {
    records.push(...parser.push(bytes.subarray(at, at + Math.max(1, chunkBytes))));
  }
  return [...records, ...parser.end()];
}

function fieldsOf(text: string): CsvField[][] {
  return parse(Buffer.from(text)).map(({ fields }) => fields);
}

describe('CSV', () => {
  it('reads back what was written, however the bytes are cut', () => {
    const records = fc.array(fc.array(field, { minLength: 2, maxLength: 5 }), { maxLength: 6 });
    fc.assert(
      fc.property(
        records,
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom('\r\n', '\n'),
        (written, chunkBytes, end) => {
          const read = parse(encode(written, end), chunkBytes).map(({ fields }) => fields);
          expect(read).toEqual(written);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('knows where each record ends in the file and on which line it begins', () => {
    const text = 'ä,b\r\n"x\r\ny",2\r\n\r\nlast,3';
    const records = parse(Buffer.from(text));
    expect(records.map(({ line }) => line)).toEqual([1, 2, 5]);
    expect(records.map(({ endByte }) => endByte)).toEqual([6, 16, 24]);
  });

  it('keeps NULL apart from the empty string', () => {
    expect(fieldsOf(',"",x\r\n"",,\r\n')).toEqual([
      [null, '', 'x'],
      ['', null, null],
    ]);
  });

  it('takes a byte order mark, LF line ends and a missing last line end', () => {
    expect(fieldsOf('\uFEFFa,b\nc,"d"')).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(fieldsOf('\uFEFF"a",b\r')).toEqual([['a', 'b']]);
    expect(fieldsOf('a')).toEqual([['a']]);
    expect(fieldsOf('')).toEqual([]);
  });

  it.each([
    ['text after a closing quote', 'a,b\r\n"c"d,e\r\n', 'line 2: text between a closing quote and the next comma'],
    ['a quote inside a plain field', 'a,b\r\nc"d,e\r\n', 'line 2: a quote inside a field without quotes'],
    ['quotes that never close', 'a,b\r\n"c\r\n', 'line 2: the file breaks off inside quotes'],
  ])('names the line of %s', (_what, text, message) => {
    expect(() => parse(Buffer.from(text))).toThrow(message);
  });

  it('names the line of bytes that are not UTF-8', () => {
    expect(() => parse(Buffer.from([0x61, 0x0a, 0xff, 0x0a]))).toThrow('line 2: not UTF-8');
  });

  it('gives the records before a mistake first', () => {
    const parser = new CsvParser();
    const records = parser.push(Buffer.from('a\nb\nc"\n'));
    expect(records.map(({ fields }) => fields[0])).toEqual(['a', 'b']);
    expect(() => parser.end()).toThrow('line 3');
  });
});

/** Texts of which many begin as formulas do, or with apostrophes before that. */
const formulaLike = fc
  .tuple(
    fc.string({ unit: fc.constantFrom("'", '=', '+', '-', '@', '\t', '\r', ' ', '"', ','), maxLength: 6 }),
    fc.string(),
  )
  .map((parts) => parts.join(''));

function readTexts(file: string): CsvField[][] {
  return fieldsOf(file).map((fields) => fields.map((text) => (text === null ? null : textOfField(text))));
}

describe('a text', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+49 30', "'+49 30"],
    ['-5', "'-5"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['\r=1', '"\'\r=1"'],
    ["'=1", "''=1"],
    ["''-", "'''-"],
    ['=HYPERLINK("http://x","y")', '"\'=HYPERLINK(""http://x"",""y"")"'],
    ["'quoted'", "'quoted'"],
    ["'", "'"],
    ['a=1', 'a=1'],
    ['1-2', '1-2'],
    ['Ä=1', 'Ä=1'],
    ['RUN\0', 'RUN␀0'],
    ['␀0', '␀␀0'],
    ['=\0', "'=␀0"],
    ['', '""'],
    [null, ''],
  ])('%j stands in the file as %j, and is read back', (text, written) => {
    expect(csvText(text)).toBe(written);
    expect(readTexts(`${csvText(text)},x\r\n`)).toEqual([[text, 'x']]);
  });

  it('is never a formula, has no NUL, and is read back, whatever it is', () => {
    const zeros = fc.string({ unit: fc.constantFrom('\0', '␀', '0', "'", '=') });
    const text = fc.oneof(formulaLike, zeros, fc.string({ unit: 'binary' }), fc.constant(null));
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 5 }), (written) => {
        const file = `${written.map(csvText).join(',')}\r\n`;
        expect(readTexts(file)).toEqual([written]);
        expect(file).not.toContain('\0');
        for (const cell of fieldsOf(file)[0]!) expect(cell ?? '').not.toMatch(/^[=+\-@\t\r]/);
      }),
      { numRuns: 3000 },
    );
  });

  it('has one form only: two texts never stand in the file alike', () => {
    fc.assert(
      fc.property(formulaLike, formulaLike, (a, b) => {
        expect(csvText(a) === csvText(b)).toBe(a === b);
      }),
      { numRuns: 3000, examples: [['=', "'="]] },
    );
  });
});
