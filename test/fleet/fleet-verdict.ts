import type { Offence } from '../crash/verdict.ts';

/** What a journal holds, by the id of its member: how often each name. */
export type Journals = ReadonlyMap<string, ReadonlyMap<string, number>>;

export interface FleetVerdict {
  readonly offences: readonly Offence[];
  /**
   * Doubled, and journalled once by each of two members or more: the broker did not get the PUBACK of one and gave the message to another, as
   * MQTT 5 lets it [section 4.8.2]. Two journals can't know of each other.
   */
  readonly givenToAnother: readonly Offence[];
}

/** Tells what no fleet can help from what is a fault. */
export function judgeFleet(offences: readonly Offence[], journals: Journals): FleetVerdict {
  const isGiven = (offence: Offence): boolean => {
    if (offence.what !== 'doubled') return false;
    const counts = [...journals.values()].map((journal) => journal.get(offence.name) ?? 0).filter((count) => count > 0);
    return counts.length > 1 && counts.every((count) => count === 1) && offence.copies === counts.length;
  };
  return {
    offences: offences.filter((offence) => !isGiven(offence)),
    givenToAnother: offences.filter((offence) => isGiven(offence)),
  };
}
