import { describe, expect, it } from 'vitest';

import { createEngine } from '../../support/standin/engine/engine.ts';
import { failure, openEngine, run, select } from './engine-harness.ts';

const TABLE = 'CREATE TABLE t (a NUMBER, b VARCHAR2(8))';

describe('ALTER TABLE', () => {
  it('adds a CHECK that holds for each row of an array', () => {
    const { session } = openEngine({}, TABLE);
    const insert = session.parse('INSERT INTO t (a) VALUES (:1)');
    run(session, 'ALTER TABLE t ADD CONSTRAINT small CHECK (a < 10)');
    const result = session.execute(insert, [[1], [10], [2]], { batchErrors: true });
    expect(result).toMatchObject({ rowCount: 2, batchErrors: [{ offset: 1, error: { code: 2290 } }] });
    expect(failure(session, 'UPDATE t SET a = 11')).toBe('ORA-02290: check constraint (PLANT.SMALL) violated');
  });

  it('adds several constraints, keys among them, and drops one', () => {
    const { session } = openEngine({}, TABLE);
    run(session, "ALTER TABLE t ADD (CONSTRAINT k PRIMARY KEY (a), UNIQUE (b), CHECK (b <> 'x'))");
    expect(failure(session, "INSERT INTO t VALUES (NULL, 'y')")).toContain('ORA-01400');
    run(session, "INSERT INTO t VALUES (1, 'y')");
    expect(failure(session, "INSERT INTO t VALUES (1, 'z')")).toContain('ORA-00001');
    expect(failure(session, "INSERT INTO t VALUES (2, 'y')")).toContain('ORA-00001');
    expect(failure(session, "INSERT INTO t VALUES (2, 'x')")).toContain('ORA-02290');
    run(session, 'ALTER TABLE t DROP CONSTRAINT k');
    expect(failure(session, "INSERT INTO t VALUES (1, 'z')")).toBe('no error');
    expect(failure(session, "INSERT INTO t VALUES (NULL, 'w')")).toBe('no error');
    expect(failure(session, 'ALTER TABLE t DROP CONSTRAINT k')).toContain('ORA-02443');
  });

  it.each([
    ["INSERT INTO t VALUES (5, 'y')", 'ADD CONSTRAINT c CHECK (a < 5)', 'ORA-02293'],
    ["INSERT INTO t VALUES (1, 'y')", 'ADD CONSTRAINT c UNIQUE (b)', 'ORA-02299'],
    ["INSERT INTO t VALUES (1, 'z')", 'ADD CONSTRAINT c PRIMARY KEY (a)', 'ORA-02437'],
    ["INSERT INTO t VALUES (NULL, 'z')", 'ADD CONSTRAINT c PRIMARY KEY (a)', 'ORA-02437'],
  ])('after %s refuses to %s', (insert, clause, code) => {
    const { session } = openEngine({}, TABLE);
    run(session, "INSERT INTO t VALUES (1, 'y')");
    run(session, insert);
    session.commit();
    expect(failure(session, `ALTER TABLE t ${clause}`)).toContain(code);
    expect(failure(session, "INSERT INTO t VALUES (NULL, 'y')")).toBe('no error');
    expect(select(session, 'SELECT constraint_name FROM user_constraints')).toEqual([]);
  });

  it('does not pretend to do what it cannot', () => {
    const { session } = openEngine({}, TABLE);
    expect(failure(session, 'ALTER TABLE t MOVE ONLINE')).toContain('ORA-01735');
    expect(failure(session, 'ALTER USER plant ACCOUNT UNLOCK')).toBe('no error');
  });
});

describe('synonyms', () => {
  it('lead to the table of another schema, with the rights on that table', () => {
    const engine = createEngine();
    const owner = engine.openSession('PLANT');
    const guest = engine.openSession('GUEST');
    run(owner, TABLE);
    run(guest, 'CREATE SYNONYM mine FOR plant.t');
    expect(failure(guest, 'INSERT INTO mine (a) VALUES (1)')).toContain('ORA-00942');
    run(owner, 'GRANT INSERT, SELECT ON t TO guest');
    run(guest, 'INSERT INTO mine (a) VALUES (1)');
    expect(select(guest, 'SELECT a FROM mine')).toEqual([[1]]);
    const merge =
      'MERGE INTO mine t USING (SELECT 1 a FROM dual) s ON (t.a = s.a) WHEN MATCHED THEN UPDATE SET t.b = s.a';
    expect(failure(guest, merge)).toContain('ORA-01031');
    run(owner, 'GRANT UPDATE ON t TO guest');
    run(guest, `${merge} WHERE t.b < s.a`);
    run(owner, 'REVOKE SELECT ON t FROM guest');
    run(guest, merge);
    expect(failure(guest, `${merge} WHERE t.b < s.a`)).toContain('ORA-01031');
    run(owner, 'GRANT SELECT ON t TO guest');
    expect(select(guest, 'SELECT owner, synonym_name, table_owner, table_name, db_link FROM all_synonyms')).toEqual([
      ['GUEST', 'MINE', 'PLANT', 'T', null],
    ]);
    expect(select(guest, 'SELECT object_type FROM all_objects WHERE object_name = :1', 'MINE')).toEqual([['SYNONYM']]);
    run(guest, 'DROP SYNONYM mine');
    expect(failure(guest, 'SELECT a FROM mine')).toContain('ORA-00942');
    expect(failure(guest, 'DROP SYNONYM mine')).toContain('ORA-01434');
  });

  it('of PUBLIC serve everyone who has nothing of that name', () => {
    const engine = createEngine();
    const owner = engine.openSession('PLANT');
    const guest = engine.openSession('GUEST');
    run(owner, TABLE);
    run(owner, 'GRANT SELECT ON t TO PUBLIC');
    run(owner, 'CREATE PUBLIC SYNONYM t FOR plant.t');
    expect(select(guest, 'SELECT a FROM t')).toEqual([]);
    expect(failure(guest, 'SELECT a FROM guest.t')).toContain('ORA-00942');
    expect(failure(owner, 'CREATE PUBLIC SYNONYM t FOR plant.t')).toContain('ORA-00955');
    run(owner, 'CREATE OR REPLACE PUBLIC SYNONYM t FOR plant.t');
    run(guest, 'CREATE TABLE t (c NUMBER)');
    expect(failure(guest, 'SELECT c FROM t')).toBe('no error');
  });

  it('may stand one behind the other, but not in a circle', () => {
    const { session } = openEngine({}, TABLE, 'CREATE SYNONYM s1 FOR t', 'CREATE SYNONYM s2 FOR s1');
    expect(select(session, 'SELECT a FROM s2')).toEqual([]);
    run(session, 'CREATE OR REPLACE SYNONYM s1 FOR s2');
    expect(failure(session, 'SELECT a FROM s2')).toContain('ORA-01775');
  });
});
