import mqtt, { type IClientOptions } from 'mqtt';

import type { Clock } from '../../core/clock.ts';
import { baseOptions } from '../connection/attempt.ts';
import type { ProtocolVersion } from '../connection/protocol-version.ts';
import type { TlsMaterial } from '../connection/tls-files.ts';

/** How a trial's clients reach the broker. */
export interface TrialWay {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly keepaliveSeconds: number;
  readonly protocolVersion: ProtocolVersion;
  readonly tls: TlsMaterial;
  readonly clock: Clock;
  /** Ends every wait, and cuts every connection. */
  readonly signal: AbortSignal;
}

/** What one client of a trial asks for. */
export interface TrialClientOptions {
  readonly clientId: string;
  /**
   * MQTT 5: how long the broker is to keep the session; 0 ends it with the connection. In 3.1.1 anything but 0 asks for
   * a kept one.
   */
  readonly sessionSeconds?: number;
  readonly receiveMaximum?: number;
  /** `withheld`: no PUBACK but by `acknowledge`, no PUBREC and no PUBCOMP; `rec`: PUBREC, and no PUBCOMP. */
  readonly answers?: 'all' | 'withheld' | 'rec';
  /**
   * The empty retained message that the broker itself publishes on this topic when the connection is cut: nothing is
   * left behind.
   */
  readonly clears?: string;
}

/** Keeps the packets that mqtt.js puts into it, or withholds the answer to them. */
function incomingStore(answers: TrialClientOptions['answers']): mqtt.Store {
  const store = new mqtt.Store({ clean: false });
  if (answers === 'withheld') store.put = (): mqtt.Store => store;
  return store;
}

export function clientOptions(way: TrialWay, options: TrialClientOptions): IClientOptions {
  const { protocolVersion, tls } = way;
  const { answers, clears, clientId, receiveMaximum, sessionSeconds = 0 } = options;
  const will =
    clears === undefined ? {} : { will: { topic: clears, payload: Buffer.alloc(0), qos: 1 as const, retain: true } };
  const properties = {
    sessionExpiryInterval: sessionSeconds,
    ...(receiveMaximum === undefined ? {} : { receiveMaximum }),
  };
  return {
    ...baseOptions({ ...way, clientId }, protocolVersion, tls),
    clean: sessionSeconds === 0,
    incomingStore: incomingStore(answers),
    ...(protocolVersion === 5 ? { properties } : {}),
    ...will,
  };
}
