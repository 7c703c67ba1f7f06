/**
 * Sizes and times with a unit: `2 GB`, `500 ms`, `1.5 h`. A number, then perhaps a space, then the unit as it stands
 * here. K, M and G are powers of 1000 [IEC 80000-13]; Ki, Mi and Gi are powers of 1024.
 */
export interface Units {
  /** What is measured, for an error. */
  readonly noun: string;
  /** By name, ascending: how many of the smallest one it has. */
  readonly factors: ReadonlyMap<string, number>;
}

const TIMES: Units = {
  noun: 'a time',
  factors: new Map([
    ['ms', 1],
    ['s', 1000],
    ['min', 60_000],
    ['h', 3_600_000],
    ['d', 86_400_000],
  ]),
};

const SIZES: Units = {
  noun: 'a size',
  factors: new Map([
    ['B', 1],
    ['KB', 1000],
    ['KiB', 1024],
    ['MB', 1_000_000],
    ['MiB', 1_048_576],
    ['GB', 1_000_000_000],
    ['GiB', 1_073_741_824],
  ]),
};

/** The unit of a key's plain numbers, which is the end of its name. */
export interface KeyUnit {
  readonly units: Units;
  /** The one that plain numbers are in. */
  readonly plain: string;
}

const KEY_UNITS: readonly (readonly [ending: RegExp, unit: KeyUnit])[] = [
  [/Ms$/, { units: TIMES, plain: 'ms' }],
  [/Seconds$/, { units: TIMES, plain: 's' }],
  [/Bytes$/, { units: SIZES, plain: 'B' }],
];

/** Undefined for a key that is neither a size nor a time. */
export function unitOfKey(key: string): KeyUnit | undefined {
  return KEY_UNITS.find(([ending]) => ending.test(key))?.[1];
}

const NUMBER = String.raw`(0|[1-9]\d{0,14})(?:\.(\d{1,9}))?`;

/** What a text with a unit looks like, for an editor. */
export function unitPattern({ units }: KeyUnit): string {
  return `^${NUMBER} ?(${[...units.factors.keys()].join('|')})$`;
}

/**
 * The number that a text with a unit means, in the unit of the key; undefined: it is none, or no whole number in that
 * unit.
 */
export function readWithUnit(text: string, key: KeyUnit): number | undefined {
  const [, whole, fraction = '', unit = ''] = new RegExp(unitPattern(key)).exec(text) ?? [];
  const factor = key.units.factors.get(unit);
  if (whole === undefined || factor === undefined) return undefined;
  // In whole numbers: 4.35 * 100 is 434.99999999999994.
  const scaled = BigInt(whole + fraction) * BigInt(factor);
  const divisor = 10n ** BigInt(fraction.length) * BigInt(key.units.factors.get(key.plain)!);
  return scaled % divisor === 0n && scaled / divisor <= Number.MAX_SAFE_INTEGER ? Number(scaled / divisor) : undefined;
}

/** The shortest whole number of one unit that reads back as the same: `16777216` bytes are `16 MiB`. */
export function withUnit(value: number, { plain, units }: KeyUnit): string {
  const amount = value * units.factors.get(plain)!;
  const [unit, factor] = [...units.factors].findLast(([, each]) => amount !== 0 && amount % each === 0) ?? [plain, 1];
  return `${amount / factor} ${unit}`;
}

/** `a time such as "5 s" (ms, s, min, h, d)` */
export function unitsAllowed({ units }: KeyUnit, example: string): string {
  return `${units.noun} such as "${example}" (${[...units.factors.keys()].join(', ')})`;
}
