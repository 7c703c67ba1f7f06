import { Backups } from '../backup/backups.ts';
import { UnknownFileError } from '../backup/discard.ts';
import { listedFile } from '../backup/listing.ts';
import { Replay, ReplayRefusedError } from '../backup/replay.ts';
import type { Config } from '../config/config.ts';
import { systemClock } from '../core/clock.ts';
import { createCounters } from '../core/counters.ts';
import { coerceError, systemErrorCode } from '../core/errors.ts';
import { createLogger } from '../core/logger.ts';
import { nodeFileSystem } from '../core/node-filesystem.ts';
import { comparePlaces, ORIGIN } from '../core/place.ts';
import { noStep } from '../core/steps.ts';
import { Journal } from '../journal/journal.ts';
import { ProcessLock } from '../journal/process-lock.ts';
import { openReplaySessions } from '../oracle/replay-session.ts';
import { MAX_TEXT_BYTES } from '../oracle/statements.ts';
import { checkRows } from '../writer/row-check.ts';
import { CommandError } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Replayer } from './replay-backups.ts';

export interface OwnReplay extends Replayer {
  close(): Promise<void>;
}

/**
 * Replays in this process, where no bridge runs: it holds the journal meanwhile, so that none can start. Throws CommandError when a
 * bridge has the journal, or has ended before it noted what it had backed up: values would come from the journal once more then.
 */
export async function openOwnReplay(config: Config): Promise<OwnReplay> {
  const log = createLogger({ ...config.log, level: 'error' });
  const shared = { fileSystem: nodeFileSystem, clock: systemClock, log, onStep: noStep };
  const journal = new Journal({
    ...config.journal,
    ...shared,
    redeliverable: config.mqtt.receiveMaximum,
    lock: new ProcessLock(nodeFileSystem, systemClock),
  });
  try {
    await journal.open();
  } catch (error) {
    await log.close();
    if (systemErrorCode(error) !== undefined) throw error;
    throw new CommandError(EXIT.unavailable, coerceError(error).message);
  }
  const { dir, maxRowsPerFile } = config.backup;
  const backups = new Backups({ ...shared, dir, maxRowsPerFile, journalId: () => journal.id });
  const sessions = openReplaySessions(config, log);
  const { columns, valueType } = config.oracle;
  const rowCheck = { maxTextBytes: MAX_TEXT_BYTES, valueType, hasTextColumn: columns.text !== '' };
  const replay = new Replay({
    ...shared,
    backups,
    session: (stream) => sessions.session(stream),
    isOracleUp: () => true,
    beforeDelete: () => Promise.resolve(),
    counters: createCounters(),
    enabled: false,
    batchSize: config.writer.batchSize,
    checkRows: (values) => checkRows(values, rowCheck),
  });
  const close = async (): Promise<void> => {
    await replay.stop();
    await backups.stop();
    await sessions.close();
    await journal.close();
    await log.close();
  };
  try {
    await backups.start();
    const settled = journal.checkpoint?.place ?? ORIGIN;
    const backedUp = await backups.lastPlace(journal.id);
    const isBehind = backedUp !== undefined && comparePlaces(settled, backedUp) < 0;
    if (isBehind || (journal.status.messages > 0 && (await backups.recall(journal.id, settled)).size > 0)) {
      throw new CommandError(
        EXIT.unavailable,
        'the bridge was cut off before it noted what it had put into its files: start it, then ask it again',
      );
    }
    const written = backedUp === undefined ? undefined : await sessions.session(`live/${journal.id}`).read();
    if (written !== undefined) await backups.stamps.stamp(backups.stamps.files(), journal.id, written);
  } catch (error) {
    await close();
    if (error instanceof CommandError || systemErrorCode(error) !== undefined) throw error;
    throw new CommandError(EXIT.unavailable, coerceError(error).message);
  }
  replay.start();
  return {
    staysOn: false,
    files: () => Promise.resolve(backups.files().map((info) => listedFile(info, replay.requestState(info.name)))),
    request: async (file) => {
      try {
        await replay.request(file);
      } catch (error) {
        if (!(error instanceof UnknownFileError || error instanceof ReplayRefusedError)) throw error;
        throw new CommandError(EXIT.inputOutput, error.message);
      }
    },
    close,
  };
}
