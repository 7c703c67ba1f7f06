import type { Offence } from '../crash/verdict.ts';

/** What a journal holds, by the id of its member: how often each name. */
export type Journals = ReadonlyMap<string, ReadonlyMap<string, number>>;

export interface FleetVerdict {
  readonly offences: readonly Offence[];
  /**
   * Doubled, and journalled once by each of two members or more: the broker did not get the PUBACK of one and gave the
   * message to another, as MQTT 5 lets it [section 4.8.2]. Two journals can't know of each other.
   */
  readonly givenToAnother: readonly Offence[];
  /** Doubled, without a time of its own, and journalled twice by one member: what `messagesMaybeRepeated` counts. */
  readonly maybeRepeated: readonly Offence[];
}

/** Tells what no fleet can help, and what is said to be in doubt, from what is a fault. */
export function judgeFleet(
  offences: readonly Offence[],
  journals: Journals,
  hasOwnTime: (name: string) => boolean,
): FleetVerdict {
  const verdict = { offences: [] as Offence[], givenToAnother: [] as Offence[], maybeRepeated: [] as Offence[] };
  for (const offence of offences) {
    const counts = [...journals.values()].map((journal) => journal.get(offence.name) ?? 0).filter((count) => count > 0);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const isAsJournalled = offence.what === 'doubled' && offence.copies === total;
    if (isAsJournalled && counts.every((count) => count === 1)) verdict.givenToAnother.push(offence);
    else if (isAsJournalled && !hasOwnTime(offence.name)) verdict.maybeRepeated.push(offence);
    else verdict.offences.push(offence);
  }
  return verdict;
}
