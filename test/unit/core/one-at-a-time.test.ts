import { describe, expect, it } from 'vitest';

import { OneAtATime } from '../../../src/core/one-at-a-time.ts';

describe('OneAtATime', () => {
  it('begins each piece of work when the one before has ended, also when that failed', async () => {
    const turns = new OneAtATime();
    const steps: string[] = [];
    let endFirst = (): void => {};
    const first = turns.run(async () => {
      steps.push('first begins');
      await new Promise<void>((resolve) => (endFirst = resolve));
      steps.push('first ends');
      throw new Error('refused');
    });
    const second = turns.run(() => {
      steps.push('second');
      return Promise.resolve(2);
    });
    await Promise.resolve();
    expect(steps).toEqual(['first begins']);
    endFirst();
    await expect(first).rejects.toThrow('refused');
    expect(await second).toBe(2);
    expect(steps).toEqual(['first begins', 'first ends', 'second']);
  });

  it('is idle when all that has come has ended, well or not', async () => {
    const turns = new OneAtATime();
    await turns.whenIdle();
    let isDone = false;
    turns.run(() => Promise.reject(new Error('refused'))).catch(() => {});
    void turns.run(async () => {
      await Promise.resolve();
      isDone = true;
    });
    await turns.whenIdle();
    expect(isDone).toBe(true);
  });
});
