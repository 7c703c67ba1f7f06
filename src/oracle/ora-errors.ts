import { coerceError, DatabaseError, type DatabaseErrorKind, type Reason } from '../core/errors.ts';
import { causeOf, classOf, njsCode, oraCode, standsAroundCause } from './ora-codes.ts';

/**
 * Somebody broke the call: a time-out, a DBA (ALTER SYSTEM CANCEL SQL), a profile, the resource manager. Nobody says
 * that a break can't arrive behind the commit, so the ledger is asked.
 */
const BROKEN: ReadonlySet<string> = new Set([40, 1013, 2393, 2395, 56720, 56722].map(oraCode));

/** The driver refused what it was given before it sent anything. */
const NOT_SENT: ReadonlySet<string> = new Set([5, 11, 12, 55, 57, 58, 105, 115].map(njsCode));

/**
 * Says what a thrown error means. The database's number comes first, for the driver keeps it on connections that it
 * counts as dead (NJS-500 with errorNum 3113); then a listener's refusal, which stands only in the text; then the
 * driver's own code.
 *
 * `mayHaveCommitted`: the statement was to be sent, and committed with that. Its outcome is unknown then, unless the
 * database itself gave the error on a connection that lives, or the driver refused before sending: an answer that the
 * driver can't read (NJS-103, a TypeError of its decoder) comes after the commit as well as before.
 */
export function toDatabaseError(thrown: unknown, mayHaveCommitted: boolean): DatabaseError {
  if (thrown instanceof DatabaseError) return thrown;
  const error = coerceError(thrown);
  const codes = codesOf(error);
  const code = causeOf(codes);
  const entry = code === undefined ? undefined : classOf(code);
  const isWord = isDatabasesWord(error, entry?.kind);
  const isUnknown = mayHaveCommitted && !isWord && !codes.some((each) => NOT_SENT.has(each));
  const kind = entry?.kind ?? (error instanceof TypeError ? 'mistake' : isWord ? 'refused' : 'passing');
  return new DatabaseError(
    kind === 'row' || kind === 'held' ? 'refused' : kind,
    code ?? error.name,
    plainText(error.message),
    {
      outcomeUnknown: isUnknown,
      isHeld: kind === 'held',
      cause: error,
      ...(entry?.remedy === undefined ? {} : { remedy: entry.remedy }),
    },
  );
}

/** What the database says of one row of a batch. */
export interface RowError {
  readonly reason: Reason;
  /**
   * `row`, `held`: as in ora-codes.ts. `unlisted`: nothing is known of the code. `database`: none of this row, but of
   * the whole database, which reports a full tablespace row by row, too: then nothing may be rejected.
   */
  readonly fault: 'row' | 'held' | 'unlisted' | 'database';
}

/** Reads the error of one row of a batch: the driver gives only a text, of one line or more. */
export function readRowError(message: string): RowError {
  const code = causeOf(oraCodesIn(message));
  if (code === undefined) return { reason: { code: 'ORA-UNKNOWN', message: plainText(message) }, fault: 'unlisted' };
  const reason = { code, message: plainText(message) };
  const kind = classOf(code)?.kind;
  if (kind === undefined) return { reason, fault: 'unlisted' };
  if (kind === 'row' || kind === 'mistake') return { reason, fault: 'row' };
  return { reason, fault: kind === 'held' ? 'held' : 'database' };
}

/**
 * Whether a row of a batch is refused for the key that another row has, and by the table itself: a trigger that writes
 * elsewhere may fail in the same way, and is named then (ORA-06512, ORA-04088).
 */
export function isDuplicateKey(message: string): boolean {
  const codes = oraCodesIn(message);
  return codes[0] === oraCode(1) && !codes.some(standsAroundCause);
}

/** The database refused the statement, and the connection lives: the call came to its end without a commit. */
function isDatabasesWord(error: Error, kind: DatabaseErrorKind | 'row' | 'held' | undefined): boolean {
  if (kind === 'connection' || ('code' in error && error.code === 'NJS-123')) return false;
  if (!('errorNum' in error) || typeof error.errorNum !== 'number' || error.errorNum <= 0) return false;
  return !BROKEN.has(oraCode(error.errorNum));
}

function codesOf(error: Error): string[] {
  const codes: string[] = [];
  if ('errorNum' in error && typeof error.errorNum === 'number' && error.errorNum > 0)
    codes.push(oraCode(error.errorNum));
  const cause = /Cause: (?:.*\b)?(ORA-\d{5})/s.exec(error.message)?.[1];
  if (cause !== undefined) codes.push(cause);
  codes.push(...oraCodesIn(error.message));
  if ('code' in error && typeof error.code === 'string') codes.push(error.code);
  const leading = /^NJS-\d{3}/.exec(error.message)?.[0];
  if (leading !== undefined) codes.push(leading);
  return codes;
}

/** Those that begin a line: a message may quote others. */
function oraCodesIn(message: string): string[] {
  return message.match(/^ORA-\d{5}/gm) ?? [];
}

/**
 * In one line, without what stands beside it anyway (the code) or tells a person nothing (the link, the connection's
 * id).
 */
function plainText(message: string): string {
  const lines = message
    .replace(/^(?:ORA-\d{5}|NJS-\d{3}): /, '')
    .replace(/ ?\(CONNECTION_ID=[^)]*\)/, '')
    .split('\n');
  const telling = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('Help: '));
  return telling.join('; ').replaceAll('.;', ':');
}
