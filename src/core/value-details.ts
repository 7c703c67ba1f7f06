/*
 * What further columns may hold of a value beside the value itself. Nothing of it is kept where no column asks for it.
 */

/** The message that a value came in. One object for all values of a topic. */
export interface Origin {
  readonly topic: string;
  /** The topic's levels, in their order. */
  readonly levels: readonly string[];
  /** The broker had kept the message. */
  readonly retained: boolean;
}

/** Of a column: a text, a number, a time in epoch milliseconds, or null for NULL. */
export type FieldValue = string | number | null;

/** What a payload says besides. One object for all values that follow each other and have the same. */
export interface ValueDetails {
  /** The quality as a number; NaN: it is none, or not kept. */
  readonly qualityCode: number;
  /** By the name of the column that a mapping gives them; undefined: it gives none. */
  readonly fields: ReadonlyMap<string, FieldValue> | undefined;
}

export function originOf(topic: string, retained: boolean): Origin {
  return { topic, levels: topic.split('/'), retained };
}

/** Which of it is kept: what one of the columns asks for. */
export interface DetailNeeds {
  readonly origin: boolean;
  readonly qualityCode: boolean;
}
