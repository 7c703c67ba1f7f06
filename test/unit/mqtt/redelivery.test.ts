import { describe, expect, it } from 'vitest';

import { RedeliveryCheck, type Verdict } from '../../../src/mqtt/redelivery/redelivery.ts';
import { deliveryOf, UNTIMED } from './redelivery-model.ts';

type Fields = Partial<Parameters<typeof deliveryOf>[0]> & { readonly payload?: never; readonly text?: string };

const TIMED = 'at 12:00';
const MAX_IN_FLIGHT = 5;

/** A check, and what it says of deliveries; those of a connection have one number. */
class Tried {
  readonly check: RedeliveryCheck;
  #last = 0;

  constructor(options: { readonly window?: number; readonly maxPayloadBytes?: number } = {}) {
    const hasOwnTime = (_topic: string, payload: Buffer): boolean => payload.toString().startsWith('at');
    this.check = new RedeliveryCheck({ ...options, maxInFlight: MAX_IN_FLIGHT, hasOwnTime });
  }

  take(packetId: number, connection: number, fields: Fields = {}): Verdict {
    const { text = UNTIMED, ...more } = fields;
    const delivery = deliveryOf({ duplicate: false, ...more, packetId, connection, payload: Buffer.from(text) });
    const verdict = this.check.take(delivery);
    this.#last = delivery.ordinal;
    return verdict;
  }

  /** The PUBACK of the latest delivery, and of all before. */
  write(): void {
    this.check.written(this.#last);
  }

  confirm(): void {
    this.check.written(this.#last);
    this.check.confirmed(this.#last);
  }

  /** Shows that packet ids count up. */
  countUp(from: number, connection: number, count = 2 * MAX_IN_FLIGHT + 1): void {
    for (let i = 0; i < count; i += 1) {
      this.take(from + i, connection, { text: `at ${connection}.${from + i}` });
      this.confirm();
    }
  }
}

describe('RedeliveryCheck, of a payload with a time', () => {
  it.each([
    ['under its id and with DUP', { id: 7, duplicate: true }],
    ['under another id and without DUP', { id: 300, duplicate: false }],
  ])('knows it %s, whether its PUBACK was written or not', (_, { id, duplicate }) => {
    for (const isWritten of [true, false]) {
      const tried = new Tried();
      expect(tried.take(7, 1, { text: TIMED })).toBe('new');
      if (isWritten) tried.write();
      expect(tried.take(id, 2, { text: TIMED, duplicate })).toBe('repeated');
    }
  });

  it('matches each once on a connection, and again on the next', () => {
    const tried = new Tried();
    tried.take(7, 1, { text: TIMED });
    tried.write();
    expect(tried.take(8, 2, { text: TIMED })).toBe('repeated');
    expect(tried.take(9, 2, { text: TIMED })).toBe('new');
    expect([tried.take(1, 3, { text: TIMED }), tried.take(2, 3, { text: TIMED })]).toEqual(['repeated', 'repeated']);
  });

  it('takes two on one connection for two messages, and with DUP and one id for one, as often as it comes', () => {
    const tried = new Tried();
    tried.take(7, 1, { text: TIMED });
    tried.write();
    expect(tried.take(8, 1, { text: TIMED })).toBe('new');
    tried.write();
    const again = { text: TIMED, duplicate: true };
    expect([tried.take(8, 1, again), tried.take(8, 1, again)]).toEqual(['repeated', 'repeated']);
  });

  it('is known however often it comes on one connection while it is held', () => {
    const tried = new Tried({ window: 100 });
    expect(tried.take(7, 1, { text: TIMED })).toBe('new');
    expect(tried.take(8, 1, { text: 'at 12:01' })).toBe('new');
    for (let i = 0; i < 1000; i += 1) expect(tried.take(7, 1, { text: TIMED, duplicate: true })).toBe('repeated');
    tried.confirm();
    expect(tried.check.isInDoubt).toBe(false);
    expect(tried.take(7, 2, { text: TIMED, duplicate: true })).toBe('repeated');
  });

  it('gets no second PUBACK on one connection, unless the first is known to have arrived', () => {
    const tried = new Tried();
    tried.take(7, 1, { text: TIMED });
    let withheld = 0;
    const again = { text: TIMED, duplicate: true, withhold: () => void (withheld += 1) };
    tried.take(7, 1, again);
    tried.write();
    tried.take(7, 1, again);
    expect(withheld).toBe(2);
    tried.confirm();
    tried.take(7, 1, again);
    tried.take(7, 2, again);
    expect(withheld).toBe(2);
  });

  it('is new once its PUBACK has arrived, and known with DUP, or on a broker without: the broker has gone back', () => {
    const tried = new Tried();
    tried.take(7, 1, { text: TIMED });
    tried.confirm();
    tried.take(9, 1, { text: 'at 9', duplicate: true });
    expect(tried.take(8, 2, { text: TIMED })).toBe('new');
    expect(tried.take(7, 3, { text: TIMED, duplicate: true })).toBe('repeated');
  });

  it('is known on a broker without DUP though its PUBACK has arrived', () => {
    const tried = new Tried();
    tried.take(7, 1, { text: TIMED });
    tried.confirm();
    expect([tried.take(8, 2, { text: TIMED }), tried.take(9, 2, { text: TIMED })]).toEqual(['repeated', 'new']);
  });

  it.each([
    ['another topic', { topic: 'u', text: TIMED }],
    ['other bytes', { text: 'at 12:01' }],
    ['more bytes', { text: `${TIMED}!` }],
  ])('is new with %s', (_, fields) => {
    const tried = new Tried();
    tried.take(7, 1, { text: TIMED });
    expect(tried.take(7, 2, { ...fields, duplicate: true })).toBe('new');
  });
});

describe('RedeliveryCheck, of a payload without a time', () => {
  it('knows it under its id on one connection while no PUBACK was written, and on the next where ids count on', () => {
    const tried = new Tried();
    tried.countUp(1, 1);
    tried.countUp(13, 2, 2 * MAX_IN_FLIGHT + 2);
    tried.take(40, 2);
    expect(tried.take(40, 2, { duplicate: true })).toBe('repeated');
    expect(tried.take(40, 3, { duplicate: true })).toBe('repeated');
    expect(tried.take(40, 4)).toBe('new');
  });

  it('stores it with DUP where ids may begin anew: another may have got its id, and have been lost on the way', () => {
    const tried = new Tried();
    tried.take(7, 1);
    expect(tried.take(7, 2, { duplicate: true })).toBe('maybe repeated');
  });

  it('stores it without DUP: the broker may have given the id to another one, and forgotten this (Moquette)', () => {
    const tried = new Tried();
    tried.take(1, 1);
    expect(tried.take(1, 2)).toBe('maybe repeated');
  });

  it('trusts ids that count on though some deliveries were not known to be new', () => {
    const tried = new Tried();
    tried.countUp(1, 1);
    tried.countUp(13, 2, 2 * MAX_IN_FLIGHT + 2);
    const inDoubt = Array.from({ length: 2 * MAX_IN_FLIGHT + 1 }, (_, i) => i + 25);
    for (const id of inDoubt) tried.take(id, 2);
    tried.write();
    for (const id of inDoubt) expect(tried.take(id + inDoubt.length, 3)).toBe('maybe repeated');
    tried.confirm();
    tried.take(50, 4, { text: 'at 50' });
    expect(tried.check.manners.idsCountOn).toBe(true);
  });

  it('takes ids that begin anew on each connection for nothing else, though its first messages might have come before', () => {
    const tried = new Tried();
    for (let id = 1; id <= 30; id += 1) tried.take(id, 1);
    tried.write();
    for (let id = 1; id <= 30; id += 1) expect(tried.take(id, 2)).toBe('maybe repeated');
    tried.countUp(31, 2);
    expect(tried.check.manners.idsCountOn).toBe(false);
  });

  it('stores it, and says so, where a PUBACK was written and ids may be used again', () => {
    const tried = new Tried();
    tried.take(7, 1);
    tried.write();
    expect(tried.take(7, 2, { duplicate: true })).toBe('maybe repeated');
    tried.write();
    expect(tried.take(7, 3, { duplicate: true })).toBe('maybe repeated');
  });

  it.each([
    ['knows it where ids count on over connections', 13, 'repeated'],
    ['stores it again where they begin anew at 1', 1, 'maybe repeated'],
    ['stores it again where they begin anew anywhere', 30_000, 'maybe repeated'],
  ])('%s', (_, next, verdict) => {
    const tried = new Tried();
    tried.countUp(1, 1);
    tried.countUp(next, 2, 2 * MAX_IN_FLIGHT + 2);
    tried.take(next + 20, 2);
    tried.write();
    expect(tried.take(next + 20, 3, { duplicate: true })).toBe(verdict);
  });

  it('is not mixed up with an equal one at QoS 2, which is known by its packet id alone', () => {
    const tried = new Tried();
    tried.take(11, 1);
    tried.write();
    const atQos2 = deliveryOf({ duplicate: true, packetId: 3, connection: 2, payload: Buffer.from(UNTIMED) });
    tried.check.note(atQos2, true);
    expect(tried.take(11, 2, { duplicate: true })).toBe('maybe repeated');
  });

  it('stores it again where ids were never seen to count on over a connection', () => {
    const tried = new Tried();
    tried.countUp(1, 1);
    tried.take(12, 1);
    tried.write();
    expect(tried.take(12, 2, { duplicate: true })).toBe('maybe repeated');
  });

  it('trusts no id any more once one was used again', () => {
    const tried = new Tried();
    tried.countUp(1, 1);
    tried.countUp(13, 2);
    tried.take(15, 2, { text: 'at last' });
    tried.take(30, 2);
    tried.write();
    expect(tried.take(30, 3, { duplicate: true })).toBe('maybe repeated');
  });

  it('does not count ids that were on their way before a PUBACK was known to have arrived', () => {
    const tried = new Tried();
    tried.countUp(1, 1, 1);
    for (let id = 2; id <= 4 * MAX_IN_FLIGHT; id += 1) tried.take(id, 2, { text: `at ${id}` });
    tried.write();
    expect(tried.check.manners.idsCountOn).toBe(false);
    tried.take(21, 3, { text: 'at 21' });
    tried.confirm();
    tried.countUp(22, 3, 2 * MAX_IN_FLIGHT - 1);
    expect(tried.check.manners.idsCountOn).toBe(false);
    tried.countUp(40, 3, 8 * MAX_IN_FLIGHT);
    expect(tried.check.manners.idsCountOn).toBe(true);
  });

  it('takes no id for one that counts up where more is under way than the window (MQTT 3.1.1)', () => {
    const tried = new Tried();
    tried.countUp(1, 1, 3);
    const underWay = 8 * MAX_IN_FLIGHT;
    for (let id = 1; id <= underWay; id += 1) tried.take(id, 1, { text: `at ${id}` });
    tried.write();
    tried.take(underWay + 1, 2, { text: 'at last' });
    expect(tried.check.manners.idsCountOn).toBe(false);
    tried.confirm();
    tried.countUp(underWay + 2, 2, 2 * underWay);
    expect(tried.check.manners.idsCountOn).toBe(true);
  });

  it('is new without DUP once the PUBACK has arrived, by PINGRESP or as the id was used again on that connection', () => {
    const tried = new Tried();
    tried.take(7, 1);
    tried.confirm();
    tried.take(8, 1, { topic: 'u' });
    tried.take(9, 1);
    tried.write();
    tried.take(9, 1, { topic: 'v' });
    expect(tried.take(7, 2)).toBe('new');
    expect(tried.take(8, 2, { topic: 'u' })).toBe('new');
    expect(tried.take(9, 2)).toBe('new');
    expect(tried.take(7, 3, { topic: 'u', duplicate: true })).toBe('maybe repeated');
  });

  it('is new without DUP on a broker that is known to set it', () => {
    const tried = new Tried();
    tried.take(7, 1);
    tried.take(8, 1);
    tried.write();
    expect(tried.take(9, 2)).toBe('maybe repeated');
    tried.take(10, 2, { text: 'at 10', duplicate: true });
    expect(tried.take(11, 2)).toBe('new');
  });
});

describe('RedeliveryCheck', () => {
  it('recalls what the journal holds, and what of it is known to be acknowledged', () => {
    const tried = new Tried();
    const recalled = { topic: 't', connection: -1, duplicate: false };
    tried.check.resume({ idsCountOn: false, setsDuplicate: true, keepsIds: false });
    for (const packetId of [1, 2, 3]) {
      tried.check.recall({ ...recalled, packetId, payload: Buffer.from(`at ${packetId}`) }, packetId < 3);
    }
    tried.check.recall({ ...recalled, packetId: undefined, payload: Buffer.from('at 4') }, false);
    expect([1, 2].map((id) => tried.take(id + 50, 0, { text: `at ${id}` }))).toEqual(['new', 'new']);
    expect(tried.check.isInDoubt).toBe(true);
    expect([3, 4].map((id) => tried.take(id + 50, 0, { text: `at ${id}` }))).toEqual(['repeated', 'new']);
  });

  it('goes on with what an earlier process had learnt of the ids', () => {
    const tried = new Tried();
    tried.check.resume({ idsCountOn: true, setsDuplicate: true, keepsIds: false });
    const payload = Buffer.from(UNTIMED);
    tried.check.recall({ packetId: 12, topic: 't', payload, connection: -1, duplicate: false }, false);
    expect(tried.take(12, 0, { duplicate: true })).toBe('repeated');
  });

  it('takes what comes with DUP for new where the broker keeps ids, and this one never came', () => {
    for (const [keepsIds, verdict] of [
      [true, 'new'],
      [false, 'maybe repeated'],
    ] as const) {
      const tried = new Tried();
      tried.check.resume({ idsCountOn: true, setsDuplicate: true, keepsIds });
      tried.take(12, 1);
      tried.write();
      expect(tried.take(13, 2, { duplicate: true })).toBe(verdict);
    }
  });

  it('has no doubt left a minute later, when what is new comes', () => {
    const tried = new Tried();
    tried.check.resume({ idsCountOn: false, setsDuplicate: true, keepsIds: false });
    tried.take(7, 1, { text: TIMED });
    tried.take(8, 2, { text: 'at 1', receivedAtMs: 1_000 });
    tried.confirm();
    expect(tried.check.isInDoubt).toBe(true);
    tried.take(9, 2, { text: 'at 2', receivedAtMs: 61_000 });
    expect(tried.check.isInDoubt).toBe(false);
    expect(tried.take(10, 2, { text: TIMED })).toBe('new');
  });

  it('is in doubt as long as what came again is not known to be acknowledged', () => {
    const tried = new Tried();
    tried.take(7, 1, { text: TIMED });
    tried.take(7, 2, { text: TIMED, duplicate: true });
    tried.write();
    expect(tried.check.isInDoubt).toBe(true);
    tried.confirm();
    expect(tried.check.isInDoubt).toBe(false);
  });

  it('remembers as many deliveries as the window has room for', () => {
    const tried = new Tried({ window: 3 });
    for (let i = 1; i <= 4; i += 1) tried.take(i, 1, { text: `at ${i}` });
    const verdicts = [2, 3, 4, 1].map((id) => tried.take(id, 2, { text: `at ${id}`, duplicate: true }));
    expect(verdicts).toEqual(['repeated', 'repeated', 'repeated', 'new']);
  });

  it('forgets all with the session', () => {
    const tried = new Tried({ maxPayloadBytes: 8 });
    tried.take(7, 1, { text: TIMED });
    tried.take(8, 1);
    tried.check.forget();
    expect(tried.take(7, 2, { text: TIMED, duplicate: true })).toBe('new');
    expect(tried.take(8, 2, { duplicate: true })).toBe('new');
    expect(tried.take(8, 3, { duplicate: true })).toBe('maybe repeated');
  });

  it('keeps payloads up to the limit, and the digest of older ones', () => {
    const tried = new Tried({ window: 100, maxPayloadBytes: 1000 });
    const texts = Array.from({ length: 300 }, (_, i) => `at ${String(i).padStart(90, '0')}`);
    for (const [i, text] of texts.entries()) tried.take(i + 1, 1, { text });
    const newest = texts.slice(200).map((text, i) => tried.take(i + 201, 2, { text, duplicate: true }));
    expect(new Set(newest)).toEqual(new Set(['repeated']));
    expect(tried.take(1, 2, { text: texts[0]!, duplicate: true })).toBe('new');
    expect(tried.take(290, 3, { text: `${texts[289]!} `, duplicate: true })).toBe('new');
  });
});
