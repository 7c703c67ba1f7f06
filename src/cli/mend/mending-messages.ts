import { csvText, textOfField, type CsvField, type CsvRecord } from '../../backup/csv/csv.ts';
import type { UNDECODABLE_COLUMNS } from '../../backup/csv/row-format.ts';
import { TimeReader } from '../../backup/csv/time-text.ts';
import type { TriedMessage } from '../../core/tried-message.ts';
import { textOf } from '../text/shown-file.ts';
import { isSameText, refusal, type MendedRow } from './mended-csv.ts';
import type { Mending, RecordFields } from './mending.ts';

type MessageColumn = (typeof UNDECODABLE_COLUMNS)[number];

/** What would become of a message. */
export type TryMessage = (topic: string, payload: Buffer, receivedAtMs: number) => TriedMessage;

const PAYLOAD = 'payload';
const BASE64: MessageColumn = 'payload_base64';
/** The most characters that a cell of a spreadsheet holds are 32,767: of a longer payload it would lose the end. */
const MAX_CELL_CHARACTERS = 32_000;
const BASE64_TEXT = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const MAX_TOPIC_BYTES = 65_535;

/** Messages that could not be decoded. What can't be shown in a cell is left empty, and stays as it was. */
export class MessageMending implements Mending {
  readonly identity: readonly MessageColumn[] = ['journal', 'message_no'];
  readonly columns = ['topic', PAYLOAD, BASE64];
  readonly reasons: readonly MessageColumn[] = ['received_at', 'payload_bytes', 'reason_code', 'reason_message'];
  readonly #tryMessage: TryMessage;
  readonly #times = new TimeReader();

  constructor(tryMessage: TryMessage) {
    this.#tryMessage = tryMessage;
  }

  shown(fields: RecordFields): Readonly<Record<string, CsvField>> {
    const reasons = this.reasons.map((column) => [column, fields(column)]);
    return { ...Object.fromEntries(reasons), topic: fields('topic'), ...shownPayload(fields) };
  }

  changes(fields: RecordFields, mended: MendedRow): Readonly<Record<string, CsvField>> {
    const topic = mended.field('topic');
    const payload = changedPayload(fields, mended);
    return {
      ...(isSameText(fields('topic'), topic) ? {} : { topic: checkedTopic(topic, mended.line) }),
      ...(payload === undefined ? {} : { [BASE64]: payload.toString('base64'), payload_bytes: String(payload.length) }),
    };
  }

  check(header: CsvRecord, record: CsvRecord, mended: MendedRow): void {
    const field = (column: MessageColumn): string => record.fields[header.fields.indexOf(column)] ?? '';
    const receivedAtMs = this.#times.timeMs(field('received_at')) ?? 0;
    const payload = Buffer.from(field(BASE64), 'base64');
    const tried = this.#tryMessage(textOfField(field('topic')), payload, receivedAtMs);
    // What a metric of Sparkplug is, its birth has said.
    if (tried.outcome !== 'undecodable' || tried.subscription?.format === 'sparkplugB') return;
    const { code, message } = tried.reason ?? { code: 'UNKNOWN', message: 'it can not be read' };
    const isTopics = tried.subscription === null;
    const column = isTopics ? 'topic' : mended.field(PAYLOAD) === '' ? BASE64 : PAYLOAD;
    const allowed = isTopics ? 'the topic of a subscription' : 'what its subscription can read';
    throw refusal(mended.line, column, mended.field(column), `${allowed} (${code}: ${message})`);
  }
}

/** The payload in the one of the two columns that fits it; a long one in neither. */
function shownPayload(fields: RecordFields): Readonly<Record<string, CsvField>> {
  const base64 = fields(BASE64) ?? '';
  const text = textOf(Buffer.from(base64, 'base64'));
  if (text !== undefined && text !== '') {
    const cell = guarded(text);
    return { [PAYLOAD]: cell.length > MAX_CELL_CHARACTERS ? null : cell, [BASE64]: null };
  }
  return { [PAYLOAD]: null, [BASE64]: base64.length > MAX_CELL_CHARACTERS ? null : base64 };
}

/** The field of a text, without the quotes that it may need. */
function guarded(text: string): string {
  const field = csvText(text);
  return field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field;
}

/** Undefined: it stays as it was. */
function changedPayload(fields: RecordFields, mended: MendedRow): Buffer | undefined {
  const [text, base64] = [mended.field(PAYLOAD), mended.field(BASE64)];
  const before = shownPayload(fields);
  const isSame = isSameText(before[PAYLOAD] ?? null, text) && isSameText(before[BASE64] ?? null, base64);
  if (isSame || (text === '' && base64 === '')) return undefined;
  if (text !== '' && base64 !== '') {
    throw refusal(mended.line, BASE64, base64, `nothing, as the column ${PAYLOAD} has the payload as text`);
  }
  if (text !== '') return Buffer.from(textOfField(text));
  if (!BASE64_TEXT.test(base64)) throw refusal(mended.line, BASE64, base64, 'base64');
  return Buffer.from(base64, 'base64');
}

/** Throws CsvError for what no message can have been published to [MQTT-3.3.2-2]. */
function checkedTopic(field: string, line: number): string {
  const topic = textOfField(field);
  const isTopic = topic !== '' && !/[+#\0]/.test(topic) && Buffer.byteLength(topic) <= MAX_TOPIC_BYTES;
  if (!isTopic) throw refusal(line, 'topic', field, 'the topic of one message, without + and #');
  return guarded(topic);
}
