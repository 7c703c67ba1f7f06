/**
 * Runs schedules of the simulation (test/simulation/) on all cores and prints how many a second; of a failing seed what
 * is wrong, the end of its story, and how to run it alone. `--trace` prints the whole story. Ctrl-C, or the 10th
 * failure (`--failures`), ends it with what was done so far.
 *
 *     npm run simulate -- --seeds 5000 --from 1 --workers 2
 *     npm run simulate -- --seeds 1 --from 4711 --trace
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

import { Fleet, type Failure } from '../test/simulation/fleet.ts';
import { simulate } from '../test/simulation/world.ts';

const STORY_LINES = 40;
const PROGRESS_MS = 10_000;

const { values: flags } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5000' },
    from: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    failures: { type: 'string', default: '10' },
    trace: { type: 'boolean', default: false },
  },
});

function wholeNumber(name: 'seeds' | 'from' | 'workers' | 'failures', least: number): number {
  const number = Number(flags[name]);
  if (flags[name] === '' || !Number.isSafeInteger(number) || number < least) {
    console.error(`--${name} takes a whole number of at least ${least}, not ${JSON.stringify(flags[name])}`);
    process.exit(64);
  }
  return number;
}

const from = wholeNumber('from', 0);
const count = wholeNumber('seeds', 1);
const workers = Math.min(wholeNumber('workers', 1), count);

const startedMs = performance.now();
const stop = new AbortController();

function show({ seed, problems, story }: Failure): void {
  console.log(`seed ${seed} fails:`);
  for (const problem of problems) console.log(`  ${problem}`);
  const shown = flags.trace ? story : story.slice(-STORY_LINES);
  if (shown.length < story.length) console.log(`… ${story.length - shown.length} lines before`);
  for (const line of shown) console.log(line);
  console.log(`again, with all of its story: npm run simulate -- --from ${seed} --seeds 1 --trace`);
}

if (flags.trace && count === 1) {
  const { problems } = await simulate(from, (line) => console.log(line));
  for (const problem of problems) console.log(`seed ${from}: ${problem}`);
  if (problems.length === 0) console.log(`seed ${from}: nothing lost, nothing doubled, nothing left behind`);
  else process.exitCode = 1;
} else {
  const options = { from, count, workers, maxFailures: wholeNumber('failures', 1), signal: stop.signal };
  const failed: number[] = [];
  const fleet = new Fleet({
    ...options,
    onFailure: (failure) => {
      failed.push(failure.seed);
      show(failure);
    },
  });
  const rate = (): string => {
    const seconds = (performance.now() - startedMs) / 1000;
    const { schedules, steps } = fleet.tally;
    return `${schedules} schedules, ${steps} steps, in ${seconds.toFixed(1)} s: ${Math.round(schedules / seconds)} a second`;
  };
  const progress = setInterval(() => console.error(`… ${rate()}`), PROGRESS_MS);
  process.once('SIGINT', () => stop.abort());
  await fleet.run();
  clearInterval(progress);
  const verdict = failed.length === 0 ? 'none failed' : `${failed.length} failed: ${failed.join(', ')}`;
  const asked = stop.signal.aborted ? ` of ${count}, interrupted` : '';
  console.log(`from seed ${from}${asked}, ${workers} workers: ${rate()}; ${verdict}`);
  if (failed.length > 0) process.exitCode = 1;
  else if (stop.signal.aborted) process.exitCode = 130;
}
