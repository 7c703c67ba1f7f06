import { TagValues, type Tag } from '../src/core/tag-values.ts';
import { createDecoder, type Route } from '../src/payload/decoder.ts';
import { ExceptionFilter } from '../src/payload/filter/exception-filter.ts';

/*
 * What filters cost, in ns a value, as a ratio to decoding in the same run: polling messages of 100 tags each, decoded
 * and filtered as the bridge does it. The cases take turns; the best round of each counts. With --expose-gc also what
 * a remembered tag takes.
 */

const PLCS = 100;
const TAGS = 100;
const ROUNDS = 25;
const MESSAGES = 1_000;

interface Case {
  readonly name: string;
  readonly route: Partial<Route>;
  /** How far values move from message to message. */
  readonly step: number;
}

const CASES: readonly Case[] = [
  { name: 'no filter', route: {}, step: 1 },
  { name: 'include, exclude: nothing left out', route: { include: ['P*'], exclude: ['*.Spare*'] }, step: 1 },
  { name: 'exclude: every second tag', route: { exclude: ['*0', '*2', '*4', '*6', '*8'] }, step: 1 },
  { name: 'deadband: all pass', route: { deadband: { absolute: 0.5 } }, step: 1 },
  { name: 'deadband: none passes', route: { deadband: { absolute: 0.5 } }, step: 0 },
  { name: 'deadband: every second message', route: { deadband: { absolute: 0.5 } }, step: 0.4 },
];

const now = Date.now();

function payloads(step: number): { readonly topic: string; readonly payload: Buffer }[] {
  return Array.from({ length: MESSAGES }, (_, m) => {
    const plc = `P${m % PLCS}`;
    const round = Math.floor(m / PLCS);
    const members = Array.from({ length: TAGS }, (__, i) => `"D${1000 + i}":${(i + round * step).toFixed(1)}`);
    const text = `{"timestamp":${now + round},"plc_code":"${plc}","tag_values":{${members.join(',')}}}`;
    return { topic: `plc/${plc}/tags`, payload: Buffer.from(text) };
  });
}

/** Gives ns a value of one round. */
function worker({ route: given, step }: Case): () => number {
  const messages = payloads(step);
  const route: Route = { topic: 'plc/+/tags', format: 'polling', plcCode: '', tagAddress: '', ...given };
  const decoder = createDecoder([route], '{plc}.{tag}');
  const filter = new ExceptionFilter([route]);
  const values = new TagValues(TAGS);
  let number = 0;
  return () => {
    const startedMs = performance.now();
    for (const { payload, topic } of messages) {
      number += 1;
      values.clear();
      const message = { number, topic, payload, receivedAtMs: now };
      decoder.decode(message, values);
      if (filter.isNeeded) filter.apply(message, decoder.routeOf(topic), values);
    }
    return ((performance.now() - startedMs) * 1e6) / (MESSAGES * TAGS);
  };
}

function measureTimes(): void {
  const workers = CASES.map((each) => ({ name: each.name, run: worker(each), best: Number.POSITIVE_INFINITY }));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const each of workers) each.best = Math.min(each.best, each.run());
  }
  const base = workers[0]!.best;
  for (const { best, name } of workers) {
    const ratio = (best / base).toFixed(2);
    console.log(`${name.padEnd(36)} ${best.toFixed(0).padStart(5)} ns a value, ${ratio} of no filter`);
  }
}

function measureMemory(): void {
  const collect = globalThis.gc;
  if (collect === undefined) return;
  const count = 100_000;
  const tags = Array.from({ length: count }, (_, i): Tag => ({ plcCode: 'P', address: `D${i}`, name: `P.D${i}` }));
  const route = { topic: 't', deadband: { absolute: 1 } };
  const used = (): number => {
    collect();
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const filter = new ExceptionFilter([route]);
  const values = new TagValues(1);
  const before = used();
  for (const [i, tag] of tags.entries()) {
    values.clear();
    values.push(tag, i, null, now, 'GOOD');
    filter.apply({ number: 1, topic: 't', payload: Buffer.alloc(0), receivedAtMs: now }, route, values);
  }
  console.log(`${((used() - before) / count).toFixed(0)} bytes a remembered tag, beside the tag and its text`);
  if (values.length !== 1 || !filter.isNeeded) throw new Error('the last value must pass');
}

measureTimes();
measureMemory();
