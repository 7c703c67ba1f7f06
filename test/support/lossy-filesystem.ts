import { posix } from 'node:path';

import type { AppendFile, FileSystem } from '../../src/core/filesystem.ts';

export type DiskOperation =
  | 'makeDirectory'
  | 'list'
  | 'create'
  | 'openAppend'
  | 'read'
  | 'readRange'
  | 'size'
  | 'truncate'
  | 'rename'
  | 'remove'
  | 'syncDirectory'
  | 'append'
  | 'sync'
  | 'close';

interface File {
  /** What a program reads, `length` bytes of it. */
  seen: Buffer;
  length: number;
  /** What is sure to be there after a crash. */
  durable: Buffer;
  /** Bytes that a failed sync gave up: a later sync does not write them again, as on Linux. */
  lost: { from: number; to: number } | undefined;
}

interface EntryChange {
  readonly directory: string;
  readonly remove?: string;
  readonly set?: { readonly path: string; readonly file: File };
}

/**
 * A disk in memory that keeps for each file and each directory entry what is durable apart from what a program sees,
 * and at `crash` drops, tears or reorders what was not synced, as `random` decides: the worst that POSIX allows.
 *
 * Durable is: a file's bytes after `sync` of a handle to it, its name after `syncDirectory`. A name may be durable
 * without the bytes and the other way round. A rename is one change: never half of it. Directories are durable at once.
 */
export class LossyDisk {
  /** All bytes of all files together; an append beyond it writes what still fits and throws ENOSPC. */
  capacityBytes = Number.POSITIVE_INFINITY;
  /** Called before each operation: may wait, and may throw what the operation then throws, before it does anything. */
  before: (operation: DiskOperation, path: string) => void | Promise<void> = () => {};
  readonly #random: () => number;
  readonly #faults: { readonly operation: DiskOperation; readonly code: string }[] = [];
  readonly #directories = new Set<string>(['/']);
  #entries = new Map<string, File>();
  readonly #durableEntries = new Map<string, File>();
  #changes: EntryChange[] = [];
  #generation = 0;
  #usedBytes = 0;

  /** `random`: at least 0, below 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The disk as one process sees it, until the next `crash`: operations that did not end before it never do. */
  mount(): FileSystem {
    const generation = this.#generation;
    const run = async <T>(operation: DiskOperation, path: string, act: () => T): Promise<T> => {
      const isDead = (): boolean => generation !== this.#generation;
      if (isDead()) await new Promise<never>(() => {});
      await this.before(operation, path);
      if (isDead()) await new Promise<never>(() => {});
      const result = this.#perform(operation, path, act);
      await Promise.resolve();
      if (isDead()) await new Promise<never>(() => {});
      return result;
    };
    const fileAt = (path: string, file: File): AppendFile => ({
      append: (...buffers) => run('append', path, () => this.#append(file, Buffer.concat(buffers))),
      sync: () => run('sync', path, () => this.#sync(file)),
      close: () => run('close', path, () => {}),
    });
    return {
      makeDirectory: (path) => run('makeDirectory', path, () => this.#makeDirectory(path)),
      list: (path) => run('list', path, () => this.#list(path)),
      create: (path) => run('create', path, () => fileAt(path, this.#create(path))),
      openAppend: (path) => run('openAppend', path, () => fileAt(path, this.#file(path))),
      read: (path) => run('read', path, () => Buffer.from(bytesOf(this.#file(path)))),
      readRange: (path, start, length) =>
        run('readRange', path, () => Buffer.from(bytesOf(this.#file(path)).subarray(start, start + length))),
      size: (path) => run('size', path, () => this.#file(path).length),
      device: () => Promise.resolve(1),
      truncate: (path, size) => run('truncate', path, () => this.#truncate(this.#file(path), size)),
      rename: (from, to) => run('rename', from, () => this.#rename(from, to)),
      remove: (path) => run('remove', path, () => this.#remove(path)),
      syncDirectory: (path) => run('syncDirectory', path, () => this.#syncDirectory(path)),
    };
  }

  /** The next `times` calls of the operation throw. A sync that fails leaves it open what of the bytes is durable. */
  fail(operation: DiskOperation, code: string, times = 1): void {
    for (let i = 0; i < times; i += 1) this.#faults.push({ operation, code });
  }

  /** No more faults, room without end. */
  heal(): void {
    this.#faults.length = 0;
    this.capacityBytes = Number.POSITIVE_INFINITY;
  }

  /** Bytes of all files that have a name. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The power goes: what was not synced is kept, dropped, torn or zeroed, by chance. */
  crash(): void {
    this.#generation += 1;
    this.heal();
    const ordered = this.#random() < 0.5;
    const prefix = Math.floor(this.#random() * (this.#changes.length + 1));
    for (const [i, change] of this.#changes.entries()) {
      if (ordered ? i < prefix : this.#random() < 0.5) apply(change, this.#durableEntries);
    }
    this.#changes = [];
    for (const file of new Set(this.#durableEntries.values())) {
      file.durable = this.#mixed(file);
      file.seen = Buffer.from(file.durable);
      file.length = file.durable.length;
      file.lost = undefined;
    }
    this.#entries = new Map(this.#durableEntries);
    this.#count();
  }

  /** The process dies (kill -9), the machine does not: all that was done is kept. */
  kill(): void {
    this.#generation += 1;
    this.heal();
  }

  #perform<T>(operation: DiskOperation, path: string, act: () => T): T {
    const i = this.#faults.findIndex((fault) => fault.operation === operation);
    if (i === -1) return act();
    const { code } = this.#faults.splice(i, 1)[0]!;
    const file = this.#entries.get(path);
    if (operation === 'sync' && file !== undefined) this.#giveUp(file);
    throw diskError(code, path);
  }

  #makeDirectory(path: string): void {
    for (let each = path; each !== '/' && each !== '.'; each = posix.dirname(each)) this.#directories.add(each);
  }

  #list(directory: string): string[] {
    if (!this.#directories.has(directory)) throw diskError('ENOENT', directory);
    const names = [...this.#entries.keys(), ...this.#directories].filter(
      (path) => path !== directory && posix.dirname(path) === directory,
    );
    return names.map((path) => posix.basename(path)).sort();
  }

  #file(path: string): File {
    const file = this.#entries.get(path);
    if (file === undefined) throw diskError('ENOENT', path);
    return file;
  }

  #create(path: string): File {
    if (!this.#directories.has(posix.dirname(path))) throw diskError('ENOENT', path);
    if (this.#entries.has(path)) throw diskError('EEXIST', path);
    const file = { seen: Buffer.alloc(0), length: 0, durable: Buffer.alloc(0), lost: undefined };
    this.#change({ directory: posix.dirname(path), set: { path, file } });
    return file;
  }

  #append(file: File, bytes: Buffer): void {
    const room = Math.max(0, this.capacityBytes - this.#usedBytes);
    const fits = bytes.subarray(0, Math.min(bytes.length, room));
    const length = file.length + fits.length;
    if (length > file.seen.length) {
      const grown = Buffer.alloc(Math.max(length, 2 * file.seen.length));
      file.seen.copy(grown, 0, 0, file.length);
      file.seen = grown;
    }
    fits.copy(file.seen, file.length);
    file.length = length;
    this.#usedBytes += fits.length;
    if (fits.length < bytes.length) throw diskError('ENOSPC', 'append');
  }

  #sync(file: File): void {
    const durable = Buffer.from(bytesOf(file));
    const { lost } = file;
    if (lost !== undefined) {
      durable.fill(0, lost.from, lost.to);
      file.durable.copy(durable, lost.from, lost.from, lost.to);
    }
    file.durable = durable;
  }

  #giveUp(file: File): void {
    const from = Math.min(file.durable.length, file.length);
    file.durable = this.#mixed(file);
    file.lost = { from: Math.min(from, file.lost?.from ?? from), to: file.length };
  }

  #truncate(file: File, size: number): void {
    this.#usedBytes += size - file.length;
    const kept = Buffer.alloc(size);
    bytesOf(file).copy(kept, 0, 0, size);
    file.seen = kept;
    file.length = size;
    if (file.lost !== undefined) {
      const to = Math.min(file.lost.to, size);
      file.lost = file.lost.from < to ? { from: file.lost.from, to } : undefined;
    }
  }

  #rename(from: string, to: string): void {
    const file = this.#file(from);
    this.#change({ directory: posix.dirname(to), remove: from, set: { path: to, file } });
    this.#count();
  }

  #remove(path: string): void {
    this.#file(path);
    this.#change({ directory: posix.dirname(path), remove: path });
    this.#count();
  }

  #syncDirectory(directory: string): void {
    if (!this.#directories.has(directory)) throw diskError('ENOENT', directory);
    for (const change of this.#changes) if (change.directory === directory) apply(change, this.#durableEntries);
    this.#changes = this.#changes.filter((change) => change.directory !== directory);
  }

  #change(change: EntryChange): void {
    apply(change, this.#entries);
    this.#changes.push(change);
  }

  #count(): void {
    this.#usedBytes = [...this.#entries.values()].reduce((sum, file) => sum + file.length, 0);
  }

  /** What a crash makes of a file: its size, and each block, as before the last writes or after them, or zeros. */
  #mixed(file: File): Buffer {
    const { durable } = file;
    const seen = Buffer.from(bytesOf(file));
    if (file.lost !== undefined) seen.fill(0, file.lost.from, file.lost.to);
    if (seen.equals(durable)) return durable;
    const choice = this.#random();
    if (choice < 0.25) return durable;
    if (choice < 0.5) return seen;
    const least = Math.min(seen.length, durable.length);
    const most = Math.max(seen.length, durable.length);
    const size = choice < 0.75 ? most : least + Math.floor(this.#random() * (most - least + 1));
    const mixed = Buffer.alloc(size);
    durable.copy(mixed, 0, 0, size);
    const inOrder = this.#random() < 0.3;
    const blockBytes = 1 + Math.floor(this.#random() * 200);
    for (let at = 0; at < size; at += blockBytes) {
      const isWritten = this.#random() < (inOrder ? 0.9 : 0.6);
      if (isWritten) seen.copy(mixed, at, at, Math.min(at + blockBytes, size));
      else if (inOrder) break;
    }
    return mixed;
  }
}

function bytesOf(file: File): Buffer {
  return file.seen.subarray(0, file.length);
}

function apply(change: EntryChange, entries: Map<string, File>): void {
  if (change.remove !== undefined) entries.delete(change.remove);
  if (change.set !== undefined) entries.set(change.set.path, change.set.file);
}

function diskError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

/** A generator of numbers, at least 0 and below 1, that one seed determines (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
