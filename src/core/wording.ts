/** Figures and texts as people read them, in whatever the bridge prints or answers. */

const figures = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

const SIZES = [
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
] as const;

/** `1,234.5`: at most one decimal. */
export function figureText(figure: number): string {
  return figures.format(figure);
}

/** `1 row`, `1,234 rows`. */
export function plural(count: number, noun: string): string {
  return `${figureText(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `512 B`, `50 MiB`, `1.5 GiB`: at most one decimal. */
export function sizeText(bytes: number): string {
  const [divisor, unit] = SIZES.find(([size]) => bytes >= size) ?? [1, 'B'];
  return `${Math.round((bytes / divisor) * 10) / 10} ${unit}`;
}

const TIME_UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const;

/** The two greatest units: `3 h 20 min`, `45 s`. */
export function durationText(seconds: number): string {
  const at = TIME_UNITS.findIndex(([size]) => seconds >= size);
  const [unit, next] = at < 0 ? TIME_UNITS.slice(-1) : TIME_UNITS.slice(at, at + 2);
  const rest = next === undefined ? 0 : Math.floor((seconds % unit![0]) / next[0]);
  const most = `${Math.floor(seconds / unit![0])} ${unit![1]}`;
  return rest === 0 ? most : `${most} ${rest} ${next![1]}`;
}

const UTC_TIMES = /\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z/g;

/** A text with its ISO 8601 times as a person reads them, to the second: `2025-11-02 14:30:25 UTC`. */
export function utcText(text: string): string {
  return text.replaceAll(UTC_TIMES, '$1 $2 UTC');
}

/** A clause, as remedies are, as a sentence. */
export function sentenceOf(clause: string): string {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`;
}

/** Breaks a text between words into lines of at most so many columns; a longer word stands alone. */
export function wrapText(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
