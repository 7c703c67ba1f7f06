import type { StatementTree } from '../sql/ast.ts';
import type { Steps } from '../storage/waiting.ts';
import type { ExecuteResult } from '../types.ts';
import { executeArray } from './array-execution.ts';
import { compileDml } from './compile-dml.ts';
import type { SessionContext } from './context.ts';
import { executeDdl } from './ddl.ts';
import { compileInsert } from './insert.ts';
import type { Plan, RowStatement } from './plan.ts';
import { compileBlock } from './plsql.ts';
import { compileSelect } from './select.ts';

const NOTHING: ExecuteResult = { rowCount: 0, rowCounts: [], batchErrors: [], rows: [] };

function arrayPlan(statement: RowStatement, context: SessionContext): Plan {
  return { columns: [], execute: (rows, options) => executeArray(rows, options, context, statement) };
}

function immediatePlan(action: () => void): Plan {
  return {
    columns: [],
    // oxlint-disable-next-line require-yield -- like any other plan, but it waits for nobody
    *execute(): Steps<ExecuteResult> {
      action();
      return NOTHING;
    },
  };
}

/** Resolves all names. Throws the ORA error of a statement that can't be executed. */
export function compileStatement(tree: StatementTree, context: SessionContext): Plan {
  switch (tree.form) {
    case 'select':
      return compileSelect(tree, context);
    case 'insert':
      return compileInsert(tree, context);
    case 'update':
    case 'delete':
    case 'merge':
      return arrayPlan(compileDml(tree, context), context);
    case 'block':
      return arrayPlan(compileBlock(tree, context), context);
    case 'commit':
      return immediatePlan(() => context.commit());
    case 'rollback':
      return immediatePlan(() => context.rollback());
    case 'alterSession':
    case 'ignored':
      return immediatePlan(() => executeDdl(tree, context));
    case 'createTable':
    case 'dropTable':
    case 'truncateTable':
    case 'addConstraints':
    case 'dropConstraint':
    case 'createSynonym':
    case 'dropSynonym':
    case 'createIndex':
    case 'dropIndex':
    case 'grant':
    case 'revoke':
      break;
  }
  return immediatePlan(() => {
    context.commit();
    executeDdl(tree, context);
  });
}
