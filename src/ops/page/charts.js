// @ts-check
import { add, find, write } from './dom.js';
import { minute, number, percent, time } from './format.js';

/** @typedef {import('uplot')} Plot */
/** @typedef {import('uplot').AlignedData} Data */
/**
 * @typedef {readonly (number | null)[]} Sample as in history.ts; all but its time null: nothing is known of that time
 */
/**
 * @typedef {{ intervalMs: number, capacity: { buffer: number, journalBytes: number }, samples: readonly Sample[] }}
 *   History
 */
/** @typedef {{ label: string, look: 'area' | 'line', pick: (sample: Sample, of: History) => number | null }} Series */

/** It comes as a script of its own, which makes it a global. */
const { uPlot } = /** @type {{ uPlot: typeof import('uplot') }} */ (/** @type {unknown} */ (globalThis));

const HOUR_S = 3600;
/** A bridge that has just started shows a few minutes, not an empty hour. */
const LEAST_S = 300;
export const HEIGHT_PX = 172;
const FONT = '12px system-ui, sans-serif';

/**
 * @type {readonly { title: string, unit: string, format: (figure: number) => string, least: number, most: number,
 *   series: readonly Series[] }[]}
 */
const CHARTS = [
  {
    title: 'Values a second',
    unit: '',
    format: number,
    least: 10,
    most: Infinity,
    series: [
      { label: 'in', look: 'area', pick: (sample) => sample[1] ?? null },
      { label: 'out', look: 'line', pick: (sample) => sample[2] ?? null },
    ],
  },
  {
    title: 'Write latency',
    unit: ' ms',
    format: number,
    least: 10,
    most: Infinity,
    series: [{ label: 'a batch', look: 'line', pick: (sample) => sample[3] ?? null }],
  },
  {
    title: 'How full',
    unit: '',
    format: percent,
    least: 0.05,
    most: 1,
    series: [
      { label: 'buffer', look: 'area', pick: (sample, { capacity }) => share(sample[4], capacity.buffer) },
      { label: 'journal', look: 'line', pick: (sample, { capacity }) => share(sample[5], capacity.journalBytes) },
    ],
  },
];

/** @param {number | null | undefined} size @param {number} capacity */
function share(size, capacity) {
  return size === null || size === undefined || !(capacity > 0) ? null : size / capacity;
}

/** @param {string} name of a custom property */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}

/** @type {History | undefined} */
let history;
/** @type {{ plot: Plot, show: () => void }[]} */
let charts = [];

/**
 * What the page has of before stays in view when the bridge, started again, remembers less.
 * @param {History} fetched
 */
export function showHistory(fetched) {
  const first = fetched.samples[0]?.[0] ?? Infinity;
  const older = (history?.samples ?? []).filter((sample) => Number(sample[0]) < first);
  history = { ...fetched, samples: withGap(older, fetched.samples, fetched.intervalMs / 1000) };
  if (charts.length === 0) charts = CHARTS.map(build);
  trimAndDraw();
}

/** @param {Sample} sample */
export function addSample(sample) {
  if (history === undefined) return;
  const last = history.samples.at(-1)?.[0] ?? -Infinity;
  if (Number(sample[0]) <= last) return;
  history = { ...history, samples: withGap(history.samples, [sample], history.intervalMs / 1000) };
  trimAndDraw();
}

/** A line is not drawn over a time of which nothing is known. */
/**
 * @param {readonly Sample[]} before
 * @param {readonly Sample[]} after
 * @param {number} stepS
 * @returns {readonly Sample[]}
 */
function withGap(before, after, stepS) {
  const from = before.at(-1)?.[0];
  const to = after[0]?.[0];
  const isGap = typeof from === 'number' && typeof to === 'number' && to - from > 3 * stepS;
  return [...before, ...(isGap ? [[from + stepS, null, null, null, null, null]] : []), ...after];
}

function trimAndDraw() {
  if (history === undefined) return;
  const newest = history.samples.at(-1)?.[0] ?? 0;
  history = { ...history, samples: history.samples.filter((sample) => Number(sample[0]) >= newest - HOUR_S) };
  for (const { show } of charts) show();
}

/** @param {typeof CHARTS[number]} chart */
function build({ title, unit, format, least, most, series }) {
  const figure = add(find('#charts'), 'figure');
  const caption = add(figure, 'figcaption');
  add(caption, 'h3', '', title);
  const legend = series.map(({ label, look }) => {
    const entry = add(caption, 'span', 'entry');
    add(entry, 'i', `swatch ${look}`).setAttribute('aria-hidden', 'true');
    entry.append(`${label} `);
    return add(entry, 'b');
  });
  const when = add(caption, 'span', 'when');
  const canvas = add(figure, 'div', 'plot');
  canvas.setAttribute('role', 'img');
  /** @type {Data} */
  let data = [[]];

  /** @param {number | null | undefined} at place of a sample; none: the newest */
  const showLegend = (at) => {
    const place = at ?? data[0].length - 1;
    legend.forEach((element, i) => {
      const value = data[i + 1]?.[place];
      write(element, typeof value === 'number' ? format(value) + unit : '–');
    });
    const second = data[0][place];
    write(when, typeof at === 'number' && second !== undefined ? time(second * 1000) : '');
  };

  const plot = new uPlot(plotOptions({ format, least, most, series }, showLegend), data, canvas);
  new ResizeObserver(() => plot.setSize({ width: canvas.clientWidth, height: HEIGHT_PX })).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => plot.redraw(false, true));
  const show = () => {
    if (history === undefined) return;
    const { samples } = history;
    const of = history;
    data = [samples.map(([t]) => Number(t)), ...series.map(({ pick }) => samples.map((sample) => pick(sample, of)))];
    plot.setData(data);
    showLegend(plot.cursor.idx);
    canvas.setAttribute(
      'aria-label',
      summary(title, series, data, (value) => format(value) + unit),
    );
  };
  return { plot, show };
}

/**
 * @param {{ format: (figure: number) => string, least: number, most: number, series: readonly Series[] }} chart
 * @param {(at: number | null | undefined) => void} onCursor
 * @returns {import('uplot').Options}
 */
function plotOptions({ format, least, most, series }, onCursor) {
  return {
    width: 320,
    height: HEIGHT_PX,
    padding: [10, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'way' }, points: { size: 7 } },
    scales: {
      x: { time: true, range: (_plot, from, to) => [Math.min(from, to - LEAST_S), to] },
      y: { range: (_plot, _from, to) => [0, Math.min(most, Math.max(least, (to || 0) * 1.15))] },
    },
    axes: axes(format),
    series: [
      {},
      ...series.map(({ label, look }) => ({
        label,
        stroke: () => colour(look === 'area' ? '--area-edge' : '--trace'),
        width: look === 'area' ? 1 : 1.75,
        points: { show: false },
        ...(look === 'area' ? { fill: () => colour('--area') } : {}),
      })),
    ],
    hooks: { setCursor: [(plot) => onCursor(plot.cursor.idx)] },
  };
}

/** Time along the foot, figures on the left. @param {(figure: number) => string} format */
export function axes(format) {
  const axis = { stroke: () => colour('--soft'), font: FONT, ticks: { show: false } };
  /** @type {import('uplot').Axis[]} */
  const both = [
    {
      ...axis,
      grid: { show: false },
      size: 26,
      space: 64,
      // Of the marks within a minute, on a wide chart of a short time, each would say the same; without data there is
      // no time.
      values: (plot, seconds) => seconds.map((s) => (s % 60 === 0 && plot.data[0].length > 0 ? minute(s * 1000) : '')),
    },
    {
      ...axis,
      grid: { stroke: () => colour('--line'), width: 1 },
      size: 58,
      space: 36,
      values: (_plot, values) => values.map(format),
    },
  ];
  return both;
}

/** For those who do not see the chart. */
/**
 * @param {string} title
 * @param {readonly Series[]} series
 * @param {Data} data
 * @param {(value: number) => string} format
 */
function summary(title, series, data, format) {
  const parts = series.map(({ label }, i) => {
    const known = [...(data[i + 1] ?? [])].filter((value) => typeof value === 'number');
    const now = known.at(-1);
    if (now === undefined) return `${label}: nothing yet`;
    return `${label}: last ${format(now)}, between ${format(Math.min(...known))} and ${format(Math.max(...known))}`;
  });
  return `${title} over the last hour. ${parts.join('; ')}.`;
}
