/** SELECT, and the names of tables in FROM. */
import type { FromItem, LockClause, OrderItem, SelectItem, SelectTree } from './ast.ts';
import { parseExpression } from './parse-expression.ts';
import type { TokenStream } from './token-stream.ts';

/** Words that end a FROM item or select item, so that they are not taken for an alias. */
const CLAUSES = new Set(
  'FROM WHERE GROUP HAVING ORDER OFFSET FETCH FOR ON JOIN INNER USING WHEN SET VALUES UNION'.split(' '),
);

export function parseAlias(tokens: TokenStream): string | undefined {
  if (tokens.current.kind === 'word' && CLAUSES.has(tokens.current.text)) return undefined;
  return tokens.isIdentifier() ? tokens.identifier(923).name : undefined;
}

export function parseSelect(tokens: TokenStream): SelectTree {
  tokens.expectWord('SELECT', 928);
  const distinct = tokens.takeWords('DISTINCT') || tokens.takeWords('UNIQUE');
  const items = tokens.commaSeparated(() => parseSelectItem(tokens));
  tokens.expectWord('FROM', 923);
  const from = parseFrom(tokens);
  const where = parseWhere(tokens);
  const groupBy = tokens.takeWords('GROUP', 'BY') ? tokens.commaSeparated(() => parseExpression(tokens)) : [];
  const having = tokens.takeWords('HAVING') ? parseExpression(tokens) : undefined;
  const orderBy = tokens.takeWords('ORDER', 'BY') ? tokens.commaSeparated(() => parseOrderItem(tokens)) : [];
  const { offset, limit } = parseRowLimits(tokens);
  const lock = tokens.takeWords('FOR', 'UPDATE') ? parseLock(tokens) : undefined;
  return { form: 'select', distinct, items, from, where, groupBy, having, orderBy, offset, limit, lock };
}

export function parseWhere(tokens: TokenStream): SelectTree['where'] {
  return tokens.takeWords('WHERE') ? parseExpression(tokens) : undefined;
}

function parseSelectItem(tokens: TokenStream): SelectItem {
  const start = tokens.current.position;
  if (tokens.takeOperator('*')) return { expression: undefined, starOf: undefined, alias: undefined, text: '*' };
  if (tokens.isIdentifier() && tokens.peek().text === '.' && tokens.peek(2).text === '*') {
    const starOf = tokens.next().text;
    tokens.next();
    tokens.next();
    return { expression: undefined, starOf, alias: undefined, text: '*' };
  }
  if (tokens.isWord('FROM')) throw tokens.fault(936);
  const expression = parseExpression(tokens);
  const text = tokens.sql.slice(start, tokens.lastEnd);
  const alias = tokens.takeWords('AS') ? tokens.identifier(923).name : parseAlias(tokens);
  return { expression, starOf: undefined, alias, text };
}

function parseFrom(tokens: TokenStream): FromItem[] {
  const items = [parseFromItem(tokens)];
  while (true) {
    if (tokens.takeOperator(',')) {
      items.push(parseFromItem(tokens));
    } else if (tokens.takeWords('JOIN') || tokens.takeWords('INNER', 'JOIN')) {
      const item = parseFromItem(tokens);
      tokens.expectWord('ON');
      items.push({ ...item, on: parseExpression(tokens) });
    } else {
      return items;
    }
  }
}

/** A table or an inline view, with its alias. */
export function parseFromItem(tokens: TokenStream): FromItem {
  if (!tokens.takeOperator('(')) {
    return { source: tokens.objectName(), alias: parseAlias(tokens), on: undefined };
  }
  const source = parseSelect(tokens);
  tokens.expectOperator(')', 907);
  return { source, alias: parseAlias(tokens), on: undefined };
}

function parseOrderItem(tokens: TokenStream): OrderItem {
  const expression = parseExpression(tokens);
  const descending = tokens.takeWords('DESC') || (tokens.takeWords('ASC'), false);
  let nullsFirst = descending;
  if (tokens.takeWords('NULLS')) {
    nullsFirst = tokens.takeWords('FIRST');
    if (!nullsFirst) tokens.expectWord('LAST');
  }
  return { expression, descending, nullsFirst };
}

function parseRowLimits(tokens: TokenStream): Pick<SelectTree, 'offset' | 'limit'> {
  let offset: SelectTree['offset'];
  let limit: SelectTree['limit'];
  if (tokens.takeWords('OFFSET')) {
    offset = parseExpression(tokens);
    if (!tokens.takeWords('ROWS')) tokens.expectWord('ROW');
  }
  if (tokens.takeWords('FETCH')) {
    if (!tokens.takeWords('FIRST')) tokens.expectWord('NEXT');
    limit = parseExpression(tokens);
    if (!tokens.takeWords('ROWS')) tokens.expectWord('ROW');
    tokens.expectWord('ONLY');
  }
  return { offset, limit };
}

function parseLock(tokens: TokenStream): LockClause {
  if (tokens.takeWords('OF')) tokens.commaSeparated(() => parseExpression(tokens));
  if (tokens.takeWords('NOWAIT')) return { waitSeconds: 0, skipLocked: false };
  if (tokens.takeWords('SKIP', 'LOCKED')) return { waitSeconds: undefined, skipLocked: true };
  const waitSeconds = tokens.takeWords('WAIT') ? tokens.integer(30005) : undefined;
  return { waitSeconds, skipLocked: false };
}
