import type { IClientOptions, MqttClient } from 'mqtt';

import { withDeadline } from '../core/clock.ts';
import { coerceError } from '../core/errors.ts';
import { RepeatedError } from '../core/logger.ts';
import { topicMatches } from '../core/topic-filter.ts';
import type { ConnectionOptions } from './connection/connection-options.ts';
import { MqttConnection } from './connection/connection.ts';
import { reasonCodeOf, reasonText } from './connection/reason-codes.ts';
import { publishRemedy, subscribeRemedy } from './connection/remedies.ts';
import { publish, subscribe } from './connection/requests.ts';

export interface PublisherOptions extends ConnectionOptions {
  /** `<base>/state`: where the broker's clients see whether the bridge is there. */
  readonly stateTopic: string;
}

/** `retain` is true for what the broker had kept, and false for what is published now, by ourselves too. */
export type MessageListener = (topic: string, payload: Buffer, retain: boolean) => void;

interface Listening {
  readonly filter: string;
  readonly listener: MessageListener;
}

const ONLINE = '{"state":"online"}';
const OFFLINE = '{"state":"offline"}';
const OFFLINE_DEADLINE_MS = 2000;

/**
 * Publishes the notices, on a connection apart from the intake's: its Last Will and its end do not depend on a session
 * that has to be kept.
 *
 * Nothing is queued while there is no connection. One publish is in flight at a time, as mqtt.js does not keep to the
 * broker's receive maximum.
 */
export class MqttPublisher {
  readonly #options: PublisherOptions;
  readonly #connection: MqttConnection;
  readonly #failure: RepeatedError;
  readonly #connectListeners: (() => void)[] = [];
  readonly #listening: Listening[] = [];
  #client: MqttClient | undefined;
  #lastPublish: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(options: PublisherOptions) {
    this.#options = { ...options, clientId: `${options.clientId}-notices` };
    this.#failure = new RepeatedError(
      options.log,
      options.clock,
      'broker does not take the state of the bridge',
      'warn',
    );
    this.#connection = new MqttConnection(this.#options, {
      isIntake: false,
      clientOptions: () => this.#clientOptions(),
      prepare: (client) =>
        void client.on('message', (topic, payload, { retain }) => this.#heard(topic, payload, retain)),
      connected: (client) => void this.#connected(client),
      closed: () => {
        this.#client = undefined;
      },
    });
  }

  get connected(): boolean {
    return this.#client !== undefined;
  }

  /** Resolves when the attempts to connect have begun. Throws a ConfigError about the TLS files. */
  start(): Promise<void> {
    return this.#connection.start();
  }

  /** Publishes `offline`, then ends the connection; takes 4 s at most. Where that fails, the Last Will says it. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { clock, stateTopic } = this.#options;
    if (!this.connected) return this.#connection.stop();
    try {
      const published = this.publish(stateTopic, OFFLINE, { retain: true });
      await withDeadline(clock, OFFLINE_DEADLINE_MS, 'publishing offline', published);
    } catch {
      return this.#connection.stop('drop');
    }
    return this.#connection.stop();
  }

  /**
   * At QoS 1: resolves when the broker has it. Rejects without a connection, when it is lost, and when the broker
   * refuses.
   */
  publish(topic: string, payload: string | Buffer, { retain }: { readonly retain: boolean }): Promise<void> {
    const client = this.#client;
    if (client === undefined) return Promise.reject(new Error('not connected to the broker'));
    const published = this.#lastPublish.then(() => publish(client, topic, payload, { qos: 1, retain }));
    this.#lastPublish = published.catch(() => {});
    return published;
  }

  /** Called on each connect, after `online` was published and the subscriptions were made. */
  onConnect(listener: () => void): void {
    this.#connectListeners.push(listener);
  }

  /** Listens from now on, over all connections; on each, the retained messages come first. */
  subscribe(filter: string, listener: MessageListener): void {
    const listening = { filter, listener };
    this.#listening.push(listening);
    const client = this.#client;
    if (client !== undefined) void this.#subscribe(client, listening);
  }

  #clientOptions(): IClientOptions {
    const payload = Buffer.from(OFFLINE);
    return { clean: true, will: { topic: this.#options.stateTopic, payload, qos: 1, retain: true } };
  }

  async #connected(client: MqttClient): Promise<void> {
    this.#client = client;
    const topic = this.#options.stateTopic;
    try {
      await this.publish(topic, ONLINE, { retain: true });
      this.#failure.over();
    } catch (thrown) {
      const error = coerceError(thrown);
      const remedy = publishRemedy(topic, reasonCodeOf(error));
      if (this.#client === client) this.#failure.report({ topic, error, ...(remedy === '' ? {} : { remedy }) });
    }
    for (const listening of this.#listening) await this.#subscribe(client, listening);
    if (this.#client !== client) return;
    for (const listener of this.#connectListeners) listener();
  }

  async #subscribe(client: MqttClient, { filter }: Listening): Promise<void> {
    if (!client.connected) return;
    const { log } = this.#options;
    try {
      const granted = await subscribe(client, [{ topic: filter, qos: 1 }], 'always');
      const code = granted.get(filter)?.code ?? 0;
      if (code < 0x80) return;
      const remedy = subscribeRemedy(filter, 1, code);
      log.error('broker does not grant a subscription', { topic: filter, reason: reasonText(code), remedy });
    } catch (error) {
      log.debug('subscribing was cut short', { topic: filter, error: coerceError(error) });
    }
  }

  #heard(topic: string, payload: Buffer, retain: boolean): void {
    for (const { filter, listener } of this.#listening) {
      if (topicMatches(filter, topic)) listener(topic, payload, retain);
    }
  }
}
