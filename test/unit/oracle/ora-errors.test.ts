import { describe, expect, it } from 'vitest';

import { DatabaseError } from '../../../src/core/errors.ts';
import { isDuplicateKey, readRowError, toDatabaseError } from '../../../src/oracle/ora-errors.ts';

function driverError(message: string, more: { code?: string; errorNum?: number } = {}): Error {
  return Object.assign(new Error(message), more);
}

describe('toDatabaseError', () => {
  it.each([
    ['connection', driverError('NJS-500: connection to the Oracle Database was broken', { code: 'NJS-500' })],
    ['connection', driverError('NJS-503: connection could not be established', { code: 'NJS-503' })],
    ['connection', driverError('NJS-510: connection timed out', { code: 'NJS-510' })],
    ['connection', driverError('ORA-03113: end-of-file on communication channel', { errorNum: 3113, code: 'NJS-500' })],
    ['connection', driverError('NJS-518: service "X" is not registered\nCause: ORA-12514', { code: 'NJS-518' })],
    ['connection', driverError('ORA-01033: initialization in progress', { errorNum: 1033, code: 'ORA-01033' })],
    ['passing', driverError('NJS-123: call timeout exceeded', { code: 'NJS-123' })],
    ['passing', driverError('ORA-00060: deadlock detected', { errorNum: 60, code: 'ORA-00060' })],
    ['refused', driverError('ORA-20001: raised by a trigger', { errorNum: 20_001, code: 'ORA-20001' })],
    ['resource', driverError('ORA-01653: unable to extend table', { errorNum: 1653, code: 'ORA-01653' })],
    ['configuration', driverError('ORA-01017: invalid username/password', { errorNum: 1017, code: 'ORA-01017' })],
    ['configuration', driverError('ORA-00942: table or view does not exist', { errorNum: 942, code: 'ORA-00942' })],
    ['configuration', driverError('ORA-41900: missing INSERT privilege', { errorNum: 41_900, code: 'ORA-41900' })],
    ['refused', driverError('ORA-12899: value too large for column', { errorNum: 12_899, code: 'ORA-12899' })],
    ['refused', driverError('ORA-07777: in no list', { errorNum: 7777, code: 'ORA-07777' })],
    ['configuration', driverError('ORA-00932: inconsistent datatypes', { errorNum: 932, code: 'ORA-00932' })],
    ['resource', driverError('ORA-00604: recursive\nORA-01653: full', { errorNum: 604, code: 'ORA-00604' })],
    ['mistake', driverError('NJS-011: encountered bind value', { code: 'NJS-011' })],
    ['mistake', new TypeError('Cannot mix BigInt and other types')],
    ['passing', new Error('something new')],
  ])('takes for %s: %o', (kind, error) => {
    expect(toDatabaseError(error, true).kind).toBe(kind);
  });

  it('names the code by which a person finds help', () => {
    const refused = driverError('NJS-518: refused\nCause: ORA-12514: no such service', { code: 'NJS-518' });
    expect(toDatabaseError(refused, false)).toMatchObject({
      code: 'ORA-12514',
      message: 'refused; Cause: ORA-12514: no such service',
    });
    const dead = driverError('NJS-500: broken', { code: 'NJS-500', errorNum: 28 });
    expect(toDatabaseError(dead, false).code).toBe('ORA-00028');
  });

  it('says what happened in one line, without code, link and connection id', () => {
    const message =
      'NJS-503: connection to host 10.0.0.1 port 1521 could not be established. (CONNECTION_ID=x+Y/z==)\nconnect ECONNREFUSED';
    expect(toDatabaseError(driverError(message, { code: 'NJS-503' }), false).message).toBe(
      'connection to host 10.0.0.1 port 1521 could not be established: connect ECONNREFUSED',
    );
    expect(
      readRowError('ORA-00001: unique constraint (A.B) violated\nORA-03301: row exists\nHelp: https://x/').reason
        .message,
    ).toBe('unique constraint (A.B) violated; ORA-03301: row exists');
  });

  it('calls an outcome unknown only where the statement may have been committed', () => {
    const lost = driverError('NJS-500: broken', { code: 'NJS-500' });
    const timedOut = driverError('NJS-123: call timeout', { code: 'NJS-123' });
    const refused = driverError('ORA-00942: no table', { code: 'ORA-00942', errorNum: 942 });
    expect([lost, timedOut, refused].map((error) => toDatabaseError(error, true).outcomeUnknown)).toEqual([
      true,
      true,
      false,
    ]);
    expect(toDatabaseError(lost, false).outcomeUnknown).toBe(false);
  });

  it.each([
    ['an answer that the driver can not read', driverError('NJS-103: unexpected message type 99', { code: 'NJS-103' })],
    ['a fault in its decoder', new TypeError('undefined is not an object')],
    ['a range that it does not expect', new RangeError('offset')],
    ['what nobody has seen before', new Error('?')],
    ['a call that was broken off', driverError('NJS-123: call timeout', { code: 'NJS-123', errorNum: 1013 })],
  ])('calls the outcome unknown after %s', (_what, error) => {
    expect(toDatabaseError(error, true).outcomeUnknown).toBe(true);
  });

  it.each(['NJS-005', 'NJS-011', 'NJS-012', 'NJS-055', 'NJS-058', 'NJS-105', 'NJS-115'])(
    'calls the outcome known after %s, which comes before anything is sent',
    (code) => {
      expect(toDatabaseError(driverError(`${code}: x`, { code }), true).outcomeUnknown).toBe(false);
    },
  );

  it('says what to do where a person must act', () => {
    const kinds = ['ORA-01017', 'ORA-28000', 'ORA-00942', 'ORA-00904', 'ORA-01536', 'ORA-01653'];
    for (const code of kinds) expect(toDatabaseError(new Error(`${code}: x`), false).remedy).not.toBe('');
  });

  it('leaves a DatabaseError as it is', () => {
    const error = new DatabaseError('passing', 'POOL_BUSY', 'busy');
    expect(toDatabaseError(error, true)).toBe(error);
  });
});

describe('isDuplicateKey', () => {
  it.each([
    ['ORA-00001: unique constraint (A.B) violated', true],
    ['ORA-00001: unique constraint (A.B) violated on table A.T columns (X)\nORA-03301: row exists\nHelp: x', true],
    ['ORA-00001: unique constraint (A.LOG) violated\nORA-06512: at "A.TRG", line 2\nORA-04088: error', false],
    ['ORA-00604: error occurred at recursive SQL level 1\nORA-00001: unique constraint (SYS.X) violated', false],
    ['ORA-12899: value too large', false],
    ['something else', false],
  ])('of %j is %s', (message, is) => {
    expect(isDuplicateKey(message)).toBe(is);
  });
});

describe('readRowError', () => {
  it.each(['ORA-00001', 'ORA-01400', 'ORA-12899', 'ORA-02290', 'ORA-20001', 'ORA-20999', 'ORA-28115'])(
    'counts %s as an error of the row',
    (code) => {
      const reason = { code, message: 'refused' };
      expect(readRowError(`${code}: refused\nHelp: somewhere`)).toEqual({ reason, fault: 'row' });
    },
  );

  it.each([1653, 1536, 1692, 30_032, 4031, 28_365, 16_000, 12_081, 1502, 376, 4098, 4091, 2002, 28_112, 60, 3113, 942])(
    'does not blame the row for ORA-%s, of which every row would die',
    (number) => {
      expect(readRowError(`ORA-${String(number).padStart(5, '0')}: nothing of this row`).fault).toBe('database');
    },
  );

  it.each([
    ['recursive SQL', 'ORA-00604: level 1\nORA-01653: unable to extend table SYS.AUD$', 'ORA-01653', 'database'],
    ['a trigger', 'ORA-01403: no data found\nORA-06512: at "P.T", line 3\nORA-04088: trigger', 'ORA-01403', 'unlisted'],
    ['a trigger that refuses', 'ORA-20001: too hot\nORA-06512: at line 1\nORA-04088: x', 'ORA-20001', 'row'],
    ['a link', 'ORA-12899: too large\nORA-02063: preceding line from LINK', 'ORA-12899', 'row'],
    ['a row error around a full disk', 'ORA-20001: failed\nORA-01653: full', 'ORA-01653', 'database'],
    ['nothing else', 'ORA-00604: level 1', 'ORA-00604', 'unlisted'],
  ])('looks for the cause behind %s', (_what, text, code, fault) => {
    expect(readRowError(text)).toMatchObject({ reason: { code }, fault });
  });

  it('knows rows that are good once a DBA has added a partition, and what is in no list', () => {
    expect(readRowError('ORA-14400: no partition').fault).toBe('held');
    expect(readRowError('ORA-07777: never seen').fault).toBe('unlisted');
    expect(readRowError('something else')).toMatchObject({ reason: { code: 'ORA-UNKNOWN' }, fault: 'unlisted' });
  });
});
