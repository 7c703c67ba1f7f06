import type { Message } from '../core/message.ts';
import { TagValues } from '../core/tag-values.ts';
import { topicMatches } from '../core/topic-filter.ts';
import type { CompiledFormat, DecodeOutcome, FormatSubscription, TopicNames } from './format.ts';
import type { EarlierMessages } from './format-memory.ts';
import { formatNamed, type FormatName } from './formats.ts';
import { fillLevels } from './level-template.ts';
import { PassingMemory } from './passing-memory.ts';
import { reasonFor } from './reasons.ts';
import { EdgeNodes } from './sparkplug/edge-nodes.ts';
import { NO_COMMANDS, type NodeCommands } from './sparkplug/node-commands.ts';
import { TagCatalog } from './tag-name.ts';
import { ValueDecoder } from './value-decoder.ts';

/** How messages of some topics are read, with the options that the format has for itself. */
export interface Route extends FormatSubscription {
  readonly format: FormatName;
}

export interface Decoder {
  /**
   * Puts the message's values into the empty list `into` and stamps them, or says why the message can't be decoded and
   * leaves the list empty. One bad value is no such reason: it is put in with a problem, and the others are not
   * affected.
   */
  decode(message: Message, into: TagValues): DecodeOutcome;
  /** The same for a message that is not the next one of the stream: what is remembered of messages does not change. */
  decodeAside(message: Message, into: TagValues): DecodeOutcome;
  /** Goes on with what an earlier process left. To be called before the first message, when the memory has started. */
  resume(): void;
  /**
   * Whether each value of such a message has a time that the payload gives: another message with these bytes is the
   * same one.
   */
  hasOwnTime(topic: string, payload: Buffer): boolean;
  /**
   * Replaces the routes, from the next message on. A former route still reads the topics that no present one takes in:
   * messages of them are in the journal, or on their way. A topic filter has one route, its latest, so that there are
   * never more than filters were named.
   */
  useRoutes(routes: readonly Route[]): void;
}

/** A route with its format, compiled for it. */
interface Reading {
  readonly route: Route;
  readonly format: CompiledFormat;
}

/** What the formats have of the bridge around them. */
export interface DecoderSurroundings {
  readonly memory: EarlierMessages;
  readonly nodeCommands: NodeCommands;
}

/** How the messages of one topic are read. */
interface TopicReading {
  readonly format: CompiledFormat;
  readonly names: TopicNames;
}

const MAX_TOPICS = 10_000;
const MAX_KEPT_TOPIC_LENGTH = 1_000;
const SCRATCH_VALUES = 64;

/**
 * The first route whose filter matches a message's topic decides. `tagNameTemplate`: `{plc}` and `{tag}` are filled in.
 * Without surroundings what messages tell of later ones is forgotten with the decoder.
 */
export function createDecoder(
  routes: readonly Route[],
  tagNameTemplate: string,
  surroundings: DecoderSurroundings = { memory: new PassingMemory(), nodeCommands: NO_COMMANDS },
): Decoder {
  return new RoutingDecoder(routes, tagNameTemplate, surroundings);
}

class RoutingDecoder implements Decoder {
  readonly #tags: TagCatalog;
  readonly #edgeNodes: EdgeNodes;
  readonly #topics = new Map<string, TopicReading>();
  #readings: readonly Reading[];

  constructor(routes: readonly Route[], tagNameTemplate: string, { memory, nodeCommands }: DecoderSurroundings) {
    this.#tags = new TagCatalog(tagNameTemplate);
    this.#edgeNodes = new EdgeNodes(memory, nodeCommands);
    this.#readings = routes.map((route) => this.#compile(route));
  }

  decode(message: Message, into: TagValues): DecodeOutcome {
    const reading = this.#readingOf(message.topic);
    if (reading === undefined) return reasonFor('NO_ROUTE', message.topic);
    return stamped(reading.format.decode(message, reading.names, into), message, into);
  }

  decodeAside(message: Message, into: TagValues): DecodeOutcome {
    const reading = this.#readingOf(message.topic);
    if (reading?.format.decodeAside === undefined) return this.decode(message, into);
    return stamped(reading.format.decodeAside(message, reading.names, into), message, into);
  }

  resume(): void {
    this.#edgeNodes.resume();
  }

  /** A value without a time gets that of receipt; here that is no time at all. */
  hasOwnTime(topic: string, payload: Buffer): boolean {
    const format = this.#readingOf(topic)?.format;
    if (format?.hasOwnTime !== undefined) return format.hasOwnTime(topic, payload);
    const values = new TagValues(SCRATCH_VALUES);
    const outcome = this.decode({ number: 0, topic, payload, receivedAtMs: Number.NaN }, values);
    return outcome === undefined && values.length > 0 && !values.timesMs.subarray(0, values.length).some(Number.isNaN);
  }

  useRoutes(routes: readonly Route[]): void {
    const present = new Set(routes.map(({ topic }) => topic));
    const former = this.#readings.filter(({ route }) => !present.has(route.topic));
    this.#readings = [...routes.map((route) => this.#compile(route)), ...former];
    this.#topics.clear();
  }

  #compile(route: Route): Reading {
    const scope = { tags: this.#tags, values: new ValueDecoder(), edgeNodes: this.#edgeNodes };
    return { route, format: formatNamed(route.format).compile(route, scope) };
  }

  #readingOf(topic: string): TopicReading | undefined {
    return this.#topics.get(topic) ?? this.#resolve(topic);
  }

  #resolve(topic: string): TopicReading | undefined {
    const found = this.#readings.find(({ route }) => topicMatches(route.topic, topic));
    if (found === undefined) return undefined;
    const reading = { format: found.format, names: namesIn(topic, found.route) };
    if (topic.length <= MAX_KEPT_TOPIC_LENGTH) {
      if (this.#topics.size >= MAX_TOPICS) this.#topics.clear();
      this.#topics.set(topic, reading);
    }
    return reading;
  }
}

function stamped(outcome: DecodeOutcome, message: Message, into: TagValues): DecodeOutcome {
  if (outcome === undefined) into.stamp(message.number, message.receivedAtMs);
  else into.clear();
  return outcome;
}

function namesIn(topic: string, { plcCode, tagAddress }: FormatSubscription): TopicNames {
  const levels = topic.split('/');
  return { plcCode: fillLevels(plcCode, levels), tagAddress: fillLevels(tagAddress, levels) };
}
