import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { mosquittoMissing, startMosquitto, type RunningMosquitto } from '../support/mosquitto.ts';
import { startNeighbours, type Neighbours } from '../support/neighbours.ts';
import { arrive } from '../upgrade/arrival.ts';
import { CUTS } from '../upgrade/cut-off.ts';
import { contentOf, listFixtures, loadFixture } from '../upgrade/fixtures.ts';

const FIXTURES = listFixtures();

describe('what is kept of released versions', () => {
  it('is of both ways to be cut off, for each version', () => {
    const versions = [...new Set(FIXTURES.map(({ version }) => version))];
    expect(versions.length).toBeGreaterThan(0);
    for (const version of versions) {
      const cuts = FIXTURES.filter((each) => each.version === version).map(({ cut }) => cut);
      expect({ version, cuts: cuts.sort() }).toEqual({ version, cuts: [...CUTS].sort() });
    }
  });

  it.each(FIXTURES)('has journal, backups and rows apart: $version, $cut', (fixture) => {
    const { backups, segments } = contentOf(fixture);
    expect(segments).toBeGreaterThan(0);
    expect(backups.filter((name) => name.startsWith('backup_')).length).toBeGreaterThan(1);
    expect(backups.join(' ')).toMatch(/rejected_….*undecodable_…/);
    expect(backups.some((name) => /^backup_.*\.open$/.test(name))).toBe(fixture.cut === 'outage');
  });
});

describe.skipIf(mosquittoMissing !== undefined)(`the newest version (${mosquittoMissing ?? 'mosquitto'})`, () => {
  let directory: string;
  let neighbours: Neighbours<RunningMosquitto>;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'upgrade-'));
    neighbours = await startNeighbours(() => startMosquitto());
  });

  afterEach(async () => {
    await neighbours.stop();
    await rm(directory, { recursive: true });
  });

  it.each(FIXTURES)('brings all that $version left to its place, once: $cut', async (fixture) => {
    const { config, obligations } = await loadFixture(fixture, directory, neighbours.standin);
    expect(obligations.size).toBeGreaterThan(50);
    const { isBalanced, offences } = await arrive(config, neighbours, obligations, { directory });
    expect({ offences, isBalanced }).toEqual({ offences: [], isBalanced: true });
  });
});
