import type { MqttClient } from 'mqtt';

import { withDeadline, type Clock } from '../../core/clock.ts';
import type { Delivery } from '../../core/message.ts';
import { topicMatches } from '../../core/topic-filter.ts';
import { subscribe, unsubscribe } from '../connection/requests.ts';

const VERSION_TOPIC = '$SYS/broker/version';
const ANSWER_TIMEOUT_MS = 5000;

/**
 * Asks the broker what it calls itself, on the intake's own connection: a retained message that comes right behind
 * SUBACK, before the answer to the UNSUBSCRIBE that follows.
 *
 * Some brokers end the connection of whoever asks for `$SYS`: then it is not asked again.
 */
export class BrokerWord {
  readonly #clock: Clock;
  #said = '';
  #state: 'ready' | 'asking' | 'not to be asked' = 'ready';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be asked about each delivery; true: it is what the broker calls itself, and no subscription wants it. */
  takes({ payload, topic }: Delivery, subscriptions: readonly { readonly topic: string }[]): boolean {
    if (!topic.startsWith('$') || topic !== VERSION_TOPIC) return false;
    this.#said = payload.toString();
    return !subscriptions.some((subscription) => topicMatches(subscription.topic, topic));
  }

  /** Resolves with what it says, empty where it says nothing, for 5 s at most. Never throws. */
  async ask(client: MqttClient): Promise<string> {
    if (this.#state === 'not to be asked' || !client.connected) return '';
    this.#said = '';
    this.#state = 'asking';
    try {
      await withDeadline(this.#clock, ANSWER_TIMEOUT_MS, 'asking the broker what it is', request(client));
    } catch {
      // It is not granted, or not answered: the broker is a stranger.
    }
    if (client.connected) this.#state = 'ready';
    return this.#said;
  }

  /** The connection is over. */
  closed(): void {
    if (this.#state === 'asking') this.#state = 'not to be asked';
  }
}

async function request(client: MqttClient): Promise<void> {
  const granted = await subscribe(client, [{ topic: VERSION_TOPIC, qos: 0 }], 'always');
  const code = granted.get(VERSION_TOPIC)?.code ?? 0x80;
  if (code < 0x80) await unsubscribe(client, [VERSION_TOPIC]);
}
