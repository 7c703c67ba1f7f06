import type { DatabaseErrorKind } from '../core/errors.ts';

/**
 * What each error means. ORA numbers are the database's, NJS numbers the driver's. [Oracle Database Error Messages;
 * node-oracledb `lib/errors.js`]
 */
export interface ErrorClass {
  /**
   * `row`: a row may have it on its own, so that it alone is rejected where others are taken. `held`: the same, and all
   * its rows are good once a DBA has acted.
   */
  readonly kind: Exclude<DatabaseErrorKind, 'refused'> | 'row' | 'held';
  readonly remedy?: string;
  readonly ora: readonly number[];
  readonly njs?: readonly number[];
}

const CLASSES: readonly ErrorClass[] = [
  {
    kind: 'connection',
    ora: [
      18, 20, 22, 24, 28, 31, 41, 600, 603, 1012, 1033, 1034, 1041, 1043, 1089, 1090, 1092, 2391, 2392, 2394, 2396,
      2397, 2399, 3106, 3113, 3114, 3135, 3136, 12150, 12152, 12153, 12157, 12161, 12170, 12203, 12224, 12500, 12502,
      12505, 12514, 12516, 12518, 12519, 12520, 12521, 12523, 12525, 12526, 12527, 12528, 12529, 12533, 12535, 12537,
      12540, 12541, 12543, 12545, 12547, 12549, 12560, 12564, 12570, 12571, 12583, 12606, 12609, 12637, 56721, 56723,
    ],
    njs: [3, 112, 500, 501, 503, 504, 505, 506, 507, 508, 509, 510, 511, 513, 518, 521, 530],
  },
  {
    kind: 'passing',
    ora: [
      40, 54, 60, 1013, 1410, 1555, 1591, 2049, 2068, 2393, 2395, 3150, 4020, 4021, 4061, 4065, 4068, 7455, 8103, 8177,
      14766, 30006, 56720, 56722,
    ],
    njs: [123],
  },
  { kind: 'resource', ora: [257], remedy: 'The archiver is stuck: the DBA must free space for archived redo logs.' },
  {
    kind: 'resource',
    ora: [1536],
    remedy: 'The user has used up its tablespace quota: the DBA must raise it (ALTER USER … QUOTA …).',
  },
  {
    kind: 'resource',
    ora: [1628, 1630, 1631, 1632, 1650, 1651, 1652, 1653, 1654, 1655, 1658, 1659, 1683, 1688, 1691, 1692, 30032, 30036],
    remedy: 'A tablespace is full: the DBA must extend it.',
  },
  {
    kind: 'resource',
    ora: [2002],
    remedy: 'The database can not write its audit trail: the DBA must see to the space and the state of that.',
  },
  {
    kind: 'resource',
    ora: [4030, 4031, 4036],
    remedy:
      "The database is short of memory: the DBA must see to the sizes of its shared pool and its processes' memory.",
  },
  {
    kind: 'resource',
    ora: [372, 376, 1110, 1114, 1115, 1135, 1578],
    remedy: 'A data file of the database is off line, read only or damaged: the DBA must see to it.',
  },
  {
    kind: 'resource',
    ora: [28365, 28374],
    remedy:
      'The keystore (wallet) of the encrypted tablespace or column is closed: the DBA must open it (ADMINISTER KEY MANAGEMENT SET KEYSTORE OPEN …).',
  },
  {
    kind: 'resource',
    ora: [1647, 12081, 16000],
    remedy:
      'The database, the tablespace or the table is read only: the DBA must open it for writing, or oracle.connectString must lead to the primary database.',
  },
  {
    kind: 'resource',
    ora: [1502, 8102],
    remedy: 'An index of the table is unusable or damaged: the DBA must rebuild it (ALTER INDEX … REBUILD).',
  },
  {
    kind: 'configuration',
    ora: [4063, 4091, 4098, 6508],
    remedy:
      'A trigger of the table, or what that calls, is invalid or fails: the DBA must mend it, or disable the trigger.',
  },
  {
    kind: 'configuration',
    ora: [28112],
    remedy: "The table's policy (Virtual Private Database) fails: the DBA must mend its function.",
  },
  {
    kind: 'configuration',
    ora: [932],
    remedy:
      'A column is of a type that its values do not fit: `mqtt-oracle-bridge check --connect` names it. Correct oracle.columns, or the table.',
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
    remedy:
      'The user may not do this: the DBA must grant INSERT on oracle.table (UPDATE and SELECT too with "onDuplicate": "update") and a quota.',
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
      900, 901, 902, 903, 905, 906, 907, 909, 910, 911, 913, 917, 920, 921, 922, 923, 925, 926, 928, 933, 936, 939, 947,
      955, 980, 1008, 1036, 1723, 1730, 1735, 1747, 4043, 12154, 12504, 12506,
    ],
    njs: [7, 98, 101, 116, 125, 138, 512, 514, 515, 516, 517, 519, 520, 531, 532],
    remedy: 'Compare the oracle section of the configuration with the database.',
  },
  {
    kind: 'row',
    ora: [
      1, 1399, 1400, 1402, 1407, 1426, 1438, 1455, 1722, 1830, 1839, 1840, 1841, 1843, 1847, 1849, 1850, 1851, 1852,
      1858, 1861, 1882, 2290, 2291, 2292, 12899, 14300, 22835, 28115, 30025, 38913,
    ],
  },
  {
    kind: 'held',
    ora: [14400, 14401],
    remedy:
      'The table has no partition for these rows: the DBA must add one (ALTER TABLE … ADD PARTITION …). They are written by themselves then.',
  },
  { kind: 'mistake', ora: [1458, 1460, 1461, 1465, 24381], njs: [5, 11, 12, 55, 57, 58, 105, 115] },
];

/** A trigger's own refusal: RAISE_APPLICATION_ERROR takes these [Oracle PL/SQL Language Reference]. */
const APPLICATION_ERROR = /^ORA-20\d{3}$/;
const APPLICATION_CLASS: ErrorClass = { kind: 'row', ora: [] };

/**
 * These stand before or behind the cause, and say nothing of it: recursive SQL, the link it came over, the line of
 * PL/SQL, the trigger, the parallel server, the array.
 */
const AROUND_THE_CAUSE: ReadonlySet<string> = new Set([604, 2063, 4088, 6512, 12801, 24381].map(oraCode));

const BY_CODE = new Map<string, ErrorClass>();
for (const entry of CLASSES) {
  for (const number of entry.ora) BY_CODE.set(oraCode(number), entry);
  for (const number of entry.njs ?? []) BY_CODE.set(njsCode(number), entry);
}

/** Whether a code tells of where an error comes from, and not of the error: of a trigger's PL/SQL, say. */
export function standsAroundCause(code: string): boolean {
  return AROUND_THE_CAUSE.has(code);
}

/** What is known of a code such as `ORA-01653` or `NJS-503`; undefined: nothing. */
export function classOf(code: string): ErrorClass | undefined {
  return APPLICATION_ERROR.test(code) ? APPLICATION_CLASS : BY_CODE.get(code);
}

/**
 * The code that says what is wrong, of all that a message names in their order: what the whole database suffers from
 * before what a row may have on its own.
 */
export function causeOf(codes: readonly string[]): string | undefined {
  const telling = codes.filter((code) => !AROUND_THE_CAUSE.has(code));
  const isRows = (code: string): boolean => ['row', 'held', 'mistake'].includes(classOf(code)?.kind ?? 'row');
  return (
    telling.find((code) => !isRows(code)) ??
    telling.find((code) => classOf(code) !== undefined) ??
    telling[0] ??
    codes[0]
  );
}

export function oraCode(number: number): string {
  return `ORA-${String(number).padStart(5, '0')}`;
}

export function njsCode(number: number): string {
  return `NJS-${String(number).padStart(3, '0')}`;
}
