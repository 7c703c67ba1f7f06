import type { Clock } from '../core/clock.ts';
import type { ValueCounters } from '../core/counters.ts';
import type { Reason } from '../core/errors.ts';
import type { LedgerSession } from '../core/ledger-session.ts';
import type { Logger } from '../core/logger.ts';
import type { Place } from '../core/place.ts';
import type { RefusedRow } from '../core/refused-row.ts';
import type { OnStep } from '../core/steps.ts';
import type { TagValues } from '../core/tag-values.ts';
import type { RowCheckOptions } from './row-check.ts';

/** Where the values come from: the tag buffer. */
export interface ValueSource {
  /**
   * Resolves when `count` values are there, or the oldest has waited `maxWaitMs`, or on abort.
   */
  whenReady(count: number, maxWaitMs: number, signal: AbortSignal): Promise<void>;
  /** Moves at most `max` values into the list, the oldest first. */
  take(into: TagValues, max: number): number;
}

/**
 * The CSV files. All resolve when what they were given is durable, and throw the system error of a disk that refuses.
 */
export interface BatchBackup {
  backUp(values: TagValues, reason: Reason): Promise<void>;
  /** Rows that are all held, or all rejected. */
  reject(values: TagValues, rows: readonly RefusedRow[]): Promise<void>;
  endOutage(): Promise<void>;
  /** The backups that got rows since `outcomeCertain` hold rows that Oracle has too: those up to `place`. */
  stampSkip(place: Place): Promise<void>;
  /** What `backUp` and `reject` still owe to the disk; nothing is sent before that is done. */
  flushStamps(): Promise<void>;
  /** A batch was written, and it is certain. */
  outcomeCertain(): void;
  /** Nobody knows whether the batch was written. */
  outcomeUnknown(): void;
}

export interface BatchWriterOptions {
  readonly batchSize: number;
  readonly maxBatchSize: number;
  readonly intervalMs: number;
  /** `attempts` after the first one. */
  readonly retry: { readonly attempts: number; readonly initialDelayMs: number; readonly factor: number };
  readonly probeIntervalMs: number;
  readonly rowCheck: RowCheckOptions;
  /** Values up to here were settled before this start, and are passed over. */
  readonly resumeAfter: ResumePlaces;
}

/** What may be set while it runs. */
export type WriterTuning = Pick<BatchWriterOptions, 'batchSize' | 'maxBatchSize' | 'intervalMs' | 'retry'>;

/** What an earlier run had settled, and had counted. */
export interface ResumePlaces {
  /** By the checkpoint, whose counters hold these values already. */
  readonly counted: Place;
  /** By the checkpoint or by a backup. */
  readonly settled: Place;
  /** The last place that was in the journal: values up to here may be in Oracle. */
  readonly recovered: Place;
  /** Where the ledger was known to be. */
  readonly ledger: Place;
  /** Places, as `placeKeyOf`, whose values are in a rejected CSV although the checkpoint does not say so. */
  readonly rejected: ReadonlySet<string>;
}

export interface BatchWriterParts {
  readonly source: ValueSource;
  /** The stream of live data. */
  readonly database: LedgerSession;
  readonly backup: BatchBackup;
  readonly counters: ValueCounters;
  /**
   * Told of each batch that was written: rows, milliseconds the write took, age of the oldest value since its receipt.
   */
  readonly onWritten: (rows: number, latencyMs: number, lagMs: number) => void;
  readonly onError: (code: string) => void;
  /** Every value up to and including this place is settled. */
  readonly onSettled: (place: Place) => void;
  /** The ledger is at a place that the journal does not know. */
  readonly onLedgerAhead: (place: Place) => void;
  /** Batches are taken from now on, and it is known what Oracle has. */
  readonly onUp: () => void;
  readonly onStep: OnStep;
  readonly clock: Clock;
  readonly log: Logger;
}
