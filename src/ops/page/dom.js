// @ts-check
/** All that changes is put in as text, never as markup, so that a hostile tag name or error message stays text. */

/** @typedef {'ok' | 'idle' | 'care' | 'trouble'} Tone */

/** What a tone looks like beside its colour. @type {Readonly<Record<Tone, string>>} */
const MARKS = { ok: '✓', idle: '○', care: '▲', trouble: '✕' };

/** @template {HTMLElement} [T=HTMLElement] @param {string} selector @param {ParentNode} [parent] @returns {T} */
export function find(selector, parent = document) {
  const found = parent.querySelector(selector);
  if (found === null) throw new Error(`the page has no ${selector}`);
  return /** @type {T} */ (found);
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {Element} parent @param {K} tag @param {string} [className] @param {string} [text]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function add(parent, tag, className = '', text = '') {
  const child = document.createElement(tag);
  if (className !== '') child.className = className;
  if (text !== '') child.textContent = text;
  parent.append(child);
  return child;
}

/** Touches the document only when the text is another. @param {Element} element @param {string} text */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {string} name @param {string} text */
export function fill(name, text) {
  write(find(`[data-slot="${name}"]`), text);
}

/** Sets the colour, and the shape of the mark within. @param {HTMLElement} element @param {Tone} tone */
export function setTone(element, tone) {
  if (element.dataset['tone'] !== tone) element.dataset['tone'] = tone;
  const mark = element.querySelector('.mark');
  if (mark !== null) write(mark, MARKS[tone]);
}

/** @param {HTMLElement} element @param {number} timeMs @param {string} text */
export function writeTime(element, timeMs, text) {
  write(element, text);
  element.title = Number.isNaN(timeMs) ? '' : new Date(timeMs).toISOString();
}

/**
 * Makes a table body show `items`, each in the row that it had before, so that focus and selection stay. A table of no
 * rows is hidden where it can be.
 * @template T
 * @param {HTMLTableSectionElement} body
 * @param {readonly T[]} items
 * @param {object} shape
 * @param {(item: T) => string} shape.key
 * @param {readonly string[]} shape.columns classes of the cells
 * @param {(cells: HTMLTableCellElement[], item: T) => void} shape.update
 */
export function showRows(body, items, { key, columns, update }) {
  const known = new Map([...body.rows].map((row) => [row.dataset['key'], row]));
  let place = 0;
  for (const item of items) {
    const name = key(item);
    const row = known.get(name) ?? newRow(body, name, columns);
    known.delete(name);
    if (body.rows[place] !== row) body.insertBefore(row, body.rows[place] ?? null);
    update([...row.cells], item);
    place += 1;
  }
  for (const row of known.values()) row.remove();
}

/**
 * On a phone each cell stands on a line of its own, beside the heading of its column; the roles keep it a table to
 * those who listen.
 */
/** @param {HTMLTableSectionElement} body @param {string} name @param {readonly string[]} columns */
function newRow(body, name, columns) {
  const row = document.createElement('tr');
  row.dataset['key'] = name;
  row.setAttribute('role', 'row');
  const headings = body.parentElement?.querySelectorAll('thead th') ?? [];
  columns.forEach((className, i) => {
    const cell = add(row, 'td', className);
    cell.setAttribute('role', 'cell');
    cell.dataset['heading'] = headings[i]?.textContent ?? '';
  });
  return row;
}

/** @param {string} selector of a section with one table */
export function tableOf(selector) {
  const table = /** @type {HTMLTableElement} */ (find(`${selector} table`));
  table.setAttribute('role', 'table');
  for (const group of table.querySelectorAll('thead, tbody')) group.setAttribute('role', 'rowgroup');
  for (const row of table.querySelectorAll('tr')) row.setAttribute('role', 'row');
  for (const cell of table.querySelectorAll('thead th')) cell.setAttribute('role', 'columnheader');
  const body = /** @type {HTMLTableSectionElement} */ (find('tbody', table));
  return { table, body };
}
