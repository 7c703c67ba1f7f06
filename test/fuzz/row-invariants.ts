import { CsvParser, textOfField } from '../../src/backup/csv/csv.ts';
import { RowDecoder, type DecodedRow } from '../../src/backup/csv/row-decoder.ts';
import {
  encodeRejected,
  encodeUndecodable,
  headerLine,
  ROW_COLUMNS,
  shortReason,
  UNDECODABLE_COLUMNS,
} from '../../src/backup/csv/row-format.ts';
import type { Reason } from '../../src/core/errors.ts';
import { MAX_TIME_MS, MIN_TIME_MS } from '../../src/core/limits.ts';
import { microsecondsOf, withMicroseconds } from '../../src/core/microseconds.ts';
import type { Message } from '../../src/core/message.ts';
import type { TagValues } from '../../src/core/tag-values.ts';
import { checkRows } from '../../src/writer/row-check.ts';

const MAX_TEXT_BYTES = 4_000;
/** What a name may have beyond what the payload says in it: PLC code, template, and escapes of broken text. */
const MAX_NAME_BEYOND_PAYLOAD = 2_000;
const CHARACTERS_OF_AN_ESCAPE = 6;
const MAX_REASON_LENGTH = 2_000;
/** Of more than this no CSV is made: one and the same text may stand in many rows. */
const MAX_CSV_CHARACTERS = 500_000;
const LONE_SURROGATE = /\p{Surrogate}/u;
const CODE = /^[A-Z][A-Z0-9_]*$/;
const ORIGIN = { journal: 'j1', destination: 'default', attemptedAtMs: Date.UTC(2025, 0, 1) };
const TAKEN: Reason = { code: 'TAKEN', message: '' };

/** What is wrong with the rows of a message, at most one thing; undefined: nothing. */
export function faultOfRows(message: Message, values: TagValues): string | undefined {
  for (let i = 0; i < values.length; i += 1) {
    const fault = faultOfRow(message, values, i);
    if (fault !== undefined) return `row ${i}: ${fault}`;
  }
  return faultOfChecked(values) ?? faultOfCsv(values);
}

/** The same of the reason why a message can't be decoded. */
export function faultOfReason(message: Message, reason: Reason): string | undefined {
  const fault = faultOfWords(reason);
  if (fault !== undefined) return fault;
  const { code, message: words } = shortReason(reason);
  const parser = new CsvParser();
  const records = [
    ...parser.push(Buffer.from(headerLine(UNDECODABLE_COLUMNS))),
    ...encodeUndecodable(message, reason, ORIGIN.journal).flatMap((piece) => parser.push(piece)),
    ...parser.end(),
  ];
  const [topic, payload, ...why] = (records[1]?.fields ?? []).map((field) => textOfField(field ?? ''));
  const isSame =
    topic === message.topic && payload === message.payload.toString('base64') && why[0] === code && why[1] === words;
  return isSame ? undefined : 'the CSV of what is undecodable reads back otherwise';
}

function faultOfRow(message: Message, values: TagValues, i: number): string | undefined {
  const number = values.numbers[i]!;
  const timeMs = values.timesMs[i]!;
  const tag = values.tags[i]!;
  const problem = values.problems[i];
  if (!Number.isNaN(number) && !Number.isFinite(number)) return `the number ${number}`;
  if (Object.is(number, -0)) return 'a zero with a sign';
  if (Number.isNaN(timeMs) ? problem === undefined : !isTime(timeMs)) return `the time ${timeMs}`;
  if (values.messageNos[i] !== message.number || values.valueNos[i] !== i) return 'not numbered';
  if (values.receivedAtMs[i] !== message.receivedAtMs) return 'without the time of receipt';
  for (const text of [values.texts[i], values.qualities[i], tag.name, tag.plcCode, tag.address]) {
    if (text !== null && (typeof text !== 'string' || LONE_SURROGATE.test(text))) return `a text that is none: ${text}`;
  }
  const maxNameLength = MAX_NAME_BEYOND_PAYLOAD + CHARACTERS_OF_AN_ESCAPE * message.payload.length;
  if (tag.name.length > maxNameLength) return `a name of ${tag.name.length} characters`;
  return problem === undefined ? undefined : faultOfWords(problem);
}

/** Made of whole milliseconds and whole microseconds, so that a file reads it back. */
function isTime(timeMs: number): boolean {
  const isWhole = timeMs === withMicroseconds(Math.floor(timeMs), microsecondsOf(timeMs));
  return isWhole && timeMs >= MIN_TIME_MS && timeMs <= MAX_TIME_MS;
}

function faultOfWords({ code, message }: Reason): string | undefined {
  if (!CODE.test(code)) return `the code ${JSON.stringify(code)}`;
  if (LONE_SURROGATE.test(message)) return `words with half a surrogate pair: ${JSON.stringify(message)}`;
  return message.length > MAX_REASON_LENGTH ? `words of ${message.length} characters` : undefined;
}

/** What the check of rows lets through, the driver must be able to bind. */
function faultOfChecked(values: TagValues): string | undefined {
  const options = { maxTextBytes: MAX_TEXT_BYTES, valueType: 'number', hasTextColumn: true } as const;
  const refused = new Set(checkRows(values, options).map(({ index }) => index));
  for (let i = 0; i < values.length; i += 1) {
    if (refused.has(i)) continue;
    const { name, plcCode, address } = values.tags[i]!;
    const texts = [name, plcCode, address, values.qualities[i]!, values.texts[i] ?? ''];
    const isBindable = texts.every((text) => Buffer.byteLength(text) <= MAX_TEXT_BYTES) && name !== '';
    if (!isBindable || values.problems[i] !== undefined) return `row ${i}: let through by the check of rows`;
  }
  return undefined;
}

/** The rows as files of rejected rows hold them, read back. */
function faultOfCsv(values: TagValues): string | undefined {
  let characters = 0;
  for (let i = 0; i < values.length; i += 1) characters += values.tags[i]!.name.length + (values.texts[i]?.length ?? 0);
  if (values.length === 0 || characters > MAX_CSV_CHARACTERS) return undefined;
  const rows = Array.from({ length: values.length }, (_, i) => ({ index: i, reason: values.problems[i] ?? TAKEN }));
  const parser = new CsvParser();
  const [header] = parser.push(Buffer.from(headerLine(ROW_COLUMNS)));
  const decoder = new RowDecoder(header!);
  const records = [...parser.push(encodeRejected(values, rows, ORIGIN)), ...parser.end()];
  if (records.length !== values.length) return `the CSV has ${records.length} rows in place of ${values.length}`;
  const wrong = records.findIndex((record, i) => !isSameRow(decoder.decode(record), values, i));
  return wrong === -1 ? undefined : `row ${wrong}: the CSV reads back otherwise`;
}

function isSameRow(row: DecodedRow, values: TagValues, i: number): boolean {
  const { name, plcCode, address } = values.tags[i]!;
  const { code, message } = shortReason(values.problems[i] ?? TAKEN);
  const read = [row.tag.name, row.tag.plcCode, row.tag.address, row.number, row.text, row.timeMs, row.quality];
  const made = [name, plcCode, address, values.numbers[i], values.texts[i], values.timesMs[i], values.qualities[i]];
  return (
    read.every((each, k) => Object.is(each, made[k])) &&
    row.receivedAtMs === values.receivedAtMs[i] &&
    row.messageNo === values.messageNos[i] &&
    row.valueNo === values.valueNos[i] &&
    row.reason.code === code &&
    row.reason.message === message
  );
}
