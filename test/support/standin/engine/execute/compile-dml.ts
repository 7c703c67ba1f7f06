/**
 * INSERT, UPDATE, DELETE and MERGE as statements of one row of binds: on their own in an array, or inside a PL/SQL
 * block.
 */
import type { DmlTree } from '../sql/ast.ts';
import { compileDelete, compileUpdate } from './change.ts';
import type { SessionContext } from './context.ts';
import { compileInsertRow } from './insert.ts';
import { compileMerge } from './merge.ts';
import type { RowStatement } from './plan.ts';

/** Throws the ORA error of names and types that do not fit. */
export function compileDml(tree: DmlTree, context: SessionContext): RowStatement {
  switch (tree.form) {
    case 'insert':
      return compileInsertRow(tree, context);
    case 'update':
      return compileUpdate(tree, context);
    case 'delete':
      return compileDelete(tree, context);
    case 'merge':
      break;
  }
  return compileMerge(tree, context);
}
