import { CsvParser, type CsvRecord } from '../../src/backup/csv.ts';
import type { ExpectedValue, Payload } from './payloads.ts';
import type { SimMessage } from './sim-broker.ts';
import { rowIdentity } from './sim-statements.ts';
import type { LedgerPlace } from './sim-database.ts';

/** What is left when a schedule has settled. */
export interface Remains {
  /** Identities of the committed rows. */
  readonly rows: readonly string[];
  readonly backupDir: ReadonlyMap<string, Buffer>;
  readonly journalDir: ReadonlyMap<string, Buffer>;
  readonly ledger: ReadonlyMap<string, LedgerPlace>;
  readonly segmentBytes: number;
}

interface Obligation {
  least: number;
  most: number;
  place: ExpectedValue['place'] | 'undecodable';
}

const MAX_PROBLEMS = 8;
/** Two settled ones stay for the redelivery check, or more short ones up to a long one's size, and one is written. */
const MAX_SEGMENTS_BYTES = 4;

/** Holds what was published against what came of it. Nothing found: every value is where it should be, once. */
export function judge(published: ReadonlyMap<SimMessage, Payload>, remains: Remains): string[] {
  const obligations = obligationsOf(published);
  const found = {
    table: countAll(remains.rows),
    rejected: countAll(csvRows(remains.backupDir, 'rejected', rejectedIdentity)),
    undecodable: countAll(csvRows(remains.backupDir, 'undecodable', undecodableIdentity)),
  };
  const problems: string[] = [];
  for (const [identity, { least, most, place }] of obligations) {
    const count = found[place].get(identity) ?? 0;
    if (count < least) problems.push(`lost: ${identity} is ${count} times in the ${place}, not ${least}`);
    // After a crash a rejection may be written again: a person reads these files, and a replay of them is theirs to start.
    if (count > most && place === 'table') problems.push(`doubled: ${identity} is ${count} times in the table`);
    if (place !== 'table' && (found.table.get(identity) ?? 0) > 0) problems.push(`in the table: ${identity}`);
  }
  for (const place of ['table', 'rejected', 'undecodable'] as const) {
    for (const identity of found[place].keys()) {
      if (obligations.get(identity)?.place !== place) problems.push(`not expected in the ${place}: ${identity}`);
    }
  }
  return [...problems.slice(0, MAX_PROBLEMS), ...leftovers(remains)];
}

function obligationsOf(published: ReadonlyMap<SimMessage, Payload>): Map<string, Obligation> {
  const obligations = new Map<string, Obligation>();
  for (const [message, { topic, bytes, values }] of published) {
    const undecodable = { identity: `${topic} ${bytes.toString()}`, place: 'undecodable' as const };
    for (const { identity, place } of values ?? [undecodable]) {
      const obligation = obligations.get(identity) ?? { least: 0, most: 0, place };
      obligation.least += message.state === 'lost' ? 0 : 1;
      obligation.most += 1;
      obligations.set(identity, obligation);
    }
  }
  return obligations;
}

function leftovers({ backupDir, journalDir, ledger, segmentBytes }: Remains): string[] {
  const problems: string[] = [];
  for (const name of backupDir.keys()) {
    if (!/^(?:rejected|undecodable)_[^.]*\.csv$/.test(name) && !name.endsWith('.damaged')) {
      problems.push(`left in the backup directory: ${name}`);
    }
  }
  let bytes = 0;
  for (const [name, content] of journalDir) {
    if (name.startsWith('segment-')) bytes += content.length;
    if (name.endsWith('.tmp')) problems.push(`left in the journal directory: ${name}`);
  }
  if (bytes > MAX_SEGMENTS_BYTES * segmentBytes) problems.push(`${bytes} bytes of segments are left`);
  if (usedStreams(ledger).length > 1) problems.push(`left in the ledger: ${usedStreams(ledger).join(', ')}`);
  return problems;
}

/** Without rows at the origin: of a journal that a power cut took before its first message, or inserted by a late session. */
export function usedStreams(ledger: ReadonlyMap<string, LedgerPlace>): string[] {
  return [...ledger].filter(([, { messageNo }]) => messageNo > 0).map(([key]) => key);
}

function countAll(identities: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const identity of identities) counts.set(identity, (counts.get(identity) ?? 0) + 1);
  return counts;
}

function* csvRows(
  files: ReadonlyMap<string, Buffer>,
  kind: string,
  identityOf: (field: (column: string) => string | null) => string,
): Generator<string> {
  for (const [name, bytes] of files) {
    if (!name.startsWith(`${kind}_`) || !name.endsWith('.csv')) continue;
    const parser = new CsvParser();
    const [header, ...records]: CsvRecord[] = [...parser.push(bytes), ...parser.end()];
    for (const { fields } of records) {
      yield identityOf((column) => fields[header!.fields.indexOf(column)] ?? null);
    }
  }
}

function rejectedIdentity(field: (column: string) => string | null): string {
  const time = field('timestamp');
  const timeMs = time === null ? Number.NaN : Date.parse(time);
  return rowIdentity(field('tag_name'), field('tag_value'), field('tag_text'), timeMs);
}

function undecodableIdentity(field: (column: string) => string | null): string {
  return `${field('topic') ?? ''} ${Buffer.from(field('payload_base64') ?? '', 'base64').toString()}`;
}
