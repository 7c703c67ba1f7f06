/** SQL text to tokens. Comments and hints are skipped; unquoted words come in upper case. */
import { SqlFault } from '../faults.ts';

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'bind' | 'operator' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** A word in upper case, the inside of quotes, a bind's name in upper case, an operator. */
  readonly text: string;
  readonly position: number;
  /** Offset behind the token. */
  readonly end: number;
}

const SKIP = /(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/y;
const WORD = /\p{L}[\p{L}\p{N}_$#]*/uy;
const NUMBER = /(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?/y;
const BIND = /:\s*([\p{L}\p{N}][\p{L}\p{N}_$#]*)/uy;
const STRING = /[nN]?'((?:[^']|'')*)'/y;
const QUOTED = /"([^"]*)"/y;
const OPERATOR = /\|\||<=|>=|<>|!=|\^=|:=|=>|[-+*/=<>(),.;%@]/y;

type Rule = readonly [pattern: RegExp, kind: TokenKind, text: (match: RegExpExecArray) => string];

const RULES: readonly Rule[] = [
  [STRING, 'string', (match) => match[1]!.replaceAll("''", "'")],
  [WORD, 'word', (match) => match[0].toUpperCase()],
  [NUMBER, 'number', (match) => match[0]],
  [BIND, 'bind', (match) => match[1]!.toUpperCase()],
  [QUOTED, 'quoted', (match) => match[1]!],
  [OPERATOR, 'operator', (match) => match[0]],
];

/** Throws ORA-00911, ORA-01741 or ORA-01756. The last token has kind `end`. */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  while (true) {
    SKIP.lastIndex = position;
    if (SKIP.test(sql)) position = SKIP.lastIndex;
    if (position >= sql.length) break;
    const token = nextToken(sql, position);
    tokens.push(token);
    position = token.end;
  }
  tokens.push({ kind: 'end', text: '', position: sql.length, end: sql.length });
  return tokens;
}

function nextToken(sql: string, position: number): Token {
  for (const [pattern, kind, text] of RULES) {
    pattern.lastIndex = position;
    const match = pattern.exec(sql);
    if (match === null) continue;
    if (kind === 'quoted' && match[1] === '') throw new SqlFault(1741, {}, position);
    return { kind, text: text(match), position, end: pattern.lastIndex };
  }
  const unfinished = sql[position] === "'" || sql[position] === '"';
  throw new SqlFault(unfinished ? 1756 : 911, {}, position);
}
