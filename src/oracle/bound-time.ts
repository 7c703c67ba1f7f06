import { microsecondsOf } from '../core/microseconds.ts';

/**
 * A Date that keeps its microseconds on the way to the database.
 *
 * The driver asks a Date for its fields one by one and takes the milliseconds times 1,000,000 for the nanoseconds, of
 * which it writes the whole ones (`writeOracleDate` of node-oracledb 26.0.0). So milliseconds with a fraction keep the
 * microseconds. Some of a thousandth, such as 0.001, are a little too small as
 * doubles and would come out a nanosecond short: a hundredth of a nanosecond is added. That the installed driver does
 * so is asserted at every start (driver-fit.ts).
 */
class MicrosecondDate extends Date {
  readonly #milliseconds: number;

  constructor(wholeMs: number, microseconds: number) {
    super(wholeMs);
    this.#milliseconds = super.getUTCMilliseconds() + microseconds / 1000 + 1e-8;
  }

  override getUTCMilliseconds(): number {
    return this.#milliseconds;
  }
}

/** A time in epoch milliseconds as it is bound: the driver only reads it. */
export function boundTime(timeMs: number): Date {
  const microseconds = microsecondsOf(timeMs);
  return microseconds === 0 ? new Date(timeMs) : new MicrosecondDate(Math.floor(timeMs), microseconds);
}
