import type { TagValues } from '../../src/core/tag-values.ts';
import { driverError, type Done, type LedgerPlace, type Session, type SimDatabase } from './sim-database.ts';

/** A statement as the server carries it out in a session. */
export type Call<T> = (session: Session, done: Done<T>) => void;

type Field = string | number | null | undefined;

const BATCH_ERROR = 'ORA-12899: value too large for column';

/** How texts begin that the table refuses: as one row of a batch, or with the whole batch. */
export const REFUSED_TEXT = 'refused';
export const POISON_TEXT = 'poison';
/** How the names of tags begin whose payloads have no time. */
export const UNTIMED_NAME = 'state.';

export function keyOf(binds: readonly unknown[], at: number): string {
  return `${String(binds[at])} ${String(binds[at + 1])}`;
}

export function placeOf(binds: readonly unknown[], at: number): LedgerPlace {
  return { messageNo: binds[at] as number, valueNo: binds[at + 1] as number };
}

/** SELECT … FOR UPDATE: a row that is there is locked until the transaction ends. */
export function selectPlace(key: string, forUpdate: boolean): Call<{ rows: number[][] }> {
  return (session, done) => {
    const select = (): void => {
      const place = session.place(key);
      if (forUpdate && place === undefined) session.unlock(key);
      done({ value: { rows: place === undefined ? [] : [[place.messageNo, place.valueNo]] } });
    };
    if (forUpdate) session.lock(key, select);
    else select();
  };
}

export function movePlace(
  key: string,
  from: LedgerPlace,
  to: LedgerPlace,
  commits: boolean,
): Call<{ rowsAffected: number }> {
  return (session, done) =>
    session.lock(key, () => {
      const place = session.place(key);
      const isThere = place?.messageNo === from.messageNo && place.valueNo === from.valueNo;
      if (isThere) session.setPlace(key, to);
      else session.unlock(key);
      if (commits) session.commit();
      done({ value: { rowsAffected: isThere ? 1 : 0 } });
    });
}

export function insertPlace(key: string, place: LedgerPlace, commits: boolean): Call<{ rowsAffected: number }> {
  return (session, done) =>
    session.lock(key, () => {
      if (session.place(key) !== undefined) {
        session.unlock(key);
        done({ error: driverError('ORA-00001', 1) });
        return;
      }
      session.setPlace(key, place);
      if (commits) session.commit();
      done({ value: { rowsAffected: 1 } });
    });
}

export function deletePlace(key: string, database: SimDatabase): Call<{ rowsAffected: number }> {
  return (session, done) =>
    session.lock(key, () => {
      const rowsAffected = database.ledger.delete(key) ? 1 : 0;
      session.unlock(key);
      done({ value: { rowsAffected } });
    });
}

/** Columns as in the world's configuration: name, value, text, timestamp. */
export function rowIdentity(name: Field, value: Field, text: Field, timeMs: number): string {
  const time = String(name).startsWith(UNTIMED_NAME) ? 'receipt' : timeMs;
  return `${name}|${value ?? ''}|${text ?? ''}|${time}`;
}

export function identitiesOf(values: TagValues): string[] {
  return Array.from({ length: values.length }, (_, i) => {
    const number = values.numbers[i]!;
    return rowIdentity(values.tags[i]!.name, Number.isNaN(number) ? null : number, values.texts[i], values.timesMs[i]!);
  });
}

/** Of the rows of a statement, in the order of its columns. */
export function identityOfRow([name, value, text, time]: readonly unknown[]): string {
  return rowIdentity(name as Field, value as Field, text as Field, (time as Date).getTime());
}

export interface RowIlls {
  readonly isFull: boolean;
  readonly takesAll: boolean;
  readonly errorOf: (offset: number) => string | undefined;
}

export function insertRows(
  rows: readonly (readonly unknown[])[],
  { isFull, takesAll, errorOf }: RowIlls,
  commits: boolean,
): Call<unknown> {
  return (session, done) => {
    if (isFull) {
      done({ error: driverError('ORA-01653', 1653) });
      return;
    }
    if (!takesAll && rows.some(([, , text]) => isText(text, POISON_TEXT))) {
      done({ error: driverError('ORA-01461', 1461) });
      return;
    }
    const batchErrors: { message: string; offset: number }[] = [];
    const taken: string[] = [];
    for (const [offset, row] of rows.entries()) {
      const isRefused = !takesAll && isText(row[2], REFUSED_TEXT);
      const message = isRefused ? BATCH_ERROR : errorOf(offset);
      if (message !== undefined) batchErrors.push({ message, offset });
      else taken.push(identityOfRow(row));
    }
    session.addRows(taken);
    if (commits && batchErrors.length === 0) session.commit();
    done({ value: batchErrors.length === 0 ? {} : { batchErrors } });
  };
}

function isText(text: unknown, beginning: string): boolean {
  return typeof text === 'string' && text.startsWith(beginning);
}
