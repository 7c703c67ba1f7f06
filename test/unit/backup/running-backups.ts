import { join } from 'node:path';

import { afterEach } from 'vitest';

import { Backups } from '../../../src/backup/backups.ts';
import { readBackupRows } from '../../../src/backup/csv/row-reader.ts';
import { BackupFolder } from '../../../src/backup/files/folder.ts';
import type { FileSystem } from '../../../src/core/filesystem.ts';
import type { Message } from '../../../src/core/message.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import { noStep } from '../../../src/core/steps.ts';
import type { TagValues } from '../../../src/core/tag-values.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { valuesOf } from '../../support/values.ts';
import { FaultyFileSystem } from './faulty-filesystem.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export const DOWN = { code: 'ORA-12514', message: 'service is not registered' };
export const REFUSED = { code: 'ORA-00001', message: 'unique constraint violated' };
export const MALFORMED = { code: 'json', message: 'not JSON' };
export const JOURNAL = 'journal00001';
export const FIRST_FILE = 'backup_20251102_143000.csv';

export interface RunningBackups {
  readonly dir: string;
  readonly disk: FaultyFileSystem;
  readonly clock: FakeClock;
  readonly log: RecordingLogger;
  readonly backups: Backups;
}

const running: RunningBackups[] = [];

interface StartOptions {
  readonly dir?: string;
  readonly journal?: string;
  readonly maxRowsPerFile?: number;
  readonly disk?: FaultyFileSystem;
  readonly clock?: FakeClock;
}

/** Stopped after the current test. */
export async function startBackups(options: StartOptions = {}): Promise<RunningBackups> {
  const {
    dir,
    journal = JOURNAL,
    maxRowsPerFile = 50_000,
    disk = new FaultyFileSystem(),
    clock = new FakeClock(),
  } = options;
  const log = new RecordingLogger();
  const directory = dir ?? join(await temporaryDirectory(), 'backup');
  const backups = new Backups({
    folder: new BackupFolder(directory, disk),
    maxRowsPerFile,
    journalId: () => journal,
    onStep: noStep,
    clock,
    log,
  });
  const setup = { dir: directory, disk, clock, log, backups };
  await backups.start();
  running.push(setup);
  return setup;
}

afterEach(async () => {
  for (const { backups, clock, disk } of running.splice(0)) {
    disk.heal();
    await backups.stop();
    if (clock.pendingTimers > 0) throw new Error('a timer outlives the backups');
  }
});

export async function numbersIn(dir: string, name: string, fileSystem: FileSystem = nodeFileSystem): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { values } of readBackupRows(fileSystem, join(dir, name))) {
    numbers.push(...values.numbers.subarray(0, values.length));
  }
  return numbers;
}

export function sequence(from: number, count: number): TagValues {
  return valuesOf(...Array.from({ length: count }, (_, i) => from + i));
}

export function message(number: number, topic = 'plc/1/tags'): Message {
  return { number, topic, payload: Buffer.from(`{${number}`), receivedAtMs: Date.UTC(2025, 10, 2, 14, 0, number) };
}
