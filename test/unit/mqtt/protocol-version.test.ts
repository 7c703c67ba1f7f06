import { expect, test } from 'vitest';

import { ProtocolChoice } from '../../../src/mqtt/protocol-version.ts';

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
  const tried = Array.from({ length: 7 }, () => {
    const version = choice.next;
    choice.unanswered();
    return version;
  });
  expect(tried).toEqual([5, 5, 5, 4, 5, 4, 5]);
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
