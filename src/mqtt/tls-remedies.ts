import { systemErrorCode } from '../core/errors.ts';

/**
 * What a person can do about a connection that came to nothing before the broker answered, by the error's code: how Node names what it
 * finds wrong with the broker's certificate (X509 verify errors), and the alerts with which the broker says what is wrong with ours
 * [RFC 8446, section 6.2].
 */
const REMEDIES: readonly { readonly codes: readonly string[]; readonly remedy: string }[] = [
  {
    codes: [
      'SELF_SIGNED_CERT_IN_CHAIN',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'CERT_SIGNATURE_FAILURE',
      'CERT_UNTRUSTED',
      'INVALID_CA',
    ],
    remedy: "mqtt.tls.ca must name the certificate of the authority that signed the broker's",
  },
  {
    codes: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
    remedy: "the broker's certificate must be renewed, or the clock of this machine is wrong",
  },
  {
    codes: ['ERR_TLS_CERT_ALTNAME_INVALID'],
    remedy: "mqtt.url must name the broker's host as its certificate does",
  },
  {
    codes: ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'],
    remedy: 'the broker asks for a certificate: mqtt.tls.cert and mqtt.tls.key must name one that it trusts',
  },
  {
    codes: [
      'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
      'ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR',
      'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
      'ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE',
      'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
      'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED',
      'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
    ],
    remedy:
      'the broker does not take the certificate of mqtt.tls.cert: it has expired, or the broker trusts another CA',
  },
  {
    codes: ['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'],
    remedy: 'mqtt.url: nothing speaks TLS there; use mqtt:// or ws://, or the port that the broker has for TLS',
  },
];

const BY_CODE: ReadonlyMap<string, string> = new Map(
  REMEDIES.flatMap(({ codes, remedy }) => codes.map((code) => [code, remedy] as const)),
);

const IS_TLS = /^(?:mqtts|wss):/i;
export function isTlsUrl(url: string): boolean {
  return IS_TLS.test(url);
}

/** What the WebSocket client says when an HTTP server answers, and not with a WebSocket. */
const NO_WEBSOCKET = /^Unexpected server response/;

/** Undefined where nothing is known; `isSilence`: the connection was closed before the broker said anything. */
export function remedyOf(error: Error | undefined, url: string, isSilence: boolean): string | undefined {
  const known = BY_CODE.get(systemErrorCode(error) ?? '');
  if (known !== undefined) return known;
  if (error !== undefined && NO_WEBSOCKET.test(error.message)) return 'mqtt.url: there is no WebSocket at this path';
  if (!isSilence) return undefined;
  return isTlsUrl(url)
    ? 'mqtt.url: a port without TLS ends connections so (use mqtt:// or ws://), and so may a broker that does not take mqtt.tls.cert'
    : 'mqtt.url: a port with TLS ends connections so: use mqtts:// or wss://';
}
