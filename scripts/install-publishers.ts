/*
 * Installs the Sparkplug libraries of Python and Java that test/integration/sparkplug-libraries.test.ts publishes by.
 * What can't be had is said, and no failure: its tests are skipped.
 */
import { install, PUBLISHER_NAMES } from '../test/publishers/packages.ts';

for (const publisher of PUBLISHER_NAMES) {
  const found = await install(publisher);
  process.stdout.write(`${publisher}: ${'launch' in found ? 'installed' : found.missing}\n`);
}
