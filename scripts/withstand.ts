/**
 * What a machine may do to a bridge, done to a real one: its clock jumps, it is stopped, has little memory, few
 * descriptors, a disk that is slow or read-only, far too many peers. Values come all the while, and are held against
 * the rows.
 *
 *     npm run withstand                              all trials, some minutes each
 *     npm run withstand -- --only clock,memory
 *     npm run withstand -- --only stopped --seconds 600
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { aedes, mosquitto } from '../test/brokers/plain-brokers.ts';
import { TRIALS } from '../test/withstand/trials.ts';

const { values: flags } = parseArgs({
  options: { only: { type: 'string', default: '' }, seconds: { type: 'string', default: '60' } },
});
const lastsMs = Number(flags.seconds) * 1000;
if (!(lastsMs > 0)) throw new Error(`--seconds takes a number greater than 0, not ${flags.seconds}`);
const names = flags.only === '' ? TRIALS.map(({ name }) => name) : flags.only.split(',');
const unknown = names.filter((name) => !TRIALS.some((trial) => trial.name === name));
if (unknown.length > 0)
  throw new Error(`--only takes ${TRIALS.map(({ name }) => name).join(', ')}, not ${unknown.join(', ')}`);
const broker = mosquitto.missing === undefined ? mosquitto : aedes;
for (const { missing, name, run, what } of TRIALS.filter((trial) => names.includes(trial.name))) {
  if (missing !== undefined) {
    console.log(`– ${name} · ${what} · not tried: ${missing}`);
    continue;
  }
  const directory = await mkdtemp(join(tmpdir(), 'withstand-'));
  try {
    console.log(`✓ ${name} · ${what} · ${await run({ broker, directory, lastsMs })}`);
    await rm(directory, { recursive: true });
  } catch (error) {
    process.exitCode = 1;
    console.log(`✗ ${name} · ${what} · ${String(error)} · see ${directory}`);
  }
}
