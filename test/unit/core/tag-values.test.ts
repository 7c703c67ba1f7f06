import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Reason } from '../../../src/core/errors.ts';
import { byDestination, copyValues, type Tag, TagValues } from '../../../src/core/tag-values.ts';

const TAGS: readonly Tag[] = ['D100', 'M10', 'S1'].map((address) => ({
  plcCode: 'PLC01',
  address,
  name: `PLC01.${address}`,
}));

function readRow(values: TagValues, i: number) {
  return {
    tag: values.tags[i],
    number: values.numbers[i],
    text: values.texts[i],
    timeMs: values.timesMs[i],
    quality: values.qualities[i],
    problem: values.problems[i],
    messageNo: values.messageNos[i],
    valueNo: values.valueNos[i],
    receivedAtMs: values.receivedAtMs[i],
  };
}

interface Row {
  readonly tag: Tag;
  readonly number: number;
  readonly text: string | null;
  readonly timeMs: number;
  readonly quality: string;
  readonly problem: Reason | undefined;
}

const valueOf: fc.Arbitrary<Row> = fc.record({
  tag: fc.constantFrom(...TAGS),
  number: fc.double(),
  text: fc.option(fc.string()),
  timeMs: fc.double(),
  quality: fc.constantFrom('GOOD', 'BAD'),
  problem: fc.option(fc.constant({ code: 'BAD_TIMESTAMP', message: 'no date' }), { nil: undefined }),
});

/** A list with these values, stamped as message 7. */
function filled(rows: readonly Row[], capacity: number) {
  const values = new TagValues(capacity);
  for (const row of rows) values.push(row.tag, row.number, row.text, row.timeMs, row.quality, row.problem);
  values.stamp(7, 1000);
  return values;
}

describe('TagValues', () => {
  it('keeps every column of every value, growing from any capacity', () => {
    fc.assert(
      fc.property(fc.array(valueOf, { maxLength: 300 }), fc.nat(40), (rows, capacity) => {
        const values = filled(rows, capacity);
        expect(values.length).toBe(rows.length);
        expect(values.capacity).toBeGreaterThanOrEqual(rows.length);
        const expected = rows.map((row, valueNo) => ({ ...row, messageNo: 7, valueNo, receivedAtMs: 1000 }));
        expect(rows.map((_row, i) => readRow(values, i))).toEqual(expected);
      }),
    );
  });

  it('holds message numbers beyond 32 bits exactly', () => {
    const values = new TagValues(1);
    values.push(TAGS[0]!, 1, null, 0, 'GOOD');
    values.stamp(Number.MAX_SAFE_INTEGER, Date.UTC(2025, 10, 2));
    expect(readRow(values, 0)).toMatchObject({
      messageNo: Number.MAX_SAFE_INTEGER,
      receivedAtMs: Date.UTC(2025, 10, 2),
    });
  });

  it('does not show a former value after it was cleared', () => {
    const values = new TagValues(2);
    values.push(TAGS[0]!, 1, 'text', 5, 'BAD', { code: 'X', message: 'x' });
    values.clear();
    expect(values.length).toBe(0);
    values.push(TAGS[1]!, 2, null, 6, 'GOOD');
    values.stamp(8, 9);
    expect(values.length).toBe(1);
    expect(readRow(values, 0)).toEqual({
      tag: TAGS[1],
      number: 2,
      text: null,
      timeMs: 6,
      quality: 'GOOD',
      problem: undefined,
      messageNo: 8,
      valueNo: 0,
      receivedAtMs: 9,
    });
  });

  it('keeps its capacity when it is cleared', () => {
    const values = filled(
      Array.from({ length: 100 }, () => ROW),
      0,
    );
    const { capacity } = values;
    values.clear();
    expect(values.capacity).toBe(capacity);
  });
});

const ROW: Row = { tag: TAGS[0]!, number: 1, text: null, timeMs: 0, quality: 'GOOD', problem: undefined };

describe('copyValues', () => {
  it('copies exactly the named values to the named place, all columns, and touches no other', () => {
    const rows = fc.array(valueOf, { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(rows, fc.nat(), fc.nat(), fc.nat(), (given, a, b, c) => {
        const from = filled(given, given.length);
        const fromIndex = a % given.length;
        const count = b % (given.length - fromIndex + 1);
        const to = filled(
          Array.from({ length: 60 }, () => ROW),
          60,
        );
        const toIndex = c % (60 - count + 1);
        const before = Array.from({ length: 60 }, (_none, i) => readRow(to, i));
        copyValues(from, fromIndex, to, toIndex, count);
        for (let i = 0; i < 60; i += 1) {
          const isCopied = i >= toIndex && i < toIndex + count;
          expect(readRow(to, i)).toEqual(isCopied ? readRow(from, fromIndex + i - toIndex) : before[i]);
        }
      }),
    );
  });
});

describe('whom values are for', () => {
  function pushed(values: TagValues, address: string): void {
    values.push({ plcCode: 'PLC01', address, name: address }, 1, null, 0, 'GOOD');
  }

  function destinations(values: TagValues): string[] {
    return Array.from({ length: values.length }, (_, i) => `${values.tags[i]!.address} ${values.destinationOf(i)}`);
  }

  it('is the destination of the list, and in a run that of the run', () => {
    const values = new TagValues(4);
    pushed(values, 'a');
    values.sendTo('alarms');
    pushed(values, 'b');
    values.sendTo('energy');
    values.sendTo(undefined);
    pushed(values, 'c');
    values.destination = 'line1';
    expect(destinations(values)).toEqual(['a line1', 'b alarms', 'c line1']);
    values.clear();
    pushed(values, 'd');
    expect(destinations(values)).toEqual(['d default']);
  });

  it('stays when values are taken out', () => {
    const list = fc.array(fc.record({ to: fc.constantFrom(undefined, 'a', 'b'), gone: fc.boolean() }), {
      maxLength: 9,
    });
    fc.assert(
      fc.property(list, (rows) => {
        const values = new TagValues(1);
        rows.forEach(({ to }, i) => {
          values.sendTo(to);
          pushed(values, `${i}`);
        });
        values.remove(new Set(rows.flatMap(({ gone }, i) => (gone ? [i] : []))));
        expect(destinations(values)).toEqual(
          rows.flatMap(({ to, gone }, i) => (gone ? [] : [`${i} ${to ?? 'default'}`])),
        );
      }),
    );
  });

  it('keep what was noted of them when others are taken out', () => {
    const row = fc.record({ gone: fc.boolean(), isHistorical: fc.boolean(), isImplausible: fc.boolean() });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
        const values = new TagValues(0);
        for (const [i, { isHistorical, isImplausible }] of rows.entries()) {
          pushed(values, `${i}`);
          if (isHistorical) values.historical.add(i);
          if (isImplausible) values.implausible.set(i, 1000 + i);
        }
        values.stamp(7, 5);
        values.removeMarked(Uint8Array.from(rows, ({ gone }) => Number(gone)));
        const found = Array.from({ length: values.length }, (_, i) => ({
          valueNo: values.valueNos[i],
          number: values.numbers[i],
          name: values.tags[i]!.name,
          isHistorical: values.historical.has(i),
          implausible: values.implausible.get(i),
        }));
        expect(found).toEqual(
          rows.flatMap(({ gone, isHistorical, isImplausible }, i) => {
            const implausible = isImplausible ? 1000 + i : undefined;
            return gone ? [] : [{ valueNo: i, number: 1, name: `${i}`, isHistorical, implausible }];
          }),
        );
      }),
    );
  });

  it('are counted by destination when they are left out', () => {
    const row = fc.record({ to: fc.constantFrom(undefined, 'A', 'B'), out: fc.boolean() });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), fc.constantFrom('default', 'A'), (rows, destination) => {
        const values = new TagValues(0);
        values.destination = destination;
        rows.forEach(({ to }, i) => {
          values.sendTo(to);
          pushed(values, `${i}`);
        });
        const out = rows.filter((each) => each.out);
        values.leaveOut(
          Uint8Array.from(rows, (each) => Number(each.out)),
          out.length,
        );
        const expected = new Map<string, number>();
        for (const { to = destination } of out) expected.set(to, (expected.get(to) ?? 0) + 1);
        expect(values.leftOutBy).toEqual(expected);
        expect([values.leftOut, values.length]).toEqual([out.length, rows.length - out.length]);
      }),
    );
  });

  it('are dealt out to destinations whole and in order, also behind values that were left out', () => {
    const row = fc.record({
      to: fc.constantFrom(undefined, 'A', 'B', 'default'),
      out: fc.boolean(),
      detail: fc.option(fc.nat()),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), fc.constantFrom('default', 'A'), (rows, destination) => {
        const values = new TagValues(0);
        values.destination = destination;
        rows.forEach(({ detail, to }, i) => {
          values.sendTo(to);
          values.describe(detail === null ? null : { qualityCode: detail, fields: undefined });
          pushed(values, `${i}`);
        });
        const origin = { topic: 't', levels: ['t'], retained: false };
        values.stamp(7, 8, origin);
        values.leaveOut(
          Uint8Array.from(rows, ({ out }) => Number(out)),
          rows.filter(({ out }) => out).length,
        );
        const expected: Record<string, unknown[]> = {};
        rows.forEach(({ detail, out, to = destination }, valueNo) => {
          const value = { valueNo, name: `${valueNo}`, messageNo: 7, detail, origin };
          if (!out) (expected[to] ??= []).push(value);
        });
        const dealt = [...byDestination(values)].map(([to, part]) => {
          const read = Array.from({ length: part.length }, (_, i) => ({
            valueNo: part.valueNos[i],
            name: part.tags[i]?.name,
            messageNo: part.messageNos[i],
            detail: part.details?.[i]?.qualityCode ?? null,
            origin: part.origins?.[i],
          }));
          return [to, read] as const;
        });
        expect(Object.fromEntries(dealt)).toEqual(expected);
      }),
    );
  });
});
