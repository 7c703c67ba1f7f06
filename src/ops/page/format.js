// @ts-check
/** Figures as people read them. */

const LOCALE = 'en-GB';
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const twelve = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 12 });
const exact = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 17 });
const shortDay = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short' });
const longDay = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric' });
const timeOfDay = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const hourAndMinute = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit' });

/** @type {readonly (readonly [seconds: number, unit: string])[]} */
const TIME_UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
];
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** One decimal below 10, where it says something. @param {number} figure */
export function number(figure) {
  return (Math.abs(figure) < 10 ? tenths : whole).format(figure);
}

/** As many digits as a list has room for. @param {number} figure */
export function shortNumber(figure) {
  return isExtreme(figure) ? String(figure) : twelve.format(figure);
}

/** All digits, for tag values. @param {number} figure */
export function exactNumber(figure) {
  return isExtreme(figure) ? String(figure) : exact.format(figure);
}

/** @param {number} figure */
function isExtreme(figure) {
  return Math.abs(figure) >= 1e15 || (figure !== 0 && Math.abs(figure) < 1e-6);
}

/** @param {number} count @param {string} noun */
export function many(count, noun) {
  return `${whole.format(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** @param {number} count */
export function bytes(count) {
  const power = count < 1024 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(count) / 10));
  return `${number(count / 1024 ** power)} ${BYTE_UNITS[power]}`;
}

/** Of a share between 0 and 1: small ones are not nothing, and nearly all is not all. @param {number} share */
export function percent(share) {
  if (share > 0 && share < 0.001) return '< 0.1 %';
  return `${number(share > 0.99 && share < 1 ? Math.floor(share * 1000) / 10 : share * 100)} %`;
}

/** The two greatest units: `3 h 12 min`. @param {number} seconds */
export function duration(seconds) {
  const at = TIME_UNITS.findIndex(([size]) => seconds >= size);
  if (at < 0) return '0 s';
  const [unit, next] = TIME_UNITS.slice(at, at + 2);
  if (unit === undefined) return '0 s';
  const rest = next === undefined ? 0 : Math.floor((seconds % unit[0]) / next[0]);
  return `${Math.floor(seconds / unit[0])} ${unit[1]}${rest === 0 || next === undefined ? '' : ` ${rest} ${next[1]}`}`;
}

/** `14:03:12`, with the day when it is not today's. @param {number} timeMs @param {number} [nowMs] */
export function time(timeMs, nowMs = Date.now()) {
  const then = new Date(timeMs);
  const now = new Date(nowMs);
  if (Number.isNaN(timeMs)) return '–';
  if (then.toDateString() === now.toDateString()) return timeOfDay.format(then);
  return `${(then.getFullYear() === now.getFullYear() ? shortDay : longDay).format(then)} ${timeOfDay.format(then)}`;
}

/** `14:03` @param {number} timeMs */
export function minute(timeMs) {
  return hourAndMinute.format(new Date(timeMs));
}
