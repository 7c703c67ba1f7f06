import { removeIfThere, writeNewFile } from '../../core/durable-file.ts';
import type { Logger } from '../../core/logger.ts';
import { rewriteFile } from '../../core/rewrite-file.ts';
import type { BackupFileInfo } from './file-info.ts';
import { DAMAGED_SUFFIX, OPEN_SUFFIX, SKIP_SUFFIX } from './file-name.ts';
import type { BackupFolder } from './folder.ts';
import { scanFile } from './scan.ts';

/**
 * Ends a file that a crash left open: a last record that is not whole is cut off (its value was never counted as backed
 * up), and the file is sealed under `finalName`, or removed when no record is whole. Bytes that are no record at all,
 * as a power cut may leave them, go to a file of their own first. Each step can be repeated after another crash. Throws
 * the system error of the disk.
 */
export async function recoverFile(
  folder: BackupFolder,
  name: string,
  finalName: string,
  log: Logger,
): Promise<BackupFileInfo | undefined> {
  const { fileSystem } = folder;
  const path = folder.path(name + OPEN_SUFFIX);
  const { info, wholeBytes } = await scanFile(fileSystem, path, name, 'open');
  const cutBytes = info.bytes - wholeBytes;
  if (info.problem !== undefined && cutBytes > 0) {
    const tail = await fileSystem.readRange(path, wholeBytes, cutBytes);
    await folder.reserve.spendOn(() => keepApart(folder, name + DAMAGED_SUFFIX, tail));
    log.error('backup file was damaged', { file: name, problem: info.problem, bytes: cutBytes });
  }
  if (info.rows === 0) {
    await fileSystem.remove(path);
    await removeIfThere(fileSystem, folder.path(name + SKIP_SUFFIX));
    await folder.sync();
    return undefined;
  }
  await rewriteFile(fileSystem, path, wholeBytes);
  const finalPath = folder.path(finalName);
  await fileSystem.rename(path, finalPath);
  await folder.sync();
  log.warn('backup file of an earlier run recovered', { file: finalName, rows: info.rows, cutBytes });
  return (await scanFile(fileSystem, finalPath, finalName, 'sealed')).info;
}

async function keepApart(folder: BackupFolder, name: string, bytes: Buffer): Promise<void> {
  const path = folder.path(name);
  await removeIfThere(folder.fileSystem, path); // an earlier try may not have come to its end
  await writeNewFile(folder.fileSystem, path, bytes);
  await folder.sync();
}
