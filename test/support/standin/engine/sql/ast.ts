/** The syntax trees that the parsers make and `execute/` compiles. */
import type { Column, Value } from '../types.ts';

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '||';
export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';

/** Everything of a column but its name and whether it may be null: the type of a value. */
export type ValueType = Omit<Column, 'name' | 'nullable'>;

export type Expression =
  | { readonly form: 'literal'; readonly value: Value; readonly type: ValueType }
  | { readonly form: 'bind'; readonly index: number }
  | ColumnReference
  | FunctionCall
  | { readonly form: 'cast'; readonly argument: Expression; readonly type: ValueType }
  | { readonly form: 'negate'; readonly argument: Expression }
  | {
      readonly form: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly form: 'cursorAttribute'; readonly name: 'ROWCOUNT' | 'FOUND' | 'NOTFOUND' }
  | Condition;

export interface ColumnReference {
  readonly form: 'column';
  /** Table, or schema and table, before the name. */
  readonly qualifier: readonly string[];
  readonly name: string;
  readonly position: number;
}

export interface FunctionCall {
  readonly form: 'call';
  readonly name: string;
  readonly args: readonly Expression[];
  readonly star: boolean;
  readonly distinct: boolean;
  readonly position: number;
}

export type Condition =
  | { readonly form: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly form: 'not'; readonly argument: Expression }
  | {
      readonly form: 'comparison';
      readonly operator: ComparisonOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly form: 'isNull'; readonly argument: Expression; readonly negated: boolean }
  | {
      readonly form: 'in';
      readonly argument: Expression;
      readonly list: readonly Expression[];
      readonly negated: boolean;
    }
  | {
      readonly form: 'between';
      readonly argument: Expression;
      readonly low: Expression;
      readonly high: Expression;
      readonly negated: boolean;
    }
  | {
      readonly form: 'like';
      readonly argument: Expression;
      readonly pattern: Expression;
      readonly escape: Expression | undefined;
      readonly negated: boolean;
    };

export interface ObjectName {
  readonly schema: string | undefined;
  readonly name: string;
  readonly position: number;
}

export interface SelectItem {
  /** `*` or `t.*` when undefined. */
  readonly expression: Expression | undefined;
  readonly starOf: string | undefined;
  readonly alias: string | undefined;
  /** The expression as written, which names a column without alias. */
  readonly text: string;
}

export interface FromItem {
  readonly source: ObjectName | SelectTree;
  readonly alias: string | undefined;
  /** The ON condition of a join. */
  readonly on: Expression | undefined;
}

export interface OrderItem {
  readonly expression: Expression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface LockClause {
  /** undefined waits without end, 0 is NOWAIT. */
  readonly waitSeconds: number | undefined;
  readonly skipLocked: boolean;
}

export interface SelectTree {
  readonly form: 'select';
  readonly distinct: boolean;
  readonly items: readonly SelectItem[];
  readonly from: readonly FromItem[];
  readonly where: Expression | undefined;
  readonly groupBy: readonly Expression[];
  readonly having: Expression | undefined;
  readonly orderBy: readonly OrderItem[];
  readonly offset: Expression | undefined;
  readonly limit: Expression | undefined;
  readonly lock: LockClause | undefined;
}

export interface ColumnName {
  readonly name: string;
  readonly position: number;
}

export interface InsertTree {
  readonly form: 'insert';
  readonly table: ObjectName;
  /** Empty means all columns of the table. */
  readonly columns: readonly ColumnName[];
  /** undefined stands for the keyword DEFAULT. */
  readonly values: readonly (Expression | undefined)[];
  readonly valuesPosition: number;
}

export interface Assignment {
  readonly column: ColumnName;
  /** undefined stands for the keyword DEFAULT. */
  readonly value: Expression | undefined;
}

export interface UpdateTree {
  readonly form: 'update';
  readonly table: ObjectName;
  readonly alias: string | undefined;
  readonly assignments: readonly Assignment[];
  readonly where: Expression | undefined;
}

export interface DeleteTree {
  readonly form: 'delete';
  readonly table: ObjectName;
  readonly alias: string | undefined;
  readonly where: Expression | undefined;
}

export interface MergeTree {
  readonly form: 'merge';
  readonly table: ObjectName;
  readonly alias: string | undefined;
  readonly source: FromItem;
  readonly on: Expression;
  readonly update: { readonly assignments: readonly Assignment[]; readonly where: Expression | undefined } | undefined;
  readonly insert: (InsertTree & { readonly where: Expression | undefined }) | undefined;
}

export interface ConstraintTree {
  readonly kind: 'PRIMARY KEY' | 'UNIQUE' | 'CHECK' | 'NOT NULL';
  readonly name: string | undefined;
  readonly columns: readonly ColumnName[];
  readonly condition: Expression | undefined;
  readonly text: string;
}

export interface ColumnTree {
  readonly name: string;
  readonly position: number;
  readonly type: ValueType;
  /** DATA_TYPE in the dictionary, such as `TIMESTAMP(6)` or `FLOAT`. */
  readonly declared: string;
  readonly defaultValue: { readonly expression: Expression; readonly text: string } | undefined;
}

export type DdlTree =
  | {
      readonly form: 'createTable';
      readonly table: ObjectName;
      readonly columns: readonly ColumnTree[];
      readonly constraints: readonly ConstraintTree[];
    }
  | { readonly form: 'dropTable' | 'truncateTable'; readonly table: ObjectName }
  | { readonly form: 'addConstraints'; readonly table: ObjectName; readonly constraints: readonly ConstraintTree[] }
  | { readonly form: 'dropConstraint'; readonly table: ObjectName; readonly constraint: ColumnName }
  | {
      readonly form: 'createSynonym';
      readonly synonym: ObjectName;
      readonly isPublic: boolean;
      readonly replaces: boolean;
      readonly target: ObjectName;
    }
  | { readonly form: 'dropSynonym'; readonly synonym: ObjectName; readonly isPublic: boolean }
  | {
      readonly form: 'createIndex';
      readonly index: ObjectName;
      readonly table: ObjectName;
      readonly columns: readonly ColumnName[];
      readonly unique: boolean;
    }
  | { readonly form: 'dropIndex'; readonly index: ObjectName }
  | {
      readonly form: 'grant' | 'revoke';
      readonly privileges: readonly string[];
      readonly table: ObjectName;
      readonly grantees: readonly string[];
    }
  | { readonly form: 'alterSession'; readonly settings: readonly (readonly [name: string, value: string])[] }
  | { readonly form: 'ignored' };

export type DmlTree = InsertTree | UpdateTree | DeleteTree | MergeTree;

export type BlockStatement =
  | { readonly form: 'sql'; readonly tree: DmlTree; readonly line: number }
  | { readonly form: 'commit' | 'rollback' | 'null'; readonly line: number }
  | { readonly form: 'raise'; readonly number: Expression; readonly text: Expression; readonly line: number }
  | {
      readonly form: 'if';
      readonly branches: readonly { readonly condition: Expression; readonly body: readonly BlockStatement[] }[];
      readonly otherwise: readonly BlockStatement[];
      readonly line: number;
    };

export interface BlockTree {
  readonly form: 'block';
  readonly body: readonly BlockStatement[];
}

export type StatementTree = SelectTree | DmlTree | DdlTree | BlockTree | { readonly form: 'commit' | 'rollback' };
