const GAP = '  ';

/**
 * Rows of cells as lines of one width a column, two blanks between them, without blanks at their ends. Columns in
 * `rightAligned`, counted from 0, are for figures. A row may have fewer cells than another.
 */
export function alignCells(
  rows: readonly (readonly string[])[],
  rightAligned: ReadonlySet<number> = new Set(),
): string[] {
  const columns = Math.max(0, ...rows.map((cells) => cells.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((cells) => cells[i]?.length ?? 0)));
  return rows.map((cells) =>
    widths
      .map((width, i) => (rightAligned.has(i) ? (cells[i] ?? '').padStart(width) : (cells[i] ?? '').padEnd(width)))
      .join(GAP)
      .trimEnd(),
  );
}
