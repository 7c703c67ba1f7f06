import type { MqttClient } from 'mqtt';

import type { BackoffOptions } from '../../core/backoff.ts';
import { brokerOf, brokerUrls, isTlsUrl } from '../../core/broker-url.ts';
import { sleep, withDeadline, type CancelTimer } from '../../core/clock.ts';
import { RepeatedError } from '../../core/logger.ts';
import { attempt, baseOptions, CONNECT_TIMEOUT_MS, type Outcome } from './attempt.ts';
import { BrokerRotation, type Ending } from './broker-rotation.ts';
import type { ConnectionOptions, ConnectionRole, ConnectionStatus } from './connection-options.ts';
import { ConnectionTrouble } from './connection-trouble.ts';
import { isSilence, ProtocolChoice, type ProtocolVersion } from './protocol-version.ts';
import { isVersionRefusal } from './reason-codes.ts';
import { refusalOf } from './remedies.ts';
import { readTlsFiles, type TlsMaterial } from './tls-files.ts';

/**
 * A broker that is back waits for nobody: what comes for a session that it does not know any more, or for which it
 * keeps few messages, is lost. So the intake waits 3 s at most, chance included.
 */
const INTAKE_BACKOFF: BackoffOptions = { initialDelayMs: 1000, factor: 2, maxDelayMs: 2500, jitter: 0.2 };
const PATIENT_BACKOFF: BackoffOptions = { initialDelayMs: 1000, factor: 2, maxDelayMs: 30_000, jitter: 0.2 };
/** A connection that lived shorter does not shorten the delays again. */
const STABLE_AFTER_MS = 10_000;
/**
 * How long CONNACK may take: at first, after one attempt without an answer, after more of them. A busy broker may need
 * the longer ones.
 */
const CONNACK_WAITS_MS = [5000, 10_000, CONNECT_TIMEOUT_MS];
const STOP_DEADLINE_MS = 2000;
/** Reason 0 and no properties, the same in MQTT 3.1.1 and 5: the session lives on, for as long as CONNECT said. */
const DISCONNECT = Buffer.from([0xe0, 0]);

/**
 * A connection to the broker, made again and again until it is stopped.
 *
 * Each attempt has an mqtt.js client of its own, which never reconnects by itself: no queue, packet identifier or
 * callback of one connection reaches into the next, and the delays are ours.
 */
export class MqttConnection {
  readonly #options: ConnectionOptions;
  readonly #role: ConnectionRole;
  readonly #trouble: ConnectionTrouble;
  readonly #unreadable: RepeatedError;
  readonly #abort = new AbortController();
  #protocol: ProtocolChoice;
  #rotation: BrokerRotation;
  #client: MqttClient | undefined;
  #isConnected = false;
  /** The connection is ended by `renew`; cancels the timer that cuts it where the broker does not let go. */
  #renewal: CancelTimer | undefined;
  #unansweredConnects = 0;
  #version: ProtocolVersion;
  #url: string;
  #running: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: ConnectionOptions, role: ConnectionRole) {
    const { clock, log, protocolVersion } = options;
    this.#options = options;
    this.#role = role;
    this.#protocol = new ProtocolChoice(protocolVersion);
    this.#version = protocolVersion;
    this.#rotation = this.#newRotation(undefined);
    this.#url = this.#rotation.url;
    this.#trouble = new ConnectionTrouble(log, clock);
    this.#unreadable = new RepeatedError(log, clock, 'tls files can not be read again, using those of before', 'warn');
  }

  get status(): ConnectionStatus {
    const trouble = this.#isConnected ? {} : this.#trouble.present;
    const url = this.#url;
    return {
      connected: this.#isConnected,
      protocolVersion: this.#version,
      url,
      broker: brokerOf(url),
      ...trouble,
    };
  }

  /** Resolves when the attempts have begun, not when one succeeds. Throws a ConfigError about the TLS files. */
  async start(): Promise<void> {
    const tls = await readTlsFiles(this.#options.tls);
    for (const url of brokerUrls(this.#options.url)) {
      if (!isTlsUrl(url) || tls.rejectUnauthorized) continue;
      const remedy = 'name its CA in mqtt.tls.ca and set mqtt.tls.rejectUnauthorized to true';
      this.#options.log.warn('the certificate of the broker is not checked', { broker: brokerOf(url), remedy });
    }
    await this.#options.brokerMemory?.load();
    if (!this.#abort.signal.aborted) this.#running ??= this.#run(tls, this.#abort.signal);
  }

  /**
   * Ends the connection, with a DISCONNECT or, so that the broker publishes the Last Will, without; takes 2 s at most.
   */
  stop(how: 'disconnect' | 'drop' = 'disconnect'): Promise<void> {
    this.#stopping ??= this.#stop(how);
    return this.#stopping;
  }

  /** Ends the connection and makes the next one at once, from then on with `version` where that is given. */
  renew(version?: ProtocolVersion): void {
    if (version !== undefined) this.#protocol.use(version);
    const client = this.#client;
    if (client === undefined || !this.#isConnected || this.#renewal !== undefined) return;
    this.#disconnect(client);
    this.#renewal = this.#options.clock.setTimer(STOP_DEADLINE_MS, () => void client.stream.destroy());
  }

  #disconnect(client: MqttClient): void {
    client.stream.write(DISCONNECT);
    client.stream.end();
  }

  async #stop(how: 'disconnect' | 'drop'): Promise<void> {
    this.#abort.abort();
    const client = this.#client;
    if (this.#isConnected) this.#options.log.info('disconnecting from the broker', { broker: brokerOf(this.#url) });
    if (client !== undefined && this.#isConnected && how === 'disconnect') this.#disconnect(client);
    else client?.stream.destroy();
    const ended = this.#running ?? Promise.resolve();
    try {
      await withDeadline(this.#options.clock, STOP_DEADLINE_MS, 'disconnecting', ended);
    } catch {
      client?.stream.destroy();
      await ended;
    }
  }

  async #run(tls: TlsMaterial, signal: AbortSignal): Promise<void> {
    this.#begin();
    for (let material = tls; !signal.aborted; material = await this.#renewed(material)) {
      await this.#role.connecting?.();
      if (signal.aborted) return;
      const version = this.#protocol.next;
      const outcome = await this.#attempt(version, material);
      if (signal.aborted) return;
      const delayMs = this.#delayAfter(outcome, version);
      if (delayMs > 0) await sleep(this.#options.clock, delayMs, signal);
    }
  }

  /** Goes on from what earlier processes found out. */
  #begin(): void {
    const known = this.#options.brokerMemory?.known;
    if (known === undefined) return;
    const { broker, measure, version } = known;
    this.#protocol = new ProtocolChoice(this.#options.protocolVersion, version);
    if (this.#role.isIntake && measure === 'mqtt311') this.#protocol.use(4);
    this.#version = this.#protocol.next;
    this.#rotation = this.#newRotation(broker);
    this.#url = this.#rotation.url;
  }

  #newRotation(lastBroker: string | undefined): BrokerRotation {
    const urls = brokerUrls(this.#options.url);
    const first = urls.find((url) => brokerOf(url) === lastBroker);
    const backoff = this.#role.isIntake ? INTAKE_BACKOFF : PATIENT_BACKOFF;
    return new BrokerRotation(urls, first, backoff, this.#options.clock);
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

  #attempt(version: ProtocolVersion, tls: TlsMaterial): Promise<Outcome> {
    const { url } = this.#rotation;
    return attempt({
      url,
      options: { ...baseOptions(this.#options, version, tls), ...this.#role.clientOptions(version) },
      connackWaitMs: CONNACK_WAITS_MS[Math.min(this.#unansweredConnects, CONNACK_WAITS_MS.length - 1)]!,
      clock: this.#options.clock,
      prepare: (client) => {
        this.#client = client;
        this.#role.prepare(client);
      },
      connected: (client, { sessionPresent }) => this.#connected(client, url, version, sessionPresent),
      closed: () => {
        this.#isConnected = false;
        this.#client = undefined;
        this.#renewal?.();
        this.#role.closed();
      },
    });
  }

  #connected(client: MqttClient, url: string, version: ProtocolVersion, sessionPresent: boolean): void {
    const { brokerMemory, clientId, log } = this.#options;
    const broker = brokerOf(url);
    this.#url = url;
    if (this.#protocol.accepted(version)) this.#tellVersion(version);
    this.#version = version;
    this.#isConnected = true;
    this.#unansweredConnects = 0;
    this.#rotation.succeeded();
    this.#trouble.connected();
    void brokerMemory?.note({
      ...(this.#role.isIntake ? { broker } : {}),
      ...(this.#protocol.isForced ? {} : { version }),
    });
    log.info('connected to the broker', { broker, clientId, protocolVersion: version, sessionPresent });
    this.#role.connected(client, sessionPresent);
  }

  /** Decides how long to wait, and with whom to go on. */
  #delayAfter(outcome: Outcome, version: ProtocolVersion): number {
    const { url } = this.#rotation;
    const { error, reasonCode } = outcome;
    if (this.#renewal !== undefined) {
      this.#renewal = undefined;
      return 0;
    }
    if (outcome.connectedAtMs === undefined && isVersionRefusal(reasonCode) && this.#protocol.refused(version)) {
      this.#url = url;
      this.#tellVersion(this.#protocol.next);
      return 0;
    }
    const isUnanswered = outcome.connectedAtMs === undefined && reasonCode === undefined && isSilence(error);
    if (isUnanswered) {
      this.#protocol.unanswered();
      this.#unansweredConnects += 1;
    }
    const ending = this.#endingOf(outcome);
    this.#trouble.ended(url, outcome, ending);
    return this.#rotation.ended(ending);
  }

  #endingOf({ connectedAtMs, reasonCode }: Outcome): Ending {
    const { isSlow } = refusalOf(reasonCode);
    if (connectedAtMs === undefined) return isSlow ? 'refused' : 'failed';
    if (isSlow) return 'unwanted';
    return this.#options.clock.monotonic() - connectedAtMs >= STABLE_AFTER_MS ? 'lost' : 'lostSoon';
  }

  #tellVersion(version: ProtocolVersion): void {
    this.#version = version;
    const [refused, used] = version === 4 ? ['5', '3.1.1'] : ['3.1.1', '5'];
    this.#options.log.warn(`broker does not take mqtt ${refused}, using ${used}`, { broker: brokerOf(this.#url) });
  }
}
