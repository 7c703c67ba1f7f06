import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { readTlsFiles } from '../../../src/mqtt/connection/tls-files.ts';
import { CERTIFICATE, PRIVATE_KEY } from '../../support/certificate.ts';

describe('TLS files', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bridge-tls-'));
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const files = {
      'cert.pem': CERTIFICATE,
      'key.pem': PRIVATE_KEY,
      'other-key.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }),
      'garbage.pem': 'not a certificate\n',
    };
    for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  });
  afterEach(() => rm(directory, { recursive: true }));

  const read = ({ ca = '', cert = '', key = '' }) => {
    const at = (name: string): string => (name === '' ? '' : join(directory, name));
    return readTlsFiles({ ca: at(ca), cert: at(cert), key: at(key), rejectUnauthorized: false });
  };

  test('are read as they are, and not at all where none is named', async () => {
    expect(await read({})).toEqual({ rejectUnauthorized: false });
    const all = await read({ ca: 'cert.pem', cert: 'cert.pem', key: 'key.pem' });
    expect(all.ca?.toString()).toBe(CERTIFICATE);
    expect(all.key?.toString()).toBe(PRIVATE_KEY);
  });

  test.each([
    [{ ca: 'missing.pem' }, 'mqtt.tls.ca', 'ENOENT'],
    [{ ca: 'garbage.pem' }, 'mqtt.tls.ca', 'garbage.pem'],
    [{ cert: 'garbage.pem', key: 'key.pem' }, 'mqtt.tls.cert', 'garbage.pem'],
    [{ cert: 'cert.pem', key: 'cert.pem' }, 'mqtt.tls.key', "can't use"],
    [{ cert: 'cert.pem' }, 'mqtt.tls.key', 'given together'],
    [{ key: 'key.pem' }, 'mqtt.tls.cert', 'given together'],
    [{ cert: 'cert.pem', key: 'other-key.pem' }, 'mqtt.tls.key', 'does not fit'],
  ])('%j fail by the name of the key', async (files, path, text) => {
    await expect(read(files)).rejects.toMatchObject({ path, message: expect.stringContaining(text) as string });
  });
});
