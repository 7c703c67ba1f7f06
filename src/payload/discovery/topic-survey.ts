import { shapeOf, type Shape } from './shape.ts';

/** What is known of one topic. */
export interface SurveyedTopic {
  readonly topic: string;
  readonly messages: number;
  /** Of all its messages together. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** How many of them the broker had kept. */
  readonly retained: number;
  readonly shape: Shape;
  /** Its first message, where it was not too long to keep. */
  readonly sample: Buffer | undefined;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface SurveyLimits {
  readonly maxTopics: number;
  /** Of all topics together. */
  readonly maxTopicCharacters: number;
  readonly maxSampleBytes: number;
  /** Of all samples together. */
  readonly maxAllSampleBytes: number;
}

const LIMITS: SurveyLimits = {
  maxTopics: 20_000,
  maxTopicCharacters: 4_000_000,
  maxSampleBytes: 65_536,
  maxAllSampleBytes: 16_777_216,
};

/**
 * The topics of messages, with what is telling of each. It stays within some 30 MB, whatever comes: of topics beyond
 * the first 20,000 only the messages are counted, and long payloads are not kept.
 */
export class TopicSurvey {
  readonly #limits: SurveyLimits;
  readonly #topics = new Map<string, Writable<SurveyedTopic>>();
  #characters = 0;
  #sampleBytes = 0;
  messages = 0;
  bytes = 0;
  /** Of topics that are not listed. */
  messagesLeftOut = 0;

  constructor(limits: SurveyLimits = LIMITS) {
    this.#limits = limits;
  }

  /** `payload` may be a part of a larger buffer. */
  add({
    payload,
    retain,
    topic,
  }: {
    readonly topic: string;
    readonly payload: Buffer;
    readonly retain: boolean;
  }): void {
    this.messages += 1;
    this.bytes += payload.length;
    const known = this.#topics.get(topic) ?? this.#enter(topic, payload);
    if (known === undefined) {
      this.messagesLeftOut += 1;
      return;
    }
    known.messages += 1;
    known.bytes += payload.length;
    known.maxBytes = Math.max(known.maxBytes, payload.length);
    if (retain) known.retained += 1;
  }

  /** The busiest first. */
  topics(): readonly SurveyedTopic[] {
    return [...this.#topics.values()].sort((a, b) => b.messages - a.messages || (a.topic < b.topic ? -1 : 1));
  }

  #enter(topic: string, payload: Buffer): Writable<SurveyedTopic> | undefined {
    const { maxAllSampleBytes, maxSampleBytes, maxTopicCharacters, maxTopics } = this.#limits;
    if (this.#topics.size >= maxTopics || this.#characters + topic.length > maxTopicCharacters) return undefined;
    const isKept = payload.length <= maxSampleBytes && this.#sampleBytes + payload.length <= maxAllSampleBytes;
    const sample = isKept ? Buffer.from(payload) : undefined;
    const entry = { topic, messages: 0, bytes: 0, maxBytes: 0, retained: 0, shape: shapeOf(topic, payload), sample };
    this.#characters += topic.length;
    this.#sampleBytes += sample?.length ?? 0;
    this.#topics.set(topic, entry);
    return entry;
  }
}
