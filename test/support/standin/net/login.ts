/**
 * Log-on with a 12c verifier. AES-256-CBC with a zero IV throughout.
 *
 *   K = PBKDF2-SHA512(password, salt || "AUTH_PBKDF2_SPEEDY_KEY", 4096, 64)    H = SHA512(K || salt)[0..32]
 *   phase one  AUTH_SESSKEY = AES(H, A), A random; AUTH_VFR_DATA = salt; AUTH_PBKDF2_CSK_SALT random
 *   phase two  the client sends AUTH_SESSKEY = AES(H, B) and AUTH_PASSWORD = AES(C, 16 random || password || padding)
 *              C = PBKDF2-SHA512(upper-hex(B || A), CSK salt, 3, 32)
 *   answer     AUTH_SVR_RESPONSE = AES(C, 16 random || "SERVER_TO_CLIENT" || padding)
 *
 * Both requests: u8 has user, ub4 user length, ub4 mode, u8, ub4 pairs, u8, u8, user, key/values.
 */
import { createCipheriv, createDecipheriv, createHash, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Dialect, Profile } from './negotiation.ts';
import type { Reader, Writer } from './wire.ts';

const VERIFIER_12C = 0x4815;
const BLOCK = 16;
const NO_IV = Buffer.alloc(BLOCK);

export interface LoginRequest {
  readonly user: string;
  readonly pairs: ReadonlyMap<string, string>;
}

/** Reads a log-on call after its header. The first one shows how the client writes texts (`dialect.bareTexts`). */
export function readLogin(reader: Reader, dialect: Dialect, first: boolean): LoginRequest {
  reader.skip(1);
  const userLength = reader.ub();
  reader.ub();
  reader.skip(1);
  const count = reader.ub();
  reader.skip(2);
  if (first && userLength > 0) dialect.bareTexts = reader.peek() !== userLength;
  const user = userLength === 0 ? '' : dialect.bareTexts ? reader.take(userLength).toString() : reader.text();
  const pairs = new Map<string, string>();
  for (let i = 0; i < count; i++) {
    const { key, value } = reader.keyValue();
    pairs.set(key, value);
  }
  return { user, pairs };
}

/** A user's name and what the server keeps of the password. Making one takes some milliseconds. */
export class Verifier {
  readonly user: string;
  readonly salt = randomBytes(BLOCK);
  readonly key: Buffer;
  readonly #password: string;

  constructor(user: string, password: string) {
    this.user = user;
    this.#password = password;
    const salt = Buffer.concat([this.salt, Buffer.from('AUTH_PBKDF2_SPEEDY_KEY')]);
    const stretched = pbkdf2Sync(password, salt, 4096, 64, 'sha512');
    this.key = createHash('sha512').update(stretched).update(this.salt).digest().subarray(0, 32);
  }

  accepts(password: string): boolean {
    return this.#password === password;
  }
}

/** One log-on attempt, between its two phases. */
export class Login {
  readonly #verifier: Verifier;
  readonly #serverKey = randomBytes(32);
  readonly #mixingSalt = randomBytes(BLOCK);

  constructor(verifier: Verifier) {
    this.#verifier = verifier;
  }

  writeChallenge(writer: Writer, databaseId: string): void {
    const hex = (bytes: Buffer): string => bytes.toString('hex').toUpperCase();
    writer.ub1(8).ub(6);
    writer.keyValue('AUTH_SESSKEY', hex(encrypt(this.#verifier.key, this.#serverKey)));
    writer.keyValue('AUTH_VFR_DATA', hex(this.#verifier.salt), VERIFIER_12C);
    writer.keyValue('AUTH_PBKDF2_CSK_SALT', hex(this.#mixingSalt));
    writer.keyValue('AUTH_PBKDF2_VGEN_COUNT', '4096');
    writer.keyValue('AUTH_PBKDF2_SDER_COUNT', '3');
    writer.keyValue('AUTH_GLOBALLY_UNIQUE_DBID\0', databaseId);
  }

  /** The proof that the server knows the password too, or undefined when the client's is wrong. */
  verify(request: LoginRequest): string | undefined {
    try {
      const clientKey = decrypt(this.#verifier.key, fromHex(request.pairs.get('AUTH_SESSKEY')));
      const both = Buffer.concat([clientKey, this.#serverKey]).toString('hex').toUpperCase();
      const combined = pbkdf2Sync(both, this.#mixingSalt, 3, 32, 'sha512');
      const padded = decrypt(combined, fromHex(request.pairs.get('AUTH_PASSWORD')));
      const password = padded.subarray(BLOCK, padded.length - (padded.at(-1) ?? 0)).toString();
      if (!this.#verifier.accepts(password)) return undefined;
      const proof = Buffer.concat([randomBytes(BLOCK), Buffer.from('SERVER_TO_CLIENT'), Buffer.alloc(BLOCK, BLOCK)]);
      return encrypt(combined, proof).toString('hex').toUpperCase();
    } catch {
      // Sizes that are not whole blocks: made up by a client without the right key.
      return undefined;
    }
  }
}

function fromHex(text: string | undefined): Buffer {
  return Buffer.from(text ?? '', 'hex');
}

function encrypt(key: Buffer, data: Buffer): Buffer {
  return createCipheriv('aes-256-cbc', key, NO_IV).setAutoPadding(false).update(data);
}

function decrypt(key: Buffer, data: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-cbc', key, NO_IV).setAutoPadding(false);
  return Buffer.concat([decipher.update(data), decipher.final()]);
}

export interface SessionFacts {
  readonly sessionId: number;
  readonly serial: number;
  readonly serviceName: string;
  readonly proof: string;
  readonly timeZone: Uint8Array;
  readonly startedAt: Date;
}

/** The answer to a right password: what the client learns of the server, and its session state. */
export function writeWelcome(writer: Writer, profile: Profile, dialect: Dialect, facts: SessionFacts): void {
  const pairs = welcomePairs(profile, facts);
  writer.ub1(8).ub(pairs.length);
  for (const [key, value] of pairs) writer.keyValue(key, value);
  writeSessionState(writer, profile, dialect, facts);
}

function welcomePairs(profile: Profile, facts: SessionFacts): [string, string][] {
  const service = facts.serviceName.toLowerCase();
  const instance = facts.serviceName.replace(/PDB\d*$/i, '').toUpperCase() || 'ORCL';
  const started = facts.startedAt.toISOString().replace('T', ' ').slice(0, 19);
  const recent = profile.fastLogin;
  return [
    ['AUTH_VERSION_STRING', profile.edition],
    ['AUTH_VERSION_SQL', profile.sqlVersion],
    ['AUTH_XACTION_TRAITS', '3'],
    ['AUTH_VERSION_NO', String(profile.serverVersionNo)],
    ['AUTH_VERSION_STATUS', '0'],
    ['AUTH_CAPABILITY_TABLE', ''],
    ['AUTH_LAST_LOGIN', '78640101010101000000000000'],
    ['AUTH_DBNAME', facts.serviceName.toUpperCase()],
    ['AUTH_DB_MOUNT_ID\0', '1000000001'],
    ['AUTH_DB_ID\0', '1000000002'],
    ['AUTH_USER_ID', '101'],
    ['AUTH_SESSION_ID', String(facts.sessionId)],
    ['AUTH_SERIAL_NUM', String(facts.serial)],
    ['AUTH_INSTANCE_NO', '1'],
    ['AUTH_FAILOVER_ID', '1'],
    ['AUTH_SERVER_PID', String(process.pid)],
    ['AUTH_SC_SERVER_HOST', 'standin'],
    ['AUTH_SC_DBUNIQUE_NAME', instance],
    ['AUTH_SC_INSTANCE_NAME', instance],
    ['AUTH_SC_INSTANCE_ID', '1'],
    ['AUTH_SC_INSTANCE_START_TIME', `${started}.000000000 +00:00`],
    ['AUTH_SC_DB_DOMAIN', ''],
    ['AUTH_SC_SERVICE_NAME', service],
    ['AUTH_ONS_RLB_SUBSCR_PATTERN', `%"eventType=database/event/servicemetrics/${service}"\0`],
    ['AUTH_ONS_HA_SUBSCR_PATTERN', '("eventType=database/event/service") | ("eventType=database/event/host")\0'],
    [recent ? 'AUTH_SC_REAL_DBUNIQUE_NAME' : 'AUTH_FAILOVER_RESTORE', recent ? instance : '0'],
    ['AUTH_INSTANCENAME', instance],
    ['AUTH_NLS_LXLAN\0', 'AMERICAN'],
    ['AUTH_NLS_LXCTERRITORY\0', 'AMERICA'],
    ['AUTH_NLS_LXCCURRENCY\0', '$'],
    ['AUTH_NLS_LXCISOCURR\0', 'AMERICA'],
    ['AUTH_NLS_LXCNUMERICS\0', '.,'],
    ['AUTH_NLS_LXCDATEFM\0', 'DD-MON-RR'],
    ['AUTH_NLS_LXCDATELANG\0', 'AMERICAN'],
    ['AUTH_NLS_LXCSORT\0', 'BINARY'],
    ['AUTH_NLS_LXCCALENDAR\0', 'GREGORIAN'],
    ['AUTH_NLS_LXCUNIONCUR\0', '$'],
    ['AUTH_NLS_LXCTIMEFM\0', 'HH.MI.SSXFF AM'],
    ['AUTH_NLS_LXCSTMPFM\0', 'DD-MON-RR HH.MI.SSXFF AM'],
    ['AUTH_NLS_LXCTTZNFM\0', 'HH.MI.SSXFF AM TZR'],
    ['AUTH_NLS_LXCSTZNFM\0', 'DD-MON-RR HH.MI.SSXFF AM TZR'],
    ...(recent
      ? ([
          ['AUTH_NLS_LXLENSEMANTICS\0', 'BYTE'],
          ['AUTH_NLS_LXNCHARCONVEXCP\0', 'FALSE'],
          ['AUTH_NLS_LXCOMP\0', 'BINARY'],
        ] as [string, string][])
      : []),
    ['AUTH_SVR_RESPONSE', facts.proof],
    ['AUTH_MAX_OPEN_CURSORS', '300'],
    ['AUTH_PDB_UID\0', '1000000002'],
    ['AUTH_MAX_IDEN_LENGTH', '128'],
    ...(recent
      ? ([
          ['AUTH_FLAGS', '1'],
          ['AUTH_SERVER_TYPE', '1'],
        ] as [string, string][])
      : []),
  ];
}

/**
 * Values and keywords as 19.22 tells them to each client (go_ora.pcapng [12], python_thin.pcapng [10] in
 * fclairamb/dbbat) and 23.26 to go-ora and JDBC, but not to python-oracledb (go_ora_dml.pcapng,
 * jdbc_thin_cursor_reexec.pcapng, python_thin_failed_stmt.pcapng).
 */
const NLS_STATE: readonly (readonly [string, number])[] = [
  ['AMERICAN', 16],
  ['AMERICA', 9],
  ['$', 0],
  ['AMERICA', 1],
  ['.,', 2],
  ['AL32UTF8', 10],
  ['GREGORIAN', 12],
  ['DD-MON-RR', 7],
  ['AMERICAN', 8],
  ['BINARY', 11],
  ['HH.MI.SSXFF AM', 57],
  ['DD-MON-RR HH.MI.SSXFF AM', 58],
  ['HH.MI.SSXFF AM TZR', 59],
  ['DD-MON-RR HH.MI.SSXFF AM TZR', 60],
  ['$', 52],
  ['BINARY', 50],
  ['BYTE', 61],
  ['FALSE', 62],
];

/** 17h, 05, ub2 1, 10h, ub4 elements, 16h, then per element key, value, ub2 keyword; ub4 flags. */
function writeSessionState(writer: Writer, profile: Profile, dialect: Dialect, facts: SessionFacts): void {
  const userId = Buffer.alloc(8);
  userId.writeUInt32BE(1, 0);
  userId.writeUInt32BE(101, 4);
  const texts =
    profile.fastLogin && !dialect.wantsSettings
      ? []
      : NLS_STATE.map(([text, keyword]) => ({ key: '', value: Buffer.from(text), keyword }));
  const elements: { key: string; value: Uint8Array; keyword: number }[] = [
    ...texts,
    { key: '', value: facts.timeZone, keyword: 163 },
    ...(profile.fastLogin
      ? [
          { key: '', value: userId, keyword: 170 },
          { key: 'NONE\0\0', value: Buffer.alloc(0), keyword: 199 },
        ]
      : []),
  ];
  writer.ub1(0x17, 5).ub(1).ub1(0x10).ub(elements.length).ub1(0x16);
  for (const { key, value, keyword } of elements) writer.sized(key).sized(value).ub(keyword);
  writer.ub(0);
}
