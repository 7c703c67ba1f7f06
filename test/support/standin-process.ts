import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

import oracledb from 'oracledb';

import { TABLES_DDL } from './tag-table.ts';
import { until } from './until.ts';

export interface StandinProcess {
  readonly connectString: string;
  readonly child: ChildProcess;
}

/**
 * A stand-in database that only counts rows, as a process of its own, with the tables made: it takes as little as
 * possible of the machine that something else is measured on.
 */
export async function startStandinProcess(): Promise<StandinProcess> {
  const args = [
    '--import',
    'tsx',
    'test/support/standin/main.ts',
    '--count-only',
    '--port',
    '0',
    '--control-port',
    '0',
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill());
  let connectString = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    connectString ||= /\S+:\d+\/\w+/.exec(line)?.[0] ?? '';
  });
  await until('the stand-in', () => connectString !== '', 30_000);
  const connection = await oracledb.getConnection({ connectString, user: 'bridge', password: 'secret' });
  for (const statement of TABLES_DDL.split(/;\s*/)) {
    if (statement !== '') await connection.execute(statement);
  }
  await connection.close();
  return { connectString, child };
}
