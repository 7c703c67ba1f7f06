import { afterEach, describe, expect, it } from 'vitest';

import { check, tagData, type CheckedDatabase } from '../support/checked-database.ts';
import { runCheck } from '../support/preflight.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { createTables } from '../support/tag-table.ts';

let standin: Standin | undefined;

afterEach(() => {
  standin?.stop();
  standin = undefined;
});

const LEDGER_COLUMNS = {
  bridge_id: 'VARCHAR2(128) NOT NULL',
  stream: 'VARCHAR2(200) NOT NULL',
  message_no: 'NUMBER(19) NOT NULL',
  value_no: 'NUMBER(10) NOT NULL',
  updated_at: 'TIMESTAMP(6) NOT NULL',
};

function ledger(changes: Readonly<Record<string, string>> = {}, key = ', PRIMARY KEY (bridge_id, stream)'): string {
  const columns = Object.entries({ ...LEDGER_COLUMNS, ...changes }).filter(([, type]) => type !== '');
  return `CREATE TABLE mqtt_bridge_ledger (${columns.map(([column, type]) => `${column} ${type}`).join(', ')}${key})`;
}

describe('check --connect on a good database', () => {
  it.each([
    ['19c', 'Oracle Database 19c Enterprise Edition 19.'],
    ['23ai', 'Oracle AI Database 26ai Free 23.'],
  ] as const)(
    '%s finds nothing wrong with what `schema` prints, and executes nothing of it',
    async (profile, product) => {
      standin = await startStandin({ profile });
      await createTables(standin);
      const { about, out } = await runCheck({ oracle: { connectString: standin.connectString } });
      const oracle = out.slice(out.indexOf('Oracle '), out.indexOf('Directories'));
      expect(
        oracle
          .split('\n')
          .slice(1, -1)
          .filter((line) => !line.startsWith('  ✓ ok ')),
      ).toEqual([]);
      expect(about('connection')).toContain('nothing listens there'); // the broker's, which comes first
      expect(oracle).toContain(`connection: ${product}`);
      expect(about('character set')).toContain('AL32UTF8');
      expect(about('oracle.table')).toContain('"BRIDGE"."TAG_DATA", a table in the own schema');
      expect(about('column TIMESTAMP (timestamp)')).toContain('TIMESTAMP(6) NOT NULL; times are UTC');
      expect(about('column TAG_NAME (tagName)')).toContain('VARCHAR2(255 CHAR) NOT NULL');
      expect(about('ledger key')).toContain('BRIDGE_ID, STREAM');
      expect(about('round trip')).toMatch(/ ms, the median of 9; a batch takes two, .* carry [\d,]+ values\/s/);
      expect(about('failed log-ons')).toContain('FAILED_LOGIN_ATTEMPTS is 10');
      expect(about('failed log-ons')).toContain('the bridge alone gets there in 8 h');
      expect(about('dead sessions')).toContain('SQLNET.EXPIRE_TIME');
      expect(about('partitions')).toContain('old rows go by DELETE alone');
      expect(about('indexes')).toContain('none: each query by tag and time reads the whole table');
      expect(about('unique keys')).toContain('ALTER TABLE "BRIDGE"."TAG_DATA" ADD UNIQUE ("TAG_NAME", "TIMESTAMP");');
      expect(oracle).not.toContain('TO "BRIDGE";');
      for (const table of ['tag_data', 'mqtt_bridge_ledger']) {
        expect(await standin.engine.query(`SELECT COUNT(*) AS n FROM ${table}`, 'BRIDGE')).toEqual([{ N: 0 }]);
      }
      expect(standin.stats.snapshot()).toMatchObject({ commits: 0 });
      expect(out).not.toContain('secret');
    },
  );

  it('follows synonyms to another schema, and says where the rights come from', async () => {
    const { about } = await check({
      sql: [
        `PLANT: ${tagData()}`,
        `PLANT: ${ledger()}`,
        'PLANT: GRANT INSERT ON tag_data TO bridge',
        'PLANT: GRANT SELECT, INSERT, UPDATE, DELETE ON mqtt_bridge_ledger TO PUBLIC',
        'BRIDGE: CREATE SYNONYM tag_data FOR plant.tag_data',
        'PLANT: CREATE PUBLIC SYNONYM mqtt_bridge_ledger FOR plant.mqtt_bridge_ledger',
      ],
    });
    expect(about('oracle.table')).toContain('in the schema of PLANT, through synonym BRIDGE.TAG_DATA');
    expect(about('oracle.ledgerTable')).toContain('through synonym PUBLIC.MQTT_BRIDGE_LEDGER');
    expect(about('INSERT on TAG_DATA')).toContain(
      '✓ ok       INSERT on TAG_DATA: the database takes the statement (granted to BRIDGE)',
    );
    expect(about('DELETE on MQTT_BRIDGE_LEDGER')).toContain('(granted to PUBLIC)');
    expect(about('space for TAG_DATA')).toContain('ALTER USER "PLANT" QUOTA UNLIMITED ON "USERS";');
  });
});

const TABLE_CASES: readonly [what: string, database: CheckedDatabase, subject: string, expected: readonly string[]][] =
  [
    [
      'no table',
      {},
      'oracle.table',
      [
        '✗ failed',
        'there is no "BRIDGE"."TAG_DATA"',
        '→ `mqtt-oracle-bridge schema` prints its DDL',
        '`mqtt-oracle-bridge schema`',
      ],
    ],
    [
      'a table in another schema without rights',
      { sql: [`PLANT: ${tagData()}`], oracle: { table: 'plant.tag_data' } },
      'oracle.table',
      ['✗ failed', 'GRANT INSERT ON "PLANT"."TAG_DATA" TO "BRIDGE";'],
    ],
    [
      'a table of that name in another schema',
      { sql: [`PLANT: ${tagData()}`, 'PLANT: GRANT SELECT ON tag_data TO bridge'] },
      'oracle.table',
      ['✗ failed', 'oracle.table may have been meant to be "PLANT"."TAG_DATA"'],
    ],
    [
      'a synonym that leads to nothing',
      { sql: ['BRIDGE: CREATE SYNONYM tag_data FOR plant.gone'] },
      'oracle.table',
      ['✗ failed', 'where synonym BRIDGE.TAG_DATA leads to nothing'],
    ],
    [
      'no right to insert',
      {
        sql: [`PLANT: ${tagData()}`, 'PLANT: GRANT SELECT ON tag_data TO bridge'],
        oracle: { table: 'plant.tag_data' },
      },
      'INSERT on TAG_DATA',
      ['✗ failed', 'BRIDGE has no such right (ORA-01031)', '→ GRANT INSERT ON "PLANT"."TAG_DATA" TO "BRIDGE";'],
    ],
    [
      'a column that is not there',
      { sql: [`BRIDGE: ${tagData({ tag_text: '' })}`] },
      'column TAG_TEXT (text)',
      [
        '✗ failed',
        'the table has TAG_NAME, TAG_VALUE, TIMESTAMP, QUALITY',
        'ALTER TABLE "BRIDGE"."TAG_DATA" ADD ("TAG_TEXT" VARCHAR2(4000));',
      ],
    ],
    [
      'a column in letters of another case',
      { sql: [`BRIDGE: ${tagData({ quality: '', '"quality"': 'VARCHAR2(16)' })}`] },
      'column QUALITY (quality)',
      ['✗ failed', 'oracle.columns.quality: it is written "quality" there'],
    ],
    [
      'a column of a type that cannot hold it',
      { sql: [`BRIDGE: ${tagData({ tag_value: 'DATE' })}`] },
      'column TAG_VALUE (value)',
      ['✗ failed', 'DATE cannot hold numbers', 'make it BINARY_DOUBLE'],
    ],
    [
      'a value column that rounds',
      { sql: [`BRIDGE: ${tagData({ tag_value: 'NUMBER(10,2)' })}`] },
      'column TAG_VALUE (value)',
      ['! warning', 'NUMBER(10,2): values are rounded to 2 decimals, and from 1e8 on rejected'],
    ],
    [
      'a DATE for the time',
      { sql: [`BRIDGE: ${tagData({ timestamp: 'DATE' })}`] },
      'column TIMESTAMP (timestamp)',
      ['! warning', 'DATE drops what is below a second', 'TIMESTAMP(6)'],
    ],
    [
      'a TIMESTAMP WITH TIME ZONE',
      { sql: [`BRIDGE: ${tagData({ timestamp: 'TIMESTAMP(3) WITH TIME ZONE' })}`] },
      'column TIMESTAMP (timestamp)',
      ['✓ ok', 'TIMESTAMP(3) WITH TIME ZONE; times are written as UTC, +00:00'],
    ],
    [
      'a text column that is short',
      { sql: [`BRIDGE: ${tagData({ tag_name: 'VARCHAR2(30)' })}`] },
      'column TAG_NAME (tagName)',
      ['! warning', 'VARCHAR2(30 BYTE) is shorter than the 255', 'MODIFY ("TAG_NAME" VARCHAR2(255 CHAR));'],
    ],
    [
      'a text column that is NOT NULL',
      { sql: [`BRIDGE: ${tagData({ tag_text: 'VARCHAR2(4000) NOT NULL' })}`] },
      'column TAG_TEXT (text)',
      ['✗ failed', 'rejects all values that are numbers', 'ALTER TABLE "BRIDGE"."TAG_DATA" MODIFY ("TAG_TEXT" NULL);'],
    ],
    [
      'a NOT NULL column that nobody fills',
      { sql: [`BRIDGE: ${tagData({ site: 'VARCHAR2(8) NOT NULL' })}`] },
      'column SITE',
      ['✗ failed', 'each row is refused (ORA-01400)', 'MODIFY ("SITE" DEFAULT …)'],
    ],
    [
      'a NOT NULL column with a default',
      { sql: [`BRIDGE: ${tagData({ site: "VARCHAR2(8) DEFAULT 'A' NOT NULL" })}`] },
      'other columns',
      ['✓ ok', '1 column that may stay empty or have a default'],
    ],
    [
      'a unique key',
      {
        sql: [`BRIDGE: ${tagData()}`, 'BRIDGE: ALTER TABLE tag_data ADD CONSTRAINT once UNIQUE (tag_name, timestamp)'],
      },
      'unique key ONCE',
      ['! warning', 'unique constraint on TAG_NAME, TIMESTAMP', 'ORA-00001', 'drop it'],
    ],
    [
      'a unique index',
      { sql: [`BRIDGE: ${tagData()}`, 'BRIDGE: CREATE UNIQUE INDEX one ON tag_data (tag_name)'] },
      'unique key ONE',
      ['! warning', 'unique index on TAG_NAME'],
    ],
    [
      'no quota',
      { sql: [`BRIDGE: ${tagData()}`], engine: { quotaBytes: 0 } },
      'space for TAG_DATA',
      ['✗ failed', 'no quota on USERS (ORA-01950)', 'ALTER USER "BRIDGE" QUOTA UNLIMITED ON "USERS";'],
    ],
    [
      'little quota',
      { sql: [`BRIDGE: ${tagData()}`], engine: { quotaBytes: 50 * 2 ** 20 } },
      'space for TAG_DATA',
      ['! warning', '50 MiB of the quota of 50 MiB on USERS are left'],
    ],
    [
      'no quota, but UNLIMITED TABLESPACE',
      {
        sql: [`BRIDGE: ${tagData()}`],
        engine: { quotaBytes: 0, systemPrivileges: ['CREATE SESSION', 'CREATE TABLE', 'UNLIMITED TABLESPACE'] },
      },
      'space for TAG_DATA',
      ['✓ ok', 'UNLIMITED TABLESPACE'],
    ],
    [
      'another character set',
      { engine: { characterSet: 'WE8MSWIN1252' } },
      'character set',
      ['! warning', 'WE8MSWIN1252', 'stored as ? or ¿', 'AL32UTF8'],
    ],
    [
      'a password that expires soon',
      { engine: { passwordExpiresAtMs: Date.UTC(2020, 4, 17, 12) } },
      'account',
      ['! warning', 'the password of BRIDGE expires on 2020-05-17', 'PASSWORD_LIFE_TIME UNLIMITED'],
    ],
    [
      'a clock that is behind',
      { engine: { now: () => Date.now() - 90_000 } },
      'clock',
      ['! warning', /is (?:89\.9|90\.\d) s behind this machine's/.source, 'NTP'],
    ],
  ];

const MORE_CASES: typeof TABLE_CASES = [
  [
    'an index by tag',
    { sql: [`BRIDGE: ${tagData()}`, 'BRIDGE: CREATE INDEX by_tag ON tag_data (tag_name, timestamp)'] },
    'indexes',
    ['✓ ok', 'TAG_NAME, TIMESTAMP'],
  ],
  [
    'an index that serves no query by tag',
    { sql: [`BRIDGE: ${tagData()}`, 'BRIDGE: CREATE INDEX by_time ON tag_data (timestamp)'] },
    'indexes',
    ['TIMESTAMP; none begins with TAG_NAME'],
  ],
  [
    'a profile that locks soon',
    { engine: { limits: { FAILED_LOGIN_ATTEMPTS: '3', PASSWORD_LOCK_TIME: '1' } } },
    'failed log-ons',
    ['! warning', 'FAILED_LOGIN_ATTEMPTS is 3', 'lock it, for 1 days', 'gets there in 1 h', '→ give BRIDGE a profile'],
  ],
  [
    'a profile that locks never',
    { engine: { limits: { FAILED_LOGIN_ATTEMPTS: 'UNLIMITED' } } },
    'failed log-ons',
    ['✓ ok', 'a wrong password locks nothing'],
  ],
  [
    'a profile with few sessions',
    { engine: { limits: { SESSIONS_PER_USER: '5' } } },
    'sessions',
    ['! warning', 'SESSIONS_PER_USER is 5, and oracle.pool.max 5', 'ORA-02391', 'raise SESSIONS_PER_USER'],
  ],
  [
    'a profile that ends sessions',
    { engine: { limits: { IDLE_TIME: '30' } } },
    'profile IDLE_TIME',
    ['✓ ok', 'ends a session 30 min without work', 'rolled back'],
  ],
];

describe('check --connect on a database with', () => {
  it.each([...TABLE_CASES, ...MORE_CASES])('%s', async (_what, database, subject, expected) => {
    const { about, exitCode } = await check(database);
    for (const text of expected)
      expect(about(subject)).toMatch(text.includes('\\') ? new RegExp(text) : asPattern(text));
    expect(exitCode).toBe(69); // there is no broker
  });
});

function asPattern(text: string): RegExp {
  return new RegExp(text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
}

const LEDGER_CASES: readonly [
  what: string,
  sql: CheckedDatabase['sql'],
  subject: string,
  expected: readonly string[],
][] = [
  ['none', [], 'oracle.ledgerTable', ['✗ failed', '→ `mqtt-oracle-bridge schema` prints its DDL']],
  [
    'a column that is not there',
    [`BRIDGE: ${ledger({ value_no: '' })}`],
    'ledger column VALUE_NO',
    ['✗ failed', 'ALTER TABLE "BRIDGE"."MQTT_BRIDGE_LEDGER" ADD ("VALUE_NO" NUMBER(10));'],
  ],
  [
    'a NOT NULL column more',
    [`BRIDGE: ${ledger({ extra: 'NUMBER NOT NULL' })}`],
    'column EXTRA',
    ['✗ failed', 'ORA-01400'],
  ],
  [
    'too few digits',
    [`BRIDGE: ${ledger({ message_no: 'NUMBER(10) NOT NULL' })}`],
    'ledger column MESSAGE_NO',
    ['✗ failed', '10 digits are too few, 16 are needed'],
  ],
  [
    'no key',
    [`BRIDGE: ${ledger({}, '')}`],
    'ledger key',
    ['✗ failed', 'ALTER TABLE "BRIDGE"."MQTT_BRIDGE_LEDGER" ADD PRIMARY KEY ("BRIDGE_ID", "STREAM");'],
  ],
  [
    'too narrow a key',
    [`BRIDGE: ${ledger({}, ', PRIMARY KEY (bridge_id)')}`],
    'ledger key',
    ['✗ failed', 'a bridge needs a row for each stream'],
  ],
];

describe('check --connect on a ledger with', () => {
  it.each(LEDGER_CASES)('%s', async (_what, sql, subject, expected) => {
    const { about } = await check({ sql: sql ?? [] });
    for (const text of expected) expect(about(subject)).toContain(text);
  });

  it('some rights only', async () => {
    const { about } = await check({
      sql: [`PLANT: ${ledger()}`, 'PLANT: GRANT SELECT, INSERT ON mqtt_bridge_ledger TO bridge'],
      oracle: { ledgerTable: 'plant.mqtt_bridge_ledger' },
    });
    expect(about('SELECT on MQTT_BRIDGE_LEDGER')).toContain('✓ ok');
    expect(about('UPDATE on MQTT_BRIDGE_LEDGER')).toContain(
      '→ GRANT UPDATE ON "PLANT"."MQTT_BRIDGE_LEDGER" TO "BRIDGE";',
    );
    expect(about('DELETE on MQTT_BRIDGE_LEDGER')).toMatch(/^! warning[^]*→ GRANT DELETE ON/);
  });

  it('no name, which is a choice', async () => {
    const { about } = await check({ oracle: { ledgerTable: '' } });
    expect(about('oracle.ledgerTable')).toMatch(/^! warning .*written twice/);
  });
});
