import { compilePatterns } from '../patterns.ts';
import { compileQuality, DEFAULT_QUALITY } from '../quality.ts';
import { compileTextMeanings } from '../text-values.ts';
import { compileTimeForm, timeOfSecondsAndNanos, type TimeSource } from '../time-forms.ts';
import { isTimeZone } from '../time-zone.ts';
import { compileConditions, type Test } from './conditions.ts';
import { type Cursor, type Reader, scalarText } from './cursor.ts';
import { LongNumber } from './exact-parser.ts';
import { jsonText } from './json-text.ts';
import type { ColumnSource, RowMapping, Source } from './mapping.ts';
import type { CompiledColumn } from './row-columns.ts';
import { compilePath, MappingError, parseEach, type Step } from './paths.ts';
import { compileTemplate, firstTemplate, isOfMessage, type Template } from './templates.ts';

/** What is wrong with a mapping: where in it, and what must be there instead. */
export interface MappingProblem {
  readonly at: string;
  readonly must: string;
  readonly got?: unknown;
}

/** A row mapping with all of its texts turned into functions. */
export interface CompiledRow {
  readonly each: string;
  readonly steps: readonly Step[];
  readonly isOptional: boolean;
  /** The step of the last `*`, whose arrays get names; -1: none does. */
  readonly namedStep: number;
  readonly names: Reader;
  readonly carry: readonly string[];
  readonly when: Test | undefined;
  /** Undefined: the rows bear no PLC code. */
  readonly plc: Template | undefined;
  readonly isPlcOfMessage: boolean;
  readonly tag: Template;
  /** Undefined: the address is the name. */
  readonly table: Template | undefined;
  readonly isTableOfMessage: boolean;
  readonly value: Reader;
  readonly missing: 'reject' | 'null' | 'skip';
  readonly nested: 'reject' | 'text';
  readonly flatten: string | undefined;
  readonly nulls: ReadonlySet<unknown> | undefined;
  readonly textMeaning: ReturnType<typeof compileTextMeanings>;
  /** What the time is read from. */
  readonly time: Reader | undefined;
  /** Epoch milliseconds; NaN for what is no time. */
  readonly readTime: (found: unknown, source: TimeSource) => number;
  readonly timeFormat: string;
  readonly quality: (at: Cursor) => string;
  /** Where the quality is. */
  readonly qualitySource: Reader;
  readonly columns: readonly CompiledColumn[];
  /** The destination of the rows; undefined: that of the subscription. */
  readonly to: string | undefined;
  readonly isIncluded: ((key: string) => boolean) | undefined;
  readonly isExcluded: ((key: string) => boolean) | undefined;
}

const NOTHING: Reader = () => undefined;

/** In place of a mapping that means nothing. */
const NO_ROWS: CompiledRow = {
  each: '',
  steps: [],
  isOptional: false,
  namedStep: -1,
  names: NOTHING,
  carry: [],
  when: undefined,
  plc: undefined,
  isPlcOfMessage: true,
  tag: () => undefined,
  table: undefined,
  isTableOfMessage: true,
  value: NOTHING,
  missing: 'reject',
  nested: 'reject',
  flatten: undefined,
  nulls: undefined,
  textMeaning: undefined,
  time: undefined,
  readTime: () => Number.NaN,
  timeFormat: '',
  quality: () => DEFAULT_QUALITY,
  qualitySource: NOTHING,
  columns: [],
  to: undefined,
  isIncluded: undefined,
  isExcluded: undefined,
};

/** Compiles a row mapping whose keys are of the right kind. What is wrong with their texts is added to `problems`. */
export function compileRow(row: RowMapping, at: string, problems: MappingProblem[]): CompiledRow {
  /** Runs one part of the work, and takes its error down with the key's name. */
  const part = <T>(key: string, got: unknown, compile: () => T, otherwise: T): T => {
    try {
      return compile();
    } catch (thrown) {
      if (!(thrown instanceof MappingError)) throw thrown;
      problems.push({ at: `${at}.${key}`, must: thrown.message, got });
      return otherwise;
    }
  };
  const each = row.each ?? '/';
  const steps = part('each', each, () => parseEach(each), []);
  // How far up its paths may lead can't be said of items that are nowhere.
  if (problems.some((problem) => problem.at === `${at}.each`)) return NO_ROWS;
  const depth = steps.length;
  const namedStep = row.names === undefined ? -1 : steps.findLastIndex(({ kind }) => kind === 'every');
  const pathOf = (path: string): Reader => compilePath(path, depth);
  return {
    each,
    steps,
    isOptional: row.optional ?? false,
    namedStep,
    names: part('names', row.names, () => compileNames(row.names, namedStep), NOTHING),
    carry: row.carry ?? [],
    when: part('when', row.when, () => row.when && compileConditions(row.when, depth), undefined),
    plc: part('plc', row.plc, () => (row.plc === undefined ? undefined : compileTemplates(row.plc, depth)), undefined),
    isPlcOfMessage: listOf(row.plc ?? []).every(isOfMessage),
    tag: part(
      'tag',
      row.tag,
      () => compileTag(row.tag, depth),
      () => undefined,
    ),
    table: part('table', row.table, () => row.table && compileTemplate(row.table, depth), undefined) || undefined,
    isTableOfMessage: isOfMessage(row.table ?? ''),
    value: part('value', row.value, () => compileValue(row.value, pathOf), NOTHING),
    missing: row.missing ?? 'reject',
    nested: row.nested ?? 'reject',
    flatten: row.flatten,
    nulls: row.nulls === undefined || row.nulls.length === 0 ? undefined : new Set(row.nulls),
    textMeaning: compileTextMeanings({
      numbersInText: row.numbersInText ?? false,
      decimalComma: row.decimalComma ?? false,
      words: row.words ?? {},
    }),
    ...compileTime(row, pathOf, part),
    quality: part(
      'quality',
      row.quality,
      () => compileQualityReader(row, pathOf),
      () => DEFAULT_QUALITY,
    ),
    // What is wrong with its paths has been said.
    qualitySource: attemptQuietly(() => (row.quality === undefined ? NOTHING : compileSources(row.quality, pathOf))),
    columns: compileColumns(row, depth, part),
    to: row.to,
    isIncluded: row.include === undefined ? undefined : compilePatterns(row.include),
    isExcluded: row.exclude === undefined ? undefined : compilePatterns(row.exclude),
  };
}

type Part = <T>(key: string, got: unknown, compile: () => T, otherwise: T) => T;

function compileTime(
  row: RowMapping,
  pathOf: (path: string) => Reader,
  part: Part,
): Pick<CompiledRow, 'time' | 'readTime' | 'timeFormat'> {
  const { timestamp, timestampFormat: format = 'iso', timeZone = 'UTC' } = row;
  if (!isTimeZone(timeZone)) {
    part('timeZone', timeZone, () => refuse('must be a time zone, such as "Europe/Berlin"'), undefined);
    return { time: undefined, readTime: () => Number.NaN, timeFormat: '' };
  }
  if (typeof format === 'object') {
    const [seconds, nanos] = part(
      'timestampFormat',
      format,
      () => [pathOf(format.seconds), pathOf(format.nanos)] as const,
      [NOTHING, NOTHING] as const,
    );
    return {
      time: (at) => {
        const parts = [seconds(at), nanos(at)];
        return parts.every((each) => each === undefined) ? undefined : parts;
      },
      readTime: (found, source) => {
        const [ofSeconds, ofNanos] = found as readonly unknown[];
        return timeOfSecondsAndNanos(ofSeconds, ofNanos, source);
      },
      timeFormat: 'seconds and nanoseconds',
    };
  }
  const readTime = part(
    'timestampFormat',
    format,
    () => {
      const form = compileTimeForm(format, timeZone);
      return typeof form === 'string'
        ? refuse(`must be a form of time that is known, or a date pattern; this one ${form}`)
        : form;
    },
    () => Number.NaN,
  );
  const time = part(
    'timestamp',
    timestamp,
    () => (timestamp === undefined ? undefined : compileSources(timestamp, pathOf)),
    undefined,
  );
  return { time, readTime, timeFormat: format };
}

function attemptQuietly(compile: () => Reader): Reader {
  try {
    return compile();
  } catch (thrown) {
    if (!(thrown instanceof MappingError)) throw thrown;
    return NOTHING;
  }
}

function compileColumns(row: RowMapping, depth: number, part: Part): CompiledColumn[] {
  return Object.entries(row.columns ?? {}).map(([name, source]): CompiledColumn => {
    const holds = columnHolds(source);
    const read = part(`columns.${name}`, source, () => compileColumnSource(source, depth), NOTHING);
    const readTime = part(
      `columns.${name}.timestampFormat`,
      source,
      () => (holds === 'time' ? compileColumnTime(source, row) : (): number => Number.NaN),
      (): number => Number.NaN,
    );
    return { name, holds, read, readTime };
  });
}

/** What a column of a mapping holds. */
export function columnHolds(source: ColumnSource): CompiledColumn['holds'] {
  return typeof source === 'object' && 'path' in source ? (source.type ?? 'text') : 'text';
}

function compileColumnSource(source: ColumnSource, depth: number): Reader {
  const pathOf = (path: string): Reader => compilePath(path, depth);
  if (typeof source === 'string' && /[{}]/.test(source)) return compileTemplate(source, depth);
  return compileSources(typeof source === 'object' && 'path' in source ? source.path : source, pathOf);
}

/** By the form of the row's time where it has none of its own. */
function compileColumnTime(source: ColumnSource, row: RowMapping): CompiledColumn['readTime'] {
  const own = typeof source === 'object' && 'path' in source ? source.timestampFormat : undefined;
  const format = own ?? (typeof row.timestampFormat === 'string' ? row.timestampFormat : 'iso');
  const { timeZone = 'UTC' } = row;
  const form = isTimeZone(timeZone) ? compileTimeForm(format, timeZone) : (): number => Number.NaN;
  return typeof form === 'string'
    ? refuse(`must be a form of time that is known, or a date pattern; this one ${form}`)
    : form;
}

function refuse(must: string): never {
  throw new MappingError(must);
}

function compileNames(names: string | undefined, namedStep: number): Reader {
  if (names === undefined) return NOTHING;
  return namedStep === -1 ? refuse('must not be given where "each" has no *') : compilePath(names, namedStep);
}

function compileTag(tag: RowMapping['tag'], depth: number): Template {
  if (tag === undefined) {
    return refuse(
      'must say where the tag address is, such as "{id}": "each" does not end with *, whose keys would be the tags',
    );
  }
  return compileTemplates(tag, depth);
}

function compileTemplates(given: string | readonly string[], depth: number): Template {
  return firstTemplate(listOf(given).map((text) => compileTemplate(text, depth)));
}

function compileValue(value: RowMapping['value'], pathOf: (path: string) => Reader): Reader {
  if (value === null) return () => null;
  return value === undefined ? pathOf('.') : compileSources(value, pathOf);
}

/** The first that is there. */
function compileSources(given: Source | readonly Source[], pathOf: (path: string) => Reader): Reader {
  const readers = listOf(given).map((source) =>
    typeof source === 'string' ? pathOf(source) : compileSum(source.sum, pathOf),
  );
  const [only] = readers;
  if (readers.length === 1 && only !== undefined) return only;
  return (at) => {
    for (let i = 0; i < readers.length; i += 1) {
      const found = readers[i]!(at);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** What is missing adds nothing; undefined where all is missing, or something is no number. */
function compileSum(paths: readonly string[], pathOf: (path: string) => Reader): Reader {
  const readers = paths.map(pathOf);
  return (at) => {
    const terms = readers.map((read) => read(at)).filter((term) => term !== undefined);
    if (terms.length === 1) return terms[0];
    const numbers = terms.map((term) => (term instanceof LongNumber ? Number(term.text) : term));
    if (numbers.length === 0 || !numbers.every((each) => typeof each === 'number')) return undefined;
    return numbers.reduce((sum, each) => sum + each, 0);
  };
}

function compileQualityReader(row: RowMapping, pathOf: (path: string) => Reader): (at: Cursor) => string {
  if (row.quality === undefined) return () => DEFAULT_QUALITY;
  const read = compileSources(row.quality, pathOf);
  const textOf = compileQuality(row.qualityScale, (given) => (typeof given === 'string' ? given : jsonText(given)));
  return (at) => {
    const found = read(at);
    if (found === undefined || found === null) return DEFAULT_QUALITY;
    if (found instanceof LongNumber) return scalarText(found, at)!;
    return textOf(found);
  };
}

function listOf<T>(given: T | readonly T[]): readonly T[] {
  return Array.isArray(given) ? (given as readonly T[]) : [given as T];
}
