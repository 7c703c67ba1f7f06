import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

import oracledb from 'oracledb';

import { TABLES_DDL } from './tag-table.ts';
import { tieToThisProcess } from './tied-process.ts';
import { until } from './until.ts';

export interface StandinProcess {
  readonly connectString: string;
  readonly child: ChildProcess;
}

/**
 * A stand-in database that only counts rows, unless said, as a process of its own, with the tables made: it takes as
 * little as possible of the machine that something else is measured on. `tables`: beside `tag_data` there are
 * `tag_data_1` and so on. `latencyMs`: each of its answers comes so much later.
 */
export async function startStandinProcess({
  countOnly = true,
  latencyMs = 0,
  tables = 1,
} = {}): Promise<StandinProcess> {
  const args = [
    '--import',
    'tsx',
    'test/support/standin/main.ts',
    ...(countOnly ? ['--count-only'] : []),
    '--latency',
    String(latencyMs),
    '--port',
    '0',
    '--control-port',
    '0',
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  tieToThisProcess(child);
  let connectString = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    connectString ||= /\S+:\d+\/\w+/.exec(line)?.[0] ?? '';
  });
  await until('the stand-in', () => connectString !== '', 30_000);
  const connection = await oracledb.getConnection({ connectString, user: 'bridge', password: 'secret' });
  const statements = TABLES_DDL.split(/;\s*/).filter((statement) => statement !== '');
  for (let number = 1; number < tables; number += 1) {
    statements.push(statements[0]!.replace('"TAG_DATA"', `"TAG_DATA_${number}"`));
  }
  for (const statement of statements) await connection.execute(statement);
  await connection.close();
  return { connectString, child };
}
