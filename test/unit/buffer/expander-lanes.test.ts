import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BufferSums } from '../../../src/buffer/buffer-sums.ts';
import { Expander } from '../../../src/buffer/expander.ts';
import { LaneInlet } from '../../../src/buffer/lane-inlet.ts';
import { TagBuffer } from '../../../src/buffer/tag-buffer.ts';
import { createCounters, createValueCounters, type ValueCounters } from '../../../src/core/counters.ts';
import type { Message } from '../../../src/core/message.ts';
import { TagValues } from '../../../src/core/tag-values.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

/** So many values for a destination; none: for that of the message. A negative number: so many that are left out. */
type Run = readonly [destination: string | undefined, count: number];

interface SampleLane {
  readonly buffer: TagBuffer;
  readonly inlet: LaneInlet;
  readonly counters: ValueCounters;
  /** Message number/value number of what was taken out. */
  readonly taken: string[];
  readonly waitedMs: number[];
}

const NAMES = ['default', 'a', 'b', 'c'];
const TAG = { plcCode: '', address: 'A', name: 'A' };

/** An expander before lanes whose buffers are of these sizes. */
class LanesBench {
  readonly clock = new FakeClock();
  readonly lanes: ReadonlyMap<string, SampleLane>;
  readonly done: number[] = [];
  readonly sums: BufferSums;
  readonly #abort = new AbortController();
  readonly #messages: Message[];
  readonly #running: Promise<void>;

  constructor(capacities: Readonly<Record<string, number>>, messages: readonly (readonly Run[])[]) {
    this.lanes = new Map(Object.entries(capacities).map(([name, capacity]) => [name, this.#lane(capacity)]));
    this.sums = new BufferSums(() => [...this.lanes.values()].map(({ buffer }) => buffer));
    this.#messages = messages.map((runs, i) => {
      return { number: i + 1, topic: 't', payload: Buffer.from(JSON.stringify(runs)), receivedAtMs: 5 };
    });
    const expander = new Expander({
      reader: {
        take: () => Promise.resolve(this.#messages.splice(0, 3)),
        done: ({ number }) => void this.done.push(number),
      },
      decoder: { decode: (message, into) => decode(message, into) },
      inletOf: (destination) => this.lane(destination).inlet,
      undecodable: { add: () => Promise.reject(new Error('all can be decoded')) },
      counters: createCounters(),
      log: new RecordingLogger(),
      clock: this.clock,
    });
    this.#running = expander.run(this.#abort.signal);
  }

  lane(destination: string): SampleLane {
    return this.lanes.get(destination)!;
  }

  async turn(): Promise<void> {
    await this.clock.advance(0);
  }

  async take(destination: string, max: number): Promise<void> {
    const { buffer, taken } = this.lane(destination);
    const into = new TagValues(max);
    buffer.take(into, max);
    for (let i = 0; i < into.length; i += 1) taken.push(`${into.messageNos[i]}/${into.valueNos[i]}`);
    await this.turn();
  }

  async abort(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  /** In each buffer, by destination. */
  get sizes(): Record<string, number> {
    return Object.fromEntries([...this.lanes].map(([name, { buffer }]) => [name, buffer.size]));
  }

  get pending(): Record<string, number> {
    return Object.fromEntries([...this.lanes].map(([name, { inlet }]) => [name, inlet.pending]));
  }

  checkAudit(): void {
    for (const [name, { buffer, counters, inlet, taken }] of this.lanes) {
      const found = taken.length + buffer.size + counters.valuesFiltered + inlet.pending;
      if (counters.valuesReceived !== found) throw new Error(`${name}: ${counters.valuesReceived} received, ${found}`);
    }
  }

  #lane(capacity: number): SampleLane {
    const buffer = new TagBuffer({ capacity, onFull: 'wait', clock: this.clock });
    const counters = createValueCounters();
    const waitedMs: number[] = [];
    const inlet = new LaneInlet({
      buffer,
      counters,
      onBegin: () => {},
      onLeftOut: () => true,
      onWaiting: (ms) => void waitedMs.push(ms),
      clock: this.clock,
      log: new RecordingLogger(),
    });
    return { buffer, counters, inlet, taken: [], waitedMs };
  }
}

function decode(message: Message, into: TagValues): undefined {
  const marks: number[] = [];
  for (const [destination, count] of JSON.parse(message.payload.toString()) as [string | null, number][]) {
    into.sendTo(destination ?? undefined);
    for (let i = 0; i < Math.abs(count); i += 1) {
      into.push(TAG, i, null, 0, 'GOOD');
      marks.push(Number(count < 0));
    }
  }
  into.stamp(message.number, message.receivedAtMs);
  into.leaveOut(Uint8Array.from(marks), marks.filter((mark) => mark === 1).length);
}

describe('an expander before several lanes', () => {
  it('gives the others theirs at once when one lane of a message is full', async () => {
    const bench = new LanesBench({ default: 10, a: 2, b: 10 }, [
      [
        ['b', 2],
        ['a', 5],
        [undefined, 3],
        ['b', 1],
      ],
      [['b', 1]],
    ]);
    await bench.turn();
    expect([bench.sizes, bench.pending, bench.done]).toEqual([
      { default: 3, a: 2, b: 3 },
      { default: 0, a: 3, b: 0 },
      [],
    ]);
    await bench.take('a', 2);
    expect([bench.sizes['a'], bench.pending['a'], bench.done]).toEqual([2, 1, []]);
    await bench.take('a', 1);
    expect([bench.pending['a'], bench.sizes['b'], bench.done]).toEqual([0, 4, [1, 2]]);
    expect(bench.lane('a').taken).toEqual(['1/2', '1/3', '1/4']);
    bench.checkAudit();
    await bench.abort();
  });

  it('is done with a message only when all lanes that were full have taken it in', async () => {
    const bench = new LanesBench({ default: 10, a: 1, b: 1 }, [
      [
        ['a', 2],
        ['b', 2],
      ],
    ]);
    await bench.turn();
    await bench.take('b', 1);
    expect(bench.done).toEqual([]);
    await bench.take('a', 1);
    expect([bench.done, bench.pending]).toEqual([[1], { default: 0, a: 0, b: 0 }]);
    await bench.abort();
  });

  it('tells the full lane, and no other, for how long it has been waited for, and stops when there is room', async () => {
    const bench = new LanesBench({ default: 10, a: 1, b: 10 }, [
      [
        ['a', 2],
        ['b', 2],
      ],
    ]);
    await bench.clock.advance(350);
    expect([bench.lane('a').waitedMs, bench.lane('b').waitedMs]).toEqual([[100, 200, 300], []]);
    await bench.take('a', 1);
    await bench.clock.advance(1_000);
    expect([bench.lane('a').waitedMs.length, bench.clock.pendingTimers]).toEqual([3, 0]);
    await bench.abort();
  });

  it('leaves on abort what the full lane lacks as pending, and its message undone', async () => {
    const bench = new LanesBench({ default: 10, a: 1, b: 10 }, [
      [
        ['a', 4],
        ['b', 2],
      ],
      [['b', 1]],
    ]);
    await bench.turn();
    await bench.abort();
    bench.checkAudit();
    expect([bench.pending, bench.sizes, bench.done, bench.clock.pendingTimers]).toEqual([
      { default: 0, a: 3, b: 0 },
      { default: 0, a: 1, b: 2 },
      [],
      0,
    ]);
  });

  it('counts for each lane its own, those that are left out as well', async () => {
    const bench = new LanesBench({ default: 10, a: 10, b: 10 }, [
      [
        [undefined, 1],
        ['a', -2],
        ['b', 3],
        ['a', 1],
      ],
      [['b', -1]],
    ]);
    await bench.turn();
    bench.checkAudit();
    const counts = ['default', 'a', 'b'].map((name) => bench.lane(name).counters);
    expect(counts.map((each) => [each.valuesReceived, each.valuesFiltered])).toEqual([
      [1, 0],
      [3, 2],
      [4, 1],
    ]);
    expect([bench.sums.size, bench.sums.capacity, bench.sums.evicted]).toEqual([5, 30, 0]);
    await bench.take('a', 1);
    expect(bench.lane('a').taken).toEqual(['1/6']);
    await bench.abort();
  });

  it('gives each lane just its values, in order, whatever the runs are and whenever there is room', async () => {
    const run: fc.Arbitrary<Run> = fc.tuple(fc.constantFrom(undefined, ...NAMES), fc.integer({ min: -2, max: 5 }));
    const messages = fc.array(fc.array(run, { maxLength: 6 }), { maxLength: 6 });
    const capacities = fc.record(Object.fromEntries(NAMES.map((name) => [name, fc.integer({ min: 1, max: 6 })])));
    const takes = fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.integer({ min: 1, max: 4 })), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(messages, capacities, takes, async (sent, sizes, some) => {
        const bench = new LanesBench(sizes, sent);
        for (const [name, max] of some) {
          await bench.take(name, max);
          bench.checkAudit();
        }
        while (bench.done.length < sent.length || bench.sums.size > 0) {
          for (const name of NAMES) await bench.take(name, 3);
          bench.checkAudit();
        }
        await bench.abort();
        expect(bench.done).toEqual(sent.map((_, i) => i + 1));
        for (const name of NAMES) expect(bench.lane(name).taken).toEqual(expected(sent, name));
      }),
      { numRuns: 100 },
    );
  });
});

/** What a lane must get, by the definition of runs. */
function expected(sent: readonly (readonly Run[])[], name: string): string[] {
  return sent.flatMap((runs, m) => {
    const values = runs.flatMap(([destination = 'default', count]) =>
      Array.from({ length: Math.abs(count) }, () => ({ destination, isIn: count > 0 })),
    );
    return values.flatMap(({ destination, isIn }, i) => (isIn && destination === name ? [`${m + 1}/${i}`] : []));
  });
}
