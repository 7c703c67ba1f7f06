import type { IClientOptions, MqttClient } from 'mqtt';

import { withDeadline, type CancelTimer } from '../core/clock.ts';
import { coerceError } from '../core/errors.ts';
import { RepeatedError } from '../core/logger.ts';
import type { ConnectionOptions } from './connection/connection-options.ts';
import { MqttConnection } from './connection/connection.ts';
import { reasonCodeOf } from './connection/reason-codes.ts';
import { publishRemedy } from './connection/remedies.ts';
import { publish, subscribe } from './connection/requests.ts';

export interface SparkplugHostOptions extends ConnectionOptions {
  /** `spBv1.0/STATE/<host id>`: where edge nodes see whether this host is there. */
  readonly stateTopic: string;
  /** Whether what an edge node publishes now is received, and stored durably. Asked again and again. */
  readonly isReady: () => boolean;
}

type State = 'online' | 'offline';

const LOOK_EVERY_MS = 500;
const OFFLINE_DEADLINE_MS = 2000;
/** So long nothing is said on a new connection while the host is not ready: the intake connects at the same time. */
const SILENT_MS = 2000;

/**
 * The connection as which the bridge is a host application of Sparkplug: it says whether the host is there, and asks
 * edge nodes for births. Data come on the intake's connection, whose session outlives it; this one has none, and its
 * own client id, so that its Last Will comes when the process ends.
 *
 *                     isReady                 not isReady
 *     connected ───────────────▶ online ─────────────────────▶ offline
 *         ▲                                                       │ isReady
 *         └───────────────── another connection ◀─────────────────┘
 *
 * The will of a connection was given its time when it began, and edge nodes pay no heed to one that is older than the
 * last birth. So each birth has the time of its connection's will, and who is online again has connected again.
 */
export class SparkplugHost {
  readonly #options: SparkplugHostOptions;
  readonly #connection: MqttConnection;
  readonly #failure: RepeatedError;
  #client: MqttClient | undefined;
  /** Of the present connection's will and birth, epoch milliseconds. */
  #timestamp = 0;
  #silentUntilMs = 0;
  /** What was said last on the present connection. */
  #said: State | undefined;
  /** What is being published. */
  #saying: State | undefined;
  /** Meanwhile a death was heard, which may have come behind it. */
  #isContradicted = false;
  #isPaused = false;
  #cancelLook: CancelTimer | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: SparkplugHostOptions) {
    this.#options = { ...options, clientId: `${options.clientId}-sparkplug` };
    this.#failure = new RepeatedError(options.log, options.clock, 'broker does not take the state of the host', 'warn');
    this.#connection = new MqttConnection(this.#options, {
      isIntake: false,
      clientOptions: () => this.#clientOptions(),
      prepare: (client) =>
        void client.on('message', (topic, payload, { retain }) => this.#heard(topic, payload, retain)),
      connected: (client) => void this.#connected(client),
      closed: () => {
        this.#client = undefined;
        this.#said = undefined;
      },
    });
  }

  /** Resolves when the attempts to connect have begun. Throws a ConfigError about the TLS files. */
  async start(): Promise<void> {
    await this.#connection.start();
    this.#look();
  }

  /** Says offline, and stays it: what is published from now on is not received. `stop` follows. */
  pause(): void {
    this.#isPaused = true;
    void this.#say();
  }

  /** Says offline, then ends the connection; takes 4 s at most. Where that fails, the Last Will says it. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /**
   * Publishes a command at QoS 0. Rejects while it is not online: the birth is to be the first thing that a host
   * publishes [Sparkplug 3.0, host-topic-phid-birth-message], and what a command asks for would not be stored.
   */
  send(topic: string, payload: Buffer): Promise<void> {
    const client = this.#client;
    if (client === undefined) return Promise.reject(new Error('not connected to the broker'));
    if (this.#said !== 'online') return Promise.reject(new Error('the host application is not online'));
    return publish(client, topic, payload, { qos: 0, retain: false });
  }

  async #stop(): Promise<void> {
    this.#cancelLook?.();
    this.#isPaused = true;
    const client = this.#client;
    if (client === undefined || this.#said === 'offline') return this.#connection.stop();
    // It hears what it says itself, and need not answer.
    this.#said = 'offline';
    try {
      await withDeadline(
        this.#options.clock,
        OFFLINE_DEADLINE_MS,
        'publishing offline',
        this.#publish(client, 'offline'),
      );
    } catch {
      return this.#connection.stop('drop');
    }
    return this.#connection.stop();
  }

  #clientOptions(): IClientOptions {
    // A clock that was set back must not make this host older than it was.
    this.#timestamp = Math.max(this.#timestamp, Math.floor(this.#options.clock.now()));
    const payload = Buffer.from(stateText('offline', this.#timestamp));
    return { clean: true, will: { topic: this.#options.stateTopic, payload, qos: 1, retain: true } };
  }

  async #connected(client: MqttClient): Promise<void> {
    const { log, stateTopic } = this.#options;
    try {
      await subscribe(client, [{ topic: stateTopic, qos: 1 }], 'always');
    } catch (error) {
      log.debug('subscribing was cut short', { topic: stateTopic, error: coerceError(error) });
    }
    if (!client.connected) return;
    this.#client = client;
    this.#silentUntilMs = this.#options.clock.monotonic() + SILENT_MS;
    await this.#say();
  }

  #look(): void {
    if (this.#stopping !== undefined) return;
    this.#cancelLook = this.#options.clock.setTimer(LOOK_EVERY_MS, () => {
      void this.#say();
      this.#look();
    });
  }

  /** Says what is the case, where it is not what was said last. */
  async #say(): Promise<void> {
    const client = this.#client;
    const state: State = !this.#isPaused && this.#options.isReady() ? 'online' : 'offline';
    if (client === undefined || this.#saying !== undefined || state === this.#said) return;
    // Who has said offline must connect again to be online, which is not worth it for a moment.
    if (state === 'offline' && this.#said === undefined && this.#options.clock.monotonic() < this.#silentUntilMs)
      return;
    if (state === 'online' && this.#said === 'offline') {
      this.#connection.renew();
      return;
    }
    this.#saying = state;
    this.#isContradicted = false;
    try {
      await this.#publish(client, state);
      if (this.#client === client && !this.#isContradicted) this.#said = state;
      this.#failure.over();
    } catch (thrown) {
      const error = coerceError(thrown);
      const topic = this.#options.stateTopic;
      const remedy = publishRemedy(topic, reasonCodeOf(error));
      if (this.#client === client) this.#failure.report({ topic, error, ...(remedy === '' ? {} : { remedy }) });
    } finally {
      this.#saying = undefined;
    }
    if (this.#isContradicted) void this.#say();
  }

  async #publish(client: MqttClient, state: State): Promise<void> {
    const { clock, log, stateTopic } = this.#options;
    // A death that is told on purpose is of now; the will of this connection, should it come, is older.
    const timestamp = state === 'online' ? this.#timestamp : Math.max(this.#timestamp, Math.floor(clock.now()));
    await publish(client, stateTopic, stateText(state, timestamp), { qos: 1, retain: true });
    log.info('host application says that it is there or not', { topic: stateTopic, state });
  }

  /**
   * The will of an earlier connection may come after the birth of this one, and stays with the broker. One that is
   * heard before the birth is acknowledged may have come after it, too, unless the broker had it before we subscribed.
   */
  #heard(topic: string, payload: Buffer, retain: boolean): void {
    if (topic !== this.#options.stateTopic || !isOffline(payload)) return;
    if (this.#saying === 'online' && !retain) this.#isContradicted = true;
    if (this.#said !== 'online') return;
    this.#said = undefined;
    void this.#say();
  }
}

function stateText(state: State, timestamp: number): string {
  return JSON.stringify({ online: state === 'online', timestamp });
}

function isOffline(payload: Buffer): boolean {
  try {
    const state: unknown = JSON.parse(payload.toString());
    return typeof state === 'object' && state !== null && 'online' in state && state.online === false;
  } catch {
    return payload.toString() === 'OFFLINE';
  }
}
