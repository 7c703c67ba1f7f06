import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Issued {
  /** PEM. */
  readonly certificate: string;
  /** PEM, not encrypted. */
  readonly privateKey: string;
}

export interface CertificateRequest {
  /** The distinguished name, such as `/CN=broker/O=plant`. */
  readonly subject: string;
  /** subjectAltName; default: this machine's loopback addresses. */
  readonly altNames?: string;
  /** Default 30; below 0: it has expired. */
  readonly days?: number;
}

export interface CertificateAuthority {
  /** PEM, as clients get it to trust. */
  readonly certificate: string;
  issue(request: CertificateRequest): Issued;
}

/** Why tests that need certificates of their own are to be skipped: Node can read X.509 certificates, but make none. */
export const opensslMissing =
  process.env['CI'] === undefined && !hasOpenssl() ? 'the openssl command is not installed' : undefined;

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** An authority of its own for a test. Its files are gone when this returns. */
export function createAuthority(name: string): CertificateAuthority {
  const ca = inDirectory((dir) => {
    const subject = ['-subj', `/CN=${name}`, '-days', '30'];
    openssl(dir, ['req', '-x509', ...NEW_KEY, '-keyout', 'key.pem', '-out', 'cert.pem', ...subject]);
    return readIssued(dir);
  });
  return { certificate: ca.certificate, issue: (request) => issue(ca, request) };
}

function issue(ca: Issued, { altNames, days = 30, subject }: CertificateRequest): Issued {
  return inDirectory((dir) => {
    writeFileSync(join(dir, 'ca.pem'), ca.certificate);
    writeFileSync(join(dir, 'ca.key'), ca.privateKey, { mode: 0o600 });
    writeFileSync(join(dir, 'extensions'), `subjectAltName=${altNames ?? 'IP:127.0.0.1,DNS:localhost'}\n`);
    openssl(dir, ['req', '-new', ...NEW_KEY, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', subject]);
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', String(days)];
    openssl(dir, ['x509', '-req', '-in', 'request.pem', '-out', 'cert.pem', '-extfile', 'extensions', ...signing]);
    return readIssued(dir);
  });
}

/**
 * What the thin driver takes as `ewallet.pem`: a key, encrypted when there is a password, its certificate and whom to
 * trust.
 */
export function walletPem({ certificate, privateKey }: Issued, trusted: string, password = ''): string {
  const encryption = password === '' ? {} : { cipher: 'aes-256-cbc', passphrase: password };
  const key = createPrivateKey(privateKey).export({ type: 'pkcs8', format: 'pem', ...encryption });
  return `${key.toString()}${certificate}${trusted}`;
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function inDirectory<T>(work: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'authority-'));
  try {
    return work(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function openssl(cwd: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
}

function readIssued(dir: string): Issued {
  const read = (name: string): string => readFileSync(join(dir, name), 'utf8');
  return { certificate: read('cert.pem'), privateKey: read('key.pem') };
}
