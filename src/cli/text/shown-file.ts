import { textOfField, type CsvField } from '../../backup/csv/csv.ts';
import { printable } from '../../core/printable.ts';
import { figureText, plural, utcText } from '../../core/wording.ts';
import type { NamedFields } from '../backups/records.ts';
import { backupFacts, reasonText, type ListedBackup } from './backups-text.ts';
import { alignCells } from './table.ts';

/** A line that goes on has the rest under its text. */
type Fact = readonly [label: string, lines: readonly string[]];

const MAX_FIELD_LENGTH = 60;
/** What a person is here to read. */
const WHOLE_COLUMNS: ReadonlySet<string> = new Set([
  'tag_name',
  'topic',
  'error_code',
  'error_message',
  'reason_code',
  'reason_message',
]);
const TIME_FACTS: ReadonlySet<string> = new Set(['createdAt', 'firstTimestamp', 'lastTimestamp']);

/** The facts of a file: a line each, and a line for each reason why rows are there. */
export function factsText(listed: ListedBackup): string {
  const { reason, reasons, ...facts } = backupFacts(listed);
  const lines = Object.entries<unknown>(facts).map(([label, value]): Fact => [label, oneLine(factText(label, value))]);
  const noun = listed.file.kind === 'undecodable' ? 'message' : 'row';
  const counted = (reasons ?? []).map((each) => [plural(each.rows, noun), reasonText(each)]);
  const why = counted.length === 0 ? oneLine(reasonText(reason)) : alignCells(counted, new Set([0]));
  return factLines([...lines, [counted.length > 1 ? 'reasons' : 'reason', why]]);
}

function factText(label: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') return JSON.stringify(value);
  return TIME_FACTS.has(label) ? utcText(value) : value;
}

/** A record field by field; of a message that could not be decoded its payload instead of the base64. */
export function recordText(record: NamedFields, row: number, rows: number): string {
  const facts = Object.entries(record).flatMap(([column, field]): Fact[] => {
    if (column === 'payload_base64') return [['  payload', payloadLines(payloadOf(field), row)]];
    if (field === null) return [];
    return [[`  ${column}`, oneLine(fieldText(column, field))]];
  });
  return `row ${figureText(row)} of ${figureText(rows)}\n${factLines(facts)}`;
}

/** The bytes of the column `payload_base64`. */
export function payloadOf(field: CsvField): Buffer {
  return Buffer.from(field ?? '', 'base64');
}

function fieldText(column: string, field: string): string {
  const text = textOfField(field);
  if (text === '') return '""';
  if (WHOLE_COLUMNS.has(column) || text.length <= MAX_FIELD_LENGTH) return text;
  return `${text.slice(0, MAX_FIELD_LENGTH)}… (${plural(text.length, 'character')})`;
}

const MAX_TEXT_LENGTH = 4000;
const MAX_SHOWN_BYTES = 256;
const HEX_A_LINE = 32;

/** As text where it is one, else in hexadecimal; the beginning of a long one. Lines without what steers a terminal. */
function payloadLines(payload: Buffer, row: number): readonly string[] {
  if (payload.length === 0) return ['empty'];
  const rest = `all ${plural(payload.length, 'byte')}: --payload ${row}`;
  const text = textOf(payload);
  if (text !== undefined) {
    const lines = text.slice(0, MAX_TEXT_LENGTH).split(/\r?\n/);
    return text.length > MAX_TEXT_LENGTH ? [...lines, `… (${rest})`] : lines;
  }
  const lines = [`binary, ${plural(payload.length, 'byte')}, in hexadecimal:`];
  const shown = payload.subarray(0, MAX_SHOWN_BYTES);
  for (let at = 0; at < shown.length; at += HEX_A_LINE) {
    const bytes = shown.subarray(at, at + HEX_A_LINE).toString('hex');
    lines.push(bytes.replaceAll(/..(?=.)/g, '$& '));
  }
  return shown.length < payload.length ? [...lines, `… (${rest})`] : lines;
}

/** Apart from blanks and line ends a text that people read has no control characters. */
const CONTROL = /[^\P{Cc}\t\r\n]/u;

/** The payload as the text that it is; undefined when it is none. */
export function textOf(payload: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
    return CONTROL.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** The whole payload for a terminal. */
export function terminalText(payload: Buffer): string {
  const text = textOf(payload);
  const lines = text === undefined ? [payload.toString('hex')] : text.split(/\r?\n/);
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function oneLine(text: string): readonly string[] {
  return text === '' ? [] : [text];
}

/** Facts that say nothing are left out. */
function factLines(facts: readonly Fact[]): string {
  const width = Math.max(0, ...facts.map(([label]) => label.length)) + 2;
  return facts
    .flatMap(([label, lines]) =>
      lines.map((line, i) => `${printable(i === 0 ? label : '').padEnd(width)}${printable(line)}\n`),
    )
    .join('');
}
