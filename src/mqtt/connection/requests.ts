import type { ISubscriptionMap, MqttClient } from 'mqtt';

/**
 * Requests to the broker, each with its answer as a promise. All reject when there is no connection, where mqtt.js
 * would queue the request and perhaps never call back, and when the connection ends before the answer.
 */

export interface Asked {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
}

/** What SUBACK says of one topic. */
export interface Granted {
  /** The QoS, or from 0x80 on why there is none [MQTT 5.0 section 3.9.3]. */
  readonly code: number;
  /** The words of the broker (MQTT 5); undefined where it has none. */
  readonly said: string | undefined;
}

/** Retain handling of MQTT 5: whether the retained messages are to be sent. MQTT 3.1.1 always sends them. */
const RETAIN_HANDLING = { always: 0, 'to a new subscription': 1, never: 2 } as const;

/** One SUBSCRIBE. Resolves with what SUBACK says, by topic, refusals included. */
export function subscribe(
  client: MqttClient,
  asked: readonly Asked[],
  retained: keyof typeof RETAIN_HANDLING,
): Promise<ReadonlyMap<string, Granted>> {
  const rh = RETAIN_HANDLING[retained];
  const request: ISubscriptionMap = Object.fromEntries(
    asked.map(({ topic, qos }) => [topic, { qos, rh, nl: false, rap: false }]),
  );
  return answered(client, (resolve, reject) => {
    client.subscribe(request, (error, grants = [], suback) => {
      if (suback === undefined) return reject(error ?? new Error('no SUBACK'));
      const said = suback.properties?.reasonString;
      resolve(new Map(grants.map(({ topic }, i) => [topic, { code: Number(suback.granted[i]), said }])));
    });
  });
}

export function unsubscribe(client: MqttClient, topics: readonly string[]): Promise<void> {
  return answered(client, (resolve, reject) => {
    client.unsubscribe([...topics], (error) => (error === undefined || error === null ? resolve() : reject(error)));
  });
}

/**
 * Resolves when the broker has taken the message, at QoS 0 when it is on its way. Rejects, by MQTT 5, also when the
 * broker refuses: see `reasonCodeOf`.
 */
export function publish(
  client: MqttClient,
  topic: string,
  payload: string | Buffer,
  options: { readonly qos: 0 | 1 | 2; readonly retain: boolean },
): Promise<void> {
  return answered(client, (resolve, reject) => {
    client.publish(topic, payload, options, (error) =>
      error === undefined || error === null ? resolve() : reject(error),
    );
  });
}

/** Resolves when the broker has read all that was sent before, by its answer to a PINGREQ. */
export function roundTrip(client: MqttClient): Promise<void> {
  return answered(client, (resolve, reject) => {
    const end = (): void => {
      client.off('packetreceive', hear);
      client.off('close', lose);
    };
    const hear: (packet: { readonly cmd?: string }) => void = ({ cmd }) => {
      if (cmd !== 'pingresp') return;
      end();
      resolve();
    };
    const lose = (): void => {
      end();
      reject(new Error('the connection ended'));
    };
    client.on('packetreceive', hear);
    client.on('close', lose);
    client.sendPing();
  });
}

function answered<T>(
  client: MqttClient,
  ask: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (client.connected) ask(resolve, reject);
    else reject(new Error('not connected to the broker'));
  });
}
