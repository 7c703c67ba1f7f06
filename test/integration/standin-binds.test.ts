import oracledb from 'oracledb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Decimal, Timestamp } from '../support/standin/engine/types.ts';
import { Rig } from '../support/standin/connect.ts';

const zone = process.env['TZ'];

describe.each(['19c', '23ai'] as const)('values bound to a %s server', (profile) => {
  let rig: Rig;
  let connection: oracledb.Connection;
  beforeAll(async () => {
    rig = await Rig.start({ profile });
    connection = await rig.connect();
  });
  afterEach(async () => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
    await connection.execute('DROP TABLE t');
  });
  afterAll(() => rig.end());

  async function insert(column: string, type: oracledb.DbType, values: unknown[], maxSize = 4000): Promise<void> {
    await connection.execute(`CREATE TABLE t (i NUMBER, a ${column})`);
    await connection.executeMany(
      'INSERT INTO t VALUES (:1, :2)',
      values.map((value, index) => [index, value]),
      { bindDefs: [{ type: oracledb.DB_TYPE_NUMBER }, { type, maxSize }], autoCommit: true },
    );
  }

  /** Through the driver, in several fetches. */
  async function fetched(): Promise<unknown[]> {
    const options = { prefetchRows: 2, fetchArraySize: 3 };
    const { rows } = await connection.execute<[unknown]>('SELECT a FROM t ORDER BY i', [], options);
    return rows!.map(([value]) => value);
  }

  /** As the engine keeps them. */
  async function stored(): Promise<unknown[]> {
    return (await rig.sql('SELECT a FROM t ORDER BY i')).map((row) => row['A']);
  }

  it('keeps strings of any alphabet and length, and NULL', async () => {
    const values = [
      'a',
      'PLC01.D100',
      null,
      'Grüße',
      '温度',
      '😀',
      'x'.repeat(252),
      'y'.repeat(253),
      'z'.repeat(4000),
      'a',
    ];
    await insert('VARCHAR2(4000)', oracledb.DB_TYPE_VARCHAR, values);
    expect(await fetched()).toEqual(values);
    expect(await stored()).toEqual(values);
  });

  it('keeps national strings', async () => {
    const values = ['Grüße', '温度', null, '😀'];
    await insert('VARCHAR2(100)', oracledb.DB_TYPE_NVARCHAR, values, 100);
    expect(await fetched()).toEqual(values);
  });

  it('keeps numbers', async () => {
    const values = [0, 1, -1, 0.1, 12.5, -273.15, 1e15, 123_456_789_012_345, null, 1e-10, 4.2e100, -4.2e-100];
    await insert('NUMBER', oracledb.DB_TYPE_NUMBER, values);
    expect(await fetched()).toEqual(values);
    expect(await stored()).toEqual(values);
  });

  it('keeps every digit of a number that a double does not hold', async () => {
    await connection.execute('CREATE TABLE t (i NUMBER, a NUMBER)');
    await connection.execute("INSERT INTO t VALUES (1, TO_NUMBER('9007199254740993.25'))");
    await connection.execute("INSERT INTO t VALUES (2, TO_NUMBER('12345678901234567890'))");
    await connection.commit();
    expect(await stored()).toEqual([new Decimal('9007199254740993.25'), new Decimal('12345678901234567890')]);
    const { rows } = await connection.execute('SELECT a FROM t ORDER BY i', [], {
      fetchTypeHandler: () => ({ type: oracledb.STRING }),
    });
    expect(rows).toEqual([['9007199254740993.25'], ['12345678901234567890']]);
  });

  it('keeps doubles bit by bit, with infinities and NaN', async () => {
    const values = [0, 1.5, -2.25, 0.1, 1e308, 5e-324, Infinity, -Infinity, NaN, null, Math.PI];
    await insert('BINARY_DOUBLE', oracledb.DB_TYPE_BINARY_DOUBLE, values);
    expect(await fetched()).toEqual(values);
    expect(await stored()).toEqual(values);
  });

  it('keeps floats', async () => {
    const values = [0, 1.5, -2.25, null, Math.fround(0.1)];
    await insert('BINARY_FLOAT', oracledb.DB_TYPE_BINARY_FLOAT, values);
    expect(await fetched()).toEqual(values);
  });

  it('keeps raw bytes', async () => {
    const values = [Buffer.from([0, 1, 255]), null, Buffer.alloc(300, 7), Buffer.alloc(2000, 9)];
    await insert('RAW(2000)', oracledb.DB_TYPE_RAW, values);
    expect(await fetched()).toEqual(values);
  });

  const instants = [
    '2025-10-26T00:30:00.000Z', // twice 02:30 in Berlin
    '2025-10-26T01:30:00.000Z',
    '2025-03-30T01:30:00.123Z',
    '2024-02-29T23:59:59.999Z',
    '1969-12-31T23:59:59.001Z',
    '0001-01-02T00:00:00.000Z',
    '9999-12-30T00:00:00.500Z',
  ].map((text) => new Date(text));

  describe.each(['UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Kiritimati'])('in the time zone %s', (name) => {
    it('keeps instants bound WITH TIME ZONE', async () => {
      process.env['TZ'] = name;
      await insert('TIMESTAMP(6) WITH TIME ZONE', oracledb.DB_TYPE_TIMESTAMP_TZ, [...instants, null]);
      expect(await fetched()).toEqual([...instants, null]);
      expect(await stored()).toEqual([...instants.map((date) => new Timestamp(date.getTime(), 0, 0)), null]);
    });

    it('puts the UTC fields of such instants into a plain TIMESTAMP', async () => {
      process.env['TZ'] = name;
      await insert('TIMESTAMP(6)', oracledb.DB_TYPE_TIMESTAMP_TZ, [...instants, null]);
      expect(await stored()).toEqual([...instants.map((date) => new Timestamp(date.getTime())), null]);
    });

    it('keeps the wall clock of plain TIMESTAMP and DATE', async () => {
      process.env['TZ'] = name;
      const summer = new Date(2025, 6, 1, 12, 30, 15, 250);
      await insert('TIMESTAMP(3)', oracledb.DB_TYPE_TIMESTAMP, [summer, null]);
      expect(await fetched()).toEqual([summer, null]);
      expect(await stored()).toEqual([new Timestamp(Date.UTC(2025, 6, 1, 12, 30, 15, 250)), null]);
      await connection.execute('DROP TABLE t');
      await insert('DATE', oracledb.DB_TYPE_DATE, [summer]);
      expect(await stored()).toEqual([new Timestamp(Date.UTC(2025, 6, 1, 12, 30, 15))]);
    });
  });

  it('describes its columns', async () => {
    await connection.execute(
      'CREATE TABLE t (id NUMBER(9) NOT NULL, price NUMBER(9,2), n NUMBER, name VARCHAR2(40), code CHAR(5), d DATE, ts TIMESTAMP(6), tz TIMESTAMP(3) WITH TIME ZONE, r RAW(30), v BINARY_DOUBLE)',
    );
    const { metaData } = await connection.execute('SELECT * FROM t');
    expect(metaData!.map(({ name, dbTypeName, nullable }) => [name, dbTypeName, nullable])).toEqual([
      ['ID', 'NUMBER', false],
      ['PRICE', 'NUMBER', true],
      ['N', 'NUMBER', true],
      ['NAME', 'VARCHAR2', true],
      ['CODE', 'CHAR', true],
      ['D', 'DATE', true],
      ['TS', 'TIMESTAMP', true],
      ['TZ', 'TIMESTAMP WITH TIME ZONE', true],
      ['R', 'RAW', true],
      ['V', 'BINARY_DOUBLE', true],
    ]);
    expect(metaData![1]).toMatchObject({ precision: 9, scale: 2 });
    expect(metaData![3]).toMatchObject({ byteSize: 40 });
    expect(metaData![7]).toMatchObject({ precision: 3 });
  });

  it('repeats equal values down many rows and fetches', async () => {
    const values = Array.from({ length: 500 }, (_, i) => (i % 50 < 25 ? 'GOOD' : i % 3 === 0 ? null : 'BAD'));
    await insert('VARCHAR2(16)', oracledb.DB_TYPE_VARCHAR, values);
    expect(await fetched()).toEqual(values);
    const { rows } = await connection.execute('SELECT i, a, a FROM t ORDER BY i', [], { fetchArraySize: 100 });
    expect(rows).toEqual(values.map((value, i) => [i, value, value]));
  });
});
