import { suggestion } from './suggestion.ts';

/*
 * Objects inside of one setting, such as a subscription or the mapping of a payload format: each describes its keys in
 * a table of fields, from which it is checked, completed and documented. A field may hold such an object, or a list of
 * them, in turn.
 */

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

/** An object as it was read, checked or not. */
export type Given = Readonly<Record<string, unknown>>;

/** One key of an object. */
export interface Field<T = unknown> {
  /** What it does, and what it may be: the end of a line of the reference. */
  readonly doc: string;
  /** Without description and default. */
  readonly jsonSchema: JsonSchema;
  /** What holds where the key is left out, undefined: nothing; absent: it must be given. */
  readonly default?: T | undefined;
  /**
   * `beside`: the object that the key stands in, with its defaults. The value of a key that must be given may be
   * undefined.
   */
  check(value: unknown, beside: Given): readonly Problem[];
  /** Completes a good value; absent: it is complete as it is. */
  complete?(value: T): T;
}

export type Fields<T extends object = object> = { readonly [K in keyof T]: Field<T[K]> };

/** No problem, or one. */
export function unless(isGood: boolean, must: string, got?: unknown): Problem[] {
  return isGood ? [] : [{ must, ...(got === undefined ? {} : { got }) }];
}

/** The same problems one level further out. */
export function under(path: string, problems: readonly Problem[]): Problem[] {
  return problems.map((problem) => ({ ...problem, at: path + (problem.at ?? '') }));
}

export function isGiven(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is wrong with an object of these fields. `example`: what it could be, in an error. */
export function objectProblems(fields: Fields, value: unknown, example: string): Problem[] {
  if (!isGiven(value)) return [{ must: `must be an object, such as ${example}`, got: value }];
  const unknown = unknownKeys(value, Object.keys(fields));
  const beside = { ...defaultsOf(fields), ...value };
  const wrong = entriesOf(fields).flatMap(([name, field]) => under(`.${name}`, field.check(beside[name], beside)));
  return [...unknown, ...wrong];
}

/** Keys that an object must not have. */
export function unknownKeys(value: object, known: readonly string[]): Problem[] {
  return Object.keys(value)
    .filter((name) => !known.includes(name))
    .map((name) => ({ at: `.${name}`, must: `is not a known key${suggestion(name, known)}` }));
}

/** What is wrong with the items of a list. */
export function itemProblems(list: readonly unknown[], check: (item: unknown) => readonly Problem[]): Problem[] {
  return list.flatMap((item, i) => under(`[${i}]`, check(item)));
}

/**
 * A good object with what was left out, in the order of the fields; fields without a default must be there. Those whose
 * default is undefined stay left out.
 */
export function completed<T extends object>(fields: Fields<T>, given: Partial<T>): T {
  const values = entriesOf(fields).map(([name, field]) => {
    const value = Object.hasOwn(given, name) ? (given as Given)[name] : field.default;
    return [name, field.complete === undefined ? value : field.complete(value)] as const;
  });
  return Object.fromEntries(values.filter(([, value]) => value !== undefined)) as T;
}

/** The schema of an object of these fields. */
export function fieldsJsonSchema(fields: Fields): JsonSchema {
  const properties = entriesOf(fields).map(([name, field]) => {
    const value = 'default' in field ? { default: field.default } : {};
    return [name, { description: field.doc, ...field.jsonSchema, ...value }] as const;
  });
  return {
    type: 'object',
    additionalProperties: false,
    required: entriesOf(fields).flatMap(([name, field]) => ('default' in field ? [] : [name])),
    properties: Object.fromEntries(properties),
  };
}

function defaultsOf(fields: Fields): Given {
  return Object.fromEntries(
    entriesOf(fields).flatMap(([name, field]) => ('default' in field ? [[name, field.default]] : [])),
  );
}

/** The fields of an object, by their names and in their order. */
export function entriesOf(fields: Fields): [string, Field][] {
  return Object.entries<Field>(fields as Readonly<Record<string, Field>>);
}
