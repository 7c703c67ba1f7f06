import { fileOutlook, type FileOutlook } from '../files/file-facts.ts';
import type { BackupFileInfo } from '../files/file-info.ts';
import type { BackupFolder } from '../files/folder.ts';
import { Redirects } from './redirects.ts';

export type OutlookOf = (info: BackupFileInfo) => FileOutlook;

/**
 * What becomes of the files of a folder that nobody need have open; `destinations`: those of the configuration. Throws
 * the system error of the disk.
 */
export async function outlooks(folder: BackupFolder, destinations: readonly string[]): Promise<OutlookOf> {
  const redirects = new Redirects(folder);
  await redirects.load();
  return (info) => fileOutlook(info, redirects.of(info.name), destinations);
}
