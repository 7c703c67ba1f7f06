import type { Reason } from '../core/errors.ts';
import type { Message } from '../core/message.ts';
import type { TagValues } from '../core/tag-values.ts';
import type { TagCatalog } from './tag-name.ts';
import type { ValueDecoder } from './value-decoder.ts';

/** What a message's topic says by the route's templates; empty where a template is empty or the topic has no such level. */
export interface TopicPlace {
  readonly plcCode: string;
  readonly tagAddress: string;
}

/** What the formats share. */
export interface FormatScope {
  readonly tags: TagCatalog;
  readonly values: ValueDecoder;
}

/** Puts a message's values into the list (its content before doesn't matter), or says why it can't. */
export type Format = (message: Message, place: TopicPlace, scope: FormatScope, into: TagValues) => Reason | undefined;
