const SIZES = [
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
] as const;

/** `1.5 MiB` */
export function sizeText(bytes: number): string {
  const [divisor, unit] = SIZES.find(([size]) => bytes >= size) ?? [1, 'B'];
  return `${divisor === 1 ? bytes : (bytes / divisor).toFixed(1)} ${unit}`;
}
