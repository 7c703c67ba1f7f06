import { CsvParser, type CsvRecord } from '../../src/backup/csv/csv.ts';
import type { ExpectedValue, Payload } from './payloads.ts';
import { MOST_JOURNAL_BYTES } from './plan.ts';
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
  /** Bytes of the messages that the broker may send again. */
  readonly redeliverableBytes: number;
  /** Values that may be missing, whichever they are: a full buffer dropped them. */
  readonly dropped: number;
  /**
   * Rows that were lost with a restored database, and rows whose place in the ledger was deleted after they had been
   * written.
   */
  readonly restoredAway: readonly string[];
  readonly misplaced: readonly string[];
  /** How often each row was in a rejected file when a person had these replayed. */
  readonly replayed: ReadonlyMap<string, number> | undefined;
  /** How often the bridge has stored a content, and said so, though it may have been a repetition. */
  readonly maybeRepeated: ReadonlyMap<string, number>;
  /** There was more than one connection to the broker. */
  readonly hadBreaks: boolean;
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
  const obligations = obligationsOf(published, remains);
  for (const identity of remains.restoredAway) excuse(obligations, identity, { fewer: 1, more: 0 });
  for (const identity of remains.misplaced) excuse(obligations, identity, { fewer: 0, more: 1 });
  if (remains.replayed !== undefined) expectReplayed(obligations, remains.replayed);
  const found = {
    table: countAll(remains.rows),
    rejected: countRejected(remains.backupDir),
    undecodable: countAll(csvRows(remains.backupDir, 'undecodable', undecodableIdentity)),
  };
  const problems: string[] = wrongDoubts(published, remains.maybeRepeated);
  let missing = 0;
  for (const [identity, { least, most, place }] of obligations) {
    const count = found[place].get(identity) ?? 0;
    if (place !== 'undecodable') missing += Math.max(0, least - count);
    if (count < least && (place === 'undecodable' || missing > remains.dropped))
      problems.push(`lost: ${identity} is ${count} times in the ${place}, not ${least}`);
    if (count > most) problems.push(`doubled: ${identity} is ${count} times in the ${place}, not ${most}`);
    if (place !== 'table' && (found.table.get(identity) ?? 0) > 0) problems.push(`in the table: ${identity}`);
  }
  for (const place of ['table', 'rejected', 'undecodable'] as const) {
    for (const identity of found[place].keys()) {
      if (obligations.get(identity)?.place !== place) problems.push(`not expected in the ${place}: ${identity}`);
    }
  }
  return [...problems.slice(0, MAX_PROBLEMS), ...leftovers(remains)];
}

/** Topic and bytes of a message. */
export function contentOf(topic: string, payload: Buffer): string {
  return `${topic} ${payload.toString('latin1')}`;
}

/** A message with a time never leaves a doubt. */
function wrongDoubts(
  published: ReadonlyMap<SimMessage, Payload>,
  maybeRepeated: ReadonlyMap<string, number>,
): string[] {
  const timed = [...published.values()].filter(({ hasOwnTime }) => hasOwnTime);
  const contents = new Set(timed.map(({ topic, bytes }) => contentOf(topic, bytes)));
  return [...maybeRepeated.keys()].filter((content) => contents.has(content)).map((content) => `in doubt: ${content}`);
}

function obligationsOf(
  published: ReadonlyMap<SimMessage, Payload>,
  { maybeRepeated, hadBreaks }: Pick<Remains, 'maybeRepeated' | 'hadBreaks'>,
): Map<string, Obligation> {
  const obligations = new Map<string, Obligation>();
  const doubted = new Set<string>();
  for (const [message, { topic, bytes, values, hasOwnTime }] of published) {
    const undecodable = { identity: `${topic} ${bytes.toString()}`, place: 'undecodable' as const };
    const content = contentOf(topic, bytes);
    const doubts = doubted.has(content) ? 0 : (maybeRepeated.get(content) ?? 0);
    doubted.add(content);
    for (const { identity, place } of values ?? [undecodable]) {
      const obligation = obligations.get(identity) ?? { least: 0, most: 0, place };
      const isOwed = message.state !== 'lost' && message.excuses === 0;
      // After a break equal messages with a time are one and the same.
      const isOneOfMany = hadBreaks && hasOwnTime && obligation.least > 0;
      obligation.least += isOwed && !isOneOfMany ? 1 : 0;
      obligation.most += 1 + message.excuses + doubts;
      obligations.set(identity, obligation);
    }
  }
  return obligations;
}

/** Rows in rejected files, those that are still written included. */
export function countRejected(backupDir: ReadonlyMap<string, Buffer>): Map<string, number> {
  return countAll(csvRows(backupDir, 'rejected', rejectedIdentity));
}

/** The table took all but what no table can hold: times that can't be read. */
function expectReplayed(obligations: Map<string, Obligation>, replayed: ReadonlyMap<string, number>): void {
  for (const [identity, obligation] of obligations) {
    if (obligation.place !== 'rejected' || identity.endsWith('|NaN')) continue;
    obligation.place = 'table';
    obligation.most = Math.max(obligation.most, replayed.get(identity) ?? 0);
  }
}

function excuse(obligations: Map<string, Obligation>, identity: string, by: { fewer: number; more: number }): void {
  const obligation = obligations.get(identity);
  if (obligation === undefined) return;
  obligation.least -= by.fewer;
  obligation.most += by.more;
}

function leftovers(remains: Remains): string[] {
  const { backupDir, journalDir, ledger, maybeRepeated, redeliverableBytes, segmentBytes } = remains;
  const copies = [...maybeRepeated.values()].reduce((sum, count) => sum + count, 0);
  const mostBytes = MAX_SEGMENTS_BYTES * segmentBytes + redeliverableBytes + copies * MOST_JOURNAL_BYTES;
  const problems: string[] = [];
  for (const name of backupDir.keys()) {
    if (!/^(?:(?:rejected|undecodable)_[^.]*\.csv|reserve\.bin)$/.test(name) && !name.endsWith('.damaged')) {
      problems.push(`left in the backup directory: ${name}`);
    }
  }
  let bytes = 0;
  for (const [name, content] of journalDir) {
    if (name.startsWith('segment-')) bytes += content.length;
    if (name.endsWith('.tmp')) problems.push(`left in the journal directory: ${name}`);
  }
  if (bytes > mostBytes) problems.push(`${bytes} bytes of segments are left`);
  if (otherStreams(ledger).length > 0) problems.push(`left in the ledger: ${otherStreams(ledger).join(', ')}`);
  return problems;
}

/**
 * What is not a lane's stream of one journal. Without rows at the origin: of a journal that a power cut took before its
 * first message, or inserted by a late session.
 */
export function otherStreams(ledger: ReadonlyMap<string, LedgerPlace>): string[] {
  const used = [...ledger].filter(([, { messageNo }]) => messageNo > 0).map(([key]) => key);
  const [first] = used.flatMap((key) => LIVE.exec(key)?.groups?.['journal'] ?? []);
  return used.filter((key) => first === undefined || LIVE.exec(key)?.groups?.['journal'] !== first);
}

const LIVE = / live\/(?<journal>[^/]+)/;

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
    if (!name.startsWith(`${kind}_`) || !/\.csv(?:\.open)?$/.test(name)) continue;
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
