/**
 * The steps of ../steps.ts by node-oracledb (thin), each told in a line of JSON. Arguments: the driver's folder, host,
 * port, service, user, password, wrong password.
 */
import { createRequire } from 'node:module';

const [folder, host, port, service, user, password, wrong] = process.argv.slice(2);
const oracledb = createRequire(import.meta.url)(folder);
const ROWS = 500;
const BAD_ROW = 250;
const CALL_TIMEOUT_MS = 700;
const AT = Date.UTC(2025, 9, 26, 1, 30, 0, 123);
const INSERT = 'INSERT INTO client_rows (id, name, value, at, at_zone, day, note) VALUES (:1, :2, :3, :4, :5, :6, :7)';
const TYPES = {
  autoCommit: false,
  bindDefs: [
    { type: oracledb.NUMBER },
    { type: oracledb.STRING, maxSize: 40 },
    { type: oracledb.DB_TYPE_BINARY_DOUBLE },
    { type: oracledb.DB_TYPE_TIMESTAMP },
    { type: oracledb.DB_TYPE_TIMESTAMP_TZ },
    { type: oracledb.DB_TYPE_DATE },
    { type: oracledb.STRING, maxSize: 40 },
  ],
};

function tell(name, ok, said = '') {
  console.log(JSON.stringify({ step: name, ok, said: said.slice(0, 200) }));
}

async function step(name, run) {
  try {
    const said = await run();
    tell(name, true, said ?? '');
    return true;
  } catch (error) {
    tell(name, false, error.message);
    return false;
  }
}

/** `run` has to fail with one of the codes. */
async function refused(name, run, ...codes) {
  try {
    await run();
    tell(name, false, 'no error');
  } catch (error) {
    tell(
      name,
      codes.some((code) => error.message.includes(code)),
      error.message,
    );
  }
}

function same(actual, expected) {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${is.slice(0, 90)} rather than ${should.slice(0, 90)}`);
}

function logOn(more = {}) {
  return oracledb.getConnection({ user, password, connectString: `${host}:${port}/${service}`, ...more });
}

function row(i) {
  const at = new Date(AT + i);
  return [i, i % 7 === 0 ? null : `tag ${i}`, i / 4, at, at, new Date(Math.floor(at / 1000) * 1000), null];
}

const good = Array.from({ length: ROWS }, (_, i) => row(i)).filter((_, i) => i !== BAD_ROW);
let connection;
let second;
if (!(await step('log on', async () => void (connection = await logOn())))) process.exit(1);
await refused('wrong password', () => logOn({ password: wrong }), 'ORA-01017');
await refused('unknown user', () => logOn({ user: 'nobody' }), 'ORA-01017');
await refused('unknown service', () => logOn({ connectString: `${host}:${port}/elsewhere` }), 'ORA-12514', 'NJS-518');
await step('select', async () => same((await connection.execute('SELECT 1 FROM dual')).rows, [[1]]));
await step('create table', async () => {
  await connection.execute(
    'CREATE TABLE client_rows (id NUMBER(9) PRIMARY KEY, name VARCHAR2(40), value BINARY_DOUBLE, at TIMESTAMP(6),' +
      ' at_zone TIMESTAMP(6) WITH TIME ZONE, day DATE, note VARCHAR2(40))',
  );
});
const count = async () => (await connection.execute('SELECT COUNT(*) FROM client_rows')).rows[0][0];
await step('array with a bad row', async () => {
  const rows = Array.from({ length: ROWS }, (_, i) => row(i));
  rows[BAD_ROW][0] = BAD_ROW - 1;
  const result = await connection.executeMany(INSERT, rows, { ...TYPES, batchErrors: true });
  same(
    result.batchErrors.map(({ offset, message }) => [offset, message.slice(0, 9)]),
    [[BAD_ROW, 'ORA-00001']],
  );
  same(result.rowsAffected, ROWS - 1);
});
await step('roll back', async () => {
  await connection.rollback();
  same(await count(), 0);
});
await step('commit', async () => {
  await connection.executeMany(INSERT, good, TYPES);
  await connection.commit();
  await connection.rollback();
  same(await count(), ROWS - 1);
});
await step('read back', async () => {
  const select = 'SELECT id, name, value, at, at_zone, day, note FROM client_rows ORDER BY id';
  same((await connection.execute(select, [], { fetchArraySize: 100 })).rows, good);
});
await refused('unique violation', () => connection.execute('INSERT INTO client_rows (id) VALUES (1)'), 'ORA-00001');
await refused('missing table', () => connection.execute('SELECT * FROM nowhere'), 'ORA-00942');
await step('second log-on', async () => void (second = await logOn()));
await step('lock a row', async () => {
  same((await connection.execute('SELECT id FROM client_rows WHERE id = 1 FOR UPDATE')).rows, [[1]]);
});
await step('call time-out', async () => {
  second.callTimeout = CALL_TIMEOUT_MS;
  const error = await second.execute("UPDATE client_rows SET note = 'x' WHERE id = 1").then(
    () => new Error('no time-out'),
    (reason) => reason,
  );
  if (!error.message.startsWith('NJS-123')) throw error;
  second.callTimeout = 5000;
  same((await second.execute('SELECT 2 FROM dual')).rows, [[2]]);
  return error.message;
});
await connection.rollback();
await step('parse only', async () => {
  await connection.getStatementInfo('INSERT INTO client_rows (id) VALUES (:1)');
  const error = await connection.getStatementInfo('INSERT INTO nowhere (id) VALUES (:1)').then(
    () => new Error('a missing table parses'),
    (reason) => reason,
  );
  if (!error.message.startsWith('ORA-00942')) throw error;
});

/** What the server does not have: an ORA error in time, and the connection goes on. */
async function atOnce(name, run) {
  connection.callTimeout = 5000;
  await refused(name, run, 'ORA-');
  try {
    same((await connection.execute('SELECT 3 FROM dual')).rows, [[3]]);
  } catch (error) {
    tell(name, false, `afterwards: ${error.message}`);
  }
}

const out = { n: { dir: oracledb.BIND_OUT, type: oracledb.NUMBER } };
await atOnce('returning refused', () =>
  connection.execute("UPDATE client_rows SET note = 'y' WHERE id = 1 RETURNING id INTO :n", out),
);
await atOnce('out bind refused', () => connection.execute('BEGIN :n := 5; END;', out));
await atOnce('lob refused', () => connection.createLob(oracledb.CLOB));
await atOnce('change of password refused', () => connection.changePassword(user, password, 'another'));
if (connection.tpcBegin === undefined || !connection.thin) tell('two-phase refused', true, 'not tried');
else {
  const xid = { formatId: 1, globalTransactionId: 'bridge', branchQualifier: 'branch' };
  await atOnce('two-phase refused', () => connection.tpcBegin(xid, oracledb.TPC_BEGIN_NEW, 5));
}
await connection.rollback();
await step('log off', async () => {
  await connection.close();
  await second.close();
});
