import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';

import { coerceError, ConfigError } from '../../core/errors.ts';

/** Paths of PEM files; empty: not used. */
export interface TlsOptions {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly rejectUnauthorized: boolean;
}

/** The contents of the files, as `tls.connect` takes them. */
export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly rejectUnauthorized: boolean;
}

/** Checks more than `tls` itself, which takes a CA file without any certificate in silence. */
const CHECKS = {
  ca: (content: Buffer) => new X509Certificate(content),
  cert: (content: Buffer) => new X509Certificate(content),
  key: (content: Buffer) => createPrivateKey(content),
} as const;

/** Reads and checks the files. Throws a ConfigError that names the key (`mqtt.tls.ca` …) and the file. */
export async function readTlsFiles(options: TlsOptions): Promise<TlsMaterial> {
  const material: { ca?: Buffer; cert?: Buffer; key?: Buffer } = {};
  for (const name of ['ca', 'cert', 'key'] as const) {
    const path = options[name];
    if (path === '') continue;
    try {
      const content = await readFile(path);
      CHECKS[name](content);
      material[name] = content;
    } catch (error) {
      throw new ConfigError(`mqtt.tls.${name}`, `mqtt.tls.${name}: can't use ${path}: ${coerceError(error).message}`);
    }
  }
  const { cert, key } = material;
  if ((cert === undefined) !== (key === undefined)) {
    const missing = cert === undefined ? 'cert' : 'key';
    throw new ConfigError(`mqtt.tls.${missing}`, `mqtt.tls.${missing}: cert and key are given together or not at all`);
  }
  if (cert !== undefined && key !== undefined) checkPair(cert, key, options);
  return { ...material, rejectUnauthorized: options.rejectUnauthorized };
}

function checkPair(cert: Buffer, key: Buffer, options: TlsOptions): void {
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const reason = coerceError(error).message;
    throw new ConfigError('mqtt.tls.key', `mqtt.tls.key: ${options.key} does not fit ${options.cert}: ${reason}`);
  }
}
