/**
 * Points in time with microseconds, as one double of epoch milliseconds.
 *
 * Of the years 1691 to 2248 (2^43 ms to either side of 1970) a double holds each microsecond apart: neighbours are at
 * most 2^-10 ms from each other there, so that the nearest double is less than half a microsecond off. Further away
 * times have milliseconds only. Whoever makes a time makes it by `withMicroseconds`, from whole milliseconds and whole
 * microseconds: then each such pair is one double, which `microsecondsOf` reads back.
 */

/** So far from 1970 times have no microseconds. */
const MICROSECONDS_WITHIN_MS = 2 ** 43;

/** `microseconds`: a whole number from 0 to 1000. NaN for NaN. */
export function withMicroseconds(wholeMs: number, microseconds: number): number {
  if (microseconds === 0 || !(Math.abs(wholeMs) < MICROSECONDS_WITHIN_MS)) return wholeMs;
  return (wholeMs * 1000 + microseconds) / 1000;
}

/** The whole number of microseconds by which a time is later than its whole millisecond, `Math.floor` of it. */
export function microsecondsOf(timeMs: number): number {
  const whole = Math.floor(timeMs);
  if (whole === timeMs || !(Math.abs(timeMs) <= MICROSECONDS_WITHIN_MS)) return 0;
  return Math.min(999, Math.round((timeMs - whole) * 1000));
}
