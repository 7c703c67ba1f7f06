/**
 * Fuzzes the decoder of every payload format (test/fuzz/): for some seconds, or some inputs. Of an input that fails it
 * prints what is wrong, how it was read, its bytes, and how to run it alone. Needs --expose-gc, to see whether memory
 * grows.
 *
 *     npm run fuzz -- --seconds 60
 *     npm run fuzz -- --seed 4711 --inputs 1
 */
import { setImmediate as nextTask } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { FUZZED } from '../test/fuzz/fuzzed-formats.ts';
import { Fuzzer, type FuzzFailure, type Meter } from '../test/fuzz/fuzzer.ts';
import { ReadingProcess } from '../test/fuzz/reading-process.ts';

const MAX_FAILURES = 10;
const COLLECTIONS = 3;
const SEEDS = 1_000_000_000;
const MAX_SHOWN_BYTES = 131_072;

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * SEEDS)) },
    inputs: { type: 'string' },
    format: { type: 'string' },
  },
});

function wholeNumber(name: 'seconds' | 'seed' | 'inputs', given: string, least: number): number {
  const number = Number(given);
  if (given === '' || !Number.isSafeInteger(number) || number < least) {
    console.error(`--${name} takes a whole number of at least ${least}, not ${JSON.stringify(given)}`);
    process.exit(64);
  }
  return number;
}

const collect = globalThis.gc;
if (collect === undefined) {
  console.error('start it by npm run fuzz, or with node --expose-gc');
  process.exit(64);
}

const meter: Meter = {
  nowMs: () => performance.now(),
  cpuMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  collect: () => {
    collect();
  },
  heapBytes: async () => {
    // What objects have outside of the heap goes in tasks after a collection.
    for (let i = 0; i < COLLECTIONS; i += 1) {
      collect();
      await nextTask();
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
};

const formats = Object.entries(FUZZED).filter(([name]) => flags.format === undefined || name === flags.format);
if (formats.length === 0) {
  console.error(`--format takes one of ${Object.keys(FUZZED).join(', ')}, not ${JSON.stringify(flags.format)}`);
  process.exit(64);
}

function show({ fault, input, isAlone }: FuzzFailure): void {
  console.log(fault);
  if (input === undefined) return;
  const { target, topic, payload, format } = input;
  const shown = payload.subarray(0, MAX_SHOWN_BYTES);
  console.log(
    `  read by ${JSON.stringify(target.subscription)}, names ${target.tagName}, topic ${JSON.stringify(topic)}`,
  );
  console.log(`  payload of ${payload.length} bytes, base64: ${shown.toString('base64')}`);
  if (payload.length > shown.length) console.log(`  (the first ${shown.length} bytes)`);
  const isHostile = input.seed === 0;
  const from = isAlone && !isHostile ? input.seed : seed;
  const only = flags.format === undefined ? '' : ` --format ${format}`;
  // The hostile payloads come in every run.
  console.log(`  again: npm run fuzz -- --seed ${from} --inputs ${isHostile ? 1 : input.seed - from + 1}${only}`);
}

const seed = wholeNumber('seed', flags.seed, 1);
const seconds = wholeNumber('seconds', flags.seconds, 1);
const inputs = flags.inputs === undefined ? undefined : wholeNumber('inputs', flags.inputs, 1);
/** The hostile payloads come first, and are not counted: what time they take depends on the machine. */
let startedMs: number | undefined;
const elapsed = (): number => (performance.now() - (startedMs ??= performance.now())) / 1000;

console.log(`seed ${seed}, ${formats.map(([name]) => name).join(', ')}`);
const verdict = await new Fuzzer({
  formats: Object.fromEntries(formats),
  seed,
  progress: (done) => {
    const ofTime = elapsed() / seconds;
    return inputs === undefined ? ofTime : done / inputs;
  },
  startReader: (target) => ReadingProcess.start(target),
  meter,
  withHostile: true,
  maxFailures: MAX_FAILURES,
  onFailure: show,
  onHostile: ({ bytes, cpuMs, rows, what }) => {
    const [ms, megabytes] = [cpuMs.toFixed(1).padStart(8), (bytes / 1_048_576).toFixed(2).padStart(6)];
    console.log(`${ms} ms of CPU time for ${megabytes} MiB, ${String(rows).padStart(6)} rows: ${what}`);
  },
}).run();
const megabytes = (verdict.grownBytes / 1_048_576).toFixed(1);
console.log(
  `${verdict.inputs} inputs, ${verdict.rows} rows in ${elapsed().toFixed(1)} s; memory grew by ${megabytes} MiB; ` +
    (verdict.failures.length === 0 ? 'none failed' : `${verdict.failures.length} failed`),
);
if (verdict.failures.length > 0) process.exitCode = 1;
