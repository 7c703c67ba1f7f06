import { describe, expect, it } from 'vitest';

import { Refusals } from '../../../src/oracle/refusals.ts';
import { databaseErrorOf } from '../../support/oracle-connections.ts';

const ROW = 'ORA-12899: value too large';
const UNLISTED = 'ORA-07777: never seen';
const HELD = 'ORA-14400: inserted partition key does not map to any partition';

function errors(message: string, count: number): { message: string; offset: number }[] {
  return Array.from({ length: count }, (_, offset) => ({ message, offset }));
}

async function blame(judge: () => unknown): Promise<unknown> {
  return databaseErrorOf(Promise.resolve().then(judge));
}

describe('the refused rows of a batch', () => {
  it.each([
    ['a known row error beside rows that were taken', ROW, 40, 50],
    ['a few known ones of which none was taken', ROW, 9, 9],
    ['one with a code that is in no list, beside one that was taken', UNLISTED, 1, 2],
    ['a tenth with a code that is in no list', UNLISTED, 5, 50],
  ])('are to blame themselves: %s', (_what, message, count, rows) => {
    expect(new Refusals('hold').judge(errors(message, count), rows)).toHaveLength(count);
  });

  it.each([
    ['ten known row errors, and nothing was taken', ROW, 10, 10, 'ORA-12899'],
    ['a code that is in no list, alone', UNLISTED, 1, 1, 'ORA-07777'],
    ['a code that is in no list on a fifth of the batch', UNLISTED, 10, 50, 'ORA-07777'],
    ['a partition that nobody made', HELD, 10, 10, 'ORA-14400'],
  ])('are not: %s', async (_what, message, count, rows, code) => {
    const refusals = new Refusals('hold');
    expect(await blame(() => refusals.judge(errors(message, count), rows))).toMatchObject({ kind: 'refused', code });
  });

  it.each([
    ['ORA-01653: full', 'resource'],
    ['ORA-00604: x\nORA-01653: full', 'resource'],
    ['ORA-04098: trigger is invalid', 'configuration'],
    ['ORA-03113: end of file', 'connection'],
  ])('are not where one of them says %s', async (message, kind) => {
    const batch = [...errors(ROW, 1), { message, offset: 1 }];
    expect(await blame(() => new Refusals('hold').judge(batch, 50))).toMatchObject({ kind });
  });

  it('are counted over batches until one is taken', async () => {
    const refusals = new Refusals('hold');
    for (let i = 0; i < 9; i += 1) expect(refusals.judge(errors(ROW, 1), 1)).toHaveLength(1);
    expect(await blame(() => refusals.judge(errors(ROW, 1), 1))).toMatchObject({ kind: 'refused', code: 'ORA-12899' });
    expect(refusals.judge(errors(ROW, 2), 3)).toHaveLength(2);
    expect(refusals.judge(errors(ROW, 9), 9)).toHaveLength(9);
  });

  it('are to blame, however many, once that is proven', async () => {
    const refusals = new Refusals('hold', () => true);
    expect(refusals.judge(errors(UNLISTED, 500), 500)).toHaveLength(500);
    expect(await blame(() => refusals.judge(errors('ORA-01653: full', 1), 500))).toMatchObject({ kind: 'resource' });
  });

  it('are held for a missing partition, or rejected where that is wanted', () => {
    expect(new Refusals('hold').judge(errors(HELD, 1), 5)).toMatchObject([{ index: 0, isHeld: true }]);
    expect(new Refusals('reject').judge(errors(HELD, 1), 5)[0]).not.toHaveProperty('isHeld');
  });
});
