import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';

import { Backoff } from '../core/backoff.ts';
import { sleep, withDeadline, type Clock } from '../core/clock.ts';
import { coerceError } from '../core/errors.ts';
import { RepeatedError, type LogFields, type Logger } from '../core/logger.ts';
import { ProtocolChoice, type ProtocolVersion } from './protocol-version.ts';
import { isVersionRefusal, reasonCodeOf, reasonText, refusalOf } from './reason-codes.ts';
import { readTlsFiles, type TlsMaterial, type TlsOptions } from './tls-files.ts';
import { isTlsUrl, remedyOf } from './tls-remedies.ts';

export interface ConnectionOptions {
  readonly url: string;
  readonly clientId: string;
  /** Empty: none is sent. */
  readonly username: string;
  readonly password: string;
  readonly protocolVersion: ProtocolVersion;
  readonly keepaliveSeconds: number;
  readonly tls: TlsOptions;
  readonly log: Logger;
  readonly clock: Clock;
}

/** What the two users of a connection do differently. */
export interface ConnectionRole {
  /** Awaited before each attempt; must not throw. */
  connecting?(): Promise<void>;
  clientOptions(version: ProtocolVersion): IClientOptions;
  /** The client has not connected yet: the time to put listeners and overrides in place. */
  prepare(client: MqttClient): void;
  connected(client: MqttClient, sessionPresent: boolean): void;
  /** Also after an attempt that failed. */
  closed(): void;
}

/** How an attempt, or the connection that came of it, ended. */
interface Outcome {
  readonly version: ProtocolVersion;
  connectedAtMs: number | undefined;
  reasonCode: number | undefined;
  error: Error | undefined;
}

const BACKOFF = { initialDelayMs: 1000, factor: 2, maxDelayMs: 30_000, jitter: 0.2 };
const SLOW_BACKOFF = { initialDelayMs: 30_000, factor: 2, maxDelayMs: 300_000, jitter: 0.2 };
/** A connection that lived shorter does not shorten the delays again. */
const STABLE_AFTER_MS = 10_000;
const CONNECT_TIMEOUT_MS = 15_000;
const STOP_DEADLINE_MS = 2000;
/** Reason 0 and no properties, the same in MQTT 3.1.1 and 5: the session lives on, for as long as CONNECT said. */
const DISCONNECT = Buffer.from([0xe0, 0]);

/**
 * A connection to the broker, made again and again until it is stopped.
 *
 * Each attempt has an mqtt.js client of its own, which never reconnects by itself: no queue, packet identifier or callback of one connection
 * reaches into the next, and the delays are ours.
 */
export class MqttConnection {
  readonly #options: ConnectionOptions;
  readonly #role: ConnectionRole;
  readonly #protocol: ProtocolChoice;
  readonly #backoff: Backoff;
  readonly #slowBackoff: Backoff;
  readonly #unreachable: RepeatedError;
  readonly #refused: RepeatedError;
  readonly #lost: RepeatedError;
  readonly #unreadable: RepeatedError;
  readonly #broker: string;
  readonly #abort = new AbortController();
  #client: MqttClient | undefined;
  #isConnected = false;
  #hasConnected = false;
  #version: ProtocolVersion;
  #running: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: ConnectionOptions, role: ConnectionRole) {
    const { clock, log, protocolVersion, url } = options;
    this.#options = options;
    this.#role = role;
    this.#protocol = new ProtocolChoice(protocolVersion);
    this.#version = protocolVersion;
    this.#backoff = new Backoff(BACKOFF, clock);
    this.#slowBackoff = new Backoff(SLOW_BACKOFF, clock);
    this.#unreachable = new RepeatedError(log, clock, 'broker not reachable', 'warn');
    this.#refused = new RepeatedError(log, clock, 'broker refuses the connection');
    this.#lost = new RepeatedError(log, clock, 'connection to the broker lost', 'warn');
    this.#unreadable = new RepeatedError(log, clock, 'tls files can not be read again, using those of before', 'warn');
    this.#broker = brokerOf(url);
  }

  get connected(): boolean {
    return this.#isConnected;
  }

  /** Of the present connection, or else of the last or the first to come. */
  get protocolVersion(): ProtocolVersion {
    return this.#version;
  }

  /** Resolves when the attempts have begun, not when one succeeds. Throws a ConfigError about the TLS files. */
  async start(): Promise<void> {
    const tls = await readTlsFiles(this.#options.tls);
    if (isTlsUrl(this.#options.url) && !tls.rejectUnauthorized) {
      const remedy = 'name its CA in mqtt.tls.ca and set mqtt.tls.rejectUnauthorized to true';
      this.#options.log.warn('the certificate of the broker is not checked', { broker: this.#broker, remedy });
    }
    if (!this.#abort.signal.aborted) this.#running ??= this.#run(tls, this.#abort.signal);
  }

  /** Ends the connection, with a DISCONNECT or, so that the broker publishes the Last Will, without; takes 2 s at most. */
  stop(how: 'disconnect' | 'drop' = 'disconnect'): Promise<void> {
    this.#stopping ??= this.#stop(how);
    return this.#stopping;
  }

  async #stop(how: 'disconnect' | 'drop'): Promise<void> {
    this.#abort.abort();
    const client = this.#client;
    if (this.#isConnected) this.#options.log.info('disconnecting from the broker', { broker: this.#broker });
    if (client !== undefined && this.#isConnected && how === 'disconnect') {
      client.stream.write(DISCONNECT);
      client.stream.end();
    } else {
      client?.stream.destroy();
    }
    const ended = this.#running ?? Promise.resolve();
    try {
      await withDeadline(this.#options.clock, STOP_DEADLINE_MS, 'disconnecting', ended);
    } catch {
      client?.stream.destroy();
      await ended;
    }
  }

  async #run(tls: TlsMaterial, signal: AbortSignal): Promise<void> {
    for (let material = tls; !signal.aborted; material = await this.#renewed(material)) {
      await this.#role.connecting?.();
      if (signal.aborted) return;
      const outcome = await this.#attempt(material);
      if (signal.aborted) return;
      await sleep(this.#options.clock, this.#delayAfter(outcome), signal);
    }
  }

  /** Certificates are renewed while the bridge runs. Files that are just being replaced may not fit each other. */
  async #renewed(last: TlsMaterial): Promise<TlsMaterial> {
    const { tls } = this.#options;
    if (tls.ca === '' && tls.cert === '') return last;
    try {
      const material = await readTlsFiles(tls);
      this.#unreadable.over();
      return material;
    } catch (error) {
      this.#unreadable.report({ error });
      return last;
    }
  }

  #attempt(tls: TlsMaterial): Promise<Outcome> {
    const version = this.#protocol.next;
    const outcome: Outcome = { version, connectedAtMs: undefined, reasonCode: undefined, error: undefined };
    return new Promise((resolve) => {
      const ended = (): void => {
        this.#isConnected = false;
        this.#client = undefined;
        this.#role.closed();
        resolve(outcome);
      };
      try {
        this.#connect(outcome, tls, ended);
      } catch (error) {
        outcome.error = coerceError(error); // an option that tls or net can not take
        ended();
      }
    });
  }

  #connect(outcome: Outcome, tls: TlsMaterial, ended: () => void): void {
    const client = mqtt.connect(this.#options.url, this.#clientOptions(outcome.version, tls));
    this.#client = client;
    client.on('connect', ({ sessionPresent }) => {
      outcome.connectedAtMs = this.#options.clock.monotonic();
      this.#connected(client, outcome.version, sessionPresent);
    });
    client.on('disconnect', ({ reasonCode }) => {
      outcome.reasonCode = reasonCode;
      outcome.error = new Error(`ended by the broker: ${reasonText(reasonCode ?? 0)}`);
    });
    client.on('error', (error) => {
      outcome.error ??= error;
      outcome.reasonCode ??= reasonCodeOf(error);
      client.stream.destroy(); // after a malformed packet mqtt.js would wait for ever
    });
    client.once('close', () => {
      ended();
      client.end(true); // calls back whoever waits for an answer
    });
    this.#role.prepare(client);
    client.connect();
  }

  #clientOptions(version: ProtocolVersion, tls: TlsMaterial): IClientOptions {
    const { clientId, keepaliveSeconds, password, username } = this.#options;
    return {
      clientId,
      ...(username === '' ? {} : { username }),
      ...(password === '' ? {} : { password }),
      keepalive: keepaliveSeconds,
      protocolVersion: version,
      connectTimeout: CONNECT_TIMEOUT_MS,
      manualConnect: true,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      ...tls,
      ...this.#role.clientOptions(version),
    };
  }

  #connected(client: MqttClient, version: ProtocolVersion, sessionPresent: boolean): void {
    const { clientId, log } = this.#options;
    if (this.#protocol.accepted(version)) this.#warnOfFallback();
    this.#version = version;
    this.#isConnected = true;
    this.#hasConnected = true;
    this.#unreachable.over();
    this.#refused.over();
    this.#slowBackoff.reset();
    log.info('connected to the broker', { broker: this.#broker, clientId, protocolVersion: version, sessionPresent });
    this.#role.connected(client, sessionPresent);
  }

  /** Logs what happened and decides how long to wait. */
  #delayAfter(outcome: Outcome): number {
    const { connectedAtMs, error, reasonCode, version } = outcome;
    const fields: LogFields = { broker: this.#broker, error: error ?? 'closed by the broker' };
    const { isSlow, remedy } = refusalOf(reasonCode);
    if (connectedAtMs !== undefined) {
      if (this.#options.clock.monotonic() - connectedAtMs >= STABLE_AFTER_MS) {
        this.#backoff.reset();
        this.#lost.over();
      }
      this.#lost.report(remedy === '' ? fields : { ...fields, remedy });
    } else if (isVersionRefusal(reasonCode) && this.#protocol.refused(version)) {
      this.#warnOfFallback();
      return 0;
    } else if (reasonCode !== undefined) {
      this.#refused.report({ ...fields, reasonCode, ...(remedy === '' ? {} : { remedy }) });
    } else {
      if (isSilence(error)) this.#protocol.unanswered();
      const why = remedyOf(error, this.#options.url, isSilence(error) && !this.#hasConnected);
      this.#unreachable.report(why === undefined ? fields : { ...fields, remedy: why });
    }
    return isSlow ? this.#slowBackoff.next() : this.#backoff.next();
  }

  #warnOfFallback(): void {
    this.#version = 4;
    this.#options.log.warn('broker does not take mqtt 5, using 3.1.1', { broker: this.#broker });
  }
}

function isSilence(error: Error | undefined): boolean {
  return error === undefined || ('code' in error && error.code === 'ECONNRESET');
}

/** The address without user name and password. */
export function brokerOf(url: string): string {
  const { host, protocol } = new URL(url);
  return `${protocol}//${host}`;
}
