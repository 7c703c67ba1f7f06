import type { FileSystem } from '../../core/filesystem.ts';
import { CsvParser, type CsvRecord } from './csv.ts';

const CHUNK_BYTES = 256 * 1024;
/** For who may need no more than the first rows. */
export const BEGINNING_BYTES = 4096;

export interface ReadOptions {
  /** Sees the bytes as they are read. */
  readonly onChunk?: (chunk: Buffer) => void;
  /** The file may break off anywhere: a last record that has no line end is not given. */
  readonly isGrowing?: boolean;
  /** How much is read at first; default: as much as later. */
  readonly firstBytes?: number;
}

/**
 * The records of a file, some at a time, so that a file of any size takes little memory. Throws CsvError after the last
 * record before a mistake, and the system error of a failing disk.
 */
export async function* parseCsv(
  fileSystem: FileSystem,
  path: string,
  { firstBytes = CHUNK_BYTES, onChunk, isGrowing = false }: ReadOptions = {},
): AsyncGenerator<CsvRecord[], void, undefined> {
  const parser = new CsvParser();
  for (let at = 0; ;) {
    // A record longer than a chunk is parsed from its beginning again: growing chunks keep that work in proportion.
    const most = at === 0 ? firstBytes : Math.max(CHUNK_BYTES, parser.pendingBytes);
    const chunk = await fileSystem.readRange(path, at, most);
    if (chunk.length === 0) break;
    at += chunk.length;
    onChunk?.(chunk);
    const records = parser.push(chunk);
    if (records.length > 0) yield records;
  }
  const last = parser.end(isGrowing);
  if (last.length > 0) yield last;
}
