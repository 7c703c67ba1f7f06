import { median } from '../../scripts/bench/median.ts';

/** The process of the bridge at one moment. */
export interface Sample {
  /** Since the beginning of the run. */
  readonly atMs: number;
  /** So many were published until then. */
  readonly messages: number;
  readonly residentMegabytes: number;
  readonly heapMegabytes: number;
  readonly descriptors: number;
  /** In the directories of journal and backups, but for those that wait for a person, and segments. */
  readonly files: number;
  /** Lines of `/metrics` that are figures. */
  readonly series: number;
  /** From the publisher into the table, the median since the sample before; undefined: nothing came. */
  readonly lagMs: number | undefined;
}

type Quantity = Exclude<keyof Sample, 'atMs' | 'messages'>;

export interface Growth {
  readonly quantity: string;
  readonly unit: string;
  readonly first: number;
  readonly last: number;
  /** Of the line of least squares through all samples. */
  readonly perHour: number;
  /** `filling`: it grows, and may, as what the bridge remembers of messages is not full yet. */
  readonly verdict: 'steady' | 'grown' | 'filling';
}

/** What a process that has just started gets ready yet. */
const WARM_UP_SHARE = 0.1;
const MS_PER_HOUR = 3_600_000;
/**
 * The bridge remembers so many messages to know them again (docs/limits.md), some 25 MB: until then its memory grows,
 * for an hour at ten messages a second.
 */
const REMEMBERED_MESSAGES = 32_767;
const FILLED_BY: ReadonlySet<Quantity> = new Set(['residentMegabytes', 'heapMegabytes']);

/** `mayGrow`: what chance, garbage and faults make of it from one third to another. */
const QUANTITIES: Readonly<Record<Quantity, { name: string; unit: string; mayGrow: (first: number) => number }>> = {
  residentMegabytes: { name: 'resident memory', unit: 'MB', mayGrow: (first) => 8 + first * 0.15 },
  heapMegabytes: { name: 'heap in use', unit: 'MB', mayGrow: (first) => 8 + first * 0.15 },
  descriptors: { name: 'descriptors', unit: '', mayGrow: () => 4 },
  files: { name: 'files', unit: '', mayGrow: () => 2 },
  series: { name: 'metric series', unit: '', mayGrow: () => 30 },
  lagMs: { name: 'lag, median', unit: 'ms', mayGrow: (first) => 200 + first * 0.5 },
};

/**
 * What grew from the first third of the time to the last, as medians, which what a fault does for less than half of the
 * time leaves alone. The first tenth counts for nothing, nor does the time until the bridge remembers as many messages
 * as it will, where that comes in the first half.
 */
export function growthOf(samples: readonly Sample[]): Growth[] {
  const endMs = samples.at(-1)?.atMs ?? 0;
  const fullAtMs = samples.find(({ messages }) => messages >= REMEMBERED_MESSAGES)?.atMs ?? Infinity;
  const isFull = fullAtMs <= endMs / 2;
  const beginMs = Math.max(endMs * WARM_UP_SHARE, isFull ? fullAtMs : 0);
  const thirdMs = (endMs - beginMs) / 3;
  return (Object.keys(QUANTITIES) as Quantity[]).map((quantity) => {
    const { mayGrow, name, unit } = QUANTITIES[quantity];
    const points = samples.flatMap(({ atMs, [quantity]: figure }) =>
      figure === undefined || atMs < beginMs ? [] : [{ atMs, figure }],
    );
    const medianOf = (fromMs: number, toMs: number): number =>
      median(points.flatMap(({ atMs, figure }) => (atMs >= fromMs && atMs <= toMs ? [figure] : [])));
    const first = medianOf(beginMs, beginMs + thirdMs);
    const last = medianOf(endMs - thirdMs, endMs);
    const hasGrown = last > first + mayGrow(first);
    const verdict = !hasGrown ? 'steady' : !isFull && FILLED_BY.has(quantity) ? 'filling' : 'grown';
    return { quantity: name, unit, first, last, perHour: slope(points) * MS_PER_HOUR, verdict };
  });
}

/** By least squares, a millisecond. */
function slope(points: readonly { readonly atMs: number; readonly figure: number }[]): number {
  const meanOf = (figures: readonly number[]): number => figures.reduce((sum, each) => sum + each, 0) / figures.length;
  const [meanAtMs, mean] = [meanOf(points.map(({ atMs }) => atMs)), meanOf(points.map(({ figure }) => figure))];
  let [product, square] = [0, 0];
  for (const { atMs, figure } of points) {
    product += (atMs - meanAtMs) * (figure - mean);
    square += (atMs - meanAtMs) ** 2;
  }
  return square === 0 ? 0 : product / square;
}

const VERDICTS: Readonly<Record<Growth['verdict'], string>> = {
  steady: 'steady',
  grown: 'HAS GROWN',
  filling: 'filling yet: more messages, or a longer run, will tell',
};

/** A line for each, with a heading. */
export function growthTable(growths: readonly Growth[]): string {
  const lines = growths.map(({ first, last, perHour, quantity, unit, verdict }) => {
    const [from, to] = [first.toFixed(1).padStart(12), last.toFixed(1).padStart(12)];
    const rate = `${perHour >= 0 ? '+' : ''}${perHour.toFixed(1)}`.padStart(12);
    return `${quantity.padEnd(18)}${from}${to}${rate}  ${unit.padEnd(4)}${VERDICTS[verdict]}`;
  });
  return [
    `${''.padEnd(18)}${'first third'.padStart(12)}${'last third'.padStart(12)}${'an hour'.padStart(12)}`,
    ...lines,
  ].join('\n');
}
