/** SELECT as a statement: result values in the described types, row locks. */
import { SqlFault } from '../faults.ts';
import type { LockClause, SelectTree } from '../sql/ast.ts';
import type { Values } from '../storage/row.ts';
import type { Table } from '../storage/table.ts';
import type { Steps } from '../storage/waiting.ts';
import type { Column, ExecuteResult, Value } from '../types.ts';
import { toDoubleOperand, toNumber, toText, toTimestamp } from '../values/convert.ts';
import { toDouble } from '../values/decimal.ts';
import type { SessionContext } from './context.ts';
import type { Plan } from './plan.ts';
import type { CompiledQuery, QueryRow } from './query.ts';
import { compileQuery } from './query.ts';

const MS_PER_SECOND = 1000;

export function compileSelect(tree: SelectTree, context: SessionContext): Plan {
  const query = compileQuery(tree, context);
  const outputs = query.columns.map((column) => outputOf(column, context));
  const lock = tree.lock === undefined ? undefined : compileLock(tree, tree.lock, query, context);
  const counted = context.countOnly ? countedTable(tree, query) : undefined;
  return {
    columns: query.columns,
    *execute(bindRows): Steps<ExecuteResult> {
      const binds = bindRows[0] ?? [];
      if (counted !== undefined) return selected([[counted.countedRows]]);
      const rows = lock === undefined ? query.run(binds) : yield* lock(binds);
      return selected(rows.map(({ values }) => values.map((value, i) => outputs[i]!(value))));
    },
  };
}

function selected(rows: readonly Values[]): ExecuteResult {
  return { rowCount: rows.length, rowCounts: [], batchErrors: [], rows };
}

/** The table of `SELECT COUNT(*) FROM table`. */
function countedTable(tree: SelectTree, query: CompiledQuery): Table | undefined {
  const expression = tree.items.length === 1 ? tree.items[0]!.expression : undefined;
  const isCount = expression?.form === 'call' && expression.star && tree.where === undefined;
  return isCount && tree.groupBy.length === 0 && query.sources.length === 1 ? query.sources[0]!.table : undefined;
}

/** A bind in the select list is described before its value is known: the value is brought into the described type. */
function outputOf(column: Column, context: SessionContext): (value: Value) => Value {
  switch (column.type) {
    case 'VARCHAR2':
    case 'CHAR':
      return (value) => (value === null || typeof value === 'string' ? value : toText(value, context));
    case 'NUMBER':
      return (value) => (value === null ? null : toNumber(value));
    case 'BINARY_FLOAT':
    case 'BINARY_DOUBLE':
      return (value) => (value === null ? null : toDouble(toDoubleOperand(value)));
    case 'DATE':
    case 'TIMESTAMP':
    case 'TIMESTAMP WITH TIME ZONE':
    case 'TIMESTAMP WITH LOCAL TIME ZONE':
      return (value) => (value === null ? null : toTimestamp(value, context, column.type));
    case 'RAW':
      break;
  }
  return (value) => value;
}

/** Locks what the query finds; after a wait it looks again. ORA-01786 where rows of one table can't be told. */
function compileLock(
  tree: SelectTree,
  { waitSeconds, skipLocked }: LockClause,
  query: CompiledQuery,
  context: SessionContext,
): (binds: Values) => Steps<readonly QueryRow[]> {
  const table = query.sources.length === 1 ? query.sources[0]!.table : undefined;
  if (table === undefined || tree.distinct || query.isGrouped) throw new SqlFault(1786);
  const { transaction } = context;
  const wait = waitSeconds === undefined ? {} : { timeoutMs: waitSeconds * MS_PER_SECOND };

  return function* lockRows(binds) {
    const { mark } = transaction;
    while (true) {
      transaction.rollbackTo(mark);
      const rows = query.run(binds);
      const locked: QueryRow[] = [];
      let hasWaited = false;
      for (const found of rows) {
        const holder = table.lock(found.row!, transaction);
        if (holder === undefined) locked.push(found);
        else if (!skipLocked) {
          if (waitSeconds === 0) throw new SqlFault(54);
          yield { holder, ...wait };
          hasWaited = true;
          break;
        }
      }
      if (!hasWaited) return locked;
    }
  };
}
