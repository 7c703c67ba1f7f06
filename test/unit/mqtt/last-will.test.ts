import { describe, expect, it } from 'vitest';

import { LastWill } from '../../../src/mqtt/last-will.ts';

const BEST = { qos: 1, retain: true };

describe('LastWill', () => {
  it('asks for less after every second time that the connection is closed without a word, and then begins anew', () => {
    const will = new LastWill();
    const ways = Array.from({ length: 7 }, () => {
      const { way } = will;
      will.closed(4, 10);
      return `${way.qos}${way.retain ? ' retained' : ''}`;
    });
    expect(ways).toEqual(['1 retained', '1 retained', '1', '1', '0', '0', '1 retained']);
  });

  it('begins with the best again after a connection that stood', () => {
    const will = new LastWill();
    for (let i = 0; i < 2; i += 1) will.closed(4, 10);
    will.accepted();
    will.lost();
    expect(will.way).toEqual(BEST);
  });

  it.each([
    ['a broker of MQTT 5 is silent, which would say why', 5, 10],
    ['it was our patience that ended', 4, 5000],
  ] as const)('is the best still when %s', (_, version, afterMs) => {
    const will = new LastWill();
    for (let i = 0; i < 4; i += 1) will.closed(version, afterMs);
    expect(will.way).toEqual(BEST);
  });

  it('is the best for good once the broker has taken it: what closes connections then is one that goes', () => {
    const will = new LastWill();
    will.accepted();
    will.lost();
    for (let i = 0; i < 4; i += 1) will.closed(4, 10);
    expect(will.way).toEqual(BEST);
  });

  it('never asks again for what was refused by a reason code', () => {
    const will = new LastWill();
    will.refused(135);
    will.refused(undefined);
    expect(will.way).toEqual(BEST);
    will.refused(154);
    expect(will.way).toEqual({ qos: 1, retain: false });
    will.lost();
    expect(will.way).toEqual({ qos: 1, retain: false });
    will.refused(155);
    for (let i = 0; i < 4; i += 1) will.closed(4, 10);
    expect(will.way).toEqual({ qos: 0, retain: false });
  });
});
