import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { codeSpans, readPage, ROOT, tableRows } from './pages.ts';

const SOURCE = join(ROOT, 'src');

/** What lives for one command only, or is the configuration. */
const SHORT_LIVED = [
  /^cli\/(?!process\/)/,
  /^config\//,
  /^preflight\//,
  /^payload\/discovery\//,
  /^mqtt\/trial\/(?!manners-watch)/,
  /^try-message\.ts$/,
];

/** A field, or a variable of a module, that begins as an empty or fixed collection. */
const COLLECTION =
  /^(?: {2}(?:static )?(?:readonly )?(#?\w+)(?:: [^=\n]+)?|(?:const|let) (\w+)(?:: [^=\n]+)?) = (?:new (?:Map|Set|WeakMap|Float64Array|Uint8Array|Uint32Array)\b[^;\n]*|\[[^;\n]*\]);$/gm;

/** `new Map([...])` of a module is a table that never changes, and so is an array of bytes. */
const CONSTANT =
  /^const \w+(?:: [^=\n]+)? = (?:new (?:Map|Set)(?:<[^(\n]*>)?\([^)]|\[)|^const \w+ = new Uint8Array|^const \w+: (?:Readonly|readonly|Names)/;

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !SHORT_LIVED.some((pattern) => pattern.test(file)));

const found = files.flatMap((file) =>
  [...readFileSync(join(SOURCE, file), 'utf8').matchAll(COLLECTION)].flatMap(([line, field, variable]) =>
    CONSTANT.test(line) ? [] : [`${file.replace(/\.ts$/, '')} ${field ?? variable}`],
  ),
);

const documented = tableRows(readPage('docs/limits.md')).flatMap(([where = '', what = '', bound = '']) => {
  const [file = ''] = codeSpans(where);
  if (!existsSync(join(SOURCE, `${file}.ts`))) return [];
  return codeSpans(what).map((name) => ({ file, name, bound }));
});

describe('docs/limits.md', () => {
  it('names each collection of the running bridge', () => {
    expect(found.length).toBeGreaterThan(100);
    const names = new Set(documented.map(({ file, name }) => `${file} ${name}`));
    expect(found.filter((each) => !names.has(each))).toEqual([]);
  });

  it('names none that is not there, and none without a bound', () => {
    for (const { bound, file, name } of documented) {
      const text = readFileSync(join(SOURCE, `${file}.ts`), 'utf8');
      expect([file, name, text.includes(name), bound.length > 5]).toEqual([file, name, true, true]);
    }
  });

  it('has the numbers of the source', () => {
    const page = readPage('docs/limits.md');
    const numbers: readonly (readonly [file: string, constant: string, shown: RegExp])[] = [
      ['payload/decoder', 'MAX_TOPICS = 10_000', /`payload\/decoder`.*10,000 topics/],
      ['payload/tag-name', 'MAX_TAGS = 100_000', /`payload\/tag-name`.*100,000 tags/],
      ['payload/retained-memory', 'MAX_TOPICS = 100_000', /`payload\/retained-memory`.*100,000 topics/],
      ['payload/filter/last-values', 'MAX_TAGS = 100_000', /`payload\/filter\/last-values`.*100,000 tags/],
      ['payload/filter/selection', 'MAX_TAGS = 100_000', /`payload\/filter\/selection`.*100,000 tags/],
      ['payload/sparkplug/edge-nodes', 'MAX_NODES = 10_000', /`payload\/sparkplug\/edge-nodes`.*10,000 nodes/],
      ['payload/sparkplug/sequence', 'MAX_MISSING = 64', /`payload\/sparkplug\/sequence`.*64 numbers/],
      ['payload/time-zone', 'MAX_KEPT_QUARTERS = 10_000', /`payload\/time-zone`.*10,000 quarters/],
      ['journal/journal-reader', 'MAX_MEMORY_BYTES = 16_777_216', /`journal\/journal-reader`.*16 MiB/],
      ['journal/held-packet-ids', 'MAX_DISPLACED = 65_535', /`#displaced`.*65,535 digests/],
      ['backup/files/catalog', 'MAX_GONE_NAMES = 10_000', /`backup\/files\/catalog`.*10,000 names/],
      ['storage', 'MAX_FORMAT_MEMORY_BYTES = 64 * 1024 * 1024', /`payload\/format-memory`.*64 MiB/],
      ['notices/notice-outbox', 'MAX_IN_FLIGHT = 8', /`notices\/notice-outbox`.*8 under way/],
      ['mqtt/namesake', 'MAX_OTHERS = 100', /`mqtt\/namesake`.*100 processes/],
      ['mqtt/redelivery/redelivery', 'DEFAULT_WINDOW = 32_767', /`mqtt\/redelivery\/recent-deliveries`.*32,767/],
      ['ops/tags-seen', 'MAX_TAGS = 100_000', /`ops\/tags-seen`.*100,000 tags/],
      ['ops/refusals', 'KEPT = 50', /`ops\/refusals`.*50 values/],
      ['ops/tag-traces', 'MAX_TAGS = 2000', /`ops\/tag-traces`.*2,000 tags/],
      [
        'mqtt/session/subscription-traffic',
        'MAX_TOPICS = 10_000',
        /`mqtt\/session\/subscription-traffic`.*10,000 topics/,
      ],
      ['ops/history', 'SAMPLES_KEPT = 720', /`ops\/history`.*720 samples/],
      ['ops/disk-watch', 'SAMPLES_KEPT = 60', /`ops\/growth`.*60 samples/],
      ['ops/event-streams', 'MAX_STREAMS = 20', /`ops\/event-streams`.*20;/],
      ['ops/metrics', 'MAX_ERROR_CODES = 50', /`ops\/metrics`.*50 codes/],
      ['ops/request-server', 'MAX_CONNECTIONS = 100', /HTTP\*\*: 100 connections/],
      ['core/logger', 'FILES_KEPT = 5', /`log\.file`.*5 of 10 MB/],
      ['core/reserve', 'RESERVE_BYTES = 1_048_576', /`reserve\.bin`.*1 MiB/],
    ];
    for (const [file, constant, shown] of numbers) {
      const text = readFileSync(join(SOURCE, `${file}.ts`), 'utf8');
      expect([constant, text.includes(`const ${constant};`), shown.test(page)]).toEqual([constant, true, true]);
    }
  });
});
