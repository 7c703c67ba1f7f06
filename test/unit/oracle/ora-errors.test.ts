import { describe, expect, it } from 'vitest';

import { DatabaseError } from '../../../src/core/errors.ts';
import { toDatabaseError, toRowReason } from '../../../src/oracle/ora-errors.ts';

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
    ['passing', driverError('ORA-20001: raised by a trigger', { errorNum: 20_001, code: 'ORA-20001' })],
    ['resource', driverError('ORA-01653: unable to extend table', { errorNum: 1653, code: 'ORA-01653' })],
    ['configuration', driverError('ORA-01017: invalid username/password', { errorNum: 1017, code: 'ORA-01017' })],
    ['configuration', driverError('ORA-00942: table or view does not exist', { errorNum: 942, code: 'ORA-00942' })],
    ['configuration', driverError('ORA-41900: missing INSERT privilege', { errorNum: 41_900, code: 'ORA-41900' })],
    ['row', driverError('ORA-12899: value too large for column', { errorNum: 12_899, code: 'ORA-12899' })],
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
      toRowReason('ORA-00001: unique constraint (A.B) violated\nORA-03301: row exists\nHelp: https://x/')?.message,
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

describe('toRowReason', () => {
  it.each(['ORA-00001', 'ORA-01400', 'ORA-12899', 'ORA-02290', 'ORA-14400', 'ORA-20001', 'ORA-04091'])(
    'counts %s as an error of the row',
    (code) => {
      expect(toRowReason(`${code}: refused\nHelp: somewhere`)).toEqual({ code, message: 'refused' });
    },
  );

  it.each(['ORA-01653', 'ORA-01536', 'ORA-00060', 'ORA-03113', 'ORA-00942'])(
    'does not blame the row for %s, of which every row would die',
    (code) => {
      expect(toRowReason(`${code}: nothing of this row`)).toBeUndefined();
    },
  );
});
