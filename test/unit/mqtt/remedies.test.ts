import { describe, expect, it } from 'vitest';

import { ConnackTimeoutError, ConnectTimeoutError } from '../../../src/mqtt/connection/protocol-version.ts';
import { connectRemedy, publishRemedy, subscribeRemedy } from '../../../src/mqtt/connection/remedies.ts';

const error = (code: string): Error => Object.assign(new Error(`failed: ${code}`), { code });
const of = (met: Error | undefined, url = 'mqtt://broker', reasonCode?: number): string =>
  connectRemedy({ error: met, reasonCode }, url);

describe('the remedy for an attempt that brought no connection', () => {
  it.each([
    ['the name is not known', error('ENOTFOUND'), /^mqtt\.url: no such host/],
    ['the name server is silent', error('EAI_AGAIN'), /name server/],
    ['the port is closed', error('ECONNREFUSED'), /^nothing listens there/],
    ['nobody answers, by the system', error('ETIMEDOUT'), /firewall/],
    ['nobody answers, by our own time', new ConnectTimeoutError(15_000), /firewall/],
    ['no way leads to the host', error('EHOSTUNREACH'), /^no way leads there/],
    ['no way leads to the network', error('ENETUNREACH'), /^no way leads there/],
    ['the certificate has expired', error('CERT_HAS_EXPIRED'), /must be renewed/],
    ['the broker takes ours for expired', error('ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED'), /mqtt\.tls\.cert/],
    ['the same, on Node 24 and later', error('ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED'), /mqtt\.tls\.cert/],
    ['CONNECT is not answered', new ConnackTimeoutError(5000), /does not answer/],
    ['an HTTP server answers', new Error('Unexpected server response: 404'), /no WebSocket at this path/],
  ])('is there when %s', (_what, met, expected) => {
    expect(of(met)).toMatch(expected);
  });

  it.each([undefined, error('ECONNRESET')])('of a connection that is closed goes by the scheme: %s', (met) => {
    expect(of(met, 'mqtt://broker')).toMatch(/use mqtts:\/\//);
    expect(of(met, 'ws://broker')).toMatch(/use mqtts:\/\//);
    expect(of(met, 'MQTTS://broker')).toMatch(/use mqtt:\/\//);
    expect(of(met, 'wss://broker')).toMatch(/use mqtt:\/\//);
  });

  it('is that of the reason code where the broker gave one', () => {
    expect(of(undefined, 'mqtt://broker', 135)).toMatch(/mqtt\.password/);
    expect(of(error('ECONNRESET'), 'mqtt://broker', 136)).toBe('');
  });

  it('is empty for what nobody has met', () => {
    expect([of(error('ENOSUCHCODE')), of(new Error('strange'))]).toEqual(['', '']);
  });
});

describe('the remedy for a subscription', () => {
  it.each([
    [0, 'let the broker grant QoS 1 to this user'],
    [0x80, /^allow this user to subscribe to plc\/\$&\/\+ in/],
    [undefined, /^allow this user to subscribe to plc\/\$&\/\+ in/],
    [0x9e, /subscribe to plc\/\$&\/\+ without \$share/],
    [0xa2, /name each topic/],
  ])('with %s names the filter without its group', (code, expected) => {
    expect(subscribeRemedy('$share/plant/plc/$&/+', 1, code)).toMatch(expected);
  });
});

it.each([
  [undefined, /^$/],
  [0x87, /^allow this user to publish to bridge\/state .*topic write bridge\/state\)$/],
  [0x9a, /notices\.enabled/],
])('the remedy for a message that is refused with %s', (code, expected) => {
  expect(publishRemedy('bridge/state', code)).toMatch(expected);
});
