import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';

import { removeIfThere, replaceFile } from '../core/durable-file.ts';
import type { FileSystem } from '../core/filesystem.ts';
import type { Logger } from '../core/logger.ts';
import type { Reserve } from '../core/reserve.ts';

export interface FormatMemoryOptions {
  /** A directory of its own; made when there is something to keep. */
  readonly dir: string;
  /** How much the contents may take together, as JSON text, in bytes, with their keys and what is around each. */
  readonly maxBytes: number;
  readonly reserve: Reserve;
  readonly fileSystem: FileSystem;
  readonly log: Logger;
}

/** The formats' side: what is known while the message at hand is read. */
export interface EarlierMessages {
  /** What was noted last under the key; undefined when nothing was, or it was forgotten. */
  get(key: string): unknown;
  /** The keys under which something is known. */
  keys(): Iterable<string>;
  /**
   * Holds from the next message on: `content` (anything that JSON can hold), or undefined to forget the key. The
   * numbers of messages never go down. Throws MemoryFullError, and changes nothing, when there is no room for it.
   */
  note(key: string, messageNo: number, content: unknown): void;
}

/** There is no room for what a message asks to be remembered. */
export class MemoryFullError extends Error {
  constructor(key: string, maxBytes: number) {
    super(`there is no room to remember ${key}: at most ${maxBytes} bytes are kept`);
    this.name = 'MemoryFullError';
  }
}

/** What holds for the messages behind `after`. Without a text the key is forgotten from there on. */
interface Version {
  readonly after: number;
  readonly text: string | undefined;
}

interface Entry {
  /** In the order of `after`; the last one is in force. */
  versions: Version[];
  content: unknown;
  /** The file does not have these versions yet. */
  isDirty: boolean;
}

const SUFFIX = '.json';
/** What an entry takes beside its texts, about. */
const ENTRY_BYTES = 500;
const NAME_LENGTH = 32;

/**
 * What formats have to know of earlier messages to read later ones: the names and types of a Sparkplug birth, the
 * names of a metadata topic.
 *
 * A message is read after a crash as it was read before. The journal gives again the messages behind the checkpoint;
 * what was noted by those comes again with them, what was noted by those before must be on disk before the checkpoint
 * says that they are settled:
 *
 *     note … note → save(settled) → the checkpoint is written → saved(settled)
 *
 * Until the checkpoint is durable the former one may be what the next start finds. So a file has, of its key, the
 * version that is in force at the last durable checkpoint and all later ones, and the start takes the newest that is
 * not behind the checkpoint found.
 */
export class FormatMemory implements EarlierMessages {
  readonly #options: FormatMemoryOptions;
  readonly #entries = new Map<string, Entry>();
  #journalId = '';
  /** All messages up to this one are settled by a durable checkpoint. */
  #settledNo = 0;
  #bytes = 0;
  #hasDirectory = false;

  constructor(options: FormatMemoryOptions) {
    this.#options = options;
  }

  /**
   * Reads what an earlier run left. `settledNo`: the message up to which the journal gives nothing again. A file that
   * can't be read, or is another journal's, is left out with a warning. Throws the system error of a directory that
   * can't be listed.
   */
  async start(journalId: string, settledNo: number): Promise<void> {
    const { dir, fileSystem } = this.#options;
    this.#journalId = journalId;
    this.#settledNo = settledNo;
    await fileSystem.makeDirectory(dir);
    // A directory that goes with the power takes its files with it.
    await fileSystem.syncDirectory(dirname(dir));
    this.#hasDirectory = true;
    for (const name of await fileSystem.list(dir)) {
      if (name.endsWith(SUFFIX)) await this.#read(name);
    }
  }

  get(key: string): unknown {
    return this.#entries.get(key)?.content;
  }

  *keys(): Generator<string> {
    for (const [key, { content }] of this.#entries) if (content !== undefined) yield key;
  }

  note(key: string, messageNo: number, content: unknown): void {
    const entry = this.#entries.get(key) ?? { versions: [], content: undefined, isDirty: false };
    const text = content === undefined ? undefined : JSON.stringify(content);
    const last = entry.versions.at(-1);
    if (last?.text === text) return;
    const isSameMessage = last?.after === messageNo;
    const bytes = this.#bytes + sizeOf(key, text) - (isSameMessage ? sizeOf(key, last.text) : 0);
    if (bytes > this.#options.maxBytes) throw new MemoryFullError(key, this.#options.maxBytes);
    if (isSameMessage) entry.versions.pop();
    entry.versions.push({ after: messageNo, text });
    entry.content = content;
    entry.isDirty = true;
    this.#bytes = bytes;
    this.#entries.set(key, entry);
  }

  /**
   * To be called before a checkpoint is written. Resolves when what holds for messages behind `settledNo` is durable.
   * Throws the system error of the disk: the checkpoint must not be written then.
   */
  async save(settledNo: number): Promise<void> {
    for (const [key, entry] of this.#entries) {
      // What only messages behind the checkpoint have noted comes again with them.
      if (!entry.isDirty || entry.versions.every(({ after }) => after > settledNo)) continue;
      await this.#write(key, entry);
    }
  }

  /**
   * The checkpoint that says so is durable. Resolves when files of forgotten keys are gone; they do no harm until
   * then.
   */
  async saved(settledNo: number): Promise<void> {
    this.#settledNo = Math.max(this.#settledNo, settledNo);
    for (const [key, entry] of this.#entries) {
      this.#prune(key, entry);
      const [only, ...others] = entry.versions;
      if (only?.text !== undefined || others.length > 0 || only === undefined || only.after > this.#settledNo) continue;
      await removeIfThere(this.#options.fileSystem, this.#path(key));
      this.#entries.delete(key);
    }
  }

  /** Leaves out the versions that no start can ask for any more. */
  #prune(key: string, entry: Entry): void {
    const inForce = entry.versions.findLastIndex(({ after }) => after <= this.#settledNo);
    if (inForce <= 0) return;
    for (const { text } of entry.versions.splice(0, inForce)) this.#bytes -= sizeOf(key, text);
  }

  async #write(key: string, entry: Entry): Promise<void> {
    const { dir, fileSystem, reserve } = this.#options;
    if (!this.#hasDirectory) await fileSystem.makeDirectory(dir);
    this.#hasDirectory = true;
    const versions = entry.versions.map(({ after, text }) => `{"after":${after},"content":${text ?? 'null'}}`);
    const text = `{"journal":${JSON.stringify(this.#journalId)},"key":${JSON.stringify(key)},"versions":[${versions.join(',')}]}\n`;
    entry.isDirty = false;
    try {
      await reserve.spendOn(() => replaceFile(fileSystem, this.#path(key), text));
    } catch (error) {
      entry.isDirty = true;
      throw error;
    }
  }

  async #read(name: string): Promise<void> {
    const { dir, fileSystem, log } = this.#options;
    const path = join(dir, name);
    const found = parse((await fileSystem.read(path)).toString());
    if (found === undefined || found.journal !== this.#journalId) {
      log.warn('what was remembered of earlier messages is not this journal’s, or damaged: left out', { file: path });
      return;
    }
    const version = found.versions.findLast(({ after }) => after <= this.#settledNo);
    if (version === undefined || version.content === null) return;
    const text = JSON.stringify(version.content);
    this.#bytes += sizeOf(found.key, text);
    const versions = [{ after: version.after, text }];
    this.#entries.set(found.key, { versions, content: version.content, isDirty: false });
  }

  #path(key: string): string {
    const name = createHash('sha256').update(key).digest('hex').slice(0, NAME_LENGTH);
    return join(this.#options.dir, name + SUFFIX);
  }
}

function sizeOf(key: string, text: string | undefined): number {
  return text === undefined ? 0 : ENTRY_BYTES + key.length + text.length;
}

interface FileContent {
  readonly journal: string;
  readonly key: string;
  readonly versions: readonly { readonly after: number; readonly content: unknown }[];
}

function parse(text: string): FileContent | undefined {
  try {
    const content: unknown = JSON.parse(text);
    return isFileContent(content) ? content : undefined;
  } catch {
    return undefined;
  }
}

function isFileContent(value: unknown): value is FileContent {
  if (typeof value !== 'object' || value === null) return false;
  if (!('journal' in value && 'key' in value && 'versions' in value)) return false;
  const { journal, key, versions } = value;
  return typeof journal === 'string' && typeof key === 'string' && Array.isArray(versions) && versions.every(isVersion);
}

function isVersion(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'after' in value &&
    typeof value.after === 'number' &&
    'content' in value
  );
}
