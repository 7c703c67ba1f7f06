import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ConfigErrors } from '../../../src/config/config-errors.ts';
import type { Config } from '../../../src/config/config.ts';
import { SETTINGS } from '../../../src/config/convict.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { readWithUnit, unitOfKey, unitPattern, withUnit } from '../../../src/config/units.ts';

const KEYS = ['intervalMs', 'keepaliveSeconds', 'maxBytes'];

function load(config: object, env: Record<string, string> = {}, flags: Record<string, string> = {}): Config {
  return loadConfig({ files: ['f'], env, flags, need: 'any', readFile: () => JSON.stringify(config) });
}

function errorsOf(config: object, env: Record<string, string> = {}): string[] {
  try {
    load(config, env);
    return [];
  } catch (thrown) {
    return (thrown as ConfigErrors).errors.map(({ message, path }) => `${path}: ${message}`);
  }
}

describe('sizes and times with a unit', () => {
  it.each([
    ['intervalMs', '5 s', 5000],
    ['intervalMs', '1.5min', 90_000],
    ['intervalMs', '4.35 s', 4350],
    ['intervalMs', '0 ms', 0],
    ['intervalMs', '2 h', 7_200_000],
    ['keepaliveSeconds', '7 d', 604_800],
    ['keepaliveSeconds', '5000 ms', 5],
    ['maxBytes', '2 GB', 2_000_000_000],
    ['maxBytes', '2GiB', 2_147_483_648],
    ['maxBytes', '64 KB', 64_000],
    ['maxBytes', '64 KiB', 65_536],
    ['maxBytes', '0.5 KiB', 512],
    ['maxBytes', '12 MB', 12_000_000],
    ['maxBytes', '12 MiB', 12_582_912],
    ['maxBytes', '7 B', 7],
  ])('of %s: %s is %d', (key, text, value) => {
    expect(readWithUnit(text, unitOfKey(key)!)).toBe(value);
  });

  it.each([
    ['keepaliveSeconds', '500 ms'],
    ['maxBytes', '0.0001 KB'],
    ['maxBytes', '5 s'],
    ['intervalMs', '5 B'],
    ['intervalMs', '5'],
    ['intervalMs', ''],
    ['intervalMs', '.5 s'],
    ['intervalMs', '5. s'],
    ['intervalMs', '5\u00a0s'],
    ['intervalMs', '999999999999999 d'],
  ])('of %s: %j is none', (key, text) => {
    expect(readWithUnit(text, unitOfKey(key)!)).toBeUndefined();
  });

  it('read back as what was printed, whatever it is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KEYS), fc.nat({ max: 1_000_000_000_000 }), (key, value) => {
        const unit = unitOfKey(key)!;
        const text = withUnit(value, unit);
        expect(readWithUnit(text, unit)).toBe(value);
        expect(readWithUnit(text.replace(' ', ''), unit)).toBe(value);
        expect(text).toMatch(new RegExp(unitPattern(unit)));
      }),
    );
  });

  it('are printed in the largest unit that they are a whole number of', () => {
    const printed = (key: string, value: number): string => withUnit(value, unitOfKey(key)!);
    expect([printed('maxBytes', 16_777_216), printed('maxBytes', 2_000_000_000), printed('maxBytes', 1001)]).toEqual([
      '16 MiB',
      '2 GB',
      '1001 B',
    ]);
    expect([printed('intervalMs', 90_000), printed('keepaliveSeconds', 604_800), printed('intervalMs', 0)]).toEqual([
      '90 s',
      '7 d',
      '0 ms',
    ]);
  });

  it('are taken by every key whose name ends in a unit, and by no other', () => {
    for (const { kind, path } of SETTINGS.values()) {
      const text = kind.allowed(SETTINGS.get(path)!);
      expect([path, /(?:time|size) such as/.test(text)]).toEqual([path, unitOfKey(path) !== undefined]);
    }
  });
});

describe('a configuration with units', () => {
  it('is the same as one with plain numbers, from a file, the environment and the command line', () => {
    const plain = load({
      journal: { maxBytes: 2_000_000_000 },
      writer: { intervalMs: 250, retry: { initialDelayMs: 2000 } },
    });
    expect(
      load({ journal: { maxBytes: '2 GB' }, writer: { intervalMs: '0.25 s', retry: { initialDelayMs: '2s' } } }),
    ).toEqual(plain);
    const env = { BRIDGE_JOURNAL_MAXBYTES: '2GB', BRIDGE_WRITER_RETRY_INITIALDELAYMS: '2 s' };
    expect(load({}, env, { 'writer.intervalMs': '250 ms' })).toEqual(plain);
  });

  it('may have them in subscriptions, too', () => {
    const subscriptions = (silence: unknown, reorder: unknown, inflated: unknown): object => ({
      mqtt: {
        subscriptions: [
          {
            topic: 'a/+',
            deadband: { absolute: 1 },
            maxSilenceSeconds: silence,
            tags: [{ match: '*.T', maxSilenceSeconds: silence }],
          },
          { topic: 'spBv1.0/#', format: 'sparkplugB', sparkplug: { reorderTimeoutMs: reorder } },
          { topic: 'c/#', format: 'json', plcCode: 'c', json: { preset: 'kepware', maxInflatedBytes: inflated } },
        ],
      },
    });
    expect(load(subscriptions('10 min', '3 s', '1 MiB'))).toEqual(load(subscriptions(600, 3000, 1_048_576)));
    expect(errorsOf(subscriptions('10 minutes', '3 sec', '1 MByte'))).toEqual([
      expect.stringMatching(
        /^mqtt\.subscriptions\[0\]\.maxSilenceSeconds: must be .*, or a time such as "10 min" \(ms, .*\), not "10 minutes"$/,
      ),
      expect.stringMatching(
        /^mqtt\.subscriptions\[0\]\.tags\[0\]\.maxSilenceSeconds: must be .*, or a time such as "10 min".*, not "10 minutes"$/,
      ),
      expect.stringMatching(
        /\[1\]\.sparkplug\.reorderTimeoutMs: must be an integer from 0 to \d+, or a time such as "5 s".*, not "3 sec"$/,
      ),
      expect.stringMatching(
        /\[2\]\.json\.maxInflatedBytes: must be .*, or a size such as "16 MiB" \(B, KB, .*\), not "1 MByte"$/,
      ),
    ]);
  });

  it('leaves what a user calls so alone', () => {
    const words = { topic: 'a', words: { durationMs: 5 }, quality: { sizeBytes: '2 GB' } };
    expect(load({ mqtt: { subscriptions: [words] } }).mqtt.subscriptions[0]).toMatchObject({
      quality: { sizeBytes: '2 GB' },
    });
  });

  it('is refused with the key, the value and what may stand there', () => {
    expect(
      errorsOf(
        { writer: { intervalMs: '2 h' }, journal: { maxBytes: '1 gb' } },
        { BRIDGE_MQTT_KEEPALIVESECONDS: '500 ms' },
      ),
    ).toEqual([
      'mqtt.keepaliveSeconds: must be an integer from 1 to 65535, or a time such as "30 s" (ms, s, min, h, d), not "500 ms" (from BRIDGE_MQTT_KEEPALIVESECONDS)',
      'writer.intervalMs: must be an integer from 1 to 60000, or a time such as "500 ms" (ms, s, min, h, d), not "2 h"',
      'journal.maxBytes: must be an integer from 4194304 to 1099511627776, or a size such as "1 GiB" (B, KB, KiB, MB, MiB, GB, GiB), not "1 gb"',
    ]);
  });

  it('is held against the other keys by what it means', () => {
    expect(errorsOf({ journal: { maxBytes: '8 MiB', segmentBytes: '5 MiB' } })).toEqual([
      'journal.segmentBytes: must be at most half of journal.maxBytes, 8388608',
    ]);
  });
});
