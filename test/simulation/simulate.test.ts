import { describe, expect, it } from 'vitest';

import { LANES_FROM, SPARKPLUG_FROM } from './plan.ts';
import { simulate } from './world.ts';

/**
 * Seeds that found a mistake, with a word on each. A change of the plan, or of what the bridge asks of disk and
 * database, changes what a seed does: they are kept as schedules of many faults, and none is the test of its mistake
 * alone.
 */
const KEPT_SEEDS: readonly (readonly [seed: number, word: string])[] = [
  [1, 'a redelivered message was stored again, as the journal gives its number later'],
  [67, 'a ledger row that was just made passed for a place up to which rows had been written'],
  [98, 'a stamp held a place that JSON has no number for'],
  [95, 'a commit came late, after the ledger was read and before the replay'],
  [255, 'a batch of unknown outcome went to a file with rows that were never sent'],
  [911, 'rows that Oracle had were backed up before the ledger could be read'],
  [231, 'the disk refused in the middle of taking a replayed file away'],
  [1159, 'the ledger could not be read again, and the replay waited for ever'],
  [2608, 'the stamp of a file that never got a row stayed behind'],
  [20085, 'rows were durable in a backup whose stamp the disk refused'],
  [20267, 'rows were to be appended to a backup that had its final name already'],
  [105799, 'a rejected file that the disk kept from being sealed at the start held up all replays'],
  [1063098, 'a damaged journal knew less than the ledger, and a stamp said so'],
  [1088824, 'the sync of an interval waited for room in a full journal'],
  [1148237, 'messages at QoS 0 crowded out one that the broker sent again'],
  [2093950, 'a backup was replayed before its stamp was on disk'],
  [2098688, 'zeros of a power cut in the last record of a file passed for a row'],
  [3110950, 'a message that a power cut had torn out was stored behind those that had followed it'],
  [10088326, 'the same, and the power cut had torn out the first of its segment'],
  [340183072, 'copies of messages without a time crowded out one with a time that the broker sent a third time'],
  [360008167, 'a message that went with the power was held for good, and an equal one was taken for it'],
  [600001144, 'a change of the subscriptions could not be noted, and messages of before were read by it after a crash'],
  [600004213, 'a call that was given up was answered all the same, and its rows were set apart and backed up'],
  [630006169, 'the disk refused in the middle of taking away a replayed file that nobody had asked for'],
  [630008212, 'a file of another destination could not be read at the start, and was the default’s from then on'],
  [660050009, 'rows of a failed append stayed in a file that could not be sealed, and were written into the next one'],
  [750009013, 'two messages that waited for a full disk changed their packet ids, and one passed for durable'],
  [850003418, 'the disk refused a refused row of a replay, and the database took it the next time'],
  [460097520, 'more messages than the window came again after the journal had forgotten them'],
];

const FROM_SEED = 1;
/** Minutes of schedules in CI, seconds of them before a commit. */
const SEEDS = process.env['CI'] === undefined ? 500 : 1_500;
const SEEDS_A_TEST = 250;
const LANE_SEEDS = process.env['CI'] === undefined ? 250 : 1_250;

async function problemsOf(seed: number): Promise<string[]> {
  const { problems } = await simulate(seed);
  return problems.map((problem) => `seed ${seed}: ${problem}`);
}

describe('the simulated plant', () => {
  it.each(KEPT_SEEDS)('keeps every value once with seed %i: %s', async (seed) => {
    expect(await problemsOf(seed)).toEqual([]);
  });

  const firsts = Array.from({ length: Math.ceil(SEEDS / SEEDS_A_TEST) }, (_, i) => FROM_SEED + i * SEEDS_A_TEST);
  it.each(firsts)('keeps every value once in the schedules from seed %i on', async (first) => {
    const problems: string[] = [];
    for (let seed = first; seed < first + SEEDS_A_TEST; seed += 1) problems.push(...(await problemsOf(seed)));
    expect(problems).toEqual([]);
  });

  it('reads edge nodes’ messages after crashes as one does that never crashed', async () => {
    const problems: string[] = [];
    for (let seed = SPARKPLUG_FROM; seed < SPARKPLUG_FROM + SEEDS_A_TEST; seed += 1) {
      problems.push(...(await problemsOf(seed)));
    }
    expect(problems).toEqual([]);
  });

  const lanes = Array.from({ length: Math.ceil(LANE_SEEDS / SEEDS_A_TEST) }, (_, i) => LANES_FROM + i * SEEDS_A_TEST);
  it.each(lanes)('keeps every value once in destinations that come and go, from seed %i on', async (first) => {
    const problems: string[] = [];
    for (let seed = first; seed < first + SEEDS_A_TEST; seed += 1) problems.push(...(await problemsOf(seed)));
    expect(problems).toEqual([]);
  });

  it('does the same again with the same seed', async () => {
    const stories = [[], []] as [string[], string[]];
    for (const story of stories) await simulate(42, (line) => story.push(line));
    expect(stories[0].length).toBeGreaterThan(100);
    expect(stories[0]).toEqual(stories[1]);
  });
});
