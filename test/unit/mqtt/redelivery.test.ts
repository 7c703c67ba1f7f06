import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { RedeliveryCheck } from '../../../src/mqtt/redelivery.ts';
import { deliveryOf, RedeliveryModel, type ModelOptions, type ModelStep } from './redelivery-model.ts';

const HELLO = Buffer.from('hello');

function remembered(number: number, packetId: number, payload: Buffer = HELLO, connection = 1) {
  return { number, packetId, topic: 't', payload, connection };
}

/** A delivery with DUP on the second connection. */
function again(packetId: number, more: Partial<Parameters<typeof deliveryOf>[0]> = {}) {
  return deliveryOf({ packetId, payload: Buffer.from('hello'), duplicate: true, connection: 2, ...more });
}

describe('RedeliveryCheck', () => {
  it('gives the number of the message that is delivered again', () => {
    const check = new RedeliveryCheck();
    check.remember(remembered(41, 7));
    check.remember(remembered(42, 8));
    expect([check.match(again(7)), check.match(again(8))]).toEqual([41, 42]);
  });

  it.each([
    ['without DUP', again(7, { duplicate: false })],
    ['with another packet id', again(8)],
    ['at QoS 0', again(7, { packetId: undefined })],
    ['with another topic', again(7, { topic: 'u' })],
    ['with another payload', again(7, { payload: Buffer.from('hallo') })],
    ['with a longer payload', again(7, { payload: Buffer.from('hello!') })],
    ['on the connection of the first one', again(7, { connection: 1 })],
  ])('takes a delivery %s as new', (_, delivery) => {
    const check = new RedeliveryCheck();
    check.remember(remembered(41, 7));
    expect(check.match(delivery)).toBeUndefined();
    expect(check.match(again(7))).toBe(41);
  });

  it('looks at the latest message of a packet id only', () => {
    const check = new RedeliveryCheck();
    check.remember(remembered(41, 7));
    check.remember(remembered(42, 7, Buffer.from('other')));
    expect(check.match(again(7))).toBeUndefined();
  });

  it('knows messages in another order than they first came in, where some between them were lost and came again', () => {
    const check = new RedeliveryCheck();
    check.remember(remembered(41, 7));
    check.remember(remembered(43, 9));
    check.noteGap();
    check.remember(remembered(44, 8));
    expect([check.match(again(7)), check.match(again(8)), check.match(again(9))]).toEqual([41, 44, 43]);
  });

  it('takes a delivery that goes back in the order as new, and begins anew with the next connection', () => {
    const check = new RedeliveryCheck();
    check.remember(remembered(41, 7));
    check.remember(remembered(42, 8));
    expect([check.match(again(8)), check.match(again(7)), check.match(again(8))]).toEqual([42, undefined, undefined]);
    expect(check.match(again(7, { connection: 3 }))).toBe(41);
  });

  it('knows that all before a message whose packet id was used again had been acknowledged', () => {
    const check = new RedeliveryCheck();
    check.remember(remembered(41, 7));
    check.remember(remembered(42, 8));
    check.remember(remembered(43, 9));
    check.remember(remembered(44, 8));
    expect(check.match(again(7))).toBeUndefined();
    expect([check.match(again(9)), check.match(again(8))]).toEqual([43, 44]);
  });

  it('remembers as many messages as the window has room for', () => {
    const check = new RedeliveryCheck({ window: 3 });
    for (let i = 1; i <= 4; i += 1) check.remember(remembered(40 + i, i));
    expect([1, 2, 3, 4].map((id) => check.match(again(id)))).toEqual([undefined, 42, 43, 44]);
  });

  it('forgets all with the session', () => {
    const check = new RedeliveryCheck({ maxPayloadBytes: 8 });
    check.remember(remembered(41, 7));
    check.remember(remembered(42, 8));
    check.forget();
    expect(check.match(again(7))).toBeUndefined();
    check.remember(remembered(43, 7));
    check.remember(remembered(44, 9));
    expect([check.match(again(7)), check.match(again(9))]).toEqual([43, 44]);
    expect(check.match(again(8, { connection: 3 }))).toBeUndefined();
  });

  it('keeps payloads up to the limit, and the digest of older ones', () => {
    const check = new RedeliveryCheck({ window: 100, maxPayloadBytes: 1000 });
    const payloads = Array.from({ length: 300 }, (_, i) => Buffer.alloc(90, i));
    for (const [i, payload] of payloads.entries()) {
      check.remember(remembered(i, i + 1, payload));
      expect(check.payloadBytes).toBeLessThanOrEqual(1000);
    }
    const known = payloads.map((payload, i) => check.match(again(i + 1, { payload })));
    expect(known).toEqual(payloads.map((_, i) => (i < 200 ? undefined : i)));
    const changed = payloads.map((payload, i) => Buffer.concat([payload.subarray(1), Buffer.of(payload[0]! ^ i)]));
    const mistaken = changed.map((payload, i) => check.match(again(i + 1, { payload, connection: 3 })));
    expect(mistaken.filter((number, i) => number !== undefined && !changed[i]!.equals(payloads[i]!))).toEqual([]);
  });
});

const count = fc.integer({ min: 1, max: 6 });

function stepsOf(payload: fc.Arbitrary<string>): fc.Arbitrary<ModelStep[]> {
  const step = fc.oneof(
    { weight: 20, arbitrary: fc.record({ do: fc.constant('publish' as const), payload }) },
    {
      weight: 64,
      arbitrary: fc.record({ do: fc.constantFrom('send', 'receive', 'commit', 'carry acks'), count }),
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('reconnect', 'kill') }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('lose session' as const) }) },
  );
  return fc.array(step, { minLength: 100, maxLength: 300, size: 'max' });
}

const OPTIONS: ModelOptions = {
  idPolicy: 'count up',
  maxPacketId: 12,
  maxInFlight: 4,
  window: 6,
  maxPayloadBytes: 8,
};

/** What happened over many runs; the property itself is checked in each. */
function explore(payload: fc.Arbitrary<string>, options: ModelOptions, endOnFailure = false): { recognised: number } {
  const numRuns = 400;
  let recognised = 0;
  fc.assert(
    fc.property(stepsOf(payload), (steps) => {
      const model = new RedeliveryModel(options);
      let publishedCount = 0;
      for (const step of steps) {
        publishedCount += 1;
        model.run(step.do === 'publish' && step.payload === '' ? { ...step, payload: String(publishedCount) } : step);
      }
      recognised += model.recognised;
      expect(model.violations).toEqual([]);
    }),
    { numRuns, endOnFailure },
  );
  return { recognised };
}

describe('a broker and a bridge that lose each other at any moment', () => {
  const EVERY_PAYLOAD_ITS_OWN = fc.constant('');
  const TWO_PAYLOADS = fc.constantFrom('on', 'off');

  it('never mistake a message when packet ids count up, although payloads repeat', () => {
    expect(explore(TWO_PAYLOADS, OPTIONS).recognised).toBeGreaterThan(1000);
  });

  it('never mistake a message when the lowest free packet id is used and payloads differ', () => {
    const options: ModelOptions = { ...OPTIONS, idPolicy: 'lowest free' };
    expect(explore(EVERY_PAYLOAD_ITS_OWN, options).recognised).toBeGreaterThan(1000);
  });

  it.each([
    ['larger than the packet ids less those in flight', { ...OPTIONS, window: 12 }],
    ['smaller than what is in flight', { ...OPTIONS, window: 2 }],
  ])('would, with a window %s', (_, options) => {
    expect(() => explore(TWO_PAYLOADS, options, true)).toThrow(/Property failed/);
  });
});
