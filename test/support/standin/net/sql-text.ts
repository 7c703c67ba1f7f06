/** What a statement's text tells without being parsed. */
import type { StatementKind } from '../engine/types.ts';

/** INSERT, UPDATE or DELETE with RETURNING … INTO behind the last text in quotes. */
const RETURNING = /^\s*(?:insert|update|delete|merge)\b.*\breturn(?:ing)?\b[^']*\binto\b[^']*$/is;

/** True for DML that returns values into binds. */
export function returnsValues(sql: string): boolean {
  return RETURNING.test(sql);
}

/** A successful parse reports where its table's name stands. */
export function tablePosition(sql: string): number {
  const match = /\b(?:into|from|update|(?:drop|truncate)\s+table(?:\s+if\s+exists)?)\s+(?!dual\b)/i.exec(sql);
  return match === null ? 0 : match.index + match[0].length;
}

/** The kind of a statement that has not been parsed, or could not be. */
export function guessKind(sql: string): StatementKind {
  const word = /^\s*([a-z]+)(?:\s+table)?/i.exec(sql)?.[1]?.toUpperCase() ?? '';
  const kinds: Readonly<Record<string, StatementKind>> = {
    INSERT: 'INSERT',
    UPDATE: 'UPDATE',
    DELETE: 'DELETE',
    MERGE: 'MERGE',
    SELECT: 'SELECT',
    WITH: 'SELECT',
    CREATE: 'CREATE TABLE',
    DROP: 'DROP TABLE',
    TRUNCATE: 'TRUNCATE',
    BEGIN: 'PLSQL',
    DECLARE: 'PLSQL',
  };
  return kinds[word] ?? 'OTHER';
}
