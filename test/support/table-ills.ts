import type { Standin } from './standin/standin.ts';

export const ALARM_LOG = `CREATE TABLE alarm_log (tag_name VARCHAR2(255 CHAR) NOT NULL, tag_value BINARY_DOUBLE,
  msg VARCHAR2(100), timestamp TIMESTAMP(6) NOT NULL, quality VARCHAR2(16) NOT NULL)`;

/** What befalls the table `alarm_log` beside another one, and how it passes. */
interface TableIll {
  readonly name: string;
  /** `batchSize`: rows that one statement has at most. The result ends it. */
  readonly begin: (standin: Standin, batchSize: number) => Promise<() => Promise<unknown>>;
  /** The rows of before go with it. */
  readonly takesRows?: true;
  /** Why its rows are in a backup. */
  readonly code: RegExp;
}

export const TABLE_ILLS: readonly TableIll[] = [
  {
    name: 'is locked by another session',
    begin: async (standin) => {
      const lock = standin.faults.add({ on: 'execute', sql: 'INSERT INTO "ALARM_LOG"', hang: true, times: Infinity });
      return async () => lock.clear();
    },
    code: /^NJS-|^CALL_TIMEOUT$/,
  },
  {
    name: 'is dropped',
    takesRows: true,
    begin: async (standin) => {
      await standin.engine.query('DROP TABLE alarm_log', 'BRIDGE');
      return () => standin.engine.query(ALARM_LOG, 'BRIDGE');
    },
    code: /^ORA-00942$/,
  },
  {
    name: 'has no room in its tablespace',
    begin: async (standin) => {
      const full = standin.faults.add({
        on: 'execute',
        sql: 'INSERT INTO "ALARM_LOG"',
        error: { code: 1653, message: 'unable to extend table BRIDGE.ALARM_LOG by 8 in tablespace USERS' },
        times: Infinity,
      });
      return async () => full.clear();
    },
    code: /^ORA-01653$/,
  },
  {
    name: 'has a column that was shortened',
    begin: async (standin, batchSize) => {
      const error = { code: 12_899, message: 'value too large for column "BRIDGE"."ALARM_LOG"."TAG_NAME"' };
      const rowErrors = Object.fromEntries(Array.from({ length: batchSize }, (_, i) => [i, error]));
      const rule = { on: 'execute', sql: 'INSERT INTO "ALARM_LOG"', rowErrors, times: Infinity } as const;
      const tooShort = standin.faults.add(rule);
      return async () => tooShort.clear();
    },
    code: /^ORA-12899$/,
  },
];
