import oracledb from 'oracledb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Rig } from '../support/standin/connect.ts';

/** What the driver has and its types do not. */
interface TwoPhase {
  tpcBegin(xid: object, flags: number, timeoutSeconds: number): Promise<void>;
}
const TPC_BEGIN_NEW = 1;

/** What a client asks for and the stand-in does not have, by the driver's own calls. */
const ABSENT: readonly [string, (connection: oracledb.Connection) => Promise<unknown>][] = [
  [
    'RETURNING of one row',
    (connection) =>
      connection.execute('UPDATE t SET name = :1 WHERE id = 1 RETURNING id INTO :2', [
        'x',
        { dir: oracledb.BIND_OUT, type: oracledb.NUMBER },
      ]),
  ],
  [
    'RETURNING of an array',
    (connection) =>
      connection.executeMany('INSERT INTO t (id) VALUES (:1) RETURNING name INTO :2', [[5], [6]], {
        bindDefs: [{ type: oracledb.NUMBER }, { dir: oracledb.BIND_OUT, type: oracledb.STRING, maxSize: 40 }],
      }),
  ],
  [
    'an OUT bind of PL/SQL',
    (connection) => connection.execute('BEGIN :1 := 5; END;', [{ dir: oracledb.BIND_OUT, type: oracledb.NUMBER }]),
  ],
  ['a LOB', (connection) => connection.createLob(oracledb.CLOB)],
  ['a bind of a LOB', (connection) => connection.execute('SELECT :1 FROM dual', [{ type: oracledb.CLOB, val: null }])],
  ['a change of the password', (connection) => connection.changePassword('bridge', 'secret', 'another')],
  [
    'a two-phase transaction',
    (connection) =>
      (connection as unknown as TwoPhase).tpcBegin(
        { formatId: 1, globalTransactionId: 'bridge', branchQualifier: 'branch' },
        TPC_BEGIN_NEW,
        5,
      ),
  ],
];

describe.each(['19c', '23ai'] as const)('what the stand-in does not have, on a %s server,', (profile) => {
  let rig: Rig;
  let connection: oracledb.Connection;
  const dropped: string[] = [];
  beforeEach(async () => {
    dropped.length = 0;
    rig = await Rig.start({ profile, log: (message) => dropped.push(message) });
    connection = await rig.connect();
    await connection.execute('CREATE TABLE t (id NUMBER(4) PRIMARY KEY, name VARCHAR2(40))');
    await connection.execute("INSERT INTO t VALUES (1, 'one')");
  });
  afterEach(() => rig.end());

  it.each(ABSENT)('is refused with an ORA error, and the connection goes on: %s', async (_name, ask) => {
    connection.callTimeout = 20_000;
    await expect(ask(connection)).rejects.toMatchObject({ message: expect.stringMatching(/^ORA-\d{5}: /) as string });
    const { rows } = await connection.execute('SELECT id, name FROM t');
    expect(rows).toEqual([[1, 'one']]);
    await connection.commit();
    expect(dropped).toEqual([]);
  });

  it('a SID in the descriptor is refused with ORA-12505', async () => {
    const { host, port } = rig.standin;
    const bySid = `(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=${host})(PORT=${port}))(CONNECT_DATA=(SID=FREEPDB1)))`;
    await expect(rig.connect({ connectString: bySid })).rejects.toThrow(/NJS-519|ORA-12505/);
  });
});
