import type { TagValues } from './tag-values.ts';

type ReadContent<T> = (values: TagValues, i: number) => T;

/**
 * What a column is filled with. `number` is bound by `valueType`, `decimal` always as NUMBER; a time is in epoch
 * milliseconds. Null is NULL.
 */
export type ColumnContent =
  | { readonly holds: 'text'; readonly read: ReadContent<string | null> }
  | { readonly holds: 'number' | 'decimal'; readonly read: ReadContent<number | null> }
  | { readonly holds: 'time'; readonly read: ReadContent<number | null> };
