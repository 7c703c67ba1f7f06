import { describe, expect, it } from 'vitest';

import { Fleet, type Failure } from './fleet.ts';

const worker = new URL('fleet-fixture.ts', import.meta.url);
const usual = { workers: 2, maxFailures: 10, signal: new AbortController().signal };

function fleetOf(failures: Failure[], more: Partial<ConstructorParameters<typeof Fleet>[0]>): Fleet {
  return new Fleet({ ...usual, from: 1, count: 200, onFailure: (failure) => failures.push(failure), ...more });
}

describe('a fleet', () => {
  it('runs each seed once, those behind one that ends or blocks its process too', async () => {
    const failures: Failure[] = [];
    const fleet = fleetOf(failures, { worker, hangsAfterMs: 10_000 });
    await fleet.run();
    failures.sort((a, b) => a.seed - b.seed);
    expect(failures).toEqual([
      { seed: 3, problems: ['wrong'], story: ['once', 'upon'] },
      { seed: 5, problems: ['ended its process: exit code 9'], story: [] },
      { seed: 7, problems: ['does not end within 10 s'], story: [] },
    ]);
    expect(fleet.tally.schedules).toBe(200);
  });

  it('tells what is wrong with a seed, and runs no more when enough have failed', async () => {
    const failures: Failure[] = [];
    const fleet = fleetOf(failures, { worker, workers: 1, from: 2, count: 3, maxFailures: 1 });
    await fleet.run();
    expect(failures).toEqual([{ seed: 3, problems: ['wrong'], story: ['once', 'upon'] }]);
    expect(fleet.tally).toEqual({ schedules: 3, steps: 30, failures: 1 });
  });

  it('ends with what was done when it is aborted', async () => {
    const stop = new AbortController();
    const fleet = fleetOf([], { worker, from: 7, count: 1, workers: 1, signal: stop.signal });
    const running = fleet.run();
    stop.abort();
    await running;
    expect(fleet.tally).toEqual({ schedules: 0, steps: 0, failures: 0 });
  });

  it('runs the simulation itself', async () => {
    const failures: Failure[] = [];
    const fleet = fleetOf(failures, { count: 4 });
    await fleet.run();
    expect(failures).toEqual([]);
    expect(fleet.tally.steps).toBeGreaterThan(400);
  });
});
