import type { DatabaseError } from '../core/errors.ts';
import type { TableName } from '../oracle/dictionary.ts';
import { failed, ok, warning, type Finding } from './finding.ts';
import { quoted, type TableContext } from './table-check.ts';

/**
 * What the database says for a missing right: no such table, insufficient privileges, and from 23ai on the same with
 * the name of the right.
 */
const RIGHT_MISSING = new Set(['ORA-00942', 'ORA-01031', 'ORA-41900']);

/** A statement of the bridge and the right that it needs. */
export interface NeededRight {
  readonly right: 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';
  readonly sql: string;
  /** What goes wrong without it, when the bridge can run all the same. */
  readonly without?: string;
}

/** Has the database parse the statement: the surest test of table, columns and right, and nothing is executed. */
export async function checkRight(
  { right, sql, without }: NeededRight,
  table: TableName,
  { dictionary, server }: TableContext,
): Promise<Finding> {
  const subject = `${right} on ${table.name}`;
  const error = await dictionary.parse(sql);
  if (error === undefined) {
    const source = await dictionary.sourceOfRight(right, table, server.user);
    return ok(subject, `the database takes the statement${source === undefined ? '' : ` (${source})`}`);
  }
  if (RIGHT_MISSING.has(error.code)) {
    if (table.owner === server.user) return ofOwn(subject, right, table, error);
    const grant = `GRANT ${right} ON ${quoted(table)} TO "${server.user}";`;
    if (without !== undefined) return warning(subject, `${server.user} has no such right: ${without}`, grant);
    return failed(subject, `${server.user} has no such right (${error.code})`, grant);
  }
  return failed(subject, described(error), error.remedy === '' ? `the statement was: ${sql}` : error.remedy);
}

/** An owner can be granted nothing on his own table: it is a view over that of another, or no table any more. */
function ofOwn(subject: string, right: NeededRight['right'], table: TableName, error: DatabaseError): Finding {
  const text = `${described(error)}, though ${quoted(table)} is its own`;
  const step = `if it is a view: the owner of the table behind it must GRANT ${right} on that to "${table.owner}"`;
  return failed(subject, text, step, 'else look whether it is still there');
}

/** The error with its code, once: `ORA-00904 "X": invalid identifier`. */
export function described({ code, message }: DatabaseError): string {
  return message.includes(code) ? message : `${code} ${message}`;
}
