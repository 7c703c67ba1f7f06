import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { lineOf, runMatrix } from './matrix.ts';
import { aedes, mosquitto } from './plain-brokers.ts';

/** The others take minutes: `npm run brokers -- --short`, as .ci/run does. */
const BROKERS = [mosquitto, aedes];
const CASES = ['reset'];
const SCALE = 0.1;

describe.each(BROKERS)('the bridge on $title', (broker) => {
  it.skipIf(broker.missing !== undefined)('loses nothing, and doubles nothing that can be told apart', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'brokers-'));
    const report = (): void => {};
    const options = {
      brokers: [broker],
      protocols: [4],
      cases: CASES,
      scale: SCALE,
      atOnce: 6,
      directory,
      report,
    } as const;
    const { cells, skipped } = await runMatrix(options);
    expect(skipped).toEqual([]);
    expect(cells.filter(({ isGood }) => !isGood).map(lineOf)).toEqual([]);
    expect(cells.length).toBeGreaterThanOrEqual(CASES.length);
    await rm(directory, { recursive: true });
  });
});
