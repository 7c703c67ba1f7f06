/**
 * Runs schedules of the simulation (test/simulation/) and prints how many a second; of the first failing seeds, what is wrong, and with
 * `--trace` the story of each.
 *
 *     npm run simulate -- --seeds 5000 --from 1
 *     npm run simulate -- --seeds 1 --from 4711 --trace
 */
import { parseArgs } from 'node:util';

import { simulate } from '../test/simulation/world.ts';

const MAX_FAILURES = 10;

const { values: flags } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5000' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
  },
});
const from = Number(flags.from);
const count = Number(flags.seeds);
if (!Number.isSafeInteger(from) || !Number.isSafeInteger(count))
  throw new Error('--seeds and --from take whole numbers');

let seed = from;
const failures: number[] = [];
process.on('unhandledRejection', (error) => {
  console.error(`seed ${seed}: nobody handles a rejection:`, error);
  process.exitCode = 1;
});

const startedMs = performance.now();
let steps = 0;
for (; seed < from + count && failures.length < MAX_FAILURES; seed += 1) {
  const result = await simulate(seed);
  steps += result.steps;
  if (result.problems.length === 0) continue;
  failures.push(seed);
  console.log(`seed ${seed} fails:`);
  for (const problem of result.problems) console.log(`  ${problem}`);
  if (flags.trace) await simulate(seed, (line) => console.log(line));
}
const seconds = (performance.now() - startedMs) / 1000;
const done = seed - from;
console.log(
  `${done} schedules from seed ${from}, ${steps} steps, in ${seconds.toFixed(1)} s: ${Math.round(done / seconds)} a second; ` +
    (failures.length === 0 ? 'none failed' : `${failures.length} failed: ${failures.join(', ')}`),
);
if (failures.length > 0) process.exitCode = 1;
