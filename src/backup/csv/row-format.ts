import { DEFAULT_DESTINATION } from '../../core/destination.ts';
import type { Reason } from '../../core/errors.ts';
import type { Message } from '../../core/message.ts';
import type { RefusedRow } from '../../core/refused-row.ts';
import type { Tag, TagValues } from '../../core/tag-values.ts';
import { csvField, csvText } from './csv.ts';
import { DetailsWriter } from './details-text.ts';
import { TimeWriter } from './time-text.ts';

/**
 * The lines of the files, one record a value or an undecodable message.
 *
 * A number is the shortest decimal text that reads back as the same double, empty for NULL; infinities are `Infinity`
 * and `-Infinity`. Numbers, times, the journal's id, the destination's name (empty for the default) and base64 are the
 * bridge's own and stand as they are; each other field may hold what someone else chose, and is kept from being a
 * formula (csv.ts).
 */

export const ROW_COLUMNS = [
  'tag_name',
  'tag_value',
  'timestamp',
  'quality',
  'insertion_attempt_time',
  'tag_text',
  'plc_code',
  'tag_address',
  'received_at',
  'journal',
  'message_no',
  'value_no',
  'details',
  'destination',
  'error_code',
  'error_message',
] as const;
export type RowColumn = (typeof ROW_COLUMNS)[number];

export const UNDECODABLE_COLUMNS = [
  'topic',
  'payload_base64',
  'reason_code',
  'reason_message',
  'received_at',
  'message_no',
  'payload_bytes',
  'journal',
] as const;

const LINE_END = '\r\n';
const MAX_MESSAGE_LENGTH = 200;
const PIECE_CHARACTERS = 1_048_576;

export function headerLine(columns: readonly string[]): string {
  return columns.join(',') + LINE_END;
}

/** As much of a reason as a file or a notice repeats: the first line of its message, at most 200 characters. */
export function shortReason({ code, message }: Reason): Reason {
  const [line = ''] = message.split(/[\r\n]/, 1);
  if (line.length <= MAX_MESSAGE_LENGTH) return { code, message: line };
  // A cut between the two halves of a surrogate pair would leave a character that UTF-8 can't hold.
  return { code, message: line.slice(0, MAX_MESSAGE_LENGTH).replace(/[\uD800-\uDBFF]$/, '') };
}

/** Where and when rows were given up. */
export interface RowOrigin {
  /** Id of the journal that numbered them; empty when that is not known. */
  readonly journal: string;
  /** Whom they are for. */
  readonly destination: string;
  readonly attemptedAtMs: number;
}

/** All values, each with the one reason why the batch was not taken. */
export function encodeBatch(values: TagValues, reason: Reason, origin: RowOrigin): Buffer {
  const lines = new RowLines(origin);
  const ending = reasonEnding(reason);
  return encodeLines(values.length, (i) => lines.line(values, i, ending));
}

/** The chosen values, each with its own reason. */
export function encodeRejected(values: TagValues, rows: readonly RefusedRow[], origin: RowOrigin): Buffer {
  const lines = new RowLines(origin);
  return encodeLines(rows.length, (i) => lines.line(values, rows[i]!.index, reasonEnding(rows[i]!.reason)));
}

/** In pieces: values may have texts of megabytes, and one string holds no more than half a gigabyte. */
function encodeLines(count: number, line: (i: number) => string): Buffer {
  const pieces: Buffer[] = [];
  let text = '';
  for (let i = 0; i < count; i += 1) {
    text += line(i);
    if (text.length < PIECE_CHARACTERS) continue;
    pieces.push(Buffer.from(text, 'utf8'));
    text = '';
  }
  const last = Buffer.from(text, 'utf8');
  return pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
}

/** `journal`: the one that numbered the message. */
export function encodeUndecodable(message: Message, reason: Reason, journal: string): Buffer[] {
  const { code, message: why } = shortReason(reason);
  const tail = [
    csvText(code),
    csvText(why),
    new TimeWriter().text(message.receivedAtMs),
    String(message.number),
    String(message.payload.length),
    csvField(journal),
  ];
  // The payload may be as long as MQTT allows: it does not go through one more string than it must.
  return [
    Buffer.from(`${csvText(message.topic)},`, 'utf8'),
    Buffer.from(message.payload.toString('base64'), 'latin1'),
    Buffer.from(`,${tail.join(',')}${LINE_END}`, 'utf8'),
  ];
}

function reasonEnding(reason: Reason): string {
  const { code, message } = shortReason(reason);
  return `,${csvText(code)},${csvText(message)}${LINE_END}`;
}

/** Builds lines of one batch; what its values share is made once. */
class RowLines {
  readonly #names = new Map<Tag, string>();
  readonly #origins = new Map<Tag, string>();
  readonly #times = new TimeWriter();
  readonly #receiptTimes = new TimeWriter();
  readonly #details = new DetailsWriter();
  readonly #attemptTime: string;
  readonly #journal: string;
  readonly #destination: string;
  #quality = '';
  #qualityField = csvText('');

  constructor({ attemptedAtMs, destination, journal }: RowOrigin) {
    this.#attemptTime = new TimeWriter().text(attemptedAtMs);
    this.#journal = journal === '' ? '' : csvField(journal);
    this.#destination = destination === DEFAULT_DESTINATION ? '' : csvField(destination);
  }

  line(values: TagValues, i: number, ending: string): string {
    const tag = values.tags[i]!;
    let name = this.#names.get(tag);
    if (name === undefined) {
      name = `${csvText(tag.name)},`;
      this.#names.set(tag, name);
      this.#origins.set(tag, `${csvText(tag.plcCode)},${csvText(tag.address)}`);
    }
    const quality = values.qualities[i]!;
    if (quality !== this.#quality) {
      this.#quality = quality;
      this.#qualityField = csvText(quality);
    }
    const time = this.#times.text(values.timesMs[i]!);
    const text = values.texts[i]!;
    const receivedAt = this.#receiptTimes.text(values.receivedAtMs[i]!);
    return (
      `${name}${numberText(values.numbers[i]!)},${time},${this.#qualityField},${this.#attemptTime},` +
      `${csvText(text)},${this.#origins.get(tag)!},${receivedAt},` +
      `${this.#journal},${values.messageNos[i]!},${values.valueNos[i]!},${this.#details.field(values, i)},` +
      `${this.#destination}${ending}`
    );
  }
}

function numberText(number: number): string {
  if (number === 0) return Object.is(number, -0) ? '-0' : '0';
  return Number.isNaN(number) ? '' : String(number);
}
