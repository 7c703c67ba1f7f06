/**
 * The disk as the journal and the backups see it: a simulation replaces it by one that loses and tears what was not
 * synced.
 *
 * Durable is: a file's bytes and its size after `sync` of any handle to it; its creation, renaming or removal after
 * `syncDirectory` of its directory, in any order with the bytes; a directory that was made, at once. A sync that failed
 * leaves it open which bytes are durable, and a later one that succeeds says nothing about them. Until then a crash of
 * the machine keeps any part, a crash of the process keeps all. Errors are Node's system errors (`code` ENOSPC, EIO …).
 */
export interface FileSystem {
  /** Creates the directory and those above it, mode 0700; durable when it resolves. */
  makeDirectory(path: string): Promise<void>;
  /** The names of all that lies in the directory, sorted. */
  list(directory: string): Promise<string[]>;
  /** A new file, mode 0600; EEXIST when the name is taken. */
  create(path: string): Promise<AppendFile>;
  /** An existing file, for appending at its end. Its mode is 0600 again; a link is not followed. */
  openAppend(path: string): Promise<AppendFile>;
  read(path: string): Promise<Buffer>;
  /** Bytes from `start` up to `start + length` or the end of the file. */
  readRange(path: string, start: number, length: number): Promise<Buffer>;
  size(path: string): Promise<number>;
  /** The number of the disk that the path lies on: paths with the same number share its room. */
  device(path: string): Promise<number>;
  /** Cuts the file off at `size`; durable only after the `sync` of a handle to the file. */
  truncate(path: string, size: number): Promise<void>;
  /** Replaces what is at `to`, in one: a crash leaves the old or the new. Durable only after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>;
  /** Removes the file; durable only after `syncDirectory`. */
  remove(path: string): Promise<void>;
  /** Makes creations, renames and removals in the directory durable. */
  syncDirectory(directory: string): Promise<void>;
}

export interface AppendFile {
  /** Writes all of the buffers at the end of the file; after an error any part of them may be there. */
  append(...buffers: readonly Uint8Array[]): Promise<void>;
  /** Resolves when all that was appended is durable (`fdatasync`). */
  sync(): Promise<void>;
  close(): Promise<void>;
}
