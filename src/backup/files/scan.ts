import { createHash } from 'node:crypto';

import { DEFAULT_DESTINATION } from '../../core/destination.ts';
import { ifThere } from '../../core/durable-file.ts';
import { coerceError, type Reason } from '../../core/errors.ts';
import type { FileSystem } from '../../core/filesystem.ts';
import { BEGINNING_BYTES, parseCsv } from '../csv/csv-reader.ts';
import { CsvError, hasZeros, textOfField, type CsvField, type CsvRecord } from '../csv/csv.ts';
import { compareFiles, TimeRange, type BackupFileInfo } from './file-info.ts';
import type { NumberedRow } from './catalog.ts';
import type { BackupFolder } from './folder.ts';
import { finalNameOf, isSealedName, OPEN_SUFFIX, parseFileName, type BackupKind } from './file-name.ts';
import { RowDecoder } from '../csv/row-decoder.ts';
import type { RowColumn, UNDECODABLE_COLUMNS } from '../csv/row-format.ts';
import { TimeReader } from '../csv/time-text.ts';

/** A file as reading it through showed it. */
export interface ScannedFile {
  readonly info: BackupFileInfo;
  /** The end of the last whole record, or of the header; 0 when not even that is whole. */
  readonly wholeBytes: number;
}

const NO_REASON: Reason = { code: '', message: '' };

/**
 * The files of a backup folder, oldest first, open ones included. Changes nothing, so that it may look on while a
 * bridge writes. A directory that does not exist holds none. Throws the system error when the directory can't be read.
 */
export async function scanBackups(folder: BackupFolder): Promise<BackupFileInfo[]> {
  const files: BackupFileInfo[] = [];
  for (const entry of (await ifThere(folder.list())) ?? []) {
    const file = await scanEntry(folder, entry);
    if (file !== undefined) files.push(file);
  }
  return files.sort(compareFiles);
}

/** The one file of that name, as `scanBackups` would list it; undefined for all that is no name of a file there. */
export async function findBackup(folder: BackupFolder, name: string): Promise<BackupFileInfo | undefined> {
  const entries = (await ifThere(folder.list())) ?? [];
  const entry = [name, name + OPEN_SUFFIX].find((form) => entries.includes(form));
  return entry === undefined || !isSealedName(name) ? undefined : scanEntry(folder, entry);
}

async function scanEntry(folder: BackupFolder, entry: string): Promise<BackupFileInfo | undefined> {
  const name = finalNameOf(entry) ?? entry;
  if (!isSealedName(name)) return undefined;
  const state = entry === name ? 'sealed' : 'open';
  try {
    // A running bridge may have sealed or removed it since it was listed.
    return (await ifThere(scanFile(folder.fileSystem, folder.path(entry), name, state)))?.info;
  } catch (error) {
    return unreadableFile(name, state, coerceError(error).message);
  }
}

/**
 * Reads a file through. A mistake in it is reported as `problem`, with the rows before it counted; an open file may
 * break off anywhere. Throws the system error of the disk.
 */
export async function scanFile(
  fileSystem: FileSystem,
  path: string,
  name: string,
  state: 'open' | 'sealed',
): Promise<ScannedFile> {
  const hash = createHash('sha256');
  const summary = new Summary();
  let bytes = 0;
  let problem: string | undefined;
  const onChunk = (chunk: Buffer): void => {
    bytes += chunk.length;
    hash.update(chunk);
  };
  try {
    for await (const records of parseCsv(fileSystem, path, { onChunk, isGrowing: state === 'open' })) {
      for (const record of records) {
        if (state === 'open' && hasZeros(record)) throw new CsvError(record.line, undefined, 'zeros in the record');
        summary.add(record);
      }
    }
    if (state === 'sealed') summary.assertHeader();
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    problem = error.message;
    bytes = await fileSystem.size(path);
  }
  const info: BackupFileInfo = {
    ...unreadableFile(name, state, problem),
    ...summary.facts(name),
    // Of a file that a person made columns may be missing, so that none of its rows could be read.
    destination: summary.destination ?? (await beginningOf(fileSystem, path)).destination,
    bytes,
    sha256: state === 'sealed' && problem === undefined ? hash.digest('hex') : undefined,
  };
  return { info, wholeBytes: summary.wholeBytes };
}

/** What the first row of a file says. */
export interface Beginning {
  readonly destination: string;
  /** Absent: no journal has numbered it. */
  readonly row?: NumberedRow | undefined;
}

/**
 * Whom the rows of a file are for, and where they begin, by the first of them; reads little. The default's where no row
 * can be read. Throws the system error of the disk.
 */
export async function beginningOf(fileSystem: FileSystem, path: string): Promise<Beginning> {
  let names: readonly (string | undefined)[] | undefined;
  try {
    for await (const records of parseCsv(fileSystem, path, { firstBytes: BEGINNING_BYTES })) {
      for (const { fields } of records) {
        if (names === undefined) {
          names = headerNames(fields);
          continue;
        }
        const field = (column: RowColumn): CsvField => fields[names!.indexOf(column)] ?? null;
        const [messageNo, valueNo] = [Number(field('message_no') ?? Number.NaN), Number(field('value_no'))];
        const destination = ownText(field('destination') ?? DEFAULT_DESTINATION);
        const journal = ownText(field('journal') ?? '');
        const isNumbered = journal !== '' && Number.isSafeInteger(messageNo) && Number.isSafeInteger(valueNo);
        return isNumbered ? { destination, row: { journal, place: { messageNo, valueNo } } } : { destination };
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
  }
  return { destination: DEFAULT_DESTINATION };
}

/** A file of which only the name is known, and what keeps it from being read. */
export function unreadableFile(name: string, state: 'open' | 'sealed', problem: string | undefined): BackupFileInfo {
  const named = parseFileName(name);
  return {
    name,
    kind: named?.kind ?? 'backup',
    state,
    destination: DEFAULT_DESTINATION,
    rows: 0,
    bytes: 0,
    sha256: undefined,
    firstTimestampMs: undefined,
    lastTimestampMs: undefined,
    createdAtMs: named?.createdAtMs ?? 0,
    reason: NO_REASON,
    problem,
    replayedRows: undefined,
  };
}

/** The same text, apart from the bytes that it was read from: V8 keeps all of a text in memory for a part of it. */
function ownText(text: string): string {
  return Buffer.from(text).toString();
}

function ownReason({ code, message }: Reason): Reason {
  return { code: ownText(code), message: ownText(message) };
}

/** What the records of a file add up to. Throws CsvError for one that does not hold what it should. */
class Summary {
  readonly #times = new TimeRange();
  #read: ((record: CsvRecord) => RecordFacts) | undefined;
  #kind: BackupKind = 'backup';
  #rows = 0;
  #first: RecordFacts | undefined;
  wholeBytes = 0;

  /** Of the first row; undefined: there is none so far. */
  get destination(): string | undefined {
    return this.#first === undefined ? undefined : ownText(this.#first.destination);
  }

  add(record: CsvRecord): void {
    if (this.#read === undefined) {
      this.#readHeader(record);
    } else {
      const facts = this.#read(record);
      this.#first ??= facts;
      this.#times.add(facts.timeMs);
      this.#rows += 1;
    }
    this.wholeBytes = record.endByte;
  }

  assertHeader(): void {
    if (this.#read === undefined) throw new CsvError(1, undefined, 'the header line is missing');
  }

  /** The name knows better than the content what kind of file it is and when it was begun. */
  facts(name: string): Partial<BackupFileInfo> {
    const named = parseFileName(name);
    const attemptedAtMs = this.#first?.attemptedAtMs ?? Number.NaN;
    return {
      kind: named?.kind ?? this.#kind,
      createdAtMs: named?.createdAtMs ?? (Number.isNaN(attemptedAtMs) ? 0 : attemptedAtMs),
      rows: this.#rows,
      firstTimestampMs: this.#times.firstMs,
      lastTimestampMs: this.#times.lastMs,
      reason: ownReason(this.#first?.reason ?? NO_REASON),
    };
  }

  #readHeader(header: CsvRecord): void {
    const names = headerNames(header.fields);
    if (names.includes('payload_base64')) {
      this.#kind = 'undecodable';
      this.#read = undecodableReader(header, names);
    } else {
      const decoder = new RowDecoder(header);
      this.#read = (record) => decoder.decode(record);
    }
  }
}

function headerNames(fields: readonly CsvField[]): (string | undefined)[] {
  return fields.map((field) => field?.trim().toLowerCase());
}

interface RecordFacts {
  readonly timeMs: number;
  readonly attemptedAtMs: number;
  readonly destination: string;
  readonly reason: Reason;
}

function undecodableReader(header: CsvRecord, names: readonly (string | undefined)[]): (row: CsvRecord) => RecordFacts {
  const place = (column: (typeof UNDECODABLE_COLUMNS)[number]): number => {
    const at = names.indexOf(column);
    if (at === -1) throw new CsvError(header.line, column, 'the column is missing');
    return at;
  };
  const [code, message, receivedAt] = [place('reason_code'), place('reason_message'), place('received_at')];
  const times = new TimeReader();
  return ({ fields, line }) => {
    if (fields.length !== names.length) {
      throw new CsvError(line, undefined, `${fields.length} fields instead of ${names.length}`);
    }
    const timeMs = times.timeMs(fields[receivedAt] ?? '') ?? Number.NaN;
    const reason = { code: textOfField(fields[code] ?? ''), message: textOfField(fields[message] ?? '') };
    return { timeMs, attemptedAtMs: timeMs, destination: DEFAULT_DESTINATION, reason };
  };
}
