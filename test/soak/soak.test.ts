import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { aedes, mosquitto } from '../brokers/plain-brokers.ts';
import { runSoak } from './soak-run.ts';

/** Each kind of fault once, or nearly; `npm run soak` goes on for hours. */
const DURATION_MS = 30_000;
const FAULT_EVERY_MS = 2_500;

it.each([mosquitto, aedes].filter(({ missing }) => missing === undefined))(
  'a bridge among faults of $name, database and disk loses nothing and doubles nothing',
  async (broker) => {
    const directory = await mkdtemp(join(tmpdir(), 'soak-test-'));
    const lines: string[] = [];
    const { faults, growths, troubles, verdict } = await runSoak({
      broker,
      durationMs: DURATION_MS,
      valuesPerSecond: 300,
      faultEveryMs: FAULT_EVERY_MS,
      sampleEveryMs: 500,
      seed: 5,
      mayMount: broker === mosquitto, // else the other way in which a disk is full
      directory,
      signal: new AbortController().signal,
      report: (line) => void lines.push(line),
    });
    const { doubled, lost, offences, owed, unknown } = verdict;
    const story = offences.length + troubles.length === 0 ? [] : [`files in ${directory}`, ...lines];
    expect({ lost, doubled, unknown, offences, troubles, story }).toEqual({
      lost: 0,
      doubled: 0,
      unknown: 0,
      offences: [],
      troubles: [],
      story: [],
    });
    expect(owed).toBeGreaterThan(1000);
    expect(Object.keys(faults).length).toBeGreaterThan(4);
    expect(growths.find(({ quantity }) => quantity === 'descriptors')).toMatchObject({ verdict: 'steady' });
    await rm(directory, { recursive: true });
  },
);
