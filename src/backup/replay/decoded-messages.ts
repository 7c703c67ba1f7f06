import type { Clock } from '../../core/clock.ts';
import { ifThere, removeIfThere, TEMPORARY_SUFFIX } from '../../core/durable-file.ts';
import type { Reason } from '../../core/errors.ts';
import type { AppendFile, FileSystem } from '../../core/filesystem.ts';
import type { Message } from '../../core/message.ts';
import type { RefusedRow } from '../../core/refused-row.ts';
import { TagValues } from '../../core/tag-values.ts';
import { plural } from '../../core/wording.ts';
import { readMessages, type KeptMessage } from '../csv/message-reader.ts';
import { encodeRejected, encodeUndecodable, headerLine, ROW_COLUMNS, UNDECODABLE_COLUMNS } from '../csv/row-format.ts';
import { LEFT_SUFFIX, ROWS_SUFFIX } from '../files/file-name.ts';
import type { BackupFolder } from '../files/folder.ts';
import { UnreplayableError } from './replay-rows.ts';

/** Reads messages as the present configuration has it. */
export interface MessageDecoder {
  /**
   * Puts the message's values, numbered, into the empty list `into`, or says why it can't, or that the message is none
   * of those that its subscription is for.
   */
  decode(message: Message, into: TagValues): Reason | 'skipped' | undefined;
}

/** No message of the file can be decoded: nothing was changed, and it may be asked for again. */
export class StillUndecodableError extends UnreplayableError {}

/** What became of the messages of a file. */
export interface DecodedCount {
  readonly messages: number;
  readonly values: number;
  readonly skipped: number;
  /** Messages that still can't be decoded. */
  readonly left: number;
}

const INITIAL_CAPACITY = 64;
const NO_REASON: Reason = { code: '', message: '' };
const JOURNAL_SUFFIX = '/undecodable';
const FLUSH_BYTES = 1_048_576;

/**
 * The numbers of the rows are those of the messages in their journal, but the stream is another: in the journal's own
 * these messages are settled without values.
 */
export function journalOfRows(journal: string): string {
  return journal + JOURNAL_SUFFIX;
}

/** The inverse. */
export function journalOfMessages(journal: string): string {
  return journal.endsWith(JOURNAL_SUFFIX) ? journal.slice(0, -JOURNAL_SUFFIX.length) : journal;
}

/** Where the rows of an undecodable file lie, once they are decoded. */
export function rowsPath(folder: BackupFolder, file: string): string {
  return folder.path(file + ROWS_SUFFIX);
}

export interface DecodeParts {
  readonly folder: BackupFolder;
  readonly decoder: MessageDecoder;
  readonly clock: Clock;
}

/**
 * Decodes all messages of an undecodable file, once, into two files beside it:
 *
 *     <file>.csv.left   the messages that still can't be decoded, as an undecodable file; absent: there are none
 *     <file>.csv.rows   the rows of the others, as a rejected file; a row that must not be written bears its reason
 *
 * Both are durable, names and all, when this resolves. Once a row may have been sent they decide: the replay writes
 * these rows, whatever the configuration says by then, and what was left is never taken for written. Until then they
 * may be made anew. Undefined on abort. Throws StillUndecodableError, CsvError and the system error of the disk; then
 * the file is as it was.
 */
export async function decodeMessages(
  file: string,
  { clock, decoder, folder }: DecodeParts,
  signal: AbortSignal,
): Promise<DecodedCount | undefined> {
  const paths = { rows: folder.path(file + ROWS_SUFFIX), left: folder.path(file + LEFT_SUFFIX) };
  for (const path of Object.values(paths)) {
    await removeIfThere(folder.fileSystem, path);
    await removeIfThere(folder.fileSystem, path + TEMPORARY_SUFFIX);
  }
  await folder.sync();
  await folder.reserve.keep();
  const output = new DecodedFiles(folder.fileSystem, paths, clock.now());
  try {
    await fill(output, readMessages(folder.fileSystem, folder.path(file)), decoder, signal);
  } catch (error) {
    await removeTemporary(folder, Object.values(paths));
    throw error;
  } finally {
    await output.close();
  }
  if (signal.aborted) {
    await removeTemporary(folder, Object.values(paths));
    return undefined;
  }
  if (output.count.left > 0) await folder.fileSystem.rename(paths.left + TEMPORARY_SUFFIX, paths.left);
  await folder.fileSystem.rename(paths.rows + TEMPORARY_SUFFIX, paths.rows);
  await folder.sync();
  return output.count;
}

async function fill(
  output: DecodedFiles,
  messages: AsyncIterable<readonly KeptMessage[]>,
  decoder: MessageDecoder,
  signal: AbortSignal,
): Promise<void> {
  for await (const some of messages) {
    if (signal.aborted) return;
    for (const message of some) output.add(message, decoder);
    await output.flush(FLUSH_BYTES);
  }
  const { count, firstReason } = output;
  const isNone = count.messages === count.left && firstReason !== undefined;
  if (isNone) throw new StillUndecodableError(stillUndecodable(count.left, firstReason));
  await output.sync();
}

/** As far as the disk lets it: what stays is removed by the next try, or start. */
async function removeTemporary(folder: BackupFolder, paths: readonly string[]): Promise<void> {
  for (const path of paths) await removeIfThere(folder.fileSystem, path + TEMPORARY_SUFFIX).catch(() => {});
}

/** The rows are there already. */
export async function hasDecodedRows(folder: BackupFolder, file: string): Promise<boolean> {
  return (await ifThere(folder.fileSystem.size(rowsPath(folder, file)))) !== undefined;
}

function stillUndecodable(messages: number, { code, message }: Reason): string {
  return `none of its ${plural(messages, 'message')} can be decoded as the configuration is: ${code}: ${message}`;
}

/** The two files while they are made. */
class DecodedFiles {
  readonly #fileSystem: FileSystem;
  readonly #attemptedAtMs: number;
  readonly #rows: Output;
  readonly #left: Output;
  readonly #values = new TagValues(INITIAL_CAPACITY);
  firstReason: Reason | undefined;
  count = { messages: 0, values: 0, skipped: 0, left: 0 };

  constructor(fileSystem: FileSystem, paths: { readonly rows: string; readonly left: string }, attemptedAtMs: number) {
    this.#fileSystem = fileSystem;
    this.#attemptedAtMs = attemptedAtMs;
    this.#rows = new Output(paths.rows + TEMPORARY_SUFFIX, headerLine(ROW_COLUMNS));
    this.#left = new Output(paths.left + TEMPORARY_SUFFIX, headerLine(UNDECODABLE_COLUMNS));
  }

  add(message: KeptMessage, decoder: MessageDecoder): void {
    const values = this.#values;
    values.clear();
    const outcome = decoder.decode(message, values);
    this.count.messages += 1;
    if (outcome === undefined) {
      this.count.values += values.length;
      const origin = { journal: journalOfRows(message.journal), attemptedAtMs: this.#attemptedAtMs };
      for (const { destination, rows } of rowsByDestination(values)) {
        this.#rows.add(encodeRejected(values, rows, { ...origin, destination }));
      }
    } else if (outcome === 'skipped') {
      this.count.skipped += 1;
    } else {
      this.count.left += 1;
      this.firstReason ??= outcome;
      this.#left.add(...encodeUndecodable(message, outcome, message.journal));
    }
  }

  /** Writes what there is, once it is `minBytes`. */
  async flush(minBytes: number): Promise<void> {
    await this.#rows.flush(this.#fileSystem, minBytes);
    if (this.count.left > 0) await this.#left.flush(this.#fileSystem, minBytes);
  }

  async sync(): Promise<void> {
    await this.#rows.sync(this.#fileSystem);
    if (this.count.left > 0) await this.#left.sync(this.#fileSystem);
  }

  async close(): Promise<void> {
    await this.#rows.close();
    await this.#left.close();
  }
}

/** The values from `start` up to `end`, each with why it must not be written, or without a reason. */
function rowsOf(values: TagValues, start: number, end: number): RefusedRow[] {
  return Array.from({ length: end - start }, (_, i) => {
    const index = start + i;
    return { index, reason: values.problems[index] ?? NO_REASON };
  });
}

interface DestinationRows {
  readonly destination: string;
  readonly rows: readonly RefusedRow[];
}

/** The rows of a message's list by whom they are for, in their order. */
function rowsByDestination(values: TagValues): DestinationRows[] {
  return values.parts.map(({ destination, end, start }) => ({ destination, rows: rowsOf(values, start, end) }));
}

class Output {
  readonly #path: string;
  #buffers: Buffer[];
  #bytes = 0;
  #file: AppendFile | undefined;

  constructor(path: string, header: string) {
    this.#path = path;
    this.#buffers = [Buffer.from(header)];
  }

  add(...buffers: readonly Buffer[]): void {
    this.#buffers.push(...buffers);
    for (const { length } of buffers) this.#bytes += length;
  }

  async flush(fileSystem: FileSystem, minBytes: number): Promise<void> {
    if (this.#bytes < minBytes) return;
    this.#file ??= await fileSystem.create(this.#path);
    const buffers = this.#buffers;
    this.#buffers = [];
    this.#bytes = 0;
    await this.#file.append(...buffers);
  }

  async sync(fileSystem: FileSystem): Promise<void> {
    await this.flush(fileSystem, 0);
    await this.#file?.sync();
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}
