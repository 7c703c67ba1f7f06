/*
 * Sparkplug B as the fuzzer sends it: births of two edge nodes with two devices each, which give the same aliases other
 * names and types each time, data that say little more than an alias, deaths.
 */
import { deflateSync, gzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';

import { verifiedDeath } from '../../src/payload/sparkplug/commands.ts';
import { sparkplugPayload, type DataSetParts, type MetricParts } from '../support/sparkplug-encoder.ts';
import type { Random } from '../simulation/random.ts';
import type { FuzzTarget, FuzzedFormat } from './fuzzed-formats.ts';
import { hostileSparkplug, inEnvelope } from './hostile-sparkplug.ts';

const RECORDED = new URL('../unit/payload/sparkplug/recorded.json', import.meta.url);
const TIME_MS = 1_700_000_000_000;
const MAX_METRICS = 12;
const DEEPEST_TEMPLATE = 4;
const MAX_ALIAS = 2n ** 64n - 1n;
const UINT64 = 8;
const LAST_TYPE = 34;

const NAMES = ['m', 'a/b', 'Tank 1/Füllstand', 'bdSeq', 'Node Control/Rebirth', '', 'x', 'y', '__proto__', 'm/t'];
const ALIASES: readonly (number | bigint)[] = [0, 1, 2, 3, 4, 5, 2 ** 40, 2n ** 53n + 1n, MAX_ALIAS];
const INTEGERS: readonly (number | bigint)[] = [
  0,
  1,
  127,
  255,
  65_535,
  2 ** 31,
  2 ** 32 - 1,
  2n ** 53n + 1n,
  MAX_ALIAS,
];
const DOUBLES = [0, -0, 12.5, -1e308, 5e-324, Number.NaN, Number.POSITIVE_INFINITY];
const TIMES: readonly (number | bigint)[] = [TIME_MS, 0, 1, 2n ** 63n, 253_402_300_799_999];
const QUALITIES: readonly (number | string | boolean | null)[] = [
  192,
  0,
  500,
  516,
  2 ** 31 + 516,
  'GOOD',
  '',
  true,
  null,
];
const TEXTS: readonly (string | Buffer)[] = ['', 'RUN', 'a\0', '\uFFFD', '=1+1', '"\r\n', Buffer.from([0xff, 0xc0])];

const topicsOf = (node: string): string[] => [
  ...['NBIRTH', 'NDATA', 'NDATA', 'NDEATH', 'NCMD'].map((kind) => `spBv1.0/G/${kind}/${node}`),
  ...['D1', 'D2'].flatMap((device) =>
    ['DBIRTH', 'DDATA', 'DDATA', 'DDEATH'].map((kind) => `spBv1.0/G/${kind}/${node}/${device}`),
  ),
];
const TOPICS = [...topicsOf('N1'), ...topicsOf('N2'), 'spBv1.0/STATE/host'];

export const FUZZED_SPARKPLUG: FuzzedFormat = {
  targets,
  madeUp,
  hostile: () => hostileSparkplug(targets() as [FuzzTarget, FuzzTarget]),
  remembers: true,
};

function targets(): readonly FuzzTarget[] {
  const recorded = JSON.parse(readFileSync(RECORDED, 'utf8')) as readonly { readonly hex: string }[];
  const examples = recorded.map(({ hex }) => Buffer.from(hex, 'hex'));
  const topics = [...TOPICS, ...new Set((recorded as unknown as { topic: string }[]).map(({ topic }) => topic))];
  const target = (sparkplug: object, more: object = {}): FuzzTarget => ({
    subscription: { topic: 'spBv1.0/#', format: 'sparkplugB', sparkplug, ...more } as FuzzTarget['subscription'],
    tagName: '{plc}.{tag}',
    topic: TOPICS[0]!,
    topics,
    examples,
  });
  return [
    target({}),
    target({ staleRows: true, timestamp: 'payload', quality: 'ignition' }),
    target({ staleRows: true, timestamp: 'receipt', rebirth: false }, { plcCode: '{2}-{4}', retained: 'skip' }),
  ];
}

function madeUp(random: Random): Buffer {
  if (random.chance(0.03)) return verifiedDeath(random.int(1, 5000));
  const metrics = Array.from({ length: random.int(0, MAX_METRICS) }, () => metric(random, DEEPEST_TEMPLATE));
  const bdSeq: MetricParts = { name: 'bdSeq', type: UINT64, long: random.int(0, 2) };
  const payload = sparkplugPayload({
    ...(random.chance(0.8) && { timeMs: Number(random.pick(TIMES)) }),
    ...(random.chance(0.8) && { seq: random.int(0, 300) }),
    metrics: random.chance(0.4) ? [bdSeq, ...metrics] : metrics,
  });
  if (!random.chance(0.1)) return payload;
  return inEnvelope(random.chance(0.5) ? gzipSync(payload, { level: 1 }) : deflateSync(payload, { level: 1 }));
}

/** By name and alias, or one of them, or none. */
function metric(random: Random, levels: number): MetricParts {
  return {
    ...(random.chance(0.6) && { name: random.pick(NAMES) }),
    ...(random.chance(0.6) && { alias: random.pick(ALIASES) }),
    ...(random.chance(0.3) && { timeMs: Number(random.pick(TIMES)) }),
    ...(random.chance(0.7) && { type: random.int(0, LAST_TYPE + 1) }),
    ...(random.chance(0.1) && { isNull: random.chance(0.8) }),
    ...(random.chance(0.2) && { quality: random.pick(QUALITIES) }),
    ...value(random, levels),
  };
}

function value(random: Random, levels: number): MetricParts {
  const kinds: readonly (() => MetricParts)[] = [
    () => ({}),
    () => ({ int: random.pick(INTEGERS) }),
    () => ({ long: random.pick(INTEGERS) }),
    () => ({ double: random.pick(DOUBLES) }),
    () => ({ float: random.pick(DOUBLES) }),
    () => ({ boolean: random.chance(0.5) }),
    () => ({ string: random.pick(TEXTS) }),
    () => ({ bytes: Buffer.from(Array.from({ length: random.int(0, 20) }, () => random.int(0, 255))) }),
    () => ({ dataSet: dataSet(random) }),
    () => (levels === 0 ? {} : { template: template(random, levels - 1) }),
  ];
  return random.pick(kinds)();
}

function template(random: Random, levels: number): NonNullable<MetricParts['template']> {
  const members = Array.from({ length: random.int(0, 3) }, () => metric(random, levels));
  return { isDefinition: random.chance(0.2), members };
}

function dataSet(random: Random): DataSetParts {
  const columns = Array.from({ length: random.int(0, 3) }, () => random.pick(NAMES));
  const cell = (): DataSetParts['rows'][number][number] =>
    random.pick([undefined, 'a', true, 12.5, Number.NaN, -1n, MAX_ALIAS]);
  const rows = Array.from({ length: random.int(0, 3) }, () => Array.from({ length: random.int(0, 4) }, cell));
  return { columns, types: columns.map(() => random.int(0, LAST_TYPE)), rows };
}
