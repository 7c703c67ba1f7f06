import { afterEach, describe, expect, it } from 'vitest';

import { schemaDdl } from '../../src/oracle/schema.ts';
import { runCheck, type CheckOutcome } from '../support/preflight.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { runDdl, TABLE_OPTIONS } from '../support/tag-table.ts';

let standin: Standin | undefined;

afterEach(() => {
  standin?.stop();
  standin = undefined;
});

/** The proposed tables, with a column of another type or without it, checked. */
async function check(content: string, type: string | undefined): Promise<CheckOutcome> {
  standin = await startStandin({ profile: '19c' });
  const columns = { ...TABLE_OPTIONS.columns, ...(type === undefined ? {} : { further: content }) };
  const destination = { ...TABLE_OPTIONS, columns, name: 'default', onDuplicate: 'reject' } as const;
  const ddl = schemaDdl([destination], { ledgerTable: 'MQTT_BRIDGE_LEDGER', tagName: '{plc}.{tag}' }).replace(
    /"FURTHER" +.*/,
    `"FURTHER" ${type}`,
  );
  await runDdl(standin, ddl);
  return runCheck({ oracle: { connectString: standin.connectString, columns: { further: content } } });
}

const CASES: readonly [what: string, type: string, content: string, expected: readonly string[]][] = [
  ['a constant in a column that holds it', 'VARCHAR2(100)', "'gateway-01'", ['✓ ok', 'VARCHAR2(100 BYTE)']],
  ['a topic in a column that is short', 'VARCHAR2(100 CHAR)', '{topic}', ['! warning', 'shorter than the 1000']],
  ['a level of the topic in a NUMBER', 'NUMBER', '{2}', ['! warning', 'as the session reads them']],
  ['a level of the topic in a DATE', 'DATE', '{2}', ['✗ failed', 'DATE cannot hold texts', 'VARCHAR2(255 CHAR)']],
  ['a message number in a short NUMBER', 'NUMBER(9)', '{messageNo}', ['✗ failed', '9 digits are too few']],
  ['whether it was retained in a NUMBER(1)', 'NUMBER(1)', '{retained}', ['✓ ok', 'NUMBER(1,0)']],
  ['a code of the quality in a text', 'VARCHAR2(64)', '{qualityCode}', ['! warning', 'turned into text']],
  [
    'a code of the quality in a column that must not be NULL',
    'NUMBER(10) NOT NULL',
    '{qualityCode}',
    ['! warning', 'rejects all values whose quality is no number', 'MODIFY ("FURTHER" NULL)'],
  ],
];

describe('check --connect on a further column', () => {
  it.each(CASES)('with %s', async (_what, type, content, expected) => {
    const { about } = await check(content, type);
    for (const text of expected) expect(about('column FURTHER')).toContain(text);
  });

  it('that is not there', async () => {
    const { about } = await check('{topic}', undefined);
    expect(about('column FURTHER')).toContain('ADD ("FURTHER" VARCHAR2(1000 CHAR));');
    expect(about('column FURTHER')).toContain('correct oracle.columns.further');
  });
});
