/**
 * A connect descriptor of Oracle Net as a tree: `(NAME=atom)` or `(NAME=(…)(…))`. White space between the parts means
 * nothing; an atom in quotes may hold parentheses. [Oracle Database Net Services Reference, "Syntax Rules for
 * Configuration Files"]
 */
export interface DescriptorNode {
  /** In upper case: names have none. */
  readonly name: string;
  /** Empty for a node with children. */
  readonly atom: string;
  readonly children: readonly DescriptorNode[];
}

/** Why a descriptor can't be read, and where; `position` counts characters from 0. */
export interface DescriptorProblem {
  readonly problem: string;
  readonly position: number;
}

const MAX_DEPTH = 16;

/** Reads one whole descriptor; a problem for what is none. */
export function parseDescriptor(text: string): DescriptorNode | DescriptorProblem {
  const reader = new Reader(text);
  try {
    const node = reader.node(0);
    reader.end();
    return node;
  } catch (thrown) {
    if (thrown instanceof SyntaxProblem) return { problem: thrown.message, position: thrown.position };
    throw thrown;
  }
}

export function isDescriptor(parsed: DescriptorNode | DescriptorProblem): parsed is DescriptorNode {
  return 'children' in parsed;
}

/** The first child of that name. */
export function childOf(node: DescriptorNode, name: string): DescriptorNode | undefined {
  return node.children.find((child) => child.name === name);
}

class SyntaxProblem extends Error {
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  node(depth: number): DescriptorNode {
    if (depth > MAX_DEPTH) throw new SyntaxProblem('parentheses within parentheses within parentheses …', this.#at);
    const openedAt = this.#skipSpace();
    this.#expect('(');
    const name = this.#until(/[=()]/).trim().toUpperCase();
    if (name === '') throw new SyntaxProblem('a name and = must stand after (', this.#at);
    this.#expect('=');
    this.#skipSpace();
    const children: DescriptorNode[] = [];
    while (this.#text[this.#at] === '(') {
      children.push(this.node(depth + 1));
      this.#skipSpace();
    }
    const atom = children.length > 0 ? '' : this.#atom();
    if (this.#at >= this.#text.length) throw new SyntaxProblem('this ( is never closed', openedAt);
    this.#expect(')');
    return { name, atom, children };
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw new SyntaxProblem('something stands behind the last )', this.#at);
  }

  #atom(): string {
    const quote = this.#text[this.#at];
    if (quote !== '"' && quote !== "'") return this.#until(/[()]/).trim();
    const closedAt = this.#text.indexOf(quote, this.#at + 1);
    if (closedAt === -1) throw new SyntaxProblem('this quotation mark is never closed', this.#at);
    const atom = this.#text.slice(this.#at + 1, closedAt);
    this.#at = closedAt + 1;
    this.#skipSpace();
    return atom;
  }

  #until(end: RegExp): string {
    const from = this.#at;
    while (this.#at < this.#text.length && !end.test(this.#text[this.#at]!)) this.#at += 1;
    return this.#text.slice(from, this.#at);
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) throw new SyntaxProblem(`${character} must stand here`, this.#at);
    this.#at += 1;
  }

  #skipSpace(): number {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
    return this.#at;
  }
}
