// @ts-check
import { bridgeNowMs } from './clock.js';
import { add, fill, find, showRows, tableOf, write, writeTime } from './dom.js';
import { duration, exactNumber, many, number, shortNumber } from './format.js';
import { ask } from './live.js';
import { showTrace } from './trace.js';

const AT_MOST = 200;
const EVERY_MS = 2000;
const TYPING_MS = 150;

/** @typedef {import('../tags-seen.ts').SeenTag} Tag */

/** @type {ReturnType<typeof tableOf> | undefined} */
let built;
let isInView = false;
let next = 0;
let asked = 0;

/** Asks for the tags while they are on screen. */
export function startTags() {
  built = tableOf('#tags');
  const search = find('#tag-search');
  search.addEventListener('input', () => askIn(TYPING_MS));
  for (const select of document.querySelectorAll('#tags select')) select.addEventListener('change', () => askIn(0));
  find('#tags form').addEventListener('submit', (event) => {
    event.preventDefault();
    askIn(0);
  });
  new IntersectionObserver((entries) => {
    isInView = entries.some(({ isIntersecting }) => isIntersecting);
    if (isInView) askIn(0);
  }).observe(find('#tags'));
  document.addEventListener('visibilitychange', () => askIn(0));
}

/** @param {number} delayMs */
function askIn(delayMs) {
  clearTimeout(next);
  next = window.setTimeout(() => void refresh(), delayMs);
}

async function refresh() {
  if (!isInView || document.hidden) return;
  asked += 1;
  const mine = asked;
  const view = new URLSearchParams({
    search: chosen('search').trim(),
    order: chosen('order'),
    quality: chosen('quality'),
    olderThanSeconds: chosen('age'),
    limit: String(AT_MOST),
  });
  try {
    const answer = await ask(`api/tags?${view}`);
    if (mine === asked) show(answer);
  } catch {
    // The verdict says that the bridge is gone.
  }
  if (mine === asked) askIn(EVERY_MS);
}

/** @param {'search' | 'order' | 'quality' | 'age'} what */
function chosen(what) {
  /** @type {HTMLInputElement | HTMLSelectElement} */
  const field = find(`#tag-${what}`);
  return field.value;
}

/** @param {import('../tags-seen.ts').SeenTags} answer */
function show({ total, matching, tags }) {
  if (built === undefined) return;
  const shown = tags.length < matching ? `, the first ${number(tags.length)} shown` : '';
  const found = matching === total ? many(total, 'tag') : `${number(matching)} of ${many(total, 'tag')}`;
  fill('tags-note', total === 0 ? 'None yet since the start.' : found + shown);
  const columns = ['name', 'number', 'quality', 'number'];
  showRows(built.body, tags, { key: ({ tagName }) => tagName, columns, update: showTag });
}

/** @param {HTMLTableCellElement[]} cells @param {Tag} tag */
function showTag([name, value, quality, age], tag) {
  if (!name || !value || !quality || !age) return;
  writeName(name, tag.tagName);
  const isNumber = typeof tag.value === 'number';
  const mark = tag.wasNumber === true ? '▲ ' : '';
  write(value, isNumber ? shortNumber(tag.value) : mark + (tag.value ?? 'no value'));
  value.title = isNumber ? exactNumber(tag.value) : tag.wasNumber === true ? 'was a number before' : '';
  value.classList.toggle('turned', tag.wasNumber === true);
  value.classList.toggle('text', !isNumber);
  write(quality, tag.quality === 'GOOD' ? 'GOOD' : `▲ ${tag.quality}`);
  quality.classList.toggle('bad', tag.quality !== 'GOOD');
  const timeMs = Date.parse(tag.timestamp ?? '');
  const { implausibleTime } = tag;
  writeTime(age, timeMs, (implausibleTime === undefined ? '' : '▲ ') + ageText(bridgeNowMs() - timeMs));
  if (implausibleTime !== undefined) age.title = `the payload says ${implausibleTime}, which can not be right`;
  age.classList.toggle('turned', implausibleTime !== undefined);
}

/** It opens the chart of the tag. @param {HTMLElement} cell @param {string} tagName */
function writeName(cell, tagName) {
  if (cell.childElementCount > 0) return;
  const button = add(cell, 'button', 'link', tagName);
  button.type = 'button';
  button.title = 'Show its last hour';
  button.addEventListener('click', () => showTrace(tagName));
}

/** A PLC's clock may be ahead of the bridge's. @param {number} ageMs */
function ageText(ageMs) {
  if (Number.isNaN(ageMs)) return 'no time';
  return ageMs < -2000 ? `in ${duration(-ageMs / 1000)}` : duration(Math.max(0, ageMs) / 1000);
}
