import type { MqttClient } from 'mqtt';

import { coerceError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { reasonText } from '../connection/reason-codes.ts';
import { subscribeRemedy } from '../connection/remedies.ts';
import { subscribe, unsubscribe } from '../connection/requests.ts';
import type { KnownSubscription, Subscription, SubscriptionMemory } from './subscription-memory.ts';

export interface SubscriptionProblem {
  readonly topic: string;
  readonly reason: string;
}

/** What counts for a topic that SUBACK does not speak of. */
const NOT_GRANTED = 0x80;
/** MQTT 5: no retained messages again for what the session had already. */
const RETAINED = 'to a new subscription';

/**
 * Brings the subscriptions of the broker's session into line with the configuration, and sends nothing when they are: a
 * SUBSCRIBE brings the retained messages again.
 *
 * Order of effects: before the SUBSCRIBE each new topic is remembered as not confirmed, so that it is known to be
 * dropped some day whatever happens; after the SUBACK as confirmed; a dropped one is forgotten after the UNSUBACK. What
 * was not confirmed is tried again on the next connection. While it is being connected nothing counts as confirmed: the
 * broker may answer that the session is a new one, and a crash before that is remembered would leave a session without
 * subscriptions that looks like the old one.
 */
export class Subscriptions {
  #problems: readonly SubscriptionProblem[] = [];
  #wanted: ReadonlyMap<string, Subscription> = new Map();
  /** One that is not of the configuration, and whose refusal is no problem of it. */
  readonly #own: Subscription | undefined;
  readonly #session: string;
  readonly #memory: SubscriptionMemory;
  readonly #log: Logger;
  readonly #known = new Map<string, KnownSubscription>();
  /** Where the broker granted less than was asked for: what it granted. */
  readonly #granted = new Map<string, number>();
  /** The file on disk says that some are confirmed. */
  #isConfirmedOnDisk = false;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * `session` names the session at the broker: a change of it means that what is remembered says nothing about this
   * one.
   */
  constructor(
    wanted: readonly Subscription[],
    session: string,
    memory: SubscriptionMemory,
    log: Logger,
    own?: Subscription,
  ) {
    this.want(wanted);
    this.#own = own;
    this.#session = session;
    this.#memory = memory;
    this.#log = log;
  }

  /** What the broker did not grant on the present connection, or on the last. */
  get problems(): readonly SubscriptionProblem[] {
    return this.#problems;
  }

  /** Whether the broker has granted it; between connections, whether it had. */
  has(topic: string): boolean {
    const wanted = this.#wanted.get(topic);
    return wanted !== undefined && this.#isGranted(wanted);
  }

  /** What the broker has granted, on the present connection or the last; undefined: nothing, or nothing yet. */
  grantedQos(topic: string): number | undefined {
    const known = this.#known.get(topic);
    return known?.confirmed === true ? known.qos : this.#granted.get(topic);
  }

  /** What the next `align` aims at. What the configuration says of a subscription besides is none of the session. */
  want(wanted: readonly Subscription[]): void {
    this.#wanted = new Map(wanted.map(({ topic, qos }) => [topic, { topic, qos }]));
  }

  async load(): Promise<void> {
    const remembered = await this.#memory.load();
    const isOurs = remembered?.session === this.#session;
    for (const known of remembered?.subscriptions ?? []) {
      this.#known.set(known.topic, isOurs ? known : { ...known, confirmed: false });
      this.#isConfirmedOnDisk ||= known.confirmed;
    }
  }

  /** Before each connect; never throws. */
  async connecting(): Promise<void> {
    await this.#last;
    if (this.#isConfirmedOnDisk) await this.#save('doubtful');
  }

  /**
   * On each connect, and when other subscriptions are wanted, once `sessionNoted` has resolved. One after the other;
   * never throws, as a lost connection brings the next. Resolves with true when the session has what is wanted, or some
   * of it.
   */
  align(client: MqttClient, sessionPresent: boolean, sessionNoted: Promise<void>): Promise<boolean> {
    const aligned = this.#alignAfter(this.#last, client, sessionPresent, sessionNoted);
    this.#last = aligned;
    return aligned;
  }

  /**
   * Sees to the bridge's own subscription, after an `align` and in the same way; resolves with true when the session
   * has it. It is a request of its own, so that a broker that refuses it, or ends the connection for it, has granted
   * the others before.
   */
  alignOwn(client: MqttClient): Promise<boolean> {
    const aligned = this.#alignOwnAfter(this.#last, client);
    this.#last = aligned;
    return aligned;
  }

  /** Resolves when nothing is being done; soon, once there is no connection. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #alignAfter(
    last: Promise<unknown>,
    client: MqttClient,
    sessionPresent: boolean,
    sessionNoted: Promise<void>,
  ): Promise<boolean> {
    await last;
    if (!sessionPresent) {
      this.#known.clear();
      this.#granted.clear();
    }
    try {
      await sessionNoted;
      return await this.#align(client);
    } catch (error) {
      this.#log.debug('subscribing was cut short', { error: coerceError(error) });
      return false;
    }
  }

  async #alignOwnAfter(last: Promise<unknown>, client: MqttClient): Promise<boolean> {
    await last;
    const own = this.#own;
    if (own === undefined || !client.connected) return false;
    if (this.#isGranted(own)) return true;
    try {
      this.#known.set(own.topic, { ...own, confirmed: false });
      await this.#save('doubtful');
      const granted = await subscribe(client, [own], RETAINED);
      const code = granted.get(own.topic)?.code;
      if (code === own.qos) this.#known.set(own.topic, { ...own, confirmed: true });
      await this.#save('confirmed');
      return code === own.qos;
    } catch (error) {
      this.#log.debug('subscribing was cut short', { error: coerceError(error) });
      return false;
    }
  }

  async #align(client: MqttClient): Promise<boolean> {
    if (!client.connected) return false;
    const dropped = [...this.#known.keys()].filter((topic) => !this.#wanted.has(topic) && topic !== this.#own?.topic);
    const missing = [...this.#wanted.values()].filter((subscription) => !this.#isGranted(subscription));
    this.#problems = [];
    if (dropped.length > 0 || missing.length > 0) {
      for (const subscription of missing) this.#known.set(subscription.topic, { ...subscription, confirmed: false });
      await this.#save('doubtful');
      // A topic that passes from one subscription to another has both or neither for a moment. With both its messages
      // might come twice, so it is neither; sent together, so that it is a moment and no round trip.
      await Promise.all([this.#unsubscribe(client, dropped), this.#subscribe(client, missing)]);
    }
    await this.#save('confirmed');
    return [...this.#wanted.values()].some((subscription) => this.#isGranted(subscription));
  }

  #isGranted({ qos, topic }: Subscription): boolean {
    const known = this.#known.get(topic);
    return known?.confirmed === true && known.qos === qos;
  }

  async #unsubscribe(client: MqttClient, topics: readonly string[]): Promise<void> {
    if (topics.length === 0) return;
    await unsubscribe(client, topics);
    for (const topic of topics) {
      this.#known.delete(topic);
      this.#granted.delete(topic);
    }
    this.#log.info('unsubscribed', { topics });
  }

  async #subscribe(client: MqttClient, subscriptions: readonly Subscription[]): Promise<void> {
    if (subscriptions.length === 0) return;
    const granted = await subscribe(client, subscriptions, RETAINED);
    const problems: SubscriptionProblem[] = [];
    for (const subscription of subscriptions) {
      const { topic, qos } = subscription;
      const code = granted.get(topic)?.code ?? NOT_GRANTED;
      this.#granted.delete(topic);
      if (code === qos) {
        this.#known.set(topic, { ...subscription, confirmed: true });
        continue;
      }
      if (code < 0x80) this.#granted.set(topic, code);
      const reason = code < 0x80 ? `granted qos ${code} instead of ${qos}` : reasonText(code);
      const remedy = subscribeRemedy(topic, qos, code);
      problems.push({ topic, reason });
      this.#log.error('broker does not grant a subscription', { topic, reason, remedy });
    }
    this.#problems = problems;
    this.#log.info('subscribed', { topics: subscriptions.length - problems.length });
  }

  async #save(what: 'confirmed' | 'doubtful'): Promise<void> {
    const known = [...this.#known.values()];
    const subscriptions =
      what === 'confirmed' ? known : known.map(({ topic, qos }) => ({ topic, qos, confirmed: false }));
    try {
      await this.#memory.save({ session: this.#session, subscriptions });
      this.#isConfirmedOnDisk = subscriptions.some(({ confirmed }) => confirmed);
    } catch (error) {
      this.#log.warn('subscriptions not remembered for the next start', { error });
    }
  }
}
