import { commentLines, type SourceFile } from './sources.ts';

export const MAX_COMMENT_COLUMNS = 120;

/** Each comment line that is wider than the columns that the formatter keeps code to. */
export function wideComments({ path, text }: SourceFile): string[] {
  return commentLines(text)
    .map(({ line, lineNo }) => ({ lineNo, columns: line.length }))
    .filter(({ columns }) => columns > MAX_COMMENT_COLUMNS)
    .map(({ columns, lineNo }) => `${path}:${lineNo} has a comment of ${columns} columns`);
}

/** A file as a text names it, with or without folders before it: `bridge.ts`, `docs/metrics.md`, `../README.md`. */
const NAMED_FILE = /(?<![\w.:@$}/-])(?:\.{1,2}\/)*(?<name>[\w-][\w./-]*\.(?:md|ts|js))(?![\w-])/g;
const URL_OR_PATH_ELSEWHERE = /\w+:\/\/\S+|(?<=^|[\s`'"(=])[/~]\S+/g;
/**
 * What is called like a file but is none; what only the built product has; the sources of a package, which all lie in
 * its `lib/`.
 */
const NO_FILE_OF_OURS = /^(?:mqtt|Node)\.js$|(?:^|\/)dist\/|^lib\//;

/**
 * The documents and sources that a text names although the repository has none of that name; those of other projects go
 * by their address. `files`: the paths of the repository.
 */
export function absentFiles({ path, text }: SourceFile, files: readonly string[]): string[] {
  const lines = path.endsWith('.md')
    ? text.split('\n').map((line, i) => ({ lineNo: i + 1, comment: line }))
    : commentLines(text);
  return lines.flatMap(({ comment, lineNo }) =>
    [...comment.replaceAll(URL_OR_PATH_ELSEWHERE, '').matchAll(NAMED_FILE)]
      .map((match) => match.groups!['name']!)
      .filter((name) => !NO_FILE_OF_OURS.test(name) && !isThere(name, files))
      .map((name) => `${path}:${lineNo} names ${name}, which is not in the repository`),
  );
}

function isThere(name: string, files: readonly string[]): boolean {
  return files.some((file) => file === name || file.endsWith(`/${name}`));
}
