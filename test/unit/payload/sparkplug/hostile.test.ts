import { deflateSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { sparkplugPayload, type MetricParts } from '../../../support/sparkplug-encoder.ts';
import { Listener } from './sparkplug-rows.ts';

const INT8 = 1;
const ENDLESS = 'x'.repeat(1_000_000);
const SHOWN = `G/N.${'x'.repeat(100)}…`;

const payloadOf = (metrics: readonly MetricParts[]): Buffer => sparkplugPayload({ timeMs: 1, seq: 0, metrics });
/** Metrics that say nothing, two bytes each. */
const emptyMetrics = (count: number): Buffer => Buffer.alloc(2 * count).fill(Buffer.from([0x12, 0x00]));

/** How many rows of which name and problem, or the reason. */
function heard(listener: Listener, kind: string, payload: Buffer, retained = false): unknown {
  const rows = listener.hear(`spBv1.0/G/${kind}/N`, payload, retained);
  if (typeof rows === 'string') return rows;
  const names = new Set(rows.map(([name, , , , , problem = '']) => `${name} ${problem}`));
  return [rows.length, ...names];
}

describe('a name without an end', () => {
  it('of a metric stands in no row', () => {
    const listener = new Listener();
    const born = payloadOf([{ name: ENDLESS, alias: 1, type: INT8, int: 1 }]);
    expect(heard(listener, 'NBIRTH', born)).toEqual([1, `${SHOWN} TAG_NAME_TOO_LONG`]);
    const data = payloadOf(Array.from({ length: 2000 }, () => ({ alias: 1, int: 1 })));
    expect(heard(listener, 'NDATA', data)).toEqual([2000, `${SHOWN} TAG_NAME_TOO_LONG`]);
  });

  it('of a template is not put before the names of its members', () => {
    const members = Array.from({ length: 2000 }, (_, i) => ({ name: String(i), type: INT8, int: 1 }));
    const payload = payloadOf([{ name: ENDLESS, template: { members } }]);
    expect(heard(new Listener(), 'NBIRTH', payload)).toEqual([1, `${SHOWN} TAG_NAME_TOO_LONG`]);
    expect(heard(new Listener(), 'NDATA', payload)).toEqual([1, `${SHOWN} TAG_NAME_TOO_LONG`]);
  });

  it('is taken up to 1000 characters', () => {
    const name = 'x'.repeat(1000);
    const payload = payloadOf([{ name, type: INT8, int: 1 }]);
    expect(heard(new Listener(), 'NDATA', payload)).toEqual([1, `G/N.${name} `]);
  });
});

describe('a message of few bytes with millions of metrics', () => {
  const compressed = sparkplugPayload({ uuid: 'SPBV1.0_COMPRESSED', body: deflateSync(emptyMetrics(1_000_000)) });

  it('is undecodable', () => {
    expect(heard(new Listener(), 'NBIRTH', compressed)).toBe('TOO_MANY_VALUES');
  });

  it('has no time of its own', () => {
    expect(new Listener().decoder.hasOwnTime('spBv1.0/G/NBIRTH/N', compressed)).toBe(false);
  });

  it('is so as a retained birth, too, which has no rows', () => {
    expect(heard(new Listener(), 'NBIRTH', compressed, true)).toBe('TOO_MANY_VALUES');
  });

  it('is decoded up to 250,000', () => {
    expect(heard(new Listener(), 'NBIRTH', emptyMetrics(250_000))).toEqual([250_000, 'G/N. TAG_NAME_EMPTY']);
    expect(heard(new Listener(), 'NBIRTH', emptyMetrics(250_001))).toBe('TOO_MANY_VALUES');
  });
});

describe('a message that is read aside', () => {
  it('is skipped when it is empty, as in its turn', () => {
    const listener = new Listener();
    expect(listener.hear('spBv1.0/G/NDATA/N', Buffer.alloc(0))).toBe('skipped');
    expect(listener.hearAside('spBv1.0/G/NDATA/N', Buffer.alloc(0))).toBe('skipped');
  });
});

describe('an alias that stands in the payload', () => {
  it.each<[string, readonly (number | bigint)[]]>([
    ['small, then beyond the count', [0, 1000]],
    ['beyond the count, then small', [1000, 0]],
    ['the same twice', [1000, 1000]],
    ['of 64 bits', [2n ** 64n - 1n, 2n ** 53n + 1n]],
    ['of 32 bits and more', [2 ** 32, 0]],
  ])('%s, means the metric that has it last', (_what, aliases) => {
    const listener = new Listener();
    const metrics = aliases.map((alias, i) => ({ name: `m${i}`, alias, type: INT8, int: i }));
    heard(listener, 'NBIRTH', payloadOf(metrics));
    for (const [i, alias] of aliases.entries()) {
      const expected = aliases.lastIndexOf(alias);
      expect(heard(listener, 'NDATA', payloadOf([{ alias, int: i }]))).toEqual([1, `G/N.m${expected} `]);
    }
  });

  it('goes from the map to its place when the births go on', () => {
    const listener = new Listener();
    const before = { name: 'before', alias: 500, type: INT8, int: 1 };
    const many = Array.from({ length: 600 }, (_, i) => ({ name: `m${i}`, alias: 10_000 + i, type: INT8, int: 1 }));
    heard(listener, 'NBIRTH', payloadOf([before, ...many, { ...before, name: 'after' }]));
    expect(heard(listener, 'NDATA', payloadOf([{ alias: 500, int: 1 }]))).toEqual([1, 'G/N.after ']);
  });
});
