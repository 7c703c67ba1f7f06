import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { encodeBatch, headerLine, ROW_COLUMNS } from '../../../src/backup/csv/row-format.ts';
import { readBackupRows, type BackupRows } from '../../../src/backup/csv/row-reader.ts';
import { DEFAULT_DESTINATION } from '../../../src/core/destination.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import type { TagValues } from '../../../src/core/tag-values.ts';
import { originOf } from '../../../src/core/value-details.ts';
import { RECEIVED_AT_MS, valuesOf } from '../../support/values.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const REASON = { code: 'ORA-03113', message: 'end-of-file on communication channel' };
const ORIGIN = { journal: 'journal00001', attemptedAtMs: RECEIVED_AT_MS, destination: DEFAULT_DESTINATION };

async function read(text: string): Promise<BackupRows> {
  const path = join(await temporaryDirectory(), 'file.csv');
  await writeFile(path, text);
  for await (const rows of readBackupRows(nodeFileSystem, path)) return rows;
  throw new Error('no rows');
}

function linesOf(values: TagValues): string {
  return encodeBatch(values, REASON, ORIGIN).toString();
}

describe('what further columns hold, in a backup file', () => {
  it('stands in one field, as JSON, which rows that share it share again when they are read', async () => {
    const values = valuesOf(1, 2, 3);
    const origin = originOf('=plant/7', true);
    values.setOrigin(0, origin);
    values.setOrigin(1, origin);
    values.details = [{ qualityCode: 192, fields: new Map([['batch', 'B,1']]) }, null, null];
    const [first, second, third] = linesOf(values).split('\r\n');
    expect(first).toContain(
      ',1,0,"{""topic"":""=plant/7"",""retained"":true,""qualityCode"":192,""fields"":{""batch"":""B,1""}}",,ORA',
    );
    expect(second).toContain(',1,1,"{""topic"":""=plant/7"",""retained"":true}",,ORA');
    expect(third).toContain(',1,2,,,ORA');
    const { values: again } = await read(headerLine(ROW_COLUMNS) + linesOf(values));
    expect(again.origins?.slice(0, 3)).toEqual([origin, origin, null]);
    expect(again.details?.slice(0, 3)).toEqual(values.details);
    values.details = undefined;
    const shared = await read(headerLine(ROW_COLUMNS) + linesOf(values));
    expect(shared.values.origins![0]).toBe(shared.values.origins![1]);
  });

  it('is nothing in a file of a version that had none of it', async () => {
    const header = ROW_COLUMNS.filter((name) => name !== 'details');
    const { values } = await read(headerLine(header) + linesOf(valuesOf(1)).replace(',1,0,,,', ',1,0,,'));
    expect([values.length, values.origins, values.details]).toEqual([1, undefined, undefined]);
  });

  it.each([
    'x',
    '[]',
    '{"topic":5}',
    '{"topic":"t","retained":"yes"}',
    '{"qualityCode":"1"}',
    '{"fields":[]}',
    '{"fields":{"a":{}}}',
  ])('is refused, with line and column, where a person has put %s', async (details) => {
    const line = linesOf(valuesOf(1)).replace(',1,0,,,', `,1,0,"${details.replaceAll('"', '""')}",,`);
    await expect(read(headerLine(ROW_COLUMNS) + line)).rejects.toThrow('line 2, column details: not an object');
  });
});
