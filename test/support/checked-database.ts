import { onTestFinished } from 'vitest';

import { runCheck, type CheckOutcome } from './preflight.ts';
import { createEngine, type EngineOptions } from './standin/engine/engine.ts';
import { startStandin } from './standin/standin.ts';

/** A database that is checked. */
export interface CheckedDatabase {
  readonly engine?: EngineOptions;
  /** Each run by the user before the colon. */
  readonly sql?: readonly `${'BRIDGE' | 'PLANT' | 'SYSTEM'}: ${string}`[];
  readonly oracle?: Readonly<Record<string, unknown>>;
}

/** Checks a database in which these statements, and no others, were run. */
export async function check({ engine, oracle = {}, sql = [] }: CheckedDatabase): Promise<CheckOutcome> {
  const standin = await startStandin({ engine: createEngine({ profile: '19c', ...engine }) });
  onTestFinished(() => standin.stop());
  for (const line of sql) {
    const [user, statement] = [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)];
    await standin.engine.query(statement, user);
  }
  const { connectString } = standin;
  return runCheck({ oracle: { connectString, ...oracle } });
}

const COLUMNS = {
  tag_name: 'VARCHAR2(255 CHAR) NOT NULL',
  tag_value: 'BINARY_DOUBLE',
  tag_text: 'VARCHAR2(4000)',
  timestamp: 'TIMESTAMP(6) NOT NULL',
  quality: 'VARCHAR2(16) NOT NULL',
};

/** The proposed table, with other types for some columns; an empty one leaves the column out. */
export function tagData(changes: Readonly<Record<string, string>> = {}, name = 'tag_data'): string {
  const columns = Object.entries({ ...COLUMNS, ...changes }).filter(([, type]) => type !== '');
  return `CREATE TABLE ${name} (${columns.map(([column, type]) => `${column} ${type}`).join(', ')})`;
}
