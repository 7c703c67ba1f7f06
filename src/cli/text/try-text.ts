import { printable } from '../../core/printable.ts';
import { plural, sizeText } from '../../core/wording.ts';
import type { TriedMessage, TriedRow } from '../../core/tried-message.ts';
import { alignCells } from './table.ts';

const HEADINGS = ['TAG_NAME', 'VALUE', 'TEXT', 'TIMESTAMP', 'QUALITY'];
const DESTINATION = 'DESTINATION';
const PROBLEM = 'PROBLEM';
/** The column of values, counted from 0. */
const RIGHT_ALIGNED = new Set([1]);
const MAX_TEXT_LENGTH = 60;

/** What would become of a message, for a person: a line about it, then its rows. */
export function triedText(tried: TriedMessage): string {
  const { notes = [], reason, rows } = tried;
  const head = printable(`${tried.topic} (${sizeText(tried.bytes)}): ${outcomeText(tried)}`);
  const lines = [head, `  ${printable(takenText(tried))}`];
  if (reason !== undefined) lines.push(`  ${printable(`${reason.code}: ${reason.message}`)}`);
  for (const note of notes) lines.push(`  ${printable(note)}`);
  if (rows.length > 0) lines.push('', ...alignCells(tableOf(rows), RIGHT_ALIGNED));
  return `${lines.join('\n')}\n`;
}

function outcomeText({ outcome, rejectedCount, rowCount }: TriedMessage): string {
  if (outcome === 'undecodable') return 'can not be decoded';
  if (outcome === 'skipped') return 'skipped: the subscription is not for such messages';
  const rejected = rejectedCount === 0 ? '' : `, ${rejectedCount} of them would be rejected`;
  return plural(rowCount, 'row') + rejected;
}

function takenText({ subscription }: TriedMessage): string {
  if (subscription === null) return 'no subscription takes this topic';
  const { format, index, topic } = subscription;
  return `read by mqtt.subscriptions[${index}], ${topic}, as ${format}`;
}

/** Further columns are those of all rows: each destination has its own. */
function tableOf(rows: readonly TriedRow[]): string[][] {
  const hasDestinations = rows.some(({ destination }) => destination !== undefined);
  const further = [...new Set(rows.flatMap(({ columns = {} }) => Object.keys(columns)))];
  const headings = [...HEADINGS, ...further, ...(hasDestinations ? [DESTINATION] : []), PROBLEM];
  return [headings, ...rows.map((row) => cellsOf(row, further, hasDestinations))];
}

function cellsOf(row: TriedRow, further: readonly string[], hasDestinations: boolean): string[] {
  const { columns = {}, destination = '', problem, quality, tagName, text, timestamp, value } = row;
  return [
    tagName,
    value === null ? '' : String(value),
    textCell(text),
    timestamp ?? '',
    quality,
    ...further.map((name) => furtherCell(Object.hasOwn(columns, name) ? columns[name]! : null)),
    ...(hasDestinations ? [destination] : []),
    problem === undefined ? '' : `${problem.code}: ${problem.message}`,
  ].map(printable);
}

function furtherCell(content: string | number | null): string {
  return textCell(content === null ? null : String(content));
}

function textCell(text: string | null): string {
  return text === null ? '' : text === '' ? '""' : shortened(text);
}

function shortened(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}… (${text.length} characters)` : text;
}
