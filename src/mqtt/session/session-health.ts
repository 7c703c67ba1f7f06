import type { MqttClient } from 'mqtt';

import type { Clock } from '../../core/clock.ts';
import type { LogFields, Logger } from '../../core/logger.ts';
import type { Delivery } from '../../core/message.ts';
import type { BrokerMemory, Measure } from '../connection/broker-memory.ts';
import type { ProtocolVersion } from '../connection/protocol-version.ts';
import { StarvationWatch, type StarvationTiming } from './starvation.ts';

export interface SessionHealthOptions {
  readonly probeTopic: string | undefined;
  readonly timing: StarvationTiming | undefined;
  /** The configured one. */
  readonly receiveMaximum: number;
  readonly brokerMemory: BrokerMemory;
  readonly clock: Clock;
  readonly log: Logger;
  readonly subscribeProbe: (client: MqttClient) => Promise<boolean>;
  readonly isIdle: () => boolean;
  readonly protocolVersion: () => ProtocolVersion;
  readonly renew: (version?: ProtocolVersion) => void;
}

export interface SessionHealthStatus {
  /** Sessions that the broker had kept for us, and has no more; over all starts. */
  readonly sessionsLost: number;
  /** Times that a session got nothing any more although the broker took what it published; over all starts. */
  readonly sessionsStarved: number;
  /** Wall clock, for a day, and not over a restart. */
  readonly sessionLostAtMs?: number;
  readonly sessionStarvedAtMs?: number;
  /** What was done about it; `none`: nothing was left to do, and it gets nothing still. */
  readonly starvedMeasure?: Measure;
}

const SHOWN_MS = 86_400_000;
const MOST_UNACKNOWLEDGED = 65_535;

const LOST_MEANS =
  'what it had kept for this bridge while there was no connection is gone; what is published from now on is received';
const LOST_REMEDY =
  'let the broker keep sessions over its own restart (persistence), and as long as mqtt.sessionExpirySeconds says';
const STARVED_MEANS = 'the broker takes what this session publishes and gives it nothing any more';

/**
 * Says what became of the session at the broker, and sees to it that one that gets nothing any more gets something
 * again.
 */
export class SessionHealth {
  readonly #options: SessionHealthOptions;
  readonly #watch: StarvationWatch | undefined;
  #lostAtMs = Number.NEGATIVE_INFINITY;
  #starvedAtMs = Number.NEGATIVE_INFINITY;
  #measure: Measure = 'none';

  constructor(options: SessionHealthOptions) {
    this.#options = options;
    const { brokerMemory, clock, isIdle, log, probeTopic, subscribeProbe, timing } = options;
    if (probeTopic === undefined) return;
    this.#watch = new StarvationWatch({
      topic: probeTopic,
      clock,
      log,
      timing,
      subscribe: subscribeProbe,
      isIdle,
      returnsProbes: () => brokerMemory.known.returnsProbes,
      onReturn: () => void brokerMemory.note({ returnsProbes: true }),
      onStarved: () => this.#starved(),
      onFed: () => this.#fed(),
    });
  }

  get status(): SessionHealthStatus {
    const { brokerMemory, clock } = this.#options;
    const { sessionsLost, sessionsStarved } = brokerMemory.known;
    const isShown = (atMs: number): boolean => clock.now() - atMs < SHOWN_MS;
    const isStarving = this.#measure === 'none' && this.#starvedAtMs > 0;
    return {
      sessionsLost,
      sessionsStarved,
      ...(isShown(this.#lostAtMs) ? { sessionLostAtMs: this.#lostAtMs } : {}),
      ...(isShown(this.#starvedAtMs) || isStarving
        ? { sessionStarvedAtMs: this.#starvedAtMs, starvedMeasure: this.#measure }
        : {}),
    };
  }

  /** What the next CONNECT of MQTT 5 asks for. */
  get receiveMaximum(): number {
    return this.#options.brokerMemory.known.measure === 'none' ? this.#options.receiveMaximum : MOST_UNACKNOWLEDGED;
  }

  /** The broker has begun a new session. Resolves when it can't be forgotten that one was there before. */
  async began(): Promise<void> {
    const { brokerMemory, clock, log } = this.#options;
    const { hadSession, sessionsLost } = brokerMemory.known;
    if (!hadSession) return;
    this.#lostAtMs = clock.now();
    log.warn('the broker has lost the session', { meaning: LOST_MEANS, remedy: LOST_REMEDY });
    await brokerMemory.note({ sessionsLost: sessionsLost + 1 });
  }

  /** The broker has answered to the subscriptions; the session has some of them, or none. */
  connected(client: MqttClient, hasSome: boolean): void {
    if (hasSome) void this.#options.brokerMemory.note({ hadSession: true });
    this.#watch?.connected(client);
  }

  /** Also when there is no connection any more. */
  stop(): void {
    this.#watch?.stop();
  }

  /** To be asked about each delivery; true: it was a probe of ours, and is done with. */
  takes(delivery: Delivery): boolean {
    return this.#watch?.takes(delivery) === true;
  }

  /** Resolves with false when there is nothing to be done about it. */
  async #starved(): Promise<boolean> {
    const { brokerMemory, clock, log, protocolVersion, receiveMaximum, renew } = this.#options;
    const { measure: before, sessionsStarved } = brokerMemory.known;
    const version = protocolVersion();
    const measure = nextMeasure(before, version, receiveMaximum);
    this.#starvedAtMs = clock.now();
    this.#measure = measure;
    const fields: LogFields = { protocolVersion: version, receiveMaximum: this.receiveMaximum, meaning: STARVED_MEANS };
    await brokerMemory.note({
      sessionsStarved: sessionsStarved + 1,
      ...(measure === 'none' ? {} : { measure }),
    });
    if (measure === 'none') {
      const remedy = 'restart the broker, or let this client publish and read the topic, if it may no more';
      log.warn('the session is starved', { ...fields, topic: this.#options.probeTopic, remedy });
      return false;
    }
    const next = measure === 'mqtt311' ? 'MQTT 3.1.1' : `receive maximum ${MOST_UNACKNOWLEDGED}`;
    log.warn('the session is starved', { ...fields, next });
    renew(measure === 'mqtt311' ? 4 : undefined);
    return true;
  }

  #fed(): void {
    this.#starvedAtMs = Number.NEGATIVE_INFINITY;
    this.#options.log.info('the session gets messages again');
  }
}

/** What has not been tried yet. */
function nextMeasure(before: Measure, version: ProtocolVersion, receiveMaximum: number): Measure {
  if (version === 4) return 'none';
  return before === 'none' && receiveMaximum < MOST_UNACKNOWLEDGED ? 'receiveMaximum' : 'mqtt311';
}
