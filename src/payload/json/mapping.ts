import type { QualityScale } from '../quality.ts';
import type { CompleteMeanings } from '../value-meanings.ts';

/** A path, or several whose numbers are added. */
export type Source = string | { readonly sum: readonly string[] };

/** Seconds and nanoseconds in two places. */
export interface SplitTime {
  readonly seconds: string;
  readonly nanos: string;
}

export type Scalar = string | number | boolean | null;

export type Kind = 'object' | 'array' | 'text' | 'number' | 'boolean' | 'null';

/**
 * What must stand at a path: a scalar (a text may have `*`), one of several, something at all, something of a kind,
 * or not what is said.
 */
export type Condition =
  | Scalar
  | readonly Scalar[]
  | { readonly exists: boolean }
  | { readonly is: readonly Kind[] }
  | { readonly not: Condition };

export type Conditions = Readonly<Record<string, Condition>>;

/**
 * What fills a further column: a path, the first of several that is there, or a text with {path}, {#} and {2}. Of an
 * object `type` says what the column holds, text where it is left out.
 */
export type ColumnSource =
  | string
  | readonly string[]
  | {
      readonly path: Source | readonly Source[];
      readonly type?: 'text' | 'number' | 'time';
      readonly timestampFormat?: string;
    };

/** How rows are made of the items of a document. What each key does stands in mapping-keys.ts. */
export interface RowMapping {
  readonly each?: string;
  readonly optional?: boolean;
  readonly names?: string;
  readonly carry?: readonly string[];
  readonly when?: Conditions;
  readonly plc?: string | readonly string[];
  readonly tag?: string | readonly string[];
  readonly table?: string;
  readonly value?: Source | readonly Source[] | null;
  readonly missing?: 'reject' | 'null' | 'skip';
  readonly nested?: 'reject' | 'text';
  readonly flatten?: string;
  readonly nulls?: readonly (string | number)[];
  readonly numbersInText?: boolean;
  readonly decimalComma?: boolean;
  readonly words?: Readonly<Record<string, number | null>>;
  readonly timestamp?: Source | readonly Source[];
  readonly timestampFormat?: string | SplitTime;
  readonly timeZone?: string;
  readonly quality?: string | readonly string[];
  readonly qualityScale?: QualityScale;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly columns?: Readonly<Record<string, ColumnSource>>;
  readonly to?: string;
}

/** Where messages of another topic tell names for the rows of these; `table`, `key` and `name` are templates. */
export interface DictionaryMapping {
  readonly each: string;
  readonly table: string;
  readonly key: string;
  readonly name: string;
}

/** What is of the message as a whole. */
export interface MessageMapping {
  readonly when?: Conditions;
  readonly arrayOfDocuments?: boolean;
  readonly compression?: 'auto' | 'gzip' | 'deflate' | 'deflateRaw' | 'none';
  readonly maxInflatedBytes?: number;
  readonly notFinite?: 'reject' | 'null';
  readonly dictionary?: DictionaryMapping;
}

/** A preset, or what it comes to: every mapping can be written out. */
export interface Mapping extends MessageMapping {
  readonly rows: readonly RowMapping[];
}

/** As the user writes it: the keys of a row may also stand beside `rows` or `preset`, for all of the rows. */
export interface JsonOptions extends MessageMapping, Omit<RowMapping, 'when'> {
  readonly preset?: string;
  readonly rows?: readonly RowMapping[];
}

/** What a subscription says besides, as the words of the user. */
export interface MappingPlace extends CompleteMeanings {
  /** The filter. */
  readonly topic: string;
  /** Templates of the topic, or empty. */
  readonly plcCode: string;
  readonly tagAddress: string;
}
