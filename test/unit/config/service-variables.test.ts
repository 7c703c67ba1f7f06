import { describe, expect, it } from 'vitest';

import { hasEnvironmentSettings, readEnvironmentLayer } from '../../../src/config/text-layers.ts';

const OF_SERVICES = {
  BRIDGE_SERVICE_HOST: '10.0.0.11',
  BRIDGE_SERVICE_PORT: '8080',
  BRIDGE_SERVICE_PORT_HTTP: '8080',
  BRIDGE_PORT: 'tcp://10.0.0.11:8080',
  BRIDGE_PORT_8080_TCP: 'tcp://10.0.0.11:8080',
  BRIDGE_PORT_8080_TCP_PROTO: 'tcp',
  BRIDGE_PORT_8080_TCP_PORT: '8080',
  BRIDGE_PORT_8080_TCP_ADDR: '10.0.0.11',
  BRIDGE_HTTP_SERVICE_HOST: '10.0.0.12',
  BRIDGE_HTTP_PORT: 'tcp://10.0.0.12:80',
  BRIDGE_MQTT_PORT: 'tcp://[fd00::12]:1883',
};

function read(env: Readonly<Record<string, string>>) {
  const { errors, values } = readEnvironmentLayer(env, () => '');
  return { errors: errors.map(({ path }) => path), values: Object.fromEntries(values) };
}

describe('what Kubernetes says of services that are named as the bridge', () => {
  it('is no setting', () => {
    expect(read(OF_SERVICES)).toEqual({ errors: [], values: {} });
    expect(hasEnvironmentSettings(OF_SERVICES)).toBe(false);
  });

  it('hides no setting, and no slip in the name of one', () => {
    expect(read({ BRIDGE_HTTP_PORT: '9090', BRIDGE_PORT: '9090' })).toEqual({
      errors: ['BRIDGE_PORT'],
      values: { 'http.port': 9090 },
    });
    expect(hasEnvironmentSettings({ BRIDGE_HTTP_PORT: '9090' })).toBe(true);
  });
});
