import { access } from 'node:fs/promises';
import { join } from 'node:path';

import type oracledb from 'oracledb';

import { DatabaseError, type DatabaseErrorKind } from '../core/errors.ts';

/** What a log-on was tried with. */
export interface LogOnOptions {
  readonly connectString: string;
  /** Empty: none. */
  readonly walletDir: string;
  readonly walletPassword: string;
  /** The directory of tnsnames.ora; empty: that of the wallet, or none. */
  readonly tnsAdmin: string;
}

const WALLET = 'ewallet.pem';

export function walletAttributes({
  walletDir,
  walletPassword,
}: LogOnOptions): Pick<oracledb.ConnectionAttributes, 'walletLocation' | 'walletPassword'> {
  return walletDir === '' ? {} : { walletLocation: walletDir, walletPassword };
}

/** Where names are looked up: a tnsnames.ora beside the wallet, as the cloud's comes, wins. Empty: nowhere. */
export async function namesDirOf({ tnsAdmin, walletDir }: LogOnOptions): Promise<string> {
  if (walletDir === '') return tnsAdmin;
  return access(join(walletDir, 'tnsnames.ora')).then(
    () => walletDir,
    () => tnsAdmin,
  );
}

interface Rule {
  readonly code: string;
  /** In the driver's text, behind its code. */
  readonly text: RegExp;
  readonly kind: DatabaseErrorKind;
  readonly message: (wallet: string, found: string) => string;
  readonly remedy: string;
}

const NEEDS_AUTHORITY =
  "ewallet.pem in oracle.walletDir must hold the certificate of the authority that signed the database's. " +
  'For an authority of your own without a wallet, start the bridge with NODE_EXTRA_CA_CERTS.';

/**
 * The driver's errors of TLS and wallets in the terms of the configuration. In this order; the first that applies.
 * [node-oracledb `lib/thin/sqlnet/ntTcp.js`, `lib/thin/sqlnet/sessionAtts.js`]
 */
const RULES: readonly Rule[] = [
  {
    code: 'NJS-512',
    text: /\b(E[A-Z]+): .*(?:ewallet\.pem|, read$)/,
    kind: 'configuration',
    message: (wallet, code) => `oracle.walletDir: can't read ${wallet}: ${code}`,
    remedy:
      'oracle.walletDir must be a directory with an ewallet.pem that the bridge may read. The thin driver takes neither cwallet.sso nor ' +
      'ewallet.p12: `openssl pkcs12 -in ewallet.p12 -out ewallet.pem` makes it from the latter.',
  },
  {
    code: 'NJS-505',
    text: /(bad decrypt|bad password read|maybe wrong password)/,
    kind: 'configuration',
    message: (wallet, why) => `oracle.walletPassword does not open ${wallet} in oracle.walletDir: ${why}`,
    remedy: 'Correct oracle.walletPassword: it is the one that was given when the wallet was made or downloaded.',
  },
  {
    code: 'NJS-505',
    text: /([^;]*)$/,
    kind: 'configuration',
    message: (wallet, why) => `oracle.walletDir: can't use ${wallet}: ${why.trim()}`,
    remedy:
      'ewallet.pem must hold a private key, its certificate and that of the authority, in PEM; with a key that is encrypted, ' +
      'oracle.walletPassword must be right.',
  },
  {
    code: 'NJS-506',
    text: /NJS-508: .*? (\S+) +not present in certificate/,
    kind: 'configuration',
    message: (_wallet, host) => `the certificate of the database is not for ${host}, which oracle.connectString names`,
    remedy:
      'Name the host as its certificate does, or say in the descriptor which certificate is right: ' +
      '(SECURITY=(SSL_SERVER_CERT_DN="CN=…")).',
  },
  {
    code: 'NJS-506',
    text: /(NJS-507)/,
    kind: 'configuration',
    message: () => 'the certificate of the database has another DN than SSL_SERVER_CERT_DN in oracle.connectString',
    remedy: 'Correct SSL_SERVER_CERT_DN, once it is certain that this is the right database.',
  },
  {
    code: 'NJS-506',
    text: /(certificate has expired|certificate is not yet valid)/,
    kind: 'configuration',
    message: (_wallet, why) => `the certificate of the database can't be trusted: ${why}`,
    remedy: "The DBA must renew the database's certificate, or the clock of this machine is wrong.",
  },
  {
    code: 'NJS-506',
    text: /((?:unable to (?:verify|get)|self-signed|invalid CA|untrusted).*)/,
    kind: 'configuration',
    message: (_wallet, why) => `the certificate of the database can't be trusted: ${why}`,
    remedy: NEEDS_AUTHORITY,
  },
];

const ENDED_BY_SERVER: ReadonlySet<string> = new Set(['NJS-500', 'NJS-501', 'NJS-506', 'NJS-521']);
const IS_TLS = /^\s*tcps:|\(\s*PROTOCOL\s*=\s*TCPS\s*\)/i;

/**
 * A failed log-on, said in terms of the configuration where TLS or the wallet is to blame; any other error as it is.
 */
export function explainTls(
  error: DatabaseError,
  { connectString, walletDir }: Pick<LogOnOptions, 'connectString' | 'walletDir'>,
): DatabaseError {
  for (const { code, text, kind, message, remedy } of RULES) {
    const found = error.code === code ? text.exec(error.message)?.[1] : undefined;
    if (found === undefined) continue;
    return new DatabaseError(kind, code, message(join(walletDir, WALLET), found), {
      remedy,
      cause: error.cause,
    });
  }
  if (error.kind !== 'connection' || !ENDED_BY_SERVER.has(error.code)) return error;
  const remedy = IS_TLS.test(connectString)
    ? 'If this never worked: the database may ask for a certificate, or not take the one in oracle.walletDir, or not speak TLS there.'
    : 'If this never worked: a port for TLS ends connections so, and oracle.connectString must begin with tcps:// then.';
  return new DatabaseError(error.kind, error.code, error.message, { remedy, cause: error.cause });
}
