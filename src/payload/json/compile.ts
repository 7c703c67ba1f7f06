import { suggestion } from '../../core/suggestion.ts';
import { compileRow, type CompiledRow, type MappingProblem } from './compile-row.ts';
import { compileConditions, type Test } from './conditions.ts';
import { isObject } from './cursor.ts';
import { compileDictionary, type CompiledDictionary } from './dictionary.ts';
import type { JsonOptions, Mapping, MappingPlace, MessageMapping, RowMapping } from './mapping.ts';
import { DEFAULT_MAX_INFLATED_BYTES, MESSAGE_KEYS, ROW_KEYS } from './mapping-keys.ts';
import { MappingError } from './paths.ts';
import { resolveMapping } from './resolve.ts';
import { topicLevels } from './templates.ts';

export interface CompiledMapping {
  readonly when: Test | undefined;
  readonly isArrayOfDocuments: boolean;
  readonly compression: NonNullable<MessageMapping['compression']>;
  readonly maxInflatedBytes: number;
  readonly notFinite: NonNullable<MessageMapping['notFinite']>;
  readonly dictionary: CompiledDictionary | undefined;
  readonly rows: readonly CompiledRow[];
}

/** What is wrong with options as they stand in a configuration, each with its place in them: `.rows[0].each`. */
export function checkMapping(given: unknown, place: MappingPlace): MappingProblem[] {
  const wrong = checkKeys(given);
  if (wrong.length > 0) return wrong;
  const options = given as JsonOptions;
  const problems: MappingProblem[] = [];
  const mapping = resolveMapping(options, place);
  compile(mapping, options, problems);
  // Messages that tell names come on other topics than those that the rows are for.
  const withLevels = mapping.dictionary === undefined ? mapping.rows : [];
  const levels = withLevels.flatMap((row, i) => checkLevels(row, placeOfRow(options, i), place.topic));
  return [...problems, ...levels];
}

/** Where the keys of a row stand: the user who wrote no rows wrote them beside. */
function placeOfRow(options: JsonOptions, index: number): string {
  return options.rows === undefined ? '' : `.rows[${index}]`;
}

/** A template must not name a level that no topic of the filter has. */
function checkLevels(row: RowMapping, at: string, filter: string): MappingProblem[] {
  const count = levelCount(filter);
  const templates: readonly (readonly [string, readonly string[]])[] = [
    ...(['plc', 'tag', 'table'] as const).map((key) => [key, [row[key] ?? []].flat()] as const),
    ...Object.entries(row.columns ?? {}).map(
      ([name, source]) => [`columns.${name}`, typeof source === 'string' ? [source] : []] as const,
    ),
  ];
  return templates.flatMap(([key, texts]): MappingProblem[] => {
    const highest = Math.max(0, ...texts.flatMap(topicLevels));
    if (highest <= count) return [];
    const must = `must not name level ${highest}: the topic ${JSON.stringify(filter)} has ${count}`;
    return [{ at: `${at}.${key}`, must }];
  });
}

function levelCount(filter: string): number {
  const levels = filter.split('/');
  if (levels.at(-1) === '#') return Number.POSITIVE_INFINITY;
  return levels[0] === '$share' ? levels.length - 2 : levels.length;
}

/** `options` must have passed `checkMapping`; throws the first thing that is wrong with it else. */
export function compileMapping(options: JsonOptions, place: MappingPlace): CompiledMapping {
  const problems: MappingProblem[] = [];
  const compiled = compile(resolveMapping(options, place), options, problems);
  const [first] = problems;
  if (first !== undefined) throw new Error(`json${first.at} ${first.must}`);
  return compiled;
}

function compile(mapping: Mapping, options: JsonOptions, problems: MappingProblem[]): CompiledMapping {
  return {
    when: attempt('.when', mapping.when, (when) => compileConditions(when, 0), problems),
    isArrayOfDocuments: mapping.arrayOfDocuments ?? false,
    compression: mapping.compression ?? 'auto',
    maxInflatedBytes: mapping.maxInflatedBytes ?? DEFAULT_MAX_INFLATED_BYTES,
    notFinite: mapping.notFinite ?? 'reject',
    dictionary: attempt('.dictionary', mapping.dictionary, compileDictionary, problems),
    rows: mapping.rows.map((row, i) => compileRow(row, placeOfRow(options, i), problems)),
  };
}

function attempt<Given, Compiled>(
  at: string,
  given: Given | undefined,
  compileIt: (given: Given) => Compiled,
  problems: MappingProblem[],
): Compiled | undefined {
  if (given === undefined) return undefined;
  try {
    return compileIt(given);
  } catch (thrown) {
    if (!(thrown instanceof MappingError)) throw thrown;
    problems.push({ at, must: thrown.message });
    return undefined;
  }
}

function checkKeys(given: unknown): MappingProblem[] {
  if (!isObject(given)) return [{ at: '', must: 'must be an object, such as { "preset": "kepware" }', got: given }];
  const rows = Array.isArray(given['rows']) ? (given['rows'] as readonly unknown[]) : [];
  return [
    ...checkObject(given, '', { ...ROW_KEYS, ...MESSAGE_KEYS }),
    ...rows.flatMap((row, i): MappingProblem[] => {
      const at = `.rows[${i}]`;
      return isObject(row)
        ? checkObject(row, at, ROW_KEYS)
        : [{ at, must: 'must be an object of the keys of a mapping', got: row }];
    }),
  ];
}

function checkObject(
  given: Readonly<Record<string, unknown>>,
  at: string,
  keys: Readonly<Record<string, { readonly shape: { readonly allowed: string; isGood(value: unknown): boolean } }>>,
): MappingProblem[] {
  return Object.entries(given).flatMap(([name, value]): MappingProblem[] => {
    const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (key === undefined)
      return [{ at: `${at}.${name}`, must: `is not a known key${suggestion(name, Object.keys(keys))}` }];
    return key.shape.isGood(value) ? [] : [{ at: `${at}.${name}`, must: `must be ${key.shape.allowed}`, got: value }];
  });
}
