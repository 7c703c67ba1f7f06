import { mkdir, open, readdir, readFile, rename, rm, stat, truncate, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import type { AppendFile, FileSystem } from './filesystem.ts';

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/** The real disk. */
export const nodeFileSystem: FileSystem = {
  makeDirectory: async (path) => {
    const firstMade = await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
    if (firstMade === undefined) return;
    for (let each = resolve(path); each.length >= firstMade.length; each = dirname(each)) {
      await syncDirectory(dirname(each));
    }
  },
  list: async (directory) => (await readdir(directory)).sort(),
  create: async (path) => new NodeAppendFile(await open(path, 'ax', FILE_MODE)),
  openAppend: async (path) => {
    await stat(path);
    return new NodeAppendFile(await open(path, 'a', FILE_MODE));
  },
  read: (path) => readFile(path),
  readRange: async (path, start, length) => {
    const file = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, start);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  },
  size: async (path) => (await stat(path)).size,
  truncate: (path, size) => truncate(path, size),
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path),
  syncDirectory,
};

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

class NodeAppendFile implements AppendFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async append(...buffers: readonly Uint8Array[]): Promise<void> {
    for (const buffer of buffers) {
      for (let written = 0; written < buffer.length;) {
        const { bytesWritten } = await this.#handle.write(buffer, written, buffer.length - written);
        written += bytesWritten;
      }
    }
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
