import { SqlFault } from '../faults.ts';
import type { StatementKind } from '../types.ts';
import { OraError } from '../types.ts';
import type { StatementTree } from './ast.ts';
import { parseDdl } from './parse-ddl.ts';
import { parseDml } from './parse-dml.ts';
import { parseBlock } from './parse-plsql.ts';
import { parseSelect } from './parse-query.ts';
import { TokenStream } from './token-stream.ts';

export interface ParsedStatement {
  readonly kind: StatementKind;
  readonly tree: StatementTree;
  readonly bindNames: readonly string[];
}

const KINDS: Readonly<Record<StatementTree['form'], StatementKind>> = {
  select: 'SELECT',
  insert: 'INSERT',
  update: 'UPDATE',
  delete: 'DELETE',
  merge: 'MERGE',
  createTable: 'CREATE TABLE',
  dropTable: 'DROP TABLE',
  truncateTable: 'TRUNCATE',
  block: 'PLSQL',
  addConstraints: 'OTHER',
  dropConstraint: 'OTHER',
  createSynonym: 'OTHER',
  dropSynonym: 'OTHER',
  createIndex: 'OTHER',
  dropIndex: 'OTHER',
  grant: 'OTHER',
  revoke: 'OTHER',
  alterSession: 'OTHER',
  ignored: 'OTHER',
  commit: 'OTHER',
  rollback: 'OTHER',
};

/** Syntax only: no name is looked up. Throws a syntax fault, in a block ORA-06550. */
export function parseStatement(sql: string, maxStringBytes: number): ParsedStatement {
  const tokens = new TokenStream(sql);
  const tree = parseTree(tokens, maxStringBytes);
  tokens.expectEnd();
  return { kind: KINDS[tree.form], tree, bindNames: tokens.bindNames };
}

function parseTree(tokens: TokenStream, maxStringBytes: number): StatementTree {
  if (tokens.isWord('SELECT')) return parseSelect(tokens);
  if (tokens.takeWords('BEGIN')) return parsedBlock(tokens);
  for (const form of ['commit', 'rollback'] as const) {
    if (!tokens.takeWords(form.toUpperCase())) continue;
    tokens.takeWords('WORK');
    return { form };
  }
  const tree = parseDml(tokens) ?? parseDdl(tokens, maxStringBytes);
  if (tree === undefined) throw tokens.fault(900);
  return tree;
}

function parsedBlock(tokens: TokenStream): StatementTree {
  try {
    return parseBlock(tokens);
  } catch (error) {
    if (!(error instanceof SqlFault)) throw error;
    const { text, position } = tokens.current;
    const line = tokens.lineOf(position);
    const place = `line ${line}, column ${position - tokens.sql.lastIndexOf('\n', position - 1)}:\n`;
    // python_thin_failed_stmt.pcapng in fclairamb/dbbat: a procedure that is not there, with or without arguments.
    const isCall = tokens.current.kind === 'word' && [';', '('].includes(tokens.peek().text);
    const message = isCall
      ? `PLS-00201: identifier '${text}' must be declared\nORA-06550: ${place}PL/SQL: Statement ignored`
      : `PLS-00103: Encountered the symbol "${text === '' ? 'end-of-file' : text}"`;
    throw new OraError(6550, `${place}${message}`, position);
  }
}
