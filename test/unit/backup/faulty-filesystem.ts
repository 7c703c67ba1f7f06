import type { AppendFile, FileSystem } from '../../../src/core/filesystem.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';

export type Operation =
  'create' | 'openAppend' | 'append' | 'sync' | 'truncate' | 'rename' | 'remove' | 'syncDirectory';

/** The real disk with faults on demand, and a record of what was asked of it. */
export class FaultyFileSystem implements FileSystem {
  /** An append beyond it writes what still fits and throws ENOSPC. */
  spaceLeftBytes = Number.POSITIVE_INFINITY;
  readonly calls: Operation[] = [];
  /** Called before each sync; a test holds the disk up with it. */
  beforeSync: () => Promise<void> = () => Promise.resolve();
  /** Called before each read, with how much is asked for at most. */
  beforeRead: (bytes: number) => Promise<void> | void = () => {};
  readonly #faults: { readonly operation: Operation; readonly code: string }[] = [];

  /** The next `times` calls of the operation throw. */
  fail(operation: Operation, code: string, times = 1): void {
    for (let i = 0; i < times; i += 1) this.#faults.push({ operation, code });
  }

  heal(): void {
    this.#faults.length = 0;
    this.spaceLeftBytes = Number.POSITIVE_INFINITY;
  }

  makeDirectory(path: string): Promise<void> {
    return nodeFileSystem.makeDirectory(path);
  }

  list(directory: string): Promise<string[]> {
    return nodeFileSystem.list(directory);
  }

  read(path: string): Promise<Buffer> {
    return nodeFileSystem.read(path);
  }

  async readRange(path: string, start: number, length: number): Promise<Buffer> {
    await this.beforeRead(length);
    return nodeFileSystem.readRange(path, start, length);
  }

  size(path: string): Promise<number> {
    return nodeFileSystem.size(path);
  }

  device(path: string): Promise<number> {
    return nodeFileSystem.device(path);
  }

  async create(path: string): Promise<AppendFile> {
    this.check('create');
    return new FaultyFile(this, await nodeFileSystem.create(path));
  }

  async openAppend(path: string): Promise<AppendFile> {
    this.check('openAppend');
    return new FaultyFile(this, await nodeFileSystem.openAppend(path));
  }

  async truncate(path: string, size: number): Promise<void> {
    this.check('truncate');
    await nodeFileSystem.truncate(path, size);
  }

  async rename(from: string, to: string): Promise<void> {
    this.check('rename');
    await nodeFileSystem.rename(from, to);
  }

  async remove(path: string): Promise<void> {
    this.check('remove');
    await nodeFileSystem.remove(path);
  }

  async syncDirectory(directory: string): Promise<void> {
    this.check('syncDirectory');
    await nodeFileSystem.syncDirectory(directory);
  }

  check(operation: Operation): void {
    this.calls.push(operation);
    const i = this.#faults.findIndex((fault) => fault.operation === operation);
    if (i !== -1) throw systemError(this.#faults.splice(i, 1)[0]!.code);
  }
}

class FaultyFile implements AppendFile {
  readonly #disk: FaultyFileSystem;
  readonly #file: AppendFile;

  constructor(disk: FaultyFileSystem, file: AppendFile) {
    this.#disk = disk;
    this.#file = file;
  }

  async append(...buffers: readonly Uint8Array[]): Promise<void> {
    this.#disk.check('append');
    const bytes = Buffer.concat(buffers);
    const fits = bytes.subarray(0, this.#disk.spaceLeftBytes);
    await this.#file.append(fits);
    this.#disk.spaceLeftBytes -= fits.length;
    if (fits.length < bytes.length) throw systemError('ENOSPC');
  }

  async sync(): Promise<void> {
    await this.#disk.beforeSync();
    this.#disk.check('sync');
    await this.#file.sync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: on demand of the test`), { code });
}
