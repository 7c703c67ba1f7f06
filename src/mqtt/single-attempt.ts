import mqtt, { type IClientOptions, type IConnackPacket, type MqttClient } from 'mqtt';

import { DeadlineError, withDeadline, type Clock } from '../core/clock.ts';
import { coerceError, systemErrorCode } from '../core/errors.ts';
import type { ProtocolVersion } from './protocol-version.ts';
import { isVersionRefusal, reasonCodeOf, reasonText, refusalOf } from './reason-codes.ts';
import { remedyOf } from './tls-remedies.ts';

/** No connection came about. */
export class BrokerProbeError extends Error {
  /** Of CONNACK; undefined when there was none. */
  readonly reasonCode: number | undefined;
  /** Empty where nothing is known. */
  readonly remedy: string;
  /** The broker said nothing: it ended the connection, or holds it and does not answer. */
  readonly silence: 'closed' | 'mute' | undefined;

  constructor(
    message: string,
    more: { reasonCode?: number | undefined; remedy?: string; silence?: 'closed' | 'mute' | undefined } = {},
  ) {
    super(message);
    this.name = 'BrokerProbeError';
    this.reasonCode = more.reasonCode;
    this.remedy = more.remedy ?? '';
    this.silence = more.silence;
  }
}

export const CONNECT_TIMEOUT_MS = 15_000;
/** A broker that knows MQTT 3.1.1 alone may take a CONNECT of version 5 and never answer it. */
const MUTE_TIMEOUT_MS = 8000;

const MUTE =
  'something listens there and does not answer: is it an MQTT broker, and is this the port that it has for the scheme of mqtt.url?';

const REMEDIES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: is the broker running, and is the port of mqtt.url right?',
  ENOTFOUND: 'mqtt.url: no such host is known to this machine',
  EAI_AGAIN: 'the name server of this machine does not answer',
  ETIMEDOUT: 'nobody answers: is the host of mqtt.url right, and does a firewall let this machine through?',
  EHOSTUNREACH: 'no way leads there: check the network of this machine and the host of mqtt.url',
  ENETUNREACH: 'no way leads there: check the network of this machine and the host of mqtt.url',
};

export interface Connected {
  readonly client: MqttClient;
  readonly connack: IConnackPacket;
  readonly connectMs: number;
}

/** Why it is not MQTT 5 although that was asked for. */
export type Fallback = 'refused' | 'closed' | 'mute' | undefined;

/** As the intake falls back, but at once. Throws BrokerProbeError. */
export async function openWithFallback(
  wanted: ProtocolVersion,
  connect: (version: ProtocolVersion) => Promise<Connected>,
): Promise<{ readonly connected: Connected; readonly fallback: Fallback }> {
  try {
    return { connected: await connect(wanted), fallback: undefined };
  } catch (thrown) {
    if (!(thrown instanceof BrokerProbeError) || wanted === 4) throw thrown;
    const fallback = isVersionRefusal(thrown.reasonCode) ? 'refused' : thrown.silence;
    if (fallback === undefined) throw thrown;
    try {
      return { connected: await connect(4), fallback };
    } catch (second) {
      throw fallback === 'refused' ? second : thrown;
    }
  }
}

/**
 * One attempt to connect, for 15 s at most, with MQTT 5 for 8 s. The caller closes the client. `prepare` gets it before it connects.
 * Throws BrokerProbeError.
 */
export async function open(
  url: string,
  options: IClientOptions,
  clock: Clock,
  signal: AbortSignal,
  prepare: (client: MqttClient) => void = () => {},
): Promise<Connected> {
  const startedAtMs = clock.monotonic();
  let client: MqttClient | undefined;
  const abort = (): void => void client?.stream.destroy();
  const isOver = new Promise<IConnackPacket>((resolve, reject) => {
    if (signal.aborted) throw new BrokerProbeError('interrupted');
    client = mqtt.connect(url, options);
    watch(client, url, resolve, reject);
    prepare(client);
    signal.addEventListener('abort', abort, { once: true });
    client.once('close', () => signal.removeEventListener('abort', abort));
    client.connect();
  });
  const timeoutMs = options.protocolVersion === 5 ? MUTE_TIMEOUT_MS : CONNECT_TIMEOUT_MS;
  try {
    const connack = await withDeadline(clock, timeoutMs, 'connect', isOver);
    return { client: client!, connack, connectMs: clock.monotonic() - startedAtMs };
  } catch (thrown) {
    const isMute = thrown instanceof DeadlineError && hasSentConnect(client);
    client?.stream?.destroy();
    client?.end(true);
    if (isMute) {
      const text = `the connection came about, but CONNECT was not answered within ${timeoutMs} ms`;
      throw new BrokerProbeError(text, { remedy: MUTE, silence: 'mute' });
    }
    if (thrown instanceof DeadlineError) throw new BrokerProbeError(thrown.message, { remedy: REMEDIES['ETIMEDOUT']! });
    throw thrown instanceof BrokerProbeError ? thrown : new BrokerProbeError(coerceError(thrown).message);
  }
}

/** CONNECT is handed over to the stream at once, and leaves it when the way has come about: TCP, and TLS or WebSocket on top of it. */
function hasSentConnect(client: MqttClient | undefined): boolean {
  return client?.stream?.writableLength === 0;
}

function watch(
  client: MqttClient,
  url: string,
  resolve: (connack: IConnackPacket) => void,
  reject: (error: Error) => void,
): void {
  let connack: IConnackPacket | undefined;
  let failure: Error | undefined;
  client.on('packetreceive', (packet) => {
    if (packet.cmd === 'connack') connack ??= packet;
  });
  client.on('connect', (packet) => resolve(packet));
  client.on('error', (error) => {
    failure ??= error;
    client.stream.destroy();
  });
  client.once('close', () => {
    reject(explained(failure, connack, url));
    client.end(true); // calls back whoever waits for an answer
  });
}

function explained(failure: Error | undefined, connack: IConnackPacket | undefined, url: string): BrokerProbeError {
  const reasonCode = failure === undefined ? undefined : reasonCodeOf(failure);
  if (reasonCode !== undefined) {
    const said = connack?.properties?.reasonString;
    const text = `refused by the broker: ${reasonText(reasonCode)}${said === undefined ? '' : `, “${said}”`}`;
    return new BrokerProbeError(text, { reasonCode, remedy: refusalOf(reasonCode).remedy });
  }
  const code = systemErrorCode(failure) ?? '';
  const isClosed = failure === undefined || code === 'ECONNRESET';
  const text = failure === undefined ? 'closed before it answered' : failure.message === '' ? code : failure.message;
  const remedy = REMEDIES[code] ?? remedyOf(failure, url, isClosed) ?? '';
  return new BrokerProbeError(text, { remedy, silence: isClosed ? 'closed' : undefined });
}
