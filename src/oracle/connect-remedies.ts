import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { DatabaseError, type DatabaseErrorKind } from '../core/errors.ts';
import { brokenEntry } from './names-file.ts';
import { explainTls } from './tls.ts';

/** What a log-on was tried with. */
export interface TriedLogOn {
  readonly connectString: string;
  readonly walletDir: string;
}

/** What an error means that came while the bridge was logging on; in the midst of a statement it may mean another. */
export interface ConnectRule {
  readonly codes: readonly string[];
  /** In the text of the error; absent: any. */
  readonly text?: RegExp;
  /** In `oracle.connectString`; absent: any. */
  readonly setting?: RegExp;
  /** Absent: as it is anyway. */
  readonly kind?: DatabaseErrorKind;
  readonly remedy: string;
}

const IS_DESCRIPTOR = /^\s*\(/;
const IS_NAME = /^[^()/:]+$/;
const LOOKS_LIKE_HOST = /^[^()/:]+\.[^()/:]+$/;

const ALIAS =
  'No such name in tnsnames.ora: correct oracle.connectString, or write it as host:port/service. The file is looked for in oracle.walletDir, then in oracle.tnsAdmin.';
const NOT_OPEN =
  'The database or pluggable database is not open: the DBA must open it (ALTER PLUGGABLE DATABASE … OPEN, and SAVE STATE so that it opens by itself).';
const STARTING =
  'The database is being started or stopped, or the pluggable database is mounted only: wait, or have the DBA open it (ALTER PLUGGABLE DATABASE … OPEN).';
const ENCRYPTION =
  'The server demands native network encryption or checksums, which the driver has not: the DBA must offer TLS (tcps://), or set ' +
  'SQLNET.ENCRYPTION_SERVER and SQLNET.CRYPTO_CHECKSUM_SERVER to ACCEPTED or REQUESTED in sqlnet.ora.';
const TOO_MANY =
  'Too many sessions or processes: the DBA raises PROCESSES or SESSIONS_PER_USER, or oracle.pool.max is lowered; a bridge opens so many at most.';
const NOBODY_LISTENS =
  'Nothing listens there: is the listener running, and are host and port of oracle.connectString right?';
const NOBODY_ANSWERS =
  'Nobody answers: are host and port of oracle.connectString right, and does a firewall let this machine through?';

/**
 * In this order; the first that applies. [node-oracledb `lib/errors.js`; Oracle Database Error Messages]
 *
 * Those of kind `configuration` do not heal by themselves: batches are backed up at once, and a log-on is tried once a
 * minute.
 */
export const CONNECT_RULES: readonly ConnectRule[] = [
  {
    codes: ['NJS-533', 'ORA-12650', 'ORA-12660', 'ORA-12662', 'ORA-12664', 'ORA-12668', 'ORA-12669'],
    kind: 'configuration',
    remedy: ENCRYPTION,
  },
  {
    codes: ['NJS-531', 'NJS-532', 'ORA-12639', 'ORA-12641'],
    kind: 'configuration',
    remedy:
      'The server demands a way to prove who one is that the driver has not: the DBA must allow a password (SQLNET.AUTHENTICATION_SERVICES in sqlnet.ora).',
  },
  {
    codes: ['NJS-116'],
    kind: 'configuration',
    remedy:
      'The account has only the password verifier of old (10G): the DBA must set its password anew (ALTER USER … IDENTIFIED BY …, the same one may be given) so that PASSWORD_VERSIONS in DBA_USERS has 11G or 12C.',
  },
  {
    codes: ['ORA-28040'],
    kind: 'configuration',
    remedy:
      "Database and account agree on no way of logging on: the DBA compares SQLNET.ALLOWED_LOGON_VERSION_SERVER in sqlnet.ora with the account's PASSWORD_VERSIONS, and sets the password anew.",
  },
  {
    codes: ['NJS-138', 'ORA-03134'],
    kind: 'configuration',
    remedy: 'The database is older than 12.1, the oldest that the driver speaks to.',
  },
  { codes: ['ORA-01109', 'ORA-01219', 'ORA-65054'], kind: 'configuration', remedy: NOT_OPEN },
  {
    codes: ['ORA-01035', 'ORA-12526'],
    kind: 'configuration',
    remedy:
      'The database lets in only users with RESTRICTED SESSION: the DBA must end that (ALTER SYSTEM DISABLE RESTRICTED SESSION); a pluggable database opens so when PDB_PLUG_IN_VIOLATIONS has something.',
  },
  { codes: ['ORA-01033'], remedy: STARTING },
  {
    codes: ['ORA-01034', 'ORA-01089', 'ORA-01090', 'ORA-12528'],
    remedy: 'The database is not running, or being started or stopped: wait, or ask the DBA.',
  },
  {
    codes: ['ORA-28009', 'ORA-01994'],
    kind: 'configuration',
    remedy: 'oracle.user is SYS, or one like it: give the bridge an account of its own, with few rights.',
  },
  {
    codes: ['ORA-00604', 'ORA-04088', 'ORA-04098', 'ORA-20000'],
    kind: 'configuration',
    remedy: 'A logon trigger of the database refuses the bridge, or fails: the DBA sees in the text which, and why.',
  },
  { codes: ['ORA-00018', 'ORA-00020', 'ORA-02391', 'ORA-12516', 'ORA-12519', 'ORA-12520'], remedy: TOO_MANY },
  {
    codes: ['NJS-192', 'NJS-100'],
    kind: 'configuration',
    remedy:
      'The database has a character set that the driver does not know: AL32UTF8 it must be, and AL16UTF16 for national texts.',
  },
  {
    codes: ['NJS-522'],
    kind: 'configuration',
    remedy:
      'oracle.connectString, or its entry in tnsnames.ora, is longer than 4,096 bytes or too deep: leave out addresses and parameters.',
  },
  {
    codes: ['NJS-529'],
    kind: 'configuration',
    remedy: 'The wallet must be an ewallet.pem: `openssl pkcs12 -in ewallet.p12 -out ewallet.pem` makes it.',
  },
  {
    codes: ['NJS-534'],
    kind: 'configuration',
    remedy: 'Compression on the line fails: leave COMPRESSION out of oracle.connectString.',
  },
  {
    codes: ['NJS-536'],
    kind: 'configuration',
    remedy:
      'The listener sends the bridge on again and again: the DBA looks at REMOTE_LISTENER and LOCAL_LISTENER, or oracle.connectString names the listener of a node.',
  },
  {
    codes: ['NJS-516', 'NJS-517', 'NJS-520', 'ORA-12154'],
    setting: LOOKS_LIKE_HOST,
    remedy:
      'oracle.connectString is taken for a name of tnsnames.ora, as it has neither : nor /. For a host write host:1521/service.',
  },
  { codes: ['NJS-516', 'NJS-517', 'NJS-520', 'ORA-12154'], remedy: ALIAS },
  {
    codes: ['NJS-512', 'NJS-514'],
    setting: IS_NAME,
    remedy:
      'An entry of tnsnames.ora is no whole descriptor: count its parentheses; each line but the first of an entry begins with a blank.',
  },
  {
    codes: ['NJS-512', 'NJS-514'],
    setting: IS_DESCRIPTOR,
    remedy:
      'oracle.connectString is no good descriptor: it must be (DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=…)(PORT=1521))(CONNECT_DATA=(SERVICE_NAME=…))), the protocol TCP or TCPS.',
  },
  {
    codes: ['NJS-515'],
    remedy:
      'oracle.connectString must be host:port/service, or tcps://host:port/service; the service has two letters at least.',
  },
  {
    codes: ['NJS-519', 'ORA-12505'],
    kind: 'configuration',
    remedy:
      'The listener knows no such SID: oracle.connectString should name a service, host:port/service or (SERVICE_NAME=…); `lsnrctl services` shows them.',
  },
  {
    codes: ['ORA-12504'],
    remedy: 'oracle.connectString names no service: host:port/service, or (SERVICE_NAME=…) in CONNECT_DATA.',
  },
  {
    codes: ['NJS-518', 'ORA-12514'],
    remedy:
      'The listener knows no such service: correct it in oracle.connectString (`lsnrctl services` shows them), or the database has not come up yet.',
  },
  {
    codes: ['NJS-503'],
    text: /E(?:HOST|NET)UNREACH|ENETDOWN|EADDRNOTAVAIL/,
    remedy: 'This machine has no way to that host: look at its network, and at the host of oracle.connectString.',
  },
  { codes: ['NJS-503'], text: /ETIMEDOUT/, remedy: NOBODY_ANSWERS },
  { codes: ['NJS-503', 'ORA-12541'], remedy: NOBODY_LISTENS },
  { codes: ['NJS-510', 'ORA-12170', 'ORA-12535', 'CONNECT_TIMEOUT'], remedy: NOBODY_ANSWERS },
  {
    codes: ['NJS-530'],
    remedy: 'No host of oracle.connectString is known to this machine: look at the name, and at the DNS.',
  },
];

/** A failed log-on, said in terms of the configuration and with what to do about it. */
export function explainLogOn(error: DatabaseError, tried: TriedLogOn): DatabaseError {
  const rule = CONNECT_RULES.find(
    ({ codes, setting, text }) =>
      codes.includes(error.code) && text?.test(error.message) !== false && setting?.test(tried.connectString) !== false,
  );
  const { cause, code, kind, message } = error;
  // What the certificate or the wallet is to blame for has its own words.
  const explained = explainTls(error, tried);
  if (explained !== error || rule === undefined) return explained;
  return new DatabaseError(rule.kind ?? kind, code, message, { remedy: rule.remedy, cause });
}

/** What the driver says when any entry of tnsnames.ora is broken, whichever was asked for. */
const UNREADABLE_NAMES: ReadonlySet<string> = new Set(['NJS-512', 'NJS-514', 'NJS-517', 'NJS-522']);

/** The entry of tnsnames.ora that may be to blame for the error of a log-on by name. */
export async function brokenName(
  code: string,
  connectString: string,
  namesDir: string,
): Promise<{ readonly name: string; readonly line: number } | undefined> {
  if (namesDir === '' || !IS_NAME.test(connectString) || !UNREADABLE_NAMES.has(code)) return undefined;
  const text = await readFile(join(namesDir, 'tnsnames.ora'), 'utf8').catch(() => '');
  return brokenEntry(text);
}
