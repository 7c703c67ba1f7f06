import { Backups } from '../../../src/backup/backups.ts';
import { BackupFolder } from '../../../src/backup/files/folder.ts';
import { Replays, type ReplaysOptions } from '../../../src/backup/replay/replays.ts';
import type { FileSystem } from '../../../src/core/filesystem.ts';
import type { TagValues } from '../../../src/core/tag-values.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { valuesOf } from '../../support/values.ts';
import type { FakeOracle } from './fake-oracle.ts';
import { JOURNAL } from './running-backups.ts';
import { batchesOf } from '../../support/batches.ts';

export interface Life {
  readonly clock: FakeClock;
  readonly log: RecordingLogger;
  readonly backups: Backups;
  readonly replay: Replays;
  readonly counters: { valuesReceived: number; valuesBackedUp: number; valuesReplayed: number };
  readonly steps: string[];
}

/** Backups and replay of one process; not started. */
export function createLife(
  dir: string,
  fileSystem: FileSystem,
  oracle: FakeOracle,
  options: Partial<ReplaysOptions> = {},
): Life {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const steps: string[] = [];
  const shared = { fileSystem, clock, log, onStep: (step: string) => void steps.push(step) };
  const backups = new Backups({
    folder: new BackupFolder(dir, fileSystem),
    maxRowsPerFile: 1000,
    journalId: () => JOURNAL,
    destinations: options.destinations,
    ...shared,
  });
  const counters = { valuesReceived: 0, valuesBackedUp: 0, valuesReplayed: 0, valuesWritten: 0, valuesAlreadyThere: 0 };
  const replay = new Replays({
    ...shared,
    backups,
    destinations: ['default'],
    session: (stream) => oracle.session(stream),
    isOracleUp: () => true,
    isLiveBusy: () => false,
    isLedgerKnown: () => true,
    beforeDelete: () => Promise.resolve(),
    checkRows: problemsAndInfinities,
    decoder: () => ({ decode: () => ({ code: 'MADE_UP', message: 'no decoder in this test' }) }),
    counters: () => counters,
    enabled: true,
    batches: batchesOf(2),
    ...options,
  });
  return { clock, log, backups, replay, counters, steps };
}

function problemsAndInfinities(values: TagValues): { index: number; reason: { code: string; message: string } }[] {
  const indexes = Array.from({ length: values.length }, (_, i) => i);
  const infinite = { code: 'VALUE_NOT_FINITE', message: 'not finite' };
  return indexes.flatMap((index) => {
    const isInfinite = Math.abs(values.numbers[index]!) === Number.POSITIVE_INFINITY;
    const reason = values.problems[index] ?? (isInfinite ? infinite : undefined);
    return reason === undefined ? [] : [{ index, reason }];
  });
}

/** Values of one message each, whose message numbers are their numbers. */
export function numbered(from: number, count: number): TagValues {
  const values = valuesOf(...Array.from({ length: count }, (_, i) => from + i));
  for (let i = 0; i < count; i += 1) {
    values.messageNos[i] = from + i;
    values.valueNos[i] = 0;
  }
  return values;
}
