import { isTlsUrl } from '../../core/broker-url.ts';
import { systemErrorCode } from '../../core/errors.ts';
import { withoutGroup } from '../../core/topic-filter.ts';
import type { Outcome } from './attempt.ts';
import { ConnackTimeoutError, isSilence } from './protocol-version.ts';

/** What was being done at the broker, in the order of the way. */
type Step = 'resolve name' | 'connect TCP' | 'TLS' | 'CONNECT' | 'SUBSCRIBE' | 'PUBLISH';

interface Known {
  /** System errors, errors of TLS, or reason codes of MQTT. */
  readonly codes: readonly (string | number)[];
  /** `{topic}` stands for the topic that was asked for. */
  readonly remedy: string;
  /** Nothing changes until a person acts: trying often only fills the broker's log, or locks the account. */
  readonly isSlow?: true;
}

const NO_WAY = 'no way leads there: check the network of this machine and the host of mqtt.url';

/**
 * What a person can do, by what was being done and the code with which that failed. The running bridge says it in its
 * log and its status, and `check` in its report.
 */
const REMEDIES: Readonly<Record<Step, readonly Known[]>> = {
  'resolve name': [
    { codes: ['ENOTFOUND'], remedy: 'mqtt.url: no such host is known to this machine' },
    { codes: ['EAI_AGAIN'], remedy: 'the name server of this machine does not answer' },
  ],
  'connect TCP': [
    {
      codes: ['ECONNREFUSED'],
      remedy: 'nothing listens there: is the broker running, and is the port of mqtt.url right?',
    },
    {
      codes: ['ETIMEDOUT'],
      remedy: 'nobody answers: is the host of mqtt.url right, and does a firewall let this machine through?',
    },
    { codes: ['EHOSTUNREACH', 'ENETUNREACH'], remedy: NO_WAY },
  ],
  // How Node names what it finds wrong with the broker's certificate (X509 verify errors), and the alerts with which
  // the broker says what is wrong with ours [RFC 8446, section 6.2].
  TLS: [
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
  ],
  // Reason codes with which a broker refuses or ends a connection: those of CONNACK in MQTT 3.1.1 [section 3.2.2.3],
  // from 1 to 5, and those of MQTT 5 [sections 3.2.2.2 and 3.14.2.1], from 128.
  CONNECT: [
    {
      codes: [2, 133],
      remedy: 'the broker does not take this client id: change mqtt.clientId',
      isSlow: true,
    },
    {
      codes: [4, 5, 134, 135, 140],
      remedy: 'check mqtt.username and mqtt.password, or the certificate',
      isSlow: true,
    },
    { codes: [138], remedy: 'allow this client in the access rules of the broker', isSlow: true },
    {
      codes: [142],
      remedy: 'another client uses this client id: each bridge needs its own bridge.id and mqtt.clientId',
      isSlow: true,
    },
  ],
  // [MQTT 5.0 section 3.9.3]
  SUBSCRIBE: [
    {
      codes: [158],
      remedy: 'let the broker take shared subscriptions, or subscribe to {topic} without $share/<group>/',
    },
    { codes: [162], remedy: 'let the broker take + and #, or name each topic in mqtt.subscriptions' },
  ],
  // [MQTT 5.0 section 3.4.2.1]
  PUBLISH: [{ codes: [154], remedy: 'let the broker keep retained messages, or set notices.enabled to false' }],
};

const MAY_SUBSCRIBE =
  "allow this user to subscribe to {topic} in the access rules of the broker (mosquitto's dynamic security: subscribePattern)";
const MAY_PUBLISH =
  'allow this user to publish to {topic} in the access rules of the broker (mosquitto: topic write {topic})';
const MUTE =
  'something listens there and does not answer: is it an MQTT broker, and is this the port that it has for the scheme of mqtt.url?';
const CLOSED = 'mqtt.url: a port with TLS ends connections so: use mqtts:// or wss://';
const CLOSED_TLS =
  'mqtt.url: a port without TLS ends connections so (use mqtt:// or ws://), and so may a broker that does not take mqtt.tls.cert';

/** What the WebSocket client says when an HTTP server answers, and not with a WebSocket. */
const NO_WEBSOCKET = /^Unexpected server response/;

const byCode = (...steps: Step[]): ReadonlyMap<string | number, Known> =>
  new Map(
    steps.flatMap((step) => REMEDIES[step].flatMap((known) => known.codes.map((code) => [code, known] as const))),
  );

const ON_THE_WAY = byCode('resolve name', 'connect TCP', 'TLS');
const AT_CONNECT = byCode('CONNECT');
const AT_SUBSCRIBE = byCode('SUBSCRIBE');
const AT_PUBLISH = byCode('PUBLISH');

/** OpenSSL 3.5, of Node 24 and later, has another name for the alerts that are as old as SSL 3. */
const NEW_ALERT_NAME = 'ERR_SSL_SSL/TLS_ALERT_';
const OLD_ALERT_NAME = 'ERR_SSL_SSLV3_ALERT_';

/** What follows from the reason code with which a broker refused or ended a connection. */
export interface Refusal {
  /** What a person can do about it; empty where nothing is known. */
  readonly remedy: string;
  readonly isSlow: boolean;
}

export function refusalOf(code: number | undefined): Refusal {
  const { remedy = '', isSlow = false } = AT_CONNECT.get(code ?? 0) ?? {};
  return { remedy, isSlow };
}

/** What a person can do about an attempt that brought no connection; empty where nothing is known. */
export function connectRemedy({ error, reasonCode }: Pick<Outcome, 'error' | 'reasonCode'>, url: string): string {
  if (reasonCode !== undefined) return refusalOf(reasonCode).remedy;
  if (error instanceof ConnackTimeoutError) return MUTE;
  const known = ON_THE_WAY.get((systemErrorCode(error) ?? '').replace(NEW_ALERT_NAME, OLD_ALERT_NAME));
  if (known !== undefined) return known.remedy;
  if (error !== undefined && NO_WEBSOCKET.test(error.message)) return 'mqtt.url: there is no WebSocket at this path';
  if (!isSilence(error)) return '';
  return isTlsUrl(url) ? CLOSED_TLS : CLOSED;
}

/**
 * What a person can do about a subscription whose SUBACK, of code `code`, is not what was asked for; undefined: there
 * was none.
 */
export function subscribeRemedy(topic: string, qos: 0 | 1 | 2, code: number | undefined): string {
  if (code !== undefined && code < 0x80) return `let the broker grant QoS ${qos} to this user`;
  return fill(withoutGroup(topic), AT_SUBSCRIBE.get(code ?? 0)?.remedy ?? MAY_SUBSCRIBE);
}

/**
 * What a person can do about a message that the broker does not take; `code` is that of PUBACK, or undefined: there was
 * none.
 */
export function publishRemedy(topic: string, code: number | undefined): string {
  return code === undefined ? '' : fill(topic, AT_PUBLISH.get(code)?.remedy ?? MAY_PUBLISH);
}

function fill(topic: string, remedy: string): string {
  return remedy.replaceAll('{topic}', () => topic);
}
