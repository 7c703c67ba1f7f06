import { ifThere } from '../../core/durable-file.ts';
import type { FileSystem } from '../../core/filesystem.ts';
import type { BackupFileInfo } from './file-info.ts';
import { OPEN_SUFFIX } from './file-name.ts';

/** The files, as a download needs them. */
export interface DownloadFiles {
  file(name: string): BackupFileInfo | undefined;
  path(name: string): string;
}

/** What was durable of a file when it was asked for. */
export interface Download {
  readonly bytes: number;
  /** Throws the system error of the disk, ENOENT also when the file was taken away meanwhile. */
  readonly chunks: AsyncIterable<Buffer>;
}

const CHUNK_BYTES = 262_144;

/** Undefined for all that is no name of a known file. */
export async function openDownload(
  fileSystem: FileSystem,
  files: DownloadFiles,
  name: string,
): Promise<Download | undefined> {
  const file = files.file(name);
  if (file === undefined) return undefined;
  // What is sealed but has not been read yet is known without its size.
  const bytes = file.bytes > 0 ? file.bytes : await ifThere(fileSystem.size(pathOf(files, name)));
  return bytes === undefined ? undefined : { bytes, chunks: readChunks(fileSystem, files, name, bytes) };
}

async function* readChunks(
  fileSystem: FileSystem,
  files: DownloadFiles,
  name: string,
  bytes: number,
): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes;) {
    const chunk = await readChunk(fileSystem, files, name, start, Math.min(CHUNK_BYTES, bytes - start));
    if (chunk.length === 0) throw new Error(`${name} has become shorter while it was read`);
    yield chunk;
    start += chunk.length;
  }
}

async function readChunk(
  fileSystem: FileSystem,
  files: DownloadFiles,
  name: string,
  start: number,
  length: number,
): Promise<Buffer> {
  const path = pathOf(files, name);
  const chunk = await ifThere(fileSystem.readRange(path, start, length));
  if (chunk !== undefined) return chunk;
  // Sealing gives the file another name, which the catalog learns a moment later.
  const other = path.endsWith(OPEN_SUFFIX) ? files.path(name) : files.path(name) + OPEN_SUFFIX;
  return fileSystem.readRange(other, start, length);
}

function pathOf(files: DownloadFiles, name: string): string {
  return files.path(name) + (files.file(name)?.state === 'open' ? OPEN_SUFFIX : '');
}
