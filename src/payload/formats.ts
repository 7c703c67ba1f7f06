import type { PayloadFormat } from './format.ts';
import { json } from './json/json.ts';
import { polling } from './polling.ts';
import { scalar } from './scalar.ts';
import { sparkplugB } from './sparkplug/sparkplug-b.ts';

/*
 * The list that the configuration, its reference, the decoder and the documentation go by. A format is its file and an
 * entry here.
 */

const LIST = [polling, scalar, json, sparkplugB] as const;

export type FormatName = (typeof LIST)[number]['name'];

/** All payload formats, the usual one first. */
export const FORMATS: readonly PayloadFormat<FormatName>[] = LIST;

/** Formats that a person may have read of elsewhere, and that this version does not have. */
export const LATER_FORMATS: readonly string[] = [];

const BY_NAME: ReadonlyMap<unknown, PayloadFormat<FormatName>> = new Map(FORMATS.map((each) => [each.name, each]));

/** Undefined for what is no name of a format. */
export function findFormat(name: unknown): PayloadFormat<FormatName> | undefined {
  return BY_NAME.get(name);
}

export function formatNamed(name: FormatName): PayloadFormat<FormatName> {
  return BY_NAME.get(name)!;
}
