/**
 * Syntax trees to closures. Names are resolved and types are known once compiled; nulls and conversions are met when
 * run.
 */
import { SqlFault } from '../faults.ts';
import type { Expression, FunctionCall, ValueType } from '../sql/ast.ts';
import type { Value } from '../types.ts';
import { Timestamp } from '../types.ts';
import { columnConverter } from '../values/column-converter.ts';
import type { NonNull } from '../values/convert.ts';
import { toNumber, toDoubleOperand, toText, typeNameOf } from '../values/convert.ts';
import { DATE_TYPE } from '../values/datetime.ts';
import type { Arithmetic, NumberValue } from '../values/decimal.ts';
import { calculate, calculateDouble, toDouble } from '../values/decimal.ts';
import { aggregateType, createAggregate, isAggregate } from './aggregates.ts';
import type { Evaluation, SessionContext } from './context.ts';
import { findFunction, NUMBER_TYPE, textType } from './functions.ts';
import type { Scope } from './scope.ts';
import { expressionKey, Scope as RowScope } from './scope.ts';

export type Evaluate = (evaluation: Evaluation) => Value;

export interface CompiledExpression {
  readonly type: ValueType;
  readonly nullable: boolean;
  readonly evaluate: Evaluate;
}

const MS_PER_DAY = 86_400_000;

/** Throws ORA-00904 and the like for unknown names, ORA-00909 for a wrong number of arguments. */
export function compileExpression(tree: Expression, scope: Scope, context: SessionContext): CompiledExpression {
  const isGroupKey = scope.grouping !== undefined && scope.grouping.keys.has(expressionKey(tree));
  return compileForm(tree, isGroupKey ? new RowScope(scope.sources) : scope, context);
}

function compileForm(tree: Expression, scope: Scope, context: SessionContext): CompiledExpression {
  switch (tree.form) {
    case 'literal': {
      const { value, type } = tree;
      return { type, nullable: value === null, evaluate: () => value };
    }
    case 'bind': {
      const { index } = tree;
      const type = textType(context.maxStringBytes);
      return { type, nullable: true, evaluate: ({ binds }) => emptyIsNull(binds[index]!) };
    }
    case 'column': {
      const { index, column } = scope.resolve(tree);
      if (scope.grouping !== undefined) {
        throw new SqlFault(scope.grouping.keys.size === 0 ? 937 : 979, {}, tree.position);
      }
      const plain: Evaluate = ({ row }) => row[index]!;
      const isLocal = column.type === 'TIMESTAMP WITH LOCAL TIME ZONE';
      const evaluate = isLocal ? inSessionsZone(plain, context) : plain;
      return { type: column, nullable: column.nullable, evaluate };
    }
    case 'call':
      return compileCall(tree, scope, context);
    case 'cast': {
      const { evaluate, nullable } = compileExpression(tree.argument, scope, context);
      const convert = columnConverter({ name: '', type: tree.type, path: '' }, context);
      const cast = (value: Value): Value => (value === null ? null : convert(value));
      return { type: tree.type, nullable, evaluate: (evaluation) => cast(evaluate(evaluation)) };
    }
    case 'negate':
      return compileArithmetic('-', { form: 'literal', value: 0, type: NUMBER_TYPE }, tree.argument, scope, context);
    case 'arithmetic':
      return tree.operator === '||'
        ? compileConcatenation(tree.left, tree.right, scope, context)
        : compileArithmetic(tree.operator, tree.left, tree.right, scope, context);
    case 'cursorAttribute':
      if (tree.name !== 'ROWCOUNT') throw new SqlFault(936);
      return { type: NUMBER_TYPE, nullable: true, evaluate: ({ rowCount }) => rowCount };
    case 'and':
    case 'or':
    case 'not':
    case 'comparison':
    case 'isNull':
    case 'in':
    case 'between':
    case 'like':
      break;
  }
  throw new SqlFault(907);
}

function emptyIsNull(value: Value): Value {
  return value === '' ? null : value;
}

function compileCall(tree: FunctionCall, scope: Scope, context: SessionContext): CompiledExpression {
  if (isAggregate(tree.name)) return compileAggregate(tree, scope, context);
  if (tree.name === 'ROWNUM') {
    return { type: NUMBER_TYPE, nullable: false, evaluate: ({ rowNumber }) => rowNumber };
  }
  const found = findFunction(tree.name);
  if (found === undefined) throw new SqlFault(904, { name: `"${tree.name}"` }, tree.position);
  if (tree.star || tree.args.length < found.minArgs || tree.args.length > found.maxArgs) {
    throw new SqlFault(909, {}, tree.position);
  }
  const args = tree.args.map((argument) => compileExpression(argument, scope, context));
  const types = args.map((argument) => argument.type);
  return {
    type: found.type(types),
    nullable: true,
    evaluate: (evaluation) => {
      const values = args.map((argument) => argument.evaluate(evaluation));
      if (found.acceptsNull !== true && values.includes(null)) return null;
      return found.call(values as NonNull[], context, types);
    },
  };
}

function compileAggregate(tree: FunctionCall, scope: Scope, context: SessionContext): CompiledExpression {
  const { grouping } = scope;
  if (grouping === undefined) throw new SqlFault(934, {}, tree.position);
  if (tree.star ? tree.name !== 'COUNT' : tree.args.length !== 1) throw new SqlFault(909, {}, tree.position);
  const argument = tree.star ? undefined : compileExpression(tree.args[0]!, new RowScope(scope.sources), context);
  const argumentType = argument?.type ?? NUMBER_TYPE;
  const aggregate = createAggregate(tree.name, argument?.evaluate, argumentType, tree.distinct, context);
  const slot = grouping.aggregates.push(aggregate) - 1;
  return {
    type: aggregateType(tree.name, argumentType),
    nullable: tree.name !== 'COUNT',
    evaluate: ({ aggregates }) => aggregates[slot]!,
  };
}

function compileConcatenation(
  leftTree: Expression,
  rightTree: Expression,
  scope: Scope,
  context: SessionContext,
): CompiledExpression {
  const left = compileExpression(leftTree, scope, context);
  const right = compileExpression(rightTree, scope, context);
  const textOf = (operand: CompiledExpression, evaluation: Evaluation): string => {
    const value = operand.evaluate(evaluation);
    return value === null ? '' : toText(value, context, operand.type.type);
  };
  return {
    type: textType(Math.max(1, left.type.maxBytes + right.type.maxBytes)),
    nullable: left.nullable && right.nullable,
    evaluate: (evaluation) => emptyIsNull(textOf(left, evaluation) + textOf(right, evaluation)),
  };
}

/** What is stored WITH LOCAL TIME ZONE is read in the zone of whoever reads. */
function inSessionsZone(evaluate: Evaluate, { settings }: SessionContext): Evaluate {
  return (evaluation) => {
    const value = evaluate(evaluation);
    return value instanceof Timestamp ? new Timestamp(value.ms, value.ns, settings.offsetMinutes) : value;
  };
}

function isDouble({ type }: CompiledExpression): boolean {
  return type.type === 'BINARY_DOUBLE' || type.type === 'BINARY_FLOAT';
}

function isDate({ type }: CompiledExpression): boolean {
  return type.type === 'DATE' || type.type.startsWith('TIMESTAMP');
}

function compileArithmetic(
  operator: Arithmetic,
  leftTree: Expression,
  rightTree: Expression,
  scope: Scope,
  context: SessionContext,
): CompiledExpression {
  const left = compileExpression(leftTree, scope, context);
  const right = compileExpression(rightTree, scope, context);
  if (isDate(left) || isDate(right)) return dateArithmetic(operator, left, right);
  const asDouble = isDouble(left) || isDouble(right);
  const apply = asDouble
    ? (a: NumberValue, b: NumberValue): Value => calculateDouble(operator, toDouble(a), toDouble(b)) + 0
    : (a: NumberValue, b: NumberValue): Value => calculate(operator, a, b);
  const convert = asDouble ? toDoubleOperand : toNumber;
  return {
    type: asDouble ? { type: 'BINARY_DOUBLE', maxBytes: 8 } : NUMBER_TYPE,
    nullable: left.nullable || right.nullable,
    evaluate: (evaluation) => {
      const a = left.evaluate(evaluation);
      const b = right.evaluate(evaluation);
      return a === null || b === null ? null : apply(convert(a), convert(b));
    },
  };
}

/** DATE ± days, days + DATE, DATE - DATE. */
function dateArithmetic(operator: Arithmetic, left: CompiledExpression, right: CompiledExpression): CompiledExpression {
  const isDifference = operator === '-' && isDate(left) && isDate(right);
  if (!isDifference && ((operator !== '+' && operator !== '-') || (isDate(left) && isDate(right)))) {
    throw new SqlFault(932, { expected: 'NUMBER', actual: (isDate(left) ? left : right).type.type });
  }
  return {
    type: isDifference ? NUMBER_TYPE : DATE_TYPE,
    nullable: left.nullable || right.nullable,
    evaluate: (evaluation) => {
      const a = left.evaluate(evaluation);
      const b = right.evaluate(evaluation);
      if (a === null || b === null) return null;
      if (a instanceof Timestamp && b instanceof Timestamp) return calculate('/', a.ms - b.ms, MS_PER_DAY);
      const [date, days] = a instanceof Timestamp ? [a, b] : [b, a];
      if (!(date instanceof Timestamp)) throw new SqlFault(932, { expected: 'DATE', actual: typeNameOf(date) });
      const shiftMs = Math.round(toDouble(toNumber(days)) * MS_PER_DAY) * (operator === '-' ? -1 : 1);
      return new Timestamp(date.ms + shiftMs, date.ns, date.offsetMinutes);
    },
  };
}
