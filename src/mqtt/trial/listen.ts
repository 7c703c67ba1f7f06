import type { MqttClient } from 'mqtt';

import { brokerUrls } from '../../core/broker-url.ts';
import { sleep, withDeadline, type Clock } from '../../core/clock.ts';
import { reasonText } from '../connection/reason-codes.ts';
import { subscribe } from '../connection/requests.ts';
import { readTlsFiles, type TlsOptions } from '../connection/tls-files.ts';
import type { ProtocolVersion } from '../connection/protocol-version.ts';
import { BrokerProbeError, open, openWithFallback } from './open.ts';
import { clientOptions } from './trial-options.ts';

export interface ListenOptions {
  /** A list: the brokers of a cluster, tried in turn. */
  readonly url: string | readonly string[];
  /** The bridge's; the listener takes one of its own that begins with it. */
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  readonly protocolVersion: ProtocolVersion;
  readonly keepaliveSeconds: number;
  readonly tls: TlsOptions;
  /** Not of a shared subscription: that would take messages away from its members. */
  readonly filter: string;
  readonly forMs: number;
  readonly clock: Clock;
}

/** A message; the payload may be a part of a larger buffer. */
export interface Heard {
  readonly topic: string;
  readonly payload: Buffer;
  /** The broker kept it, and gave it because of the subscription. */
  readonly retain: boolean;
}

const ANSWER_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2000;
const REFUSED_FROM = 0x80;

/**
 * Subscribes to one filter at QoS 0 for a while, with a client of its own in a clean session, and leaves nothing at the
 * broker. Resolves with how long it listened, in milliseconds: less than asked for when `signal` is aborted. Throws
 * BrokerProbeError, and ConfigError about the TLS files.
 */
export async function listen(
  options: ListenOptions,
  onMessage: (heard: Heard) => void,
  signal: AbortSignal,
): Promise<number> {
  const { clock, filter, forMs } = options;
  const client = await connect(options, onMessage, signal);
  const lost = new Promise<never>((_resolve, reject) => {
    client.once('close', () => reject(new BrokerProbeError('the broker ended the connection')));
  });
  lost.catch(() => {}); // the end of the listening closes it too
  try {
    const asked = subscribe(client, [{ topic: filter, qos: 0 }], 'always');
    const granted = (await withDeadline(clock, ANSWER_TIMEOUT_MS, 'subscribe', asked)).get(filter);
    if (granted === undefined || granted.code >= REFUSED_FROM) {
      const why = granted === undefined ? 'SUBACK says nothing of it' : (granted.said ?? reasonText(granted.code));
      throw new BrokerProbeError(`the subscription to ${filter} was not granted: ${why}`);
    }
    const startedAtMs = clock.monotonic();
    await Promise.race([sleep(clock, forMs, signal), lost]);
    return clock.monotonic() - startedAtMs;
  } finally {
    await withDeadline(clock, CLOSE_TIMEOUT_MS, 'disconnect', client.endAsync()).catch(() => {});
    client.stream.destroy();
  }
}

/** The first broker of the list that lets us in. */
async function connect(
  options: ListenOptions,
  onMessage: (heard: Heard) => void,
  signal: AbortSignal,
): Promise<MqttClient> {
  const { clock } = options;
  const tls = await readTlsFiles(options.tls);
  const mark = Math.floor(clock.random() * 0x1_0000_0000).toString(16);
  const clientId = `${options.clientId}-discover-${mark}`;
  const prepare = (client: MqttClient): void => {
    client.on('message', (topic, payload, { retain }) => onMessage({ topic, payload, retain }));
  };
  let failure: unknown;
  for (const url of brokerUrls(options.url)) {
    try {
      const { connected } = await openWithFallback(options.protocolVersion, (protocolVersion) => {
        const way = { ...options, url, protocolVersion, tls, signal };
        return open({ url, options: clientOptions(way, { clientId }), clock, signal, prepare });
      });
      return connected.client;
    } catch (thrown) {
      failure ??= thrown;
    }
  }
  throw failure;
}
