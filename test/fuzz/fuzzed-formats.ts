/*
 * What is fuzzed of each format: the subscriptions that read, valid payloads to be spoilt, payloads made up from
 * nothing and hostile ones. A format is one entry here; that none is forgotten, the compiler sees to.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import type { Subscription } from '../../src/config/config.ts';
import { PRESETS } from '../../src/payload/json/presets.ts';
import { BINARY_TYPE_NAMES } from '../../src/payload/binary-number.ts';
import type { FormatName } from '../../src/payload/formats.ts';
import { payloadOf, readCases } from '../payloads/payload-table.ts';
import type { Random } from '../simulation/random.ts';
import { FUZZED_SPARKPLUG } from './fuzzed-sparkplug.ts';
import { madeUpJson } from './made-up-json.ts';

/** How some messages are read, with payloads that can be read so. */
export interface FuzzTarget {
  readonly subscription: Pick<Subscription, 'topic'> & Partial<Subscription>;
  readonly tagName: string;
  readonly topic: string;
  /** More topics that such messages come by, where there are; `topic` is one of them. */
  readonly topics?: readonly string[];
  readonly examples: readonly Buffer[];
}

/** A large one that no PLC sends. */
export interface HostilePayload {
  readonly what: string;
  readonly target: FuzzTarget;
  /** Absent: the target's. */
  readonly topic?: string;
  readonly payload: Buffer;
}

export interface FuzzedFormat {
  targets(): readonly FuzzTarget[];
  madeUp(random: Random): Buffer;
  /** In the order in which they are sent: those of one target are read by one decoder. */
  hostile(): readonly HostilePayload[];
  /** What a message becomes depends on those before it, so that it need not become the same again. */
  readonly remembers?: true;
}

const MANY = 100_000;
const DEEP = 100_000;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

export const FUZZED: Readonly<Record<FormatName, FuzzedFormat>> = {
  polling: { targets: pollingTargets, madeUp: madeUpPolling, hostile: hostilePolling },
  scalar: { targets: scalarTargets, madeUp: madeUpScalar, hostile: hostileScalar },
  json: { targets: jsonTargets, madeUp: madeUpJson, hostile: hostileJson },
  sparkplugB: FUZZED_SPARKPLUG,
};

/** What a subscription may say of its values, whatever their format. */
const MEANINGS: readonly Partial<Subscription>[] = [
  { numbersInText: true, quality: 'opcDa', timeZone: 'Europe/Berlin', retained: 'skip' },
  { decimalComma: true, words: { ON: 1, OFF: 0, RUN: 7, '--': null }, quality: 'opcUa', timeZone: 'America/New_York' },
  {
    timestampFormat: 'dd.MM.yyyy HH:mm:ss',
    timeZone: 'Europe/Berlin',
    quality: { 192: 'GOOD', true: 'OK', '*': 'BAD' },
  },
  { timestampFormat: 'epochNs', quality: 'siemens', numbersInText: true, words: { __proto__: 1, constructor: 2 } },
  { timestampFormat: 'epochS', quality: 'ignition' },
];

/** The payloads of the table, each with its subscription. */
function targetsOfTable(folder: FormatName): FuzzTarget[] {
  if (!existsSync(fileURLToPath(new URL(`../payloads/${folder}`, import.meta.url)))) return [];
  return readCases(folder).map(([, each]) => ({
    subscription: each.subscription,
    tagName: each.tagName ?? '{plc}.{tag}',
    topic: each.topic,
    examples: [payloadOf(each)],
  }));
}

function pollingTargets(): FuzzTarget[] {
  const examples = [
    '{"timestamp":"2025-11-02T14:30:25.123Z","plc_code":"PLC01","quality":"GOOD","tag_values":{"D100":12.5,"M10":true,"S1":"RUN","D101":null,"D102":{"value":7,"quality":"BAD","timestamp":1762093825000}}}',
    '{"plc_code":17,"tag_values":{"a":9007199254740993,"b":1e999,"c":[1,{"d":9007199254740993}],"d":{"value":"\\ud800"}}}',
    '{"timestamp":"02.11.2025 14:30:25","quality":192,"plc_code":"P\\u0000","tag_values":{"a":"12,5","b":"1.234,5","c":"ON","d":"--","e":"9007199254740993","f":{"value":"7","timestamp":"26.10.2025 02:30:00","quality":{"Code":2147483648}}}}',
    '{"timestamp":1762093825000000001,"quality":true,"plc_code":"P","tag_values":{"a":" 12.5 ","b":"constructor"}}',
    '{"tag_values":{"1":"x","0":{"value":-0,"timestamp":"2025-11-02 14:30:25,5+01:00"},"":1}}',
  ].map((text) => Buffer.from(text));
  const topic = 'plc/PLC01/tags';
  return [
    { subscription: { topic: 'plc/+/tags' }, tagName: '{plc}.{tag}', topic, examples },
    { subscription: { topic: 'plc/#', plcCode: '{2}-{1}' }, tagName: '{tag}', topic, examples },
    ...MEANINGS.map((more) => ({ subscription: { topic: 'plc/#', ...more }, tagName: '{tag}', topic, examples })),
    ...targetsOfTable('polling'),
  ];
}

function scalarTargets(): FuzzTarget[] {
  const texts = [
    '12.5',
    '-1.5e3',
    'true',
    'null',
    '',
    ' RUN ',
    '"RUN"',
    '9007199254740993',
    '[1,2]',
    '1e999',
    '00.5',
    '+.5',
    '12,5',
  ];
  const examples = [...texts, '{"value":7,"timestamp":"2025-11-02T14:30:25Z","quality":"BAD"}'].map((text) =>
    Buffer.from(text),
  );
  const topic = 'plant/PLC01/D100';
  const ofAll = { topic: 'plant/#', format: 'scalar', tagAddress: '{2}/{3}' } as const;
  return [
    {
      subscription: { topic: 'plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' },
      tagName: '{plc}.{tag}',
      topic,
      examples,
    },
    { subscription: ofAll, tagName: '{tag}', topic, examples },
    ...MEANINGS.map((more) => ({ subscription: { ...ofAll, ...more }, tagName: '{tag}', topic, examples })),
    ...BINARY_TYPE_NAMES.flatMap((binary) =>
      [false, true].map((wordSwap) => ({
        subscription: { ...ofAll, scalar: { binary, wordSwap, empty: 'null' } } as FuzzTarget['subscription'],
        tagName: '{tag}',
        topic,
        examples: [1, 2, 4, 8].map((length) => Buffer.alloc(length, 0x7f)),
      })),
    ),
    ...targetsOfTable('scalar'),
  ];
}

/** Every mapping of the table, and every preset for payloads that were not meant for it. */
function jsonTargets(): FuzzTarget[] {
  const ofTable = targetsOfTable('json');
  const all = ofTable.flatMap(({ examples }) => examples);
  const ofPresets = Object.keys(PRESETS).map((preset) => jsonTarget({ preset }, all));
  const withMeanings = MEANINGS.map((more) => jsonTarget({ each: '/*', value: ['v', '.'], quality: 'q' }, all, more));
  return [...ofTable, ...ofPresets, ...withMeanings];
}

function jsonTarget(
  json: object,
  examples: readonly Buffer[] = [],
  more: Partial<FuzzTarget['subscription']> = {},
): FuzzTarget {
  const subscription = { topic: '#', format: 'json', json, ...more } as const;
  return { subscription, tagName: '{plc}.{tag}', topic: 'site/area/line/cell', examples };
}

function madeUpPolling(random: Random): Buffer {
  if (random.chance(0.1)) return madeUpJson(random);
  const part = (): string => madeUpJson(random).toString();
  return Buffer.from(
    `{"timestamp":${part()},"plc_code":"P","quality":${part()},"tag_values":{"a":${part()},"b":{"value":${part()},"quality":${part()}}}}`,
  );
}

function madeUpScalar(random: Random): Buffer {
  const text = madeUpJson(random).toString();
  return Buffer.from(random.chance(0.5) ? text.replaceAll('"', '') : text);
}

function hostilePolling(): ReturnType<FuzzedFormat['hostile']> {
  const [target] = pollingTargets() as [FuzzTarget];
  const of = (what: string, tagValues: string) => {
    return { what, target, payload: Buffer.from(`{"plc_code":"P","tag_values":${tagValues}}`) };
  };
  return [
    of(
      'many members',
      `{${numbers(MANY)
        .map((i) => `"k${i}":${i}`)
        .join(',')}}`,
    ),
    of(
      'one key many times',
      `{${numbers(MANY)
        .map((i) => `"k":${i}`)
        .join(',')}}`,
    ),
    of(
      'many long integers',
      `{${numbers(MANY)
        .map((i) => `"k${i}":90071992547${100_000_000 + i}`)
        .join(',')}}`,
    ),
    of('deep', `{"a":${'['.repeat(DEEP)}9007199254740993${']'.repeat(DEEP)}}`),
    of('prototype', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
  ];
}

function hostileScalar(): ReturnType<FuzzedFormat['hostile']> {
  const [target] = scalarTargets() as [FuzzTarget];
  const of = (what: string, text: string) => ({ what, target, payload: Buffer.from(text) });
  return [
    of('many digits', '9'.repeat(1_000_000)),
    of('many backslashes', `"${'\\\\'.repeat(500_000)}"`),
    of('white space', ' '.repeat(1_000_000)),
    of('deep', `{"value":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`),
  ];
}

function hostileJson(): ReturnType<FuzzedFormat['hostile']> {
  const every = jsonTarget({ each: '/*' });
  const flattened = jsonTarget({ each: '/*', flatten: '.' });
  const ofItems = jsonTarget({ each: '/*', tag: '{id}', value: 'v' });
  const of = (what: string, target: FuzzTarget, text: string) => ({ what, target, payload: Buffer.from(text) });
  const members = `{${numbers(MANY)
    .map((i) => `"k${i}":${i}`)
    .join(',')}}`;
  return [
    of('many members', every, members),
    of('many members, flattened', flattened, `{"a":${members}}`),
    of(
      'one key many times',
      every,
      `{${numbers(MANY)
        .map((i) => `"k":${i}`)
        .join(',')}}`,
    ),
    of(
      'many elements',
      ofItems,
      `[${numbers(MANY)
        .map((i) => `{"id":"t${i}","v":${i}}`)
        .join(',')}]`,
    ),
    of(
      'many long integers',
      every,
      `[${numbers(MANY)
        .map((i) => 90071992547 + String(100_000_000 + i))
        .join(',')}]`,
    ),
    of('many documents', every, '{"a":1}\n'.repeat(MANY)),
    of('arrays deep', every, `${'['.repeat(DEEP)}9007199254740993${']'.repeat(DEEP)}`),
    of('objects deep, flattened', flattened, `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`),
    of('deep and cut off', every, '['.repeat(DEEP)),
    of('prototype', every, '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
    of('endless number', every, `[${'9'.repeat(1_000_000)}]`),
    of('white space', every, ' '.repeat(1_000_000)),
    { what: 'inflating', target: every, payload: gzipSync(Buffer.alloc(64 * 1024 * 1024)) },
    { what: 'inflating to a document', target: every, payload: gzipSync(Buffer.from(members)) },
  ];
}
