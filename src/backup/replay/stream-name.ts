import { DEFAULT_DESTINATION } from '../../core/destination.ts';

const MAX_STREAM_BYTES = 200;
const MAX_ORIGIN_BYTES = 100;

/** Which rows of a file share a ledger stream. */
export interface GroupId {
  /** Whom the rows are for, by the file. */
  readonly destination: string;
  /** `journal/<id>` of the journal that numbered them, or `rows…` of those without a place. */
  readonly rows: string;
}

const FOREIGN = '@';

/** The group as a text; that of the default is its rows alone, as it was when there was no other. */
export function groupKeyOf({ destination, rows }: GroupId): string {
  return destination === DEFAULT_DESTINATION ? rows : `${FOREIGN}${encodeURIComponent(destination)}/${rows}`;
}

/** Whom the rows are for whose group has this key. */
export function destinationOfKey(key: string): string {
  if (!key.startsWith(FOREIGN)) return DEFAULT_DESTINATION;
  return decodeURIComponent(key.slice(FOREIGN.length, key.indexOf('/')));
}

/**
 * `replay/<file>/<origin>`, for another destination than the default `replay/<file>/<origin>/<destination>`. What is
 * too long for the ledger's column gives up its beginning: what tells files and groups apart stands at the ends.
 */
export function streamName(file: string, origin: string, destination = DEFAULT_DESTINATION): string {
  const whole = destination === DEFAULT_DESTINATION ? origin : `${origin}/${destination}`;
  const head = 'replay/';
  const tail = `/${cutToBytes(whole, MAX_ORIGIN_BYTES)}`;
  return head + cutToBytes(file, MAX_STREAM_BYTES - Buffer.byteLength(head + tail)) + tail;
}

/** The last bytes of a text, between characters. */
function cutToBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let start = bytes.length - maxBytes;
  while (start < bytes.length && (bytes[start]! & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start).toString();
}
