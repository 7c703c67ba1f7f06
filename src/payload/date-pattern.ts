import { dateMs, microsecondsIn, millisecondsIn, pointInTime, timeOfDayMs, type LocalToUtc } from './timestamp.ts';

/**
 * Times in a form of one's own: the letters of Java's DateTimeFormatter that a clock needs.
 *
 *     yyyy yy   MM M   dd d   HH H (0 to 23)   hh h (1 to 12) with a (AM, PM)   mm m   ss s   S … SSSSSSSSS (fraction)
 *     X (zone: Z, +01, +0100, +01:00)          'text' as it stands, '' an apostrophe; so does all that is no letter
 */

type Field =
  'year' | 'shortYear' | 'month' | 'day' | 'hour' | 'hour12' | 'half' | 'minute' | 'second' | 'fraction' | 'zone';

const LETTERS: Readonly<Record<string, readonly [Field, string]>> = {
  yyyy: ['year', String.raw`\d{4}`],
  yy: ['shortYear', String.raw`\d{2}`],
  MM: ['month', String.raw`\d{2}`],
  M: ['month', String.raw`\d{1,2}`],
  dd: ['day', String.raw`\d{2}`],
  d: ['day', String.raw`\d{1,2}`],
  HH: ['hour', String.raw`\d{2}`],
  H: ['hour', String.raw`\d{1,2}`],
  hh: ['hour12', String.raw`\d{2}`],
  h: ['hour12', String.raw`\d{1,2}`],
  a: ['half', '[AaPp][Mm]'],
  mm: ['minute', String.raw`\d{2}`],
  m: ['minute', String.raw`\d{1,2}`],
  ss: ['second', String.raw`\d{2}`],
  s: ['second', String.raw`\d{1,2}`],
  X: ['zone', String.raw`[Zz]|[+-]\d{2}(?::?\d{2})?`],
};
const TOKEN = /'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']/gy;
const MAX_FRACTION_DIGITS = 9;
const MAX_TEXT_LENGTH = 100;
const SPECIAL = /[.*+?^${}()|[\]\\/-]/g;

/**
 * A function from such a text to epoch milliseconds, NaN for one that does not fit; what is wrong with the pattern,
 * as a text, where it means nothing. `toUtc` is for patterns without a zone; undefined: UTC.
 */
export function compileDatePattern(
  pattern: string,
  toUtc: LocalToUtc | undefined,
): ((text: string) => number) | string {
  const fields: Field[] = [];
  let source = '';
  let length = 0;
  for (const [token] of pattern.matchAll(TOKEN)) {
    length += token.length;
    const letter = /^S{1,9}$/.test(token)
      ? (['fraction', String.raw`\d{${Math.min(token.length, MAX_FRACTION_DIGITS)}}`] as const)
      : Object.hasOwn(LETTERS, token)
        ? LETTERS[token]
        : undefined;
    if (letter !== undefined) {
      if (fields.includes(letter[0])) return `has ${token} twice, or beside another form of it`;
      fields.push(letter[0]);
      source += `(${letter[1]})`;
    } else if (/^[A-Za-z]/.test(token)) {
      return `has ${JSON.stringify(token)}, which is no letter of a pattern: text must stand in '…'`;
    } else {
      source += literal(token).replaceAll(SPECIAL, String.raw`\$&`);
    }
  }
  if (length !== pattern.length) return "has an apostrophe that is not closed: ' alone is ''";
  if (!fields.includes('year') && !fields.includes('shortYear')) return 'has no year: yyyy';
  if (!fields.includes('month') || !fields.includes('day')) return 'has no month and day: MM and dd';
  if (fields.includes('hour12') !== fields.includes('half')) return 'must have a beside hh, or HH';
  const expression = new RegExp(`^${source}$`);
  return (text) => {
    const match = text.length <= MAX_TEXT_LENGTH ? expression.exec(text) : null;
    if (match === null) return Number.NaN;
    const found = new Map(fields.map((field, i) => [field, match[i + 1]!]));
    return timeOf(found, toUtc);
  };
}

function literal(token: string): string {
  if (token === "''") return "'";
  return token.startsWith("'") ? token.slice(1, -1).replaceAll("''", "'") : token;
}

function timeOf(found: ReadonlyMap<Field, string>, toUtc: LocalToUtc | undefined): number {
  const number = (field: Field): number => Number(found.get(field) ?? 0);
  const shortYear = found.get('shortYear');
  const year = shortYear === undefined ? number('year') : 2000 + Number(shortYear);
  const fraction = found.get('fraction') ?? '';
  const hour = found.has('hour12') ? hourOfHalf(number('hour12'), found.get('half')!) : number('hour');
  const dayMs = timeOfDayMs(hour, number('minute'), number('second'), millisecondsIn(fraction));
  const wallMs = dateMs(year, number('month'), number('day')) + dayMs;
  const zone = found.get('zone');
  const utcMs = zone !== undefined ? wallMs - zoneOffsetMs(zone) : toUtc === undefined ? wallMs : toUtc(wallMs);
  return pointInTime(utcMs, microsecondsIn(fraction));
}

function hourOfHalf(hour: number, half: string): number {
  if (hour < 1 || hour > 12) return Number.NaN;
  return (hour % 12) + (/^p/i.test(half) ? 12 : 0);
}

function zoneOffsetMs(zone: string): number {
  if (/^z$/i.test(zone)) return 0;
  const digits = zone.slice(1).replace(':', '');
  const offsetMs = timeOfDayMs(Number(digits.slice(0, 2)), Number(digits.slice(2) || '0'), 0, 0);
  return zone.startsWith('-') ? -offsetMs : offsetMs;
}
