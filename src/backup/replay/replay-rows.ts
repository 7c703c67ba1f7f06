import { createHash } from 'node:crypto';

import type { FileSystem } from '../../core/filesystem.ts';
import { comparePlaces, type Place } from '../../core/place.ts';
import { copyValues, placeOf, TagValues } from '../../core/tag-values.ts';
import { readBackupRows, type BackupRows, type ReadRowsOptions } from '../csv/row-reader.ts';
import { groupKeyOf, streamName } from './stream-name.ts';

/**
 * Rows of a file that share a ledger stream: for one destination those that one journal numbered, or those that have no
 * number.
 */
export interface RowGroup {
  /**
   * Identifies the group within its file, and survives edits of the file: destination, and the journal's id, or `rows`
   * with a digest.
   */
  readonly key: string;
  /** Whom the rows are for, by the file. */
  readonly destination: string;
  /** Empty for rows of older files and for rows without places. */
  readonly journal: string;
  readonly hasPlaces: boolean;
  readonly stream: string;
  readonly rows: number;
  readonly firstMessageNo: number;
  readonly lastMessageNo: number;
  readonly isOrdered: boolean;
}

export interface Survey {
  readonly reading: RowReading;
  readonly groups: readonly RowGroup[];
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** How the rows of a file are to be read. */
export type RowReading = Pick<ReadRowsOptions, 'isPersons' | 'reasonsAreProblems'>;

/** Why a file can't be replayed until a person changes it. */
export class UnreplayableError extends Error {}

/** The file became another one while it was read. */
export class FileChangedError extends Error {}

const MAX_SORTED_ROWS = 1_000_000;
const SURVEY_ROWS = 5_000;
const DIGEST_LENGTH = 16;

interface GroupCount {
  readonly destination: string;
  /** Empty for rows without places. */
  readonly journal: string;
  readonly hasPlaces: boolean;
  rows: number;
  firstMessageNo: number;
  lastMessageNo: number;
  last: Place | undefined;
  isOrdered: boolean;
}

/**
 * Reads a file through before anything of it is written: all its rows must be right, and what order they are in must be
 * known. Rows without a place are taken only when a person has asked. Throws CsvError and the system error of the disk.
 */
export async function surveyRows(
  fileSystem: FileSystem,
  path: string,
  file: string,
  reading: RowReading,
): Promise<Survey> {
  const hash = createHash('sha256');
  const counts = new Map<string, GroupCount>();
  let last: GroupCount | undefined;
  let bytes = 0;
  let total = 0;
  const onChunk = (chunk: Buffer): void => {
    bytes += chunk.length;
    hash.update(chunk);
  };
  for await (const rows of readBackupRows(fileSystem, path, () => SURVEY_ROWS, { ...reading, onChunk })) {
    for (let i = 0; i < rows.values.length; i += 1) {
      if (last === undefined || !isOfGroup(last, rows, i)) last = groupOf(counts, rows, i);
      count(last, placeOf(rows.values, i));
    }
    total += rows.values.length;
  }
  const sha256 = hash.digest('hex');
  const groups = [...counts].map(([key, group]): RowGroup => {
    const { destination, hasPlaces, journal } = group;
    const origin = hasPlaces ? `${journal}/${group.firstMessageNo}` : `rows/${sha256.slice(0, DIGEST_LENGTH)}`;
    const isOrdered = group.isOrdered || !hasPlaces;
    // Rows without places have no identity but their bytes: an edit starts a new stream.
    const stableKey = hasPlaces ? key : groupKeyOf({ destination, rows: origin });
    const { firstMessageNo, lastMessageNo, rows } = group;
    const stream = streamName(file, origin, destination);
    return { key: stableKey, destination, journal, hasPlaces, stream, rows, firstMessageNo, lastMessageNo, isOrdered };
  });
  return { reading, groups, rows: total, bytes, sha256 };
}

const WITHOUT_PLACE = 'rows';
const PLACED = 'journal/';

/** Asked of each row, so that it makes no key. */
function isOfGroup(
  { destination, hasPlaces, journal }: Pick<RowGroup, 'destination' | 'hasPlaces' | 'journal'>,
  { destinations, journals, values }: BackupRows,
  i: number,
): boolean {
  if (destinations[i] !== destination) return false;
  return Number.isNaN(values.messageNos[i]) ? !hasPlaces : hasPlaces && journals[i] === journal;
}

/** That of row `i`, begun where there is none. */
function groupOf(counts: Map<string, GroupCount>, rows: BackupRows, i: number): GroupCount {
  const destination = rows.destinations[i]!;
  const messageNo = rows.values.messageNos[i]!;
  const hasPlaces = !Number.isNaN(messageNo);
  const journal = hasPlaces ? rows.journals[i]! : '';
  const key = groupKeyOf({ destination, rows: hasPlaces ? PLACED + journal : WITHOUT_PLACE });
  let group = counts.get(key);
  if (group === undefined) {
    group = {
      destination,
      journal,
      hasPlaces,
      rows: 0,
      firstMessageNo: messageNo,
      lastMessageNo: messageNo,
      last: undefined,
      isOrdered: true,
    };
    counts.set(key, group);
  }
  return group;
}

function count(group: GroupCount, place: Place): void {
  if (group.last !== undefined && comparePlaces(place, group.last) < 0) group.isOrdered = false;
  group.firstMessageNo = Math.min(group.firstMessageNo, place.messageNo);
  group.lastMessageNo = Math.max(group.lastMessageNo, place.messageNo);
  group.last = place;
  group.rows += 1;
}

export interface RowBatch {
  /** In the order of their places, none twice. */
  readonly values: TagValues;
  /** How many rows of the file it stands for, those that are there twice included. */
  readonly rows: number;
}

/**
 * The rows of one group in the order of their places, at most `batchSize` at a time, asked for before each time. Throws
 * FileChangedError when the file is no longer what was surveyed, and UnreplayableError when it is out of order and too
 * large to be sorted.
 */
export async function* orderedRows(
  fileSystem: FileSystem,
  path: string,
  survey: Survey,
  group: RowGroup,
  batchSize: () => number,
): AsyncGenerator<RowBatch, void, undefined> {
  const batches = groupRows(fileSystem, path, survey, group, batchSize);
  yield* withoutRepeats(group.isOrdered ? batches : sorted(batches, group, batchSize));
}

async function* groupRows(
  fileSystem: FileSystem,
  path: string,
  survey: Survey,
  group: RowGroup,
  batchSize: () => number,
): AsyncGenerator<TagValues, void, undefined> {
  const hash = createHash('sha256');
  const onChunk = (chunk: Buffer): void => void hash.update(chunk);
  let rowNumber = 0;
  for await (const rows of readBackupRows(fileSystem, path, batchSize, {
    ...survey.reading,
    isPersons: true,
    onChunk,
  })) {
    const { values } = rows;
    const others = new Set<number>();
    for (let i = 0; i < values.length; i += 1) {
      rowNumber += 1;
      if (!isOfGroup(group, rows, i)) others.add(i);
      else if (!group.hasPlaces) values.messageNos[i] = rowNumber;
    }
    values.remove(others);
    if (values.length > 0) yield values;
  }
  if (hash.digest('hex') !== survey.sha256) throw new FileChangedError('the file was changed while it was replayed');
}

async function* sorted(
  batches: AsyncIterable<TagValues>,
  group: RowGroup,
  batchSize: () => number,
): AsyncGenerator<TagValues, void, undefined> {
  if (group.rows > MAX_SORTED_ROWS) {
    throw new UnreplayableError(`its ${group.rows} rows are not in the order of message_no and value_no: sort them`);
  }
  const all = new TagValues(group.rows);
  for await (const values of batches) {
    copyValues(values, 0, all, all.length, values.length);
    all.length += values.length;
  }
  const order = Array.from({ length: all.length }, (_, i) => i);
  order.sort((a, b) => comparePlaces(placeOf(all, a), placeOf(all, b)) || a - b);
  for (let start = 0; start < order.length;) {
    const end = Math.min(start + batchSize(), order.length);
    const part = new TagValues(end - start);
    for (const i of order.slice(start, end)) {
      copyValues(all, i, part, part.length, 1);
      part.length += 1;
    }
    yield part;
    start = end;
  }
}

async function* withoutRepeats(batches: AsyncIterable<TagValues>): AsyncGenerator<RowBatch, void, undefined> {
  let last: Place | undefined;
  for await (const values of batches) {
    const rows = values.length;
    const repeats = new Set<number>();
    for (let i = 0; i < rows; i += 1) {
      const place = placeOf(values, i);
      if (last !== undefined && comparePlaces(place, last) <= 0) repeats.add(i);
      else last = place;
    }
    values.remove(repeats);
    yield { values, rows };
  }
}
