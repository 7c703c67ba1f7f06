import { describe, expect, it } from 'vitest';

import { Settling } from '../../../src/journal/settling.ts';

const at = (messageNo: number, valueNo: number): { messageNo: number; valueNo: number } => ({ messageNo, valueNo });

function settlingOf(...numbers: number[]): Settling {
  const settling = new Settling();
  for (const number of numbers) settling.add(number);
  return settling;
}

describe('Settling', () => {
  it('stands at the last value that is settled, within a message too', () => {
    const settling = settlingOf(5, 6);
    settling.settledThrough(at(5, 1));
    expect([settling.place, settling.isWhole, settling.messageNo]).toEqual([at(5, 1), false, 4]);
    settling.done(5, 3);
    expect(settling.isWhole).toBe(false);
    settling.settledThrough(at(5, 2));
    expect([settling.place, settling.isWhole, settling.messageNo, settling.size]).toEqual([at(5, 2), true, 5, 1]);
  });

  it('is held back by a message without values until it is done, however late', () => {
    const settling = settlingOf(1, 2, 3);
    settling.done(2, 2);
    settling.settledThrough(at(2, 1));
    expect(settling.place).toEqual(at(0, 0));
    settling.done(3, 0);
    expect(settling.size).toBe(3);
    settling.done(1, 0);
    expect([settling.place, settling.size]).toEqual([at(3, 0), 0]);
  });

  it('refuses a message out of order, or one that was settled before', () => {
    expect(() => settlingOf(5, 6, 6)).toThrow('out of order');
    expect(() => settlingOf(5, 4)).toThrow('out of order');
    expect(() => new Settling(at(7, 4)).add(7)).toThrow('out of order');
  });

  it('never goes back', () => {
    const settling = new Settling(at(7, 4), false);
    settling.add(7);
    settling.done(7, 2);
    settling.settledThrough(at(7, 1));
    expect([settling.place, settling.isWhole]).toEqual([at(7, 4), true]);
    settling.settledThrough(at(3, 0));
    expect(settling.place).toEqual(at(7, 4));
  });

  it('ignores messages that it does not know, and keeps up with many', () => {
    const settling = new Settling();
    for (let number = 1; number <= 10_000; number += 1) {
      settling.add(number);
      settling.done(number, 1);
      settling.settledThrough(at(number, 0));
    }
    settling.done(5, 100);
    expect([settling.place, settling.size]).toEqual([at(10_000, 0), 0]);
  });
});
