import type { IClientOptions, MqttClient } from 'mqtt';

import { withDeadline } from '../core/clock.ts';
import { coerceError, NotTakenError } from '../core/errors.ts';
import { RepeatedError } from '../core/logger.ts';
import { topicMatches } from '../core/topic-filter.ts';
import { sentenceOf } from '../core/wording.ts';
import type { ConnectionOptions } from './connection/connection-options.ts';
import { MqttConnection } from './connection/connection.ts';
import { LastWill } from './last-will.ts';
import { LeftOut, type NoticesProblem } from './left-out.ts';
import { limitsOf, NO_LIMITS, publishBytes } from './publish-limits.ts';
import { reasonCodeOf, reasonText } from './connection/reason-codes.ts';
import { publishRemedy, subscribeRemedy } from './connection/remedies.ts';
import type { ProtocolVersion } from './connection/protocol-version.ts';
import { publish, roundTrip, subscribe } from './connection/requests.ts';

export interface PublisherOptions extends ConnectionOptions {
  /** `<base>/state`: where the broker's clients see whether the bridge is there. */
  readonly stateTopic: string;
}

export interface NoticesHealth {
  readonly connected: boolean;
  /** How many notices the broker does not take. */
  readonly notTaken: number;
  readonly problems: readonly NoticesProblem[];
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
/** A reason code [MQTT 5.0 section 2.4]. */
const RETAIN_NOT_SUPPORTED = 154;
/** A connection that comes back by itself so soon is nothing to tell of. */
const SOON_BACK_MS = 10_000;

/**
 * Publishes the notices, on a connection apart from the intake's: its Last Will and its end do not depend on a session
 * that has to be kept.
 *
 * Nothing is queued while there is no connection. One publish is in flight at a time, as mqtt.js does not keep to the
 * broker's receive maximum, nor to anything else that it says in CONNACK (publish-limits.ts). What the broker can't
 * take is not sent, and what ends the connection again and again is left out for a while (left-out.ts): a connection
 * that is made anew for ever would tell everybody by its Last Will that the bridge is away.
 */
export class MqttPublisher {
  readonly #options: PublisherOptions;
  readonly #connection: MqttConnection;
  readonly #failure: RepeatedError;
  readonly #connectListeners: (() => void)[] = [];
  readonly #listening: Listening[] = [];
  readonly #leftOut: LeftOut;
  #limits = NO_LIMITS;
  readonly #will = new LastWill();
  /** Something came of the present attempt. */
  #isAnswered = false;
  #version: ProtocolVersion = 5;
  #attemptedAtMs = 0;
  /** The topic of the message that waits for its PUBACK. */
  #underWay: string | undefined;
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
      clientOptions: (version) => this.#clientOptions(version),
      prepare: (client) => this.#prepare(client),
      connected: (client) => void this.#connected(client),
      closed: () => this.#closed(),
    });
    this.#leftOut = new LeftOut(options.clock, (topic, why) =>
      options.log.warn('a notice is not taken', { topic, ...why }),
    );
  }

  get connected(): boolean {
    return this.#client !== undefined;
  }

  /** What a person should know of it. A connection that was lost just now is no problem yet. */
  get health(): NoticesHealth {
    const problems = [this.#away(), this.#notRetained(), this.#leftOut.problem].filter((each) => each !== undefined);
    return { connected: this.connected, notTaken: this.#leftOut.count, problems };
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
   * At QoS 1, or at 0 where the broker takes no more: resolves when the broker has it. Rejects without a connection,
   * when it is lost, and when the broker refuses; with a NotTakenError for what it can't take, which was not sent.
   */
  publish(topic: string, payload: string | Buffer, { retain }: { readonly retain: boolean }): Promise<void> {
    const client = this.#client;
    if (client === undefined) return Promise.reject(new Error('not connected to the broker'));
    const published = this.#lastPublish.then(() => this.#publish(client, topic, payload, retain));
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

  #clientOptions(version: ProtocolVersion): IClientOptions {
    this.#version = version;
    const payload = Buffer.from(OFFLINE);
    return { clean: true, will: { topic: this.#options.stateTopic, payload, ...this.#will.way } };
  }

  #prepare(client: MqttClient): void {
    this.#isAnswered = false;
    this.#attemptedAtMs = this.#options.clock.monotonic();
    client.once('packetreceive', (packet) => {
      this.#isAnswered = true;
      if (packet.cmd !== 'connack') return;
      const { qos, retain } = this.#will.way;
      // By MQTT 3.1.1 nothing is said: what is not taken of the Last Will is not taken of anything.
      this.#limits = this.#version === 4 ? { ...NO_LIMITS, maxQos: qos, retains: retain } : limitsOf(packet);
    });
    client.on('error', (error) => {
      this.#isAnswered = true;
      this.#will.refused(reasonCodeOf(error));
    });
    client.on('message', (topic, payload, { retain }) => this.#heard(topic, payload, retain));
  }

  #closed(): void {
    const wasConnected = this.connected;
    const topic = this.#underWay;
    this.#underWay = undefined;
    this.#client = undefined;
    if (wasConnected) this.#will.lost();
    else if (!this.#isAnswered) this.#will.closed(this.#version, this.#options.clock.monotonic() - this.#attemptedAtMs);
    // Without the state nobody can know that the bridge is there: that is tried on each connection.
    const mayBeLeftOut = topic !== undefined && topic !== this.#options.stateTopic;
    if (mayBeLeftOut && this.#stopping === undefined) this.#leftOut.endedWith(topic);
  }

  async #publish(client: MqttClient, topic: string, payload: string | Buffer, retain: boolean): Promise<void> {
    const { maxPacketBytes, maxQos, retains } = this.#limits;
    const bytes = publishBytes(topic, payload);
    if (bytes > maxPacketBytes) {
      this.#leftOut.tooLarge(topic, bytes, maxPacketBytes);
      throw new NotTakenError(`${bytes} bytes are more than the broker takes`);
    }
    const reason = this.#leftOut.reasonFor(topic);
    if (reason !== undefined) throw new NotTakenError(reason);
    if (payload.length === 0) this.#leftOut.gone(topic);
    if (!retains && payload.length === 0) return; // it keeps nothing that could be cleared
    this.#underWay = topic;
    try {
      await publish(client, topic, payload, { qos: maxQos, retain: retain && retains });
      if (maxQos === 0) await roundTrip(client); // else nobody knows what a connection ended by
      this.#leftOut.taken(topic);
    } catch (thrown) {
      const code = reasonCodeOf(coerceError(thrown));
      if (code !== undefined && payload.length > 0 && client.connected)
        this.#leftOut.refused(topic, code, reasonText(code));
      throw thrown;
    } finally {
      this.#underWay = undefined;
    }
  }

  #away(): NoticesProblem | undefined {
    const { broker, reason = '', remedy = '', sinceMs } = this.#connection.status;
    if (this.connected || sinceMs === undefined || reason === '') return undefined;
    if (this.#options.clock.now() - sinceMs < SOON_BACK_MS) return undefined;
    const why = reason.replace(/\.$/, '');
    const problem = `No notices are published: their connection to ${broker} is away. ${why}.`;
    return { problem, remedy: sentenceOf(remedy === '' ? 'look whether the broker lets a second client in' : remedy) };
  }

  #notRetained(): NoticesProblem | undefined {
    if (!this.connected || this.#limits.retains) return undefined;
    const problem = 'The broker keeps no retained messages: notices reach only who listens at that moment.';
    return { problem, remedy: sentenceOf(publishRemedy('', RETAIN_NOT_SUPPORTED)) };
  }

  async #connected(client: MqttClient): Promise<void> {
    this.#client = client;
    this.#will.accepted();
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
