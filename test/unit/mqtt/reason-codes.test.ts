import { expect, test } from 'vitest';

import { isVersionRefusal, reasonCodeOf, reasonText } from '../../../src/mqtt/connection/reason-codes.ts';
import { refusalOf } from '../../../src/mqtt/connection/remedies.ts';

test.each([4, 5, 134, 135])('a refusal with code %i is about the credentials and is retried slowly', (code) => {
  expect(refusalOf(code)).toMatchObject({ isSlow: true, remedy: expect.stringContaining('mqtt.password') as string });
});

test.each([undefined, 3, 136, 137])('a refusal with code %s passes by itself', (code) => {
  expect(refusalOf(code)).toEqual({ isSlow: false, remedy: '' });
});

test('only a refused version leads to another version', () => {
  expect([undefined, 0, 1, 2, 5, 128, 130, 132].filter(isVersionRefusal)).toEqual([1, 132]);
});

test('reason codes are named for a person', () => {
  expect(reasonText(0x87)).toBe('Not authorized (0x87)');
  expect(reasonText(0xff)).toBe('unknown reason (0xff)');
});

test('names of system errors are no reason codes', () => {
  expect(reasonCodeOf(Object.assign(new Error('refused'), { code: 5 }))).toBe(5);
  expect(reasonCodeOf(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))).toBeUndefined();
  expect(reasonCodeOf(new Error('refused'))).toBeUndefined();
});
