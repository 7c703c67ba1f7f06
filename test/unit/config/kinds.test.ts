import { isDeepStrictEqual } from 'node:util';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SETTINGS } from '../../../src/config/convict.ts';
import { destinations } from '../../../src/config/kinds/destinations-kind.ts';
import { decimal, wholeNumber, yesNo } from '../../../src/config/kinds/plain-kinds.ts';
import { subscriptions } from '../../../src/config/kinds/subscriptions-kind.ts';
import type { PlacedSetting } from '../../../src/config/setting.ts';

function settingAt(path: string): PlacedSetting {
  const setting = SETTINGS.get(path);
  if (setting === undefined) throw new Error(`no such key: ${path}`);
  return setting;
}

function isAllowed(path: string, value: unknown): boolean {
  const setting = settingAt(path);
  return setting.kind.check(value, setting).length === 0;
}

/** Values that no key but those named may have. */
const NEVER_GOOD = [null, {}, Number.NaN, Number.POSITIVE_INFINITY, Symbol.iterator, 'a\u0000b', 'a\nb'];

const VALUES: Readonly<Record<string, { readonly good: readonly unknown[]; readonly bad: readonly unknown[] }>> = {
  'bridge.id': {
    good: ['a', 'gateway-01', 'A.b_c-9', 'x'.repeat(64)],
    bad: ['', 'x'.repeat(65), 'a b', 'a/b', 'ä', '+', 'a#', 5],
  },
  'mqtt.url': {
    good: [
      'mqtt://h',
      'mqtts://broker.example.com:8883',
      'ws://h:9001/mqtt',
      'wss://h/mqtt?a=1',
      'mqtt://[::1]:1883',
      'MQTT://h',
      'mqtt://10.0.0.1/',
      ['mqtt://a'],
      ['mqtt://a', 'mqtts://a', 'mqtt://b:1883', 'ws://a/x,y'],
    ],
    bad: [
      '',
      'h:1883',
      'http://h',
      'mqtt:h',
      'mqtt://',
      'mqtt://u:p@h',
      'mqtt://u@h',
      'mqtt://h/path',
      'mqtt://h?x',
      'mqtt://h#x',
      'mqtt://h:99999',
      ' mqtt://h',
      'mqtt://h h',
      'mqtt://a,b',
      1883,
      [],
      [1883],
      ['mqtt://a', 'b'],
      ['mqtt://a', 'mqtt://u:p@b'],
      ['mqtt://a', 'mqtt://a/'],
      [['mqtt://a']],
    ],
  },
  'mqtt.clientId': { good: ['', 'x', 'gateway 1'], bad: ['x'.repeat(5000), 7] },
  'mqtt.password': { good: ['', 'p\\"x ä$'], bad: ['line\nline', 7, true] },
  'mqtt.protocolVersion': { good: [4, 5], bad: [3, 6, '5', '', true] },
  'mqtt.keepaliveSeconds': { good: [1, 65_535, '30 s', '5000 ms'], bad: [0, 65_536, -1, 1.5, '30', '500 ms', '1 d'] },
  'writer.intervalMs': {
    good: [1, 60_000, '500 ms', '5 s', '0.5s', '1 min', '0.25 min'],
    bad: [
      0,
      60_001,
      1.5,
      '500',
      '5 S',
      '5  s',
      ' 5 s',
      '5 s ',
      '1.0005 s',
      '2 h',
      '5 KB',
      '-1 s',
      '1e3 ms',
      '05 s',
      's',
      '',
    ],
  },
  'journal.maxBytes': {
    good: [4_194_304, '4 MiB', '2 GB', '2GiB', '4194304 B', '1.5 GB', '5000 KB', '1024 GiB'],
    bad: [
      4_194_303,
      '4 MB',
      '1025 GiB',
      '2 gb',
      '2 Gb',
      '2 TB',
      '2 kB',
      '2 G',
      '1.0000000001 GB',
      '5 s',
      '2,5 GB',
      '0x10 MB',
    ],
  },
  'mqtt.receiveMaximum': { good: [1, 65_535], bad: [0, 65_536] },
  'mqtt.sessionExpirySeconds': { good: [1, 4_294_967_295], bad: [0, 4_294_967_296] },
  'mqtt.tls.ca': { good: ['', '/etc/ssl/ca.pem'], bad: [[]] },
  'mqtt.tls.rejectUnauthorized': { good: [true, false], bad: ['true', 0, 1, ''] },
  tagName: {
    good: ['{plc}.{tag}', '{tag}', 'site/{plc}/{tag}', '{tag}{tag}'],
    bad: ['', '{plc}', '{plc}.{tags}', '{tag} {', '}{tag}', '{topic}.{tag}', 5],
  },
  'buffer.capacity': { good: [1, 10_000_000], bad: [0, 10_000_001, '100', 1e300] },
  'buffer.onFull': { good: ['wait', 'dropOldest'], bad: ['Wait', 'drop', '', 0] },
  'writer.batchSize': { good: [1, 500, 10_000], bad: [0, 10_001, 0.5] },
  'writer.retry.factor': { good: [1, 1.5, 10], bad: [0.9, 10.1, '2'] },
  'writer.retry.attempts': { good: [0, 20], bad: [-1, 21] },
  'oracle.connectString': {
    good: [
      '',
      'db:1521/FREEPDB1',
      'tcps://adb.example.com:1522/x_high.adb.example.com?wallet_location=/w',
      '(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=h)(PORT=1521))(CONNECT_DATA=(SERVICE_NAME=s)))',
      'PLANT_ALIAS',
      '[::1]:1521/xy',
      'db:1521/xy:dedicated/inst1',
      'db1,db2:1521/xy',
      '//db:1521/xy',
      'tcp://db/xy',
      'db',
      '(DESCRIPTION=\n  (ADDRESS=(PROTOCOL=tcps)(HOST=h)(PORT=1521))\n  (CONNECT_DATA=(SID=s)))',
      '(description_list=(description=(address=(protocol=tcp)(host=h))(connect_data=(service_name="a(b"))))',
    ],
    bad: [
      'scott/tiger@db:1521/x',
      '/@db',
      'jdbc:oracle:thin:@//db:1521/x',
      'JDBC:oracle:thin:@db:1521:ORCL',
      'db:1521:ORCL',
      '@//db:1521/xy',
      'thin:@db:1521/xy',
      'db:1521\\xy',
      'ldap://directory/db',
      'db:1521\n/xy',
      '(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=h)(PORT=1521))(CONNECT_DATA=(SERVICE_NAME=s))',
      '(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=h)))(CONNECT_DATA=(SERVICE_NAME=s))',
      '(DESCRIPTION=(ADDRESS=(PROTOCOL=IPC)(KEY=x))(CONNECT_DATA=(SID=s)))',
      '(ADDRESS=(PROTOCOL=TCP)(HOST=h)(PORT=1521))',
      '(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=s)))',
      '(DESCRIPTION)',
      5,
    ],
  },
  'oracle.table': {
    good: ['TAG_DATA', 'tag_data', 'plant.tag_data', '"Tag Data"', '"a.b"."c;d"', 'A$#1'],
    bad: [
      '',
      'a b',
      '1a',
      'a.b.c',
      'a;DROP TABLE x',
      'a--',
      '"a',
      '""',
      'a"b"',
      "x' OR '1'='1",
      'a@link',
      'x'.repeat(129),
    ],
  },
  'oracle.columns.tagName': { good: ['tag_name', '"Tag-Name"'], bad: ['', 'a.b', 'a,b', 'a) VALUES (1', 'a/**/'] },
  'oracle.columns.plcCode': { good: ['', 'plc'], bad: ['a.b', ' '] },
  'oracle.furtherColumns': {
    good: [
      {},
      { source: "'gateway-01'", '"Line"': '{2}', n: '-1.5', mixed: 'x {topic}', off: '' },
      { apostrophe: "'it''s'", braces: "'{topic}'", q: '{qualityCode}' },
    ],
    bad: [
      [],
      "source='x'",
      { 'a b': "'x'" },
      { source: 'gateway-01' },
      { source: "'it's'" },
      { source: 5 },
      { level: '{0}' },
      { level: '{2' },
      { part: '{toipc}' },
      { text: "'x'" },
    ],
  },
  'oracle.ledgerTable': { good: ['', 'plant.ledger'], bad: ['a b'] },
  'oracle.valueType': { good: ['binary_double', 'number'], bad: ['NUMBER', 'float', ''] },
  'journal.sync': { good: ['always', 'interval', 'never'], bad: ['sometimes', ''] },
  'notices.baseTopic': {
    good: ['mqtt-oracle-bridge/{id}', 'plant/bridge', '/x', '{id}'],
    bad: ['', 'a/+', 'a/#', '$SYS/x', 'a/', 'a/{name}', '{id', 'x'.repeat(2000), 5],
  },
  'http.host': { good: ['127.0.0.1', '0.0.0.0', '::', 'localhost', 'fe80::1%eth0'], bad: ['', 'a b', 'http://h', 5] },
  'http.port': { good: [0, 8080, 65_535], bad: [-1, 65_536, '8080'] },
  'http.token': { good: ['', 'abcDEF123-._~!'], bad: ['a b', 'ä', 5] },
  'log.level': { good: ['error', 'warn', 'info', 'debug'], bad: ['INFO', 'trace', '', 1] },
  'log.file': { good: ['', '/var/log/bridge.log'], bad: [5] },
};

/** An empty object is good where the setting is one. */
function isEqualToOne(values: readonly unknown[], value: unknown): boolean {
  return values.some((each) => isDeepStrictEqual(each, value));
}

describe('the kinds of settings', () => {
  for (const [path, { good, bad }] of Object.entries(VALUES)) {
    it.each(good.map((value) => [value]))(`take %j for ${path}`, (value) => {
      expect(isAllowed(path, value)).toBe(true);
    });

    it.each([...bad, ...NEVER_GOOD.filter((value) => !isEqualToOne(good, value))].map((value) => [value]))(
      `refuse %j for ${path}`,
      (value) => {
        expect(isAllowed(path, value)).toBe(false);
      },
    );
  }

  it('accept every default and every example value', () => {
    for (const { path, default: value, example } of SETTINGS.values()) {
      expect([path, isAllowed(path, value)]).toEqual([path, true]);
      expect([path, isAllowed(path, example ?? value)]).toEqual([path, true]);
    }
  });

  it('are each used by a key whose good and bad values stand in this table', () => {
    const tried = new Set(Object.keys(VALUES).map((path) => settingAt(path).kind));
    const used = new Set([...SETTINGS.values()].map(({ kind }) => kind));
    used.delete(subscriptions);
    used.delete(destinations);
    expect(tried).toEqual(used);
  });
});

describe('texts from the environment', () => {
  it('mean an integer only when they are exactly its decimal digits', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.maxSafeInteger().map(String)), (text) => {
        const value = wholeNumber.parse(text);
        expect(String(value)).toBe(text);
        const isInteger = /^-?\d+$/.test(text) && String(Number(text)) === text && Number.isSafeInteger(Number(text));
        expect(typeof value).toBe(isInteger ? 'number' : 'string');
      }),
    );
  });

  it('mean every integer that a key allows', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SETTINGS.values()), fc.integer(), (setting, n) => {
        fc.pre(setting.kind === wholeNumber);
        const { min = 0, max = 0 } = setting;
        const wanted = min + (Math.abs(n) % (max - min + 1));
        expect(wholeNumber.parse(String(wanted))).toBe(wanted);
        expect(isAllowed(setting.path, wanted)).toBe(true);
      }),
    );
  });

  it.each(['1.5', '1e3', '0x10', ' 1', '1 ', '+1', '010', '1_000', '', 'NaN', 'Infinity', '٣'])(
    'that are no integer, such as %j, stay text and are refused',
    (text) => {
      expect(wholeNumber.parse(text)).toBe(text);
      expect(isAllowed('http.port', wholeNumber.parse(text))).toBe(false);
    },
  );

  it.each(['TRUE', 'yes', '1', '0', 'on', '', ' true'])(
    'other than true and false, such as %j, are no boolean',
    (text) => {
      expect(isAllowed('http.enabled', yesNo.parse(text))).toBe(false);
    },
  );

  it('mean a boolean when they are true or false', () => {
    expect([yesNo.parse('true'), yesNo.parse('false')]).toEqual([true, false]);
  });

  it('mean a decimal number only in plain notation', () => {
    expect(['1.5', '2', '1.', '.5', '1e1'].map((text) => decimal.parse(text))).toEqual([1.5, 2, '1.', '.5', '1e1']);
  });
});
