/** INSERT, UPDATE, DELETE and MERGE. */
import type {
  Assignment,
  ColumnName,
  DeleteTree,
  DmlTree,
  Expression,
  InsertTree,
  MergeTree,
  UpdateTree,
} from './ast.ts';
import { parseExpression } from './parse-expression.ts';
import { parseAlias, parseFromItem, parseWhere } from './parse-query.ts';
import type { TokenStream } from './token-stream.ts';

const PARSERS: Readonly<Record<string, (tokens: TokenStream) => DmlTree>> = {
  INSERT: parseInsert,
  UPDATE: parseUpdate,
  DELETE: parseDelete,
  MERGE: parseMerge,
};

/** The statement at the cursor, or undefined when it is none of these. */
export function parseDml(tokens: TokenStream): DmlTree | undefined {
  if (tokens.current.kind !== 'word') return undefined;
  const parser = Object.hasOwn(PARSERS, tokens.current.text) ? PARSERS[tokens.current.text] : undefined;
  if (parser === undefined) return undefined;
  tokens.next();
  return parser(tokens);
}

function parseInsert(tokens: TokenStream): InsertTree {
  tokens.expectWord('INTO', 925);
  const table = tokens.objectName();
  const columns = tokens.isOperator('(') ? tokens.list(() => columnName(tokens)) : [];
  return { form: 'insert', table, columns, ...parseValues(tokens) };
}

function parseValues(tokens: TokenStream): Pick<InsertTree, 'values' | 'valuesPosition'> {
  const valuesPosition = tokens.current.position;
  tokens.expectWord('VALUES', 926);
  return { values: tokens.list(() => valueOrDefault(tokens)), valuesPosition };
}

function valueOrDefault(tokens: TokenStream): Expression | undefined {
  return tokens.takeWords('DEFAULT') ? undefined : parseExpression(tokens);
}

/** A column to be written; a qualifier is allowed and ignored. */
function columnName(tokens: TokenStream): ColumnName {
  let name = tokens.identifier(1747);
  while (tokens.takeOperator('.')) name = tokens.identifier(1747);
  return name;
}

function parseAssignments(tokens: TokenStream): Assignment[] {
  return tokens.commaSeparated(() => {
    const column = columnName(tokens);
    tokens.expectOperator('=', 927);
    return { column, value: valueOrDefault(tokens) };
  });
}

function parseUpdate(tokens: TokenStream): UpdateTree {
  const table = tokens.objectName();
  const alias = parseAlias(tokens);
  tokens.expectWord('SET', 971);
  return { form: 'update', table, alias, assignments: parseAssignments(tokens), where: parseWhere(tokens) };
}

function parseDelete(tokens: TokenStream): DeleteTree {
  tokens.takeWords('FROM');
  const table = tokens.objectName();
  return { form: 'delete', table, alias: parseAlias(tokens), where: parseWhere(tokens) };
}

function parseMerge(tokens: TokenStream): MergeTree {
  tokens.expectWord('INTO', 925);
  const table = tokens.objectName();
  const alias = parseAlias(tokens);
  tokens.expectWord('USING');
  const source = parseFromItem(tokens);
  tokens.expectWord('ON');
  tokens.expectOperator('(', 906);
  const on = parseExpression(tokens);
  tokens.expectOperator(')', 907);
  let update: MergeTree['update'];
  let insert: MergeTree['insert'];
  while (tokens.takeWords('WHEN')) {
    if (tokens.takeWords('MATCHED', 'THEN', 'UPDATE', 'SET')) {
      update = { assignments: parseAssignments(tokens), where: parseWhere(tokens) };
    } else if (tokens.takeWords('NOT', 'MATCHED', 'THEN', 'INSERT')) {
      const columns = tokens.isOperator('(') ? tokens.list(() => columnName(tokens)) : [];
      insert = { form: 'insert', table, columns, ...parseValues(tokens), where: parseWhere(tokens) };
    } else {
      throw tokens.fault(905);
    }
  }
  return { form: 'merge', table, alias, source, on, update, insert };
}
