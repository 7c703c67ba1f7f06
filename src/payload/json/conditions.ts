import { compilePattern } from '../patterns.ts';
import { isObject, type Cursor, type Reader } from './cursor.ts';
import { LongNumber } from './exact-parser.ts';
import type { Condition, Conditions, Kind, Scalar } from './mapping.ts';
import { compilePath, MappingError } from './paths.ts';

export type Test = (at: Cursor) => boolean;

type Matches = (found: unknown) => boolean;

const KINDS: Readonly<Record<Kind, Matches>> = {
  object: isObject,
  array: Array.isArray,
  text: (found) => typeof found === 'string',
  number: (found) => typeof found === 'number' || found instanceof LongNumber,
  boolean: (found) => typeof found === 'boolean',
  null: (found) => found === null,
};

/** All of the conditions; `depth` as in compilePath. Throws MappingError. */
export function compileConditions(conditions: Conditions, depth: number): Test {
  const tests = Object.entries(conditions).map(([path, condition]) => {
    const read = compileNamed(path, depth);
    const matches = compileCondition(condition);
    return (at: Cursor): boolean => matches(read(at));
  });
  return (at) => tests.every((test) => test(at));
}

function compileNamed(path: string, depth: number): Reader {
  try {
    return compilePath(path, depth);
  } catch (thrown) {
    if (!(thrown instanceof MappingError)) throw thrown;
    throw new MappingError(`must have paths for its keys: ${JSON.stringify(path)} ${thrown.message}`);
  }
}

function compileCondition(condition: Condition): Matches {
  if (isScalar(condition)) return anyOf([condition]);
  if (isList(condition)) return anyOf(condition);
  if ('exists' in condition) {
    const { exists } = condition;
    return (found) => (found !== undefined) === exists;
  }
  if ('is' in condition) {
    const { is } = condition;
    return (found) => is.some((kind) => KINDS[kind](found));
  }
  const matches = compileCondition(condition.not);
  return (found) => !matches(found);
}

function anyOf(wanted: readonly Scalar[]): Matches {
  const patterns = wanted.filter((each) => typeof each === 'string').map(compilePattern);
  const others = new Set<unknown>(wanted.filter((each) => typeof each !== 'string'));
  return (found) => {
    if (typeof found === 'string') return patterns.some((matches) => matches(found));
    return others.has(found instanceof LongNumber ? Number(found.text) : found);
  };
}

function isScalar(condition: Condition): condition is Scalar {
  return condition === null || typeof condition !== 'object';
}

function isList(given: Condition): given is readonly Scalar[] {
  return Array.isArray(given);
}
