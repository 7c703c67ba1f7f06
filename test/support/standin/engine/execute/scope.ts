import { SqlFault } from '../faults.ts';
import type { ColumnReference, Expression } from '../sql/ast.ts';
import type { Column } from '../types.ts';
import type { Aggregate } from './aggregates.ts';

/** A table, view or inline view in FROM. */
export interface ScopeSource {
  /** Alias, or the table's name. */
  readonly name: string | undefined;
  /** Set for a table without alias, so that `schema.table.column` is understood. */
  readonly schema: string | undefined;
  readonly columns: readonly Column[];
  /** Where its columns begin in the joined row. */
  readonly offset: number;
}

/** Of a query with aggregate functions or GROUP BY. */
export interface Grouping {
  /** The GROUP BY expressions, as `expressionKey` gives them. */
  readonly keys: ReadonlySet<string>;
  readonly aggregates: Aggregate[];
}

/** Expressions are the same when their keys are, wherever they stand. */
export function expressionKey(expression: Expression): string {
  return JSON.stringify(expression, (name, value: unknown) => (name === 'position' ? undefined : value));
}

/** The names that an expression can refer to. */
export class Scope {
  readonly sources: readonly ScopeSource[];
  readonly grouping: Grouping | undefined;

  constructor(sources: readonly ScopeSource[], grouping?: Grouping) {
    this.sources = sources;
    this.grouping = grouping;
  }

  /** Throws ORA-00904 or ORA-00918. */
  resolve(reference: ColumnReference): { readonly index: number; readonly column: Column } {
    const matches = this.sources
      .filter((source) => isNamed(source, reference.qualifier))
      .flatMap((source) =>
        source.columns.flatMap((column, i) =>
          column.name === reference.name ? [{ index: source.offset + i, column }] : [],
        ),
      );
    const name = [...reference.qualifier, reference.name].map((part) => `"${part}"`).join('.');
    if (matches.length === 0) throw new SqlFault(904, { name }, reference.position);
    if (matches.length > 1) throw new SqlFault(918, { name: reference.name }, reference.position);
    return matches[0]!;
  }
}

function isNamed(source: ScopeSource, qualifier: readonly string[]): boolean {
  if (qualifier.length === 0) return true;
  if (source.name !== qualifier.at(-1)) return false;
  return qualifier.length === 1 || source.schema === qualifier[0];
}
