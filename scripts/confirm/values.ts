/** Values: what becomes of them between a bind and a column. */
import oracledb from 'oracledb';

import { withMicroseconds } from '../../src/core/microseconds.ts';
import { boundTime } from '../../src/oracle/bound-time.ts';
import type { Place } from './place.ts';
import { errorOf, type Point, same } from './point.ts';

const AT = new Date('2025-10-26T01:30:00.123Z');
const FIELDS = "TO_CHAR(c, 'YYYY-MM-DD HH24:MI:SS')";
const KYTE = 'Kyte, Expert Oracle Database Architecture, on TIMESTAMP WITH TIME ZONE';

/** Binds one value into a table of one column, and reads an expression of it. */
async function stored(place: Place, column: string, bind: oracledb.BindParameter, read: string): Promise<unknown> {
  const table = await place.table(`c ${column}`);
  const connection = await place.connect();
  await connection.execute("ALTER SESSION SET TIME_ZONE = '+05:00'");
  await connection.execute(`INSERT INTO ${table} (c) VALUES (:1)`, [bind], { autoCommit: true });
  return (await connection.execute<unknown[]>(`SELECT ${read} FROM ${table}`)).rows?.[0]?.[0];
}

const zoned = { type: oracledb.DB_TYPE_TIMESTAMP_TZ, val: AT };
const double = (val: number): oracledb.BindParameter => ({ type: oracledb.DB_TYPE_BINARY_DOUBLE, val });

export const VALUE_POINTS: readonly Point[] = [
  {
    id: 'zone-into-timestamp',
    belief: "TIMESTAMP WITH TIME ZONE +00:00 into TIMESTAMP keeps the UTC fields, whatever the session's zone is",
    how: "ALTER SESSION SET TIME_ZONE = '+05:00'; INSERT TIMESTAMP '2025-10-26 01:30:00 +00:00' into TIMESTAMP(6); SELECT",
    run: async (place) => same(await stored(place, 'TIMESTAMP(6)', zoned, FIELDS), '2025-10-26 01:30:00'),
  },
  {
    id: 'microseconds',
    belief: 'and the microseconds, which the driver is made to send as nanoseconds',
    how: 'the same with 123,456 microseconds; SELECT TO_CHAR(c, FF6)',
    run: async (place) => {
      const val = boundTime(withMicroseconds(AT.getTime(), 456));
      const bind = { type: oracledb.DB_TYPE_TIMESTAMP_TZ, val };
      return same(await stored(place, 'TIMESTAMP(6)', bind, "TO_CHAR(c, 'SS.FF6')"), '00.123456');
    },
  },
  {
    id: 'zone-into-date',
    belief: 'and so does DATE',
    how: 'the same into DATE',
    source: `${KYTE} (a dump)`,
    run: async (place) => same(await stored(place, 'DATE', zoned, FIELDS), '2025-10-26 01:30:00'),
  },
  {
    id: 'zone-into-local',
    belief: 'TIMESTAMP WITH LOCAL TIME ZONE converts, and each session reads it in its own zone',
    how: 'the same into TIMESTAMP WITH LOCAL TIME ZONE: in a session of +05:00 its fields are 06:30',
    source: `${KYTE} (a dump)`,
    run: async (place) => {
      const local = 'TIMESTAMP(6) WITH LOCAL TIME ZONE';
      same(await stored(place, local, zoned, 'c'), AT);
      return same(await stored(place, local, zoned, FIELDS), '2025-10-26 06:30:00');
    },
  },
  {
    id: 'utc-clock',
    belief: "SYS_EXTRACT_UTC(SYSTIMESTAMP) is UTC, whatever the session's zone is",
    how: "ALTER SESSION SET TIME_ZONE = '+05:00'; SELECT SYS_EXTRACT_UTC(SYSTIMESTAMP) FROM dual",
    source: 'Oracle Database SQL Language Reference, SYS_EXTRACT_UTC',
    run: async (place) => {
      const connection = await place.connect();
      await connection.execute("ALTER SESSION SET TIME_ZONE = '+05:00'");
      const sql = "SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24:MI') FROM dual";
      const text = String((await connection.execute<unknown[]>(sql)).rows?.[0]?.[0]);
      const apartMs = Math.abs(Date.parse(`${text.replace(' ', 'T')}:00Z`) - Date.now());
      return same(apartMs < 30 * 60_000, true);
    },
  },
  {
    id: 'double-into-number',
    belief: 'a BINARY_DOUBLE bind of 0.1 into NUMBER is stored as 0.1',
    how: 'INSERT a BINARY_DOUBLE bind of 0.1 into NUMBER; SELECT TO_CHAR(c)',
    run: async (place) => same(await stored(place, 'NUMBER', double(0.1), 'TO_CHAR(c)'), '.1'),
  },
  {
    id: 'double-too-large',
    belief: 'one of 1e126 or more into NUMBER is ORA-01426',
    how: 'INSERT a BINARY_DOUBLE bind of 1e126 into NUMBER',
    source: 'Oracle Database Error Messages, ORA-01426; range of NUMBER',
    run: (place) => errorOf(stored(place, 'NUMBER', double(1e126), 'c'), 'ORA-01426'),
  },
  {
    id: 'infinity-into-number',
    belief: 'an infinity into NUMBER is ORA-01426',
    how: 'INSERT a BINARY_DOUBLE bind of Infinity into NUMBER',
    run: (place) => errorOf(stored(place, 'NUMBER', double(Infinity), 'c'), 'ORA-01426'),
  },
  {
    id: 'nan-into-number',
    belief: 'NaN into NUMBER is an error (the bridge never binds one)',
    how: 'INSERT a BINARY_DOUBLE bind of NaN into NUMBER',
    run: (place) => errorOf(stored(place, 'NUMBER', double(NaN), 'c'), 'ORA-'),
  },
  {
    id: 'minus-zero',
    belief: 'minus zero becomes zero in BINARY_DOUBLE',
    how: 'INSERT a BINARY_DOUBLE bind of -0 into BINARY_DOUBLE; SELECT',
    run: async (place) => {
      const value = await stored(place, 'BINARY_DOUBLE', double(-0), 'c');
      return same([value === 0, Object.is(value, -0)], [true, false]);
    },
  },
  {
    id: 'smallest-number',
    belief: 'as NUMBER the driver refuses 1e-131 and 1e126 itself (NJS-115), and 9e125 goes',
    how: 'INSERT NUMBER binds of 1e-131, 1e126, 9e125',
    source: 'node-oracledb, its writing of NUMBER (its code)',
    run: async (place) => {
      const number = (val: number): oracledb.BindParameter => ({ type: oracledb.NUMBER, val });
      await errorOf(stored(place, 'NUMBER', number(1e-131), 'c'), 'NJS-115');
      await errorOf(stored(place, 'NUMBER', number(1e126), 'c'), 'NJS-115');
      return same(await stored(place, 'NUMBER', number(9e125), 'c'), 9e125);
    },
  },
  {
    id: 'empty-is-null',
    belief: "'' is NULL: NOT NULL refuses it with ORA-01400",
    how: "INSERT '' into VARCHAR2(5), and into one that is NOT NULL",
    source: 'Oracle Database SQL Language Reference, "Nulls"',
    run: async (place) => {
      const empty = { type: oracledb.STRING, val: '' };
      same(await stored(place, 'VARCHAR2(5)', empty, "NVL(c, 'null')"), 'null');
      return errorOf(stored(place, 'VARCHAR2(5) NOT NULL', empty, 'c'), 'ORA-01400');
    },
  },
  {
    id: 'bytes-or-characters',
    belief: 'ORA-12899 counts bytes in VARCHAR2(2 BYTE) and characters in VARCHAR2(2 CHAR)',
    how: "INSERT 'äö' into both, and 'äöü' into the second",
    source: 'Oracle Database SQL Language Reference, "VARCHAR2 Data Type"',
    needs: 'a database in AL32UTF8',
    run: async (place) => {
      const text = (val: string): oracledb.BindParameter => ({ type: oracledb.STRING, val });
      await errorOf(stored(place, 'VARCHAR2(2 BYTE)', text('äö'), 'c'), 'ORA-12899');
      same(await stored(place, 'VARCHAR2(2 CHAR)', text('äö'), 'c'), 'äö');
      return errorOf(stored(place, 'VARCHAR2(2 CHAR)', text('äöü'), 'c'), 'ORA-12899');
    },
  },
  {
    id: 'text-of-4000-bytes',
    belief: 'a text bind of 4,000 bytes goes into VARCHAR2(4000), whatever MAX_STRING_SIZE is',
    how: 'INSERT a bind of 4,000 bytes (maxSize 4000) into VARCHAR2(4000)',
    source: 'node-oracledb, writeColumnMetadata (its code); MAX_STRING_SIZE in the Database Reference',
    run: async (place) =>
      same(
        await stored(
          place,
          'VARCHAR2(4000)',
          { type: oracledb.STRING, maxSize: 4000, val: 'x'.repeat(4000) },
          'LENGTHB(c)',
        ),
        4000,
      ),
  },
];
