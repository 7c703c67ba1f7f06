import type { MqttClient } from 'mqtt';

import { sleep, type Clock } from '../../core/clock.ts';
import { coerceError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Delivery } from '../../core/message.ts';
import { publish } from '../connection/requests.ts';

export interface StarvationTiming {
  /** Without any message for so long, at most twice as long, a session that owes no acknowledgement is asked. */
  readonly silenceMs: number;
  /** What a probe, once acknowledged, may take to come back. */
  readonly answerMs: number;
}

export interface StarvationOptions {
  /** See `probeTopicOf`. */
  readonly topic: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly timing?: StarvationTiming | undefined;
  /** Has the session subscribed to the topic at QoS 1, if it is not; false when the broker does not grant that. */
  readonly subscribe: (client: MqttClient) => Promise<boolean>;
  /** The broker owes us messages rather than we an acknowledgement, and we take them. */
  readonly isIdle: () => boolean;
  /** A probe of this session came back once, in this process or an earlier one. */
  readonly returnsProbes: () => boolean;
  /** The first one came back. */
  readonly onReturn: () => void;
  /** The broker takes from us and gives us nothing. Returns false when nothing can be done about it. */
  readonly onStarved: () => Promise<boolean>;
  /** It gives again what it did not, without anything that we did. */
  readonly onFed: () => void;
}

const TIMING: StarvationTiming = { silenceMs: 30_000, answerMs: 10_000 };
/**
 * A probe that did not come back, acknowledged as it was, might have been on its way: so a second one has to share its
 * fate.
 */
const PROBES = 2;
/** A starved session that nothing helps is asked so much less often: the broker keeps every probe. */
const SELDOM = 20;
/** Some brokers end the connection of a client that touches a topic that it may not. */
const MOST_CUTS = 3;

/**
 * Where the probes of a client go. Each client has a topic of its own, in a form that has nothing of a filter and no
 * dot, which some brokers take for a slash.
 */
export function probeTopicOf(baseTopic: string, clientId: string): string {
  const name = encodeURIComponent(clientId).replaceAll(/[^\w%-]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return `${baseTopic}/probe/${name}`;
}

/**
 * Notices that the broker has stopped to deliver to our session.
 *
 * Some brokers (ActiveMQ Artemis 2.40 with MQTT 5 is one) count what was under way when a connection broke against
 * Receive Maximum for ever: after some breaks the session gets nothing any more, while connection, subscriptions and
 * keep-alive are as they should be. So when nothing has come for a while and we owe nothing, the session publishes a
 * message to itself. When the broker acknowledges it and does not bring it, nor anything else, and the same again, the
 * session is starved.
 *
 * That a probe stays away proves something only where probes do come back, which access rules may prevent without a
 * word. So the first one is sent when the session is made, and only after it has come back, once, is the absence of
 * another taken for evidence.
 *
 * Probes are known by their topic, those of earlier lives of the session too; a random mark tells ours from those.
 */
export class StarvationWatch {
  readonly #options: StarvationOptions;
  readonly #timing: StarvationTiming;
  readonly #place: string;
  readonly #mark: string;
  #ended = new AbortController();
  /** Deliveries of any kind: compared, never shown. */
  #received = 0;
  #isAwaitingAnswer = false;
  #cuts = 0;
  #isStarved = false;
  /** On this connection. */
  #isRefused = false;
  #hasToldWhyNot = false;

  constructor(options: StarvationOptions) {
    this.#options = options;
    this.#timing = options.timing ?? TIMING;
    this.#place = placeOf(options.topic);
    this.#mark = options.clock.random().toString(36).slice(2);
  }

  /** The session's own subscriptions are in line with the configuration. */
  connected(client: MqttClient): void {
    this.stop();
    this.#ended = new AbortController();
    this.#isRefused = false;
    void this.#watch(client, this.#ended.signal);
  }

  /** Also when there is no connection any more. */
  stop(): void {
    this.#ended.abort();
    if (this.#isAwaitingAnswer) this.#cuts += 1;
    this.#isAwaitingAnswer = false;
  }

  /** To be asked about each delivery: true for a probe, which is ours to acknowledge and nobody else's to see. */
  takes(delivery: Delivery): boolean {
    this.#received += 1;
    const { onReturn, returnsProbes, topic } = this.#options;
    // Most topics have another length: the comparison costs next to nothing.
    if (delivery.topic.length !== topic.length || placeOf(delivery.topic) !== this.#place) return false;
    if (!returnsProbes() && delivery.payload.toString() === this.#mark) onReturn();
    delivery.acknowledge();
    return true;
  }

  async #watch(client: MqttClient, signal: AbortSignal): Promise<void> {
    try {
      if (this.#cuts >= MOST_CUTS) {
        this.#tellWhyNot('the broker ends the connection');
        return;
      }
      if (!(await this.#answered(signal, this.#options.subscribe(client)))) {
        this.#tellWhyNot('the broker does not grant the subscription');
        return;
      }
      if (!(await this.#isReturned(client, signal))) return;
      while (!signal.aborted && !this.#isRefused) await this.#guard(client, signal);
    } catch (error) {
      this.#options.log.debug('watching the session was cut short', { error: coerceError(error) });
    }
  }

  /** Resolves with true when a probe has come back, now or earlier. As long as messages come, it may be behind them. */
  async #isReturned(client: MqttClient, signal: AbortSignal): Promise<boolean> {
    const { clock, returnsProbes } = this.#options;
    if (returnsProbes()) return true;
    if (!(await this.#publish(client, signal))) return false;
    for (let seen = -1; !returnsProbes() && !signal.aborted; await sleep(clock, this.#timing.answerMs, signal)) {
      if (seen === this.#received) this.#tellWhyNot('the broker does not bring it back');
      seen = this.#received;
    }
    return !signal.aborted;
  }

  /** Waits for silence and finds out what it means. */
  async #guard(client: MqttClient, signal: AbortSignal): Promise<void> {
    const { clock, isIdle, onStarved } = this.#options;
    const before = this.#received;
    await sleep(clock, this.#timing.silenceMs * (this.#isStarved ? SELDOM : 1), signal);
    const isQuiet = !signal.aborted && this.#received === before && isIdle();
    const isStarving = isQuiet && (await this.#isStarving(client, signal));
    if (signal.aborted) return;
    if (this.#received !== before) this.#fed();
    else if (isStarving && !this.#isStarved) this.#isStarved = !(await onStarved());
  }

  #fed(): void {
    if (this.#isStarved) this.#options.onFed();
    this.#isStarved = false;
  }

  async #isStarving(client: MqttClient, signal: AbortSignal): Promise<boolean> {
    const before = this.#received;
    for (let probe = 0; probe < PROBES; probe += 1) {
      if (!(await this.#publish(client, signal))) return false;
      await sleep(this.#options.clock, this.#timing.answerMs, signal);
      if (signal.aborted || this.#received !== before || !this.#options.isIdle()) return false;
    }
    return true;
  }

  /** Resolves with true when the broker has the probe. */
  async #publish(client: MqttClient, signal: AbortSignal): Promise<boolean> {
    const published = publish(client, this.#options.topic, this.#mark, { qos: 1, retain: false });
    const taken = published.then(
      () => true,
      () => false,
    );
    const isTaken = await this.#answered(signal, taken);
    this.#isRefused = !isTaken;
    if (isTaken) this.#cuts = 0;
    if (!isTaken && !signal.aborted) this.#tellWhyNot('the broker does not take it');
    return isTaken;
  }

  /** While it waits, the loss of the connection counts as one for our sake. */
  async #answered<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
    this.#isAwaitingAnswer = true;
    const value = await answer;
    if (!signal.aborted) this.#isAwaitingAnswer = false;
    return value;
  }

  #tellWhyNot(reason: string): void {
    if (this.#hasToldWhyNot) return;
    this.#hasToldWhyNot = true;
    const { log, topic } = this.#options;
    const remedy = 'let this client publish and subscribe to the topic';
    log.info('a session that gets nothing any more is not noticed: no probe of it', { topic, reason, remedy });
  }
}

/** One that takes a dot for a slash brings the topic with slashes. */
function placeOf(topic: string): string {
  return topic.replaceAll('.', '/');
}
