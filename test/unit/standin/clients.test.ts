import { describe, expect, it } from 'vitest';

import type { Client } from '../../clients/clients.ts';
import { outcomesOf, STEPS } from '../../clients/steps.ts';
import { complaintsOf, isBad, tableOf, type ClientResult } from '../../clients/table.ts';

const client: Client = {
  name: 'some-driver',
  version: '1.0',
  inCi: false,
  lacks: ['parse only'],
  missing: () => undefined,
  install: () => Promise.reject(new Error('not needed')),
};

function lines(...told: readonly (readonly [string, boolean])[]): string {
  return told.map(([step, ok]) => JSON.stringify({ step, ok, said: ok ? '' : 'ORA-00600' })).join('\n');
}

const ALL = STEPS.filter((step) => step !== 'parse only').map((step) => [step, true] as const);

function resultOf(printed: string, dropped: readonly string[] = []): ClientResult {
  const outcomes = outcomesOf(printed, client.lacks, 'hung');
  return { client, runs: [{ profile: '19c', outcomes, dropped }] };
}

describe('the table of clients', () => {
  it('is good when each step is told to be good, but for those that the driver does not have', () => {
    const result = resultOf(lines(...ALL));
    expect(isBad(result)).toBe(false);
    expect(tableOf([result])).toContain(`| some-driver | 1.0 | all ${STEPS.length - 1} |  | parse only |`);
  });

  it.each([
    ['a step was bad', lines(...ALL, ['select', false]), 'select: ORA-00600'],
    ['it was bad once and good afterwards', lines(['lob refused', false], ...ALL), 'lob refused: ORA-00600'],
    ['a step was never told', lines(...ALL.filter(([step]) => step !== 'log off')), 'log off: hung'],
    ['nothing was told', 'Segmentation fault', 'log on: hung'],
  ])('is bad when %s', (_what, printed, complaint) => {
    const result = resultOf(printed);
    expect(isBad(result)).toBe(true);
    expect(complaintsOf([result])).toContain(`some-driver 1.0, 19c: ${complaint}`);
    expect(tableOf([result])).toContain(`**not: `);
  });

  it('is bad when the stand-in has dropped a connection, and says so', () => {
    const result = resultOf(lines(...ALL), ['connection dropped: packet of 3 bytes']);
    expect(isBad(result)).toBe(true);
    expect(complaintsOf([result])).toEqual(['some-driver 1.0, 19c: connection dropped: packet of 3 bytes']);
  });

  it('refuses a client that tells of a step that is none', () => {
    expect(() => resultOf(lines(['selct', true]))).toThrow(/selct/);
  });

  it('says why a client was skipped', () => {
    const skipped = { client, skipped: 'go is not installed', runs: [] };
    expect(isBad(skipped)).toBe(false);
    expect(tableOf([skipped])).toContain('skipped: go is not installed');
  });
});
