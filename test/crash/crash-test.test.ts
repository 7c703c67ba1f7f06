import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { mosquittoMissing } from '../support/mosquitto.ts';
import { runCrashTest } from './crash-run.ts';
import { summaryOf } from './summary.ts';

/** Enough in CI that each step is met, whatever chance does; a look at most of them before a commit. */
const IS_CI = process.env['CI'] !== undefined;
const KILLS = IS_CI ? 100 : 16;
const MAX_SECONDS = 480;

describe.skipIf(mosquittoMissing !== undefined)('the bridge, killed again and again', () => {
  it('loses nothing and doubles nothing', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'crash-test-'));
    const lines: string[] = [];
    const seed = 3; // the choices are always these; npm run crash-test explores others
    const report = (line: string): void => void lines.push(line);
    const result = await runCrashTest({
      kills: KILLS,
      seed,
      maxSeconds: MAX_SECONDS,
      meetsEachStep: IS_CI,
      directory,
      report,
    });
    const { offences, troubles, killsAtStep } = result;
    const neverKilledAt = Object.entries(killsAtStep).flatMap(([step, count]) => (IS_CI && count === 0 ? [step] : []));
    const isGood = offences.length === 0 && troubles.length === 0 && neverKilledAt.length === 0;
    const story = isGood ? [] : [`seed ${seed}, files in ${directory}`, ...lines, summaryOf(result)];
    expect({ offences: offences.slice(0, 10), troubles, neverKilledAt, story }).toEqual({
      offences: [],
      troubles: [],
      neverKilledAt: [],
      story: [],
    });
    expect(result.kills).toBeGreaterThanOrEqual(KILLS);
    await rm(directory, { recursive: true });
  });
});
