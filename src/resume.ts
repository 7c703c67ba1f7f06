import type { Backups } from './backup/backups.ts';
import type { BrokerSession } from './broker-session.ts';
import { restore, type MessageCounters } from './core/counters.ts';
import { MAX_VALUE_NO } from './core/limits.ts';
import { comparePlaces, laterPlace, ORIGIN, type Place } from './core/place.ts';
import { placeOfKey } from './core/tag-values.ts';
import type { LaneRecord } from './journal/checkpoint-file.ts';
import type { Journal } from './journal/journal.ts';
import type { LaneTakenUp } from './lanes/lane.ts';

export interface TakeUpParts {
  /** Open, and nothing was appended to it yet. */
  readonly journal: Journal;
  /** Started, and nothing was added to them yet. */
  readonly backups: Backups;
  readonly counters: MessageCounters;
  readonly session: BrokerSession;
  /** Those of the configuration, and those that messages of the journal may be for. */
  readonly destinations: readonly string[];
}

/**
 * What CSV files hold of the journal's values for one destination, although its checkpoint may not say so: the process
 * ended between the two.
 */
export interface FoundInFiles {
  /** The last value that was backed up, of those whose files are still here; undefined: none. */
  readonly backedUp: Place | undefined;
  /** The checkpoint does not say so yet. */
  readonly isBehind: boolean;
  /** Places of rejected rows behind the checkpoint, as `placeKeyOf`. */
  readonly rejected: ReadonlySet<string>;
}

/**
 * Takes up what an earlier run left, before the first new message:
 *
 * | what                                  | where it is found                    | whom it is for                    |
 * | ------------------------------------- | ------------------------------------ | --------------------------------- |
 * | the counters of messages              | checkpoint, messages of the journal  | `counters`                        |
 * | the counters of values                | checkpoint                           | their lane                        |
 * | what the broker does and has got      | checkpoint                           | `session`                         |
 * | what the broker may deliver again     | newest messages of the journal       | `session`                         |
 * | packet ids of QoS 2 that are held     | checkpoint, journal (recovery.ts)    | the journal, which has them       |
 * | undecodable messages that are kept    | their CSV files                      | the backups, which pass over them |
 * | what formats know of earlier messages | their memory                         | the decoder, through Storage.open |
 * | values that are settled               | checkpoint, backups, rejected rows   | the lane, which passes over them  |
 * | values that may be in Oracle          | number of the journal's last message | the lane, which asks the ledger   |
 *
 * Gives what there is for each destination, those that only files name included. Throws the system error of the disk,
 * and an Error for a CSV file that an earlier run left open and that could not be recovered.
 */
export async function takeUp(parts: TakeUpParts): Promise<Map<string, LaneTakenUp>> {
  const { journal, backups, counters, session, destinations } = parts;
  const { checkpoint } = journal;
  restore(counters, checkpoint?.counters);
  counters.messagesReceived += journal.uncounted;
  const records = await journal.recentRecords();
  session.resume(
    checkpoint?.broker,
    records.filter((record) => !record.isRelease && journal.isOfSession(record)),
  );
  if (journal.status.messages > 0) await backups.recallUndecodable(journal.id, checkpoint?.place ?? ORIGIN);
  const recovered = { messageNo: records.at(-1)?.number ?? 0, valueNo: MAX_VALUE_NO };
  const taken = new Map<string, LaneTakenUp>();
  for (const destination of new Set([...destinations, ...backups.destinations()])) {
    const found = await findInFiles(journal, backups, destination);
    taken.set(destination, takenUp(journal, recovered, checkpoint?.lanes[destination], found));
  }
  return taken;
}

const NOTHING_FOUND: FoundInFiles = { backedUp: undefined, isBehind: false, rejected: new Set() };

/** What there is of a destination that no file names. */
export function takeUpNothing(journal: Journal, record: LaneRecord | undefined): LaneTakenUp {
  const recovered = { messageNo: journal.lastNo, valueNo: MAX_VALUE_NO };
  return takenUp(journal, recovered, record, NOTHING_FOUND);
}

/** Looks for values of the journal in the CSV files of a destination. Throws as `takeUp` does. */
export async function findInFiles(journal: Journal, backups: Backups, destination: string): Promise<FoundInFiles> {
  const lane = backups.lane(destination);
  const counted = countedPlace(journal, journal.checkpoint?.lanes[destination]);
  const backedUp = await lane.lastPlace(journal.id);
  const isBehind = backedUp !== undefined && comparePlaces(counted, backedUp) < 0;
  // A journal without open messages gives nothing again, whatever stands in the files.
  if (journal.status.messages === 0) return { backedUp, isBehind, rejected: new Set() };
  return { backedUp, isBehind, rejected: await lane.recall(journal.id, counted) };
}

function takenUp(
  journal: Journal,
  recovered: Place,
  record: LaneRecord | undefined,
  { backedUp, rejected }: FoundInFiles,
): LaneTakenUp {
  const counted = countedPlace(journal, record);
  const settled = laterPlace(counted, backedUp ?? ORIGIN);
  return {
    places: { counted, settled, recovered, ledger: record?.ledger ?? ORIGIN, rejected },
    settledByFiles: [...rejected].map(placeOfKey).reduce(laterPlace, settled),
  };
}

/** What stands before it is not given again, or was counted by the lane. */
function countedPlace(journal: Journal, record: LaneRecord | undefined): Place {
  return laterPlace(record?.place ?? ORIGIN, journal.checkpoint?.place ?? ORIGIN);
}
