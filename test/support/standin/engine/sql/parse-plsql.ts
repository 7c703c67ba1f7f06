/** Anonymous blocks: `BEGIN statement; … END;` */
import type { BlockStatement, BlockTree } from './ast.ts';
import { parseDml } from './parse-dml.ts';
import { parseExpression } from './parse-expression.ts';
import type { TokenStream } from './token-stream.ts';

const SIMPLE = { COMMIT: 'commit', ROLLBACK: 'rollback', NULL: 'null' } as const;

/** The cursor stands behind BEGIN. */
export function parseBlock(tokens: TokenStream): BlockTree {
  tokens.bindsAreNamed = true;
  const body = parseBody(tokens, ['END']);
  tokens.next();
  expectSemicolon(tokens);
  return { form: 'block', body };
}

function parseBody(tokens: TokenStream, ends: readonly string[]): BlockStatement[] {
  const body: BlockStatement[] = [];
  do {
    body.push(parseStatement(tokens));
  } while (!tokens.isWord(...ends));
  return body;
}

function expectSemicolon(tokens: TokenStream): void {
  tokens.expectOperator(';', tokens.current.kind === 'end' ? 921 : 933);
}

function parseStatement(tokens: TokenStream): BlockStatement {
  const line = tokens.lineOf(tokens.current.position);
  if (tokens.takeWords('IF')) return parseIf(tokens, line);
  const statement = parseSimple(tokens, line);
  expectSemicolon(tokens);
  return statement;
}

function parseSimple(tokens: TokenStream, line: number): BlockStatement {
  for (const [word, form] of Object.entries(SIMPLE)) {
    if (!tokens.takeWords(word)) continue;
    if (form !== 'null') tokens.takeWords('WORK');
    return { form, line };
  }
  if (tokens.takeWords('RAISE_APPLICATION_ERROR')) {
    const [number, text] = tokens.list(() => parseExpression(tokens));
    if (number === undefined || text === undefined) throw tokens.fault(909);
    return { form: 'raise', number, text, line };
  }
  const tree = parseDml(tokens);
  if (tree === undefined) throw tokens.fault(900);
  return { form: 'sql', tree, line };
}

function parseIf(tokens: TokenStream, line: number): BlockStatement {
  const branches = [];
  do {
    const condition = parseExpression(tokens);
    tokens.expectWord('THEN');
    branches.push({ condition, body: parseBody(tokens, ['ELSIF', 'ELSE', 'END']) });
  } while (tokens.takeWords('ELSIF'));
  const otherwise = tokens.takeWords('ELSE') ? parseBody(tokens, ['END']) : [];
  tokens.expectWord('END');
  tokens.expectWord('IF');
  expectSemicolon(tokens);
  return { form: 'if', branches, otherwise, line };
}
