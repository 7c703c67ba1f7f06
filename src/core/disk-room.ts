import { stat, statfs } from 'node:fs/promises';

export interface DiskRoom {
  /** The same for two directories on one filesystem. */
  readonly device: number;
  readonly totalBytes: number;
  /** What this user may still take: less than what is free where some is kept for root. */
  readonly freeBytes: number;
}

/** The room on the filesystem that a directory lies on [statfs(2)]. Throws the system error. */
export async function diskRoom(path: string): Promise<DiskRoom> {
  const [{ dev }, { bavail, blocks, bsize }] = await Promise.all([stat(path), statfs(path)]);
  return { device: dev, totalBytes: blocks * bsize, freeBytes: bavail * bsize };
}
