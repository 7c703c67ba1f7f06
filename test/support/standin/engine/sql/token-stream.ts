/** A cursor over the tokens of one statement, with the binds that its parsers have met. */
import { SqlFault } from '../faults.ts';
import type { ColumnName, ObjectName } from './ast.ts';
import type { Token } from './lexer.ts';
import { tokenize } from './lexer.ts';

/** Words that can't name a table or column (V$RESERVED_WORDS with RESERVED = 'Y'). */
const RESERVED = new Set(
  (
    'ACCESS ADD ALL ALTER AND ANY AS ASC AUDIT BETWEEN BY CHAR CHECK CLUSTER COLUMN COMMENT COMPRESS CONNECT CREATE ' +
    'CURRENT DATE DECIMAL DEFAULT DELETE DESC DISTINCT DROP ELSE EXCLUSIVE EXISTS FILE FLOAT FOR FROM GRANT GROUP ' +
    'HAVING IDENTIFIED IMMEDIATE IN INCREMENT INDEX INITIAL INSERT INTEGER INTERSECT INTO IS LEVEL LIKE LOCK LONG ' +
    'MAXEXTENTS MINUS MLSLABEL MODE MODIFY NOAUDIT NOCOMPRESS NOT NOWAIT NULL NUMBER OF OFFLINE ON ONLINE OPTION OR ' +
    'ORDER PCTFREE PRIOR PUBLIC RAW RENAME RESOURCE REVOKE ROW ROWID ROWNUM ROWS SELECT SESSION SET SHARE SIZE ' +
    'SMALLINT START SUCCESSFUL SYNONYM SYSDATE TABLE THEN TO TRIGGER UID UNION UNIQUE UPDATE USER VALIDATE VALUES ' +
    'VARCHAR VARCHAR2 VIEW WHENEVER WHERE WITH'
  ).split(' '),
);

const MAX_IDENTIFIER_BYTES = 128;

export class TokenStream {
  readonly sql: string;
  readonly bindNames: string[] = [];
  /** In PL/SQL a repeated name is one bind. */
  bindsAreNamed = false;
  readonly #tokens: readonly Token[];
  #index = 0;

  constructor(sql: string) {
    this.sql = sql;
    this.#tokens = tokenize(sql);
  }

  get current(): Token {
    return this.#tokens[this.#index]!;
  }

  peek(ahead = 1): Token {
    return this.#tokens[Math.min(this.#index + ahead, this.#tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.current;
    if (this.#index < this.#tokens.length - 1) this.#index++;
    return token;
  }

  /** Offset behind the last token taken. */
  get lastEnd(): number {
    return this.#index === 0 ? 0 : this.#tokens[this.#index - 1]!.end;
  }

  isWord(...words: readonly string[]): boolean {
    return this.current.kind === 'word' && words.includes(this.current.text);
  }

  isOperator(text: string): boolean {
    return this.current.kind === 'operator' && this.current.text === text;
  }

  /** Takes the words if all of them come next. */
  takeWords(...words: readonly string[]): boolean {
    const matches = words.every((word, i) => this.peek(i).kind === 'word' && this.peek(i).text === word);
    if (matches) this.#index += words.length;
    return matches;
  }

  takeOperator(text: string): boolean {
    const matches = this.isOperator(text);
    if (matches) this.next();
    return matches;
  }

  fault(code: number, parameters: Record<string, string> = {}): SqlFault {
    return new SqlFault(code, parameters, this.current.position);
  }

  expectWord(word: string, code = 905): void {
    if (!this.takeWords(word)) throw this.fault(code);
  }

  expectOperator(text: string, code: number): void {
    if (!this.takeOperator(text)) throw this.fault(code);
  }

  /** The end of the statement: ORA-00911 for a semicolon, ORA-00933 for anything else. */
  expectEnd(): void {
    if (this.current.kind !== 'end') throw this.fault(this.isOperator(';') ? 911 : 933);
  }

  isIdentifier(): boolean {
    return this.current.kind === 'quoted' || (this.current.kind === 'word' && !RESERVED.has(this.current.text));
  }

  /** `code` is the error for what can't be a name here; ORA-00904 gets the text as its parameter. */
  identifier(code: number): ColumnName {
    const { text, position } = this.current;
    if (!this.isIdentifier()) throw this.fault(code);
    if (Buffer.byteLength(text) > MAX_IDENTIFIER_BYTES) throw this.fault(972);
    this.next();
    return { name: text, position };
  }

  objectName(code = 903): ObjectName {
    const first = this.identifier(code);
    if (!this.takeOperator('.')) return { schema: undefined, ...first };
    return { schema: first.name, name: this.identifier(code).name, position: first.position };
  }

  /** `( item, … )` */
  list<T>(item: () => T): T[] {
    this.expectOperator('(', 906);
    const items = this.commaSeparated(item);
    this.expectOperator(')', 907);
    return items;
  }

  commaSeparated<T>(item: () => T): T[] {
    const items = [item()];
    while (this.takeOperator(',')) items.push(item());
    return items;
  }

  /** Index of the bind that is the current token. */
  takeBind(): number {
    const name = this.next().text;
    const known = this.bindsAreNamed ? this.bindNames.indexOf(name) : -1;
    return known >= 0 ? known : this.bindNames.push(name) - 1;
  }

  /** A whole number such as a length; `code` when there is none. */
  integer(code: number): number {
    const negative = this.takeOperator('-');
    if (this.current.kind !== 'number' || !/^\d+$/.test(this.current.text)) throw this.fault(code);
    return Number(this.next().text) * (negative ? -1 : 1);
  }

  /** Line of an offset, from 1. */
  lineOf(position: number): number {
    return this.sql.slice(0, position).split('\n').length;
  }
}
