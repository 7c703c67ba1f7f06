import { fillSubscription } from '../../../src/config/kinds/subscription-fields.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ConfigErrors, ConfigFileError } from '../../../src/config/config-errors.ts';
import type { Config } from '../../../src/config/config.ts';
import { SETTINGS } from '../../../src/config/convict.ts';
import { type ConfigSources, loadConfig } from '../../../src/config/load.ts';

const RUNNABLE = { oracle: { connectString: 'db:1521/x', user: 'u', password: 'p' } };

type Files = Readonly<Record<string, unknown>>;

/** Files are texts, or what is to be written as JSON. All are loaded in order, unless `sources` says which. */
function load(files: Files, sources: Partial<ConfigSources> = {}): Config {
  const readFile = (path: string): string => {
    if (!Object.hasOwn(files, path)) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    const content = files[path];
    return typeof content === 'string' ? content : JSON.stringify(content);
  };
  return loadConfig({ files: Object.keys(files), env: {}, readFile, ...sources });
}

function errorsOf(files: Files, sources: Partial<ConfigSources> = {}): string[] {
  try {
    load(files, sources);
  } catch (thrown) {
    if (thrown instanceof ConfigErrors) return thrown.errors.map(({ path, message }) => `${path}: ${message}`);
    throw thrown;
  }
  return [];
}

const withOracle = (more: object): object => ({ ...RUNNABLE, ...more });

describe('loadConfig', () => {
  it('fills in the defaults, the client id and the base topic, and freezes all of it', () => {
    const config = load({ a: withOracle({ bridge: { id: 'gw' } }) });
    expect(config.mqtt).toMatchObject({ clientId: 'gw', keepaliveSeconds: 30, receiveMaximum: 1000 });
    expect(config.notices.baseTopic).toBe('mqtt-oracle-bridge/gw');
    expect(config.mqtt.subscriptions).toEqual([fillSubscription({ topic: 'plc/+/tags' })]);
    expect(config.writer.retry).toEqual({ attempts: 3, initialDelayMs: 1000, factor: 2 });
    const assertFrozen = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      expect(Object.isFrozen(node)).toBe(true);
      Object.values(node).forEach(assertFrozen);
    };
    assertFrozen(config);
  });

  it('gives each call a configuration of its own', () => {
    expect(load({ a: withOracle({ http: { port: 1 } }) }).http.port).toBe(1);
    expect(load({ a: RUNNABLE }).http.port).toBe(8080);
  });

  it('takes default < files in order < environment < flags', () => {
    const files = {
      a: withOracle({ writer: { batchSize: 1, intervalMs: 1, retry: { attempts: 1, factor: 1 } } }),
      b: {},
    };
    const later = { ...files, b: { writer: { intervalMs: 2, retry: { attempts: 2, factor: 2 } } } };
    const env = { BRIDGE_WRITER_RETRY_ATTEMPTS: '3', BRIDGE_WRITER_RETRY_FACTOR: '3' };
    const config = load(later, { env, flags: { 'writer.retry.factor': '4' } });
    expect(config.writer).toEqual({
      batchSize: 1,
      maxBatchSize: 500,
      intervalMs: 2,
      retry: { attempts: 3, initialDelayMs: 1000, factor: 4 },
    });
  });

  it('replaces a list whole', () => {
    const config = load({
      a: withOracle({ mqtt: { subscriptions: [{ topic: 'a' }, { topic: 'b' }] } }),
      b: { mqtt: { subscriptions: [{ topic: 'c' }] } },
    });
    expect(config.mqtt.subscriptions.map(({ topic }) => topic)).toEqual(['c']);
  });

  it('judges the value that wins and not the one it replaces', () => {
    expect(load({ a: withOracle({ http: { port: 'x' } }) }, { env: { BRIDGE_HTTP_PORT: '0' } }).http.port).toBe(0);
  });

  it('reads every key from its environment variable', () => {
    for (const { path, env, default: value, example } of SETTINGS.values()) {
      const wanted = example ?? value;
      const text = typeof wanted === 'string' ? wanted : JSON.stringify(wanted);
      const config = load({}, { env: { [env]: text }, need: 'any' });
      const read = path.split('.').reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], config);
      const filled: unknown = {
        'mqtt.clientId': 'gateway-01',
        'notices.baseTopic': 'mqtt-oracle-bridge/gateway-01',
        'mqtt.subscriptions': config.mqtt.subscriptions.map((each) => fillSubscription(each)),
      }[path];
      expect([path, read]).toEqual([path, filled ?? wanted]);
    }
  });

  it('tells of everything that is wrong at once, with path, value and what is allowed', () => {
    const file = {
      writter: {},
      mqtt: { url: 'http://x', subscriptions: [{ topic: 'a/#/b', qos: 3 }] },
      oracle: { table: 'a b', user: 7 },
      log: 5,
      http: { port: 70_000 },
    };
    const env = { BRIDGE_BUFFER_CAPACITY: '1e3', BRIDGE_HTTP_ENABLED: 'yes', BRIDGE_ORCLE_USER: 'x' };
    expect(errorsOf({ a: file }, { env, flags: { 'log.levl': 'info' } })).toEqual([
      'writter: is not a known key (did you mean "writer"?)',
      'log: must be an object, in { and }',
      'BRIDGE_ORCLE_USER: is not a known environment variable (did you mean "BRIDGE_ORACLE_USER"?)',
      'log.levl: is not a known key (did you mean "log.level"?) (from --set)',
      expect.stringMatching(/^mqtt\.url: must be the URL of a broker: mqtt:\/\/.*, not "http:\/\/x"$/),
      expect.stringMatching(/^mqtt\.subscriptions\[0\]\.topic: must be a topic filter.*, not "a\/#\/b"$/),
      expect.stringMatching(/^mqtt\.subscriptions\[0\]\.qos: must be 0, 1 or 2, not 3$/),
      'buffer.capacity: must be an integer from 1 to 10000000, not "1e3" (from BRIDGE_BUFFER_CAPACITY)',
      'oracle.user: must be one line of text, or empty, not 7',
      expect.stringMatching(/^oracle\.table: must be the name of a table.*, not "a b"$/),
      'http.enabled: must be true or false, not "yes" (from BRIDGE_HTTP_ENABLED)',
      'http.port: must be an integer from 0 to 65535, not 70000',
      expect.stringMatching(/^oracle\.connectString: must be given, such as/),
      expect.stringMatching(/^oracle\.password: must be given/),
    ]);
  });

  it('names the file when there are several', () => {
    expect(errorsOf({ 'a.json': RUNNABLE, 'site.json': { http: { prot: 1, port: -1 } } })).toEqual([
      'http.prot: is not a known key (did you mean "port"?) (from site.json)',
      'http.port: must be an integer from 0 to 65535, not -1 (from site.json)',
    ]);
  });

  it('says file, line and column of a syntax error, and nothing that follows from it', () => {
    expect(errorsOf({ 'bridge.json': '{\n  "oracle": {\n    "user" "x"\n' })).toEqual([
      'bridge.json:3:12: expected : after the key',
    ]);
  });

  it('throws an error of its own for a file that is not there', () => {
    expect(() => load({}, { files: ['none.json'] })).toThrow(ConfigFileError);
    expect(() => load({}, { files: ['none.json'] })).toThrow('configuration file none.json: there is no such file');
  });

  it.each([
    ['[]', 'configuration: must be an object, in { and }'],
    ['{"mqtt": null}', 'mqtt: must be an object, in { and }'],
    ['{"mqtt": {"tls": true}}', 'mqtt.tls: must be an object, in { and }'],
    ['{"mqtt": {"url": {"host": "x"}}}', expect.stringMatching(/^mqtt\.url: must be .*, not an object$/)],
    ['{"mqtt": {"url": null}}', expect.stringMatching(/^mqtt\.url: must be .*, not null$/)],
    ['{"mqtt.url": "mqtt://h"}', 'mqtt.url: is not a known key: sections are nested, "mqtt": { "url": ... }'],
    ['{"batchSize": 5}', 'batchSize: is not a known key here (did you mean "writer.batchSize"?)'],
    ['{"__proto__": {"bridge": 1}}', '__proto__: is not a known key'],
    ['{"mqtt": {"constructor": {"prototype": {}}}}', 'mqtt.constructor: is not a known key'],
    ['{"log": {"\\u001b[31mred": 1}}', 'log.?[31mred: is not a known key'],
  ])('refuses the shape %s', (text, error) => {
    expect(errorsOf({ a: text }, { need: 'any' })).toEqual([error]);
    expect(({} as Record<string, unknown>)['bridge']).toBeUndefined();
  });

  it('lets a file name its schema', () => {
    expect(errorsOf({ a: withOracle({ $schema: './bridge.schema.json' }) })).toEqual([]);
  });
});

describe('rules between keys', () => {
  const TLS = 'mqtts://h';

  it.each<[object, string]>([
    [
      { buffer: { capacity: 10 }, writer: { batchSize: 11 } },
      'buffer.capacity: must not be less than writer.batchSize, 11',
    ],
    [{ oracle: { pool: { min: 6 } } }, 'oracle.pool.min: must not be more than oracle.pool.max, 5'],
    [{ journal: { maxBytes: 4_194_304 } }, 'journal.segmentBytes: must be at most half of journal.maxBytes, 4194304'],
    [{ backup: { dir: 'x' }, journal: { dir: 'x' } }, 'backup.dir: must not be the directory of the journal'],
    [{ oracle: { table: 't', ledgerTable: '"T"' } }, 'oracle.ledgerTable: must not be the same as oracle.table'],
    [
      { oracle: { columns: { text: 'TAG_VALUE' } } },
      'oracle.columns.text: must not be the same column as oracle.columns.value',
    ],
    [
      { oracle: { columns: { plcCode: 'x', receivedAt: '"X"' } } },
      'oracle.columns.receivedAt: must not be the same column as oracle.columns.plcCode',
    ],
    [{ mqtt: { password: 'secret', protocolVersion: 4 } }, 'mqtt.password: must not be given without mqtt.username'],
    [{ mqtt: { url: TLS, tls: { cert: 'c' } } }, 'mqtt.tls.cert: must not be given without mqtt.tls.key'],
    [{ mqtt: { url: TLS, tls: { key: 'k' } } }, 'mqtt.tls.key: must not be given without mqtt.tls.cert'],
    [{ mqtt: { tls: { ca: 'ca.pem' } } }, 'mqtt.tls.ca: has no effect: mqtt.url must begin with mqtts:// or wss://'],
    [{ mqtt: { subscriptions: [{ topic: '#' }] } }, "mqtt.subscriptions: must not take in the bridge's own notices"],
    [
      { mqtt: { subscriptions: [{ topic: 'a/+', format: 'scalar', tagAddress: '{2}' }] } },
      'mqtt.subscriptions: [0] must have a plcCode',
    ],
    [{ mqtt: { subscriptions: [] } }, 'mqtt.subscriptions: must have at least one subscription'],
    [
      { http: { host: '0.0.0.0' } },
      'http.host: must be this machine alone, such as 127.0.0.1, as long as http.token is empty, not "0.0.0.0"',
    ],
    [{ http: { host: 'gateway-01' } }, 'http.host: must be this machine alone'],
  ])('refuse %j', (file, error) => {
    const given = file as { readonly oracle?: object };
    const oracle = { ...RUNNABLE.oracle, ...given.oracle };
    const errors = errorsOf({ a: { ...file, oracle } });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(error);
  });

  it.each<object>([
    { mqtt: { url: TLS, tls: { ca: 'a', cert: 'c', key: 'k' } } },
    { mqtt: { url: 'wss://h/mqtt', tls: { ca: 'a' } } },
    { mqtt: { password: 'x' } },
    { mqtt: { subscriptions: [{ topic: '#' }] }, notices: { enabled: false } },
    { mqtt: { subscriptions: [{ topic: 'a/+', format: 'scalar', tagAddress: '{2}' }] }, tagName: '{tag}' },
    { buffer: { capacity: 500 } },
    { http: { host: '::', token: 'a-secret-token' } },
    { http: { host: '0.0.0.0', enabled: false } },
    ...['127.0.0.1', '127.8.8.8', 'localhost', '::1'].map((host) => ({ http: { host } })),
    { oracle: { ...RUNNABLE.oracle, columns: { text: '', quality: '' }, ledgerTable: '' } },
    { oracle: { ...RUNNABLE.oracle, table: 'a.t', ledgerTable: 'b.t', columns: { plcCode: '"tag_name"' } } },
  ])('allow %j', (file) => {
    expect(errorsOf({ a: withOracle(file) })).toEqual([]);
  });

  it('are not asked about keys that are wrong by themselves', () => {
    expect(errorsOf({ a: withOracle({ buffer: { capacity: 'x' }, writer: { batchSize: 9999 } }) })).toHaveLength(1);
  });

  it('leave out what only a run needs when asked to', () => {
    expect(errorsOf({}, { need: 'any' })).toEqual([]);
    expect(errorsOf({}).map((line) => line.split(':')[0])).toEqual([
      'oracle.connectString',
      'oracle.user',
      'oracle.password',
    ]);
  });
});

describe('the environment', () => {
  const any = { need: 'any' } as const;

  it.each([
    'BRIDGE_HTTP_PORT',
    'BRIDGE_HTTP_ENABLED',
    'BRIDGE_LOG_LEVEL',
    'BRIDGE_MQTT_SUBSCRIPTIONS',
    'BRIDGE_BRIDGE_ID',
  ])('may not leave %s empty', (name) => {
    const errors = errorsOf({}, { ...any, env: { [name]: '' } });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(`(from ${name})`);
  });

  it('may leave a text empty that may be empty', () => {
    expect(load({ a: { mqtt: { username: 'x' } } }, { ...any, env: { BRIDGE_MQTT_USERNAME: '' } }).mqtt.username).toBe(
      '',
    );
  });

  it('takes subscriptions as JSON', () => {
    const env = { BRIDGE_MQTT_SUBSCRIPTIONS: '[{"topic": "a/+", "qos": 0}]' };
    expect(load({}, { ...any, env }).mqtt.subscriptions[0]).toMatchObject({ topic: 'a/+', qos: 0 });
    expect(errorsOf({}, { ...any, env: { BRIDGE_MQTT_SUBSCRIPTIONS: '[{]' } })).toEqual([
      'mqtt.subscriptions: is not JSON: line 1, column 3: expected a key in double quotes (from BRIDGE_MQTT_SUBSCRIPTIONS)',
    ]);
  });

  it('passes over names that are not settings', () => {
    expect(
      errorsOf({}, { ...any, env: { PATH: '/bin', BRIDGE_CONFIG: 'x', BRIDGE_TEST_ORACLE: 'y', BRIDGET: 'z' } }),
    ).toEqual([]);
  });

  it.each(['bridge_mqtt_url', 'BRIDGE_MQTT', 'BRIDGE_MQTT_URL_FILE', 'BRIDGE_', 'BRIDGE___PROTO__'])(
    'knows no %s',
    (name) => {
      const errors = errorsOf({}, { ...any, env: { [name]: 'mqtt://h' } });
      expect(errors.length).toBe(name.startsWith('BRIDGE_') ? 1 : 0);
    },
  );
});

describe('secrets', () => {
  const any = { need: 'any' } as const;
  const secretSettings = [...SETTINGS.values()].filter(({ sensitive }) => sensitive === true);

  it('are these', () => {
    expect(secretSettings.map(({ path }) => path)).toEqual([
      'mqtt.password',
      'oracle.password',
      'oracle.walletPassword',
      'http.token',
    ]);
  });

  it.each(['s3cret\n', 's3cret\r\n', 's3cret', '\uFEFFs3cret\n'])(
    'come from a file, without its last line feed: %j',
    (text) => {
      const env = { BRIDGE_ORACLE_PASSWORD_FILE: '/run/secret' };
      expect(load({ '/run/secret': text }, { ...any, files: [], env }).oracle.password).toBe('s3cret');
    },
  );

  it('in a file win over those in the configuration', () => {
    const env = { BRIDGE_ORACLE_PASSWORD_FILE: 'f' };
    expect(load({ a: RUNNABLE, f: 'new' }, { files: ['a'], env }).oracle.password).toBe('new');
  });

  it('in a file that is not there are an error that names the variable, and the only one', () => {
    const oracle = { connectString: 'x', user: 'u' };
    const env = { BRIDGE_ORACLE_PASSWORD_FILE: '/none' };
    expect(errorsOf({ a: { oracle } }, { files: ['a'], env })).toEqual([
      "BRIDGE_ORACLE_PASSWORD_FILE: names a file that can't be read: /none: there is no such file",
    ]);
  });

  it('in an empty file are an error', () => {
    const env = { BRIDGE_HTTP_TOKEN_FILE: 'f' };
    expect(errorsOf({ f: '\n' }, { ...any, files: [], env })).toEqual([
      'BRIDGE_HTTP_TOKEN_FILE: names a file with nothing in it: f',
    ]);
  });

  it('may not be given in both ways', () => {
    const env = { BRIDGE_HTTP_TOKEN: 'x', BRIDGE_HTTP_TOKEN_FILE: 'f' };
    expect(errorsOf({ f: 'y' }, { ...any, files: [], env })).toEqual([
      'BRIDGE_HTTP_TOKEN_FILE: is set, and so is BRIDGE_HTTP_TOKEN: only one of them may be',
    ]);
  });

  it('are refused on the command line', () => {
    expect(errorsOf({}, { ...any, flags: { 'oracle.password': 'x' } })).toEqual([
      "oracle.password: can't be set on the command line, which others can read: use BRIDGE_ORACLE_PASSWORD_FILE",
    ]);
  });

  /** Each way in which a secret can stand in the wrong place or shape. */
  const MISTAKES: Readonly<Record<string, (secret: string) => string[]>> = {
    'under a misspelt key': (secret) => errorsOf({ a: { oracle: { pasword: secret }, [`x`]: secret } }),
    'in place of a section': (secret) => errorsOf({ a: { oracle: secret, http: [secret] } }),
    'with a second line': (secret) =>
      errorsOf({ a: { oracle: { password: `${secret}\n${secret}` }, http: { token: `${secret} ` } } }),
    'in a list or object': (secret) =>
      errorsOf({ a: { oracle: { password: [secret], walletPassword: { x: secret } } } }),
    'in a text with a syntax error': (secret) => errorsOf({ a: `{"oracle": {"password": ${JSON.stringify(secret)} x` }),
    'without quotes': (secret) => errorsOf({ a: `{"oracle": {"password": ${secret}}}` }),
    'in the URL': (secret) => errorsOf({ a: { mqtt: { url: `mqtt://user:${secret}@h` } } }),
    'in a malformed URL': (secret) => errorsOf({ a: { mqtt: { url: `mqtt//user:${secret}@h` } } }),
    'in the connect string': (secret) => errorsOf({ a: { oracle: { connectString: `user/${secret}@h` } } }),
    'in a misspelt variable': (secret) => errorsOf({}, { env: { BRIDGE_ORACLE_PASWORD: secret } }),
    'in a variable, with a control character': (secret) =>
      errorsOf({}, { env: { BRIDGE_ORACLE_PASSWORD: `${secret}\u0007`, BRIDGE_HTTP_TOKEN: `${secret} ` } }),
    'in a file of two lines': (secret) =>
      errorsOf({ f: `${secret}\nmore` }, { files: [], env: { BRIDGE_ORACLE_PASSWORD_FILE: 'f' } }),
    'on the command line': (secret) => errorsOf({}, { flags: { 'oracle.password': secret, 'oracle.pasword': secret } }),
  };

  it.each(Object.keys(MISTAKES))('are in no error text when they stand %s', (mistake) => {
    // A short or common text may be in a message by chance.
    const secrets = fc.stringMatching(/^[A-Za-z0-9!$%&_-]{6,20}$/).map((text) => `zQ${text}`);
    fc.assert(
      fc.property(secrets, (secret) => {
        const errors = MISTAKES[mistake]?.(secret) ?? [];
        expect(errors.length).toBeGreaterThan(0);
        expect(errors.join('\n')).not.toContain(secret);
      }),
    );
  });
});

describe('names in the configuration', () => {
  it('are refused or can be quoted whole, whatever they are', () => {
    const injection = fc.constantFrom(
      '"',
      "'",
      ';',
      '--',
      ' ',
      ')',
      '.',
      'DROP TABLE x',
      '\u0000',
      '/*',
      '@',
      'a',
      '1',
    );
    fc.assert(
      fc.property(fc.array(injection, { maxLength: 6 }), (pieces) => {
        const name = pieces.join('');
        const errors = errorsOf({ a: { oracle: { table: name } } }, { need: 'any' });
        const isName = /^(?:a[a1]*|"[^"\0]+")(?:\.(?:a[a1]*|"[^"\0]+"))?$/.test(name);
        expect(errors.length).toBe(isName ? 0 : 1);
      }),
    );
  });
});
