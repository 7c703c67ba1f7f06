import type { IClientOptions, MqttClient } from 'mqtt';

import { sessionName, type BrokerMemory } from './connection/broker-memory.ts';
import { kindNamed } from './brokers/broker-recognition.ts';
import { BrokerWord } from './session/broker-word.ts';
import type { ConnectionOptions, ConnectionStatus } from './connection/connection-options.ts';
import { MqttConnection } from './connection/connection.ts';
import { DeferredAcks, type Intake } from './acks/deferred-acks.ts';
import type { ProtocolVersion } from './connection/protocol-version.ts';
import type { SessionManners } from './redelivery/redelivery.ts';
import { SessionHealth, type SessionHealthStatus } from './session/session-health.ts';
import type { StarvationTiming } from './session/starvation.ts';
import type { Subscription, SubscriptionMemory } from './session/subscription-memory.ts';
import { SubscriptionTraffic } from './session/subscription-traffic.ts';
import { Subscriptions, type SubscriptionProblem } from './session/subscriptions.ts';

export interface SourceOptions extends ConnectionOptions {
  readonly brokerMemory: BrokerMemory;
  readonly sessionExpirySeconds: number;
  /**
   * How many messages may be unacknowledged; also kept by brokers that do not know it (3.1.1) or do not care. From 1 to
   * 65,535.
   */
  readonly receiveMaximum: number;
  readonly subscriptions: readonly Subscription[];
  readonly memory: SubscriptionMemory;
  /**
   * The broker has begun a new session with this connection: nothing that comes now was delivered before. Called before
   * the first delivery of it; nothing is subscribed to before it resolves, which is to be when a crash can't make it
   * forgotten.
   */
  readonly onNewSession: (connection: number) => Promise<void>;
  /**
   * The broker of the new session is one whose manners are known. Nothing is subscribed to before it resolves, which is
   * to be as above. Absent: it is not asked what it is.
   */
  readonly onManners?: (manners: SessionManners) => Promise<void>;
  /**
   * Where the session writes to itself to find out whether it still gets anything: see starvation.ts. Absent: it does
   * not.
   */
  readonly probeTopic?: string;
  /** Shorter times, for tests. */
  readonly starvationTiming?: StarvationTiming;
}

/** A subscription of the configuration, as the broker has it and with what it has brought. */
export interface SubscriptionStatus {
  readonly topic: string;
  /** As configured. */
  readonly qos: number;
  /** Undefined: the broker has not granted it, or has not answered yet. */
  readonly grantedQos?: number | undefined;
  /** Delivered since the start, repetitions too. */
  readonly messages: number;
  /** Wall clock; undefined before the first. */
  readonly lastMessageAtMs?: number | undefined;
}

export interface SourceStatus extends ConnectionStatus, SessionHealthStatus {
  /** Whether the broker had kept our session at the last connect; undefined before the first. */
  readonly sessionPresent: boolean | undefined;
  readonly connects: number;
  readonly unacknowledged: number;
  readonly subscriptionProblems: readonly SubscriptionProblem[];
  readonly subscriptions: readonly SubscriptionStatus[];
}

/**
 * mqtt.js gathers a packet in memory before it can be looked at, so one of 256 MB, which MQTT allows, could end the
 * process. A broker throws away what is larger, hence the generous limit: PLC messages have kilobytes.
 */
const MAXIMUM_PACKET_BYTES = 16 * 1024 * 1024;

/**
 * Receives messages from the broker in a session that outlives connections and processes: what is not acknowledged
 * comes again.
 *
 * Topic aliases are not asked for: mqtt.js does not resolve them before it hands over a packet.
 */
export class MqttSource {
  readonly #options: SourceOptions;
  readonly #acks: DeferredAcks;
  readonly #subscriptions: Subscriptions;
  readonly #connection: MqttConnection;
  readonly #health: SessionHealth;
  /** Connected. */
  #client: MqttClient | undefined;
  /** The session was brought into line on the present connection. */
  #isAligned = false;
  #connects = 0;
  #sessionPresent: boolean | undefined;
  #sessionNoted: Promise<void> = Promise.resolve();
  #wanted: readonly Subscription[];
  readonly #traffic = new SubscriptionTraffic();
  readonly #word: BrokerWord;

  /** `intake` gets each delivery, in the order of arrival; each is to be acknowledged once it is safe. */
  constructor(options: SourceOptions, intake: Intake) {
    const { brokerMemory, clientId, clock, log, memory, probeTopic, receiveMaximum, subscriptions, url } = options;
    this.#options = options;
    this.#wanted = subscriptions;
    this.#traffic.want(subscriptions.map(({ topic }) => topic));
    this.#word = new BrokerWord(clock);
    this.#acks = new DeferredAcks({
      maxUnacknowledged: receiveMaximum,
      clock,
      intake: {
        receive: (delivery) => {
          if (this.#health.takes(delivery)) return;
          if (this.#word.takes(delivery, this.#wanted)) {
            delivery.acknowledge();
            return;
          }
          this.#traffic.note(delivery.topic, delivery.receivedAtMs);
          intake.receive(delivery);
        },
        release: (release) => intake.release(release),
        written: (ordinal) => intake.written(ordinal),
        proven: (mark) => intake.proven(mark),
      },
    });
    const session = sessionName(clientId, url);
    const probe = probeTopic === undefined ? undefined : ({ topic: probeTopic, qos: 1 } as const);
    this.#subscriptions = new Subscriptions(subscriptions, session, memory, log, probe);
    this.#health = new SessionHealth({
      probeTopic,
      timing: options.starvationTiming,
      receiveMaximum,
      brokerMemory,
      clock,
      log,
      subscribeProbe: (client) => this.#subscriptions.alignOwn(client),
      isIdle: () => this.#acks.unacknowledged === 0 && this.#acks.isTaking,
      protocolVersion: () => this.#connection.status.protocolVersion,
      renew: (version) => this.#connection.renew(version),
    });
    this.#connection = new MqttConnection(options, {
      isIntake: true,
      connecting: () => this.#subscriptions.connecting(),
      clientOptions: (version) => this.#clientOptions(version),
      prepare: (client) => this.#prepare(client),
      connected: (client, sessionPresent) => this.#connected(client, sessionPresent),
      closed: () => this.#closed(),
    });
  }

  /**
   * Resolves when the attempts to connect have begun: an absent broker is a state. Throws a ConfigError about the TLS
   * files.
   */
  async start(): Promise<void> {
    await this.#subscriptions.load();
    await this.#connection.start();
  }

  /**
   * Replaces the subscriptions: the session is brought into line at once where there is a connection, else on the next.
   */
  subscribe(subscriptions: readonly Subscription[]): void {
    this.#wanted = subscriptions;
    this.#traffic.want(subscriptions.map(({ topic }) => topic));
    this.#subscriptions.want(subscriptions);
    if (this.#client !== undefined) void this.#subscriptions.align(this.#client, true, this.#sessionNoted);
  }

  /** Takes no more messages; what is acknowledged from now on still reaches the broker. For good: `stop` follows. */
  pause(): void {
    this.#health.stop();
    this.#acks.pause();
  }

  /** Sends the acks that may go, leaves the session to the broker, and closes; takes 2 s at most. */
  async stop(): Promise<void> {
    this.#health.stop();
    this.#acks.finish();
    await this.#connection.stop();
    await this.#subscriptions.settled();
    await this.#options.brokerMemory.settled();
  }

  /** Whether what is published now on topics of this subscription's filter is delivered, be it later. */
  isSubscribed(topic: string): boolean {
    return this.#isAligned && this.#subscriptions.has(topic);
  }

  get status(): SourceStatus {
    return {
      ...this.#connection.status,
      ...this.#health.status,
      sessionPresent: this.#sessionPresent,
      connects: this.#connects,
      unacknowledged: this.#acks.unacknowledged,
      subscriptionProblems: this.#subscriptions.problems,
      subscriptions: this.#wanted.map((each) => this.#statusOf(each)),
    };
  }

  #statusOf({ qos, topic }: Subscription): SubscriptionStatus {
    const { lastAtMs, messages } = this.#traffic.of(topic);
    return { topic, qos, grantedQos: this.#subscriptions.grantedQos(topic), messages, lastMessageAtMs: lastAtMs };
  }

  #clientOptions(version: ProtocolVersion): IClientOptions {
    const common = { clean: false, incomingStore: this.#acks.incomingStore };
    if (version === 4) return common;
    return {
      ...common,
      properties: {
        sessionExpiryInterval: this.#options.sessionExpirySeconds,
        receiveMaximum: this.#health.receiveMaximum,
        maximumPacketSize: MAXIMUM_PACKET_BYTES,
      },
    };
  }

  #prepare(client: MqttClient): void {
    this.#acks.attach(client);
    // The first packet is CONNACK; 'connect' may come after the first messages.
    client.once('packetreceive', (packet) => {
      if (packet.cmd !== 'connack' || packet.sessionPresent || (packet.reasonCode ?? packet.returnCode ?? 0) !== 0)
        return;
      this.#sessionNoted = this.#noteNewSession();
      this.#sessionNoted.catch(() => {}); // whoever is about to subscribe meets it
    });
  }

  async #noteNewSession(): Promise<void> {
    await Promise.all([this.#health.began(), this.#options.onNewSession(this.#acks.connection)]);
  }

  #connected(client: MqttClient, sessionPresent: boolean): void {
    this.#client = client;
    this.#connects += 1;
    this.#sessionPresent = sessionPresent;
    const { onManners } = this.#options;
    if (!sessionPresent && onManners !== undefined) {
      this.#sessionNoted = this.#getToKnow(client, this.#sessionNoted, onManners);
      this.#sessionNoted.catch(() => {}); // whoever is about to subscribe meets it
    }
    void this.#align(client, sessionPresent);
  }

  /** A new session: what the broker is known for has to be durable before the first message. */
  async #getToKnow(
    client: MqttClient,
    sessionNoted: Promise<void>,
    onManners: (manners: SessionManners) => Promise<void>,
  ): Promise<void> {
    await sessionNoted;
    const manners = kindNamed(await this.#word.ask(client))?.manners;
    if (manners !== undefined) await onManners(manners);
  }

  async #align(client: MqttClient, sessionPresent: boolean): Promise<void> {
    const hasSome = await this.#subscriptions.align(client, sessionPresent, this.#sessionNoted);
    if (this.#client !== client) return;
    this.#isAligned = true;
    if (this.#acks.isTaking) this.#health.connected(client, hasSome);
  }

  #closed(): void {
    this.#client = undefined;
    this.#isAligned = false;
    this.#health.stop();
    this.#word.closed();
    this.#acks.detach();
  }
}
