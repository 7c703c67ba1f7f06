import { describe, expect, it } from 'vitest';

import { AckProofs, type AckMark } from '../../../src/mqtt/acks/ack-proofs.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Proofs whose PINGREQs are counted, and answered by the test. */
function begun() {
  const clock = new FakeClock();
  const proven: AckMark[] = [];
  let pings = 0;
  const proofs: AckProofs = new AckProofs({
    clock,
    ping: () => {
      pings += 1;
      proofs.pinged();
    },
    onProven: (mark) => void proven.push(mark),
  });
  return { clock, proofs, proven, pings: () => pings };
}

describe('AckProofs', () => {
  it('takes for proven what a PINGRESP shows, with the one after it', async () => {
    const { clock, proofs, proven, pings } = begun();
    proofs.wrote(3, 103);
    await clock.advance(1000);
    expect(pings()).toBe(1);
    proofs.wrote(5, 105);
    proofs.answered();
    expect(proven).toEqual([]);
    await clock.advance(1000);
    proofs.answered();
    expect(proven).toEqual([{ ordinal: 3, messageNo: 103 }]);
    await clock.advance(1000);
    proofs.answered();
    expect(proven.at(-1)).toEqual({ ordinal: 5, messageNo: 105 });
    await clock.advance(10_000);
    expect(pings()).toBe(3);
  });

  it('counts the pings of others, in their order', () => {
    const { proofs, proven } = begun();
    proofs.wrote(1, 101);
    proofs.pinged();
    proofs.wrote(2, 102);
    proofs.pinged();
    proofs.pinged();
    for (let i = 0; i < 3; i += 1) proofs.answered();
    expect(proven.map(({ ordinal }) => ordinal)).toEqual([1, 2]);
    proofs.answered();
    expect(proven).toHaveLength(2);
  });

  it('asks once while an answer is awaited', async () => {
    const { clock, proofs, pings } = begun();
    proofs.wrote(1, 101);
    await clock.advance(5000);
    expect(pings()).toBe(1);
    proofs.answered();
    await clock.advance(1000);
    expect(pings()).toBe(2);
  });

  it('proves nothing of a connection that is over', async () => {
    const { clock, proofs, proven, pings } = begun();
    proofs.wrote(3, 103);
    await clock.advance(1000);
    proofs.closed();
    proofs.answered();
    await clock.advance(5000);
    expect(pings()).toBe(1);
    proofs.pinged();
    proofs.wrote(4, 104);
    proofs.pinged();
    proofs.answered();
    proofs.answered();
    expect(proven).toEqual([]);
    proofs.pinged();
    proofs.answered();
    expect(proven).toEqual([{ ordinal: 4, messageNo: 104 }]);
  });
});
