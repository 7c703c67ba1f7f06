import { readText } from '../text.ts';
import { isJsonObject } from '../value-decoder.ts';

/** What a payload looks like at first sight. */
export interface Shape {
  /** Payloads of one kind are read in one way. */
  readonly kind: string;
  /** For a person. */
  readonly text: string;
}

const GZIP = Buffer.from([0x1f, 0x8b]);
const MAX_KEYS = 8;
const MAX_TEXT_LENGTH = 70;
const MAX_JSON_BYTES = 1_048_576;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** Namespaces of Sparkplug B, its STATE messages included [Sparkplug 3.0 section 4]. */
const SPARKPLUG = /^spBv1\.0\//;

/** One payload is one value. */
const SINGLE = 'single';

export function shapeOf(topic: string, payload: Buffer): Shape {
  if (SPARKPLUG.test(topic)) return { kind: 'sparkplug', text: 'Sparkplug B' };
  if (payload.length === 0) return { kind: SINGLE, text: 'empty' };
  if (payload.subarray(0, 2).equals(GZIP)) return { kind: 'gzip', text: 'gzip' };
  const text = payload.length > MAX_JSON_BYTES ? undefined : readText(payload)?.trim();
  if (text === undefined || text.includes('\0')) return { kind: `binary ${payload.length}`, text: 'binary' };
  if (NUMBER.test(text)) return { kind: SINGLE, text: 'number' };
  if (/^(?:true|false)$/i.test(text)) return { kind: SINGLE, text: 'boolean' };
  const document = parse(text);
  if (isJsonObject(document)) return objectShape(document);
  if (Array.isArray(document)) return { kind: 'json array', text: `JSON array of ${document.length}` };
  return { kind: SINGLE, text: 'text' };
}

function objectShape(document: Readonly<Record<string, unknown>>): Shape {
  const keys = Object.keys(document);
  const { value } = document;
  const isSingle = value !== undefined && (typeof value !== 'object' || value === null);
  const shown = keys.slice(0, MAX_KEYS).map((key) => (typeof document[key] === 'object' ? `${key}: …` : key));
  const text = `JSON {${shown.join(', ')}${keys.length > MAX_KEYS ? ', …' : ''}}`;
  // Names of tags as keys differ from message to message; what holds them does not.
  const nested = keys.filter((key) => typeof document[key] === 'object' && document[key] !== null).sort();
  const kind = isSingle ? SINGLE : nested.length > 0 ? `json ${nested.join(' ')}` : 'json flat';
  return { kind, text: text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text };
}

function parse(text: string): unknown {
  if (!text.startsWith('{') && !text.startsWith('[')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
