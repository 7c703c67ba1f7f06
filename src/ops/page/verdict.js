// @ts-check
import { add, fill, find, setTone, write } from './dom.js';
import { number, time } from './format.js';

/** @typedef {import('./live.js').Link} Link */
/** @typedef {import('./live.js').Status} Status */
/** @typedef {import('./dom.js').Tone} Tone */

const LINK_WORDS = {
  live: () => 'live',
  asking: () => 'asked every few seconds: no stream to be had',
  gone: (/** @type {Link} */ { sinceMs }) => `not reachable since ${time(sinceMs)}`,
};

const GONE =
  'Look on the gateway whether the service runs, and in its log why it ended; what it holds is on its disk. This page goes on asking.';

/** @param {Link} link */
export function showLink(link) {
  document.body.dataset['link'] = link.state;
  const element = find('header .link');
  setTone(element, link.state === 'live' ? 'ok' : link.state === 'asking' ? 'care' : 'trouble');
  const at = link.figuresOfMs === 0 || link.state === 'gone' ? '' : ` · ${time(link.figuresOfMs)}`;
  fill('link', LINK_WORDS[link.state](link) + at);
  if (link.state !== 'gone') return;
  const figures = link.figuresOfMs === 0 ? '' : `, figures are of ${time(link.figuresOfMs)}`;
  show('trouble', `Bridge not reachable since ${time(link.sinceMs)}${figures}.`, GONE, []);
  document.title = '✕ bridge not reachable';
}

/** @param {Status} status @param {Tone} worst of the stages */
export function showVerdict(status, worst) {
  const { advice, bridgeId } = status;
  const isWell = advice.length === 0;
  const tone = isWell ? 'ok' : worst === 'trouble' || !status.audit.balanced ? 'trouble' : 'care';
  const line = isWell
    ? 'All is well.'
    : advice.length === 1
      ? 'One thing needs attention.'
      : `${advice.length} things need attention.`;
  show(tone, line, isWell ? wellMore(status) : '', advice);
  document.title = `${isWell ? '✓' : tone === 'care' ? '▲' : '✕'} ${bridgeId} – ${isWell ? 'all is well' : advice[0]?.problem}`;
}

/** @param {Status} status */
function wellMore({ rates }) {
  const rate = rates.valuesOutPerSecond;
  return rate === 0 ? 'No values are coming in at the moment.' : `${number(rate)} values/s reach Oracle.`;
}

/**
 * @param {Tone} tone
 * @param {string} line
 * @param {string} more
 * @param {readonly { problem: string, remedy: string }[]} advice
 */
function show(tone, line, more, advice) {
  setTone(find('#verdict'), tone);
  fill('verdict', line);
  fill('verdict-more', more);
  const list = find('#advice');
  while (list.children.length > advice.length) list.lastElementChild?.remove();
  advice.forEach(({ problem, remedy }, i) => {
    const item = /** @type {HTMLElement} */ (list.children[i] ?? newAdvice(list));
    write(find('.problem', item), problem);
    writeWithCode(find('.remedy', item), remedy);
  });
  announce(line, advice);
}

/** What stands between backticks is code. @param {HTMLElement} element @param {string} text */
function writeWithCode(element, text) {
  if (element.dataset['text'] === text) return;
  element.dataset['text'] = text;
  element.replaceChildren();
  text.split('`').forEach((part, i) => (i % 2 === 1 ? void add(element, 'code', '', part) : element.append(part)));
}

/** @param {HTMLElement} list */
function newAdvice(list) {
  const item = add(list, 'li');
  add(item, 'p', 'problem');
  add(item, 'p', 'remedy');
  return item;
}

let announced = '';

/** Said aloud when the kind of problems changes, not with each figure in them. */
/** @param {string} line @param {readonly { problem: string }[]} advice */
function announce(line, advice) {
  const text = [line, ...advice.map(({ problem }) => problem)].join(' ');
  const kind = text.replaceAll(/\d[\d.,:TZ-]*/g, '#');
  if (kind === announced) return;
  announced = kind;
  write(find('#announcer'), text);
}
