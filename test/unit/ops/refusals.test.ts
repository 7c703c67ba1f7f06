import { describe, expect, it } from 'vitest';

import type { Message } from '../../../src/core/message.ts';
import { Refusals } from '../../../src/ops/refusals.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { valuesOf } from '../../support/values.ts';

const AT = '2025-11-02T14:30:00.000Z';
const REASON = { code: 'ORA-01438', message: 'value larger than specified precision' };
const row = (index: number) => ({ index, reason: REASON });
const message = (payload: string | Buffer, topic = 'plc/1'): Message => ({
  number: 1,
  topic,
  payload: Buffer.from(payload),
  receivedAtMs: 0,
});

describe('the refusals', () => {
  it('say which value was rejected and why, newest first', async () => {
    const clock = new FakeClock();
    const refusals = new Refusals(clock);
    refusals.noteRejected(valuesOf(1, 'RUN', null), [row(0), row(1), row(2)]);
    await clock.advance(1000);
    refusals.noteRejected(valuesOf(7), [row(0)]);
    expect(refusals.answer().rejected).toEqual([
      { at: '2025-11-02T14:30:01.000Z', tagName: 'PLC01.D0', value: 7, ...REASON },
      { at: AT, tagName: 'PLC01.D2', value: null, ...REASON },
      { at: AT, tagName: 'PLC01.D1', value: 'RUN', ...REASON },
      { at: AT, tagName: 'PLC01.D0', value: 1, ...REASON },
    ]);
  });

  it('say which message was undecodable, with its beginning as text', () => {
    const refusals = new Refusals(new FakeClock());
    refusals.noteUndecodable(message('{nonsense'), { code: 'NOT_JSON', message: 'is not JSON' });
    expect(refusals.answer().undecodable).toEqual([
      { number: 1, isWhole: true, at: AT, topic: 'plc/1', reason: 'is not JSON', payload: '{nonsense' },
    ]);
  });

  it('keep the messages of the list whole, so that they can be tried, but for long ones', () => {
    const refusals = new Refusals(new FakeClock());
    for (let number = 1; number <= 51; number += 1) {
      refusals.noteUndecodable({ ...message(`payload ${number}`), number }, REASON);
    }
    refusals.noteUndecodable({ ...message('x'.repeat(16_385)), number: 52 }, REASON);
    expect(refusals.undecodable(51)).toEqual({ topic: 'plc/1', payload: Buffer.from('payload 51') });
    expect([1, 2, 52].map((number) => refusals.undecodable(number))).toEqual([undefined, undefined, undefined]);
    expect(refusals.answer().undecodable[0]).toMatchObject({ number: 52, isWhole: false });
    expect(refusals.undecodable(3)).toBeDefined();
  });

  it('keep the last 50 of each', () => {
    const refusals = new Refusals(new FakeClock());
    refusals.noteRejected(
      valuesOf(...Array.from({ length: 500 }, (_, i) => i)),
      Array.from({ length: 500 }, (_, i) => row(i)),
    );
    refusals.noteRejected(valuesOf(1000), [row(0)]);
    for (let i = 0; i < 60; i += 1) refusals.noteUndecodable(message(String(i)), REASON);
    const { rejected, undecodable } = refusals.answer();
    expect(rejected.map(({ value }) => value)).toEqual([1000, ...Array.from({ length: 49 }, (_, i) => 499 - i)]);
    expect(undecodable.map(({ payload }) => payload)).toEqual(Array.from({ length: 50 }, (_, i) => String(59 - i)));
  });

  it('are short, whatever was sent', () => {
    const refusals = new Refusals(new FakeClock());
    const long = 'x'.repeat(1_000_000);
    refusals.noteRejected(valuesOf(long), [{ index: 0, reason: { code: 'C', message: long } }]);
    refusals.noteUndecodable(message(long, long.slice(0, 65_535)), { code: 'C', message: long });
    refusals.noteUndecodable(message(Buffer.alloc(1000, 0xff)), REASON);
    refusals.noteUndecodable(message('€'.repeat(100)), REASON);
    const answer = refusals.answer();
    expect(JSON.stringify(answer).length).toBeLessThan(6000);
    expect(answer.undecodable.map(({ payload }) => payload)).toEqual([
      '€'.repeat(66),
      '\ufffd'.repeat(200),
      'x'.repeat(200),
    ]);
  });
});
