import type { ValueType } from '../sql/ast.ts';
import type { Value } from '../types.ts';
import type { NonNull } from '../values/convert.ts';
import { compareValues, keyOf, toNumber } from '../values/convert.ts';
import type { NumberValue } from '../values/decimal.ts';
import { calculate, calculateDouble, toDouble } from '../values/decimal.ts';
import type { Evaluation, SessionContext } from './context.ts';

interface Accumulator {
  add(value: NonNull): void;
  result(): Value;
}

/** An aggregate function of a query: its argument for each row, and a fresh accumulator for each group. */
export interface Aggregate {
  /** undefined for COUNT(*). */
  readonly argument: ((evaluation: Evaluation) => Value) | undefined;
  readonly distinct: boolean;
  create(): Accumulator;
}

const NUMBER: ValueType = { type: 'NUMBER', maxBytes: 22 };

type Factory = (type: ValueType, context: SessionContext) => () => Accumulator;

function count(): Accumulator {
  let rows = 0;
  return { add: () => void rows++, result: () => rows };
}

function extreme(sign: 1 | -1): Factory {
  return (_type, context) => () => {
    let best: NonNull | undefined;
    return {
      add: (value) => {
        if (best === undefined || compareValues(value, best, context) * sign > 0) best = value;
      },
      result: () => best ?? null,
    };
  };
}

function isDouble(type: ValueType): boolean {
  return type.type === 'BINARY_DOUBLE' || type.type === 'BINARY_FLOAT';
}

function sum(average: boolean): Factory {
  return (type) => () => {
    let total: NumberValue = 0;
    let rows = 0;
    const add = isDouble(type)
      ? (value: NumberValue): number => calculateDouble('+', toDouble(total), toDouble(value))
      : (value: NumberValue): NumberValue => calculate('+', total, value);
    return {
      add: (value) => {
        total = add(toNumber(value));
        rows++;
      },
      result: () => {
        if (rows === 0) return null;
        if (!average) return total;
        return isDouble(type) ? toDouble(total) / rows : calculate('/', total, rows);
      },
    };
  };
}

const FACTORIES: Readonly<Record<string, Factory>> = {
  COUNT: () => count,
  MIN: extreme(-1),
  MAX: extreme(1),
  SUM: sum(false),
  AVG: sum(true),
};

export function isAggregate(name: string): boolean {
  return Object.hasOwn(FACTORIES, name);
}

export function aggregateType(name: string, argument: ValueType): ValueType {
  if (name === 'MIN' || name === 'MAX') return argument;
  return name !== 'COUNT' && isDouble(argument) ? argument : NUMBER;
}

export function createAggregate(
  name: string,
  argument: Aggregate['argument'],
  type: ValueType,
  distinct: boolean,
  context: SessionContext,
): Aggregate {
  return { argument, distinct, create: FACTORIES[name]!(type, context) };
}

/** Runs the aggregates of one group. */
export class GroupState {
  readonly #states: { readonly aggregate: Aggregate; readonly accumulator: Accumulator; readonly seen: Set<unknown> }[];

  constructor(aggregates: readonly Aggregate[]) {
    this.#states = aggregates.map((aggregate) => ({
      aggregate,
      accumulator: aggregate.create(),
      seen: new Set(),
    }));
  }

  add(evaluation: Evaluation): void {
    for (const { aggregate, accumulator, seen } of this.#states) {
      const value = aggregate.argument === undefined ? 1 : aggregate.argument(evaluation);
      if (value === null) continue;
      if (aggregate.distinct) {
        const key = keyOf(value);
        if (seen.has(key)) continue;
        seen.add(key);
      }
      accumulator.add(value);
    }
  }

  results(): Value[] {
    return this.#states.map(({ accumulator }) => accumulator.result());
  }
}
