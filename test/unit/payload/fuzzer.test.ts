import { describe, expect, it } from 'vitest';

import type { Decoder } from '../../../src/payload/decoder.ts';
import { FORMATS } from '../../../src/payload/formats.ts';
import { FUZZED, type FuzzTarget } from '../../fuzz/fuzzed-formats.ts';
import {
  Fuzzer,
  MAX_DECODE_MS,
  MAX_GROWN_BYTES,
  type FuzzVerdict,
  type Meter,
  type Reader,
} from '../../fuzz/fuzzer.ts';
import { FuzzInputs } from '../../fuzz/inputs.ts';
import { ReadingProcess } from '../../fuzz/reading-process.ts';

const SEED = 1111;
const INPUTS = 200;
/** On a machine that has much else to do. */
const TIMEOUT_MS = 120_000;

type StartReader = (target: FuzzTarget) => Promise<Reader>;

const realReader: StartReader = (target) => ReadingProcess.start(target);

/** Time and memory as a planted fault has them. */
class MadeUpMeter implements Meter {
  ms = 0;
  bytes = 0;

  nowMs(): number {
    return this.ms;
  }

  cpuMs(): number {
    return this.ms;
  }

  collect(): void {}

  heapBytes(): Promise<number> {
    return Promise.resolve(this.bytes);
  }
}

function fuzz(startReader: StartReader, meter = new MadeUpMeter()): Promise<FuzzVerdict> {
  return new Fuzzer({
    formats: FUZZED,
    seed: SEED,
    progress: (inputs) => inputs / INPUTS,
    startReader,
    meter,
    withHostile: false,
    maxFailures: 1,
  }).run();
}

type Planted = (payload: Buffer, values: Parameters<Decoder['decode']>[1]) => void;

/** The real decoder with something done after each message. */
function planted(fault: Planted): StartReader {
  const around = (reader: Reader): Reader => {
    const { decoder } = reader;
    const decode: Decoder['decode'] = (message, into) => {
      const outcome = decoder.decode(message, into);
      fault(message.payload, into);
      return outcome;
    };
    return {
      decoder: {
        decode,
        decodeAside: (message, into) => decoder.decodeAside(message, into),
        resume: (earlierThrough) => decoder.resume(earlierThrough),
        hasOwnTime: (topic, payload) => decoder.hasOwnTime(topic, payload),
        silentFilters: () => decoder.silentFilters(),
        routeOf: (topic) => decoder.routeOf(topic),
        useRoutes: (routes) => decoder.useRoutes(routes),
      },
      settle: (messageNo) => reader.settle(messageNo),
      next: async (messageNo) => around(await reader.next(messageNo)),
    };
  };
  return async (target) => around(await realReader(target));
}

describe('the fuzzer', { timeout: TIMEOUT_MS }, () => {
  it('has an entry for every format', () => {
    expect(Object.keys(FUZZED)).toEqual(FORMATS.map(({ name }) => name));
  });

  it('makes the same input of the same seed', () => {
    const [maker, other] = [new FuzzInputs(FUZZED), new FuzzInputs(FUZZED)];
    const inputs = Array.from({ length: 50 }, (_, i) => maker.next(SEED + i));
    for (const { payload, topic, seed } of inputs) expect(other.next(seed)).toMatchObject({ payload, topic });
    expect(new Set(inputs.map(({ format }) => format)).size).toBe(FORMATS.length);
  });

  it('finds nothing in some hundred inputs', async () => {
    const { failures, inputs, rows } = await fuzz(realReader);
    expect(failures).toEqual([]);
    expect(inputs).toBe(INPUTS);
    expect(rows).toBeGreaterThan(INPUTS / 2);
  });

  it('finds a decoder that throws, and says which input does it', async () => {
    const crash = planted((payload) => {
      if (payload.includes(':')) throw new TypeError('planted');
    });
    const [failure] = (await fuzz(crash)).failures;
    expect(failure).toMatchObject({ fault: expect.stringContaining('TypeError: planted') as string, isAlone: true });
    expect(new FuzzInputs(FUZZED).next(failure!.input!.seed).payload).toEqual(failure!.input!.payload);
  });

  it('finds a decoder that is slow, and not one that was only once', async () => {
    const meter = new MadeUpMeter();
    const slow = planted((payload) => (meter.ms += payload.includes(':') ? MAX_DECODE_MS + 1 : 1));
    expect((await fuzz(slow, meter)).failures[0]?.fault).toBe('51 ms of CPU time, at most 50 are allowed');

    let isFirst = true;
    const busy = planted(() => {
      meter.ms += isFirst ? 10_000 : 1;
      isFirst = false;
    });
    expect((await fuzz(busy, meter)).failures).toEqual([]);
  });

  it('finds what grows with every message, shared by decoders or kept by each', async () => {
    const meter = new MadeUpMeter();
    const leak = planted(() => (meter.bytes += MAX_GROWN_BYTES / 100));
    expect((await fuzz(leak, meter)).failures.map(({ fault }) => fault.replace(/\d+/, 'n'))).toEqual([
      'the memory grew by n bytes between the half and the end',
    ]);

    let kept = 0;
    const ofOne = {
      ...Object.fromEntries(['nowMs', 'cpuMs', 'collect'].map((name) => [name, () => 0])),
      heapBytes: () => Promise.resolve(kept),
    } as Meter & MadeUpMeter;
    const leakOfOne: StartReader = (target) => {
      kept = 0;
      return planted(() => (kept += MAX_GROWN_BYTES / 100))(target);
    };
    expect((await fuzz(leakOfOne, ofOne)).failures.map(({ fault }) => fault.replace(/\d+/, 'n'))).toContain(
      'the memory grew by n bytes as decoders read the same messages again',
    );
  });

  it.each<[string, Planted]>([
    ['a number that is not finite', (_payload, values) => void values.numbers.fill(Number.POSITIVE_INFINITY)],
    ['a time out of range', (_payload, values) => void values.timesMs.fill(9e15)],
    ['half a surrogate pair', (_payload, values) => void values.texts.fill('\ud800')],
    ['a value without a place', (_payload, values) => void values.valueNos.fill(9)],
  ])('finds a row with %s', async (_what, spoilRows) => {
    expect((await fuzz(planted(spoilRows))).failures).toHaveLength(1);
  });
});
