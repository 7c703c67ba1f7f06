import oracledb from 'oracledb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Rig } from '../support/standin/connect.ts';
import { until } from '../support/until.ts';

describe.each(['19c', '23ai'] as const)('log-on to a %s server', (profile) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start({ profile, users: { BRIDGE: 'secret', other: 'pä$$ wörd' } });
  });
  afterEach(() => rig.end());

  it('works with the right password, and shows the version of the profile', async () => {
    const connection = await rig.connect();
    expect(connection.oracleServerVersionString).toBe(profile === '19c' ? '19.22.0.0.0' : '23.26.1.0.0');
    const { rows } = await connection.execute<[number]>('SELECT 1 FROM dual');
    expect(rows).toEqual([[1]]);
    expect(rig.standin.stats).toMatchObject({ connections: 1, logonsTried: 1, logonsAccepted: 1 });
  });

  it('takes user names in any case and passwords in any alphabet', async () => {
    const connection = await rig.connect({ user: 'OTHER', password: 'pä$$ wörd' });
    const { rows } = await connection.execute<[string]>('SELECT USER FROM dual');
    expect(rows).toEqual([['OTHER']]);
  });

  it.each([
    ['a wrong password', 'bridge', 'Secret'],
    ['an unknown user', 'nobody', 'secret'],
  ])('refuses %s with ORA-01017 and closes', async (_, user, password) => {
    await expect(rig.connect({ user, password })).rejects.toMatchObject({ errorNum: 1017 });
    await until('the connection to be closed', () => rig.standin.stats.connections === 0);
    expect(rig.standin.stats.logons).toMatchObject([{ user, accepted: false }]);
  });

  it('refuses an unknown service', async () => {
    const connectString = rig.standin.connectString.replace('FREEPDB1', 'NOWHERE');
    await expect(rig.connect({ connectString })).rejects.toThrow('NJS-518');
  });

  it('takes a descriptor too long for the connect packet', async () => {
    const { host, port } = rig.standin;
    const filler = 'x'.repeat(400);
    const connectString = `(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=${host})(PORT=${port}))(CONNECT_DATA=(SERVICE_NAME=freepdb1)(COLOCATION_TAG=${filler})))`;
    const connection = await rig.connect({ connectString });
    expect((await connection.execute('SELECT 1 FROM dual')).rows).toEqual([[1]]);
  });

  it('serves a pool, and sees its connections go when it closes', async () => {
    const pool = await oracledb.createPool({
      user: 'bridge',
      password: 'secret',
      connectString: rig.standin.connectString,
      poolMin: 0,
      poolMax: 4,
    });
    const connections = await Promise.all([1, 2, 3, 4].map(() => pool.getConnection()));
    expect(rig.standin.stats.connections).toBe(4);
    await Promise.all(connections.map((connection) => connection.execute('SELECT 1 FROM dual')));
    await Promise.all(connections.map((connection) => connection.close()));
    const again = await pool.getConnection();
    await again.close();
    expect(rig.standin.stats.connectionsAccepted).toBe(4);
    await pool.close(0);
    await until('the connections to be gone', () => rig.standin.stats.connections === 0);
  });

  it('takes module, action, client identifier and schema with the next call', async () => {
    const connection = await rig.connect();
    connection.module = 'bridge';
    connection.action = 'write';
    connection.clientId = 'gateway-01';
    connection.currentSchema = 'BRIDGE';
    const { rows } = await connection.execute<[number]>('SELECT 2 FROM dual');
    expect(rows).toEqual([[2]]);
  });
});

describe('the listener', () => {
  it('may ask for the connect packet again', async () => {
    const rig = await Rig.start({ resend: true });
    await rig.connect();
    expect(rig.standin.stats).toMatchObject({ connectionsAccepted: 1, logonsAccepted: 1 });
    await rig.end();
  });

  it('keeps to a small packet size in both directions', async () => {
    const rig = await Rig.start({ sdu: 512 });
    const connection = await rig.connect();
    await connection.execute('CREATE TABLE t (a VARCHAR2(4000))');
    const texts = Array.from({ length: 20 }, (_, i) => [String(i).padStart(2, '0').repeat(1500)]);
    await connection.executeMany('INSERT INTO t VALUES (:1)', texts);
    const { rows } = await connection.execute('SELECT a FROM t ORDER BY a', [], { prefetchRows: 7, fetchArraySize: 3 });
    expect(rows).toEqual(texts);
    await rig.end();
  });

  it('opens no more than 300 cursors in a session', async () => {
    const rig = await Rig.start();
    const connection = await rig.connect({ stmtCacheSize: 0 });
    for (let i = 0; i < 400; i++) await connection.execute(`SELECT ${i} FROM dual`);
    const caching = await rig.connect({ stmtCacheSize: 500 });
    const many = async (): Promise<void> => {
      for (let i = 0; i < 400; i++) await caching.execute(`SELECT ${i} FROM dual`);
    };
    await expect(many()).rejects.toMatchObject({ errorNum: 1000 });
    await rig.end();
  });
});
