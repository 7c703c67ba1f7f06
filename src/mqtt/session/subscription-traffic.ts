import { topicMatches } from '../../core/topic-filter.ts';

/** What has come of one subscription since the bridge started, or since it was subscribed to. */
export interface Traffic {
  messages: number;
  /** Wall clock; undefined before the first. */
  lastAtMs: number | undefined;
}

/** As many as the decoder keeps; beyond that all are forgotten and matched anew. */
const MAX_TOPICS = 10_000;
const MAX_KEPT_TOPIC_LENGTH = 1_000;

/**
 * Counts the messages of each subscription as they arrive. A message counts for the first subscription whose filter
 * takes its topic in, by which it is read too; brokers do not say which one they delivered it for.
 */
export class SubscriptionTraffic {
  #byFilter: ReadonlyMap<string, Traffic> = new Map();
  readonly #byTopic = new Map<string, Traffic>();

  /** Those that stay count on. */
  want(filters: readonly string[]): void {
    const before = this.#byFilter;
    this.#byFilter = new Map(
      filters.map((filter) => [filter, before.get(filter) ?? { messages: 0, lastAtMs: undefined }]),
    );
    this.#byTopic.clear();
  }

  note(topic: string, receivedAtMs: number): void {
    const traffic = this.#byTopic.get(topic) ?? this.#resolve(topic);
    if (traffic === undefined) return;
    traffic.messages += 1;
    traffic.lastAtMs = receivedAtMs;
  }

  of(filter: string): Readonly<Traffic> {
    return this.#byFilter.get(filter) ?? { messages: 0, lastAtMs: undefined };
  }

  #resolve(topic: string): Traffic | undefined {
    for (const [filter, traffic] of this.#byFilter) {
      if (!topicMatches(filter, topic)) continue;
      if (topic.length <= MAX_KEPT_TOPIC_LENGTH) {
        if (this.#byTopic.size >= MAX_TOPICS) this.#byTopic.clear();
        this.#byTopic.set(topic, traffic);
      }
      return traffic;
    }
    return undefined;
  }
}
