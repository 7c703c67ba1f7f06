import { describe, expect, it } from 'vitest';

import type { TagRow } from '../support/tag-table.ts';
import { isUndecodable, SoakLedger } from './soak-ledger.ts';

const TIME_MS = Date.UTC(2026, 0, 2);

function rowsOf(payload: string): TagRow[] {
  const { tag_values: tags } = JSON.parse(payload) as { tag_values: Record<string, number | { value: number }> };
  return Object.entries(tags).flatMap(([tag, value]) =>
    typeof value === 'number' ? [{ name: `P.${tag}`, value, text: null, timeMs: TIME_MS, quality: 'GOOD' }] : [],
  );
}

function published(messages: number): { readonly ledger: SoakLedger; readonly payloads: readonly string[] } {
  const ledger = new SoakLedger();
  const payloads = Array.from({ length: messages }, () => ledger.next(TIME_MS).payload);
  for (let number = 0; number < messages; number += 1) ledger.acknowledge(number);
  return { ledger, payloads };
}

describe('the ledger of what was published', () => {
  it('finds nothing wrong where each value is where it belongs, once', () => {
    const { ledger, payloads } = published(2018);
    for (const [number, payload] of payloads.entries()) {
      if (isUndecodable(number)) ledger.foundUndecodable(payload);
      else for (const row of rowsOf(payload)) ledger.foundRow(row);
    }
    for (let value = 2002; value < ledger.values; value += 2003) ledger.foundRejected(value);
    expect(ledger.verdict()).toEqual({
      owed: 2016 * 10 + 2,
      lost: 0,
      doubled: 0,
      maybeRepeated: 0,
      unknown: 0,
      offences: [],
    });
  });

  it('counts what is not there, and names it', () => {
    const { ledger, payloads } = published(2);
    for (const row of [...rowsOf(payloads[0]!), ...rowsOf(payloads[1]!).slice(1)]) ledger.foundRow(row);
    expect(ledger.verdict()).toMatchObject({
      lost: 1,
      doubled: 0,
      offences: [expect.stringMatching(/^lost: table 10 /)],
    });
  });

  it('counts what is there twice', () => {
    const { ledger, payloads } = published(1);
    for (const row of rowsOf(payloads[0]!)) ledger.foundRow({ ...row, messageNo: 7 });
    ledger.foundRow({ ...rowsOf(payloads[0]!)[3]!, messageNo: 8 });
    expect(ledger.verdict()).toMatchObject({
      lost: 0,
      doubled: 1,
      offences: [expect.stringMatching(/^2 copies: table 3 of .*, as messages 7 and 8$/)],
    });
  });

  it('leaves it to the bridge to be in doubt about what has no time', () => {
    const { ledger, payloads } = published(1009);
    for (let copy = 0; copy < 3; copy += 1) ledger.foundUndecodable(payloads[1008]!);
    expect(ledger.verdict()).toMatchObject({ doubled: 0, maybeRepeated: 2 });
  });

  it('owes nothing that the broker has not acknowledged', () => {
    const ledger = new SoakLedger();
    ledger.next(TIME_MS);
    expect(ledger.verdict()).toMatchObject({ owed: 0, lost: 0 });
  });

  it('tells a value that is elsewhere, of another tag, of another time or that nobody published', () => {
    const { ledger, payloads } = published(1);
    const [row] = rowsOf(payloads[0]!);
    ledger.foundRejected(0);
    ledger.foundRow({ ...row!, name: 'P.T7' });
    ledger.foundRow({ ...row!, timeMs: TIME_MS + 1 });
    ledger.foundRow({ ...row!, value: 10 });
    ledger.foundRow({ ...row!, value: null });
    ledger.foundUndecodable('{ no number');
    expect(ledger.verdict().unknown).toBe(6);
  });

  it('goes on beyond what it had room for at first', () => {
    const { ledger } = published(70_000);
    expect(ledger.verdict()).toMatchObject({ doubled: 0, unknown: 0 });
    expect(ledger.verdict().lost).toBe(ledger.verdict().owed);
  });
});
