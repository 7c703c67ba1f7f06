import { readFile } from 'node:fs/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startStandin, type Standin } from '../support/standin/standin.ts';
import { TABLES_DDL } from '../support/tag-table.ts';

/** The statements of a section of the DBA's page, without remarks. */
async function statementsOf(section: string): Promise<string[]> {
  const page = await readFile('docs/for-the-dba.md', 'utf8');
  const [, text = ''] = page.split(`## ${section}\n`);
  const [block = ''] = [...(text.split('\n## ')[0] ?? '').matchAll(/```sql\n(.*?)```/gs)].map(([, sql]) => sql!);
  const plain = block.replaceAll(/--.*$/gm, '');
  return plain.split(';').flatMap((sql) => (sql.trim() === '' ? [] : [sql.trim()]));
}

describe('the statements that hold rows against the bridge', () => {
  let standin: Standin;

  beforeEach(async () => {
    standin = await startStandin();
    const ledger = TABLES_DDL.split(/;\s*/).find((sql) => sql.includes('LEDGER'))!;
    const columns = 'received_at TIMESTAMP(6), source VARCHAR2(64), message_no NUMBER(19), value_no NUMBER(10)';
    for (const sql of [`CREATE TABLE tag_data (tag_name VARCHAR2(255), ${columns})`, ledger])
      await standin.engine.query(sql, 'BRIDGE');
    for (const [messageNo, valueNo] of [
      [7, 0],
      [7, 1],
      [9, 0],
      [9, 0],
    ])
      await standin.engine.query(
        `INSERT INTO tag_data (tag_name, received_at, source, message_no, value_no)
         VALUES ('PLC01.D1', TIMESTAMP '2025-11-02 14:30:26', 'gateway-01', ${messageNo}, ${valueNo})`,
        'BRIDGE',
      );
    await standin.engine.query(
      `INSERT INTO mqtt_bridge_ledger (bridge_id, stream, message_no, value_no, updated_at)
       VALUES ('gateway-01', 'live/abcdefgh2345', 7, 1, TIMESTAMP '2025-11-02 14:30:27')`,
      'BRIDGE',
    );
  });

  afterEach(() => standin.stop());

  it('say what was written, what is there twice, how far the ledger is, and what stands behind it', async () => {
    const answers = [];
    for (const sql of await statementsOf('Holding the rows against the bridge')) {
      answers.push(await standin.engine.query(sql, 'BRIDGE'));
    }
    expect(answers).toMatchObject([
      [{ N: 4 }],
      [{ MESSAGE_NO: 9, VALUE_NO: 0, N: 2 }],
      [{ STREAM: 'live/abcdefgh2345', MESSAGE_NO: 7, VALUE_NO: 1 }],
      [{ N: 2 }],
    ]);
  });
});
