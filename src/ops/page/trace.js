// @ts-check
/** The last hour of one tag, of which the bridge keeps a sample every ten seconds. */
import { bridgeNowMs } from './clock.js';
import { axes, colour, HEIGHT_PX } from './charts.js';
import { add, find, write } from './dom.js';
import { exactNumber, shortNumber, time } from './format.js';
import { ask } from './live.js';

/** @typedef {import('uplot')} Plot */
/** @typedef {import('../tag-traces.ts').TraceAnswer} Trace */

/** It comes as a script of its own, which makes it a global. */
const { uPlot } = /** @type {{ uPlot: typeof import('uplot') }} */ (/** @type {unknown} */ (globalThis));

const EVERY_MS = 10_000;
const HOUR_S = 3600;
const LEAST_S = 300;

/** @type {{ plot: Plot, canvas: HTMLElement } | undefined} */
let built;
/** @type {string | undefined} */
let shown;
let next = 0;
let turn = 0;

export function startTrace() {
  find('#trace button').addEventListener('click', () => showTrace(undefined));
  document.addEventListener('visibilitychange', () => void refresh());
}

/** Shows the hour of this tag until another one is asked for, or none. @param {string | undefined} tagName */
export function showTrace(tagName) {
  shown = tagName;
  find('#trace').hidden = tagName === undefined;
  write(find('#trace h3'), tagName ?? '');
  write(find('#trace .note'), tagName === undefined ? '' : 'Asking the bridge …');
  built?.plot.setData([[], []]);
  void refresh();
}

async function refresh() {
  clearTimeout(next);
  turn += 1;
  const mine = turn;
  if (shown === undefined || document.hidden) return;
  try {
    const trace = /** @type {Trace} */ (await ask(`api/trace?tag=${encodeURIComponent(shown)}`));
    if (mine === turn) draw(trace);
  } catch {
    // The chart stays as it is until the bridge is there again.
  }
  if (mine === turn) next = window.setTimeout(() => void refresh(), EVERY_MS);
}

/** @param {Trace} trace */
function draw({ samples, intervalMs, tagName }) {
  built ??= build();
  const times = samples.map(([at]) => at);
  const values = samples.map(([, value]) => value);
  const known = values.filter((value) => value !== null);
  built.plot.setData([times, values]);
  const every = `a look every ${intervalMs / 1000} s`;
  const from = times[0];
  const since = from === undefined ? 'The first look comes within ten seconds' : `Since ${time(from * 1000)}`;
  const nothing = from !== undefined && known.length === 0 ? ' No number has come since then.' : '';
  write(find('#trace .note'), `${since}: what this bridge has received, ${every}; not read from Oracle.${nothing}`);
  showValue(built.plot);
  const last = known.at(-1);
  const range =
    last === undefined
      ? 'no number yet'
      : `last ${shortNumber(last)}, between ${shortNumber(Math.min(...known))} and ${shortNumber(Math.max(...known))}`;
  built.canvas.setAttribute('aria-label', `${tagName} over the last hour: ${range}.`);
}

/** The value below the pointer, else the newest. @param {Plot} plot */
function showValue({ cursor, data }) {
  const [times = [], values = []] = data;
  const at = cursor.idx ?? [...values].findLastIndex((value) => typeof value === 'number');
  const value = values[at];
  const when = times[at];
  write(find('#trace b'), typeof value === 'number' ? exactNumber(value) : '–');
  write(find('#trace .when'), when === undefined ? '' : time(when * 1000));
}

function build() {
  const canvas = add(find('#trace'), 'div', 'plot');
  canvas.setAttribute('role', 'img');
  const nowS = () => bridgeNowMs() / 1000;
  const plot = new uPlot(
    {
      width: canvas.clientWidth || 320,
      height: HEIGHT_PX,
      padding: [10, 18, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: {
        // Up to now, so that a tag of which nothing comes any more is seen to end.
        x: {
          time: true,
          range: (_plot, from) => [Math.max(nowS() - HOUR_S, Math.min(from ?? nowS(), nowS() - LEAST_S)), nowS()],
        },
        y: { range: (_plot, from, to) => around(from ?? 0, to ?? 0) },
      },
      axes: axes(shortNumber),
      series: [{}, { stroke: () => colour('--trace'), width: 1.75, spanGaps: true }],
      hooks: { setCursor: [showValue] },
    },
    [[], []],
    canvas,
  );
  new ResizeObserver(() => {
    // It has none while it is hidden.
    if (canvas.clientWidth > 0) plot.setSize({ width: canvas.clientWidth, height: HEIGHT_PX });
  }).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => plot.redraw(false, true));
  return { plot, canvas };
}

/** A scale with some room, for a value that stays the same too. @param {number} from @param {number} to */
function around(from, to) {
  const room = (to - from) * 0.1 || Math.abs(to) * 0.1 || 1;
  return /** @type {[number, number]} */ ([from - room, to + room]);
}
