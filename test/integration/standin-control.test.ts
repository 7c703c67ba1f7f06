import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import oracledb from 'oracledb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tieToThisProcess } from '../support/tied-process.ts';
import { until } from '../support/until.ts';

const command = ['--import', 'tsx', 'test/support/standin/main.ts'];

describe('the stand-in as a process of its own', () => {
  let child: ChildProcess;
  let connectString = '';
  let control = '';
  beforeEach(async () => {
    child = spawn(process.execPath, [
      ...command,
      '--port',
      '0',
      '--user',
      'plant',
      '--password',
      'p4',
      '--profile',
      '23ai',
    ]);
    tieToThisProcess(child);
    let output = '';
    child.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const lines = await until('it to say where it listens', () => {
      const match = /^database (\S+) .*\ncontrol (\S+)\n/.exec(output);
      return match ?? undefined;
    });
    [, connectString = '', control = ''] = lines;
  });
  afterEach(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  async function post(path: string, body: string, method = 'POST'): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${control}${path}`, method === 'GET' ? { method } : { method, body });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  }

  function connect(): Promise<oracledb.Connection> {
    return oracledb.getConnection({ user: 'plant', password: 'p4', connectString });
  }

  it('runs SQL, shows statistics and ends at SIGTERM', async () => {
    const connection = await connect();
    await connection.execute('CREATE TABLE t (id NUMBER, at TIMESTAMP, v BINARY_DOUBLE, r RAW(2))');
    await connection.execute("INSERT INTO t VALUES (1, TIMESTAMP '2025-11-02 14:30:25.123', :v, :r)", {
      r: Buffer.from([10, 255]),
      v: { val: Infinity, type: oracledb.DB_TYPE_BINARY_DOUBLE },
    });
    await connection.commit();
    expect(await post('/sql', 'SELECT * FROM t;')).toEqual({
      status: 200,
      body: [{ ID: 1, AT: '2025-11-02T14:30:25.123Z', V: 'Infinity', R: '0AFF' }],
    });
    expect(await post('/sql', 'SELECT * FROM nowhere')).toMatchObject({ status: 400 });
    expect(await post('/stats', '', 'GET')).toMatchObject({
      status: 200,
      body: { connections: 1, logonsAccepted: 1, commits: 1 },
    });
    expect(await post('/nothing', '')).toMatchObject({ status: 404 });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await expect(connection.ping()).rejects.toThrow('NJS-500');
  });

  it('makes faults and outages', async () => {
    const connection = await connect();
    const rule = JSON.stringify({ sqlPattern: '^select 2', error: 1653, times: 0 });
    expect(await post('/faults', rule)).toMatchObject({ status: 201 });
    await connection.execute('SELECT 1 FROM dual');
    for (let i = 0; i < 2; i++) {
      await expect(connection.execute('SELECT 2 FROM dual')).rejects.toMatchObject({ errorNum: 1653 });
    }
    expect(await post('/faults', '', 'DELETE')).toEqual({ status: 204, body: undefined });
    await connection.execute('SELECT 2 FROM dual');
    expect(await post('/faults', '{')).toMatchObject({ status: 400 });

    await post('/kill', '{"sessions": true}');
    await expect(connection.ping()).rejects.toMatchObject({ errorNum: 28 });
    await post('/close', '');
    await expect(connect()).rejects.toThrow('NJS-503');
    await post('/open', '');
    const second = await connect();
    await post('/restart', '{"downMs": 50}');
    await expect(second.ping()).rejects.toThrow('NJS-500');
    const third = await until('it to listen again', () => connect().catch(() => undefined));
    await post('/kill', '');
    await expect(third.ping()).rejects.toThrow('NJS-500');
    await Promise.allSettled([connection, second, third].map((each) => each.close()));
  });
});

describe('the command line of the stand-in', () => {
  it('explains itself and refuses what it does not know', async () => {
    const help = spawn(process.execPath, [...command, '--help']);
    let text = '';
    help.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    expect(await once(help, 'close')).toEqual([0, null]);
    expect(text).toContain('--control-port');
    const wrong = spawn(process.execPath, [...command, '--profile', '8i'], { stdio: 'ignore' });
    expect(await once(wrong, 'close')).toEqual([1, null]);
  });
});
