import { describe, expect, it } from 'vitest';
import { faultError, Faults } from '../../support/standin/faults.ts';

const insert = { kind: 'execute', sql: 'INSERT INTO tag_data VALUES (:1)', user: 'BRIDGE' } as const;

describe('faults on demand', () => {
  it('hit the first matching call once unless said otherwise', () => {
    const faults = new Faults();
    const fault = faults.add({ on: 'execute', error: 60 });
    expect([insert, insert].map((call) => faults.take(call).length)).toEqual([1, 0]);
    expect(fault.hits).toBe(1);
  });

  it('hit from the n-th matching call on, so many times', () => {
    const faults = new Faults();
    const fault = faults.add({ on: 'execute', nth: 3, times: 2, error: 60 });
    expect(Array.from({ length: 6 }, () => faults.take(insert).length)).toEqual([0, 0, 1, 1, 0, 0]);
    expect(fault.hits).toBe(2);
  });

  it('hit until they are cleared', () => {
    const faults = new Faults();
    const fault = faults.add({ times: Infinity, error: 60 });
    expect(Array.from({ length: 50 }, () => faults.take(insert)).every((rules) => rules.length === 1)).toBe(true);
    fault.clear();
    expect(faults.idle).toBe(true);
    expect(faults.take(insert)).toEqual([]);
  });

  it('match by part of the SQL text in any case, by pattern and by user', () => {
    const faults = new Faults();
    const hits = [{ sql: 'TAG_data' }, { sql: /^insert/i }, { user: 'bridge' }].map((rule) =>
      faults.add({ ...rule, error: 60 }),
    );
    const misses = [{ sql: 'ledger' }, { sql: /^update/i }, { user: 'other' }].map((rule) =>
      faults.add({ ...rule, error: 60 }),
    );
    faults.take(insert);
    expect([hits.map((fault) => fault.hits), misses.map((fault) => fault.hits)]).toEqual([
      [1, 1, 1],
      [0, 0, 0],
    ]);
  });

  it('concern connects only when they name them', () => {
    const faults = new Faults();
    faults.add({ times: Infinity, error: 60 });
    faults.add({ on: ['connect', 'ping'], refuse: 12_516 });
    expect(faults.take({ kind: 'connect' }).map((rule) => rule.refuse)).toEqual([12_516]);
  });

  it('have the usual text for a code, or their own', () => {
    expect(faultError(942).text).toBe('ORA-00942: table or view does not exist');
    expect(faultError({ code: 20_001, message: 'told so' }).text).toBe('ORA-20001: told so');
  });
});
