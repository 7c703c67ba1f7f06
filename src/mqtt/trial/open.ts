import type { IClientOptions, IConnackPacket, MqttClient } from 'mqtt';

import type { Clock } from '../../core/clock.ts';
import { attempt, CONNECT_TIMEOUT_MS, errorText, type Outcome } from '../connection/attempt.ts';
import { ConnackTimeoutError, isSilence, type ProtocolVersion } from '../connection/protocol-version.ts';
import { isVersionRefusal } from '../connection/reason-codes.ts';
import { connectRemedy } from '../connection/remedies.ts';

/** No connection came about. */
export class BrokerProbeError extends Error {
  /** The reason code of CONNACK; undefined when there was none. */
  readonly reasonCode: number | undefined;
  /** What a person can do about it; empty where nothing is known. */
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

/** A broker that knows MQTT 3.1.1 alone may take a CONNECT of version 5 and never answer it. */
const MUTE_TIMEOUT_MS = 8000;

export interface Connected {
  readonly client: MqttClient;
  readonly connack: IConnackPacket;
  readonly connectMs: number;
}

/** Why it is not MQTT 5 although that was asked for. */
export type Fallback = 'refused' | 'closed' | 'mute' | undefined;

/** Tries MQTT 3.1.1 where MQTT 5 does not come about, as the intake does, but at once. Throws BrokerProbeError. */
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

export interface OpenParts {
  readonly url: string;
  readonly options: IClientOptions;
  readonly clock: Clock;
  /** Cuts the attempt, and the connection that came of it. */
  readonly signal: AbortSignal;
  /** The client has not connected yet. */
  readonly prepare?: (client: MqttClient) => void;
}

/**
 * Connects once, for a check or a trial; the caller closes the client. Takes 15 s at most, and 8 s when the broker
 * leaves a CONNECT of MQTT 5 unanswered. Throws BrokerProbeError.
 */
export function open({ url, options, clock, signal, prepare }: OpenParts): Promise<Connected> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw new BrokerProbeError('interrupted');
    const startedAtMs = clock.monotonic();
    let cut = (): void => {};
    const ended = attempt({
      url,
      options,
      connackWaitMs: options.protocolVersion === 5 ? MUTE_TIMEOUT_MS : CONNECT_TIMEOUT_MS,
      clock,
      prepare: (client) => {
        cut = (): void => void client.stream.destroy();
        signal.addEventListener('abort', cut, { once: true });
        prepare?.(client);
      },
      connected: (client, connack) => resolve({ client, connack, connectMs: clock.monotonic() - startedAtMs }),
      closed: () => signal.removeEventListener('abort', cut),
    });
    void ended.then((outcome) =>
      reject(signal.aborted ? new BrokerProbeError('interrupted') : explained(outcome, url)),
    );
  });
}

function explained(outcome: Outcome, url: string): BrokerProbeError {
  const { error, reasonCode } = outcome;
  const remedy = connectRemedy(outcome, url);
  const silence = error instanceof ConnackTimeoutError ? 'mute' : isSilence(error) ? 'closed' : undefined;
  return new BrokerProbeError(errorText(error) ?? 'closed before it answered', { reasonCode, remedy, silence });
}
