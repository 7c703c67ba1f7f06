import type { Setting } from '../setting.ts';

/** What is wrong with a value. */
export interface Problem {
  /** Where inside the value, as a suffix of its path: `[0].topic`. */
  readonly at?: string;
  /** `must be …`, a full clause. */
  readonly must: string;
  /** What stands there, to be shown; absent where it must not be, or says nothing. */
  readonly got?: unknown;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A kind of value. The bounds and choices of a key stand in its Setting. */
export interface Format {
  /** What may stand there, for the reference: `an integer from 1 to 10000`. */
  allowed(setting: Setting): string;
  check(value: unknown, setting: Setting): Problem[];
  /**
   * The value that a text from the environment means; a text that means none is given back as it is, for `check` to
   * refuse.
   */
  parse(text: string): unknown;
  jsonSchema(setting: Setting): JsonSchema;
}

/**
 * A format of texts that are good or not. `details` follow what is allowed in an error, where the reference need not
 * repeat them.
 */
export function textFormat(
  allowed: string,
  isGood: (text: string) => boolean,
  { details = '', pattern }: { readonly details?: string; readonly pattern?: string } = {},
): Format {
  return {
    allowed: (setting) => orEmpty(allowed, setting),
    check: (value, setting) => {
      if (value === '' && setting.mayBeEmpty === true) return [];
      const isAllowed = typeof value === 'string' && isGood(value);
      return isAllowed ? [] : [{ must: `must be ${orEmpty(allowed, setting)}${details}`, got: value }];
    },
    parse: (text) => text,
    jsonSchema: ({ mayBeEmpty }) => ({
      type: 'string',
      ...(mayBeEmpty === true ? {} : { minLength: 1, ...(pattern === undefined ? {} : { pattern }) }),
    }),
  };
}

function orEmpty(allowed: string, setting: Setting): string {
  return setting.mayBeEmpty === true ? `${allowed}, or empty` : allowed;
}

const PREVIEW_CHARACTERS = 80;

/** A value as an error shows it, on one line and not at length. What may hold a password inside is not shown. */
export function preview(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'string' && value.includes('@')) return 'what stands there';
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length > PREVIEW_CHARACTERS ? `${text.slice(0, PREVIEW_CHARACTERS)}…` : text;
}
