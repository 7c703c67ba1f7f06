import { describe, expect, it } from 'vitest';
import { Decimal, Timestamp } from '../../support/standin/engine/types.ts';
import { failure, openEngine, run, select, value } from './engine-harness.ts';

const NOW = Date.UTC(2025, 10, 2, 14, 30, 25, 123);

function withReadings() {
  const { session } = openEngine(
    { now: () => NOW },
    'CREATE TABLE readings (id NUMBER PRIMARY KEY, tag VARCHAR2(20), v BINARY_DOUBLE, "Unit" VARCHAR2(8))',
  );
  run(session, 'INSERT INTO readings VALUES (:1, :2, :3, :4)', [
    [1, 'a', 1.5, 'C'],
    [2, 'b', null, 'C'],
    [3, 'a', 2.5, null],
    [4, 'c', -7, 'bar'],
  ]);
  return session;
}

describe('SELECT', () => {
  it.each([
    ["tag = 'a'", [1, 3]],
    ["tag <> 'a' AND v IS NOT NULL", [4]],
    ["tag != 'a' OR id = 1", [1, 2, 4]],
    ['NOT (id < 3)', [3, 4]],
    ['v > 1e0', [1, 3]],
    ['id IN (1, 4, 9)', [1, 4]],
    ['id NOT IN (1, 4)', [2, 3]],
    ['id NOT IN (1, NULL)', []],
    ['id BETWEEN 2 AND 3', [2, 3]],
    ['"Unit" LIKE \'b_r\'', [4]],
    ["tag NOT LIKE '%a%'", [2, 4]],
    ['"Unit" IS NULL', [3]],
    ["tag = ''", []],
    ['1 = 0', []],
    ['ROWNUM <= 2', [1, 2]],
    ["id = '3'", [3]],
    ["LENGTH(tag || 'xx') = 3 AND id * 2 - 1 = 5", [3]],
  ])('finds the rows where %s', (condition, ids) => {
    const session = withReadings();
    expect(select(session, `SELECT id FROM readings WHERE ${condition} ORDER BY id`).flat()).toEqual(ids);
  });

  it('names and describes its columns', () => {
    const session = withReadings();
    const { columns } = session.parse(
      'SELECT r.*, count_of.n AS "n", id + 1, tag x FROM readings r, (SELECT 1 n FROM dual) count_of',
    );
    expect(columns.map(({ name, type }) => [name, type])).toEqual([
      ['ID', 'NUMBER'],
      ['TAG', 'VARCHAR2'],
      ['V', 'BINARY_DOUBLE'],
      ['Unit', 'VARCHAR2'],
      ['n', 'NUMBER'],
      ['ID+1', 'NUMBER'],
      ['X', 'VARCHAR2'],
    ]);
    expect(columns[1]).toMatchObject({ maxBytes: 20, length: 20, charSemantics: false, nullable: true });
    expect(columns[0]).toMatchObject({ nullable: false });
  });

  it('groups, aggregates and filters groups', () => {
    const session = withReadings();
    const sql =
      'SELECT tag, COUNT(*), COUNT(v), SUM(v), AVG(v), MIN(id), MAX(id) FROM readings GROUP BY tag ORDER BY 1';
    expect(select(session, sql)).toEqual([
      ['a', 2, 2, 4, 2, 1, 3],
      ['b', 1, 0, null, null, 2, 2],
      ['c', 1, 1, -7, -7, 4, 4],
    ]);
    expect(select(session, 'SELECT COUNT(DISTINCT tag), COUNT(*) FROM readings WHERE 1 = 0')).toEqual([[0, 0]]);
    expect(select(session, 'SELECT tag FROM readings GROUP BY tag HAVING COUNT(*) > 1')).toEqual([['a']]);
    expect(failure(session, 'SELECT tag, COUNT(*) FROM readings')).toBe('ORA-00937: not a single-group group function');
    expect(failure(session, 'SELECT id FROM readings GROUP BY tag')).toBe('ORA-00979: not a GROUP BY expression');
  });

  it('orders nulls last, or first when descending or asked, and limits rows', () => {
    const session = withReadings();
    const order = (by: string) => select(session, `SELECT id FROM readings ORDER BY ${by}`).flat();
    expect(order('v')).toEqual([4, 1, 3, 2]);
    expect(order('v DESC')).toEqual([2, 3, 1, 4]);
    expect(order('v DESC NULLS LAST')).toEqual([3, 1, 4, 2]);
    expect(order('tag DESC, id DESC OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY')).toEqual([2, 3]);
    expect(order('id FETCH FIRST :1 ROWS ONLY'.replace(':1', '1'))).toEqual([1]);
    expect(select(session, 'SELECT DISTINCT tag FROM readings ORDER BY tag').flat()).toEqual(['a', 'b', 'c']);
  });

  it('skips hints and comments and understands schema prefixes', () => {
    const session = withReadings();
    const sql = 'SELECT /*+ FULL(r) */ r.id -- the key\n FROM plant.readings r WHERE /* one */ r.id = :id';
    expect(select(session, sql, 2)).toEqual([[2]]);
  });
});

describe('expressions', () => {
  it.each<[string, unknown]>([
    ['0.1 + 0.2', 0.3],
    ['1 / 3', new Decimal('0.3333333333333333333333333333333333333333')],
    ['9007199254740993 + 1', new Decimal('9007199254740994')],
    ['2 - -3 * 2', 8],
    ["'a' || NULL || 1.50", 'a1.5'],
    ["NVL('', 'none')", 'none'],
    ["COALESCE(NULL, NULL, 'x')", 'x'],
    ["UPPER('ä') || LOWER('B')", 'Äb'],
    ["LENGTHB('ä€')", 5],
    ["SUBSTR('abcdef', -3, 2)", 'de'],
    ["TO_NUMBER('1e3')", 1000],
    ['TO_CHAR(0.5)', '.5'],
    ["TO_CHAR(1234.5, 'FM9,990.00')", '1,234.50'],
    ['USER', 'PLANT'],
    ["SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')", 'PLANT'],
    ['SESSIONTIMEZONE', '+00:00'],
    ['SYSTIMESTAMP', new Timestamp(NOW, 0, 0)],
    ['SYS_EXTRACT_UTC(SYSTIMESTAMP)', new Timestamp(NOW)],
    ['SYSDATE', new Timestamp(NOW - 123)],
    ["TIMESTAMP '2025-01-02 03:04:05.123456789'", new Timestamp(Date.UTC(2025, 0, 2, 3, 4, 5, 123), 456_789)],
    ["SYS_EXTRACT_UTC(TIMESTAMP '2025-01-02 03:04:05 +02:00')", new Timestamp(Date.UTC(2025, 0, 2, 1, 4, 5))],
    ["DATE '2025-03-01' - DATE '2025-02-28'", 1],
    ["TO_DATE('2025-01-02', 'YYYY-MM-DD')", new Timestamp(Date.UTC(2025, 0, 2))],
    ["TO_TIMESTAMP('02-NOV-25 02.30.25.5 PM')", new Timestamp(Date.UTC(2025, 10, 2, 14, 30, 25, 500))],
    [
      `TO_TIMESTAMP_TZ('2025-11-02T14:30:25.1-01:30', 'YYYY-MM-DD"T"HH24:MI:SS.FFTZH:TZM')`,
      new Timestamp(Date.UTC(2025, 10, 2, 16, 0, 25, 100), 0, -90),
    ],
    [`TO_CHAR(SYSTIMESTAMP, 'YYYY-MM-DD"T"HH24:MI:SS.FF3"Z"')`, '2025-11-02T14:30:25.123Z'],
  ])('%s', (expression, expected) => {
    const { session } = openEngine({ now: () => NOW });
    expect(value(session, `SELECT ${expression} FROM dual`)).toEqual(expected);
  });

  it.each([
    ["TO_NUMBER('12x')", /^ORA-01722: unable to convert string value containing 'x' to a number/],
    ['1 / 0', /^ORA-01476: divisor is equal to zero$/],
    ["TO_TIMESTAMP('2025-13-01', 'YYYY-MM-DD')", /^ORA-01843/],
    ["TO_TIMESTAMP('2025-02-30', 'YYYY-MM-DD')", /^ORA-01839/],
    ["TO_TIMESTAMP('yesterday', 'YYYY-MM-DD')", /^ORA-01858/],
    ["TO_DATE('2025-01-01 10', 'YYYY-MM-DD')", /^ORA-01830/],
    ["SYSTIMESTAMP - 'x' * 2", /^ORA-01722/],
    ['SYSDATE * 2', /^ORA-00932/],
    ['NVL(1)', /^ORA-00909/],
    ['NO_SUCH(1)', /^ORA-00904: "NO_SUCH": invalid identifier$/],
  ])('%s fails', (expression, expected) => {
    const { session } = openEngine();
    expect(failure(session, `SELECT ${expression} FROM dual`)).toMatch(expected);
  });
});

describe('syntax errors', () => {
  it.each([
    ['SELEC 1', 'ORA-00900'],
    ['SELECT FROM dual', 'ORA-00936'],
    ['SELECT 1', 'ORA-00923'],
    ['SELECT 1 FROM dual;', 'ORA-00911'],
    ['SELECT 1 FROM dual WHERE (1 = 1', 'ORA-00907'],
    ['SELECT 1 FROM dual WHERE 1', 'ORA-00920'],
    ['SELECT 1 FROM dual x y', 'ORA-00933'],
    ['SELECT 1 FROM 1', 'ORA-00903'],
    ["SELECT 'x FROM dual", 'ORA-01756'],
    ['INSERT t VALUES (1)', 'ORA-00925'],
    ['INSERT INTO dual (DATE) VALUES (1)', 'ORA-01747'],
    ['UPDATE t x = 1', 'ORA-00971'],
    ['CREATE TABLE t (a VARCHAR2)', 'ORA-00906'],
    ['CREATE TABLE t (a TEXT)', 'ORA-00902'],
    ['CREATE TABLE t (a NUMBER, a DATE)', 'ORA-00957'],
  ])('%s', (sql, code) => {
    const { session } = openEngine();
    expect(failure(session, sql)).toContain(code);
  });
});
