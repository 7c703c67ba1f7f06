/** docs/to-confirm.md: what is to be confirmed on a real database, and what has been shown elsewhere. */
import type { Point } from './point.ts';
import { POINTS } from './points.ts';

/** A column: its head, and what stands in it. */
type Cell = readonly [string, (point: Point) => string];

function tableOf(isMeant: (point: Point) => boolean, more: readonly Cell[]): string {
  const cells: readonly Cell[] = [
    ['point', ({ id }) => `\`${id}\``],
    ['the bridge believes', ({ belief }) => belief],
    ['what shows it', ({ how }) => how],
    ...more,
  ];
  const rows = POINTS.filter(isMeant).map((point) => cells.map(([, of]) => of(point).replaceAll('|', '\\|')));
  return [cells.map(([head]) => head), cells.map(() => '---'), ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
}

/** The tables of the page, by the mark that stands before each. */
export function tablesOfPage(): ReadonlyMap<string, string> {
  const needs: Cell = ['needs besides', (point) => point.needs ?? ''];
  const says: Cell = ['who says so', (point) => point.source ?? ''];
  return new Map([
    ['to be confirmed', tableOf((point) => point.source === undefined, [needs])],
    ['shown elsewhere', tableOf((point) => point.source !== undefined, [says, needs])],
  ]);
}

/** Puts each table into the text of the page, between its mark and the end mark that follows. */
export function withTables(page: string): string {
  let text = page;
  for (const [name, rows] of tablesOfPage()) {
    const start = `<!-- ${name} -->`;
    const from = text.indexOf(start);
    const to = text.indexOf('<!-- end -->', from);
    if (from < 0 || to < 0) throw new Error(`the page has no marks for "${name}"`);
    text = `${text.slice(0, from + start.length)}\n\n${rows}\n\n${text.slice(to)}`;
  }
  return text;
}
