import type { TagValues } from '../../core/tag-values.ts';
import { originOf, type FieldValue, type Origin, type ValueDetails } from '../../core/value-details.ts';
import { csvText } from './csv.ts';

/*
 * What further columns hold of a value, as JSON in one column of the file, so that a replay writes the same row again:
 *
 *     {"topic":"plant/7/tags","retained":true,"qualityCode":192,"fields":{"batch":"B-17"}}
 *
 * Each member is there only where it says something; the field is empty where none does. Constants are none of it: they
 * are what the configuration says when the row is written.
 */

/** Writes the field of one value after the other; those that follow each other mostly share it. */
export class DetailsWriter {
  #origin: Origin | null = null;
  #details: ValueDetails | null = null;
  #field = '';

  field(values: TagValues, i: number): string {
    const origin = values.origins?.[i] ?? null;
    const details = values.details?.[i] ?? null;
    if (origin !== this.#origin || details !== this.#details) {
      this.#origin = origin;
      this.#details = details;
      this.#field = fieldOf(origin, details);
    }
    return this.#field;
  }
}

function fieldOf(origin: Origin | null, details: ValueDetails | null): string {
  const said = {
    ...(origin !== null && { topic: origin.topic }),
    ...(origin?.retained === true && { retained: true }),
    ...(details !== null && !Number.isNaN(details.qualityCode) && { qualityCode: details.qualityCode }),
    ...(details?.fields !== undefined && { fields: Object.fromEntries(details.fields) }),
  };
  return Object.keys(said).length === 0 ? '' : csvText(JSON.stringify(said));
}

export interface ReadDetails {
  readonly origin: Origin | null;
  readonly details: ValueDetails | null;
}

const NONE: ReadDetails = { origin: null, details: null };

/** The inverse: rows that follow each other with the same field share what it says. */
export class DetailsReader {
  #text: string | null = null;
  #last = NONE;

  /** Undefined for what the bridge never writes. */
  read(text: string | null): ReadDetails | undefined {
    if (text === null) return NONE;
    if (text !== this.#text) {
      const found = parseDetails(text);
      if (found === undefined) return undefined;
      this.#text = text;
      this.#last = found;
    }
    return this.#last;
  }
}

function parseDetails(text: string): ReadDetails | undefined {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(said)) return undefined;
  const { fields, qualityCode, retained = false, topic } = said;
  if (!isOf(topic, 'string') || typeof retained !== 'boolean') return undefined;
  if (!isOf(qualityCode, 'number') || (fields !== undefined && !isFields(fields))) return undefined;
  const hasDetails = qualityCode !== undefined || fields !== undefined;
  return {
    origin: topic === undefined ? null : originOf(topic, retained),
    details: hasDetails ? { qualityCode: qualityCode ?? Number.NaN, fields: fields && fieldsOf(fields) } : null,
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOf<T extends 'string' | 'number'>(
  value: unknown,
  type: T,
): value is (T extends 'string' ? string : number) | undefined {
  return value === undefined || typeof value === type;
}

function isFields(value: unknown): value is Readonly<Record<string, FieldValue>> {
  if (!isObject(value)) return false;
  return Object.values(value).every((each) => each === null || ['string', 'number'].includes(typeof each));
}

function fieldsOf(fields: Readonly<Record<string, FieldValue>>): ReadonlyMap<string, FieldValue> {
  return new Map(Object.entries(fields));
}
