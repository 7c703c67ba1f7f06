import { coerceError, DatabaseError, type DatabaseErrorKind } from '../core/errors.ts';

interface ErrorClass {
  readonly kind: DatabaseErrorKind;
  readonly remedy?: string;
  readonly ora: readonly number[];
  readonly njs?: readonly number[];
}

/**
 * What each error means for the writer. ORA numbers are the database's, NJS numbers the driver's; what stands in no
 * line is `passing` for a whole statement and `row` for a row of a batch. [Oracle Database Error Messages;
 * node-oracledb `lib/errors.js`]
 */
const CLASSES: readonly ErrorClass[] = [
  {
    kind: 'connection',
    ora: [
      18, 20, 22, 24, 28, 31, 41, 600, 603, 1012, 1033, 1034, 1089, 1090, 1092, 2391, 2392, 2394, 2396, 2397, 2399,
      3106, 3113, 3114, 3135, 3136, 12150, 12152, 12153, 12157, 12161, 12170, 12203, 12224, 12500, 12502, 12505, 12514,
      12516, 12518, 12519, 12520, 12521, 12523, 12525, 12526, 12527, 12528, 12529, 12533, 12535, 12537, 12540, 12541,
      12543, 12545, 12547, 12549, 12560, 12564, 12570, 12571, 12583, 12606, 12609, 12637, 56721, 56723,
    ],
    njs: [3, 112, 500, 501, 503, 504, 505, 506, 507, 508, 509, 510, 511, 513, 518, 521, 530],
  },
  { kind: 'passing', ora: [54, 60, 1013, 4021, 4061, 4065, 4068, 8177, 30006], njs: [123] },
  { kind: 'resource', ora: [257], remedy: 'The archiver is stuck: the DBA must free space for archived redo logs.' },
  {
    kind: 'resource',
    ora: [1536],
    remedy: 'The user has used up its tablespace quota: the DBA must raise it (ALTER USER … QUOTA …).',
  },
  {
    kind: 'resource',
    ora: [1631, 1632, 1650, 1651, 1652, 1653, 1654, 1655, 1658, 1659, 1683, 1688, 1691, 30036],
    remedy: 'A tablespace is full: the DBA must extend it.',
  },
  {
    kind: 'configuration',
    ora: [1017, 1005],
    remedy:
      'Correct oracle.user and oracle.password. A password is taken over from its file by itself, else by a reload; a user by a restart. Until then one log-on an hour is tried.',
  },
  {
    kind: 'configuration',
    ora: [28000],
    remedy: 'The account is locked: the DBA must unlock it (ALTER USER … ACCOUNT UNLOCK).',
  },
  {
    kind: 'configuration',
    ora: [28001, 28002],
    remedy: 'The password has expired: set a new one, and oracle.password to it.',
  },
  { kind: 'configuration', ora: [1045], remedy: 'The user lacks CREATE SESSION: the DBA must grant it.' },
  {
    kind: 'configuration',
    ora: [1031, 1950, 41900],
    remedy: 'The user may not do this: the DBA must grant INSERT on oracle.table and a quota.',
  },
  {
    kind: 'configuration',
    ora: [942],
    remedy: 'Correct oracle.table, or create the table: `mqtt-oracle-bridge schema` prints its DDL.',
  },
  { kind: 'configuration', ora: [904], remedy: 'Correct oracle.columns, or add the column to the table.' },
  {
    kind: 'configuration',
    ora: [
      900, 901, 902, 903, 905, 906, 907, 909, 911, 913, 917, 920, 921, 922, 923, 925, 926, 928, 933, 936, 939, 947, 955,
      980, 1008, 1036, 1723, 1730, 1735, 1747, 4043, 12154, 12504, 12506,
    ],
    njs: [7, 98, 101, 116, 125, 138, 512, 514, 515, 516, 517, 519, 520, 531, 532],
    remedy: 'Compare the oracle section of the configuration with the database.',
  },
  {
    kind: 'row',
    ora: [
      1, 910, 932, 1399, 1400, 1407, 1426, 1438, 1455, 1461, 1722, 1830, 1839, 1840, 1841, 1843, 1847, 1849, 1850, 1851,
      1852, 1858, 1861, 1882, 2290, 2291, 2292, 12899, 14400, 14401, 22835, 30025, 38913,
    ],
  },
  { kind: 'mistake', ora: [1458, 1460, 1465, 24381], njs: [5, 11, 12, 55, 57, 58, 105, 115] },
];

const BY_CODE = new Map<string, ErrorClass>();
for (const entry of CLASSES) {
  for (const number of entry.ora) BY_CODE.set(oraCode(number), entry);
  for (const number of entry.njs ?? []) BY_CODE.set(njsCode(number), entry);
}

function oraCode(number: number): string {
  return `ORA-${String(number).padStart(5, '0')}`;
}

function njsCode(number: number): string {
  return `NJS-${String(number).padStart(3, '0')}`;
}

/**
 * Somebody broke the call: a time-out, a DBA (ALTER SYSTEM CANCEL SQL), a profile, the resource manager. Nobody says
 * that a break can't arrive behind the commit, so the ledger is asked.
 */
const BROKEN: ReadonlySet<string> = new Set([40, 1013, 2393, 2395, 56720, 56722].map(oraCode));

/** The driver refused what it was given before it sent anything. */
const NOT_SENT: ReadonlySet<string> = new Set([5, 11, 12, 55, 57, 58, 105, 115].map(njsCode));

/**
 * Says what a thrown error means. The database's number comes first, for the driver keeps it on connections that it
 * counts as dead (NJS-500 with errorNum 3113); then a listener's refusal, which stands only in the text; then the
 * driver's own code.
 *
 * `mayHaveCommitted`: the statement was to be sent, and committed with that. Its outcome is unknown then, unless the
 * database itself gave the error on a connection that lives, or the driver refused before sending: an answer that the
 * driver can't read (NJS-103, a TypeError of its decoder) comes after the commit as well as before.
 */
export function toDatabaseError(thrown: unknown, mayHaveCommitted: boolean): DatabaseError {
  if (thrown instanceof DatabaseError) return thrown;
  const error = coerceError(thrown);
  const codes = codesOf(error);
  const known = codes.find((code) => BY_CODE.has(code));
  const entry = known === undefined ? undefined : BY_CODE.get(known);
  const kind = entry?.kind ?? (error instanceof TypeError ? 'mistake' : 'passing');
  const isUnknown = mayHaveCommitted && !isDatabasesWord(error, kind) && !codes.some((code) => NOT_SENT.has(code));
  return new DatabaseError(kind, known ?? codes[0] ?? error.name, plainText(error.message), {
    outcomeUnknown: isUnknown,
    cause: error,
    ...(entry?.remedy === undefined ? {} : { remedy: entry.remedy }),
  });
}

/**
 * Says what is wrong with one row of a batch: the driver gives only a text. Undefined when the error is none of this
 * row but of the whole database (a full tablespace, say, is reported row by row): then nothing may be rejected.
 */
export function toRowReason(message: string): { code: string; message: string } | undefined {
  const code = /^ORA-\d{5}/.exec(message)?.[0] ?? 'ORA-UNKNOWN';
  const kind = BY_CODE.get(code)?.kind ?? 'row';
  return kind === 'row' || kind === 'mistake' ? { code, message: plainText(message) } : undefined;
}

/** The database refused the statement, and the connection lives: the call came to its end without a commit. */
function isDatabasesWord(error: Error, kind: DatabaseErrorKind): boolean {
  if (kind === 'connection' || ('code' in error && error.code === 'NJS-123')) return false;
  if (!('errorNum' in error) || typeof error.errorNum !== 'number' || error.errorNum <= 0) return false;
  return !BROKEN.has(oraCode(error.errorNum));
}

function codesOf(error: Error): string[] {
  const codes: string[] = [];
  if ('errorNum' in error && typeof error.errorNum === 'number' && error.errorNum > 0)
    codes.push(oraCode(error.errorNum));
  const cause = /Cause: (?:.*\b)?(ORA-\d{5})/s.exec(error.message)?.[1];
  if (cause !== undefined) codes.push(cause);
  if ('code' in error && typeof error.code === 'string') codes.push(error.code);
  const leading = /^(?:ORA-\d{5}|NJS-\d{3})/.exec(error.message)?.[0];
  if (leading !== undefined) codes.push(leading);
  return codes;
}

/**
 * In one line, without what stands beside it anyway (the code) or tells a person nothing (the link, the connection's
 * id).
 */
function plainText(message: string): string {
  const lines = message
    .replace(/^(?:ORA-\d{5}|NJS-\d{3}): /, '')
    .replace(/ ?\(CONNECTION_ID=[^)]*\)/, '')
    .split('\n');
  const telling = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('Help: '));
  return telling.join('; ').replaceAll('.;', ':');
}
