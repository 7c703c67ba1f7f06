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
  /** The broker ended the connection before it said anything. */
  readonly isSilence: boolean;

  constructor(message: string, more: { reasonCode?: number | undefined; remedy?: string; isSilence?: boolean } = {}) {
    super(message);
    this.name = 'BrokerProbeError';
    this.reasonCode = more.reasonCode;
    this.remedy = more.remedy ?? '';
    this.isSilence = more.isSilence ?? false;
  }
}

export const CONNECT_TIMEOUT_MS = 15_000;

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
export type Fallback = 'refused' | 'silence' | undefined;

/** As the intake falls back, but at once. Throws BrokerProbeError. */
export async function openWithFallback(
  wanted: ProtocolVersion,
  connect: (version: ProtocolVersion) => Promise<Connected>,
): Promise<{ readonly connected: Connected; readonly fallback: Fallback }> {
  try {
    return { connected: await connect(wanted), fallback: undefined };
  } catch (thrown) {
    if (!(thrown instanceof BrokerProbeError) || wanted === 4) throw thrown;
    const isRefused = isVersionRefusal(thrown.reasonCode);
    if (!isRefused && !thrown.isSilence) throw thrown;
    try {
      return { connected: await connect(4), fallback: isRefused ? 'refused' : 'silence' };
    } catch (second) {
      throw isRefused ? second : thrown;
    }
  }
}

/** One attempt to connect, for 15 s at most. The caller closes the client. Throws BrokerProbeError. */
export async function open(
  url: string,
  options: IClientOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<Connected> {
  const startedAtMs = clock.monotonic();
  let client: MqttClient | undefined;
  const abort = (): void => void client?.stream.destroy();
  const isOver = new Promise<IConnackPacket>((resolve, reject) => {
    if (signal.aborted) throw new BrokerProbeError('interrupted');
    client = mqtt.connect(url, options);
    watch(client, url, resolve, reject);
    signal.addEventListener('abort', abort, { once: true });
    client.connect();
  });
  try {
    const connack = await withDeadline(clock, CONNECT_TIMEOUT_MS, 'connect', isOver);
    return { client: client!, connack, connectMs: clock.monotonic() - startedAtMs };
  } catch (thrown) {
    client?.stream?.destroy();
    client?.end(true);
    if (thrown instanceof DeadlineError) throw new BrokerProbeError(thrown.message, { remedy: REMEDIES['ETIMEDOUT']! });
    throw thrown instanceof BrokerProbeError ? thrown : new BrokerProbeError(coerceError(thrown).message);
  }
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
  const isSilence = failure === undefined || code === 'ECONNRESET';
  const text = failure === undefined ? 'closed before it answered' : failure.message === '' ? code : failure.message;
  const remedy = REMEDIES[code] ?? remedyOf(failure, url, isSilence) ?? '';
  return new BrokerProbeError(text, { remedy, isSilence });
}
