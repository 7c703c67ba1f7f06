import { UnknownFileError } from '../../backup/files/folder.ts';
import { listFiles } from '../../backup/replay/listing.ts';
import { ReplayRefusedError } from '../../backup/replay/replays.ts';
import type { Config } from '../../config/config.ts';
import { destinationsOf } from '../../config/destinations.ts';
import { systemClock } from '../../core/clock.ts';
import { coerceError, systemErrorCode } from '../../core/errors.ts';
import { createLogger } from '../../core/logger.ts';
import { mendedName } from '../../core/mended-name.ts';
import { nodeFileSystem } from '../../core/node-filesystem.ts';
import { RESERVE_BYTES } from '../../core/reserve.ts';
import { ProcessLock } from '../../journal/process-lock.ts';
import { OfflineReplay } from '../../offline-replay.ts';
import { openReplaySessions } from '../../oracle/replay-session.ts';
import { MAX_TEXT_BYTES } from '../../oracle/statements.ts';
import { assertFormatsKnown, LaterFormatError } from '../../stored-formats.ts';
import { CommandError } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import type { Replayer } from './replayer.ts';

export interface OwnReplay extends Replayer {
  /** Puts the mended file that the process `by` has made in the place of `file`. Throws CommandError. */
  replace(file: string, by: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Replays in this process, where no bridge runs. Throws CommandError when a bridge has the journal, when one has ended
 * before it noted what it had backed up, when a later version wrote to the directories, and when the database can't be
 * asked; throws the system error of the disk.
 */
export async function openOwnReplay(config: Config): Promise<OwnReplay> {
  await assertFormats(config);
  const log = createLogger({ ...config.log, level: 'error' });
  const oracle = openReplaySessions(config, destinationsOf(config.oracle), log);
  const offline = new OfflineReplay(config, {
    clock: systemClock,
    fileSystem: nodeFileSystem,
    lock: new ProcessLock(nodeFileSystem, systemClock),
    database: (journalId, destination) => oracle.sessions.live(journalId, destination),
    replaySession: (stream, destination, blamesRows) => oracle.sessions.replay(stream, destination, blamesRows),
    maxTextBytes: MAX_TEXT_BYTES,
    reserveBytes: RESERVE_BYTES,
    log,
  });
  const { backups, replays } = offline;
  const close = async (): Promise<void> => {
    await offline.stop();
    await oracle.close();
    await log.close();
  };
  try {
    await offline.start();
  } catch (error) {
    await close();
    if (systemErrorCode(error) !== undefined) throw error;
    throw new CommandError(EXIT.unavailable, coerceError(error).message);
  }
  return {
    staysOn: false,
    files: () => Promise.resolve(listFiles(backups, replays)),
    request: (file, to) => unlessRefused(() => replays.request(file, to)),
    replace: (file, by) =>
      unlessRefused(() => replays.beforeReplay(file, () => backups.replace(file, mendedName(file, by)))),
    close,
  };
}

async function unlessRefused(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof UnknownFileError || error instanceof ReplayRefusedError)) throw error;
    throw new CommandError(EXIT.inputOutput, error.message);
  }
}

async function assertFormats(config: Config): Promise<void> {
  try {
    await assertFormatsKnown(config, nodeFileSystem);
  } catch (error) {
    if (!(error instanceof LaterFormatError)) throw error;
    throw new CommandError(EXIT.config, error.message);
  }
}
