/**
 * Errors inside the engine. Deep code throws a `SqlFault` with a code and named parameters; the session renders it with
 * the texts of the engine's profile, so that no other code needs to know which server is imitated.
 */
import { OraError } from './types.ts';

export type Profile = '19c' | '23ai';

/** One text for both profiles, or `[19c, 23ai]`; `{name}` is a parameter. */
const MESSAGES: Readonly<Record<number, string | readonly [string, string]>> = {
  1: [
    'unique constraint ({constraint}) violated',
    'unique constraint ({constraint}) violated on table {table} columns ({columns})\n' +
      'ORA-03301: (ORA-00001 details) row with column values ({values}) already exists',
  ],
  54: 'resource busy and acquire with NOWAIT specified or timeout expired',
  60: 'deadlock detected while waiting for resource',
  900: 'invalid SQL statement',
  902: 'invalid datatype',
  903: 'invalid table name',
  904: '{name}: invalid identifier',
  905: 'missing keyword',
  906: 'missing left parenthesis',
  907: 'missing right parenthesis',
  908: 'missing NULL keyword',
  909: 'invalid number of arguments',
  910: 'specified length too long for its datatype',
  911: 'invalid character',
  913: 'too many values',
  917: 'missing comma',
  918: ['column ambiguously defined', '{name}: column ambiguously specified'],
  920: 'invalid relational operator',
  921: 'unexpected end of SQL command',
  922: 'missing or invalid option',
  923: 'FROM keyword not found where expected',
  925: 'missing INTO keyword',
  926: 'missing VALUES keyword',
  927: 'missing equal sign',
  928: 'missing SELECT keyword',
  932: [
    'inconsistent datatypes: expected {expected} got {actual}',
    'expression is of data type {actual}, which is incompatible with expected data type {expected}',
  ],
  933: 'SQL command not properly ended',
  934: 'group function is not allowed here',
  936: 'missing expression',
  937: 'not a single-group group function',
  942: ['table or view does not exist', 'table or view {name} does not exist'],
  947: 'not enough values',
  953: 'missing or invalid index name',
  955: 'name is already used by an existing object',
  957: 'duplicate column name',
  959: 'tablespace does not exist',
  969: 'missing ON keyword',
  971: 'missing SET keyword',
  972: 'identifier is too long',
  979: 'not a GROUP BY expression',
  987: 'missing or invalid username(s)',
  990: 'missing or invalid privilege',
  1008: 'not all variables bound',
  1013: 'user requested cancel of current operation',
  1031: 'insufficient privileges',
  1400: 'cannot insert NULL into ({column})',
  1407: 'cannot update ({column}) to NULL',
  1408: 'such column list already indexed',
  1418: 'specified index does not exist',
  1426: 'numeric overflow',
  1438: [
    'value larger than specified precision allowed for this column',
    'value {value} greater than specified precision ({precision}, {scale}) for column {name}',
  ],
  1432: 'public synonym to be dropped does not exist',
  1434: 'private synonym to be dropped does not exist',
  1481: 'invalid number format model',
  1452: 'cannot CREATE UNIQUE INDEX; duplicate keys found',
  1465: 'invalid hex number',
  1476: 'divisor is equal to zero',
  1735: 'invalid ALTER TABLE option',
  1775: 'looping chain of synonyms',
  1722: [
    'invalid number',
    "unable to convert string value containing '{character}' to a number: {name}\n" +
      'ORA-03302: (ORA-01722 details) invalid string value: {value}',
  ],
  1727: 'numeric precision specifier is out of range (1 to 38)',
  1728: 'numeric scale specifier is out of range (-84 to 127)',
  1741: 'illegal zero-length identifier',
  1747: 'invalid user.table.column, table.column, or column specification',
  1756: 'quoted string not properly terminated',
  1785: 'ORDER BY item must be the number of a SELECT-list expression',
  1786: 'FOR UPDATE of this query expression is not allowed',
  1821: 'date format not recognized',
  1830: 'date format picture ends before converting entire input string',
  1839: 'date not valid for month specified',
  1840: 'input value not long enough for date format',
  1841: '(full) year must be between -4713 and +9999, and not be 0',
  1843: ['not a valid month', 'An invalid month was specified.'],
  1847: 'day of month must be between 1 and last day of month',
  1849: 'hour must be between 1 and 12',
  1850: 'hour must be between 0 and 23',
  1851: 'minutes must be between 0 and 59',
  1852: 'seconds must be between 0 and 59',
  1855: 'AM/A.M. or PM/P.M. required',
  1858: [
    'a non-numeric character was found where a numeric was expected',
    'A non-numeric character was found instead of a numeric character.',
  ],
  1861: 'literal does not match format string',
  1874: 'time zone hour must be between -15 and 15',
  2003: 'invalid USERENV parameter',
  2253: 'constraint specification not allowed here',
  2260: 'table can have only one primary key',
  2264: 'name already used by an existing constraint',
  2250: 'missing or invalid constraint name',
  2290: 'check constraint ({constraint}) violated',
  2293: 'cannot validate ({constraint}) - check constraint violated',
  2296: 'cannot enable ({constraint}) - null values found',
  2299: 'cannot validate ({constraint}) - duplicate keys found',
  2429: 'cannot drop index used for enforcement of unique/primary key',
  2437: 'cannot validate ({constraint}) - primary key violated',
  2443: 'Cannot drop constraint  - nonexistent constraint',
  12899: 'value too large for column {column} (actual: {actual}, maximum: {maximum})',
  21000: 'error number argument to raise_application_error of {number} is out of range',
  30005: 'missing or invalid WAIT interval',
  30006: 'resource busy; acquire with WAIT timeout expired',
  30088: 'datetime/interval precision is out of range',
  38104: 'Columns referenced in the ON Clause cannot be updated: {name}',
};

export type FaultParameters = Readonly<Record<string, string | number>>;

/** An error on its way to the session, which gives it its text. */
export class SqlFault extends Error {
  readonly code: number;
  readonly parameters: FaultParameters;
  readonly position: number;
  constructor(code: number, parameters: FaultParameters = {}, position = 0) {
    super(`ORA-${code}`);
    this.code = code;
    this.parameters = parameters;
    this.position = position;
  }

  /** The same fault with parameters that its thrower could not know, such as a column's name. */
  with(parameters: FaultParameters): SqlFault {
    return new SqlFault(this.code, { ...parameters, ...this.parameters }, this.position);
  }
}

/** What a client of that server would see. Anything but a fault is a bug of the engine and is thrown as it is. */
export function renderFault(error: unknown, profile: Profile): OraError {
  if (error instanceof OraError) return error;
  if (!(error instanceof SqlFault)) throw error;
  const texts = MESSAGES[error.code] ?? 'error';
  const template = typeof texts === 'string' ? texts : texts[profile === '19c' ? 0 : 1];
  const message = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(error.parameters[name] ?? ''));
  return new OraError(error.code, message, error.position);
}
