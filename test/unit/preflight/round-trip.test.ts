import { describe, expect, it } from 'vitest';

import { roundTrip } from '../../../src/preflight/oracle-check.ts';

const RETRY = { attempts: 3, initialDelayMs: 200, factor: 2 };

function told(
  ms: number,
  { batchSize = 500, maxBatchSize = 500, intervalMs = 500, ledgerTable = 'LEDGER' } = {},
): { readonly verdict: string; readonly text: string; readonly remedy: string } {
  const { verdict, remedy, text } = roundTrip([ms, ms, ms * 3], {
    oracle: { ledgerTable },
    writer: { batchSize, maxBatchSize, intervalMs, retry: RETRY },
  });
  return { verdict, text, remedy: remedy.join(' ') };
}

describe('what check --connect says of the round trip', () => {
  it('says what batches allow, and nothing of larger ones on a short line', () => {
    expect(told(0.5)).toMatchObject({
      verdict: 'ok',
      text: '0.5 ms, the median of 3; a batch takes two, so that batches of 500 carry 500,000 values/s at most, less what the database takes',
    });
    expect(told(0.5, { ledgerTable: '' }).text).toContain('a batch takes one, so that batches of 500 carry 1,000,000 ');
    expect(told(0.5, { maxBatchSize: 2000 }).text).toContain(
      '500,000 values/s at most, of 2000 while more wait 2,000,000,',
    );
  });

  it('says what larger ones would give on a longer line', () => {
    const { verdict, text } = told(22);
    expect(verdict).toBe('ok');
    expect(text).toContain('carry 11,364 values/s at most, less');
    expect(text).toContain('"writer.maxBatchSize": 5000 gives 113,636 while more wait');
    expect(told(22, { maxBatchSize: 8000 }).text).not.toContain('writer.maxBatchSize');
  });

  it('warns of a long one, unless batches may grow', () => {
    expect(told(210)).toMatchObject({
      verdict: 'warning',
      remedy: expect.stringContaining('"writer.maxBatchSize": 5000'),
    });
    expect(told(210, { maxBatchSize: 5000 }).verdict).toBe('ok');
  });

  it('says that none grows where one takes longer than the interval', () => {
    expect(told(22, { intervalMs: 40, maxBatchSize: 5000 })).toMatchObject({
      verdict: 'warning',
      remedy: expect.stringContaining('raise writer.intervalMs beyond 44'),
    });
    expect(told(300).remedy).toContain('"writer.maxBatchSize": 5000, with writer.intervalMs beyond 600, gives');
    expect(told(15, { intervalMs: 20 }).verdict).toBe('ok');
    expect(told(300, { batchSize: 5000 }).verdict).toBe('ok');
  });
});
