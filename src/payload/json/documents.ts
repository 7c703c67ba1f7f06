import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

import { systemErrorCode, coerceError, type Reason } from '../../core/errors.ts';
import { invalidJson, reasonFor } from '../reasons.ts';
import { readText } from '../text.ts';
import { ExactJsonError, parseDocuments, type ParseOptions } from './exact-parser.ts';
import type { MessageMapping } from './mapping.ts';
import { jsonReason } from './reasons.ts';

type Compression = NonNullable<MessageMapping['compression']>;

const INFLATE = {
  gzip: gunzipSync,
  deflate: inflateSync,
  deflateRaw: inflateRawSync,
} as const;

/**
 * The payload's text, decompressed, or why it can't be had. Reason: INFLATE_FAILED, INFLATED_TOO_LARGE, INVALID_UTF8.
 */
export function readPayload(payload: Buffer, compression: Compression, maxInflatedBytes: number): string | Reason {
  const method = compression === 'auto' ? recognize(payload) : compression;
  if (method === 'none') return readText(payload) ?? reasonFor('INVALID_UTF8');
  try {
    const inflated = INFLATE[method](payload, { maxOutputLength: maxInflatedBytes });
    return readText(inflated) ?? reasonFor('INVALID_UTF8');
  } catch (thrown) {
    if (systemErrorCode(thrown) === 'ERR_BUFFER_TOO_LARGE') return jsonReason('INFLATED_TOO_LARGE', maxInflatedBytes);
    return jsonReason('INFLATE_FAILED', coerceError(thrown).message);
  }
}

/** [RFC 1952 section 2.3.1], [RFC 1950 section 2.2]: no JSON begins with these bytes. */
function recognize(payload: Buffer): 'gzip' | 'deflate' | 'none' {
  if (payload.length < 2) return 'none';
  const head = payload.readUInt16BE(0);
  if (head === 0x1f_8b) return 'gzip';
  return (head & 0x0f_00) === 0x08_00 && head >> 12 === 7 && head % 31 === 0 ? 'deflate' : 'none';
}

export interface ParsedText {
  readonly documents: readonly unknown[];
  /** The numbers are as they were sent. */
  readonly isExact: boolean;
}

/** The documents of a text that is not empty, or why it is no JSON. */
export function parseText(text: string, options: ParseOptions): ParsedText | Reason {
  try {
    return { documents: [JSON.parse(text)], isExact: false };
  } catch (thrown) {
    try {
      return { documents: parseDocuments(text, options), isExact: true };
    } catch (exact) {
      const isNotFinite = exact instanceof ExactJsonError && exact.isNotFinite;
      return isNotFinite ? jsonReason('JSON_NOT_FINITE', exact.message) : invalidJson(thrown);
    }
  }
}
