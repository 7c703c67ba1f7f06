import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { mosquitto } from '../brokers/plain-brokers.ts';
import { TRIALS } from './trials.ts';

/** Beyond the keep-alive; `npm run withstand` goes on for as long as it is told to. */
const LASTS_MS = 12_000;
/** Minutes long, whatever one does: by hand. */
const BY_HAND = new Set(['slow-disk']);

describe.skipIf(mosquitto.missing !== undefined)('a bridge withstands', () => {
  for (const { missing, name, run, what } of TRIALS.filter((trial) => !BY_HAND.has(trial.name))) {
    it.skipIf(missing !== undefined)(`${name}: ${what}`, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'withstand-test-'));
      expect(await run({ broker: mosquitto, directory, lastsMs: LASTS_MS })).toMatch(/lost 0 · doubled 0 · unknown 0$/);
      await rm(directory, { recursive: true });
    });
  }
});
