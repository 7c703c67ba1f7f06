/**
 * Several bridges on one shared subscription of a real broker, killed one after the other under load: counts what was
 * lost, doubled or made up of what the broker had acknowledged, and what the others had while one was away.
 *
 *     npm run fleet-test -- --broker mosquitto --bridges 3 --kills 50
 *     npm run fleet-test -- --broker mosquitto --bridges 2 --kills 200 --seed 7 --keep
 *     npm run fleet-test -- --broker mqtt://127.0.0.1:1883    # one that runs already, knows MQTT 5, is for tests only
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { brokerAt, FLEET_BROKERS } from '../test/fleet/fleet-brokers.ts';
import { fleetSummary, runFleetTest } from '../test/fleet/fleet-run.ts';

const OFFENCES_SHOWN = 12;

const { values: flags } = parseArgs({
  options: {
    broker: { type: 'string', default: 'mosquitto' },
    bridges: { type: 'string', default: '3' },
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    seconds: { type: 'string', default: '' },
    keep: { type: 'boolean', default: false },
  },
});
const broker = URL.canParse(flags.broker) ? brokerAt(flags.broker) : FLEET_BROKERS.get(flags.broker);
if (broker === undefined) throw new Error(`--broker: a URL, or one of ${[...FLEET_BROKERS.keys()].join(', ')}`);
if (broker.missing !== undefined) throw new Error(broker.missing);
const kills = Number(flags.kills);
const bridges = Math.max(2, Number(flags.bridges));
const directory = await mkdtemp(join(tmpdir(), 'fleet-test-'));
const options = {
  broker,
  bridges,
  kills,
  seed: Number(flags.seed),
  maxSeconds: flags.seconds === '' ? 120 + kills * 6 : Number(flags.seconds),
  directory,
  report: (line: string) => console.log(line),
};
console.log(`seed ${options.seed} · files and logs in ${directory}`);
const result = await runFleetTest(options);
const { troubles, verdict, whileAway } = result;
for (const trouble of troubles) console.log(`trouble · ${trouble}`);
for (const { what, name, cycle, found } of [
  ...verdict.offences,
  ...verdict.maybeRepeated,
  ...verdict.givenToAnother,
].slice(0, OFFENCES_SHOWN)) {
  console.log(`${what} · ${name} · published in round ${cycle ?? '-'} · found: ${found}`);
}
console.log(`\n${result.status}`);
console.log(`while one was away: ${whileAway.written} of ${whileAway.values} values written by the others`);
console.log(`${flags.broker} · ${fleetSummary(options, result)}`);
const isGood = verdict.offences.length === 0 && troubles.length === 0;
if (isGood && !flags.keep) await rm(directory, { recursive: true });
process.exitCode = isGood ? 0 : 1;
