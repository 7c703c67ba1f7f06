import type { Expression } from './ast.ts';

/** Whether the predicate holds for the expression or anything in it. */
export function someExpression(tree: unknown, predicate: (expression: Expression) => boolean): boolean {
  if (typeof tree !== 'object' || tree === null) return false;
  if ('form' in tree && predicate(tree as Expression)) return true;
  return Object.values(tree).some((part) => someExpression(part, predicate));
}

/** The parts of `a AND b AND c`. */
export function conjunctsOf(tree: Expression | undefined): Expression[] {
  if (tree === undefined) return [];
  return tree.form === 'and' ? [...conjunctsOf(tree.left), ...conjunctsOf(tree.right)] : [tree];
}
