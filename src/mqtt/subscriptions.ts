import type { ISubscriptionMap, MqttClient } from 'mqtt';

import { coerceError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { reasonText } from './reason-codes.ts';
import type { KnownSubscription, Subscription, SubscriptionMemory } from './subscription-memory.ts';

export interface SubscriptionProblem {
  readonly topic: string;
  readonly reason: string;
}

/**
 * Brings the subscriptions of the broker's session into line with the configuration, and sends nothing when they are: a SUBSCRIBE brings
 * the retained messages again.
 *
 * Order of effects: before the SUBSCRIBE each new topic is remembered as not confirmed, so that it is known to be dropped some day whatever
 * happens; after the SUBACK as confirmed; a dropped one is forgotten after the UNSUBACK. What was not confirmed is tried again on the next
 * connection. While it is being connected nothing counts as confirmed: the broker may answer that the session is a new one, and a crash
 * before that is remembered would leave a session without subscriptions that looks like the old one.
 */
export class Subscriptions {
  #problems: readonly SubscriptionProblem[] = [];
  #wanted: ReadonlyMap<string, Subscription> = new Map();
  readonly #session: string;
  readonly #memory: SubscriptionMemory;
  readonly #log: Logger;
  readonly #known = new Map<string, KnownSubscription>();
  /** What is remembered on disk calls some of them confirmed. */
  #isConfirmedOnDisk = false;
  #last: Promise<void> = Promise.resolve();

  /** `session` names the session at the broker: a change of it means that what is remembered says nothing about this one. */
  constructor(wanted: readonly Subscription[], session: string, memory: SubscriptionMemory, log: Logger) {
    this.want(wanted);
    this.#session = session;
    this.#memory = memory;
    this.#log = log;
  }

  /** What the broker did not grant on the present connection, or on the last. */
  get problems(): readonly SubscriptionProblem[] {
    return this.#problems;
  }

  /** What the next `align` aims at. */
  want(wanted: readonly Subscription[]): void {
    this.#wanted = new Map(wanted.map((subscription) => [subscription.topic, subscription]));
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
   * On each connect, and when other subscriptions are wanted, once `sessionNoted` has resolved. One after the other; never throws, as a lost
   * connection brings the next.
   */
  align(client: MqttClient, sessionPresent: boolean, sessionNoted: Promise<void>): Promise<void> {
    this.#last = this.#alignAfter(this.#last, client, sessionPresent, sessionNoted);
    return this.#last;
  }

  /** Resolves when nothing is being done; soon, once there is no connection. */
  settled(): Promise<void> {
    return this.#last;
  }

  async #alignAfter(
    last: Promise<void>,
    client: MqttClient,
    sessionPresent: boolean,
    sessionNoted: Promise<void>,
  ): Promise<void> {
    await last;
    if (!sessionPresent) this.#known.clear();
    try {
      await sessionNoted;
      await this.#align(client);
    } catch (error) {
      this.#log.debug('subscribing was cut short', { error: coerceError(error) });
    }
  }

  async #align(client: MqttClient): Promise<void> {
    if (!client.connected) return;
    const dropped = [...this.#known.keys()].filter((topic) => !this.#wanted.has(topic));
    const missing = [...this.#wanted.values()].filter(({ topic, qos }) => {
      const known = this.#known.get(topic);
      return known?.confirmed !== true || known.qos !== qos;
    });
    this.#problems = [];
    if (dropped.length > 0 || missing.length > 0) {
      for (const subscription of missing) this.#known.set(subscription.topic, { ...subscription, confirmed: false });
      await this.#save('doubtful');
      // A topic that passes from one subscription to another has both or neither for a moment. With both its messages might come twice, so
      // it is neither; sent together, so that it is a moment and no round trip.
      await Promise.all([this.#unsubscribe(client, dropped), this.#subscribe(client, missing)]);
    }
    await this.#save('confirmed');
  }

  async #unsubscribe(client: MqttClient, topics: readonly string[]): Promise<void> {
    if (topics.length === 0) return;
    await answered<void>(client, (resolve) => {
      client.unsubscribe([...topics], (error) => resolve(error ?? undefined, undefined));
    });
    for (const topic of topics) this.#known.delete(topic);
    this.#log.info('unsubscribed', { topics });
  }

  async #subscribe(client: MqttClient, subscriptions: readonly Subscription[]): Promise<void> {
    if (subscriptions.length === 0) return;
    // Retain handling 1 (MQTT 5): no retained messages again for what the session had already.
    const request: ISubscriptionMap = Object.fromEntries(
      subscriptions.map(({ topic, qos }) => [topic, { qos, rh: 1, nl: false, rap: false }]),
    );
    const codes = await answered<ReadonlyMap<string, number>>(client, (resolve) => {
      client.subscribe(request, (error, grants = [], suback) => {
        if (suback === undefined) resolve(error ?? new Error('no SUBACK'), new Map());
        else resolve(undefined, new Map(grants.map(({ topic }, i) => [topic, Number(suback.granted[i])])));
      });
    });
    const problems: SubscriptionProblem[] = [];
    for (const subscription of subscriptions) {
      const { topic, qos } = subscription;
      const code = codes.get(topic) ?? 0x80;
      if (code === qos) this.#known.set(topic, { ...subscription, confirmed: true });
      else problems.push({ topic, reason: code < 0x80 ? `granted qos ${code} instead of ${qos}` : reasonText(code) });
    }
    this.#problems = problems;
    for (const problem of problems) this.#log.error('broker does not grant a subscription', { ...problem });
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

/** Waits for an answer; throws when there is no connection (mqtt.js would queue the request and never call back). */
function answered<T>(
  client: MqttClient,
  ask: (resolve: (error: Error | undefined, value: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (!client.connected) {
      reject(new Error('not connected'));
      return;
    }
    ask((error, value) => {
      if (error === undefined) resolve(value);
      else reject(error);
    });
  });
}
