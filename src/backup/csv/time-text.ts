import { microsecondsOf, withMicroseconds } from '../../core/microseconds.ts';

const MS_PER_MINUTE = 60_000;
/** What a Date can hold [ECMA-262 "Time Values and Time Range"]. */
const MAX_TIME_MS = 8.64e15;

const SECONDS = Array.from({ length: 60 }, (_, second) => `${String(second).padStart(2, '0')}.`);
const THREE_DIGITS = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'));

const ISO = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;
/** The digits below the millisecond, in such a text. */
const MICROSECONDS = /(?<=\.\d{3})\d+/;
const EPOCH_MS = /^-?\d+(?:\.\d+)?(?:e\+\d+)?$/;

/**
 * Times as text: ISO 8601 in UTC with milliseconds, or microseconds where it has them; empty for NaN. A time that no
 * calendar holds (a PLC may send any number) stands as its epoch milliseconds.
 *
 * Keep one for a batch: times of one batch mostly lie in one minute, and often are the same.
 */
export class TimeWriter {
  #lastMs = Number.NaN;
  #lastText = '';
  #minute = Number.NaN;
  #minuteText = '';

  text(timeMs: number): string {
    if (timeMs === this.#lastMs) return this.#lastText;
    if (Number.isNaN(timeMs)) return '';
    if (Math.abs(timeMs) > MAX_TIME_MS) return String(timeMs);
    const wholeMs = Math.floor(timeMs);
    const minute = Math.floor(wholeMs / MS_PER_MINUTE);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#minuteText = new Date(wholeMs).toISOString().slice(0, -'00.000Z'.length);
    }
    const rest = wholeMs - minute * MS_PER_MINUTE;
    this.#lastMs = timeMs;
    const microseconds = wholeMs === timeMs ? '' : microsecondsText(timeMs);
    this.#lastText = `${this.#minuteText}${SECONDS[Math.floor(rest / 1000)]!}${THREE_DIGITS[rest % 1000]!}${microseconds}Z`;
    return this.#lastText;
  }
}

function microsecondsText(timeMs: number): string {
  const microseconds = microsecondsOf(timeMs);
  return microseconds === 0 ? '' : THREE_DIGITS[microseconds]!;
}

/**
 * The inverse. What is finer than a microsecond is cut, as a person may have written it. Undefined for what is no time
 * with a zone.
 */
export class TimeReader {
  #lastText = '';
  #lastMs = Number.NaN;

  timeMs(text: string): number | undefined {
    if (text === this.#lastText) return this.#lastMs;
    const timeMs = ISO.test(text) ? timeOfIso(text) : EPOCH_MS.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(timeMs)) return undefined;
    this.#lastText = text;
    this.#lastMs = timeMs;
    return timeMs;
  }
}

function timeOfIso(text: string): number {
  const microseconds = MICROSECONDS.exec(text)?.[0] ?? '';
  if (microseconds === '') return Date.parse(text);
  const wholeMs = Date.parse(text.replace(MICROSECONDS, ''));
  return withMicroseconds(wholeMs, Number(microseconds.slice(0, 3).padEnd(3, '0')));
}
