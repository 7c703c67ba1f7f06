import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { TagRow } from '../support/tag-table.ts';
import type { Obligation } from './load-publisher.ts';

export interface Offence {
  readonly what: 'lost' | 'doubled' | 'unknown';
  readonly name: string;
  /** The cycle that published it; undefined for what nobody published. */
  readonly cycle: number | undefined;
  readonly found: string;
  /** In how many places it was found. */
  readonly copies: number;
}

/**
 * Where copies of something were found, with repetitions of one place in the stream within the CSV files counted once.
 */
type Places = Map<string, string[]>;

/** Where each kind ends. A value that still waits in a backup file has not arrived. */
const RIGHT_PLACES: Readonly<Record<Obligation['kind'], string>> = {
  value: 'table',
  'refused value': 'rejected_',
  'undecodable message': 'undecodable_',
};

/** Holds what the broker acknowledged against what is in the table and in the CSV files. */
export async function judge(
  obligations: ReadonlyMap<string, Obligation>,
  rows: readonly TagRow[],
  backupDirectories: readonly string[],
): Promise<Offence[]> {
  const places: Places = new Map();
  const offences: Offence[] = [];
  for (const row of rows) {
    add(places, row.name, 'table');
    const obligation = obligations.get(row.name);
    if (obligation !== undefined && (obligation.value !== row.value || obligation.timeMs !== row.timeMs)) {
      const found = `table: ${row.value} at ${row.timeMs} instead of ${obligation.value} at ${obligation.timeMs}`;
      offences.push({ what: 'unknown', name: row.name, cycle: obligation.cycle, found, copies: 1 });
    }
  }
  for (const directory of backupDirectories) {
    for (const name of await readdir(directory)) await readCsv(join(directory, name), name, places);
  }
  for (const [name, { cycle, isOwed, kind }] of obligations) {
    const copies = places.get(name) ?? [];
    const found = copies.join(', ') || 'nowhere';
    const hasArrived = copies.some((place) => place.startsWith(RIGHT_PLACES[kind]));
    if (!hasArrived && (isOwed || copies.length > 0))
      offences.push({ what: 'lost', name, cycle, found, copies: copies.length });
    if (copies.length > 1) offences.push({ what: 'doubled', name, cycle, found, copies: copies.length });
  }
  for (const [name, found] of places) {
    if (obligations.has(name)) continue;
    offences.push({ what: 'unknown', name, cycle: undefined, found: found.join(', '), copies: found.length });
  }
  return offences;
}

async function readCsv(path: string, name: string, places: Places): Promise<void> {
  if (!/\.csv(?:\.open)?$/.test(name)) return;
  const [header = [], ...records] = parseCsv(await readFile(path, 'utf8'));
  const isUndecodable = name.startsWith('undecodable_');
  const key = header.indexOf(isUndecodable ? 'payload_base64' : 'tag_name');
  const placeColumns = ['journal', 'message_no', 'value_no'].map((column) => header.indexOf(column));
  for (const record of records) {
    if (record.length < header.length) continue; // cut off by a kill
    const text = isUndecodable ? Buffer.from(record[key]!, 'base64').toString().slice(2) : record[key]!;
    const place = placeColumns.map((i) => record[i] ?? '').join('/');
    const found = `${name.slice(0, name.indexOf('_') + 1)}csv ${place}`;
    // A tail written twice by a crash is recognised by its place.
    if (places.get(text)?.includes(found) !== true) add(places, text, found);
  }
}

function add(places: Places, name: string, place: string): void {
  const known = places.get(name);
  if (known === undefined) places.set(name, [place]);
  else known.push(place);
}

/** RFC 4180, on its own feet: it must not share the mistakes of what it checks. */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  for (const { 1: quoted, 2: plain, 3: end } of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    record.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === ',') continue;
    if (record.length > 1) records.push(record);
    record = [];
  }
  return records;
}
