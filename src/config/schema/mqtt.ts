import type { MqttConfig } from '../config.ts';
import { brokerUrls } from '../kinds/mqtt-kinds.ts';
import { choice, path, seconds, text, wholeNumber, yesNo } from '../kinds/plain-kinds.ts';
import { fillSubscription } from '../kinds/subscription-fields.ts';
import { subscriptions } from '../kinds/subscriptions-kind.ts';
import type { Schema } from '../setting.ts';

export const mqttSchema: Schema<MqttConfig> = {
  url: {
    doc:
      'The MQTT broker: mqtt:// is plain TCP, mqtts:// is TLS, ws:// and wss:// are WebSocket. Or a list of the brokers ' +
      'of one cluster, which share their sessions: they are tried in turn, the last that worked first. Another list is ' +
      'another session.',
    kind: brokerUrls,
    default: 'mqtt://127.0.0.1:1883',
  },
  clientId: {
    doc:
      'Client id towards the broker. The broker keeps the messages of an absent bridge under this name, so it ' +
      'must not change and no other client may use it. Empty: bridge.id.',
    kind: text,
    default: '',
    mayBeEmpty: true,
  },
  username: { doc: 'User name at the broker. Empty: none.', kind: text, default: '', mayBeEmpty: true },
  password: {
    doc: 'Password at the broker. Empty: none.',
    kind: text,
    default: '',
    mayBeEmpty: true,
    sensitive: true,
  },
  protocolVersion: {
    doc:
      '5 for MQTT 5, 4 for MQTT 3.1.1. On a broker that refuses 5, or gives no answer to it three times, the bridge ' +
      'falls back to 4, logs a warning and remembers it for 30 days.',
    kind: choice,
    choices: [4, 5],
    default: 5,
  },
  keepaliveSeconds: {
    doc: 'After so many seconds of silence the bridge asks the broker whether the connection still stands.',
    kind: seconds,
    min: 1,
    max: 65_535,
    default: 30,
  },
  sessionExpirySeconds: {
    doc:
      'For how many seconds the broker keeps messages for a bridge that is away (MQTT 5; with 3.1.1 the broker ' +
      'decides). The default is a week; 4294967295 means for ever.',
    kind: seconds,
    min: 1,
    max: 4_294_967_295,
    default: 604_800,
  },
  receiveMaximum: {
    doc: 'How many messages may be unacknowledged at once; the broker then waits.',
    kind: wholeNumber,
    min: 1,
    max: 65_535,
    default: 1000,
  },
  tls: {
    ca: {
      doc: "PEM file with the certificate of the authority that signed the broker's. Empty: the public authorities.",
      kind: path,
      default: '',
      mayBeEmpty: true,
    },
    cert: {
      doc:
        "PEM file with the bridge's own certificate, where the broker asks for one; needs mqtt.tls.key. Empty: " +
        'none.',
      kind: path,
      default: '',
      mayBeEmpty: true,
    },
    key: {
      doc: 'PEM file with the private key of mqtt.tls.cert. Empty: none.',
      kind: path,
      default: '',
      mayBeEmpty: true,
    },
    rejectUnauthorized: {
      doc: "Whether the broker's certificate is checked. false lets anyone on the network pose as the broker.",
      kind: yesNo,
      default: true,
    },
  },
  subscriptions: {
    doc: 'What to subscribe to, and how the messages are read. The topics must not overlap.',
    kind: subscriptions,
    default: [fillSubscription({ topic: 'plc/+/tags' })],
    example: [
      { topic: 'plc/+/tags', qos: 1, format: 'polling', plcCode: '{2}', tagAddress: '' },
      { topic: 'plant/+/+', qos: 1, format: 'scalar', plcCode: '{2}', tagAddress: '{3}' },
    ],
    appliedOnReload: true,
  },
};
