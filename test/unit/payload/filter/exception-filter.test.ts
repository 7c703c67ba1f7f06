import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Reason } from '../../../../src/core/errors.ts';
import { TagValues, type Tag } from '../../../../src/core/tag-values.ts';
import { ExceptionFilter, type FilteredRoute } from '../../../../src/payload/filter/exception-filter.ts';

const RECEIVED_AT_MS = Date.UTC(2026, 0, 2);
const PROBLEM: Reason = { code: 'BAD', message: 'is bad' };

interface Sample {
  /** Absent: A. */
  readonly tag?: string;
  readonly number?: number;
  readonly text?: string | null;
  readonly quality?: string;
  /** Seconds around the receipt. */
  readonly at?: number;
  readonly problem?: Reason;
  readonly historical?: boolean;
  readonly to?: string;
}

const tags = new Map<string, Tag>();

function tagOf(name: string): Tag {
  const tag = tags.get(name) ?? { plcCode: '', address: name, name };
  tags.set(name, tag);
  return tag;
}

function listOf(samples: readonly Sample[], number: number): TagValues {
  const values = new TagValues(1);
  for (const [i, sample] of samples.entries()) {
    const timeMs = RECEIVED_AT_MS + (sample.at ?? 0) * 1000;
    values.sendTo(sample.to);
    const { number: figure = Number.NaN, problem, quality = 'GOOD', tag = 'A', text = null } = sample;
    values.push(tagOf(tag), figure, text, timeMs, quality, problem);
    if (sample.historical === true) values.historical.add(i);
  }
  values.stamp(number, RECEIVED_AT_MS);
  return values;
}

/** A filter, the numbers of whose messages grow by themselves. */
class Bench {
  readonly route: FilteredRoute;
  readonly filter: ExceptionFilter;
  #number = 0;

  constructor(route: Partial<FilteredRoute>, maxTags?: number) {
    this.route = { topic: 't', ...route };
    this.filter = new ExceptionFilter([this.route], maxTags);
  }

  /** What is left of a message, by the number of each value in it. */
  send(samples: readonly Sample[], route = this.route): number[] {
    this.#number += 1;
    const values = listOf(samples, this.#number);
    const message = { number: this.#number, topic: 't', payload: Buffer.alloc(0), receivedAtMs: RECEIVED_AT_MS };
    this.filter.apply(message, route, values);
    if (values.leftOut !== samples.length - values.length) throw new Error(`${values.leftOut} left out`);
    return [...values.valueNos.subarray(0, values.length)];
  }

  /** Which of the numbers are left, each a message. */
  numbers(...numbers: readonly number[]): boolean[] {
    return numbers.map((number) => this.send([{ number }]).length === 1);
  }
}

const [yes, no] = [true, false];

describe('the deadband', () => {
  it('is around the last value that was let through, both ends in it', () => {
    const bench = new Bench({ deadband: { absolute: 0.5 } });
    expect(bench.numbers(10, 10.5, 9.5, 10.4, 10.6, 10.1, 10, 11.2)).toEqual([yes, no, no, no, yes, no, yes, yes]);
  });

  it('lets a value that creeps away through, as it is not moved by what it holds back', () => {
    const bench = new Bench({ deadband: { absolute: 1 } });
    expect(bench.numbers(2, 2.4, 2.8, 3.2, 3.6, 4, 4.4)).toEqual([yes, no, no, yes, no, no, yes]);
  });

  it('of percents is of the last value, and of no width at 0', () => {
    const bench = new Bench({ deadband: { percent: 10 } });
    expect(bench.numbers(-200, -219, -221, -199, -198, 0, 0, 1e-9)).toEqual([yes, no, yes, no, yes, yes, no, yes]);
  });

  it('of both kinds is the wider one', () => {
    const bench = new Bench({ deadband: { absolute: 0.1, percent: 10 } });
    expect(bench.numbers(0, 0.09, 0.11, 200, 219, 221)).toEqual([yes, no, yes, yes, no, yes]);
  });

  it('of 0 holds back what has not changed', () => {
    const bench = new Bench({ deadband: { absolute: 0 } });
    expect(bench.numbers(7, 7, 7.1, 7.1, 7)).toEqual([yes, no, yes, no, yes]);
  });

  it('is never around a boolean: a tag without other numbers than 0 and 1', () => {
    expect(new Bench({ deadband: { absolute: 5 } }).numbers(0, 0, 1, 1, 0)).toEqual([yes, no, yes, no, yes]);
    expect(new Bench({ deadband: { absolute: 5 } }).numbers(0, 2, 1, 0, 1)).toEqual([yes, no, no, no, no]);
  });

  it('lets changes of text, of quality and of there being a value through', () => {
    const bench = new Bench({ deadband: { absolute: 5 } });
    const left = [
      { text: 'RUN' },
      { text: 'RUN' },
      { text: 'STOP' },
      {},
      {},
      { number: 7 },
      { number: 8, quality: 'BAD' },
      { number: 8, quality: 'BAD' },
      { number: 9 },
      { number: 9_007_199_254_740_992, text: '9007199254740993' },
      { number: 9_007_199_254_740_992, text: '9007199254740992' },
    ].map((sample) => bench.send([sample]).length === 1);
    expect(left).toEqual([yes, no, yes, yes, no, yes, yes, no, yes, yes, yes]);
  });

  it('lets every long text through, and the value behind it', () => {
    const bench = new Bench({ deadband: { absolute: 5 } });
    const long = { text: 'x'.repeat(201) };
    const shorter = { text: 'x'.repeat(200) };
    const samples = [long, long, shorter, shorter, long, { number: 1 }, long, {}, {}];
    expect(samples.map((each) => bench.send([each]).length)).toEqual([1, 1, 1, 0, 1, 1, 1, 1, 0]);
  });

  it('lets values with a problem through, and is not moved by them', () => {
    const bench = new Bench({ deadband: { absolute: 5 } });
    const samples = [{ number: 1 }, { number: 100, problem: PROBLEM }, { number: 1, problem: PROBLEM }, { number: 2 }];
    expect(bench.send(samples)).toEqual([0, 1, 2]);
  });

  it('lets values with an implausible time through, and is not moved by them', () => {
    const plausibleTime = { pastDays: 1, futureMinutes: 1 };
    const bench = new Bench({ deadband: { absolute: 5 }, plausibleTime });
    const samples = [0, 61, -86_401, 60, 59].map((at) => ({ number: 1, at }));
    expect(bench.send(samples)).toEqual([0, 1, 2, 4]);
  });

  it('lets history through, older than the last one or called so, and is not moved by it', () => {
    const bench = new Bench({ deadband: { absolute: 5 } });
    const samples = [
      { number: 1, at: 10 },
      { number: 100, at: 9 },
      { number: 2, at: 10 },
      { number: 200, at: 12, historical: true },
      { number: 3, at: 11 },
      // The last one that came, let through or not.
      { number: 3, at: 10.5 },
      { number: 4, at: 11 },
    ];
    expect(bench.send(samples)).toEqual([0, 1, 3, 5]);
  });

  it('lets a value through when the last one is so old by the times of both', () => {
    const bench = new Bench({ deadband: { absolute: 5 }, maxSilenceSeconds: 60 });
    const samples = [0, 30, 59.999, 60, 119, 120].map((at) => ({ number: 1, at }));
    expect(bench.send(samples)).toEqual([0, 3, 5]);
  });

  it('is that of the first pattern that matches the name, with what it leaves out from the subscription', () => {
    const bench = new Bench({
      deadband: { absolute: 1 },
      maxSilenceSeconds: 10,
      tags: [
        { match: '*.Temp', deadband: { absolute: 5 } },
        { match: 'P2.*', maxSilenceSeconds: 100 },
        { match: 'P3.*', deadband: 'off' },
      ],
    });
    const left = (tag: string): number[] => bench.send([0, 3, 6, 11].map((at) => ({ tag, number: at, at })));
    expect(left('P1.Temp')).toEqual([0, 2]);
    expect(left('P2.Temp')).toEqual([0, 2]);
    expect(left('P2.Flow')).toEqual([0, 1, 2, 3]);
    expect(left('P3.Flow')).toEqual([0, 1, 2, 3]);
    expect(bench.send([0, 99, 100].map((at) => ({ tag: 'P2.Still', number: 0, at })))).toEqual([0, 2]);
  });

  it('is of each destination by itself', () => {
    const bench = new Bench({ deadband: { absolute: 1 } });
    const samples = [{ number: 1 }, { number: 1, to: 'alarms' }, { number: 1, to: 'alarms' }, { number: 1 }];
    expect(bench.send(samples)).toEqual([0, 1]);
    expect(bench.send(samples)).toEqual([]);
  });

  it('takes no time that grows with the square of the runs', () => {
    const bench = new Bench({ deadband: { absolute: 1 } });
    const samples = Array.from({ length: 150_000 }, (_, i) => ({ number: 1, to: i % 2 === 0 ? 'alarms' : undefined }));
    expect(bench.send(samples as Sample[])).toEqual([0, 1]);
  });

  it('of no subscription lets everything through', () => {
    const bench = new Bench({ maxSilenceSeconds: 5 });
    const samples = [{ number: 1 }, { number: 1 }];
    expect(bench.send(samples)).toEqual([0, 1]);
    expect(new Bench({ deadband: { absolute: 1 } }).send(samples, { topic: 'other' })).toEqual([0, 1]);
  });

  it('forgets the tag that it has known longest when there are too many, and lets its next value through', () => {
    const bench = new Bench({ deadband: { absolute: 1 } }, 2);
    const send = (tag: string): number => bench.send([{ tag, number: 1 }]).length;
    expect(['A', 'B', 'A', 'B'].map(send)).toEqual([1, 1, 0, 0]);
    expect(['C', 'B', 'A', 'C', 'B'].map(send)).toEqual([1, 0, 1, 0, 1]);
  });

  it('lets all of what an earlier process may have had through, and learns nothing of it', () => {
    const bench = new Bench({ deadband: { absolute: 1 } });
    bench.filter.resume(2);
    expect(bench.numbers(1, 1, 1, 1)).toEqual([yes, yes, yes, no]);
  });

  it('goes on over a reload, and begins anew where the subscription says something else', () => {
    const bench = new Bench({ deadband: { absolute: 1 } });
    const send = (route: FilteredRoute): number => bench.send([{ number: 1 }], route).length;
    const wider = { ...bench.route, deadband: { absolute: 2 } };
    expect([send(bench.route), send(bench.route)]).toEqual([1, 0]);
    const same = structuredClone(bench.route);
    bench.filter.useRoutes([same]);
    expect(send(same)).toBe(0);
    bench.filter.useRoutes([wider]);
    expect([send(wider), send(wider), send(same)]).toEqual([1, 0, 0]);
  });
});

describe('what is let through', () => {
  const sample = fc.record({
    tag: fc.constantFrom('A', 'B', 'C'),
    number: fc.oneof(
      fc.constantFrom(0, 1, 0, 1, Number.NaN, 10, 10.5, 11, -10),
      fc.double({ min: -20, max: 20, noNaN: true }),
    ),
    text: fc.constantFrom(null, null, null, 'RUN', 'STOP'),
    quality: fc.constantFrom('GOOD', 'GOOD', 'GOOD', 'BAD'),
    at: fc.integer({ min: -50, max: 50 }),
    historical: fc.constantFrom(false, false, false, true),
  });
  const deadband = fc.oneof(
    fc.record({ absolute: fc.constantFrom(0, 0.5, 3) }),
    fc.record({ percent: fc.constantFrom(0, 5, 50) }),
    fc.record({ absolute: fc.constantFrom(0, 0.5, 3), percent: fc.constantFrom(0, 5, 50) }),
  );

  /** The rule in a few lines. */
  function model(
    samples: readonly Sample[],
    band: { absolute?: number; percent?: number },
    silence: number,
  ): boolean[] {
    const known = new Map<string, { last?: Required<Sample>; seen: number; isBinary: boolean }>();
    return (samples as readonly Required<Sample>[]).map((one) => {
      const { last, seen, isBinary: was } = known.get(one.tag) ?? { seen: -Infinity, isBinary: true };
      if (one.at < seen || one.historical) return true;
      const isBinary = was && [0, 1, Number.NaN].includes(one.number);
      const isNear = (to: number): boolean => {
        const width = Math.max(band.absolute ?? 0, ((band.percent ?? 0) / 100) * Math.abs(to));
        return Object.is(one.number, to) || (!isBinary && Math.abs(one.number - to) <= width);
      };
      const isSame = one.text === last?.text && one.quality === last.quality && isNear(last.number);
      const passes = !isSame || (silence > 0 && one.at - last.at >= silence);
      known.set(one.tag, { last: passes ? one : last, seen: one.at, isBinary });
      return passes;
    });
  }

  it('is what ten lines say, for any values, band and silence, however they are cut into messages', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
    const silence = fc.constantFrom(0, 0, 5, 30);
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 80 }), deadband, silence, cuts, (samples, band, seconds, lengths) => {
        const written = samples.map((one) => Object.assign(one, { number: one.number + 0 }));
        const bench = new Bench({ deadband: band, maxSilenceSeconds: seconds });
        const passed: boolean[] = [];
        for (let at = 0, cut = 0; at < written.length; cut += 1) {
          const part = written.slice(at, at + lengths[cut % lengths.length]!);
          const left = new Set(bench.send(part));
          passed.push(...part.map((_, i) => left.has(i)));
          at += part.length;
        }
        expect(passed).toEqual(model(written, band, seconds));
      }),
      { numRuns: 500 },
    );
  });
});
