import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { FLEET_BROKERS } from './fleet-brokers.ts';
import { fleetSummary, runFleetTest } from './fleet-run.ts';

const BRIDGES = 3;
const KILLS = 4;
const MAX_SECONDS = 60;

/** The others by `npm run fleet-test`: each takes a minute. */
const BROKER = 'mosquitto';
const broker = FLEET_BROKERS.get(BROKER)!;

describe(`a fleet on ${BROKER}, killed one after the other`, () => {
  const why = broker.missing === undefined ? '' : ` (not tried: ${broker.missing})`;
  it.skipIf(broker.missing !== undefined)(`loses nothing and doubles nothing${why}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fleet-test-'));
    const lines: string[] = [];
    const options = {
      broker,
      bridges: BRIDGES,
      kills: KILLS,
      seed: 3, // the choices are always these; npm run fleet-test explores others
      maxSeconds: MAX_SECONDS,
      directory,
      report: (line: string) => void lines.push(line),
    };
    const result = await runFleetTest(options);
    const { troubles, verdict, whileAway } = result;
    const isGood = verdict.offences.length === 0 && troubles.length === 0;
    const story = isGood ? [] : [`files in ${directory}`, ...lines, result.status, fleetSummary(options, result)];
    expect({ offences: verdict.offences.slice(0, 10), troubles, story }).toEqual({
      offences: [],
      troubles: [],
      story: [],
    });
    expect(result.kills).toBeGreaterThanOrEqual(KILLS);
    expect(result.owed).toBeGreaterThan(0);
    // mosquitto keeps a share for the one that is away.
    expect(whileAway.written).toBeGreaterThan(0);
    await rm(directory, { recursive: true });
  });
});
