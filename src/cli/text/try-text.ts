import { printable } from '../../core/printable.ts';
import { plural, sizeText } from '../../core/wording.ts';
import type { TriedMessage, TriedRow } from '../../core/tried-message.ts';
import { alignCells } from './table.ts';

const HEADINGS = ['TAG_NAME', 'VALUE', 'TEXT', 'TIMESTAMP', 'QUALITY'];
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
  const [first] = rows;
  const further = Object.keys(first?.columns ?? {});
  const headings = [...HEADINGS, ...further, PROBLEM];
  if (first !== undefined) lines.push('', ...alignCells([headings, ...rows.map(cellsOf)], RIGHT_ALIGNED));
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

function cellsOf({ columns = {}, problem, quality, tagName, text, timestamp, value }: TriedRow): string[] {
  return [
    tagName,
    value === null ? '' : String(value),
    textCell(text),
    timestamp ?? '',
    quality,
    ...Object.values(columns).map((each) => textCell(each === null ? null : String(each))),
    problem === undefined ? '' : `${problem.code}: ${problem.message}`,
  ].map(printable);
}

function textCell(text: string | null): string {
  return text === null ? '' : text === '' ? '""' : shortened(text);
}

function shortened(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}… (${text.length} characters)` : text;
}
