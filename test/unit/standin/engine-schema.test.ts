import { describe, expect, it } from 'vitest';
import { createEngine } from '../../support/standin/engine/engine.ts';
import { failure, openEngine, run, select, value } from './engine-harness.ts';

const TAG_DATA =
  'CREATE TABLE tag_data (tag_name VARCHAR2(255 CHAR) NOT NULL, tag_value BINARY_DOUBLE, tag_text VARCHAR2(4000), ' +
  "timestamp TIMESTAMP(6) DEFAULT SYSTIMESTAMP, quality VARCHAR2(16) DEFAULT 'GOOD' NOT NULL, " +
  "CONSTRAINT tag_data_pk PRIMARY KEY (tag_name, timestamp), CHECK (quality IN ('GOOD', 'BAD')))";

describe('the dictionary', () => {
  it('shows the columns of a table', () => {
    const { session } = openEngine({}, TAG_DATA);
    const columns = 'column_name, data_type, data_length, data_precision, data_scale, nullable, char_length, char_used';
    const sql = `SELECT ${columns} FROM user_tab_columns WHERE table_name = :1 ORDER BY column_id`;
    expect(select(session, sql, 'TAG_DATA')).toEqual([
      ['TAG_NAME', 'VARCHAR2', 1020, null, null, 'N', 255, 'C'],
      ['TAG_VALUE', 'BINARY_DOUBLE', 8, null, null, 'Y', 0, null],
      ['TAG_TEXT', 'VARCHAR2', 4000, null, null, 'Y', 4000, 'B'],
      ['TIMESTAMP', 'TIMESTAMP(6)', 11, null, 6, 'N', 0, null],
      ['QUALITY', 'VARCHAR2', 16, null, null, 'N', 16, 'B'],
    ]);
    expect(value(session, "SELECT COUNT(*) FROM all_tables WHERE owner = USER AND table_name = 'TAG_DATA'")).toBe(1);
  });

  it('shows constraints and indexes', () => {
    const { session } = openEngine({}, TAG_DATA, 'CREATE INDEX by_time ON tag_data (timestamp)');
    const keys =
      'SELECT k.constraint_type, c.column_name, c.position FROM user_constraints k ' +
      'JOIN user_cons_columns c ON c.constraint_name = k.constraint_name ORDER BY 1, 3, 2';
    expect(select(session, keys)).toEqual([
      ['C', 'QUALITY', null],
      ['C', 'QUALITY', null],
      ['C', 'TAG_NAME', null],
      ['P', 'TAG_NAME', 1],
      ['P', 'TIMESTAMP', 2],
    ]);
    expect(select(session, 'SELECT index_name, uniqueness FROM user_indexes ORDER BY 1')).toEqual([
      ['BY_TIME', 'NONUNIQUE'],
      ['TAG_DATA_PK', 'UNIQUE'],
    ]);
    const columns = "SELECT column_name FROM all_ind_columns WHERE index_owner = 'PLANT' AND index_name = 'BY_TIME'";
    expect(select(session, columns)).toEqual([['TIMESTAMP']]);
    expect(
      value(
        session,
        "SELECT search_condition FROM user_constraints WHERE generated = 'GENERATED NAME' AND search_condition LIKE '%IN%'",
      ),
    ).toBe("quality IN ('GOOD', 'BAD')");
  });

  it('tells who one is, what one may do and where', () => {
    const { session } = openEngine({ profile: '19c' });
    expect(select(session, 'SELECT privilege FROM session_privs').flat()).toEqual(['CREATE SESSION', 'CREATE TABLE']);
    expect(value(session, 'SELECT username FROM user_users')).toBe('PLANT');
    expect(value(session, 'SELECT max_bytes FROM user_ts_quotas')).toBe(-1);
    expect(value(session, "SELECT value FROM nls_database_parameters WHERE parameter = 'NLS_CHARACTERSET'")).toBe(
      'AL32UTF8',
    );
    expect(value(session, 'SELECT version FROM product_component_version')).toMatch(/^19\./);
    expect(value(session, 'SELECT banner FROM v$version')).toContain('19c');
    expect(select(session, 'SELECT * FROM all_synonyms')).toEqual([]);
    expect(select(session, 'SELECT * FROM sys.dual')).toEqual([['X']]);
    run(session, "ALTER SESSION SET TIME_ZONE = '+02:00' NLS_DATE_FORMAT = 'YYYY-MM-DD'");
    expect(select(session, "SELECT SESSIONTIMEZONE, TO_CHAR(DATE '2025-01-02') FROM dual")).toEqual([
      ['+02:00', '2025-01-02'],
    ]);
  });
});

describe('tables', () => {
  it('take defaults where nothing is given', () => {
    const now = Date.UTC(2025, 0, 1);
    const { session } = openEngine({ now: () => now }, TAG_DATA);
    run(session, "INSERT INTO tag_data (tag_name, tag_text) VALUES ('a', DEFAULT)");
    expect(select(session, 'SELECT timestamp, quality, tag_text FROM tag_data')).toMatchObject([
      [{ ms: now }, 'GOOD', null],
    ]);
  });

  it('are looked up anew by statements parsed before DDL', () => {
    const { session } = openEngine({}, 'CREATE TABLE t (a NUMBER)');
    const statement = session.parse('INSERT INTO t (a) VALUES (:1)');
    run(session, 'DROP TABLE t');
    expect(() => session.execute(statement, [[1]])).toThrow('table or view "PLANT"."T" does not exist');
    run(session, 'CREATE TABLE t (b NUMBER, a VARCHAR2(3))');
    expect(session.execute(statement, [['x']])).toMatchObject({ rowCount: 1 });
    expect(select(session, 'SELECT b, a FROM t')).toEqual([[null, 'x']]);
  });

  it('get unique indexes only where no key is there twice', () => {
    const { session } = openEngine({}, 'CREATE TABLE t (a NUMBER)');
    run(session, 'INSERT INTO t VALUES (:1)', [[1], [1]]);
    session.commit();
    expect(failure(session, 'CREATE UNIQUE INDEX u ON t (a)')).toContain('ORA-01452');
    run(session, 'DELETE FROM t WHERE ROWNUM = 1');
    run(session, 'CREATE UNIQUE INDEX u ON t (a)');
    expect(failure(session, 'INSERT INTO t VALUES (1)')).toContain('(PLANT.U)');
    run(session, 'DROP INDEX u');
    expect(failure(session, 'INSERT INTO t VALUES (1)')).toBe('no error');
  });

  it('of others are unknown without a grant, and closed beyond it', () => {
    const engine = createEngine();
    const owner = engine.openSession('PLANT');
    const guest = engine.openSession('GUEST');
    run(owner, 'CREATE TABLE t (a NUMBER)');
    expect(failure(guest, 'SELECT * FROM plant.t')).toBe('ORA-00942: table or view "PLANT"."T" does not exist');
    run(owner, 'GRANT SELECT ON t TO guest');
    expect(failure(guest, 'SELECT * FROM plant.t')).toBe('no error');
    expect(failure(guest, 'INSERT INTO plant.t VALUES (1)')).toBe('ORA-01031: insufficient privileges');
    expect(select(guest, 'SELECT owner, privilege FROM user_tab_privs')).toEqual([['PLANT', 'SELECT']]);
    expect(failure(guest, 'CREATE TABLE plant.x (a NUMBER)')).toContain('ORA-01031');
    run(owner, 'REVOKE ALL ON t FROM guest');
    expect(failure(guest, 'SELECT * FROM plant.t')).toContain('ORA-00942');
  });

  it('can be asked by name from outside any session', async () => {
    const { engine, session } = openEngine({}, 'CREATE TABLE t (a NUMBER, "b" VARCHAR2(3))');
    run(session, "INSERT INTO t VALUES (1, 'x')");
    session.commit();
    expect(await engine.query('SELECT * FROM t')).toEqual([{ A: 1, b: 'x' }]);
    await engine.query('DELETE FROM plant.t', 'SYSTEM');
    expect(select(session, 'SELECT * FROM t')).toEqual([]);
  });
});
