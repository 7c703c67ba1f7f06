import { DEFAULT_DESTINATION } from '../core/destination.ts';
import { SKIPPED, type Message } from '../core/message.ts';
import { MAX_MESSAGE_VALUES, TagValues, TooManyValuesError, type Tag } from '../core/tag-values.ts';
import { topicMatches } from '../core/topic-filter.ts';
import { originOf, type DetailNeeds, type Origin } from '../core/value-details.ts';
import type { CompiledFormat, DecodeOutcome, FormatSubscription, TopicNames } from './format.ts';
import type { FilterOptions, TimeOptions } from './filter/filter-options.ts';
import { checkTimes } from './filter/plausible-time.ts';
import { Selection } from './filter/selection.ts';
import type { EarlierMessages } from './format-memory.ts';
import { formatNamed, type FormatName } from './formats.ts';
import { fillLevels } from './level-template.ts';
import { NameTables } from './name-tables.ts';
import { PassingMemory } from './passing-memory.ts';
import { reasonFor } from './reasons.ts';
import { EdgeNodes } from './sparkplug/edge-nodes.ts';
import { NO_COMMANDS, type NodeCommands } from './sparkplug/node-commands.ts';
import { TagCatalog } from './tag-name.ts';
import { ValueDecoder } from './value-decoder.ts';

/** How messages of some topics are read, with the options that the format has for itself. */
export interface Route extends FormatSubscription, FilterOptions, TimeOptions {
  readonly format: FormatName;
  /** What becomes of retained messages. Absent: they are written. */
  readonly retained?: 'write' | 'skip';
  /** The destination of the values. Absent: the default. */
  readonly to?: string;
}

/** What is known of the messages that were stored before; see RetainedMemory. */
export interface StoredMessages {
  /** Whether the message that was stored last of the topic, before this one, had the same bytes. */
  has(message: Message): boolean;
  note(message: Message): void;
  forget(topic: string): void;
}

export interface Decoder {
  /**
   * Puts the message's values into the empty list `into` and stamps them, or says why the message can't be decoded and
   * leaves the list empty. One bad value is no such reason: it is put in with a problem, and the others are not
   * affected. Values of tags that are not wanted are left out, and counted in the list.
   */
  decode(message: Message, into: TagValues): DecodeOutcome;
  /** The same for a message that is not the next one of the stream: what is remembered of messages does not change. */
  decodeAside(message: Message, into: TagValues): DecodeOutcome;
  /**
   * Goes on with what an earlier process left. To be called before the first message, when the memory has started.
   * `earlierThrough`: the last message that came to that process.
   */
  resume(earlierThrough: number): void;
  /**
   * Whether each value of such a message has a time that the payload gives: another message with these bytes is the
   * same one.
   */
  hasOwnTime(topic: string, payload: Buffer): boolean;
  /** The topic filters of present routes that no message was decoded for since they are there. */
  silentFilters(): readonly string[];
  /** The route that reads messages of this topic; undefined where none does. */
  routeOf(topic: string): Route | undefined;
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
  readonly selection: Selection | undefined;
  /** A message was decoded for it, or for a former route of the same filter. */
  hasBrought: boolean;
}

/** What the formats have of the bridge around them. */
export interface DecoderSurroundings {
  readonly memory: EarlierMessages;
  readonly nodeCommands: NodeCommands;
  /** Retained messages that it has are skipped. */
  readonly stored: StoredMessages | undefined;
  /** What is kept of messages for further columns. Absent: nothing. */
  readonly keeps: DetailNeeds;
  /** Told of the tag of each value that is not wanted. */
  readonly onLeftOut: ((tag: Tag) => void) | undefined;
}

/** How the messages of one topic are read. */
interface TopicReading {
  readonly of: Reading;
  readonly names: TopicNames;
  readonly skipsRetained: boolean;
  /** Of a message, and of a retained one; undefined: no column asks for it. */
  readonly origins: readonly [Origin, Origin] | undefined;
}

const MAX_TOPICS = 10_000;
const MAX_KEPT_TOPIC_LENGTH = 1_000;
const SCRATCH_VALUES = 64;
const KEEPS_NOTHING: DetailNeeds = { origin: false, qualityCode: false };

/**
 * The first route whose filter matches a message's topic decides. `tagNameTemplate`: `{plc}` and `{tag}` are filled in.
 * Without surroundings what messages tell of later ones is forgotten with the decoder.
 */
export function createDecoder(
  routes: readonly Route[],
  tagNameTemplate: string,
  surroundings: Partial<DecoderSurroundings> = {},
): Decoder {
  return new RoutingDecoder(routes, tagNameTemplate, surroundings);
}

class RoutingDecoder implements Decoder {
  readonly #tags: TagCatalog;
  readonly #edgeNodes: EdgeNodes;
  readonly #names: NameTables;
  readonly #topics = new Map<string, TopicReading>();
  readonly #stored: StoredMessages | undefined;
  readonly #keeps: DetailNeeds;
  readonly #onLeftOut: DecoderSurroundings['onLeftOut'] | undefined;
  /** The present ones first. */
  #readings: readonly Reading[];
  #presentCount: number;

  constructor(routes: readonly Route[], tagNameTemplate: string, surroundings: Partial<DecoderSurroundings>) {
    const { keeps = KEEPS_NOTHING, memory = new PassingMemory(), nodeCommands = NO_COMMANDS } = surroundings;
    const { onLeftOut, stored } = surroundings;
    this.#stored = stored;
    this.#keeps = keeps;
    this.#onLeftOut = onLeftOut;
    this.#tags = new TagCatalog(tagNameTemplate);
    this.#edgeNodes = new EdgeNodes(memory, nodeCommands);
    this.#names = new NameTables(memory);
    this.#readings = routes.map((route) => this.#compile(route, false));
    this.#presentCount = routes.length;
  }

  decode(message: Message, into: TagValues): DecodeOutcome {
    const reading = this.#readingOf(message.topic);
    if (reading !== undefined) reading.of.hasBrought = true;
    if (message.retained === true && reading !== undefined) {
      if (reading.skipsRetained || this.#stored?.has(message) === true) return SKIPPED;
    }
    let isStored = false;
    try {
      const outcome = reading === undefined ? reasonFor('NO_ROUTE', message.topic) : read(message, reading, into);
      if (outcome === undefined && reading !== undefined) this.#filter(message, reading, into);
      isStored = outcome === undefined && into.length > 0;
      return outcome;
    } finally {
      if (isStored) this.#stored?.note(message);
      else this.#stored?.forget(message.topic);
    }
  }

  decodeAside(message: Message, into: TagValues): DecodeOutcome {
    const reading = this.#readingOf(message.topic);
    if (reading === undefined) return reasonFor('NO_ROUTE', message.topic);
    const outcome = readAside(message, reading, into);
    if (outcome === undefined) this.#filter(message, reading, into);
    return outcome;
  }

  resume(earlierThrough: number): void {
    this.#edgeNodes.resume(earlierThrough);
  }

  /** A value without a time gets that of receipt; here that is no time at all. */
  hasOwnTime(topic: string, payload: Buffer): boolean {
    const reading = this.#readingOf(topic);
    if (reading === undefined) return false;
    const { format } = reading.of;
    if (format.hasOwnTime !== undefined) return format.hasOwnTime(topic, payload);
    const values = new TagValues(SCRATCH_VALUES);
    const outcome = readAside({ number: 0, topic, payload, receivedAtMs: Number.NaN }, reading, values);
    return outcome === undefined && values.length > 0 && !values.timesMs.subarray(0, values.length).some(Number.isNaN);
  }

  routeOf(topic: string): Route | undefined {
    return this.#readingOf(topic)?.of.route;
  }

  silentFilters(): readonly string[] {
    const present = this.#readings.slice(0, this.#presentCount);
    return present.flatMap(({ hasBrought, route }) => (hasBrought ? [] : [route.topic]));
  }

  useRoutes(routes: readonly Route[]): void {
    const present = new Set(routes.map(({ topic }) => topic));
    const former = this.#readings.filter(({ route }) => !present.has(route.topic));
    const hasBrought = (topic: string): boolean =>
      this.#readings.some((reading) => reading.route.topic === topic && reading.hasBrought);
    this.#readings = [...routes.map((route) => this.#compile(route, hasBrought(route.topic))), ...former];
    this.#presentCount = routes.length;
    this.#topics.clear();
  }

  #compile(route: Route, hasBrought: boolean): Reading {
    const keepsQualityCode = this.#keeps.qualityCode;
    const values = new ValueDecoder(route, keepsQualityCode);
    const scope = { tags: this.#tags, values, edgeNodes: this.#edgeNodes, names: this.#names, keepsQualityCode };
    const format = formatNamed(route.format).compile(route, scope);
    return { route, format, selection: Selection.of(route), hasBrought };
  }

  /** What depends on the message alone: it comes out the same when that is read again. */
  #filter({ receivedAtMs }: Message, { of: { route, selection } }: TopicReading, into: TagValues): void {
    selection?.apply(into, this.#onLeftOut);
    checkTimes(into, receivedAtMs, route);
  }

  #readingOf(topic: string): TopicReading | undefined {
    return this.#topics.get(topic) ?? this.#resolve(topic);
  }

  #resolve(topic: string): TopicReading | undefined {
    const found = this.#readings.find(({ route }) => topicMatches(route.topic, topic));
    if (found === undefined) return undefined;
    const { route } = found;
    const reading: TopicReading = {
      of: found,
      names: namesIn(topic, route),
      skipsRetained: route.retained === 'skip',
      origins: this.#keeps.origin ? [originOf(topic, false), originOf(topic, true)] : undefined,
    };
    if (topic.length <= MAX_KEPT_TOPIC_LENGTH) {
      if (this.#topics.size >= MAX_TOPICS) this.#topics.clear();
      this.#topics.set(topic, reading);
    }
    return reading;
  }
}

/** Changes nothing but the list, and what the format remembers. */
function read(message: Message, reading: TopicReading, into: TagValues): DecodeOutcome {
  const { names } = reading;
  const { format } = reading.of;
  if (isClearing(message, format)) return SKIPPED;
  return stamped(() => format.decode(message, names, into), message, reading, into);
}

/** Changes nothing but the list. */
function readAside(message: Message, reading: TopicReading, into: TagValues): DecodeOutcome {
  const { names } = reading;
  const { format } = reading.of;
  if (isClearing(message, format)) return SKIPPED;
  return stamped(
    () =>
      format.decodeAside === undefined ? format.decode(message, names, into) : format.decodeAside(message, names, into),
    message,
    reading,
    into,
  );
}

/** A retained message is cleared by an empty one, and whoever listens already gets that like any other. */
function isClearing({ payload, retained }: Message, { readsEmpty }: CompiledFormat): boolean {
  return payload.length === 0 && (retained === true || readsEmpty !== true);
}

function stamped(
  decode: () => DecodeOutcome,
  message: Message,
  { of, origins }: TopicReading,
  into: TagValues,
): DecodeOutcome {
  const outcome = limited(decode);
  if (outcome === undefined) {
    into.stamp(message.number, message.receivedAtMs, origins?.[message.retained === true ? 1 : 0] ?? null);
    into.destination = of.route.to ?? DEFAULT_DESTINATION;
  } else {
    into.clear();
  }
  return outcome;
}

function limited(decode: () => DecodeOutcome): DecodeOutcome {
  try {
    return decode();
  } catch (thrown) {
    if (thrown instanceof TooManyValuesError) return reasonFor('TOO_MANY_VALUES', MAX_MESSAGE_VALUES);
    throw thrown;
  }
}

function namesIn(topic: string, { plcCode, tagAddress }: FormatSubscription): TopicNames {
  const levels = topic.split('/');
  return { plcCode: fillLevels(plcCode, levels), tagAddress: fillLevels(tagAddress, levels) };
}
