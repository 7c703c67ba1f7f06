import { DEFAULT_DESTINATION } from '../../src/core/destination.ts';
import type { Random } from './random.ts';

/** The destinations that one life of the bridge is configured with, and which topics go where. */
export interface LaneSetup {
  /** Beside the default one. */
  readonly destinations: readonly string[];
  readonly to: Readonly<Record<Source, string>>;
}

/** Where messages come from: three PLCs, and states without a time. */
export type Source = 'P1' | 'P2' | 'P3' | 'state';

export const SOURCES: readonly Source[] = ['P1', 'P2', 'P3', 'state'];
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
  const all = random.chance(0.5) ? NAMES : NAMES.slice(0, 1);
  const setups = Array.from({ length: random.int(0, MAX_SETUPS) }, () => {
    const destinations = all.filter(() => random.chance(0.7));
    return setup(random, destinations);
  });
  return [...setups, setup(random, all)];
}

function setup(random: Random, destinations: readonly string[]): LaneSetup {
  const choices = [DEFAULT_DESTINATION, ...destinations];
  const to = SOURCES.map((source) => [source, random.pick(choices)] as const);
  return { destinations, to: Object.fromEntries(to) as Record<Source, string> };
}
