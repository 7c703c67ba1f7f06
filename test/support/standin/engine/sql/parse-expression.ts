/** Expressions and conditions, by descending precedence: OR, AND, NOT, predicates, `+ - ||`, `* /`, sign, primary. */
import { parseNumberLiteral } from '../values/decimal.ts';
import { parseDateLiteral, parseTimestampLiteral } from '../values/datetime.ts';
import type { ArithmeticOperator, ComparisonOperator, Expression, ValueType } from './ast.ts';
import { parseColumnType } from './column-types.ts';
import type { TokenStream } from './token-stream.ts';

const COMPARISONS = new Map<string, ComparisonOperator>([
  ['=', '='],
  ['<>', '<>'],
  ['!=', '<>'],
  ['^=', '<>'],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
]);

/** Functions that are written without parentheses. */
const PSEUDO_COLUMNS = new Set([
  'SYSDATE',
  'SYSTIMESTAMP',
  'CURRENT_TIMESTAMP',
  'LOCALTIMESTAMP',
  'CURRENT_DATE',
  'USER',
  'UID',
  'ROWNUM',
  'DBTIMEZONE',
  'SESSIONTIMEZONE',
]);

const NUMBER_TYPE: ValueType = { type: 'NUMBER', maxBytes: 22 };
const DOUBLE_TYPE: ValueType = { type: 'BINARY_DOUBLE', maxBytes: 8 };

/** A literal text is a CHAR: it is compared with blank padding. */
export function textLiteral(text: string): Expression {
  const maxBytes = Buffer.byteLength(text);
  const value = text === '' ? null : text;
  return { form: 'literal', value, type: { type: 'CHAR', maxBytes, length: maxBytes, charSemantics: false } };
}

/** A condition or a value: which of the two is wanted is checked when it is compiled. */
export function parseExpression(tokens: TokenStream): Expression {
  let left = parseAnd(tokens);
  while (tokens.takeWords('OR')) left = { form: 'or', left, right: parseAnd(tokens) };
  return left;
}

function parseAnd(tokens: TokenStream): Expression {
  let left = parseNot(tokens);
  while (tokens.takeWords('AND')) left = { form: 'and', left, right: parseNot(tokens) };
  return left;
}

function parseNot(tokens: TokenStream): Expression {
  if (tokens.takeWords('NOT')) return { form: 'not', argument: parseNot(tokens) };
  return parsePredicate(tokens);
}

function parsePredicate(tokens: TokenStream): Expression {
  const argument = parseSum(tokens);
  const operator = tokens.current.kind === 'operator' ? COMPARISONS.get(tokens.current.text) : undefined;
  if (operator !== undefined) {
    tokens.next();
    return { form: 'comparison', operator, left: argument, right: parseSum(tokens) };
  }
  if (tokens.takeWords('IS')) {
    const negated = tokens.takeWords('NOT');
    tokens.expectWord('NULL', 908);
    return { form: 'isNull', argument, negated };
  }
  const negated = tokens.isWord('NOT') && tokens.takeWords('NOT');
  if (tokens.takeWords('IN')) {
    return { form: 'in', argument, list: tokens.list(() => parseSum(tokens)), negated };
  }
  if (tokens.takeWords('BETWEEN')) {
    const low = parseSum(tokens);
    tokens.expectWord('AND');
    return { form: 'between', argument, low, high: parseSum(tokens), negated };
  }
  if (tokens.takeWords('LIKE')) {
    const pattern = parseSum(tokens);
    const escape = tokens.takeWords('ESCAPE') ? parseSum(tokens) : undefined;
    return { form: 'like', argument, pattern, escape, negated };
  }
  if (negated) throw tokens.fault(920);
  return argument;
}

/** A value without comparison: what DEFAULT takes, where a NOT belongs to what follows. */
export function parseSum(tokens: TokenStream): Expression {
  return parseChain(tokens, ['+', '-', '||'], parseProduct);
}

function parseProduct(tokens: TokenStream): Expression {
  return parseChain(tokens, ['*', '/'], parseSigned);
}

function parseChain(
  tokens: TokenStream,
  operators: readonly ArithmeticOperator[],
  operand: (tokens: TokenStream) => Expression,
): Expression {
  let left = operand(tokens);
  while (true) {
    const operator = operators.find((text) => tokens.takeOperator(text));
    if (operator === undefined) return left;
    left = { form: 'arithmetic', operator, left, right: operand(tokens) };
  }
}

function parseSigned(tokens: TokenStream): Expression {
  if (tokens.takeOperator('-')) return { form: 'negate', argument: parseSigned(tokens) };
  if (tokens.takeOperator('+')) return parseSigned(tokens);
  return parsePrimary(tokens);
}

function parsePrimary(tokens: TokenStream): Expression {
  const token = tokens.current;
  switch (token.kind) {
    case 'string':
      tokens.next();
      return textLiteral(token.text);
    case 'number':
      tokens.next();
      return numberLiteral(token.text);
    case 'bind':
      return { form: 'bind', index: tokens.takeBind() };
    case 'operator':
      tokens.expectOperator('(', 936);
      return parenthesized(tokens);
    case 'end':
      throw tokens.fault(936);
    case 'quoted':
    case 'word':
      break;
  }
  return parseName(tokens);
}

function parenthesized(tokens: TokenStream): Expression {
  const inner = parseExpression(tokens);
  tokens.expectOperator(')', 907);
  return inner;
}

function numberLiteral(text: string): Expression {
  if (/[dDfF]$/.test(text)) return { form: 'literal', value: Number(text.slice(0, -1)), type: DOUBLE_TYPE };
  return { form: 'literal', value: parseNumberLiteral(text), type: NUMBER_TYPE };
}

function parseName(tokens: TokenStream): Expression {
  const token = tokens.current;
  const following = tokens.peek();
  if (token.kind === 'word') {
    if (following.kind === 'string' && (token.text === 'DATE' || token.text === 'TIMESTAMP')) {
      tokens.next();
      tokens.next();
      const parse = token.text === 'DATE' ? parseDateLiteral : parseTimestampLiteral;
      return { form: 'literal', ...parse(following.text) };
    }
    if (tokens.takeWords('NULL')) return { form: 'literal', value: null, type: { type: 'VARCHAR2', maxBytes: 0 } };
    if (tokens.bindsAreNamed && token.text === 'SQL' && following.text === '%') return parseCursorAttribute(tokens);
    if (PSEUDO_COLUMNS.has(token.text)) {
      tokens.next();
      return { form: 'call', name: token.text, args: [], star: false, distinct: false, position: token.position };
    }
    if (following.kind === 'operator' && following.text === '(' && tokens.isIdentifier()) return parseCall(tokens);
  }
  return parseColumn(tokens);
}

function parseCursorAttribute(tokens: TokenStream): Expression {
  tokens.next();
  tokens.next();
  for (const name of ['ROWCOUNT', 'FOUND', 'NOTFOUND'] as const) {
    if (tokens.takeWords(name)) return { form: 'cursorAttribute', name };
  }
  throw tokens.fault(911);
}

function parseCall(tokens: TokenStream): Expression {
  const { text: name, position } = tokens.next();
  tokens.expectOperator('(', 906);
  if (name === 'CAST') return parseCast(tokens);
  if (tokens.takeOperator(')')) return { form: 'call', name, args: [], star: false, distinct: false, position };
  const star = tokens.takeOperator('*');
  const distinct = !star && tokens.takeWords('DISTINCT');
  const args = star ? [] : tokens.commaSeparated(() => parseExpression(tokens));
  tokens.expectOperator(')', 907);
  return { form: 'call', name, args, star, distinct, position };
}

const MAX_TEXT_BYTES = 4000;

/** To a type that is no text: what is too long for one is cut off, which nothing here needs. */
function parseCast(tokens: TokenStream): Expression {
  const argument = parseExpression(tokens);
  tokens.expectWord('AS', 905);
  const fault = tokens.fault(902);
  const { type } = parseColumnType(tokens, MAX_TEXT_BYTES);
  if (type.type === 'VARCHAR2' || type.type === 'CHAR') throw fault;
  tokens.expectOperator(')', 907);
  return { form: 'cast', argument, type };
}

function parseColumn(tokens: TokenStream): Expression {
  const parts = [tokens.identifier(936)];
  while (parts.length < 3 && tokens.isOperator('.') && tokens.peek().text !== '*') {
    tokens.next();
    parts.push(tokens.identifier(1747));
  }
  const qualifier = parts.slice(0, -1).map((part) => part.name);
  return { form: 'column', qualifier, name: parts.at(-1)!.name, position: parts[0]!.position };
}
