import { describe, expect, it } from 'vitest';

import { ConfigErrors } from '../../../src/config/config-errors.ts';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig, type ConfigSources } from '../../../src/config/load.ts';

function load(mqtt: object, sources: Partial<ConfigSources> = {}): Config {
  return loadConfig({ files: ['a'], env: {}, readFile: () => JSON.stringify({ mqtt }), need: 'any', ...sources });
}

function errorsOf(mqtt: object, sources: Partial<ConfigSources> = {}): string[] {
  try {
    load(mqtt, sources);
  } catch (thrown) {
    if (thrown instanceof ConfigErrors) return thrown.errors.map(({ path, message }) => `${path}: ${message}`);
    throw thrown;
  }
  return [];
}

describe('a list of brokers', () => {
  it('stays as it is, and so does a single one', () => {
    const url = ['mqtts://a:8883', 'wss://b/mqtt'];
    expect(load({ url, tls: { ca: 'ca.pem' } }).mqtt.url).toEqual(url);
    expect(load({ url: 'mqtt://a' }).mqtt.url).toBe('mqtt://a');
  });

  it('has commas in the environment and on the command line, where a URL follows them', () => {
    const urlOf = (text: string) => load({}, { env: { BRIDGE_MQTT_URL: text } }).mqtt.url;
    expect(urlOf('mqtt://a')).toBe('mqtt://a');
    expect(urlOf('mqtt://a:1,mqtts://b, ws://c/x,y')).toEqual(['mqtt://a:1', 'mqtts://b', 'ws://c/x,y']);
    expect(load({}, { flags: { 'mqtt.url': 'mqtt://a,mqtt://b' } }).mqtt.url).toEqual(['mqtt://a', 'mqtt://b']);
    expect(errorsOf({}, { env: { BRIDGE_MQTT_URL: 'mqtt://a,mqtt://b#c' } })).toEqual([
      'mqtt.url[1]: must not have a part after # (from BRIDGE_MQTT_URL)',
    ]);
  });

  it.each([
    [
      ['mqtt://a', 'b:1883'],
      'mqtt.url[1]: must be the URL of a broker: mqtt://, mqtts://, ws:// or wss://, then the host, and :port if it is not ' +
        'the usual one, not "b:1883"',
    ],
    [['mqtt://a', 'mqtt://b', 'mqtt://a/'], 'mqtt.url[2]: must not name the same broker as [0], not "mqtt://a/"'],
    [[], 'mqtt.url: must be the URL of a broker, or a list of them with one at least in it'],
    [[7], 'mqtt.url[0]: must be the URL of a broker: mqtt://'],
    [
      'mqtt://a,b',
      'mqtt.url: must have one host: several brokers are a list, ["mqtt://a", "mqtt://b"], or in the environment ' +
        '"mqtt://a,mqtt://b", not "mqtt://a,b"',
    ],
    [['mqtt://a', 'mqtt://u:p@b'], 'mqtt.url[1]: must not hold a user name or password'],
  ])('is refused when it is %j', (url, error) => {
    const errors = errorsOf({ url });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(error);
  });

  it('needs one with TLS for files of TLS', () => {
    const tls = { ca: 'ca.pem' };
    expect(errorsOf({ url: ['mqtt://a', 'ws://b'], tls })).toEqual([
      'mqtt.tls.ca: has no effect: mqtt.url must begin with mqtts:// or wss:// for TLS',
    ]);
    expect(errorsOf({ url: ['mqtt://a', 'wss://b'], tls })).toEqual([]);
  });
});
