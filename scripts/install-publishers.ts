/*
 * Installs the Sparkplug libraries of Python that test/integration/sparkplug-python.test.ts publishes with. What can't
 * be had is said, and no failure: its tests are skipped.
 */
import { install, PUBLISHER_NAMES } from '../test/publishers/packages.ts';

for (const publisher of PUBLISHER_NAMES) {
  const found = await install(publisher);
  process.stdout.write(`${publisher}: ${'site' in found ? found.site : found.missing}\n`);
}
