import type { Reason } from '../../core/errors.ts';
import type { FileSystem } from '../../core/filesystem.ts';
import { TagValues } from '../../core/tag-values.ts';
import { parseCsv, type ReadOptions } from './csv-reader.ts';
import { CsvError } from './csv.ts';
import { RowDecoder, type DecodedRow, type DecodeOptions } from './row-decoder.ts';

/** Rows of a backup or rejected file; index `i` of each list belongs to row `i`. */
export interface BackupRows {
  readonly values: TagValues;
  /** Why the batch, or this row, was not taken. */
  readonly reasons: readonly Reason[];
  /** Which journal numbered the row; empty where that is not said. */
  readonly journals: readonly string[];
  /** Whom the row is for. */
  readonly destinations: readonly string[];
  /** When it was given up, epoch milliseconds; NaN where that is not said. */
  readonly attemptedAtMs: readonly number[];
}

const DEFAULT_BATCH_ROWS = 500;

export interface ReadRowsOptions extends DecodeOptions, Pick<ReadOptions, 'firstBytes' | 'onChunk'> {
  /** A row that bears a reason must not be written for it, as in the rows that messages were decoded into. */
  readonly reasonsAreProblems?: boolean;
}

/**
 * Reads a backup or rejected file back, at most `maxRows` rows at a time, asked for before each time, exactly as its
 * values were. Columns are found by their names. Throws CsvError, which names the line and the column, where a file
 * does not hold what it should; the rows before were given by then.
 */
export async function* readBackupRows(
  fileSystem: FileSystem,
  path: string,
  maxRows = (): number => DEFAULT_BATCH_ROWS,
  options: ReadRowsOptions = {},
): AsyncGenerator<BackupRows, void, undefined> {
  let decoder: RowDecoder | undefined;
  const newList = (): RowList => new RowList(most, options.reasonsAreProblems === true);
  let most = maxRows();
  let rows = newList();
  let mistake: unknown;
  try {
    for await (const records of parseCsv(fileSystem, path, options)) {
      for (const record of records) {
        if (decoder === undefined) {
          decoder = new RowDecoder(record, options);
          continue;
        }
        rows.add(decoder.decode(record));
        if (rows.values.length < most) continue;
        yield rows;
        most = maxRows();
        rows = newList();
      }
    }
    if (decoder === undefined) throw new CsvError(1, undefined, 'the header line is missing');
  } catch (error) {
    mistake = error;
  }
  if (rows.values.length > 0) yield rows;
  if (mistake !== undefined) throw mistake;
}

const INITIAL_CAPACITY = 64;

class RowList implements BackupRows {
  readonly values: TagValues;
  readonly reasons: Reason[] = [];
  readonly journals: string[] = [];
  readonly destinations: string[] = [];
  readonly attemptedAtMs: number[] = [];
  readonly #reasonsAreProblems: boolean;

  constructor(capacity: number, reasonsAreProblems: boolean) {
    this.#reasonsAreProblems = reasonsAreProblems;
    // It grows: most files are smaller than what is read at once.
    this.values = new TagValues(Math.min(capacity, INITIAL_CAPACITY));
  }

  add(row: DecodedRow): void {
    const i = this.values.length;
    const problem = this.#reasonsAreProblems && row.reason.code !== '' ? row.reason : undefined;
    const { details, origin } = row.details;
    this.values.describe(details);
    this.values.push(row.tag, row.number, row.text, row.timeMs, row.quality, problem);
    if (origin !== null) this.values.setOrigin(i, origin);
    this.values.messageNos[i] = row.messageNo;
    this.values.valueNos[i] = row.valueNo;
    this.values.receivedAtMs[i] = row.receivedAtMs;
    this.reasons.push(row.reason);
    this.journals.push(row.journal);
    this.destinations.push(row.destination);
    this.attemptedAtMs.push(row.attemptedAtMs);
  }
}
