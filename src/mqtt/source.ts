import type { IClientOptions, MqttClient } from 'mqtt';

import { brokerOf, MqttConnection, type ConnectionOptions } from './connection.ts';
import { DeferredAcks, type Intake } from './deferred-acks.ts';
import type { ProtocolVersion } from './protocol-version.ts';
import type { Subscription, SubscriptionMemory } from './subscription-memory.ts';
import { Subscriptions, type SubscriptionProblem } from './subscriptions.ts';

export interface SourceOptions extends ConnectionOptions {
  readonly sessionExpirySeconds: number;
  /** How many messages may be unacknowledged; also kept by brokers that do not know it (3.1.1) or do not care. From 1 to 65,535. */
  readonly receiveMaximum: number;
  readonly subscriptions: readonly Subscription[];
  readonly memory: SubscriptionMemory;
  /**
   * The broker has begun a new session with this connection: nothing that comes now was delivered before. Called before the first delivery
   * of it; nothing is subscribed to before it resolves, which is to be when a crash can't make it forgotten.
   */
  readonly onNewSession: (connection: number) => Promise<void>;
}

export interface SourceStatus {
  readonly connected: boolean;
  readonly protocolVersion: ProtocolVersion;
  /** Of the last connect: the broker had kept our session. Undefined before the first. */
  readonly sessionPresent: boolean | undefined;
  readonly connects: number;
  readonly unacknowledged: number;
  readonly subscriptionProblems: readonly SubscriptionProblem[];
}

/**
 * mqtt.js gathers a packet in memory before it can be looked at, so one of 256 MB, which MQTT allows, could end the process. A broker
 * throws away what is larger, hence the generous limit: PLC messages have kilobytes.
 */
const MAXIMUM_PACKET_BYTES = 16 * 1024 * 1024;

/**
 * Receives messages from the broker in a session that outlives connections and processes: what is not acknowledged comes again.
 *
 * Topic aliases are not asked for: mqtt.js does not resolve them before it hands over a packet.
 */
export class MqttSource {
  readonly #options: SourceOptions;
  readonly #acks: DeferredAcks;
  readonly #subscriptions: Subscriptions;
  readonly #connection: MqttConnection;
  /** Connected. */
  #client: MqttClient | undefined;
  #connects = 0;
  #sessionPresent: boolean | undefined;
  #sessionNoted: Promise<void> = Promise.resolve();

  /** `intake` gets each delivery, in the order of arrival; each is to be acknowledged once it is safe. */
  constructor(options: SourceOptions, intake: Intake) {
    const { clientId, clock, log, memory, receiveMaximum, subscriptions, url } = options;
    this.#options = options;
    this.#acks = new DeferredAcks({ maxUnacknowledged: receiveMaximum, clock, intake });
    this.#subscriptions = new Subscriptions(subscriptions, `${clientId}@${brokerOf(url)}`, memory, log);
    this.#connection = new MqttConnection(options, {
      connecting: () => this.#subscriptions.connecting(),
      clientOptions: (version) => this.#clientOptions(version),
      prepare: (client) => this.#prepare(client),
      connected: (client, sessionPresent) => this.#connected(client, sessionPresent),
      closed: () => this.#closed(),
    });
  }

  /** Resolves when the attempts to connect have begun: an absent broker is a state. Throws a ConfigError about the TLS files. */
  async start(): Promise<void> {
    await this.#subscriptions.load();
    await this.#connection.start();
  }

  /** Replaces the subscriptions: the session is brought into line at once where there is a connection, else on the next. */
  subscribe(subscriptions: readonly Subscription[]): void {
    this.#subscriptions.want(subscriptions);
    if (this.#client !== undefined) void this.#subscriptions.align(this.#client, true, this.#sessionNoted);
  }

  /** Takes no more messages; what is acknowledged from now on still reaches the broker. For good: `stop` follows. */
  pause(): void {
    this.#acks.pause();
  }

  /** Sends the acks that may go, leaves the session to the broker, and closes; takes 2 s at most. */
  async stop(): Promise<void> {
    this.#acks.finish();
    await this.#connection.stop();
    await this.#subscriptions.settled();
  }

  get status(): SourceStatus {
    return {
      connected: this.#connection.connected,
      protocolVersion: this.#connection.protocolVersion,
      sessionPresent: this.#sessionPresent,
      connects: this.#connects,
      unacknowledged: this.#acks.unacknowledged,
      subscriptionProblems: this.#subscriptions.problems,
    };
  }

  #clientOptions(version: ProtocolVersion): IClientOptions {
    const common = { clean: false, incomingStore: this.#acks.incomingStore };
    if (version === 4) return common;
    return {
      ...common,
      properties: {
        sessionExpiryInterval: this.#options.sessionExpirySeconds,
        receiveMaximum: this.#options.receiveMaximum,
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
      this.#sessionNoted = this.#options.onNewSession(this.#acks.connection);
      this.#sessionNoted.catch(() => {}); // whoever is about to subscribe meets it
    });
  }

  #connected(client: MqttClient, sessionPresent: boolean): void {
    this.#client = client;
    this.#connects += 1;
    this.#sessionPresent = sessionPresent;
    void this.#subscriptions.align(client, sessionPresent, this.#sessionNoted);
  }

  #closed(): void {
    this.#client = undefined;
    this.#acks.detach();
  }
}
