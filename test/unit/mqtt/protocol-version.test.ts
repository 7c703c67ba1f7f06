import { expect, test } from 'vitest';

import { ConnackTimeoutError, isSilence, ProtocolChoice } from '../../../src/mqtt/connection/protocol-version.ts';

test('a refusal of MQTT 5 is final, and a fall-back only once', () => {
  const choice = new ProtocolChoice(5);
  expect(choice.next).toBe(5);
  expect(choice.refused(5)).toBe(true);
  expect(choice.next).toBe(4);
  expect(choice.refused(5)).toBe(false);
  expect(choice.refused(4)).toBe(false);
  expect(choice.accepted(4)).toBe(false);
  expect(choice.next).toBe(4);
});

test('after three attempts without an answer every second one is made with 3.1.1', () => {
  const choice = new ProtocolChoice(5);
  expect(triedInVain(choice, 7)).toEqual([5, 5, 5, 4, 5, 4, 5]);
});

test('what is accepted first is kept', () => {
  const falling = new ProtocolChoice(5);
  for (let i = 0; i < 3; i += 1) falling.unanswered();
  expect(falling.accepted(4)).toBe(true);
  falling.unanswered();
  expect(falling.next).toBe(4);

  const staying = new ProtocolChoice(5);
  for (let i = 0; i < 4; i += 1) staying.unanswered();
  expect(staying.accepted(5)).toBe(false);
  for (let i = 0; i < 9; i += 1) staying.unanswered();
  expect(staying.next).toBe(5);
});

test('3.1.1 is never left when it is configured', () => {
  const choice = new ProtocolChoice(4);
  for (let i = 0; i < 9; i += 1) choice.unanswered();
  expect(choice.next).toBe(4);
  expect(choice.refused(4)).toBe(false);
});

/** The versions that attempts without an answer are made with. */
function triedInVain(choice: ProtocolChoice, attempts: number): number[] {
  return Array.from({ length: attempts }, () => {
    const version = choice.next;
    choice.unanswered();
    return version;
  });
}

test('what is remembered comes first, and the other only after much longer', () => {
  for (const [remembered, other] of [
    [4, 5],
    [5, 4],
  ] as const) {
    const tried = triedInVain(new ProtocolChoice(5, remembered), 23);
    expect(tried).toEqual([...Array.from({ length: 20 }, () => remembered), other, remembered, other]);
  }
});

test('what is remembered and refused gives way to the other', () => {
  const choice = new ProtocolChoice(5, 4);
  expect(choice.refused(4)).toBe(true);
  expect(choice.next).toBe(5);
  expect(choice.refused(5)).toBe(false);
  expect(choice.next).toBe(5);
});

test('nothing remembered overrules a configured 3.1.1', () => {
  const choice = new ProtocolChoice(4, 5);
  expect(triedInVain(choice, 30)).toEqual(Array.from({ length: 30 }, () => 4));
});

test('a version that is to be used is, and is left when the broker refuses it', () => {
  const choice = new ProtocolChoice(5);
  choice.accepted(5);
  choice.use(4);
  expect(choice.next).toBe(4);
  expect(choice.accepted(4)).toBe(false);
  expect(choice.refused(4)).toBe(true);
  expect(choice.next).toBe(5);
});

test('silence is no answer to CONNECT, and no trouble on the way', () => {
  const error = (code: string) => Object.assign(new Error(code), { code });
  expect([undefined, error('ECONNRESET'), new ConnackTimeoutError(5000)].map(isSilence)).toEqual([true, true, true]);
  expect([error('ECONNREFUSED'), new Error('no connection within 15000 ms')].map(isSilence)).toEqual([false, false]);
});
