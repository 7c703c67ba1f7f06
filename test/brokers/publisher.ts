import { setTimeout as wait } from 'node:timers/promises';

import { until } from '../support/until.ts';
import { BareClient } from './bare-client.ts';
import type { Payloads } from './payloads.ts';

const WINDOW = 200;
const TICK_MS = 10;
const RECONNECT_TIMEOUT_MS = 300_000;

/**
 * A plant that never publishes anything twice, on a connection of its own. What the broker has answered with a PUBACK
 * it owes to each subscriber; what was on its way when the broker went may be there or not.
 */
export class Publisher {
  /** Numbers of the messages that the broker has acknowledged. */
  readonly owed = new Set<number>();
  /** Numbers of those whose PUBACK did not come, as the broker went away. */
  readonly maybe = new Set<number>();
  readonly #port: number;
  readonly #clientId: string;
  readonly #payloads: Payloads;
  readonly #qos: 1 | 2;
  #client: BareClient | undefined;
  #next = 1;
  #refusal: Error | undefined;
  #isStopped = false;

  constructor(port: number, clientId: string, payloads: Payloads, qos: 1 | 2 = 1) {
    this.#port = port;
    this.#clientId = clientId;
    this.#payloads = payloads;
    this.#qos = qos;
  }

  get published(): number {
    return this.#next - 1;
  }

  /**
   * So many more, at this rate or, at 0, as fast as the broker acknowledges. Resolves when each has been answered or
   * has lost its connection.
   */
  async publish(count: number, perSecond: number): Promise<void> {
    const last = this.published + count;
    const [startedAtMs, before] = [performance.now(), this.published];
    while (this.published < last && !this.#isStopped) {
      const client = await this.#connected();
      const due = perSecond === 0 ? last : before + ((performance.now() - startedAtMs) * perSecond) / 1000;
      while (this.published < Math.min(last, due) && client.unanswered < WINDOW) this.#publishOne(client);
      await wait(perSecond === 0 ? 1 : TICK_MS);
      if (this.#refusal !== undefined) throw this.#refusal;
    }
    await until('the last PUBACK', () => this.owed.size + this.maybe.size >= this.published, 60_000);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#client?.isOpen === true) await this.#client.disconnect();
  }

  #publishOne(client: BareClient): void {
    const number = this.#next;
    this.#next += 1;
    client.publish(this.#payloads.topic(number), this.#payloads.payload(number), { qos: this.#qos }).then(
      () => this.owed.add(number),
      (error: Error) => {
        this.maybe.add(number);
        if (client.isOpen) this.#refusal = error;
      },
    );
  }

  /** The broker may be away for a while. */
  async #connected(): Promise<BareClient> {
    if (this.#client?.isOpen === true) return this.#client;
    const options = { port: this.#port, protocol: 4, clientId: this.#clientId } as const;
    const client = await until(
      'the broker to take the publisher',
      () => {
        if (this.#isStopped) throw new Error('the publisher is stopped');
        return BareClient.connect(options).catch(() => undefined);
      },
      RECONNECT_TIMEOUT_MS,
      200,
    );
    this.#client = client;
    return client;
  }
}
