import { spawn, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Rig } from '../support/standin/connect.ts';

const python = '/usr/bin/python3';
const probe = spawnSync(python, ['-c', 'import oracledb; print(oracledb.__version__)'], { encoding: 'utf8' });
const reason = probe.status === 0 ? '' : `${python} cannot import oracledb (Debian: apt-get install python3-oracledb)`;

const program = `
import datetime, json, sys, oracledb
dsn = sys.argv[1]
out = {}
with oracledb.connect(user='bridge', password='secret', dsn=dsn) as connection:
    out['version'] = connection.version
    connection.module = 'bridge'
    connection.client_identifier = 'gateway-01'
    cursor = connection.cursor()
    cursor.execute('CREATE TABLE t (id NUMBER PRIMARY KEY, name VARCHAR2(40), value BINARY_DOUBLE, at TIMESTAMP(6), data RAW(8))')
    at = datetime.datetime(2025, 10, 26, 1, 30, 0, 123456)
    cursor.setinputsizes(None, 40, oracledb.DB_TYPE_BINARY_DOUBLE, oracledb.DB_TYPE_TIMESTAMP, oracledb.DB_TYPE_RAW)
    rows = [(i, None if i % 3 else 'tag %d' % i, i / 4, at, bytes([i % 256])) for i in range(2500)]
    cursor.executemany('INSERT INTO t VALUES (:1, :2, :3, :4, :5)', rows)
    connection.commit()
    cursor.prefetchrows = 10
    cursor.arraysize = 100
    cursor.execute('SELECT * FROM t ORDER BY id')
    out['same'] = cursor.fetchall() == rows
    cursor.executemany('INSERT INTO t (id, name) VALUES (:1, :2)', [(i, 'x') for i in range(2300, 2600)], batcherrors=True)
    errors = cursor.getbatcherrors()
    out['errors'] = [len(errors), errors[0].offset, errors[-1].offset, errors[0].full_code]
    connection.rollback()
    cursor.executemany('UPDATE t SET value = :1 WHERE id = :2', [(1, 1), (1, 99999)], arraydmlrowcounts=True)
    out['counts'] = cursor.getarraydmlrowcounts()
    connection.commit()
    try:
        cursor.execute('SELECT * FROM nowhere')
    except oracledb.DatabaseError as error:
        out['missing'] = error.args[0].full_code
    cursor.execute('SELECT COUNT(*), MAX(id) FROM t WHERE value = :1', [1])
    out['row'] = cursor.fetchone()
    connection.ping()
try:
    oracledb.connect(user='bridge', password='wrong', dsn=dsn)
except oracledb.DatabaseError as error:
    out['wrong'] = error.args[0].full_code
print(json.dumps(out))
`;

interface Output {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(dsn: string): Promise<Output> {
  return new Promise((resolve) => {
    const child = spawn(python, ['-c', program, dsn]);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

describe.skipIf(reason !== '').each(['19c', '23ai'] as const)(
  `python-oracledb, a second client, on a %s server${reason && ` (skipped: ${reason})`}`,
  (profile) => {
    it('connects, inserts, selects and hears of errors', async () => {
      const rig = await Rig.start({ profile });
      try {
        const { code, stdout, stderr } = await run(rig.standin.connectString);
        expect(stderr).toBe('');
        expect(code).toBe(0);
        expect(JSON.parse(stdout)).toEqual({
          version: profile === '19c' ? '19.22.0.0.0' : '23.26.1.0.0',
          same: true,
          errors: [200, 0, 199, 'ORA-00001'],
          counts: [1, 0],
          missing: 'ORA-00942',
          row: [2, 4],
          wrong: 'ORA-01017',
        });
        expect(await rig.count('t')).toBe(2500);
      } finally {
        await rig.end();
      }
    });
  },
);
