import { microsecondsOf } from '../core/microseconds.ts';

/*
 * The driver asks a Date for its fields one by one, row by row, and takes the milliseconds times 1,000,000 for the
 * nanoseconds, of which it writes the whole ones (`writeOracleDate` of node-oracledb 26.0.0). A plain Date works each
 * field out anew; this one knows them, which makes the driver's part of a row a tenth cheaper (docs/performance.md).
 *
 * Milliseconds with a fraction keep the microseconds on the way. Some of a thousandth, such as 0.001, are a little too
 * small as doubles and would come out a nanosecond short: a hundredth of a nanosecond is added. That the installed
 * driver does so is asserted at every start (driver-fit.ts).
 */

const DAY_MS = 86_400_000;
const HOUR_SECONDS = 3600;

/** The fields that all times of a day share. */
interface Day {
  readonly number: number;
  readonly year: number;
  /** From 0. */
  readonly month: number;
  readonly date: number;
}

let lastDay: Day = dayOf(0);

class BoundTime extends Date {
  readonly #day: Day;
  readonly #secondOfDay: number;
  readonly #milliseconds: number;

  constructor(wholeMs: number, microseconds: number) {
    super(wholeMs);
    const dayNumber = Math.floor(wholeMs / DAY_MS);
    if (lastDay.number !== dayNumber) lastDay = dayOf(dayNumber);
    const msOfDay = wholeMs - dayNumber * DAY_MS;
    this.#day = lastDay;
    this.#secondOfDay = Math.floor(msOfDay / 1000);
    this.#milliseconds = (msOfDay % 1000) + (microseconds === 0 ? 0 : microseconds / 1000 + 1e-8);
  }

  override getUTCFullYear(): number {
    return this.#day.year;
  }

  override getUTCMonth(): number {
    return this.#day.month;
  }

  override getUTCDate(): number {
    return this.#day.date;
  }

  override getUTCHours(): number {
    return Math.floor(this.#secondOfDay / HOUR_SECONDS);
  }

  override getUTCMinutes(): number {
    return Math.floor((this.#secondOfDay % HOUR_SECONDS) / 60);
  }

  override getUTCSeconds(): number {
    return this.#secondOfDay % 60;
  }

  override getUTCMilliseconds(): number {
    return this.#milliseconds;
  }
}

/** A time in epoch milliseconds as it is bound: the driver only reads it. */
export function boundTime(timeMs: number): Date {
  return new BoundTime(Math.floor(timeMs), microsecondsOf(timeMs));
}

function dayOf(number: number): Day {
  const date = new Date(number * DAY_MS);
  return { number, year: date.getUTCFullYear(), month: date.getUTCMonth(), date: date.getUTCDate() };
}
