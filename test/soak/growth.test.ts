import { describe, expect, it } from 'vitest';

import { growthOf, growthTable, type Sample } from './growth.ts';

const HOUR_MS = 3_600_000;

/** A sample every minute of an hour. */
function hourOf(figures: (hours: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: 61 }, (_, minute) => ({
    atMs: (minute / 60) * HOUR_MS,
    messages: minute * 6000,
    residentMegabytes: 120,
    heapMegabytes: 50,
    descriptors: 24,
    files: 9,
    series: 230,
    lagMs: 400,
    ...figures(minute / 60),
  }));
}

function grown(samples: readonly Sample[]): string[] {
  return growthOf(samples).flatMap(({ quantity, verdict }) => (verdict === 'grown' ? [quantity] : []));
}

describe('the growth of a process', () => {
  it('is none where all stays as it is, with garbage and its collection', () => {
    expect(grown(hourOf((hours) => ({ heapMegabytes: 50 + (Math.round(hours * 60) % 7) * 3 })))).toEqual([]);
  });

  it('is seen where a little is added all the time, with the rate an hour', () => {
    const samples = hourOf((hours) => ({ residentMegabytes: 120 + hours * 60, descriptors: 24 + hours * 30 }));
    expect(grown(samples)).toEqual(['resident memory', 'descriptors']);
    const [memory] = growthOf(samples);
    expect(memory!.perHour).toBeCloseTo(60, 5);
    expect(memory!.last - memory!.first).toBeCloseTo(36, 0);
  });

  it('does not count what a process gets ready in its first minutes', () => {
    expect(grown(hourOf((hours) => ({ heapMegabytes: hours < 0.1 ? 10 : 60 })))).toEqual([]);
  });

  it('does not count a fault that lasts for less than half of a third', () => {
    expect(grown(hourOf((hours) => (hours > 0.9 ? { lagMs: 90_000, files: 40 } : {})))).toEqual([]);
  });

  it('leaves out what there was no figure of', () => {
    const samples = hourOf((hours) => ({ lagMs: hours > 0.4 && hours < 0.9 ? undefined : 400 }));
    expect(growthOf(samples).find(({ quantity }) => quantity === 'lag, median')).toMatchObject({
      first: 400,
      last: 400,
    });
  });

  it('of memory is no fault while the bridge remembers more and more messages, as it may', () => {
    const slowly = hourOf((hours) => ({
      messages: hours * 36_000,
      residentMegabytes: 100 + hours * 60,
      files: 9 + hours * 20,
    }));
    expect(growthOf(slowly).map(({ verdict }) => verdict)).toEqual([
      'filling',
      'steady',
      'steady',
      'grown',
      'steady',
      'steady',
    ]);
    const atFirst = hourOf((hours) => ({
      messages: hours * 100_000,
      residentMegabytes: Math.min(100 + hours * 100, 133),
    }));
    expect(grown(atFirst)).toEqual([]);
  });

  it('stands in a line each', () => {
    const table = growthTable(growthOf(hourOf((hours) => ({ files: 9 + hours * 20 }))));
    expect(table).toMatch(/^files +\d+\.\d +\d+\.\d +\+20\.0 +HAS GROWN$/m);
    expect(table).toMatch(/^lag, median +400\.0 +400\.0 +\+0\.0 +ms +steady$/m);
  });
});
