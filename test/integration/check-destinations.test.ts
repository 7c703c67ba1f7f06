import { describe, expect, it } from 'vitest';

import { check, tagData, type CheckedDatabase } from '../support/checked-database.ts';

type Case = readonly [what: string, database: CheckedDatabase, subject: string, expected: readonly string[]];

const CASES: readonly Case[] = [
  [
    'a unique key, which ignore wants',
    {
      sql: [`BRIDGE: ${tagData()}`, 'BRIDGE: ALTER TABLE tag_data ADD CONSTRAINT once UNIQUE (tag_name, timestamp)'],
      oracle: { onDuplicate: 'ignore' },
    },
    'unique key ONCE',
    ['✓ ok', 'unique constraint on TAG_NAME, TIMESTAMP', 'is left as it is'],
  ],
  [
    'no key for ignore',
    { sql: [`BRIDGE: ${tagData()}`], oracle: { onDuplicate: 'ignore' } },
    'unique keys',
    [
      '✗ failed',
      '"onDuplicate": "ignore" needs',
      '→ ALTER TABLE "BRIDGE"."TAG_DATA" ADD UNIQUE ("TAG_NAME", "TIMESTAMP");',
    ],
  ],
  [
    'no key for update over what is written',
    {
      sql: [`BRIDGE: ${tagData({ id: 'NUMBER' })}`, 'BRIDGE: CREATE UNIQUE INDEX one ON tag_data (id, tag_name)'],
      oracle: { onDuplicate: 'update' },
    },
    'unique keys',
    ['✗ failed', '"onDuplicate": "update" needs', 'for a table of latest values'],
  ],
  [
    'a key without the time, and another',
    {
      sql: [
        `BRIDGE: ${tagData()}`,
        'BRIDGE: CREATE UNIQUE INDEX other ON tag_data (tag_value)',
        'BRIDGE: ALTER TABLE tag_data ADD CONSTRAINT pk PRIMARY KEY (tag_name)',
      ],
      oracle: { onDuplicate: 'update' },
    },
    'unique key PK',
    ['✓ ok', 'primary key on TAG_NAME: a table of latest values', 'the newer time wins'],
  ],
  [
    'a key of padded texts',
    {
      sql: [
        `BRIDGE: ${tagData({ tag_name: 'CHAR(64) NOT NULL' })}`,
        'BRIDGE: ALTER TABLE tag_data ADD CONSTRAINT pk PRIMARY KEY (tag_name, timestamp)',
      ],
      oracle: { onDuplicate: 'update' },
    },
    'unique key PK',
    ['✗ failed', 'TAG_NAME is a CHAR', 'make it a VARCHAR2'],
  ],
  [
    'INSERT alone where update needs more',
    {
      sql: [
        `PLANT: ${tagData()}`,
        'PLANT: ALTER TABLE tag_data ADD CONSTRAINT pk PRIMARY KEY (tag_name)',
        'PLANT: GRANT INSERT ON tag_data TO bridge',
      ],
      oracle: { table: 'plant.tag_data', onDuplicate: 'update' },
    },
    'UPDATE on TAG_DATA',
    ['✗ failed', '→ GRANT UPDATE ON "PLANT"."TAG_DATA" TO "BRIDGE";'],
  ],
  [
    'no SELECT, which the condition on the time needs',
    {
      sql: [
        `PLANT: ${tagData()}`,
        'PLANT: ALTER TABLE tag_data ADD CONSTRAINT pk PRIMARY KEY (tag_name)',
        'PLANT: GRANT INSERT, UPDATE ON tag_data TO bridge',
      ],
      oracle: { table: 'plant.tag_data', onDuplicate: 'update' },
    },
    'SELECT on TAG_DATA',
    ['✗ failed', '→ GRANT SELECT ON "PLANT"."TAG_DATA" TO "BRIDGE";'],
  ],
  [
    'all the rights that update needs',
    {
      sql: [
        `PLANT: ${tagData()}`,
        'PLANT: ALTER TABLE tag_data ADD CONSTRAINT pk PRIMARY KEY (tag_name, timestamp)',
        'PLANT: GRANT INSERT, UPDATE ON tag_data TO bridge',
      ],
      oracle: { table: 'plant.tag_data', onDuplicate: 'update' },
    },
    'INSERT and UPDATE on TAG_DATA',
    ['✓ ok', 'the database takes the statement (granted to BRIDGE)'],
  ],
  [
    'a destination of another table',
    {
      sql: [`BRIDGE: ${tagData()}`, `BRIDGE: ${tagData({ tag_text: '', msg: 'VARCHAR2(4000)' }, 'alarm_log')}`],
      oracle: {
        destinations: { alarms: { table: 'ALARM_LOG', columns: { text: 'MSG' }, onDuplicate: 'ignore' } },
      },
    },
    'alarms: unique keys',
    ['✗ failed', '→ ALTER TABLE "BRIDGE"."ALARM_LOG" ADD UNIQUE ("TAG_NAME", "TIMESTAMP");'],
  ],
  [
    'a destination whose table is not there',
    { sql: [`BRIDGE: ${tagData()}`], oracle: { destinations: { alarms: { table: 'ALARM_LOG' } } } },
    'oracle.destinations.alarms.table',
    ['✗ failed', 'there is no "BRIDGE"."ALARM_LOG" that BRIDGE may see', '`mqtt-oracle-bridge schema` prints its DDL'],
  ],
  [
    'a destination whose synonym leads to the table of another',
    {
      sql: [`BRIDGE: ${tagData()}`, 'BRIDGE: CREATE SYNONYM alarm_log FOR tag_data'],
      oracle: { destinations: { alarms: { table: 'ALARM_LOG' } } },
    },
    'alarms: table',
    ['✗ failed', '"BRIDGE"."TAG_DATA" is the table of the destination "default", too'],
  ],
];

describe('check --connect, of keys and destinations', () => {
  it.each(CASES)('%s', async (_what, database, subject, expected) => {
    const { about } = await check(database);
    for (const text of expected) expect(about(subject)).toContain(text);
  });
});
