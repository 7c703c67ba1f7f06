import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');
/** What a checkout may hold beside the files of the repository: fetched, built or written by a run. */
const FOREIGN = new Set(['.git', '.npm', 'node_modules', 'dist', 'data', 'coverage']);

export interface SourceFile {
  /** From the root of the repository, with slashes: `src/core/clock.ts`. */
  readonly path: string;
  readonly text: string;
}

/** The paths of all files of the repository, from its root, with slashes. */
export function repositoryFiles(directory = ''): string[] {
  return readdirSync(join(ROOT, directory), { withFileTypes: true }).flatMap((entry) => {
    if (FOREIGN.has(entry.name)) return [];
    const path = posix.join(directory, entry.name);
    return entry.isDirectory() ? repositoryFiles(path) : [path];
  });
}

export function readSource(path: string): SourceFile {
  return { path, text: readFileSync(join(ROOT, path), 'utf8') };
}

/**
 * All that a file imports or exports from, types included, static or dynamic, from the places where it says so. In
 * JavaScript types are imported in comments, so those count there.
 */
export function importsOf({ path, text }: SourceFile): string[] {
  const searched = path.endsWith('.js') ? text : codeOf(text);
  return [...searched.matchAll(/(?<![.\w])(?:from|import)\s*\(?\s*['"](?<from>[^'"]+)['"]/g)].map(
    (match) => match.groups!['from']!,
  );
}

/** The lines that are not all comment. */
export function codeOf(text: string): string {
  return text
    .split('\n')
    .filter((line) => !isComment(line))
    .join('\n');
}

/** A line of the source that is a comment, or ends in one, with its number from 1. */
export interface CommentLine {
  readonly lineNo: number;
  /** The whole line, code before the comment included. */
  readonly line: string;
  readonly comment: string;
}

/** Looks at each line by itself: a line of a text over several lines that begins like a comment is taken for one. */
export function commentLines(text: string): CommentLine[] {
  return text.split('\n').flatMap((line, i): CommentLine[] => {
    const comment = isComment(line) ? line : TRAILING_COMMENT.exec(line)?.groups?.['comment'];
    return comment === undefined ? [] : [{ lineNo: i + 1, line, comment }];
  });
}

/** After code, and with no quotation mark in it: where one is, the slashes may stand in a text. */
const TRAILING_COMMENT = /\s(?<comment>\/\/ [^'"`]*)$/;

function isComment(line: string): boolean {
  return /^\s*(?:\/\/|\/?\*)/.test(line);
}
