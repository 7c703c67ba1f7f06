/**
 * Has one bridge run for a long time at a steady rate, among faults of broker, database and disk from a seeded
 * schedule: counts what was lost, doubled or made up of what the broker had acknowledged, and prints what grew in the
 * process.
 *
 *     npm run soak -- --minutes 60 --rate 1000
 *     npm run soak -- --minutes 480 --rate 500 --fault-every 120 --seed 7 --keep
 *     npm run soak -- --broker aedes                  where mosquitto is not installed it is this one anyway
 *     npm run soak -- --no-mount                      the disk is full by a limit on the size of files
 *
 * Ctrl-C ends it early, with the verdict of what there was.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { aedes, mosquitto } from '../test/brokers/plain-brokers.ts';
import { growthTable } from '../test/soak/growth.ts';
import { runSoak } from '../test/soak/soak-run.ts';

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: '1000' },
    'fault-every': { type: 'string', default: '45' },
    'sample-every': { type: 'string', default: '10' },
    broker: { type: 'string', default: mosquitto.missing === undefined ? 'mosquitto' : 'aedes' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'no-mount': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

function positive(name: 'minutes' | 'rate' | 'fault-every' | 'sample-every'): number {
  const number = Number(flags[name]);
  if (number > 0) return number;
  throw new Error(`--${name} takes a number greater than 0, not ${flags[name]}`);
}

const broker = [mosquitto, aedes].find(({ name }) => name === flags.broker);
if (broker === undefined) throw new Error(`--broker takes mosquitto or aedes, not ${flags.broker}`);
const directory = await mkdtemp(join(tmpdir(), 'soak-'));
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
process.once('SIGTERM', () => interrupted.abort());
console.log(`seed ${flags.seed} · ${broker.title} ${broker.version} · files and log in ${directory}`);
const { disk, faults, growths, seconds, troubles, verdict } = await runSoak({
  broker,
  durationMs: positive('minutes') * 60_000,
  valuesPerSecond: positive('rate'),
  faultEveryMs: positive('fault-every') * 1000,
  sampleEveryMs: positive('sample-every') * 1000,
  seed: Number(flags.seed),
  mayMount: !flags['no-mount'],
  directory,
  signal: interrupted.signal,
  report: (line) => console.log(line),
});
for (const trouble of troubles) console.log(`trouble · ${trouble}`);
for (const offence of verdict.offences) console.log(offence);
const counts = Object.entries(faults).map(([name, count]) => `${name} ${count}`);
console.log(`\nfaults: ${counts.join(', ') || 'none'}\ndisk: ${disk}\n\n${growthTable(growths)}\n`);
const { doubled, lost, maybeRepeated, owed, unknown } = verdict;
const grown = growths.filter(({ verdict: each }) => each === 'grown').map(({ quantity }) => quantity);
const [kept, steady] = [lost + doubled + unknown === 0, grown.length === 0];
console.log(
  `values ${owed} · lost ${lost} · doubled ${doubled} · unknown ${unknown} · maybe repeated ${maybeRepeated} · ${seconds.toFixed(0)} s`,
);
console.log(steady ? 'nothing has grown' : `grown: ${grown.join(', ')}`);
const isGood = kept && steady && troubles.length === 0;
if (isGood && !flags.keep) await rm(directory, { recursive: true });
process.exitCode = isGood ? 0 : 1;
