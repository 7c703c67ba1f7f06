import type { Clock } from '../../core/clock.ts';
import { coerceError } from '../../core/errors.ts';
import type { Manners } from './manners.ts';
import type { ProtocolVersion } from '../connection/protocol-version.ts';
import { readTlsFiles, type TlsOptions } from '../connection/tls-files.ts';
import { TrialClient } from './trial-client.ts';
import { tryQos2 } from './trial-qos2.ts';
import { tryRetained } from './trial-retained.ts';
import { trySession } from './trial-session.ts';
import { SURE_MS, tryTopics, type TopicTrial, type TrialGround } from './trial-topics.ts';

/** The way to the broker, and where at it something may be tried. */
export interface TrialPlace {
  readonly url: string;
  /** The bridge's; those of the trial begin with it. */
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  readonly keepaliveSeconds: number;
  /** The version that was agreed on with the broker: a trial does not fall back. */
  readonly protocolVersion: ProtocolVersion;
  readonly tls: TlsOptions;
  readonly clock: Clock;
  /** `notices.baseTopic`: topics of the trial are `<base>/probe/<random>/…`. */
  readonly baseTopic: string;
}

export interface TrialOptions extends TrialPlace {
  readonly sessionExpirySeconds: number;
  readonly receiveMaximum: number;
  /** Messages that the broker lets be under way towards it. */
  readonly publishAtOnce: number;
  /** Also try a message of so many bytes; 0: do not. */
  readonly largeBytes: number;
  /** Also try retained messages: a broker that has said it keeps none may end a connection over one. */
  readonly retains: boolean;
}

/** What a broker that is never told to answer in pieces would take. */
const MAX_PUBLISH_AT_ONCE = 10;

/**
 * Finds out by trying what the broker does with topics, retained messages, sessions and QoS, in the protocol version of
 * the bridge.
 *
 * No running bridge is disturbed: client ids, topics and the group of the shared subscription are the trial's own.
 * Nothing is left behind: retained messages are cleared, sessions ended, subscriptions go with them. Every wait is
 * bounded; `signal` ends all at once. Throws BrokerProbeError when the first connection does not come about, and
 * ConfigError about the TLS files; what cannot be tried after that is undefined in the result.
 */
export async function tryBroker(options: TrialOptions, signal: AbortSignal): Promise<Manners> {
  const ground = await groundFor(options, signal);
  const { refusal, manners: topics } = await tryTopics(ground);
  const nothing = { refusal, topics, retained: undefined, session: undefined, qos2: undefined, large: undefined };
  if (refusal !== '') return nothing;
  const { sessionExpirySeconds: sessionSeconds, receiveMaximum, largeBytes } = options;
  const publishAtOnce = Math.max(1, Math.min(MAX_PUBLISH_AT_ONCE, options.publishAtOnce));
  const [retained, session, qos2, large] = await Promise.all([
    options.retains ? orUndefined(tryRetained(ground)) : undefined,
    orUndefined(trySession(ground, { sessionSeconds, receiveMaximum, publishAtOnce })),
    orUndefined(tryQos2(ground)),
    largeBytes === 0 ? undefined : orUndefined(tryLarge(ground, largeBytes)),
  ]);
  return { refusal, topics, retained, session, qos2, large };
}

/** The short part of it: `$share` and dots. Throws as `tryBroker` does. */
export async function tryBrokerTopics(place: TrialPlace, signal: AbortSignal): Promise<TopicTrial> {
  return tryTopics(await groundFor(place, signal));
}

async function groundFor(place: TrialPlace, signal: AbortSignal): Promise<TrialGround> {
  const { baseTopic, clientId, clock, keepaliveSeconds, password, protocolVersion, url, username } = place;
  const mark = Math.floor(clock.random() * 0x1_0000_0000).toString(16);
  const tls = await readTlsFiles(place.tls);
  return {
    way: { url, username, password, keepaliveSeconds, protocolVersion, tls, clock, signal },
    topic: `${baseTopic}/probe/${mark}`,
    clientId: `${clientId}-check-${mark}`,
  };
}

/** A client of its own: a broker ends the connection on which a packet is too large. */
async function tryLarge(ground: TrialGround, bytes: number): Promise<boolean> {
  const client = await TrialClient.open(ground.way, { clientId: `${ground.clientId}-l` });
  try {
    await client.subscribe(`${ground.topic}/l`, 1);
    void client.publish(`${ground.topic}/l`, 'x'.repeat(bytes));
    return await client.until(() => client.arrivals.some(({ text }) => text.length === bytes), SURE_MS);
  } finally {
    await client.end();
  }
}

/** One part that fails, by a lost connection say, leaves the others what they are. */
async function orUndefined<T>(part: Promise<T>): Promise<T | undefined> {
  try {
    return await part;
  } catch (thrown) {
    coerceError(thrown);
    return undefined;
  }
}
