import type { Reason } from '../../core/errors.ts';
import type { TagValues } from '../../core/tag-values.ts';
import { PLAUSIBLE_TIME, type TimeOptions } from './filter-options.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Epoch milliseconds; times at either end are plausible. */
export interface TimeWindow {
  readonly earliestMs: number;
  readonly latestMs: number;
}

/** The times that a value received then may have. */
export function windowAt(receivedAtMs: number, { plausibleTime = PLAUSIBLE_TIME }: TimeOptions): TimeWindow {
  return {
    earliestMs: receivedAtMs - plausibleTime.pastDays * DAY_MS,
    latestMs: receivedAtMs + plausibleTime.futureMinutes * MINUTE_MS,
  };
}

/**
 * Notes in the list which of a message's values have a time that can't be right, and does with them what the options
 * say. A value without a time of its own has that of receipt, and one whose time can't be read has a problem already.
 */
export function checkTimes(values: TagValues, receivedAtMs: number, options: TimeOptions): void {
  const { earliestMs, latestMs } = windowAt(receivedAtMs, options);
  const { length, timesMs } = values;
  for (let i = 0; i < length; i += 1) {
    const timeMs = timesMs[i]!;
    if (timeMs < earliestMs || timeMs > latestMs) noteImplausible(values, i, receivedAtMs, options);
  }
}

function noteImplausible(values: TagValues, i: number, receivedAtMs: number, options: TimeOptions): void {
  const timeMs = values.timesMs[i]!;
  values.implausible.set(i, timeMs);
  if (options.onImplausibleTime === 'receivedAt') values.timesMs[i] = receivedAtMs;
  if (options.onImplausibleTime === 'reject') values.problems[i] ??= implausible(timeMs, receivedAtMs, options);
}

function implausible(
  timeMs: number,
  receivedAtMs: number,
  { plausibleTime: { futureMinutes, pastDays } = PLAUSIBLE_TIME }: TimeOptions,
): Reason {
  const how = timeMs < receivedAtMs ? `${pastDays} days before` : `${futureMinutes} minutes after`;
  const [time, receipt] = [timeMs, receivedAtMs].map((each) => new Date(each).toISOString());
  const message = `the time ${time} is more than ${how} that of receipt, ${receipt} (plausibleTime)`;
  return { code: 'TIMESTAMP_IMPLAUSIBLE', message };
}
