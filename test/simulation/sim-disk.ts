import { basename, dirname } from 'node:path';

import type { AppendFile, FileSystem } from '../../src/core/filesystem.ts';
import type { Random } from './random.ts';
import type { Life } from './sim-clock.ts';
import { SimFile } from './sim-file.ts';
import type { Trace } from './trace.ts';

/** How the disk is at the moment. */
export interface DiskHealth {
  /** Share of the writes, syncs and directory operations that fail with EIO. */
  readonly errorShare: number;
  /** Share of the reads that do. */
  readonly readErrorShare: number;
  /** What still fits at first, and what is removed then gives room; Infinity when the disk is not full. */
  readonly freeBytes: number;
  /** How much longer than usual everything takes. */
  readonly slowness: number;
}

export const HEALTHY: DiskHealth = {
  errorShare: 0,
  readErrorShare: 0,
  freeBytes: Number.POSITIVE_INFINITY,
  slowness: 1,
};

type Entry = readonly [name: string, file: SimFile | undefined];

/** What one call changed: all of it survives a power cut, or nothing. */
type Change = readonly Entry[];

class Directory {
  entries = new Map<string, SimFile>();
  durable = new Map<string, SimFile>();
  changes: Change[] = [];

  change(...entries: readonly Entry[]): void {
    apply(this.entries, entries);
    this.changes.push(entries);
  }

  sync(): void {
    for (const change of this.changes) apply(this.durable, change);
    this.changes = [];
  }

  /** A journaling filesystem keeps the first of the changes that were not synced; POSIX allows any of them. */
  cutPower(random: Random): void {
    const count = random.int(0, this.changes.length);
    const inOrder = random.chance(0.5);
    for (const [i, change] of this.changes.entries()) {
      if (inOrder ? i < count : random.chance(0.5)) apply(this.durable, change);
    }
    this.changes = [];
    this.entries = new Map(this.durable);
  }
}

function apply(to: Map<string, SimFile>, change: Change): void {
  for (const [name, file] of change) {
    if (file === undefined) to.delete(name);
    else to.set(name, file);
  }
}

const USUAL_MS = { call: [0.01, 0.2], sync: [0.2, 3] } as const;

/** A disk in memory that outlives the process and loses, tears and reorders what was not synced when the power goes. */
export class SimDisk {
  #health: DiskHealth = HEALTHY;
  #capacityBytes = Number.POSITIVE_INFINITY;
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #directories = new Map<string, Directory>();

  constructor(random: Random, trace: Trace) {
    this.#random = random;
    this.#trace = trace;
  }

  get health(): DiskHealth {
    return this.#health;
  }

  set health(health: DiskHealth) {
    this.#health = health;
    this.#capacityBytes = this.#usedBytes + health.freeBytes;
  }

  /** All is well but that nothing more fits than did before: what is there must lead out of it. */
  mendButForRoom(): void {
    this.#health = HEALTHY;
  }

  get isFull(): boolean {
    return Number.isFinite(this.#capacityBytes);
  }

  get #usedBytes(): number {
    let bytes = 0;
    for (const directory of this.#directories.values())
      for (const file of directory.entries.values()) bytes += file.length;
    return bytes;
  }

  /** The filesystem as one life of the process sees it. */
  mount(life: Life): FileSystem {
    return new MountedDisk(this, life);
  }

  kill(): void {
    for (const directory of this.#directories.values()) for (const file of directory.entries.values()) file.killed();
  }

  cutPower(): void {
    for (const directory of this.#directories.values()) {
      directory.cutPower(this.#random);
      for (const file of directory.entries.values()) file.cutPower(this.#random);
    }
  }

  /** Names and sizes, for the verdict and the trace. */
  listing(path: string): string[] {
    const directory = this.#directories.get(path);
    return directory === undefined ? [] : [...directory.entries].map(([name, file]) => `${name} ${file.length}`).sort();
  }

  /** Whether a name in the directory ends so. */
  has(path: string, suffix: string): boolean {
    for (const name of this.#directories.get(path)?.entries.keys() ?? []) if (name.endsWith(suffix)) return true;
    return false;
  }

  contents(path: string): ReadonlyMap<string, Buffer> {
    const entries = this.#directories.get(path)?.entries ?? new Map<string, SimFile>();
    return new Map([...entries].map(([name, file]) => [name, file.read()]));
  }

  directory(path: string): Directory {
    const directory = this.#directories.get(path);
    if (directory === undefined) throw systemError('ENOENT', path);
    return directory;
  }

  makeDirectory(path: string): void {
    if (!this.#directories.has(path)) this.#directories.set(path, new Directory());
  }

  file(path: string): SimFile {
    const file = this.directory(dirname(path)).entries.get(basename(path));
    if (file === undefined) throw systemError('ENOENT', path);
    return file;
  }

  latencyMs(kind: keyof typeof USUAL_MS): number {
    const [least, most] = USUAL_MS[kind];
    return this.#random.between(least, most) * this.health.slowness;
  }

  /** Throws EIO at times while the disk is ill. */
  mayFail(what: string, share = this.health.errorShare): void {
    if (share === 0 || !this.#random.chance(share)) return;
    this.#trace(() => `disk: EIO ${what}`);
    throw systemError('EIO', what);
  }

  write(file: SimFile, bytes: Uint8Array, what: string): void {
    const freeBytes = this.isFull ? Math.max(0, this.#capacityBytes - this.#usedBytes) : bytes.length;
    const fits = bytes.subarray(0, Math.min(bytes.length, freeBytes));
    if (fits.length < bytes.length) {
      file.append(fits);
      this.#trace(() => `disk: ENOSPC ${what}`);
      throw systemError('ENOSPC', what);
    }
    try {
      this.mayFail(`write ${what}`);
    } catch (error) {
      this.tear(file, bytes);
      throw error;
    }
    file.append(bytes);
  }

  /** Leaves any part of what was to be written. */
  tear(file: SimFile, bytes: Uint8Array): void {
    file.append(bytes.subarray(0, this.#random.int(0, bytes.length)));
  }

  sync(file: SimFile, what: string): void {
    try {
      this.mayFail(`sync ${what}`);
    } catch (error) {
      file.failSync(this.#random);
      throw error;
    }
    file.sync();
  }

  /** A call that the crash overtook may have had its effect all the same. */
  perhaps(effect: () => void): void {
    if (!this.#random.chance(0.5)) return;
    try {
      effect();
    } catch {
      // Then it had none.
    }
  }

  note(line: () => string): void {
    this.#trace(line);
  }
}

class MountedDisk implements FileSystem {
  readonly #disk: SimDisk;
  readonly #life: Life;

  constructor(disk: SimDisk, life: Life) {
    this.#disk = disk;
    this.#life = life;
  }

  makeDirectory(path: string): Promise<void> {
    return this.#change(() => this.#disk.makeDirectory(path), 'makeDirectory');
  }

  list(directory: string): Promise<string[]> {
    return this.#read(() => [...this.#disk.directory(directory).entries.keys()].sort());
  }

  create(path: string): Promise<AppendFile> {
    return this.#change(
      () => {
        const directory = this.#disk.directory(dirname(path));
        if (directory.entries.has(basename(path))) throw systemError('EEXIST', path);
        const file = new SimFile();
        directory.change([basename(path), file]);
        return new OpenFile(this.#disk, this.#life, file, basename(path));
      },
      `create ${basename(path)}`,
    );
  }

  openAppend(path: string): Promise<AppendFile> {
    return this.#read(() => new OpenFile(this.#disk, this.#life, this.#disk.file(path), basename(path)));
  }

  read(path: string): Promise<Buffer> {
    return this.#read(() => this.#disk.file(path).read());
  }

  readRange(path: string, start: number, length: number): Promise<Buffer> {
    return this.#read(() => this.#disk.file(path).read(start, start + length));
  }

  size(path: string): Promise<number> {
    return this.#read(() => this.#disk.file(path).length);
  }

  device(): Promise<number> {
    return this.#read(() => 1);
  }

  truncate(path: string, size: number): Promise<void> {
    return this.#change(() => this.#disk.file(path).truncate(size), `truncate ${basename(path)} to ${size}`);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#change(
      () => {
        const file = this.#disk.file(from);
        this.#disk.directory(dirname(from)).change([basename(from), undefined], [basename(to), file]);
      },
      `rename ${basename(from)} to ${basename(to)}`,
    );
  }

  remove(path: string): Promise<void> {
    return this.#change(
      () => {
        this.#disk.file(path);
        this.#disk.directory(dirname(path)).change([basename(path), undefined]);
      },
      `remove ${basename(path)}`,
    );
  }

  syncDirectory(directory: string): Promise<void> {
    return this.#change(() => this.#disk.directory(directory).sync(), `syncDirectory ${directory}`, 'sync');
  }

  #read<T>(happen: () => T): Promise<T> {
    const read = (): T => {
      this.#disk.mayFail('read', this.#disk.health.readErrorShare);
      return happen();
    };
    return this.#life.operate(this.#disk.latencyMs('call'), read, () => {});
  }

  #change<T>(happen: () => T, what: string, kind: 'call' | 'sync' = 'call'): Promise<T> {
    const change = (): T => {
      this.#disk.mayFail(what);
      const result = happen();
      this.#disk.note(() => `disk: ${what}`);
      return result;
    };
    return this.#life.operate(this.#disk.latencyMs(kind), change, () => this.#disk.perhaps(happen));
  }
}

class OpenFile implements AppendFile {
  readonly #disk: SimDisk;
  readonly #life: Life;
  readonly #file: SimFile;
  readonly #name: string;

  constructor(disk: SimDisk, life: Life, file: SimFile, name: string) {
    this.#disk = disk;
    this.#life = life;
    this.#file = file;
    this.#name = name;
  }

  append(...buffers: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(buffers);
    const write = (): void => {
      this.#disk.write(this.#file, bytes, this.#name);
      this.#disk.note(() => `disk: append ${bytes.length} to ${this.#name}, now ${this.#file.length}`);
    };
    return this.#life.operate(this.#disk.latencyMs('call'), write, () => this.#disk.tear(this.#file, bytes));
  }

  sync(): Promise<void> {
    const sync = (): void => {
      this.#disk.sync(this.#file, this.#name);
      this.#disk.note(() => `disk: sync ${this.#name}`);
    };
    return this.#life.operate(this.#disk.latencyMs('sync'), sync, () => this.#disk.perhaps(() => this.#file.sync()));
  }

  close(): Promise<void> {
    return this.#life.operate(
      this.#disk.latencyMs('call'),
      () => {},
      () => {},
    );
  }
}

function systemError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
