import type { IClientOptions, IConnackPacket, MqttClient } from 'mqtt';

import { withDeadline, type Clock } from '../../core/clock.ts';
import { coerceError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { inGroup, topicMatches } from '../../core/topic-filter.ts';
import { baseOptions } from '../connection/attempt.ts';
import { openWithFallback, open, type Connected, type Fallback } from './open.ts';
import type { ProtocolVersion } from '../connection/protocol-version.ts';
import { reasonText } from '../connection/reason-codes.ts';
import { subscribe, unsubscribe } from '../connection/requests.ts';
import { readTlsFiles, type TlsMaterial, type TlsOptions } from '../connection/tls-files.ts';

export interface ProbeOptions {
  readonly url: string;
  /** The bridge's; the probe takes one of its own that begins with it. */
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  readonly protocolVersion: ProtocolVersion;
  readonly keepaliveSeconds: number;
  readonly receiveMaximum: number;
  readonly tls: TlsOptions;
  readonly subscriptions: readonly { readonly topic: string; readonly qos: 0 | 1 | 2 }[];
  readonly clock: Clock;
}

/** What an MQTT 5 broker says in CONNACK [MQTT 5.0 section 3.2.2.3]; undefined where it says nothing. */
export interface BrokerLimits {
  readonly sessionExpirySeconds?: number | undefined;
  readonly receiveMaximum?: number | undefined;
  readonly maximumQos?: number | undefined;
  readonly retainAvailable?: boolean | undefined;
  readonly maximumPacketBytes?: number | undefined;
  readonly serverKeepAliveSeconds?: number | undefined;
  readonly wildcardsAvailable?: boolean | undefined;
  readonly sharedAvailable?: boolean | undefined;
}

export interface Grant {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  /** Reason code of SUBACK; undefined when the broker ended the connection or said nothing. */
  readonly code: number | undefined;
  /** What the broker says, or why there is no answer. */
  readonly reason: string;
}

export interface BrokerFacts {
  readonly clientId: string;
  readonly protocolVersion: ProtocolVersion;
  /** Why it is not MQTT 5 although that was asked for. */
  readonly fallback: Fallback;
  readonly connectMs: number;
  readonly sessionPresent: boolean;
  readonly limits: BrokerLimits;
  /** What the broker calls itself in $SYS; empty where it does not tell. */
  readonly software: string;
  readonly grants: readonly Grant[];
}

const ANSWER_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2000;
const MAX_NAME_LENGTH = 100;
/** Where brokers say what they are: mosquitto and those after it; EMQX. */
const NAME_TOPICS = ['$SYS/broker/version', '$SYS/brokers/+/sysdescr', '$SYS/brokers/+/version'];
const LOST = 'the broker ended the connection';
const NOT_TRIED = { code: undefined, reason: 'not tried after that' };

/**
 * Connects as the intake would, subscribes to each topic, unsubscribes and disconnects.
 *
 * Nothing of the running bridge is touched: the client id is another one, the session is clean and ends with the
 * connection, retained messages are not asked for (MQTT 3.1.1 sends them: they are passed over), and a shared
 * subscription is tried under a group of the probe's own, for within the bridge's group it would take messages away
 * from it.
 *
 * Throws BrokerProbeError, and ConfigError about the TLS files. Every wait is bounded; `signal` ends it at once.
 */
export async function probeBroker(options: ProbeOptions, signal: AbortSignal): Promise<BrokerFacts> {
  const { clock } = options;
  const tls = await readTlsFiles(options.tls);
  const mark = Math.floor(clock.random() * 0x1_0000_0000).toString(16);
  const clientId = `${options.clientId}-check-${mark}`;
  const connect = (version: ProtocolVersion): Promise<Connected> =>
    open({ url: options.url, options: clientOptions({ ...options, clientId }, version, tls), clock, signal });
  const { connected, fallback } = await openWithFallback(options.protocolVersion, connect);
  const { client, connack, connectMs } = connected;
  const tried: string[] = [];
  try {
    const grants: Grant[] = [];
    for (const { topic, qos } of options.subscriptions) {
      const ownTopic = inGroup(topic, clientId);
      tried.push(ownTopic);
      const isMute = grants.some(({ code }) => code === undefined); // it would be waited for each time
      const answer = isMute ? NOT_TRIED : await ask(client, ownTopic, qos, clock);
      grants.push({ topic, qos, ...answer });
    }
    const { sessionPresent } = connack;
    const limits = limitsOf(connack);
    const protocolVersion = fallback === undefined ? options.protocolVersion : 4;
    // Last: a broker may end the connection on a topic that it does not allow.
    const software = await nameOf(client, clock);
    tried.push(...NAME_TOPICS);
    return { clientId, protocolVersion, fallback, connectMs, sessionPresent, limits, software, grants };
  } finally {
    await close(client, tried, clock);
  }
}

function clientOptions(options: ProbeOptions, version: ProtocolVersion, tls: TlsMaterial): IClientOptions {
  const { receiveMaximum } = options;
  const properties = { sessionExpiryInterval: 0, receiveMaximum };
  return { ...baseOptions(options, version, tls), clean: true, ...(version === 5 ? { properties } : {}) };
}

/** What the broker retains in $SYS about itself, in the order of the topics. */
async function nameOf(client: MqttClient, clock: Clock): Promise<string> {
  const said = new Map<number, string>();
  client.on('message', (topic, payload) => {
    const place = NAME_TOPICS.findIndex((filter) => topicMatches(filter, topic));
    if (place !== -1) said.set(place, printable(payload.toString().trim()).slice(0, MAX_NAME_LENGTH));
  });
  // What is retained comes before the answer to the next request, or never; the last one is asked for twice for that.
  for (const topic of [...NAME_TOPICS, ...NAME_TOPICS.slice(-1)]) await ask(client, topic, 0, clock);
  return [...said.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, text]) => text)
    .join(' ');
}

async function ask(
  client: MqttClient,
  topic: string,
  qos: 0 | 1 | 2,
  clock: Clock,
): Promise<Pick<Grant, 'code' | 'reason'>> {
  // No retained messages (MQTT 5), but for the one that is read.
  const asked = subscribe(client, [{ topic, qos }], topic.startsWith('$SYS/') ? 'always' : 'never');
  try {
    const granted = (await withDeadline(clock, ANSWER_TIMEOUT_MS, 'subscribe', asked)).get(topic);
    if (granted === undefined) return { code: undefined, reason: 'SUBACK says nothing of it' };
    return { code: granted.code, reason: granted.said ?? reasonText(granted.code) };
  } catch (thrown) {
    return { code: undefined, reason: client.connected ? coerceError(thrown).message : LOST };
  }
}

async function close(client: MqttClient, topics: readonly string[], clock: Clock): Promise<void> {
  const left = topics.length === 0 ? Promise.resolve() : unsubscribe(client, topics).catch(() => {});
  const ended = left.then(() => client.endAsync());
  await withDeadline(clock, CLOSE_TIMEOUT_MS, 'disconnect', ended).catch(() => {});
  client.stream.destroy();
}

function limitsOf({ properties = {} }: IConnackPacket): BrokerLimits {
  return {
    sessionExpirySeconds: properties.sessionExpiryInterval,
    receiveMaximum: properties.receiveMaximum,
    maximumQos: properties.maximumQoS,
    retainAvailable: properties.retainAvailable,
    maximumPacketBytes: properties.maximumPacketSize,
    serverKeepAliveSeconds: properties.serverKeepAlive,
    wildcardsAvailable: properties.wildcardSubscriptionAvailable,
    sharedAvailable: properties.sharedSubscriptionAvailable,
  };
}
