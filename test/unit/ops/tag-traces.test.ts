import { describe, expect, it } from 'vitest';

import { TagValues } from '../../../src/core/tag-values.ts';
import { TagTraces } from '../../../src/ops/tag-traces.ts';
import { TagsSeen } from '../../../src/ops/tags-seen.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Tags whose values a test notes at the time of the clock, and their traces. */
class Traced {
  readonly clock = new FakeClock();
  readonly tags: TagsSeen;
  readonly traces: TagTraces;

  constructor(maxTraces = 10, maxTags = 10) {
    this.tags = new TagsSeen(maxTags);
    this.traces = new TagTraces({ tags: this.tags, clock: this.clock, maxTags: maxTraces });
    this.traces.start();
  }

  note(name: string, value: number | string): void {
    const values = new TagValues(1);
    const number = typeof value === 'number' ? value : Number.NaN;
    const text = typeof value === 'string' ? value : null;
    values.push({ plcCode: '', address: name, name }, number, text, this.clock.now(), 'GOOD');
    this.tags.note(values);
  }

  valuesOf(name: string): (number | null)[] | undefined {
    return this.traces.answer(name)?.samples.map(([, value]) => value);
  }
}

describe('the trace of a tag', () => {
  it('has the last value of each ten seconds, and nothing where none came', async () => {
    const traced = new Traced();
    const from = traced.clock.now() / 1000;
    traced.note('A', 1);
    traced.note('A', 2);
    await traced.clock.advance(20_000);
    traced.note('A', 2);
    await traced.clock.advance(10_000);
    traced.note('A', 'RUN');
    await traced.clock.advance(10_000);
    const samples = [2, null, 2, null].map((value, i) => [from + 10 * (i + 1), value]);
    expect(traced.traces.answer('A')).toEqual({ tagName: 'A', intervalMs: 10_000, samples });
    traced.traces.stop();
    expect(traced.clock.pendingTimers).toBe(0);
  });

  it('is an hour long', async () => {
    const traced = new Traced();
    for (let i = 0; i < 400; i += 1) {
      traced.note('A', i);
      await traced.clock.advance(10_000);
    }
    const values = traced.valuesOf('A')!;
    expect([values.length, values[0], values.at(-1)]).toEqual([360, 40, 399]);
  });

  it('has times that grow, whatever the wall clock does', async () => {
    const traced = new Traced();
    const { clock } = traced;
    const wall = clock.now.bind(clock);
    traced.note('A', 1);
    await clock.advance(20_000);
    clock.now = () => wall() - 3_600_000;
    await clock.advance(20_000);
    const times = traced.traces.answer('A')!.samples.map(([at]) => at);
    expect(times).toEqual([30, 20, 10, 0].map((ago) => clock.now() / 1000 - ago));
  });

  it('begins when somebody looks where there are too many tags, and the one looked at the longest ago ends', async () => {
    const traced = new Traced(2);
    for (const name of ['A', 'B', 'C']) traced.note(name, 1);
    await traced.clock.advance(10_000);
    expect(traced.valuesOf('A')).toEqual([1]);
    expect(traced.valuesOf('C')).toEqual([]);
    traced.note('C', 2);
    await traced.clock.advance(10_000);
    expect(traced.valuesOf('C')).toEqual([2]);
    expect(traced.valuesOf('A')).toEqual([1, null]);
    expect(traced.valuesOf('B')).toEqual([]);
    expect(traced.valuesOf('C')).toEqual([]);
  });

  it('has no point for a value that came before somebody looked', async () => {
    const traced = new Traced(1);
    traced.note('A', 1);
    traced.note('B', 7);
    await traced.clock.advance(10_000);
    expect(traced.valuesOf('B')).toEqual([]);
    await traced.clock.advance(10_000);
    expect(traced.valuesOf('B')).toEqual([null]);
  });

  it('has the value of a tag that is looked at before the first sample of it', async () => {
    const traced = new Traced();
    traced.note('A', 1);
    expect(traced.valuesOf('A')).toEqual([]);
    await traced.clock.advance(10_000);
    expect(traced.valuesOf('A')).toEqual([1]);
  });

  it('is there for no tag that was never seen, or made room for another', async () => {
    const traced = new Traced(10, 1);
    traced.note('A', 1);
    await traced.clock.advance(10_000);
    traced.note('B', 1);
    await traced.clock.advance(10_000);
    expect([traced.valuesOf('A'), traced.valuesOf('never')]).toEqual([undefined, undefined]);
    expect(traced.valuesOf('B')).toEqual([1]);
  });
});
