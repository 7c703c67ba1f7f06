import { LedgerStream, type LedgerStreamOptions } from '../stream/ledger-stream.ts';
import type { BatchWriterOptions, BatchWriterParts } from './neighbours.ts';
import { checkRows } from './row-check.ts';

/** What the writer of the stream wants to hear of it, beside its neighbours. */
export interface LiveStreamHooks extends Pick<LedgerStreamOptions, 'onSettled'> {
  /** The backups of the outage are stamped with the ledger's place. */
  readonly onStamped: () => void;
  /** A write was committed, that took so long. */
  readonly onCommitted: (latencyMs: number) => void;
}

/**
 * The stream of live data. Other bridges may be set to its row of the ledger by mistake, so only what this bridge has
 * sent, in this run or before it, is believed to be written. A value comes once a run: the journal goes forward.
 */
export function createLiveStream(
  { resumeAfter, rowCheck }: Pick<BatchWriterOptions, 'resumeAfter' | 'rowCheck'>,
  parts: BatchWriterParts,
  hooks: LiveStreamHooks,
): LedgerStream {
  const { backup, clock, database, log, onError, onLedgerAhead, onWritten } = parts;
  return new LedgerStream({
    session: database,
    lastKnown: resumeAfter.ledger,
    resumeAfter: resumeAfter.settled,
    recoveredThrough: resumeAfter.recovered,
    countsEarlierRuns: true,
    rejected: resumeAfter.rejected,
    mayComeAgain: false,
    checkRows: (values) => checkRows(values, rowCheck),
    reject: async (values, rows) => {
      await backup.reject(values, rows);
      const what = rows[0]?.isHeld === true ? 'values held: they are tried again by themselves' : 'values rejected';
      log.warn(what, { values: rows.length, first: rows[0]?.reason });
    },
    beforeSending: () => backup.flushStamps(),
    onRead: async (place) => {
      await backup.stampSkip(place);
      hooks.onStamped();
    },
    onAhead: (place) => onLedgerAhead(place),
    onSettled: (as, count) => hooks.onSettled(as, count),
    onCommitted: (values, latencyMs) => {
      backup.outcomeCertain();
      hooks.onCommitted(latencyMs);
      if (values.length === 0) return;
      onWritten(values.length, latencyMs, Math.max(0, clock.now() - values.receivedAtMs[0]!));
    },
    onFailed: ({ code, outcomeUnknown }) => {
      if (outcomeUnknown) backup.outcomeUnknown();
      onError(code);
    },
    clock,
    log,
  });
}
