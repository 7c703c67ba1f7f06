import { mkdir, rmdir, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { getuid } from 'node:process';

import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { coerceError, systemErrorCode } from '../core/errors.ts';
import type { FileSystem } from '../core/filesystem.ts';
import { sizeText } from '../core/wording.ts';
import { failed, ok, warning, type Finding } from './finding.ts';

interface CheckedDirectory {
  /** The key that names the directory: `journal.dir` or `backup.dir`. */
  readonly key: string;
  readonly path: string;
  /** How much the directory may still grow; undefined without a limit. */
  readonly neededBytes: number | undefined;
}

const SYNCS = 9;
const SYNC_BYTES = 4096;
const SLOW_SYNC_MS = 20;
const LITTLE_BYTES = 2 ** 30;
const FOR_OTHERS = 0o077;
const DIRECTORY_MODE = 0o700;

/** `f_type` of filesystems that do not keep what is synced, or not here. [statfs(2)] */
const UNFIT: ReadonlyMap<number, string> = new Map([
  [0x0102_1994, 'it is in memory (tmpfs) and gone when the machine restarts'],
  [0x8584_58f6, 'it is in memory (ramfs) and gone when the machine restarts'],
  [0x794c_7630, 'it is the layer of a container (overlay) and gone with it, unless the host itself runs on one'],
  [0x6969, 'it is on the network (NFS)'],
  [0xff53_4d42, 'it is on the network (CIFS)'],
  [0xfe53_4d42, 'it is on the network (SMB)'],
]);

/**
 * Tries the directories of journal and backups: whether they can be made and written, how fast, and how much room there
 * is. Needs no lock: it writes a small file of its own beside a running bridge's, and leaves nothing behind. Never
 * throws.
 */
export async function checkDirectories(config: Config, fileSystem: FileSystem, clock: Clock): Promise<Finding[]> {
  const { journal, backup } = config;
  const journalBytes = await sizeOf(journal.dir, fileSystem);
  const directories: readonly CheckedDirectory[] = [
    { key: 'journal.dir', path: journal.dir, neededBytes: Math.max(0, journal.maxBytes - journalBytes) },
    { key: 'backup.dir', path: backup.dir, neededBytes: undefined },
  ];
  const findings: Finding[] = [];
  for (const directory of directories) findings.push(...(await checkDirectory(directory, fileSystem, clock)));
  return [...findings, ...(await sharedFilesystem(journal.dir, backup.dir))];
}

async function checkDirectory(directory: CheckedDirectory, fileSystem: FileSystem, clock: Clock): Promise<Finding[]> {
  const { key, path } = directory;
  try {
    const made = await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
    try {
      const permission = made === undefined ? [await permissions(directory)] : [ok(key, `${path} can be made`)];
      return [...permission, await syncTime(directory, fileSystem, clock), ...(await room(directory))];
    } finally {
      if (made !== undefined) await removeMade(path, made);
    }
  } catch (thrown) {
    return [failed(key, `${path}: ${coerceError(thrown).message}`, remedyOf(systemErrorCode(thrown), path))];
  }
}

/** What the check has made would belong to whoever runs it, who may be another user than the bridge. */
async function removeMade(path: string, firstMade: string): Promise<void> {
  for (let each = resolve(path); each.length >= firstMade.length; each = dirname(each)) {
    await rmdir(each).catch(() => {}); // a bridge that has just started needs it
  }
}

const REMEDIES: readonly { readonly codes: readonly string[]; readonly remedy: (path: string) => string }[] = [
  {
    codes: ['EACCES', 'EPERM'],
    remedy: (path) => `give the directory to the user of the bridge: install -d -m 700 -o USER ${path}`,
  },
  {
    codes: ['EROFS'],
    remedy: () =>
      'the filesystem is mounted read-only: name a directory on another, or let systemd write there (ReadWritePaths)',
  },
  {
    codes: ['ENOTDIR', 'EEXIST'],
    remedy: (path) => `a file is in the way: move it, or name another directory than ${path}`,
  },
  {
    codes: ['ENOSPC', 'EDQUOT'],
    remedy: () => 'the disk is full: make room, or name a directory on another',
  },
];

function remedyOf(code: string | undefined, path: string): string {
  const known = REMEDIES.find(({ codes }) => code !== undefined && codes.includes(code));
  return known?.remedy(path) ?? 'name a directory on a local disk that the user of the bridge may write to';
}

async function permissions({ key, path }: CheckedDirectory): Promise<Finding> {
  const { mode, uid } = await stat(path);
  const own = getuid?.();
  if (own !== undefined && uid !== own) {
    const text = `${path} belongs to user ${uid}, and the check runs as ${own}: what it finds may not hold for the bridge`;
    return warning(key, text, `run the check as the user of the bridge: sudo -u '#${uid}' …`);
  }
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  if ((mode & FOR_OTHERS) === 0) return ok(key, `${path}, mode ${shown}`);
  return warning(key, `${path}, mode ${shown}: other users can get at the values`, `chmod 700 ${path}`);
}

/** Measures a sync, with appends as the journal makes them. */
async function syncTime({ key, path }: CheckedDirectory, fileSystem: FileSystem, clock: Clock): Promise<Finding> {
  const name = join(path, `.check-${Math.floor(clock.random() * 0x1_0000_0000).toString(16)}`);
  const block = Buffer.alloc(SYNC_BYTES, 'c');
  const timesMs: number[] = [];
  const file = await fileSystem.create(name);
  try {
    for (let i = 0; i < SYNCS; i += 1) {
      await file.append(block);
      const startedAtMs = clock.monotonic();
      await file.sync();
      timesMs.push(clock.monotonic() - startedAtMs);
    }
    await fileSystem.syncDirectory(path);
  } finally {
    await file.close();
    await fileSystem.remove(name);
  }
  const medianMs = timesMs.sort((a, b) => a - b)[SYNCS >> 1]!;
  const text = `${medianMs.toFixed(medianMs < 10 ? 2 : 0)} ms, the median of ${SYNCS}`;
  if (medianMs <= SLOW_SYNC_MS) return ok(`${key} sync`, text);
  const remedy = 'use a faster disk, an SSD with power-loss protection say: messages are acknowledged only after it';
  return warning(`${key} sync`, `${text}, is slow`, remedy);
}

async function room({ key, neededBytes, path }: CheckedDirectory): Promise<Finding[]> {
  const { bavail, bsize, type } = await statfs(path);
  const unfit = UNFIT.get(type);
  const finding = freeRoom(`${key} room`, bavail * bsize, neededBytes);
  if (unfit === undefined) return [finding];
  return [finding, warning(`${key} disk`, unfit, `${key}: name a directory on a local disk`)];
}

function freeRoom(subject: string, freeBytes: number, neededBytes: number | undefined): Finding {
  if (neededBytes !== undefined && freeBytes < neededBytes) {
    const text = `${sizeText(freeBytes)} free, and the journal may grow by ${sizeText(neededBytes)}`;
    return warning(subject, text, 'make room, or lower journal.maxBytes: a full disk stops the intake before it');
  }
  if (freeBytes < LITTLE_BYTES)
    return warning(subject, `${sizeText(freeBytes)} free`, 'make room for an outage of Oracle');
  return ok(
    subject,
    `${sizeText(freeBytes)} free${neededBytes === undefined ? '' : `, up to ${sizeText(neededBytes)} needed`}`,
  );
}

async function sharedFilesystem(journalDir: string, backupDir: string): Promise<Finding[]> {
  try {
    const [journal, backup] = await Promise.all([deviceOf(journalDir), deviceOf(backupDir)]);
    if (journal !== backup) return [ok('filesystems', 'journal and backups are on two')];
    return [ok('filesystems', 'journal and backups are on one: a long outage of Oracle fills it for both')];
  } catch {
    return []; // the finding for the directory itself says it already
  }
}

/** The disk of the directory, or of the nearest one above it that exists. */
async function deviceOf(path: string): Promise<number> {
  for (let each = resolve(path); ; each = dirname(each)) {
    try {
      return (await stat(each)).dev;
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT' || each === dirname(each)) throw error;
    }
  }
}

/** The size of all files right in the directory; 0 where there is no such directory. */
async function sizeOf(directory: string, fileSystem: FileSystem): Promise<number> {
  try {
    const names = await fileSystem.list(directory);
    const sizes = await Promise.all(names.map((name) => fileSystem.size(join(directory, name)).catch(() => 0)));
    return sizes.reduce((sum, bytes) => sum + bytes, 0);
  } catch {
    return 0;
  }
}
