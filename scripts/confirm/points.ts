/** All points, in the order of docs/to-confirm.md, and what became of each on one database. */
import { BATCH_POINTS } from './batches.ts';
import { FAULT_POINTS } from './faults.ts';
import { Place, type Where } from './place.ts';
import { firstLine, NotTried, type Point } from './point.ts';
import { TRANSACTION_POINTS } from './transactions.ts';
import { VALUE_POINTS } from './values.ts';

export const POINTS: readonly Point[] = [...BATCH_POINTS, ...TRANSACTION_POINTS, ...VALUE_POINTS, ...FAULT_POINTS];

export interface Verdict {
  readonly point: Point;
  readonly word: 'confirmed' | 'differs' | 'not tried';
  /** What was seen, or why it could not be tried. */
  readonly said: string;
}

/** Rights, options and syntax that this database does not have: nothing is known of the point then. */
const CANNOT_BE_TRIED: ReadonlySet<string> = new Set([
  'ORA-00439', // feature not enabled
  'ORA-00900', // invalid SQL statement
  'ORA-00901', // invalid CREATE
  'ORA-00902', // invalid data type
  'ORA-00907', // missing right parenthesis
  'ORA-00922', // missing or invalid option
  'ORA-00940', // invalid ALTER
  'ORA-00942', // no view of that name, or no right to it
  'ORA-01031', // insufficient privileges
  'ORA-01735', // invalid ALTER TABLE option
  'ORA-01950', // no quota
  'ORA-03001', // unimplemented feature
]);

/**
 * Tries one point. Its sessions are ended and its tables dropped whatever comes. Throws when that can't be done:
 * nothing more should be tried then.
 */
export async function tryPoint(point: Point, where: Where, refusesLogOns: boolean): Promise<Verdict> {
  const place = new Place(where, refusesLogOns);
  try {
    return { point, word: 'confirmed', said: await point.run(place) };
  } catch (error) {
    const text = firstLine((error as Error).message);
    const untried = error instanceof NotTried || CANNOT_BE_TRIED.has(text.slice(0, 9));
    return { point, word: untried ? 'not tried' : 'differs', said: text };
  } finally {
    await place.clear();
  }
}
