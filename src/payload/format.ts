import type { FieldColumn } from '../core/columns.ts';
import type { Reason } from '../core/errors.ts';
import type { Fields } from '../core/fields.ts';
import type { Message, SKIPPED } from '../core/message.ts';
import type { TagValues } from '../core/tag-values.ts';
import type { NameTables } from './name-tables.ts';
import type { EdgeNodes } from './sparkplug/edge-nodes.ts';
import type { TagCatalog } from './tag-name.ts';
import type { ValueDecoder } from './value-decoder.ts';
import type { ValueMeanings } from './value-meanings.ts';

/*
 * A payload format describes itself: the configuration checks and documents its options, and asks what its payloads
 * say; the decoder compiles it once for each subscription and then asks it for each message. All of them stand in
 * formats.ts.
 */

/** What every subscription says to its format. In the two templates `{n}` is the n-th level of the topic, from 1. */
export interface FormatSubscription extends ValueMeanings {
  readonly topic: string;
  readonly plcCode: string;
  readonly tagAddress: string;
}

/** What a payload can say of its values. For what it cannot, the topic has to do, or the time of receipt. */
export interface Said {
  readonly plcCode: boolean;
  readonly tagAddress: boolean;
  readonly timestamp: boolean;
}

/**
 * What a topic says by the subscription's templates; empty where a template is empty or the topic has no such level.
 */
export interface TopicNames {
  readonly plcCode: string;
  readonly tagAddress: string;
}

/** What the formats share. */
export interface FormatScope {
  readonly tags: TagCatalog;
  /** For this subscription alone. */
  readonly values: ValueDecoder;
  /** Sparkplug's, over all subscriptions: births may come with another one than data. */
  readonly edgeNodes: EdgeNodes;
  /** Over all subscriptions, too: names come with another one than data. */
  readonly names: NameTables;
  /** A column wants the quality as a number. */
  readonly keepsQualityCode: boolean;
}

/** Where some rows of a subscription go, and which further columns they fill there. */
export interface RowTarget {
  /** Undefined: the destination of the subscription. */
  readonly to: string | undefined;
  readonly columns: readonly FieldColumn[];
}

/**
 * What became of a message: undefined where its values are in the list, SKIPPED, or why it can't be decoded. A format
 * need not know all members of this union to give one of them.
 */
export type DecodeOutcome = Reason | typeof SKIPPED | undefined;

/** A format as one subscription has it. It lives as long as the decoder reads topics of the subscription. */
export interface CompiledFormat {
  /** An empty payload is a value. Absent: it is none, as MQTT clears a retained message by one. */
  readonly readsEmpty?: boolean;
  /**
   * Puts the values of a message, whatever stood in the list before. One bad value is no reason: it is put with a
   * problem. Where the outcome is a reason, the content of the list does not matter.
   */
  decode(message: Message, topic: TopicNames, into: TagValues): DecodeOutcome;
  /**
   * The same for a message that is not the next one of the stream: nothing is remembered of it, and nobody told.
   * Absent: `decode` does neither.
   */
  decodeAside?(message: Message, topic: TopicNames, into: TagValues): DecodeOutcome;
  /**
   * Whether another message with these bytes can only be the same one. Absent: where each of its values has a time of
   * its own.
   */
  hasOwnTime?(topic: string, payload: Buffer): boolean;
}

/** What `discover` may propose for messages that it reads. */
export interface FormatProposal {
  /** As a person calls it: `polling`, `json, preset kepware`. */
  readonly name: string;
  /** Keys of the subscription beside topic, format and templates. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The filter of topics that tell by themselves that this is it, which is then subscribed to; absent: none do. */
  readonly topic?: string;
  /** No other format has such topics: it is proposed for them also where nothing that was heard could be read. */
  readonly ownsTopic?: true;
}

/** `Options`: keys of a subscription that this format alone has; the configuration has checked and completed them. */
export interface PayloadFormat<Name extends string = string, Options extends object = object> {
  readonly name: Name;
  /** What a message is, in some words: `one JSON message with many tags`. */
  readonly doc: string;
  readonly options: Fields<Options>;
  /** The most particular first; absent: none is proposed. */
  readonly proposals?: readonly FormatProposal[];
  /** Absent: all rows go where the subscription says, and fill no further column. */
  targets?(subscription: FormatSubscription & Options): readonly RowTarget[];
  /** The same options with all rows for this destination. There where there are `targets`. */
  retarget?<T extends Options>(subscription: T, to: string): T;
  says(options: Options): Said;
  compile(subscription: FormatSubscription & Options, scope: FormatScope): CompiledFormat;
}
