import { describe, expect, it } from 'vitest';

import { Growth } from '../../../src/ops/growth.ts';

function growthOf(samples: readonly number[], kept = 60): number {
  const growth = new Growth(10_000, kept);
  for (const sample of samples) growth.add(sample);
  return growth.perSecond;
}

describe('Growth', () => {
  it('is what is added a second', () => {
    expect(growthOf(Array.from({ length: 60 }, (_, i) => i * 5000))).toBe(500);
  });

  it('is nothing of what rises and falls, however high', () => {
    expect(growthOf(Array.from({ length: 60 }, (_, i) => 100 + (i % 12) * 1e6))).toBe(0);
    expect(growthOf(Array.from({ length: 60 }, (_, i) => 1e9 - i * 1e6))).toBe(0);
  });

  it('is that of the lowest points of what rises and falls', () => {
    const sawtooth = Array.from({ length: 60 }, (_, i) => Math.floor(i / 10) * 3000 + (i % 10) * 1e6);
    expect(growthOf(sawtooth)).toBe(30);
  });

  it('is nothing after one step', () => {
    for (let step = 1; step < 60; step += 1) {
      expect(growthOf(Array.from({ length: 60 }, (_, i) => (i < step ? 0 : 1e9)))).toBe(0);
    }
  });

  it('is told from two minutes on, and of the latest samples', () => {
    expect(growthOf(Array.from({ length: 11 }, (_, i) => i * 1000))).toBe(0);
    expect(growthOf(Array.from({ length: 12 }, (_, i) => i * 1000))).toBe(100);
    const risenOnce = [...Array.from({ length: 60 }, () => 0), ...Array.from({ length: 60 }, () => 1e9)];
    expect(growthOf(risenOnce)).toBe(0);
  });

  it('is steady where nothing of what comes later is below what came before', () => {
    const steady = (samples: readonly number[]): boolean => {
      const growth = new Growth(10_000, 60);
      for (const sample of samples) growth.add(sample);
      return growth.isSteady;
    };
    expect(steady(Array.from({ length: 60 }, (_, i) => 1000 + i))).toBe(true);
    expect(steady(Array.from({ length: 60 }, (_, i) => 100 + ((i * 7919) % 400)))).toBe(false);
    expect(steady([1, 2, 3])).toBe(false);
  });
});
