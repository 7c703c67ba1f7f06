import { MAX_VALUE_NO } from './limits.ts';

/** Where a value stands in the stream: its message's number, and its own number within the message, from 0. */
export interface Place {
  readonly messageNo: number;
  readonly valueNo: number;
}

/** Before every value of every journal. */
export const ORIGIN: Place = { messageNo: 0, valueNo: 0 };

/** Behind every value of every journal. */
export const END: Place = { messageNo: Number.MAX_SAFE_INTEGER, valueNo: MAX_VALUE_NO };

/** Below 0 when `a` comes before `b`, 0 when they are the same. */
export function comparePlaces(a: Place, b: Place): number {
  return a.messageNo - b.messageNo || a.valueNo - b.valueNo;
}

/** The later one. */
export function laterPlace(a: Place, b: Place): Place {
  return comparePlaces(a, b) < 0 ? b : a;
}

/** The earlier one. */
export function earlierPlace(a: Place, b: Place): Place {
  return comparePlaces(a, b) < 0 ? a : b;
}

/** The last place in front of this one. */
export function placeBefore({ messageNo, valueNo }: Place): Place {
  return valueNo > 0 ? { messageNo, valueNo: valueNo - 1 } : { messageNo: messageNo - 1, valueNo: MAX_VALUE_NO };
}
