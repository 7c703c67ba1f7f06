/*
 * What a subscription says of values that need not be written, or whose time can't be right. All of it may be left out.
 * Patterns are texts with `*` for any characters, and the whole of a tag's name must match: what stands in the column
 * of tag names.
 */

/** A value within the wider of the two bands around the last one that was let through need not be written. */
export interface Deadband {
  /** In the unit of the values. */
  readonly absolute?: number;
  /** Of the magnitude of the last value that was let through. */
  readonly percent?: number;
}

/** What holds for the tags of a pattern in place of what the subscription says. */
export interface TagFilter {
  readonly match: string;
  /** `off`: every value is let through. Absent: that of the subscription. */
  readonly deadband?: Deadband | 'off';
  readonly maxSilenceSeconds?: number;
}

/** Which values a subscription lets through. */
export interface FilterOptions {
  /** Patterns of the tags that are wanted; none: all are. */
  readonly include?: readonly string[];
  /** Patterns of tags that are not wanted, also where `include` names them. */
  readonly exclude?: readonly string[];
  readonly deadband?: Deadband | undefined;
  /** A value is let through when the last one that was is so much older; 0: not for that. */
  readonly maxSilenceSeconds?: number;
  /** The first whose pattern matches counts. */
  readonly tags?: readonly TagFilter[];
}

/** How far the time of a value may be from that of its receipt. */
export interface PlausibleTime {
  readonly pastDays: number;
  readonly futureMinutes: number;
}

export type OnImplausibleTime = 'accept' | 'receivedAt' | 'reject';

export interface TimeOptions {
  readonly onImplausibleTime?: OnImplausibleTime;
  readonly plausibleTime?: PlausibleTime;
}

/**
 * A buffer of a gateway or PLC holds days or weeks; a clock that was never set is years behind. Half an hour is less
 * than any time zone is off UTC, so that a local time taken for UTC shows, and more than clocks commonly drift.
 */
export const PLAUSIBLE_TIME: PlausibleTime = { pastDays: 90, futureMinutes: 30 };
