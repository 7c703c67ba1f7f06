/** CREATE, ALTER, DROP and TRUNCATE, GRANT and REVOKE on a table, synonyms, ALTER SESSION. */
import { OraError } from '../types.ts';
import type { ColumnName, ColumnTree, ConstraintTree, DdlTree } from './ast.ts';
import { parseColumnType } from './column-types.ts';
import { parseExpression, parseSum } from './parse-expression.ts';
import type { TokenStream } from './token-stream.ts';

const TABLE_PRIVILEGES = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

/** The statement at the cursor, or undefined when it is none of these. */
export function parseDdl(tokens: TokenStream, maxStringBytes: number): DdlTree | undefined {
  if (tokens.takeWords('CREATE', 'TABLE')) return parseCreateTable(tokens, maxStringBytes);
  if (tokens.takeWords('CREATE', 'UNIQUE', 'INDEX')) return parseCreateIndex(tokens, true);
  if (tokens.takeWords('CREATE', 'INDEX')) return parseCreateIndex(tokens, false);
  if (tokens.takeWords('DROP', 'TABLE')) return parseDropTable(tokens);
  if (tokens.takeWords('DROP', 'INDEX')) return { form: 'dropIndex', index: tokens.objectName(953) };
  if (tokens.takeWords('ALTER', 'TABLE')) return parseAlterTable(tokens);
  if (tokens.takeWords('TRUNCATE', 'TABLE')) return { form: 'truncateTable', table: tokens.objectName() };
  const synonym = parseSynonym(tokens);
  if (synonym !== undefined) return synonym;
  if (tokens.takeWords('GRANT')) return parseGrant(tokens, 'grant');
  if (tokens.takeWords('REVOKE')) return parseGrant(tokens, 'revoke');
  if (tokens.takeWords('ALTER', 'SESSION', 'SET')) return parseAlterSession(tokens);
  if (tokens.takeWords('ALTER', 'INDEX')) throw new OraError(3001, 'unimplemented feature: ALTER INDEX');
  if (tokens.isWord('ALTER', 'COMMENT', 'ANALYZE', 'SET')) return ignoreRest(tokens);
  return undefined;
}

function ignoreRest(tokens: TokenStream): DdlTree {
  while (tokens.current.kind !== 'end') tokens.next();
  return { form: 'ignored' };
}

function parseCreateTable(tokens: TokenStream, maxStringBytes: number): DdlTree {
  const table = tokens.objectName();
  const columns: ColumnTree[] = [];
  const constraints: ConstraintTree[] = [];
  tokens.list(() => {
    const constraint = parseConstraint(tokens, undefined);
    if (constraint === undefined) columns.push(parseColumn(tokens, maxStringBytes, constraints));
    else constraints.push(constraint);
  });
  if (tokens.takeWords('TABLESPACE')) tokens.identifier(959);
  if (tokens.current.kind === 'word') throw tokens.fault(922);
  return { form: 'createTable', table, columns, constraints };
}

function parseColumn(tokens: TokenStream, maxStringBytes: number, constraints: ConstraintTree[]): ColumnTree {
  if (tokens.current.kind === 'end') throw tokens.fault(904);
  const column = tokens.identifier(904);
  const { type, declared } = parseColumnType(tokens, maxStringBytes);
  let defaultValue: ColumnTree['defaultValue'];
  while (!tokens.isOperator(',') && !tokens.isOperator(')')) {
    if (tokens.takeWords('DEFAULT')) {
      const start = tokens.current.position;
      const expression = parseSum(tokens);
      defaultValue = { expression, text: tokens.sql.slice(start, tokens.lastEnd) };
      continue;
    }
    if (tokens.takeWords('NULL') || tokens.takeWords('ENABLE')) continue;
    const constraint = parseConstraint(tokens, column);
    if (constraint === undefined) throw tokens.fault(907);
    constraints.push(constraint);
  }
  return { ...column, type, declared, defaultValue };
}

/** `column` is the column that an inline constraint stands at; undefined for a table constraint. */
function parseConstraint(tokens: TokenStream, column: ColumnName | undefined): ConstraintTree | undefined {
  const name = tokens.takeWords('CONSTRAINT') ? tokens.identifier(2253).name : undefined;
  const columns = (): ColumnName[] => (column === undefined ? tokens.list(() => tokens.identifier(904)) : [column]);
  const common = { name, condition: undefined, text: '' };
  if (tokens.takeWords('PRIMARY', 'KEY')) {
    return withIndexClause(tokens, { kind: 'PRIMARY KEY', ...common, columns: columns() });
  }
  if (tokens.takeWords('UNIQUE')) return withIndexClause(tokens, { kind: 'UNIQUE', ...common, columns: columns() });
  if (column !== undefined && tokens.takeWords('NOT', 'NULL')) {
    return { kind: 'NOT NULL', ...common, columns: [column], text: `"${column.name}" IS NOT NULL` };
  }
  if (tokens.takeWords('CHECK')) {
    tokens.expectOperator('(', 906);
    const start = tokens.current.position;
    const condition = parseExpression(tokens);
    const text = tokens.sql.slice(start, tokens.lastEnd);
    tokens.expectOperator(')', 907);
    return { kind: 'CHECK', name, columns: column === undefined ? [] : [column], condition, text };
  }
  if (name !== undefined) throw tokens.fault(904);
  return undefined;
}

/** `USING INDEX` without options says what happens anyway. */
function withIndexClause(tokens: TokenStream, constraint: ConstraintTree): ConstraintTree {
  tokens.takeWords('USING', 'INDEX');
  return constraint;
}

function parseDropTable(tokens: TokenStream): DdlTree {
  const table = tokens.objectName();
  tokens.takeWords('CASCADE', 'CONSTRAINTS');
  tokens.takeWords('PURGE');
  return { form: 'dropTable', table };
}

function parseCreateIndex(tokens: TokenStream, unique: boolean): DdlTree {
  const index = tokens.objectName(953);
  tokens.expectWord('ON', 969);
  const table = tokens.objectName();
  const columns = tokens.list(() => tokens.identifier(936));
  return { form: 'createIndex', index, table, columns, unique };
}

/** Adds constraints or drops one; ORA-01735 for what would have to be ignored. */
function parseAlterTable(tokens: TokenStream): DdlTree {
  const table = tokens.objectName();
  if (tokens.takeWords('DROP', 'CONSTRAINT')) {
    return { form: 'dropConstraint', table, constraint: tokens.identifier(2250) };
  }
  const next = (): ConstraintTree => {
    const constraint = parseConstraint(tokens, undefined);
    if (constraint === undefined) throw tokens.fault(1735);
    return constraint;
  };
  if (!tokens.takeWords('ADD')) throw tokens.fault(1735);
  const constraints = tokens.isOperator('(') ? tokens.list(next) : [next()];
  return { form: 'addConstraints', table, constraints };
}

function parseSynonym(tokens: TokenStream): DdlTree | undefined {
  if (tokens.takeWords('DROP', 'PUBLIC', 'SYNONYM')) {
    return { form: 'dropSynonym', synonym: tokens.objectName(), isPublic: true };
  }
  if (tokens.takeWords('DROP', 'SYNONYM')) {
    return { form: 'dropSynonym', synonym: tokens.objectName(), isPublic: false };
  }
  for (const replaces of [true, false]) {
    for (const isPublic of [true, false]) {
      const words = ['CREATE', ...(replaces ? ['OR', 'REPLACE'] : []), ...(isPublic ? ['PUBLIC'] : []), 'SYNONYM'];
      if (!tokens.takeWords(...words)) continue;
      const synonym = tokens.objectName();
      tokens.expectWord('FOR', 905);
      return { form: 'createSynonym', synonym, isPublic, replaces, target: tokens.objectName() };
    }
  }
  return undefined;
}

function parseGrant(tokens: TokenStream, form: 'grant' | 'revoke'): DdlTree {
  const privileges = tokens.commaSeparated(() => {
    const privilege = tokens.next().text;
    if (privilege === 'ALL') return TABLE_PRIVILEGES;
    if (!TABLE_PRIVILEGES.includes(privilege)) throw tokens.fault(990);
    return [privilege];
  });
  tokens.takeWords('PRIVILEGES');
  tokens.expectWord('ON', 905);
  const table = tokens.objectName();
  tokens.expectWord(form === 'grant' ? 'TO' : 'FROM');
  const grantees = tokens.commaSeparated(() => (tokens.takeWords('PUBLIC') ? 'PUBLIC' : tokens.identifier(987).name));
  return { form, privileges: privileges.flat(), table, grantees };
}

function parseAlterSession(tokens: TokenStream): DdlTree {
  const settings: [string, string][] = [];
  while (tokens.current.kind === 'word') {
    const name = tokens.next().text;
    tokens.expectOperator('=', 927);
    settings.push([name, tokens.next().text]);
  }
  return { form: 'alterSession', settings };
}
