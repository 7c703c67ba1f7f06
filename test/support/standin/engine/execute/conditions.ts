/** Conditions in three-valued logic: null is unknown. */
import { SqlFault } from '../faults.ts';
import type { ComparisonOperator, Expression } from '../sql/ast.ts';
import type { Value } from '../types.ts';
import { compareValues, toText } from '../values/convert.ts';
import type { Evaluation, SessionContext } from './context.ts';
import type { CompiledExpression } from './expressions.ts';
import { compileExpression } from './expressions.ts';
import type { Scope } from './scope.ts';

export type Test = (evaluation: Evaluation) => boolean | null;

/** ORA-00920 for what is no condition. */
export function compileCondition(tree: Expression, scope: Scope, context: SessionContext): Test {
  const compile = (expression: Expression): CompiledExpression => compileExpression(expression, scope, context);
  switch (tree.form) {
    case 'and':
    case 'or': {
      const left = compileCondition(tree.left, scope, context);
      const right = compileCondition(tree.right, scope, context);
      return tree.form === 'and' ? conjunction(left, right) : disjunction(left, right);
    }
    case 'not':
      return negation(compileCondition(tree.argument, scope, context), true);
    case 'comparison':
      return comparison(tree.operator, compile(tree.left), compile(tree.right), context);
    case 'isNull': {
      const { evaluate } = compile(tree.argument);
      return (evaluation) => (evaluate(evaluation) === null) !== tree.negated;
    }
    case 'in': {
      const argument = compile(tree.argument);
      const tests = tree.list.map((item) => comparison('=', argument, compile(item), context));
      return negation(tests.reduce(disjunction), tree.negated);
    }
    case 'between': {
      const argument = compile(tree.argument);
      const low = comparison('>=', argument, compile(tree.low), context);
      const high = comparison('<=', argument, compile(tree.high), context);
      return negation(conjunction(low, high), tree.negated);
    }
    case 'like': {
      const escape = tree.escape === undefined ? undefined : compile(tree.escape);
      return negation(like(compile(tree.argument), compile(tree.pattern), escape, context), tree.negated);
    }
    case 'cursorAttribute': {
      if (tree.name === 'ROWCOUNT') throw new SqlFault(920);
      const found = tree.name === 'FOUND';
      return ({ rowCount }) => rowCount > 0 === found;
    }
    case 'literal':
    case 'bind':
    case 'column':
    case 'call':
    case 'cast':
    case 'negate':
    case 'arithmetic':
      break;
  }
  throw new SqlFault(920);
}

function conjunction(left: Test, right: Test): Test {
  return (evaluation) => {
    const a = left(evaluation);
    if (a === false) return false;
    const b = right(evaluation);
    return b === false ? false : a === null || b === null ? null : true;
  };
}

function disjunction(left: Test, right: Test): Test {
  return (evaluation) => {
    const a = left(evaluation);
    if (a === true) return true;
    const b = right(evaluation);
    return b === true ? true : a === null || b === null ? null : false;
  };
}

function negation(test: Test, negated: boolean): Test {
  if (!negated) return test;
  return (evaluation) => {
    const result = test(evaluation);
    return result === null ? null : !result;
  };
}

const HOLDS: Readonly<Record<ComparisonOperator, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

function withoutPadding(value: Value): Value {
  return typeof value === 'string' ? value.replace(/ +$/, '') : value;
}

function comparison(
  operator: ComparisonOperator,
  left: CompiledExpression,
  right: CompiledExpression,
  context: SessionContext,
): Test {
  const holds = HOLDS[operator];
  const isPadded = left.type.type === 'CHAR' && right.type.type === 'CHAR';
  const prepare = isPadded ? withoutPadding : (value: Value): Value => value;
  return (evaluation) => {
    const a = prepare(left.evaluate(evaluation));
    const b = prepare(right.evaluate(evaluation));
    return a === null || b === null ? null : holds(compareValues(a, b, context));
  };
}

function likePattern(pattern: string, escape: string | undefined): RegExp {
  let source = '';
  const characters = Array.from(pattern);
  for (let i = 0; i < characters.length; i++) {
    let character = characters[i]!;
    const isEscaped = character === escape && i + 1 < characters.length;
    if (isEscaped) character = characters[++i]!;
    if (!isEscaped && character === '%') source += '[\\s\\S]*';
    else if (!isEscaped && character === '_') source += '[\\s\\S]';
    else source += character.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  }
  return new RegExp(`^${source}$`, 'u');
}

function like(
  argument: CompiledExpression,
  pattern: CompiledExpression,
  escape: CompiledExpression | undefined,
  context: SessionContext,
): Test {
  return (evaluation) => {
    const value = argument.evaluate(evaluation);
    const model = pattern.evaluate(evaluation);
    if (value === null || model === null) return null;
    const mark = escape?.evaluate(evaluation) ?? null;
    const expression = likePattern(toText(model, context), mark === null ? undefined : toText(mark, context));
    return expression.test(toText(value, context, argument.type.type));
  };
}
