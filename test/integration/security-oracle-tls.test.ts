import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { DatabaseError } from '../../src/core/errors.ts';
import type { ConnectionsOptions } from '../../src/oracle/connections.ts';
import {
  type CertificateAuthority,
  createAuthority,
  type Issued,
  opensslMissing,
  walletPem,
} from '../support/certificate-authority.ts';
import { Opened } from '../support/mqtt-clients.ts';
import { connectionsTo, databaseErrorOf } from '../support/oracle-connections.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { type TlsFront, startTlsFront } from '../support/tls-front.ts';

const WALLET_PASSWORD = 'wallet-Secret-1';

const opened = new Opened();
let standin: Standin;
beforeEach(async () => {
  standin = await startStandin();
});
afterEach(async () => {
  await opened.close();
  standin.stop();
});

let ca: CertificateAuthority;
let otherCa: CertificateAuthority;
let ofDatabase: Issued;
let ofBridge: Issued;
beforeAll(() => {
  if (opensslMissing !== undefined) return;
  ca = createAuthority('plant CA');
  otherCa = createAuthority('other CA');
  ofDatabase = ca.issue({ subject: '/CN=db/O=Plant' });
  ofBridge = ca.issue({ subject: '/CN=bridge' });
});

async function listen(certificate: Issued, clientCa?: CertificateAuthority): Promise<TlsFront> {
  const mutual = clientCa === undefined ? {} : { clientCa: clientCa.certificate };
  const front = await startTlsFront({ target: standin.port, certificate, ...mutual });
  return opened.add(front, (running) => running.stop());
}

const tcps = ({ port }: TlsFront): string => `tcps://127.0.0.1:${port}/FREEPDB1`;

function descriptor({ port }: TlsFront, security = ''): string {
  const address = `(ADDRESS=(PROTOCOL=TCPS)(HOST=127.0.0.1)(PORT=${port}))`;
  return `(DESCRIPTION=${address}(CONNECT_DATA=(SERVICE_NAME=FREEPDB1))${security})`;
}

async function walletDir(pem: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const directory = await opened.directory();
  for (const [name, content] of Object.entries({ 'ewallet.pem': pem, ...more })) {
    await writeFile(join(directory, name), content);
  }
  return directory;
}

const goodWallet = (): Promise<string> => walletDir(walletPem(ofBridge, ca.certificate));

/** Runs a statement; gives its result, or throws what `Connections` throws. */
async function logOn(options: Partial<ConnectionsOptions>): Promise<unknown> {
  const connections = connectionsTo({ connectString: '' }, options);
  try {
    return await connections.use('select', async ({ connection }) => {
      const { rows } = await connection.execute<[number]>('SELECT 1 FROM dual');
      return rows?.[0]?.[0];
    });
  } finally {
    await connections.stop();
  }
}

async function refusalOf(options: Partial<ConnectionsOptions>): Promise<DatabaseError> {
  const error = await databaseErrorOf(logOn(options));
  expect(`${error.message} ${error.remedy}`).not.toContain(WALLET_PASSWORD);
  return error;
}

describe.skipIf(opensslMissing !== undefined)(`the database over TLS (${opensslMissing ?? 'openssl'})`, () => {
  test('is reached with a wallet whose key is not encrypted', async () => {
    expect(await logOn({ connectString: tcps(await listen(ofDatabase)), walletDir: await goodWallet() })).toBe(1);
  });

  test('is reached with an encrypted wallet and its password', async () => {
    const dir = await walletDir(walletPem(ofBridge, ca.certificate, WALLET_PASSWORD));
    const connectString = tcps(await listen(ofDatabase));
    expect(await logOn({ connectString, walletDir: dir, walletPassword: WALLET_PASSWORD })).toBe(1);
  });

  test("gets the wallet's certificate where it asks for one", async () => {
    const front = await listen(ofDatabase, ca);
    expect(await logOn({ connectString: tcps(front), walletDir: await goodWallet() })).toBe(1);
    expect(front.clients).toEqual(['bridge']);
  });

  test('is found by its name in the tnsnames.ora of the wallet', async () => {
    const names = `plantdb = ${descriptor(await listen(ofDatabase))}\n`;
    const dir = await walletDir(walletPem(ofBridge, ca.certificate), { 'tnsnames.ora': names });
    expect(await logOn({ connectString: 'plantdb', walletDir: dir })).toBe(1);
  });

  test('is known by its DN where the host is not in its certificate', async () => {
    const front = await listen(ca.issue({ subject: '/CN=db/O=Plant', altNames: 'DNS:elsewhere.example' }));
    const dn = (name: string): string => descriptor(front, `(SECURITY=(SSL_SERVER_CERT_DN="${name}"))`);
    const dir = await goodWallet();
    expect(await logOn({ connectString: dn('CN=db,O=Plant'), walletDir: dir })).toBe(1);
    expect(await refusalOf({ connectString: dn('CN=db,O=Office'), walletDir: dir })).toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('another DN than SSL_SERVER_CERT_DN') as string,
    });
  });

  test.each([
    ['the wallet of another authority', async () => walletDir(walletPem(ofBridge, otherCa.certificate))],
    ['no wallet', async () => ''],
  ])('is not trusted with %s', async (_name, wallet) => {
    const error = await refusalOf({ connectString: tcps(await listen(ofDatabase)), walletDir: await wallet() });
    expect(error).toMatchObject({ kind: 'configuration', code: 'NJS-506' });
    expect(error.message).toContain("the certificate of the database can't be trusted");
    expect(error.remedy).toContain('oracle.walletDir');
  });

  test('is not trusted when its certificate has expired', async () => {
    const front = await listen(ca.issue({ subject: '/CN=db', days: -1 }));
    const error = await refusalOf({ connectString: tcps(front), walletDir: await goodWallet() });
    expect(error).toMatchObject({ kind: 'configuration', code: 'NJS-506' });
    expect(error.message).toContain('certificate has expired');
  });

  test('is not trusted when its certificate is for another host', async () => {
    const front = await listen(ca.issue({ subject: '/CN=db', altNames: 'DNS:elsewhere.example' }));
    const error = await refusalOf({ connectString: tcps(front), walletDir: await goodWallet() });
    expect(error.message).toBe(
      'the certificate of the database is not for 127.0.0.1, which oracle.connectString names',
    );
    expect(error.kind).toBe('configuration');
  });

  test('that refuses our certificate, or speaks no such protocol, is lost with a hint', async () => {
    const foreign = await walletDir(walletPem(otherCa.issue({ subject: '/CN=x' }), ca.certificate));
    const front = await listen(ofDatabase, ca);
    const refused = await refusalOf({ connectString: tcps(front), walletDir: foreign });
    expect(refused.kind).toBe('connection');
    expect(refused.remedy).toContain('oracle.walletDir');
    const plain = await refusalOf({ connectString: `127.0.0.1:${front.port}/FREEPDB1` });
    expect(plain.kind).toBe('connection');
    expect(plain.remedy).toContain('tcps://');
  });
});

describe.skipIf(opensslMissing !== undefined)('a wallet that can not be used names oracle.walletDir:', () => {
  /** Each way to get it wrong, as the directory and the password that make it. */
  const WRONG: Readonly<Record<string, () => Promise<{ walletDir: string; walletPassword?: string }>>> = {
    'no such directory': async () => ({ walletDir: join(await opened.directory(), 'none') }),
    'a directory without ewallet.pem': async () => ({ walletDir: await opened.directory() }),
    'a directory in its place': async () => {
      const dir = await opened.directory();
      await mkdir(join(dir, 'ewallet.pem'));
      return { walletDir: dir };
    },
    'the wrong password': async () => ({
      walletDir: await walletDir(walletPem(ofBridge, ca.certificate, 'another')),
      walletPassword: WALLET_PASSWORD,
    }),
    'no password for an encrypted one': async () => ({
      walletDir: await walletDir(walletPem(ofBridge, ca.certificate, WALLET_PASSWORD)),
    }),
    'an empty file': async () => ({ walletDir: await walletDir('') }),
    'a file that is none': async () => ({ walletDir: await walletDir('not PEM\n') }),
    'certificates without a key': async () => ({ walletDir: await walletDir(ca.certificate) }),
    'a key of another certificate': async () => {
      const { privateKey } = ca.issue({ subject: '/CN=other' });
      return { walletDir: await walletDir(walletPem({ ...ofBridge, privateKey }, ca.certificate)) };
    },
  };

  test.each(Object.entries(WRONG))('%s', async (_name, wrong) => {
    const options = await wrong();
    const error = await refusalOf({ connectString: tcps(await listen(ofDatabase)), ...options });
    expect(error.kind).toBe('configuration');
    expect(error.message).toContain('oracle.walletDir');
    expect(error.message).toContain(join(options.walletDir, 'ewallet.pem'));
    expect(error.remedy).not.toBe('');
    expect(standin.stats.connectionsAccepted).toBe(0);
  });

  test.skipIf(process.getuid?.() === 0)('a file that may not be read (not as root)', async () => {
    const dir = await goodWallet();
    await chmod(join(dir, 'ewallet.pem'), 0);
    const error = await refusalOf({ connectString: tcps(await listen(ofDatabase)), walletDir: dir });
    expect(error.message).toContain(`oracle.walletDir: can't read ${join(dir, 'ewallet.pem')}: EACCES`);
  });

  test('and is read again once it has been replaced', async () => {
    const dir = await walletDir('not PEM\n');
    const connectString = tcps(await listen(ofDatabase));
    await refusalOf({ connectString, walletDir: dir });
    await writeFile(join(dir, 'new'), walletPem(ofBridge, ca.certificate));
    await rename(join(dir, 'new'), join(dir, 'ewallet.pem'));
    expect(await logOn({ connectString, walletDir: dir })).toBe(1);
  });
});
