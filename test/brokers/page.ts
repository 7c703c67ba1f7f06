import { readFile, writeFile } from 'node:fs/promises';

import type { RealBroker } from './broker.ts';
import { CASES } from './cases.ts';
import type { CellCounts } from './cell.ts';
import { OTHER_CASES, type CellResult } from './matrix.ts';

const PROTOCOL_TITLES = { 5: 'MQTT 5', 4: 'MQTT 3.1.1' } as const;
const PAYLOAD_TITLES = { time: 'with a time', equal: 'equal, without one' } as const;

/** In docs/brokers.md, around what this writes; between is nothing that a person has written. */
export function marksOf(broker: string): { readonly begin: string; readonly end: string } {
  return { begin: `<!-- npm run brokers writes ${broker} from here -->`, end: `<!-- to here: ${broker} -->` };
}

/**
 * Puts the results into the page, each broker's between its marks. Other brokers' stay. Throws where the page has no
 * marks for one.
 */
export async function writePage(
  path: string,
  brokers: readonly RealBroker[],
  cells: readonly CellResult[],
  scale: number,
): Promise<void> {
  let page = await readFile(path, 'utf8');
  for (const broker of brokers) {
    const own = cells.filter((cell) => cell.broker === broker.name);
    if (own.length > 0) page = replaceBetween(page, broker.name, sectionOf(broker, own, scale));
  }
  await writeFile(path, page);
}

function replaceBetween(page: string, broker: string, text: string): string {
  const { begin, end } = marksOf(broker);
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`the page has no marks for ${broker}`);
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
}

interface Row {
  readonly case: string;
  readonly title: string;
  readonly payloads: CellResult['payloads'];
}

const ROWS: readonly Row[] = [
  ...CASES.flatMap(({ name, title, payloads }) => payloads.map((kind) => ({ case: name, title, payloads: kind }))),
  ...OTHER_CASES.map(({ name, title }) => ({ case: name, title, payloads: undefined })),
];

function sectionOf(broker: RealBroker, cells: readonly CellResult[], scale: number): string {
  const protocols = broker.protocols.filter((protocol) => cells.some((cell) => cell.protocol === protocol));
  const find = (row: Row, protocol: number): CellResult | undefined =>
    cells.find((cell) => cell.protocol === protocol && cell.case === row.case && cell.payloads === row.payloads);
  const table = ROWS.filter((row) => protocols.some((protocol) => find(row, protocol) !== undefined)).map((row) => {
    const payloads = row.payloads === undefined ? '' : PAYLOAD_TITLES[row.payloads];
    return [row.title, payloads].concat(protocols.map((protocol) => textOf(find(row, protocol))));
  });
  const head = ['case', 'payloads', ...protocols.map((protocol) => PROTOCOL_TITLES[protocol])];
  const lines = [head, head.map(() => '---'), ...table].map((columns) => `| ${columns.join(' | ')} |`);
  const remarks = cells
    .filter(({ counts, text }) => counts !== undefined && text !== '')
    .map((cell) => `- ${PROTOCOL_TITLES[cell.protocol]}, ${cell.case}${kindOf(cell)}: ${cell.text}`);
  const form = scale < 1 ? `, ${Math.round(scale * 100)} % of the messages and each blow twice at most` : '';
  const measured = `Version ${broker.version}, ${new Date().toISOString().slice(0, 10)}${form}.`;
  return [measured, lines.join('\n'), ...(remarks.length === 0 ? [] : [remarks.join('\n')])].join('\n\n');
}

function kindOf({ payloads }: CellResult): string {
  return payloads === undefined ? '' : `, payloads ${PAYLOAD_TITLES[payloads]}`;
}

function textOf(cell: CellResult | undefined): string {
  if (cell === undefined) return '';
  if (cell.counts === undefined) return cell.text;
  const { counts } = cell;
  const figures = [
    `${figure(counts.published)}: lost ${lostOf(counts)}`,
    `doubled ${figure(counts.doubled)}`,
    ...(counts.duplicate > 0 ? [`recognised ${figure(counts.duplicate)}`] : []),
    ...(counts.maybeRepeated > 0 ? [`maybe repeated ${figure(counts.maybeRepeated)}`] : []),
  ];
  const text = figures.join(', ');
  return cell.isGood ? text : `**${text}**`;
}

function lostOf({ lost, lostByBroker }: CellCounts): string {
  if (lostByBroker === 0) return figure(lost);
  return `${figure(lost - lostByBroker)}, by the broker ${figure(lostByBroker)}`;
}

function figure(value: number): string {
  return value.toLocaleString('en-US');
}
