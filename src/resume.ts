import type { Backups } from './backup/backups.ts';
import type { BrokerSession } from './broker-session.ts';
import type { Counters } from './core/counters.ts';
import { MAX_VALUE_NO } from './core/limits.ts';
import { laterPlace, ORIGIN, type Place } from './core/place.ts';
import { placeOfKey } from './core/tag-values.ts';
import type { Journal } from './journal/journal.ts';
import type { ResumePlaces } from './writer/neighbours.ts';

export interface TakeUpParts {
  /** Open, and nothing was appended to it yet. */
  readonly journal: Journal;
  /** Started, and nothing was added to them yet. */
  readonly backups: Backups;
  readonly counters: Counters;
  readonly session: BrokerSession;
}

export interface TakenUp {
  readonly places: ResumePlaces;
  /** Up to here the checkpoint or a CSV file says that values are settled. */
  readonly settledByFiles: Place;
}

/**
 * What CSV files hold of the journal's values, although its checkpoint may not say so: the process ended between the
 * two.
 */
export interface FoundInFiles {
  /** The last value that was backed up, of those whose files are still here; undefined: none. */
  readonly backedUp: Place | undefined;
  /** Places of rejected rows behind the checkpoint, as `placeKeyOf`. */
  readonly rejected: ReadonlySet<string>;
}

/**
 * Takes up what an earlier run left, before the first new message:
 *
 * | what                                  | where it is found                    | whom it is for                    |
 * | ------------------------------------- | ------------------------------------ | --------------------------------- |
 * | the counters                          | checkpoint                           | `counters`                        |
 * | what the broker does and has got      | checkpoint                           | `session`                         |
 * | what the broker may deliver again     | newest messages of the journal       | `session`                         |
 * | packet ids of QoS 2 that are held     | checkpoint, journal (recovery.ts)    | the journal, which has them       |
 * | undecodable messages that are kept    | their CSV files                      | the backups, which pass over them |
 * | what formats know of earlier messages | their memory                         | the decoder, through Storage.open |
 * | values that are settled               | checkpoint, backups, rejected rows   | the writer, which passes over them |
 * | values that may be in Oracle          | number of the journal's last message | the writer, which asks the ledger |
 *
 * Throws the system error of the disk, and an Error for a CSV file that an earlier run left open and that could not be
 * recovered.
 */
export async function takeUp({ journal, backups, counters, session }: TakeUpParts): Promise<TakenUp> {
  const { checkpoint } = journal;
  Object.assign(counters, checkpoint?.counters);
  const records = await journal.recentRecords();
  session.resume(
    checkpoint?.broker,
    records.filter((record) => !record.isRelease && journal.isOfSession(record)),
  );
  const { backedUp, rejected } = await findInFiles(journal, backups);
  const counted = checkpoint?.place ?? ORIGIN;
  const settled = laterPlace(counted, backedUp ?? ORIGIN);
  return {
    places: {
      counted,
      settled,
      recovered: { messageNo: records.at(-1)?.number ?? 0, valueNo: MAX_VALUE_NO },
      ledger: checkpoint?.ledger ?? ORIGIN,
      rejected,
    },
    settledByFiles: [...rejected].map(placeOfKey).reduce(laterPlace, settled),
  };
}

/** Looks for values of the journal in the CSV files. Throws as `takeUp` does. */
export async function findInFiles(journal: Journal, backups: Backups): Promise<FoundInFiles> {
  const lane = backups.lane();
  const backedUp = await lane.lastPlace(journal.id);
  // A journal without open messages gives nothing again, whatever stands in the files.
  if (journal.status.messages === 0) return { backedUp, rejected: new Set() };
  const after = journal.checkpoint?.place ?? ORIGIN;
  await backups.recallUndecodable(journal.id, after);
  return { backedUp, rejected: await lane.recall(journal.id, after) };
}
