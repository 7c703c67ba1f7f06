import type { Reason } from '../core/errors.ts';
import type { Message } from '../core/message.ts';
import { TagValues } from '../core/tag-values.ts';
import { topicMatches } from '../core/topic-filter.ts';
import type { Format, FormatScope, TopicPlace } from './format.ts';
import { decodePolling } from './polling.ts';
import { reasonFor } from './reasons.ts';
import { decodeScalar } from './scalar.ts';
import { TagCatalog } from './tag-name.ts';
import { ValueDecoder } from './value-decoder.ts';

/** A format is an entry here and the function behind it. */
const FORMATS = { polling: decodePolling, scalar: decodeScalar } satisfies Record<string, Format>;

/** How messages of some topics are read. In the two templates `{n}` is the n-th level of the topic, from 1. */
export interface Route {
  readonly topic: string;
  readonly format: keyof typeof FORMATS;
  readonly plcCode: string;
  readonly tagAddress: string;
}

export interface Decoder {
  /**
   * Puts the message's values into the empty list `into` and stamps them, or says why the message can't be decoded and leaves the
   * list empty. One bad value is no such reason: it is put in with a problem, and the others are not affected.
   */
  decode(message: Message, into: TagValues): Reason | undefined;
  /** Whether each value of such a message has a time that the payload gives: another message with these bytes is the same one. */
  hasOwnTime(topic: string, payload: Buffer): boolean;
  /**
   * Replaces the routes, from the next message on. A former route still reads the topics that no present one takes in: messages of them
   * are in the journal, or on their way. A topic filter has one route, its latest, so that there are never more than filters were named.
   */
  useRoutes(routes: readonly Route[]): void;
}

interface Resolved {
  readonly format: Format;
  readonly place: TopicPlace;
}

const MAX_TOPICS = 10_000;
const MAX_KEPT_TOPIC_LENGTH = 1_000;
const SCRATCH_VALUES = 64;

/** The first route whose filter matches a message's topic decides. `tagNameTemplate`: `{plc}` and `{tag}` are filled in. */
export function createDecoder(routes: readonly Route[], tagNameTemplate: string): Decoder {
  return new RoutingDecoder(routes, tagNameTemplate);
}

class RoutingDecoder implements Decoder {
  #routes: readonly Route[];
  readonly #scope: FormatScope;
  readonly #topics = new Map<string, Resolved>();

  constructor(routes: readonly Route[], tagNameTemplate: string) {
    this.#routes = routes;
    this.#scope = { tags: new TagCatalog(tagNameTemplate), values: new ValueDecoder() };
  }

  decode(message: Message, into: TagValues): Reason | undefined {
    const resolved = this.#topics.get(message.topic) ?? this.#resolve(message.topic);
    if (resolved === undefined) return reasonFor('NO_ROUTE', message.topic);
    const reason = resolved.format(message, resolved.place, this.#scope, into);
    if (reason === undefined) into.stamp(message.number, message.receivedAtMs);
    else into.clear();
    return reason;
  }

  /** A value without a time gets that of receipt; here that is no time at all. */
  hasOwnTime(topic: string, payload: Buffer): boolean {
    const values = new TagValues(SCRATCH_VALUES);
    const reason = this.decode({ number: 0, topic, payload, receivedAtMs: Number.NaN }, values);
    return reason === undefined && values.length > 0 && !values.timesMs.subarray(0, values.length).some(Number.isNaN);
  }

  useRoutes(routes: readonly Route[]): void {
    const present = new Set(routes.map(({ topic }) => topic));
    this.#routes = [...routes, ...this.#routes.filter(({ topic }) => !present.has(topic))];
    this.#topics.clear();
  }

  #resolve(topic: string): Resolved | undefined {
    const route = this.#routes.find((candidate) => topicMatches(candidate.topic, topic));
    if (route === undefined) return undefined;
    const place = {
      plcCode: fillLevels(route.plcCode, topic),
      tagAddress: fillLevels(route.tagAddress, topic),
    };
    const resolved = { format: FORMATS[route.format], place };
    if (topic.length <= MAX_KEPT_TOPIC_LENGTH) {
      if (this.#topics.size >= MAX_TOPICS) this.#topics.clear();
      this.#topics.set(topic, resolved);
    }
    return resolved;
  }
}

function fillLevels(template: string, topic: string): string {
  const levels = topic.split('/');
  return template.replaceAll(/\{(\d+)\}/g, (_whole, n: string) => levels[Number(n) - 1] ?? '');
}
