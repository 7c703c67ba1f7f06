/*
 * Keeps what this version leaves behind when it is cut off, for the upgrade test of all later ones
 * (test/upgrade/fixtures.ts). The release command calls it; by hand:
 *
 *   npm run release-fixture
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CUTS, leaveBehind } from '../test/upgrade/cut-off.ts';
import { removeFixtures, saveFixture } from '../test/upgrade/fixtures.ts';

const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
await removeFixtures(version);
for (const cut of CUTS) {
  const directory = await mkdtemp(join(tmpdir(), 'release-fixture-'));
  const left = await leaveBehind(cut, directory);
  try {
    process.stdout.write(`${await saveFixture(version, cut, directory, left)}\n`);
  } finally {
    await left.neighbours.stop();
    await rm(directory, { recursive: true });
  }
}
