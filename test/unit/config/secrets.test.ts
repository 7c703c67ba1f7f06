import { describe, expect, it } from 'vitest';

import { ConfigErrors } from '../../../src/config/config-errors.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { secretFiles } from '../../../src/config/text-layers.ts';

const ORACLE = { connectString: 'db:1521/x', user: 'u' };
/** As reading the file as UTF-8 gives it. */
const LATIN_1 = Buffer.from('p\xe4ss', 'latin1').toString('utf8');
const MUST = 'must be in UTF-8: a letter in it is in another encoding, such as Latin-1';

function errorsOf(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}): string[] {
  try {
    loadConfig({ files: ['config'], env, readFile: (path) => files[path] ?? '' });
    return [];
  } catch (thrown) {
    if (thrown instanceof ConfigErrors) return thrown.errors.map(({ path, message }) => `${path}: ${message}`);
    throw thrown;
  }
}

describe('a secret', () => {
  it('that is not UTF-8 is refused, wherever it stands, and not shown', () => {
    const env = { BRIDGE_ORACLE_PASSWORD_FILE: 'f' };
    expect(errorsOf({ config: JSON.stringify({ oracle: ORACLE }), f: LATIN_1 }, env)).toEqual([
      `oracle.password: ${MUST} (from BRIDGE_ORACLE_PASSWORD_FILE)`,
    ]);
    const oracle = { ...ORACLE, password: 'p', walletPassword: LATIN_1 };
    expect(errorsOf({ config: JSON.stringify({ oracle }) })).toEqual([`oracle.walletPassword: ${MUST}`]);
    expect(errorsOf({ config: JSON.stringify({ oracle: { ...ORACLE, password: 'pässwörd' } }) })).toEqual([]);
  });

  it('may have a file, by the path of its setting', () => {
    const env = { BRIDGE_ORACLE_PASSWORD_FILE: '/a', BRIDGE_HTTP_TOKEN_FILE: '', BRIDGE_MQTT_URL_FILE: '/b' };
    expect([...secretFiles(env)]).toEqual([['oracle.password', '/a']]);
  });
});
