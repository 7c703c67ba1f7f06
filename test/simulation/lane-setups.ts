import { DEFAULT_DESTINATION } from '../../src/core/destination.ts';
import type { Random } from './random.ts';

/** The destinations that one life of the bridge is configured with, and which topics go where. */
export interface LaneSetup {
  /** Beside the default one. */
  readonly destinations: readonly string[];
  readonly to: Readonly<Record<Source, string>>;
  /** Whom the tags of P3 are for, one by one, where its messages are for several. */
  readonly rows?: readonly string[] | undefined;
}

/** Where messages come from: three PLCs, and states without a time. */
export type Source = 'P1' | 'P2' | 'P3' | 'state';

export const SOURCES: readonly Source[] = ['P1', 'P2', 'P3', 'state'];
/** The tags of a PLC, by their keys in a message. */
export const TAGS: readonly string[] = ['T0', 'T1', 'T2', 'T3', 'T4'];
const NAMES = ['alarms', 'energy'] as const;
const MAX_SETUPS = 4;

export const ONE_LANE: LaneSetup = {
  destinations: [],
  to: { P1: DEFAULT_DESTINATION, P2: DEFAULT_DESTINATION, P3: DEFAULT_DESTINATION, state: DEFAULT_DESTINATION },
};

/**
 * The setups of the lives, one after the other: destinations come and go, and topics change over. The last one has all
 * that there ever were, so that what waits for one that was gone comes to its end.
 */
export function drawSetups(random: Random): readonly LaneSetup[] {
  const hasRows = random.chance(0.5);
  const all = random.chance(0.5) ? NAMES : NAMES.slice(0, 1);
  const setups = Array.from({ length: random.int(0, MAX_SETUPS) }, () => {
    const destinations = all.filter(() => random.chance(0.7));
    return setup(random, destinations, hasRows);
  });
  return [...setups, setup(random, all, hasRows)];
}

function setup(random: Random, destinations: readonly string[], hasRows: boolean): LaneSetup {
  const choices = [DEFAULT_DESTINATION, ...destinations];
  const to = SOURCES.map((source) => [source, random.pick(choices)] as const);
  const rows = hasRows && random.chance(0.7) ? TAGS.map(() => random.pick(choices)) : undefined;
  return { destinations, to: Object.fromEntries(to) as Record<Source, string>, rows };
}
