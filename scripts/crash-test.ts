/**
 * Kills the bridge again and again, at each named step and at any moment, among cut commits, outages and restarts, and
 * counts what was lost, doubled or made up of what the broker had acknowledged.
 *
 *     npm run crash-test -- --kills 100
 *     npm run crash-test -- --kills 1000 --seed 7 --seconds 3600
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { runCrashTest, type CrashRunResult } from '../test/crash/crash-run.ts';
import { summaryOf } from '../test/crash/summary.ts';

const OFFENCES_SHOWN = 8;
const LOG_LINES_SHOWN = 20;

const { values: flags } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    seconds: { type: 'string', default: '' },
    keep: { type: 'boolean', default: false },
  },
});
const kills = Number(flags.kills);
const seed = Number(flags.seed);
const maxSeconds = flags.seconds === '' ? 60 + kills * 4 : Number(flags.seconds);

/** The first offenders, and the warnings of the cycle that published them and of the next. */
async function showOffences({ offences, troubles }: CrashRunResult, directory: string): Promise<void> {
  for (const trouble of troubles) console.log(`trouble · ${trouble}`);
  const shown = ['doubled', 'lost', 'unknown'].flatMap((kind) =>
    offences.filter(({ what }) => what === kind).slice(0, OFFENCES_SHOWN),
  );
  for (const { what, name, cycle, found } of shown) {
    console.log(`${what} · ${name} · published in cycle ${cycle ?? '-'} · found: ${found}`);
  }
  if (offences.length > shown.length) console.log(`… and ${offences.length - shown.length} more`);
  const cycles = new Set(shown.flatMap(({ cycle }) => (cycle === undefined ? [] : [cycle, cycle + 1])));
  const logs = new Set(await readdir(directory));
  for (const cycle of [...cycles].sort((a, b) => a - b).slice(0, 6)) {
    const file = `cycle-${cycle}.log`;
    if (!logs.has(file)) continue;
    const lines = (await readFile(join(directory, file), 'utf8'))
      .split('\n')
      .filter((line) => !line.includes('"debug"'));
    console.log(`${file}:\n  ${lines.slice(-LOG_LINES_SHOWN).join('\n  ')}`);
  }
}

const directory = await mkdtemp(join(tmpdir(), 'crash-test-'));
console.log(`seed ${seed} · files and logs in ${directory}`);
const result = await runCrashTest({ kills, seed, maxSeconds, directory, report: (line) => console.log(line) });
const steps = Object.entries(result.killsAtStep).map(([step, count]) => `${step} ${count}`);
console.log(`killed at: ${steps.join(', ')}`);
const isGood = result.offences.length === 0 && result.troubles.length === 0;
if (!isGood) await showOffences(result, directory);
console.log(summaryOf(result));
if (isGood && !flags.keep) await rm(directory, { recursive: true });
process.exitCode = isGood ? 0 : 1;
