import type { LocalToUtc } from './timestamp.ts';

const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;
const MAX_KEPT_QUARTERS = 10_000;

/** True for a name of the IANA time zone database that this Node.js knows, such as Europe/Berlin; and for UTC. */
export function isTimeZone(name: string): boolean {
  // Intl also takes offsets such as +02:00, which change with no summer and are no zone of a plant.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/**
 * What a clock on a wall of the time zone means; undefined for UTC. Where it is put back, an hour comes twice: the
 * first is taken. Where it is put forward, an hour does not come: its times are taken as if the clock had not been
 * changed yet, which is an hour later by the new one. `name` must be one that `isTimeZone` knows.
 */
export function compileTimeZone(name: string): LocalToUtc | undefined {
  if (/^(?:UTC|GMT|Z|Etc\/UTC)$/i.test(name)) return undefined;
  const offsets = new ZoneOffsets(name);
  return (localMs) => {
    if (Number.isNaN(localMs)) return Number.NaN;
    const before = offsets.at(localMs - DAY_MS);
    const after = offsets.at(localMs + DAY_MS);
    // On nearly all days of the year there is nothing to choose.
    if (before === after || offsets.at(localMs - before) === before) return localMs - before;
    return localMs - (offsets.at(localMs - after) === after ? after : before);
  };
}

/** How far a zone's clocks are ahead of UTC, in milliseconds; they change at a full quarter of an hour. */
class ZoneOffsets {
  readonly #format: Intl.DateTimeFormat;
  readonly #byQuarter = new Map<number, number>();

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  at(utcMs: number): number {
    const quarter = Math.floor(utcMs / QUARTER_MS);
    let offset = this.#byQuarter.get(quarter);
    if (offset === undefined) {
      offset = this.#compute(quarter * QUARTER_MS);
      if (this.#byQuarter.size >= MAX_KEPT_QUARTERS) this.#byQuarter.clear();
      this.#byQuarter.set(quarter, offset);
    }
    return offset;
  }

  #compute(utcMs: number): number {
    const parts = new Map(this.#format.formatToParts(utcMs).map(({ type, value }) => [type, value]));
    const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
    const year = parts.get('era')?.startsWith('B') === true ? 1 - number('year') : number('year');
    const wall = new Date(0);
    // Date.UTC takes years below 100 for 19xx.
    wall.setUTCFullYear(year, number('month') - 1, number('day'));
    wall.setUTCHours(number('hour'), number('minute'), number('second'));
    return wall.getTime() - utcMs;
  }
}
