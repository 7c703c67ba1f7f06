/** How a list of tags can be ordered; equal ones stand in the order of their names. */
export const TAG_ORDERS = ['name', 'oldest', 'newest', 'quality'] as const;
export type TagOrder = (typeof TAG_ORDERS)[number];

/** What is known of tags, by slot. */
export interface TagColumns {
  readonly timesMs: readonly number[];
  readonly qualities: readonly string[];
}

/** Times beyond it no calendar has; they count as none. */
const MAX_TIME_MS = 8.64e15;

/** A lower rank comes first. A tag without a time is the oldest: nobody knows since when its value holds. */
const RANKS: Readonly<Record<TagOrder, (columns: TagColumns, slot: number) => number>> = {
  name: () => 0,
  oldest: ({ timesMs }, slot) => (hasTime(timesMs[slot]) ? timesMs[slot] : -Infinity),
  newest: ({ timesMs }, slot) => (hasTime(timesMs[slot]) ? -timesMs[slot] : Infinity),
  quality: ({ qualities }, slot) => (isGood(qualities[slot]) ? 1 : 0),
};

export function hasTime(timeMs: number | undefined): timeMs is number {
  return timeMs !== undefined && Math.abs(timeMs) <= MAX_TIME_MS;
}

export function isGood(quality: string | undefined): boolean {
  return quality === 'GOOD';
}

/**
 * The first `limit` of the slots, which are in the order of names. Of a hundred thousand only these are sorted, as a
 * page asks every other second.
 */
export function firstSlots(slots: readonly number[], limit: number, order: TagOrder, columns: TagColumns): number[] {
  if (order === 'name') return slots.slice(0, limit);
  const rank = RANKS[order];
  const ranks = Float64Array.from(slots, (slot) => rank(columns, slot));
  const last = ranks.toSorted()[Math.min(limit, slots.length) - 1]!;
  let room = limit - ranks.reduce((count, each) => count + (each < last ? 1 : 0), 0);
  const chosen: number[] = [];
  for (const [i, slot] of slots.entries()) {
    if (ranks[i]! > last || (ranks[i] === last && room === 0)) continue;
    if (ranks[i] === last) room -= 1;
    chosen.push(slot);
  }
  return chosen.sort((a, b) => compare(rank(columns, a), rank(columns, b)));
}

/** Infinities have no difference. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
