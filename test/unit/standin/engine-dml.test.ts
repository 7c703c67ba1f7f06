import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal, OraError, Timestamp } from '../../support/standin/engine/types.ts';
import type { Value } from '../../support/standin/engine/types.ts';
import { failure, openEngine, run, select, value } from './engine-harness.ts';

const AT = new Timestamp(Date.UTC(2025, 10, 2, 14, 30, 25, 123), 456_789, 120);

/** What a column of that type makes of a value: the stored value or the error. */
function stored(type: string, input: Value): unknown {
  const { session } = openEngine({ profile: '19c' }, `CREATE TABLE t (c ${type})`);
  const error = failure(session, 'INSERT INTO t (c) VALUES (:1)', input);
  return error === 'no error' ? value(session, 'SELECT c FROM t') : error;
}

describe('values in columns', () => {
  it.each<[string, Value, unknown]>([
    ['VARCHAR2(3)', 'abc', 'abc'],
    ['VARCHAR2(3)', '', null],
    ['VARCHAR2(3)', 'äb', 'äb'],
    ['VARCHAR2(3)', 'äbc', 'ORA-12899: value too large for column "PLANT"."T"."C" (actual: 4, maximum: 3)'],
    ['VARCHAR2(3 CHAR)', 'äöü', 'äöü'],
    ['VARCHAR2(3 CHAR)', 'äöü€', 'ORA-12899: value too large for column "PLANT"."T"."C" (actual: 4, maximum: 3)'],
    ['VARCHAR2(9)', 0.5, '.5'],
    ['CHAR(4)', 'ab', 'ab  '],
    ['NUMBER(5,2)', 123.455, 123.46],
    ['NUMBER(5,2)', -0.001, 0],
    ['NUMBER(5,2)', 999.996, 'ORA-01438: value larger than specified precision allowed for this column'],
    ['NUMBER(3,-2)', 12_351, 12_400],
    ['INTEGER', 2.5, 3],
    ['NUMBER(19)', new Decimal('9223372036854775807'), new Decimal('9223372036854775807')],
    ['NUMBER', 0.1 + 0.2, new Decimal('0.30000000000000004')],
    ['NUMBER', '1.50', 1.5],
    ['NUMBER', 'abc', 'ORA-01722: invalid number'],
    ['NUMBER', Number.NaN, 'ORA-01426: numeric overflow'],
    ['NUMBER', Infinity, 'ORA-01426: numeric overflow'],
    ['NUMBER', AT, 'ORA-00932: inconsistent datatypes: expected NUMBER got TIMESTAMP WITH TIME ZONE'],
    ['BINARY_DOUBLE', 0.1 + 0.2, 0.1 + 0.2],
    ['BINARY_DOUBLE', -0, 0],
    ['BINARY_DOUBLE', Number.NaN, Number.NaN],
    ['BINARY_DOUBLE', new Decimal('9007199254740993'), 9_007_199_254_740_992],
    ['BINARY_FLOAT', 0.1, Math.fround(0.1)],
    ['DATE', AT, new Timestamp(Date.UTC(2025, 10, 2, 16, 30, 25))],
    ['TIMESTAMP', new Timestamp(AT.ms, AT.ns, 0), new Timestamp(AT.ms, 457_000)],
    ['TIMESTAMP(3)', AT, new Timestamp(Date.UTC(2025, 10, 2, 16, 30, 25, 123))],
    ['TIMESTAMP(0)', new Timestamp(1500), new Timestamp(2000)],
    ['TIMESTAMP(9) WITH TIME ZONE', AT, AT],
    ['TIMESTAMP', 5, 'ORA-00932: inconsistent datatypes: expected TIMESTAMP got NUMBER'],
    ['TIMESTAMP', '2025-11-02T14:30:25', 'ORA-01843: not a valid month'],
    ['RAW(2)', 'FF00', new Uint8Array([255, 0])],
  ])('%s takes %j', (type, input, expected) => {
    const result = stored(type, input);
    expect(result instanceof Uint8Array ? new Uint8Array(result) : result).toEqual(expected);
  });

  it('rounds any decimal to its scale as exact arithmetic does', () => {
    const { session } = openEngine({}, 'CREATE TABLE t (c NUMBER(38,3))');
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), (units) => {
        const digits = units.toString().replace('-', '').padStart(7, '0');
        const text = `${units < 0n ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`;
        run(session, 'INSERT INTO t VALUES (:1)', [[new Decimal(text)]]);
        const thousandths = (units < 0n ? units - 500n : units + 500n) / 1000n;
        const found = value(session, 'SELECT COUNT(*) FROM t WHERE c * 1000 = :1', new Decimal(thousandths.toString()));
        session.rollback();
        expect(found).toBe(1);
      }),
    );
  });

  it('orders numbers of any length by value', () => {
    const { session } = openEngine();
    const bound = 10n ** 20n;
    fc.assert(
      fc.property(fc.bigInt({ min: -bound, max: bound }), fc.bigInt({ min: -bound, max: bound }), (a, b) => {
        const sql = 'SELECT COUNT(*) FROM dual WHERE TO_NUMBER(:1) < TO_NUMBER(:2)';
        expect(value(session, sql, a.toString(), b.toString())).toBe(Number(a < b));
      }),
    );
  });
});

const LEDGER =
  'CREATE TABLE ledger (id VARCHAR2(10) CONSTRAINT ledger_pk PRIMARY KEY, n NUMBER(3) DEFAULT 7 NOT NULL, ' +
  'u NUMBER UNIQUE, CONSTRAINT n_positive CHECK (n > 0))';

describe('constraints', () => {
  it.each([
    ["INSERT INTO ledger (id, n) VALUES ('a', 1)", /^ORA-00001: unique constraint \(PLANT\.LEDGER_PK\) violated/],
    ["INSERT INTO ledger (id, u) VALUES ('z', 5)", /^ORA-00001: unique constraint \(PLANT\.SYS_C\d{6}\) violated/],
    ['INSERT INTO ledger (n) VALUES (1)', /^ORA-01400: cannot insert NULL into \("PLANT"\."LEDGER"\."ID"\)$/],
    ["INSERT INTO ledger (id, n) VALUES ('b', 0)", /^ORA-02290: check constraint \(PLANT\.N_POSITIVE\) violated$/],
    ['UPDATE ledger SET n = NULL', /^ORA-01407: cannot update \("PLANT"\."LEDGER"\."N"\) to NULL$/],
    ['UPDATE ledger SET n = -1', /^ORA-02290/],
    ["UPDATE ledger SET id = 'c' WHERE id = 'a'", /^ORA-00001/],
    ["INSERT INTO ledger VALUES ('x')", /^ORA-00947: not enough values$/],
    ["INSERT INTO ledger (id) VALUES ('x', 1)", /^ORA-00913: too many values$/],
    ["INSERT INTO ledger (nope) VALUES ('x')", /^ORA-00904: "NOPE": invalid identifier$/],
    ["INSERT INTO missing VALUES ('x')", /^ORA-00942/],
    ['INSERT INTO ledger (id) VALUES (:1)', /^ORA-01008: not all variables bound$/],
    [LEDGER, /^ORA-00955/],
  ])('%s fails and changes nothing', (sql, expected) => {
    const { session } = openEngine({}, LEDGER);
    run(session, 'INSERT INTO ledger (id, u) VALUES (:1, :2)', [
      ['a', 5],
      ['c', null],
      ['d', null],
    ]);
    session.commit();
    expect(failure(session, sql)).toMatch(expected);
    expect(session.inTransaction).toBe(false);
    expect(select(session, 'SELECT id, n, u FROM ledger ORDER BY id')).toEqual([
      ['a', 7, 5],
      ['c', 7, null],
      ['d', 7, null],
    ]);
  });

  it('words a duplicate key as each server does', () => {
    const text = (profile: '19c' | '23ai') => {
      const { session } = openEngine(
        { profile },
        'CREATE TABLE t (a NUMBER, b VARCHAR2(3), CONSTRAINT k UNIQUE (a, b))',
      );
      run(session, "INSERT INTO t VALUES (1, 'x')");
      return failure(session, "INSERT INTO t VALUES (1, 'x')");
    };
    expect(text('19c')).toBe('ORA-00001: unique constraint (PLANT.K) violated');
    expect(text('23ai')).toBe(
      'ORA-00001: unique constraint (PLANT.K) violated on table PLANT.T columns (A,B)\n' +
        'ORA-03301: (ORA-00001 details) row with column values (A:1, B:x) already exists',
    );
  });

  it('lets a key be used again by the transaction that gave it up', () => {
    const { session } = openEngine({}, 'CREATE TABLE t (id NUMBER PRIMARY KEY)');
    run(session, 'INSERT INTO t VALUES (1)');
    session.commit();
    run(session, 'DELETE FROM t');
    run(session, 'INSERT INTO t VALUES (1)');
    run(session, 'UPDATE t SET id = 2');
    run(session, 'INSERT INTO t VALUES (1)');
    session.rollback();
    expect(failure(session, 'INSERT INTO t VALUES (1)')).toContain('ORA-00001');
    expect(failure(session, 'INSERT INTO t VALUES (2)')).toBe('no error');
  });
});

describe('array DML', () => {
  const rows: Value[][] = [
    [1, 10],
    [2, 20],
    [2, 30],
    [3, 1000],
    [4, 40],
  ];
  const sql = 'INSERT INTO t (id, n) VALUES (:1, :2)';
  const table = 'CREATE TABLE t (id NUMBER PRIMARY KEY, n NUMBER(3))';

  it('stops at the first bad row and keeps those before it in the transaction', () => {
    const { session } = openEngine({}, table);
    const result = run(session, sql, rows);
    expect(result.error?.code).toBe(1);
    expect(result).toMatchObject({ rowCount: 2, rowCounts: [1, 1], batchErrors: [] });
    expect(session.inTransaction).toBe(true);
    session.commit();
    expect(select(session, 'SELECT id FROM t').flat()).toEqual([1, 2]);
  });

  it('with batchErrors takes all good rows and lists value errors before key errors', () => {
    const { session } = openEngine({}, table);
    const result = run(session, sql, rows, { batchErrors: true });
    expect(result.batchErrors.map(({ offset, error }) => [offset, error.code])).toEqual([
      [3, 1438],
      [2, 1],
    ]);
    expect(result).toMatchObject({ rowCount: 3, rowCounts: [1, 1, 0, 0, 1] });
  });

  it('fails chosen rows on demand', () => {
    const { session } = openEngine({}, table);
    const rowErrors = new Map([[0, new OraError(1653, 'unable to extend table')]]);
    const result = run(
      session,
      sql,
      [
        [1, 1],
        [2, 2],
      ],
      { batchErrors: true, rowErrors },
    );
    expect(result.batchErrors.map(({ offset, error }) => [offset, error.text])).toEqual([
      [0, 'ORA-01653: unable to extend table'],
    ]);
    expect(select(session, 'SELECT id FROM t')).toEqual([[2]]);
  });

  it('updates, deletes and merges a row for each set of binds', () => {
    const { session } = openEngine({}, table);
    run(session, sql, [
      [1, 1],
      [2, 2],
    ]);
    expect(
      run(session, 'UPDATE t SET n = n + :1 WHERE id = :2', [
        [5, 1],
        [6, 9],
      ]).rowCounts,
    ).toEqual([1, 0]);
    const merge =
      'MERGE INTO t USING (SELECT :1 AS id, :2 n FROM dual) s ON (t.id = s.id) ' +
      'WHEN MATCHED THEN UPDATE SET t.n = s.n WHERE t.n < s.n WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, s.n)';
    expect(
      run(session, merge, [
        [1, 3],
        [2, 9],
        [3, 4],
      ]).rowCounts,
    ).toEqual([0, 1, 1]);
    expect(run(session, 'DELETE FROM t WHERE id = :1', [[3], [4]]).rowCounts).toEqual([1, 0]);
    expect(select(session, 'SELECT id, n FROM t ORDER BY id')).toEqual([
      [1, 6],
      [2, 9],
    ]);
    expect(failure(session, merge.replace('SET t.n', 'SET t.id'), 1, 1)).toContain('ORA-38104');
  });

  it('casts to the type of a column, which a time has to be before it is compared with one', () => {
    const { session } = openEngine({}, table);
    const cast = `SELECT CAST('2020-01-02 03:04:05.678901' AS TIMESTAMP(3)), CAST(NULL AS DATE), CAST('7' AS NUMBER) + 1 FROM dual`;
    run(session, `ALTER SESSION SET NLS_TIMESTAMP_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF'`);
    const [row] = select(session, cast);
    expect(row?.[0]).toMatchObject({ ms: Date.UTC(2020, 0, 2, 3, 4, 5, 679) });
    expect(row?.slice(1)).toEqual([null, 8]);
    expect(failure(session, `SELECT CAST('x' AS VARCHAR2(1)) FROM dual`)).toContain('ORA-00902');
    expect(failure(session, `SELECT CAST('x' NUMBER) FROM dual`)).toContain('ORA-00905');
  });

  it('only counts rows when asked to, once they are committed', () => {
    const { session } = openEngine({ countOnly: true }, table);
    expect(run(session, sql, rows).rowCount).toBe(5);
    expect(value(session, 'SELECT COUNT(*) FROM t')).toBe(0);
    session.commit();
    run(session, sql, rows);
    session.rollback();
    expect(value(session, 'SELECT COUNT(*) FROM t')).toBe(5);
  });
});

describe('PL/SQL blocks', () => {
  const table = 'CREATE TABLE t (id NUMBER PRIMARY KEY, n NUMBER(3))';
  const move =
    'BEGIN\n  UPDATE t SET n = :new WHERE id = :id AND n = :old;\n  IF SQL%ROWCOUNT = 0 THEN\n' +
    "    RAISE_APPLICATION_ERROR(-20001, 'moved: ' || :id);\n  END IF;\nEND;";

  it('count a repeated name as one bind and compare and set', () => {
    const { session } = openEngine({}, table);
    run(session, 'INSERT INTO t VALUES (1, 1)');
    expect(session.parse(move).bindNames).toEqual(['NEW', 'ID', 'OLD']);
    run(session, move, [[2, 1, 1]]);
    expect(failure(session, move, 3, 1, 1)).toBe('ORA-20001: moved: 1\nORA-06512: at line 4');
    expect(value(session, 'SELECT n FROM t')).toBe(2);
  });

  it('undo all their work when one statement fails', () => {
    const { session } = openEngine({}, table);
    run(session, 'INSERT INTO t VALUES (1, 1)');
    const block = 'BEGIN INSERT INTO t VALUES (:1, 1); UPDATE t SET n = 5; INSERT INTO t VALUES (1, :2); END;';
    expect(failure(session, block, 2, 2)).toMatch(/^ORA-00001[\s\S]*\nORA-06512: at line 1$/);
    expect(select(session, 'SELECT id, n FROM t')).toEqual([[1, 1]]);
  });

  it('run for each row of an array and may commit', () => {
    const { session } = openEngine({}, table);
    run(session, 'BEGIN INSERT INTO t VALUES (:1, :2); COMMIT; NULL; END;', [
      [1, 1],
      [2, 2],
    ]);
    session.rollback();
    expect(value(session, 'SELECT COUNT(*) FROM t')).toBe(2);
  });

  it('name the statement that does not compile', () => {
    const { session } = openEngine({ profile: '19c' });
    expect(failure(session, 'BEGIN\nDELETE FROM nope; END;')).toMatch(
      /^ORA-06550: line 2, column \d+:\nPL\/SQL: ORA-00942: table or view does not exist\nORA-06550/,
    );
    expect(failure(session, 'BEGIN DELETE FROM; END;')).toContain('ORA-06550');
    for (const call of ['no_such', 'no_such(1)']) {
      expect(failure(session, `BEGIN ${call}; END;`)).toBe(
        "ORA-06550: line 1, column 7:\nPLS-00201: identifier 'NO_SUCH' must be declared\n" +
          'ORA-06550: line 1, column 7:\nPL/SQL: Statement ignored',
      );
    }
  });
});
