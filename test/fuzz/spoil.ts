import type { Random } from '../simulation/random.ts';

/** More is what the hostile payloads are for. */
export const MAX_SPOILT_BYTES = 65_536;

/** Bytes that mean something to a parser. */
const MEANINGFUL = Buffer.from('{}[]",:\\/-+.0eEnNtfu\u0000\u001e\n\r \u00ff\u0080', 'latin1');
const MAX_REPEATS = 200;
const MAX_CHANGES = 4;

type Change = (random: Random, payload: Buffer, other: Buffer) => Buffer;

const CHANGES: readonly Change[] = [flipBit, putByte, insertByte, cutOff, cutOut, repeatPart, splice];

/** The payload with one to four changes; `other` is another one, a part of which may come in. */
export function spoil(random: Random, payload: Buffer, other: Buffer): Buffer {
  let spoilt = payload;
  for (let left = random.int(1, MAX_CHANGES); left > 0; left -= 1) spoilt = random.pick(CHANGES)(random, spoilt, other);
  return spoilt.subarray(0, MAX_SPOILT_BYTES);
}

/** Any bytes, few of them. */
export function anyBytes(random: Random, maxLength: number): Buffer {
  return Buffer.from(Array.from({ length: random.int(0, maxLength) }, () => random.int(0, 255)));
}

function flipBit(random: Random, payload: Buffer): Buffer {
  const at = random.int(0, payload.length - 1);
  return withByte(payload, at, (payload[at] ?? 0) ^ (1 << random.int(0, 7)));
}

function putByte(random: Random, payload: Buffer): Buffer {
  return withByte(payload, random.int(0, payload.length - 1), random.pick([...MEANINGFUL]));
}

function withByte(payload: Buffer, at: number, byte: number): Buffer {
  const changed = Buffer.from(payload);
  changed[at] = byte;
  return changed;
}

function insertByte(random: Random, payload: Buffer): Buffer {
  const at = random.int(0, payload.length);
  return Buffer.concat([payload.subarray(0, at), Buffer.of(random.pick([...MEANINGFUL])), payload.subarray(at)]);
}

function cutOff(random: Random, payload: Buffer): Buffer {
  return payload.subarray(0, random.int(0, payload.length));
}

function cutOut(random: Random, payload: Buffer): Buffer {
  const [from, to] = range(random, payload);
  return Buffer.concat([payload.subarray(0, from), payload.subarray(to)]);
}

function repeatPart(random: Random, payload: Buffer): Buffer {
  const [from, to] = range(random, payload);
  const room = Math.floor((MAX_SPOILT_BYTES - payload.length) / Math.max(1, to - from));
  const times = Math.min(random.int(1, random.chance(0.1) ? MAX_REPEATS : 3), Math.max(0, room));
  const part = payload.subarray(from, to);
  return Buffer.concat([payload.subarray(0, to), ...Array.from({ length: times }, () => part), payload.subarray(to)]);
}

function splice(random: Random, payload: Buffer, other: Buffer): Buffer {
  const [from, to] = range(random, other);
  const at = random.int(0, payload.length);
  return Buffer.concat([payload.subarray(0, at), other.subarray(from, to), payload.subarray(at)]);
}

function range(random: Random, payload: Buffer): readonly [number, number] {
  const from = random.int(0, payload.length);
  return [from, random.int(from, payload.length)];
}
